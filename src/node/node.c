/*
 * Decides how a node comes and goes: what it owns, when its worker thread begins and ends, how long a stop may take.
 * What it is made of is left to parts.c, what the worker does to worker.c.
 */
#include "node/node.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/thread.h"
#include "core/handle.h"
#include "node/clock.h"
#include "node/parts.h"

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

static spb_status init_locks(spb_node *node, spb_error *err) {
    spb_status status = spb_mailbox__init(&node->mailbox, err);
    if (status != SPB_OK) {
        return status;
    }
    status = spb_lock__init(&node->lock, err);
    if (status != SPB_OK) {
        goto no_lock;
    }
    if (spb_clock__init_cond(&node->run_ended)) {
        status = spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the condition variable of the node");
        goto no_run_ended;
    }
    if (spb_clock__init_cond(&node->flushed)) {
        status = spb_error__set(err, SPB_ERR_SYSTEM, "cannot make the condition variable of flushes");
        goto no_flushed;
    }
    status = spb_store_thread__init(&node->store_thread, node, err);
    if (status == SPB_OK) {
        return SPB_OK;
    }
    pthread_cond_destroy(&node->flushed);

no_flushed:
    pthread_cond_destroy(&node->run_ended);
no_run_ended:
    spb_lock__clear(&node->lock);
no_lock:
    spb_mailbox__clear(&node->mailbox);
    return status;
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
        spb_parts__free(options->transport, options->store, NULL);
        return status;
    }
    node->transport = options->transport;
    node->store = options->store;
    node->on_state = options->on_state;
    node->on_birth_too_large = options->on_birth_too_large;
    node->on_command = options->on_command;
    node->on_log = options->on_log;
    node->log_level = options->log_level;
    node->user_data = options->user_data;
    status = spb_parts__make(node, options, err);
    if (status != SPB_OK) {
        spb_node_free(node);
        return status;
    }
    spb_session__set_owner(node->session, node);
    node->lock.session = node->session;
    node->transport->set_listener(node->transport, spb_mailbox__post, &node->mailbox);
    *out = node;
    return SPB_OK;
}

/* ---- its life ---- */

bool spb_node__is_worker_locked(const spb_node *node) {
    return node->has_worker && pthread_equal(pthread_self(), node->worker);
}

/* The worker's last act is to give back the lock, and the thread of the store has nothing to do then, so joining them
 * here does not wait for anything. */
static void join_ended_worker_locked(spb_node *node) {
    if (node->has_worker && node->worker_ended) {
        pthread_join(node->worker, NULL);
        spb_store_thread__join(&node->store_thread);
        node->has_worker = false;
    }
}

static int create_threads_locked(spb_node *node) {
    node->worker_ended = false;
    int failure = node->store && !node->is_store_in_memory ? spb_store_thread__begin(&node->store_thread) : 0;
    if (failure == 0) {
        failure = spb_thread__start(&node->worker, spb_worker__run, node);
        node->has_worker = failure == 0;
    }
    if (failure && node->store_thread.has_thread) {
        spb_store_thread__end(&node->store_thread);
        spb_store_thread__join(&node->store_thread);
    }
    return failure;
}

spb_status spb_node_start(spb_node *node, spb_error *err) {
    spb_status status = SPB_OK;
    spb_lock__take(&node->lock);
    join_ended_worker_locked(node);
    if (node->is_wanted) {
        status = spb_error__set(err, SPB_ERR_STATE, "the node is already started");
    } else {
        status = spb_session_check_births(node->session, spb_clock__now(), err);
    }
    if (status == SPB_OK && !node->has_worker) {
        if (create_threads_locked(node) != 0) {
            status = spb_error__no_thread(err, "the node");
        }
    }
    /* A worker that still ends the run before begins the next one. */
    node->is_wanted = node->is_wanted || status == SPB_OK;
    spb_lock__give(&node->lock);
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
    spb_lock__take(&node->lock);
    if (!spb_node__is_worker_locked(node) && (node->is_wanted || node->is_stopping)) {
        request_stop_locked(node, timeout_ms);
        uint64_t run = node->runs_ended;
        while (node->runs_ended == run && spb_lock__wait(&node->lock, &node->run_ended, deadline_ms)) {
        }
        status = node->runs_ended == run ? SPB_ERR_TIMEOUT : node->run_status;
        join_ended_worker_locked(node);
    }
    spb_lock__give(&node->lock);
    return status;
}

/* Unlike a stop it waits for as long as a call of the transport, the store or a callback takes: they use the node. */
static void end_worker(spb_node *node) {
    spb_lock__take(&node->lock);
    if (node->has_worker && !node->worker_ended) {
        request_stop_locked(node, 0);
    }
    while (node->has_worker && !node->worker_ended) {
        spb_lock__wait(&node->lock, &node->run_ended, SPB_NEVER);
    }
    join_ended_worker_locked(node);
    spb_lock__give(&node->lock);
}

void spb_node_free(spb_node *node) {
    if (!node) {
        return;
    }
    end_worker(node);
    spb_parts__free(node->transport, node->store, node->session);
    /* The transport was the last one to post. */
    spb_mailbox__clear(&node->mailbox);
    spb_store_thread__clear(&node->store_thread);
    pthread_cond_destroy(&node->flushed);
    pthread_cond_destroy(&node->run_ended);
    spb_lock__clear(&node->lock);
    free(node);
}
