/* Decides what is wrong with QoS, retain, and the timestamp and seq of a payload. The order of seq is left to
 * session.c. */
#include <inttypes.h>

#include "check/judge.h"

enum { NO_RULE = -1, KIND_COUNT = SPB_KIND_STATE };

void check__mqtt(check *c, spb_kind kind) {
    static const int qos_rules[KIND_COUNT] = {
        [SPB_KIND_NBIRTH] = RULE_NBIRTH_QOS, [SPB_KIND_NDEATH] = NO_RULE,         [SPB_KIND_NDATA] = RULE_NDATA_QOS,
        [SPB_KIND_NCMD] = RULE_NCMD_QOS,     [SPB_KIND_DBIRTH] = RULE_DBIRTH_QOS, [SPB_KIND_DDEATH] = RULE_DDEATH_MQTT,
        [SPB_KIND_DDATA] = RULE_DDATA_QOS,   [SPB_KIND_DCMD] = RULE_DCMD_QOS};
    static const int retain_rules[KIND_COUNT] = {
        [SPB_KIND_NBIRTH] = RULE_NBIRTH_RETAIN, [SPB_KIND_NDEATH] = RULE_WILL_RETAIN,
        [SPB_KIND_NDATA] = RULE_NDATA_RETAIN,   [SPB_KIND_NCMD] = RULE_NCMD_RETAIN,
        [SPB_KIND_DBIRTH] = RULE_DBIRTH_RETAIN, [SPB_KIND_DDEATH] = RULE_DDEATH_MQTT,
        [SPB_KIND_DDATA] = RULE_DDATA_RETAIN,   [SPB_KIND_DCMD] = RULE_DCMD_RETAIN};
    const check_will *message = &c->event->as.publish;
    if (!c->event->has_mqtt) {
        return;
    }
    if (message->qos > 0 && qos_rules[kind] != NO_RULE) {
        check__report(c, (check_rule_number)qos_rules[kind], "%s with QoS %u", spb_kind_name(kind),
                      (unsigned)message->qos);
    }
    if (message->retain) {
        check__report(c, (check_rule_number)retain_rules[kind], "%s is retained", spb_kind_name(kind));
    }
}

static bool is_plausible(uint64_t ms) {
    return ms >= SPB_FIRST_TIMESTAMP_MS && ms <= SPB_LAST_TIMESTAMP_MS;
}

static void judge_timestamps(check *c, const judged *m) {
    static const int rules[KIND_COUNT] = {
        [SPB_KIND_NBIRTH] = RULE_NBIRTH_TIMESTAMP, [SPB_KIND_NDEATH] = NO_RULE,
        [SPB_KIND_NDATA] = RULE_NDATA_TIMESTAMP,   [SPB_KIND_NCMD] = RULE_NCMD_TIMESTAMP,
        [SPB_KIND_DBIRTH] = RULE_DBIRTH_TIMESTAMP, [SPB_KIND_DDEATH] = RULE_DDEATH_TIMESTAMP,
        [SPB_KIND_DDATA] = RULE_DDATA_TIMESTAMP,   [SPB_KIND_DCMD] = RULE_DCMD_TIMESTAMP};
    const spb_payload *payload = m->payload;
    if (!payload->has_timestamp && rules[m->kind] != NO_RULE) {
        check__report(c, (check_rule_number)rules[m->kind], "%s without a timestamp", spb_kind_name(m->kind));
    }
    if (payload->has_timestamp && !is_plausible(payload->timestamp_ms)) {
        check__report(c, RULE_TIMESTAMP_UTC, "the timestamp %" PRIu64 " is no time in milliseconds",
                      payload->timestamp_ms);
    }
    for (size_t i = 0; i < payload->metric_count; i++) {
        const spb_payload_metric *metric = &payload->metrics[i];
        if (metric->has_timestamp && !is_plausible(metric->timestamp_ms)) {
            check__report(c, RULE_METRIC_TIMESTAMP_UTC,
                          "the timestamp %" PRIu64 " of metric '%.*s' is no time in milliseconds", metric->timestamp_ms,
                          TEXT(metric->name));
        }
    }
}

void check__head(check *c, const judged *m) {
    judge_timestamps(c, m);
    if (check__is_command(m->kind) && m->payload->has_seq) {
        check__report(c, m->kind == SPB_KIND_NCMD ? RULE_NCMD_SEQ : RULE_DCMD_SEQ, "%s with seq %" PRIu64,
                      spb_kind_name(m->kind), m->payload->seq);
    }
}
