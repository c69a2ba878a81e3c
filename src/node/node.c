/*
 * Decides how a node comes and goes: what it owns, when its worker thread begins and ends, how long a stop may take.
 * What the worker does is left to worker.c.
 */
#include "node/node.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/error.h"
#include "core/handle.h"
#include "core/servers.h"
#include "node/clock.h"

/* ---- making one ---- */

static spb_status check_options(const spb_node_options *options, spb_error *err) {
    const struct {
        const char *name, *value;
    } required[] = {{"servers", options->servers}, {"group_id", options->group_id}, {"node_id", options->node_id}};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (!required[i].value || required[i].value[0] == '\0') {
            return spb_error__set(err, SPB_ERR_ARGUMENT, "option %s is missing", required[i].name);
        }
    }
    if (options->store && options->store_path) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "options store and store_path exclude each other");
    }
    return SPB_OK;
}

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
        .reconnect_min_ms = options->reconnect_min_ms,
        .reconnect_max_ms = options->reconnect_max_ms,
        .batch_window_ms = options->batch_window_ms,
        .batch_max_bytes = options->batch_max_bytes,
        .max_in_flight = options->max_in_flight,
        .no_aliases = options->no_aliases,
        .primary_host_id = options->primary_host_id,
        .legacy_state = options->legacy_state,
        .host_wait_ms = options->host_wait_ms,
        .rebirth_window_ms = options->rebirth_window_ms,
        .next_server_metric = options->next_server_metric,
        .node_info = options->node_info,
        .random_seed = random_seed(options),
    };
}

static spb_status check_servers(const char *list, spb_error *err) {
    spb_servers servers;
    spb_status status = spb_servers__init(&servers, list, err);
    if (status != SPB_OK) {
        return status;
    }
    for (size_t i = 0; i < servers.count && status == SPB_OK; i++) {
        status = spb_mqtt_check_server(servers.items[i].uri, err);
    }
    spb_servers__clear(&servers);
    return status;
}

/* Session, store and transport, in an order that leaves nothing behind on the disk when an option is wrong. */
static spb_status make_parts(spb_node *node, const spb_node_options *options, spb_error *err) {
    spb_session_options session = session_options(options);
    spb_status status = spb_session_new(&node->session, &session, err);
    if (status == SPB_OK && !node->transport) {
        /* A server that can never be reached is an error now and not a retry for ever. */
        status = check_servers(options->servers, err);
    }
    if (status == SPB_OK && !node->transport) {
        status = spb_mqtt_new(&node->transport, &options->mqtt, err);
    }
    if (status == SPB_OK && options->store_path) {
        status = spb_store_open(&node->store, options->store_path, options->group_id, options->node_id,
                                &options->store_options, err);
    }
    if (status == SPB_OK && node->store) {
        status = node->store->load_bdseq(node->store, &session.bdseq, &session.has_bdseq, err);
    }
    if (status == SPB_OK && session.has_bdseq) {
        /* The first one has only checked the options. */
        spb_session_free(node->session);
        status = spb_session_new(&node->session, &session, err);
    }
    return status;
}

static spb_status init_locks(spb_node *node, spb_error *err) {
    spb_status status = spb_mailbox__init(&node->mailbox, err);
    if (status != SPB_OK) {
        return status;
    }
    if (pthread_mutex_init(&node->lock, NULL)) {
        spb_mailbox__clear(&node->mailbox);
        return spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the lock of the node");
    }
    if (spb_clock__init_cond(&node->run_ended)) {
        pthread_mutex_destroy(&node->lock);
        spb_mailbox__clear(&node->mailbox);
        return spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the condition variable of the node");
    }
    return SPB_OK;
}

static void free_parts(spb_transport *transport, spb_store *store, spb_session *session) {
    if (transport) {
        transport->free(transport);
    }
    if (store) {
        store->free(store);
    }
    spb_session_free(session);
}

spb_status spb_node_new(spb_node **out, const spb_node_options *options, spb_error *err) {
    *out = NULL;
    if (!options) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "no options");
    }
    spb_node *node = NULL;
    spb_status status = check_options(options, err);
    if (status == SPB_OK) {
        node = calloc(1, sizeof *node);
        status = node ? init_locks(node, err) : spb_error__no_memory(err, "the node");
    }
    if (status != SPB_OK) {
        free(node);
        free_parts(options->transport, options->store, NULL);
        return status;
    }
    node->transport = options->transport;
    node->store = options->store;
    node->on_state = options->on_state;
    node->on_command = options->on_command;
    node->on_log = options->on_log;
    node->log_level = options->log_level;
    node->user_data = options->user_data;
    status = make_parts(node, options, err);
    if (status != SPB_OK) {
        spb_node_free(node);
        return status;
    }
    spb_session__set_owner(node->session, node);
    node->transport->set_listener(node->transport, spb_mailbox__post, &node->mailbox);
    *out = node;
    return SPB_OK;
}

/* ---- its life ---- */

static bool is_worker_locked(const spb_node *node) {
    return node->has_worker && pthread_equal(pthread_self(), node->worker);
}

/* The worker's last act is to give back the lock, so joining it here does not wait for anything. */
static void join_ended_worker_locked(spb_node *node) {
    if (node->has_worker && node->worker_ended) {
        pthread_join(node->worker, NULL);
        node->has_worker = false;
    }
}

/* The worker takes no signals: they belong to the application's own threads. */
static int create_worker_locked(spb_node *node) {
    sigset_t all, kept;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &kept);
    node->worker_ended = false;
    int failure = pthread_create(&node->worker, NULL, spb_worker__run, node);
    node->has_worker = failure == 0;
    pthread_sigmask(SIG_SETMASK, &kept, NULL);
    return failure;
}

spb_status spb_node_start(spb_node *node, spb_error *err) {
    spb_status status = SPB_OK;
    pthread_mutex_lock(&node->lock);
    join_ended_worker_locked(node);
    if (node->is_wanted) {
        status = spb_error__set(err, SPB_ERR_STATE, "the node is already started");
    } else if (!node->has_worker) {
        int failure = create_worker_locked(node);
        if (failure) {
            status = spb_error__set(err, SPB_ERR_SYSTEM, "cannot create the worker thread: error %d", failure);
        }
    }
    /* A worker that still ends the run before begins the next one. */
    node->is_wanted = node->is_wanted || status == SPB_OK;
    pthread_mutex_unlock(&node->lock);
    return status;
}

/* Of the time for a stop, the session gets all but a last part, which is for closing the link that it gives up. */
static uint32_t session_part_ms(uint32_t timeout_ms) {
    uint32_t reserve_ms = timeout_ms / 8;
    return timeout_ms - (reserve_ms < 250 ? reserve_ms : 250);
}

static void request_stop_locked(spb_node *node, uint32_t timeout_ms) {
    spb_session_state state = spb_session_get_state(node->session);
    if (!node->is_stopping) {
        /* Who is born has something to say before he goes: SPB_OK comes with the answer to DISCONNECT. */
        bool is_born = state == SPB_SESSION_BIRTHING || state == SPB_SESSION_ONLINE ||
                       state == SPB_SESSION_STOPPING; /* on its way to the next server */
        node->farewell = is_born ? SPB_ERR_TIMEOUT : SPB_OK;
    }
    node->is_wanted = false;
    node->is_stopping = true;
    if (state != SPB_SESSION_STOPPED) {
        spb_session_stop(node->session, session_part_ms(timeout_ms), spb_clock__now());
    }
    spb_mailbox__wake(&node->mailbox);
}

spb_status spb_node_stop(spb_node *node, uint32_t timeout_ms) {
    uint64_t deadline_ms = spb_clock__now().mono_ms + timeout_ms;
    spb_status status = SPB_ERR_STATE;
    pthread_mutex_lock(&node->lock);
    if (!is_worker_locked(node) && (node->is_wanted || node->is_stopping)) {
        request_stop_locked(node, timeout_ms);
        uint64_t run = node->runs_ended;
        while (node->runs_ended == run && spb_clock__wait(&node->run_ended, &node->lock, deadline_ms)) {
        }
        status = node->runs_ended == run ? SPB_ERR_TIMEOUT : node->run_status;
        join_ended_worker_locked(node);
    }
    pthread_mutex_unlock(&node->lock);
    return status;
}

/* Unlike a stop it waits for as long as a call of the transport, the store or a callback takes: they use the node. */
static void end_worker(spb_node *node) {
    pthread_mutex_lock(&node->lock);
    if (node->has_worker && !node->worker_ended) {
        request_stop_locked(node, 0);
    }
    while (node->has_worker && !node->worker_ended) {
        spb_clock__wait(&node->run_ended, &node->lock, SPB_NEVER);
    }
    join_ended_worker_locked(node);
    pthread_mutex_unlock(&node->lock);
}

void spb_node_free(spb_node *node) {
    if (!node) {
        return;
    }
    end_worker(node);
    free_parts(node->transport, node->store, node->session);
    /* The transport was the last one to post. */
    spb_mailbox__clear(&node->mailbox);
    pthread_cond_destroy(&node->run_ended);
    pthread_mutex_destroy(&node->lock);
    free(node);
}
