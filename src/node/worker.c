/*
 * Decides in which order a node's worker serves events, timers and actions, and keeps the lock out of every call that
 * may wait. What is to be done, and when, is the session's decision; how the store is called, that of store_thread.c.
 */
#include "core/handle.h"
#include "node/clock.h"
#include "node/node.h"

static const char *reason_of(spb_status status, const spb_error *err) {
    return err->text[0] != '\0' ? err->text : spb_status_name(status);
}

/* If somebody waits in spb_node_stop, the last words did not get through. */
static void note_loss_locked(spb_node *node) {
    if (node->farewell != SPB_OK) {
        node->farewell = SPB_ERR_CONNECT;
    }
}

/* ---- carrying out one action, with no lock held ---- */

/* Without a store, there is nothing to be saved, and the session wants nothing else. */
static void call_store(spb_node *node, const spb_action *action) {
    if (node->store) {
        spb_store_thread__put(&node->store_thread, action);
        return;
    }
    spb_lock__take(&node->lock);
    spb_session_on_bdseq_saved(node->session, SPB_OK, NULL, spb_clock__now());
    spb_lock__give(&node->lock);
}

static void call_transport(spb_node *node, const spb_action *action) {
    spb_transport *transport = node->transport;
    spb_error err = {.text = ""};
    spb_status status;
    if (action->kind == SPB_ACTION_CONNECT) {
        status = transport->connect(transport, &action->as.connect, &err);
    } else if (action->kind == SPB_ACTION_SUBSCRIBE) {
        status =
            transport->subscribe(transport, action->link, action->as.subscribe.items, action->as.subscribe.count, &err);
    } else if (action->kind == SPB_ACTION_FENCE) {
        if (action->as.fence.is_followed && transport->hold) {
            transport->hold(transport, action->link);
        }
        status = transport->fence(transport, action->link, action->as.fence.form, &action->as.fence.item, &err);
    } else {
        status = transport->publish(transport, action->link, &action->as.publish, &err);
    }
    if (status != SPB_OK) {
        spb_lock__take(&node->lock);
        note_loss_locked(node);
        spb_session_on_action_failed(node->session, action->link, status, reason_of(status, &err), spb_clock__now());
        spb_lock__give(&node->lock);
    }
}

static void look_at_link(spb_node *node, uint32_t link) {
    spb_transport *transport = node->transport;
    uint64_t left = 0, bytes = transport->carried ? transport->carried(transport, link, &left) : 0;
    spb_lock__take(&node->lock);
    spb_session_on_carried(node->session, link, bytes, left, spb_clock__now());
    spb_lock__give(&node->lock);
}

static void ask_application(spb_node *node, spb_metric *metric, spb_value value) {
    void *user;
    spb_write_fn on_write = spb_metric__on_write(metric, &user);
    spb_status status = on_write(metric, &value, user);
    spb_lock__take(&node->lock);
    spb_session_on_write_done(node->session, metric, status, &value, spb_clock__now());
    spb_lock__give(&node->lock);
}

static void carry_out(spb_node *node, const spb_action *action) {
    switch (action->kind) {
    case SPB_ACTION_SAVE_BDSEQ:
    case SPB_ACTION_SAVE_ALIASES:
    case SPB_ACTION_SAVE_CLOCK:
    case SPB_ACTION_APPEND:
    case SPB_ACTION_CONFIRM:
    case SPB_ACTION_KEEP:
    case SPB_ACTION_COMMIT:
    case SPB_ACTION_EXPIRE:
    case SPB_ACTION_READ: call_store(node, action); break;
    case SPB_ACTION_CONNECT:
    case SPB_ACTION_SUBSCRIBE:
    case SPB_ACTION_PUBLISH:
    case SPB_ACTION_FENCE: call_transport(node, action); break;
    case SPB_ACTION_LOOK: look_at_link(node, action->link); break;
    case SPB_ACTION_DISCONNECT:
        node->transport->disconnect(node->transport, action->link, action->as.timeout_ms);
        break;
    case SPB_ACTION_CLOSE: node->transport->close(node->transport, action->link); break;
    case SPB_ACTION_WRITE: ask_application(node, action->as.write.metric, action->as.write.value); break;
    case SPB_ACTION_COMMAND:
        if (node->on_command) {
            node->on_command(node, &action->as.command, node->user_data);
        }
        break;
    case SPB_ACTION_STATE:
        if (node->on_state) {
            node->on_state(node, action->as.state.state, action->as.state.reason, node->user_data);
        }
        break;
    case SPB_ACTION_BIRTH_TOO_LARGE:
        if (node->on_birth_too_large) {
            node->on_birth_too_large(node, &action->as.birth_too_large, node->user_data);
        }
        break;
    case SPB_ACTION_LOG: spb_node__log(node, action->as.log.level, action->as.log.text); break;
    }
}

/* ---- one round ---- */

/* One event a round: a flood of messages must hold up neither the actions, which the session can only queue so many of,
 * nor the threads that want the lock. */
static void take_event_locked(spb_node *node) {
    spb_transport_event event;
    if (!spb_mailbox__take(&node->mailbox, &event)) {
        return;
    }
    if (event.link == node->link && event.kind == SPB_TRANSPORT_DISCONNECTED) {
        node->farewell = SPB_OK;
    } else if (event.link == node->link && event.kind == SPB_TRANSPORT_LOST) {
        note_loss_locked(node);
    }
    spb_session_on_transport(node->session, &event, spb_clock__now());
}

/* Of a large command there are as many actions as it has metrics, and the journal may be busy all the time: what the
 * server answers meanwhile does not wait for the end of it. */
#define ACTIONS_PER_EVENT 16

static bool may_be_many(const spb_action *action) {
    return action->kind == SPB_ACTION_WRITE || action->kind == SPB_ACTION_COMMAND || action->kind == SPB_ACTION_APPEND;
}

/* A session that has stopped stores what it could not send; one COMMIT makes all of it safe. If the application goes on
 * meanwhile, a slow store always has more to do: so what came later is left to the next run, but for words about the
 * COMMIT. */
static bool next_action_locked(spb_node *node, spb_action *out) {
    return node->has_told_rest ? spb_session__next_news(node->session, out)
                               : spb_session_next_action(node->session, spb_clock__now(), out);
}

/* Gives the lock back for the length of each action. When it returns the session has nothing left to do, and nobody has
 * had the lock since. */
static void carry_out_all_locked(spb_node *node) {
    spb_action action;
    uint32_t many = 0;
    while (next_action_locked(node, &action)) {
        if (action.kind == SPB_ACTION_CONNECT) {
            node->link = action.link;
        }
        bool has_stopped = spb_session_get_state(node->session) == SPB_SESSION_STOPPED;
        node->has_told_rest |= action.kind == SPB_ACTION_COMMIT && node->is_stopping && has_stopped;
        many += may_be_many(&action);
        spb_lock__give(&node->lock);
        carry_out(node, &action);
        spb_lock__take(&node->lock);
        if (many == ACTIONS_PER_EVENT) {
            many = 0;
            take_event_locked(node);
        }
        spb_node__tell_flushes_locked(node);
    }
}

static void end_run_locked(spb_node *node) {
    node->is_stopping = false;
    node->has_told_rest = false;
    node->runs_ended++;
    node->run_status = node->farewell;
    pthread_cond_broadcast(&node->run_ended);
    pthread_cond_broadcast(&node->flushed);
}

static void log_news_of_store(spb_node *node, uint64_t now_ms) {
    spb_log_level level;
    char text[160];
    if (node->store && spb_store_thread__take_news(&node->store_thread, now_ms, &level, text, sizeof text)) {
        spb_node__log(node, level, text);
    }
}

static uint64_t news_of_store_ms(spb_node *node) {
    return node->store ? spb_store_thread__news_ms(&node->store_thread) : SPB_NEVER;
}

/* No lock is held. What is to be told later wakes the worker, too. */
static void wait_for_something(spb_node *node, uint32_t published_wanted, uint64_t deadline_ms) {
    uint64_t log_ms = spb_node__log_due_ms(node), store_ms = news_of_store_ms(node);
    log_ms = store_ms < log_ms ? store_ms : log_ms;
    spb_mailbox__wait(&node->mailbox, published_wanted, log_ms < deadline_ms ? log_ms : deadline_ms);
    uint64_t now_ms = spb_clock__now().mono_ms;
    spb_node__log_dropped(node, spb_mailbox__take_dropped(&node->mailbox), now_ms);
    log_news_of_store(node, now_ms);
}

/* ---- its life ---- */

static bool is_store_idle(spb_node *node) {
    return !node->store || spb_store_thread__is_idle(&node->store_thread);
}

/* The session has stopped. True: there is something new for it, or for the store. */
static bool goes_on_locked(spb_node *node) {
    bool is_idle = is_store_idle(node);
    if (!node->is_stopping && node->is_wanted) {
        spb_session_start(node->session, spb_clock__now());
        return true;
    }
    if (is_idle && spb_node__log_due_ms(node) != SPB_NEVER) {
        spb_lock__give(&node->lock);
        spb_node__log_dropped(node, 0, SPB_NEVER); /* not a second later, but before the run ends */
        spb_lock__take(&node->lock);
        return true;
    }
    if (is_idle && node->is_stopping) {
        end_run_locked(node);
        return node->is_wanted;
    }
    return false;
}

void *spb_worker__run(void *context) {
    spb_node *node = context;
    spb_lock__take(&node->lock);
    for (;;) {
        take_event_locked(node);
        spb_session_on_tick(node->session, spb_clock__now());
        spb_node__tell_flushes_locked(node);
        carry_out_all_locked(node);
        bool has_stopped = spb_session_get_state(node->session) == SPB_SESSION_STOPPED;
        if (has_stopped && goes_on_locked(node)) {
            continue;
        }
        if (has_stopped && !node->is_wanted && !node->is_stopping) {
            break;
        }
        uint64_t deadline_ms = node->wakes_ms =
            node->has_told_rest ? SPB_NEVER : spb_session_deadline_ms(node->session);
        uint32_t published_wanted = spb_session__reports_wanted(node->session);
        spb_lock__give(&node->lock);
        wait_for_something(node, published_wanted, deadline_ms);
        spb_lock__take(&node->lock);
        node->wakes_ms = 0;
    }
    if (node->store) {
        spb_store_thread__end(&node->store_thread);
    }
    node->worker_ended = true;
    spb_lock__give(&node->lock);
    return NULL;
}
