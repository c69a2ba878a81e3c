/* Decides how connections come and go: what each event leads to, and after which time. Which message is next is left to
 * publish.c. */
#include <stdio.h>

#include "core/certificate.h"
#include "core/session.h"

/* ---- states ---- */

void spb_session__log(spb_session *session, spb_log_level level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    spb_notices__log(&session->notices, level, format, args);
    va_end(args);
}

void spb_session__enter(spb_session *session, spb_session_state state, const char *reason) {
    session->state = state;
    spb_notices__state(&session->notices, state, reason);
}

bool spb_session__is_live(const spb_session *session) {
    return session->phase != SPB_PHASE_UNBORN && session->state != SPB_SESSION_STOPPING;
}

/* After a death of the node, nobody follows: no device is born, and what waited to be sent is lost. */
static void forget_births(spb_session *session) {
    for (spb_device *holder = session->table.node; holder && session->phase != SPB_PHASE_UNBORN;
         holder = holder->next) {
        spb_session__drop_batch(session, holder);
        spb_queue__remove(&session->queues[SPB_QUEUE_BIRTH], holder);
        spb_queue__remove(&session->queues[SPB_QUEUE_DEATH], holder);
        holder->is_born = false;
    }
    session->phase = SPB_PHASE_UNBORN;
    session->wants_birth = false;
    session->node_birth_due_ms = SPB_NEVER;
    session->next_born = NULL;
    session->is_death_due = false;
}

static void drop_link(spb_session *session) {
    if (session->link != 0) {
        session->close_link = session->link;
    }
    session->link = 0;
    session->in_flight = 0;
    session->was_online = false;
    session->is_due = false;
    session->timer_ms = SPB_NEVER;
    forget_births(session);
}

/* The bdSeq is made durable before the CONNECT that carries it. */
static void begin_attempt(spb_session *session, const char *reason) {
    spb_bdseq__prepare(&session->bdseq);
    session->timer_ms = SPB_NEVER;
    session->is_due = true;
    spb_session__enter(session, SPB_SESSION_SAVING, reason);
}

static void finish_stop(spb_session *session, const char *reason) {
    drop_link(session);
    spb_session__enter(session, SPB_SESSION_STOPPED, reason);
    spb_session__log(session, reason ? SPB_LOG_WARNING : SPB_LOG_INFO, "stopped%s%s", reason ? ": " : "",
                     reason ? reason : "");
}

void spb_session__fail(spb_session *session, const char *reason, spb_time now) {
    char text[256]; /* the reason may lie in what is dropped here */
    snprintf(text, sizeof text, "%s", reason);
    if (session->state == SPB_SESSION_STOPPING) {
        finish_stop(session, text);
        return;
    }
    /* Not at CONNACK: a server that takes a node in and throws it out again would be hammered. */
    if (session->was_online && now.mono_ms - session->online_since_ms >= SPB_STEADY_MS) {
        spb_backoff__reset(&session->backoff);
    }
    drop_link(session);
    uint32_t wait_ms = spb_backoff__next_ms(&session->backoff);
    session->timer_ms = now.mono_ms + wait_ms;
    spb_session__enter(session, SPB_SESSION_WAITING, text);
    spb_session__log(session, SPB_LOG_WARNING, "%s; next attempt in %u ms", text, (unsigned)wait_ms);
}

void spb_session_start(spb_session *session, spb_time now) {
    (void)now;
    if (session->state == SPB_SESSION_STOPPED) {
        spb_backoff__reset(&session->backoff);
        begin_attempt(session, NULL);
    }
}

void spb_session_stop(spb_session *session, uint32_t timeout_ms, spb_time now) {
    uint64_t end_ms = now.mono_ms + timeout_ms;
    switch (session->state) {
    case SPB_SESSION_STOPPED: break;
    case SPB_SESSION_WAITING:
    case SPB_SESSION_SAVING:
    case SPB_SESSION_CONNECTING: finish_stop(session, NULL); break;
    case SPB_SESSION_SUBSCRIBING:
    case SPB_SESSION_BIRTHING:
    case SPB_SESSION_ONLINE:
        session->is_death_due = session->phase != SPB_PHASE_UNBORN;
        session->is_due = true;
        session->timer_ms = end_ms;
        spb_session__enter(session, SPB_SESSION_STOPPING, NULL);
        spb_session__advance(session, now);
        break;
    case SPB_SESSION_STOPPING:
        session->timer_ms = end_ms < session->timer_ms ? end_ms : session->timer_ms;
        spb_session__advance(session, now);
        break;
    }
}

void spb_session_rebirth(spb_session *session, spb_time now) {
    (void)now;
    /* Before the first NBIRTH, that one is the answer. During the births, another one follows: it is never dropped. */
    session->wants_birth |= spb_session__is_live(session);
}

/* ---- time ---- */

static void expire(spb_session *session, spb_time now) {
    if (now.mono_ms < session->timer_ms) {
        return;
    }
    switch (session->state) {
    case SPB_SESSION_WAITING: begin_attempt(session, NULL); break;
    case SPB_SESSION_CONNECTING: spb_session__fail(session, "no answer to CONNECT", now); break;
    case SPB_SESSION_SUBSCRIBING: spb_session__fail(session, "no answer to SUBSCRIBE", now); break;
    case SPB_SESSION_STOPPING: finish_stop(session, "the link was dropped at the deadline"); break;
    default: session->timer_ms = SPB_NEVER; break;
    }
}

static void finish_births(spb_session *session, spb_time now) {
    if (session->state != SPB_SESSION_BIRTHING || session->phase != SPB_PHASE_DBIRTHS ||
        spb_session__next_to_be_born(session)) {
        return;
    }
    session->phase = SPB_PHASE_BORN;
    if (!session->was_online) {
        session->was_online = true;
        session->online_since_ms = now.mono_ms;
    }
    spb_session__enter(session, SPB_SESSION_ONLINE, NULL);
    spb_session__log(session, SPB_LOG_INFO, "born: %s/%s, bdSeq %u, %zu metrics, %zu devices",
                     session->options.group_id, session->options.node_id, (unsigned)session->bdseq.number,
                     session->table.metric_count, session->table.device_count);
}

void spb_session__advance(spb_session *session, spb_time now) {
    expire(session, now);
    finish_births(session, now);
}

void spb_session_on_tick(spb_session *session, spb_time now) {
    spb_session__advance(session, now);
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

uint64_t spb_session_deadline_ms(const spb_session *session) {
    uint64_t at_ms = session->timer_ms;
    /* While the link is full, only the transport's answer helps. */
    if (session->state == SPB_SESSION_ONLINE && session->in_flight < session->options.max_in_flight) {
        const spb_device *window = session->queues[SPB_QUEUE_WINDOW].first;
        const spb_device *birth = session->queues[SPB_QUEUE_BIRTH].first;
        at_ms = earlier(at_ms, session->node_birth_due_ms);
        at_ms = window ? earlier(at_ms, window->window_end_ms) : at_ms;
        at_ms = birth ? earlier(at_ms, birth->birth_due_ms) : at_ms;
    }
    return at_ms;
}

/* ---- events ---- */

void spb_session_on_bdseq_saved(spb_session *session, spb_status status, const char *reason, spb_time now) {
    (void)now;
    if (session->waiting_saves > 0) {
        session->waiting_saves--;
    }
    if (status != SPB_OK) {
        spb_session__log(session, SPB_LOG_WARNING, "bdSeq %u could not be saved: %s", (unsigned)session->bdseq.number,
                         reason ? reason : spb_status_name(status));
    }
    if (session->state == SPB_SESSION_SAVING && !session->is_due && session->waiting_saves == 0) {
        session->is_due = true;
        spb_session__enter(session, SPB_SESSION_CONNECTING, NULL);
    }
}

/* "connection lost: broken pipe (SPB_ERR_CONNECT)" */
static void fail_with(spb_session *session, const char *what, spb_status status, const char *reason, spb_time now) {
    char text[256];
    snprintf(text, sizeof text, "%s: %s (%s)", what, reason ? reason : "no reason given", spb_status_name(status));
    spb_session__fail(session, text, now);
}

static void on_connected(spb_session *session) {
    if (session->state == SPB_SESSION_CONNECTING) {
        session->timer_ms = SPB_NEVER;
        session->is_due = true;
        spb_session__enter(session, SPB_SESSION_SUBSCRIBING, NULL);
        spb_session__log(session, SPB_LOG_INFO, "connected to %s as %s", session->options.server,
                         session->options.client_id);
    }
}

static void on_subscribed(spb_session *session, const spb_transport_event *event, spb_time now) {
    if (session->state != SPB_SESSION_SUBSCRIBING) {
        return;
    }
    if (event->status != SPB_OK) {
        fail_with(session, "subscription refused", event->status, event->reason, now);
        return;
    }
    session->timer_ms = SPB_NEVER;
    spb_session__enter(session, SPB_SESSION_BIRTHING, NULL);
}

static void on_lost(spb_session *session, const spb_transport_event *event, spb_time now) {
    if (session->state != SPB_SESSION_CONNECTING) {
        session->stats.connections_lost++;
    }
    fail_with(session, "connection lost", event->status, event->reason, now);
}

static void on_disconnected(spb_session *session, const spb_transport_event *event, spb_time now) {
    if (session->state != SPB_SESSION_STOPPING || session->is_due) {
        on_lost(session, event, now);
        return;
    }
    session->link = 0; /* it is closed already */
    finish_stop(session, NULL);
}

/* ---- commands ---- */

static void refuse(spb_session *session, const char *what, const char *why) {
    session->stats.commands_refused++;
    spb_session__log(session, SPB_LOG_WARNING, "command refused: %s: %s", what, why);
}

/* tck-id-operational-behavior-data-commands-ncmd-rebirth-value: true, and nothing else, is a request. */
static void look_for_rebirth(spb_session *session, const spb_payload *payload, spb_time now) {
    const spb_payload_metric *metric = spb_payload_find(payload, SPB_METRIC_REBIRTH);
    if (!metric) {
        return;
    }
    spb_value value = metric->value;
    if (spb_value_resolve(&value, SPB_BOOLEAN, NULL) != SPB_OK || value.is_null) {
        refuse(session, SPB_METRIC_REBIRTH, "not a Boolean");
    } else if (value.as.boolean) {
        session->stats.rebirth_requests++;
        spb_session_rebirth(session, now);
    }
}

static bool is_ours(const spb_session *session, const spb_topic *topic) {
    return (topic->kind == SPB_KIND_NCMD || topic->kind == SPB_KIND_DCMD) &&
           spb_str_equal(topic->group_id, spb_str_from(session->options.group_id)) &&
           spb_str_equal(topic->node_id, spb_str_from(session->options.node_id));
}

/* A request for a rebirth is never dropped, so it does not stand in the queue, which may be full. */
static void take_command(spb_session *session, const spb_topic *topic, spb_bytes wire, spb_time now) {
    spb_error err;
    spb_payload *payload;
    if (spb_command__decode(&payload, wire, &err) != SPB_OK) {
        refuse(session, spb_kind_name(topic->kind), err.text);
        return;
    }
    if (topic->kind == SPB_KIND_NCMD) {
        look_for_rebirth(session, payload, now);
    }
    if (spb_commands__add(&session->commands, payload, topic->device_id, &err) != SPB_OK) {
        refuse(session, spb_kind_name(topic->kind), err.text);
        spb_payload_free(payload);
    }
}

static void on_message(spb_session *session, const spb_transport_event *event, spb_time now) {
    spb_topic topic;
    bool is_up = session->state == SPB_SESSION_SUBSCRIBING || session->state == SPB_SESSION_BIRTHING ||
                 session->state == SPB_SESSION_ONLINE;
    if (!is_up || spb_topic_parse(&topic, event->topic, NULL) != SPB_OK || !is_ours(session, &topic)) {
        return;
    }
    if (event->retained) {
        refuse(session, spb_kind_name(topic.kind), "it was retained by the server, so it may be old");
    } else {
        take_command(session, &topic, event->payload, now);
    }
}

void spb_session_on_transport(spb_session *session, const spb_transport_event *event, spb_time now) {
    if (event->link == 0 || event->link != session->link) {
        return;
    }
    switch (event->kind) {
    case SPB_TRANSPORT_CONNECTED: on_connected(session); break;
    case SPB_TRANSPORT_CONNECT_FAILED: fail_with(session, "cannot connect", event->status, event->reason, now); break;
    case SPB_TRANSPORT_LOST: on_lost(session, event, now); break;
    case SPB_TRANSPORT_DISCONNECTED: on_disconnected(session, event, now); break;
    case SPB_TRANSPORT_SUBSCRIBED: on_subscribed(session, event, now); break;
    case SPB_TRANSPORT_PUBLISHED:
        session->in_flight -= event->count < session->in_flight ? event->count : session->in_flight;
        break;
    case SPB_TRANSPORT_MESSAGE: on_message(session, event, now); break;
    }
}

void spb_session_on_action_failed(spb_session *session, uint32_t link, spb_status status, const char *reason,
                                  spb_time now) {
    if (link != 0 && link == session->link) {
        fail_with(session, "the transport refused an action", status, reason, now);
    }
}

void spb_session_on_write_done(spb_session *session, spb_metric *metric, spb_status status, const spb_value *value,
                               spb_time now) {
    if (status == SPB_OK) {
        status = value ? spb_session_update(session, metric, value, SPB_NOW, now) : SPB_ERR_ARGUMENT;
    }
    if (status == SPB_OK) {
        session->stats.commands_accepted++;
    } else {
        char what[128];
        bool is_node = spb_device__is_node(metric->holder);
        snprintf(what, sizeof what, "%s%s%s", metric->holder->id, is_node ? "" : "/", metric->name);
        refuse(session, what, spb_status_name(status));
    }
}
