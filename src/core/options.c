/* Decides which options are good. What they do is left to all others. */
#include "core/options.h"

#include "core/session.h"

#define ALL_NODE_INFO (SPB_NODE_INFO_LIBRARY | SPB_NODE_INFO_SERVER | SPB_NODE_INFO_COUNTERS | SPB_NODE_INFO_STORE)

static spb_status check_numbers(const spb_session_options *o, spb_error *err) {
    const struct {
        const char *name;
        uint64_t value, min, max;
    } rules[] = {{"keep_alive_s", o->keep_alive_s, 1, 65535},
                 {"connect_timeout_ms", o->connect_timeout_ms, 100, 300000},
                 {"connect_spread_ms", o->connect_spread_ms, 0, 3600000},
                 {"clock_wait_s", o->clock_wait_s, 0, 86400},
                 {"reconnect_max_ms", o->reconnect_max_ms, 10, 3600000},
                 {"reconnect_min_ms", o->reconnect_min_ms, 10, o->reconnect_max_ms},
                 {"batch_max_bytes", o->batch_max_bytes, 1, 64 * 1024 * 1024},
                 {"batch_max_samples", o->batch_max_samples, 1, UINT32_MAX},
                 {"max_waiting_bytes", o->max_waiting_bytes, 65536, SIZE_MAX},
                 {"max_in_flight", o->max_in_flight, 1, UINT32_MAX},
                 {"host_wait_ms", o->host_wait_ms, 0, 3600000},
                 {"rebirth_window_ms", o->rebirth_window_ms, 0, 600000},
                 {"max_command_metrics", o->max_command_metrics, 1, 65536},
                 {"node_info", o->node_info, 0, ALL_NODE_INFO},
                 {"delivery", (uint64_t)o->delivery, SPB_DELIVERY_AUTO, SPB_DELIVERY_DURABLE},
                 {"confirm", (uint64_t)o->confirm, SPB_CONFIRM_FENCE, SPB_CONFIRM_WINDOW},
                 {"max_unconfirmed_bytes", o->max_unconfirmed_bytes, 65536, 1024 * 1024 * 1024},
                 {"fence_within_ms", o->fence_within_ms, 0, 3600000},
                 {"store_window_ms", o->store_window_ms, 0, 60000},
                 {"resend_on_rebirth_ms", o->resend_on_rebirth_ms, 0, 3600000},
                 {"settle_ms", o->settle_ms, 0, 60000}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].value < rules[i].min || rules[i].value > rules[i].max) {
            return spb_error__set(err, SPB_ERR_ARGUMENT, "%s is %llu, but must be %llu to %llu", rules[i].name,
                                  (unsigned long long)rules[i].value, (unsigned long long)rules[i].min,
                                  (unsigned long long)rules[i].max);
        }
    }
    if (o->clock_wait_s > 0 && o->boot == 0) { /* nobody would give samples the right time later */
        return spb_error__set(err, SPB_ERR_ARGUMENT, "clock_wait_s needs to know the run of the machine (boot)");
    }
    return SPB_OK;
}

spb_status spb_session__check_options(const spb_session_options *options, spb_error *err) {
    if (!options->group_id || !options->node_id) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "%s is missing", options->group_id ? "node_id" : "group_id");
    }
    spb_status status = spb_id_check(spb_str_from(options->group_id), "group ID", err);
    if (status == SPB_OK) {
        status = spb_id_check(spb_str_from(options->node_id), "edge node ID", err);
    }
    return status == SPB_OK ? check_numbers(options, err) : status;
}

spb_delivery spb_session__level(const spb_session_options *options) {
    if (!options->has_journal) {
        return SPB_DELIVERY_LIVE;
    }
    return options->delivery == SPB_DELIVERY_AUTO ? SPB_DELIVERY_OUTAGE : options->delivery;
}
