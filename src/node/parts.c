/* Decides what a node is made of: the session's options, the transport, and which store the delivery level needs. */
#include "node/parts.h"

#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"
#include "core/servers.h"
#include "node/boot.h"
#include "node/clock.h"

/* ---- options ---- */

/* For the jitter of reconnects only: nodes that start together must differ, nobody must be unable to guess it. */
static uint64_t random_seed(const void *salt) {
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        seed = (spb_clock__now().wall_ms << 22) ^ ((uint64_t)getpid() << 48) ^ (uint64_t)(uintptr_t)salt;
    }
    return seed;
}

static spb_session_options session_options(const spb_node_options *options) {
    return (spb_session_options){
        .servers = options->servers,
        .group_id = options->group_id,
        .node_id = options->node_id,
        .client_id = options->client_id,
        .keep_alive_s = options->keep_alive_s,
        .connect_timeout_ms = options->connect_timeout_ms,
        .connect_spread_ms = options->connect_spread_ms,
        .clock_wait_s = options->clock_wait_s,
        .reconnect_min_ms = options->reconnect_min_ms,
        .reconnect_max_ms = options->reconnect_max_ms,
        .batch_window_ms = options->batch_window_ms,
        .batch_max_bytes = options->batch_max_bytes,
        .batch_max_samples = options->batch_max_samples,
        .max_waiting_bytes = options->max_waiting_bytes,
        .max_message_bytes = options->max_message_bytes,
        .max_in_flight = options->max_in_flight,
        .no_aliases = options->no_aliases,
        .primary_host_id = options->primary_host_id,
        .legacy_state = options->legacy_state,
        .host_wait_ms = options->host_wait_ms,
        .rebirth_window_ms = options->rebirth_window_ms,
        .next_server_metric = options->next_server_metric,
        .max_command_metrics = options->max_command_metrics,
        .node_info = options->node_info,
        .delivery = options->delivery,
        .confirm = options->confirm,
        .max_unconfirmed_bytes = options->max_unconfirmed_bytes,
        .fence_within_ms = options->fence_within_ms,
        .store_window_ms = options->store_window_ms,
        .host_window_ms = options->host_window_ms,
        .resend_on_rebirth_ms = options->resend_on_rebirth_ms,
        .settle_ms = options->settle_ms,
        .replay_samples_per_s = options->replay_samples_per_s,
        .replay_bytes_per_s = options->replay_bytes_per_s,
        .max_sample_age_s = options->max_sample_age_s,
        .strict_order = options->strict_order,
        .boot = spb_boot__id("/proc/sys/kernel/random/boot_id"),
        .random_seed = random_seed(options),
    };
}

static spb_status check_servers(const char *list, const spb_mqtt_options *mqtt, spb_error *err) {
    spb_servers servers;
    spb_status status = spb_servers__init(&servers, list, err);
    if (status != SPB_OK) {
        return status;
    }
    for (size_t i = 0; i < servers.count && status == SPB_OK; i++) {
        status = spb_mqtt_check_server(servers.items[i].uri, mqtt, err);
    }
    spb_servers__clear(&servers);
    return status;
}

/* ---- the store ---- */

/* The functions of a store are there for the journal and the aliases, all of them, or for none. */
static spb_status check_store(const spb_store *store, bool *has_journal, spb_error *err) {
    const struct {
        const char *name;
        bool is_there;
    } functions[] = {{"load_aliases", store->load_aliases},
                     {"save_aliases", store->save_aliases},
                     {"append", store->append},
                     {"confirm", store->confirm},
                     {"commit", store->commit},
                     {"read", store->read},
                     {"expire", store->expire},
                     {"save_clock", store->save_clock},
                     {"info", store->info}};
    size_t count = sizeof functions / sizeof *functions, there = 0;
    const char *missing = "";
    for (size_t i = 0; i < count; i++) {
        there += functions[i].is_there;
        missing = functions[i].is_there ? missing : functions[i].name;
    }
    *has_journal = there == count;
    return there == 0 || there == count
               ? SPB_OK
               : spb_error__set(err, SPB_ERR_ARGUMENT, "option store has no function %s, but others of a journal",
                                missing);
}

/* What the level needs: DURABLE a store that outlives the process, OUTAGE any journal, and be it in memory. */
static spb_status check_delivery(const spb_node_options *options, bool *has_journal, spb_error *err) {
    bool wants_journal = options->delivery == SPB_DELIVERY_OUTAGE || options->delivery == SPB_DELIVERY_DURABLE;
    if (!options->store && !options->store_path && options->delivery == SPB_DELIVERY_DURABLE) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "option delivery: DURABLE needs store_path, or a store");
    }
    *has_journal = options->store_path || wants_journal;
    spb_status status = options->store ? check_store(options->store, has_journal, err) : SPB_OK;
    if (status == SPB_OK && wants_journal && !*has_journal) {
        status = spb_error__set(err, SPB_ERR_ARGUMENT, "option delivery needs a journal, and option store has none");
    }
    return status;
}

static spb_status make_store(spb_node *node, const spb_node_options *options, spb_error *err) {
    if (options->store_path) {
        return spb_store_open(&node->store, options->store_path, options->group_id, options->node_id,
                              &options->store_options, err);
    }
    node->is_store_in_memory = !node->store && options->delivery == SPB_DELIVERY_OUTAGE;
    return node->is_store_in_memory ? spb_store_new_in_memory(&node->store, &options->store_options, err) : SPB_OK;
}

typedef struct adoption {
    spb_node *node;
    spb_status status;
    bool is_odd; /* an alias was in the store twice */
} adoption;

static void adopt(void *context, const spb_alias *alias) {
    adoption *self = context;
    spb_status status = spb_session_adopt_alias(self->node->session, alias);
    self->is_odd = self->is_odd || status == SPB_ERR_ARGUMENT;
    if (status != SPB_OK && status != SPB_ERR_ARGUMENT) {
        self->status = status;
    }
}

/* An alias that cannot be had again is no reason not to start: the metric gets a new one. */
static spb_status adopt_aliases(spb_node *node, spb_error *err) {
    adoption self = {.node = node, .status = SPB_OK};
    spb_status status = node->store->load_aliases(node->store, adopt, &self, err);
    if (self.is_odd) {
        spb_node__log(node, SPB_LOG_WARNING, "the store gives an alias to two metrics; one of them gets a new one");
    }
    if (status == SPB_OK && self.status != SPB_OK) {
        status = self.status == SPB_ERR_NO_MEMORY
                     ? spb_error__no_memory(err, "the aliases in the store")
                     : spb_error__set(err, self.status, "the aliases in the store cannot be used");
    }
    return status;
}

/* The session anew, with what the store knows of earlier ones. The first one has only checked the options. */
static spb_status go_on_from_store(spb_node *node, spb_session_options *session, spb_error *err) {
    spb_store *store = node->store;
    spb_status status = store->load_bdseq(store, &session->bdseq, &session->has_bdseq, err);
    if (status == SPB_OK && session->has_journal) {
        store->info(store, &session->journal);
    }
    if (session->journal.damage) {
        /* The node starts all the same; but that something was lost must be known. */
        spb_node__log(node, SPB_LOG_WARNING, session->journal.damage);
    }
    if (session->journal.warning) {
        spb_node__log(node, SPB_LOG_WARNING, session->journal.warning);
    }
    if (status == SPB_OK) {
        spb_session_free(node->session);
        status = spb_session_new(&node->session, session, err);
    }
    return status == SPB_OK && session->has_journal ? adopt_aliases(node, err) : status;
}

/* ---- all of it ---- */

/* In an order that leaves nothing behind on the disk when an option is wrong. */
spb_status spb_parts__make(spb_node *node, const spb_node_options *options, spb_error *err) {
    spb_session_options session = session_options(options);
    spb_status status = check_delivery(options, &session.has_journal, err);
    if (status == SPB_OK) {
        status = spb_session_new(&node->session, &session, err);
    }
    if (status == SPB_OK && !node->transport) {
        /* A server that can never be reached is an error now and not a retry for ever. */
        status = check_servers(options->servers, &options->mqtt, err);
    }
    if (status == SPB_OK && !node->transport) {
        status = spb_mqtt_new(&node->transport, &options->mqtt, err);
    }
    if (status == SPB_OK) {
        status = make_store(node, options, err);
    }
    return status == SPB_OK && node->store ? go_on_from_store(node, &session, err) : status;
}

void spb_parts__free(spb_transport *transport, spb_store *store, spb_session *session) {
    if (transport) {
        transport->free(transport);
    }
    if (store) {
        store->free(store);
    }
    spb_session_free(session);
}
