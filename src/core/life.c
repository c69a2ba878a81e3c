/* Decides how connections come and go: what each event leads to, and after which time. Which message is next is left to
 * publish.c. */
#include <stdio.h>

#include "core/handle.h"
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

void spb_session__forget_births(spb_session *session, bool keeps_samples) {
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        bool has_unknown = holder->flush_count > 0; /* samples that the next births will not know */
        if (!keeps_samples || has_unknown || !holder->is_online || session->journal.is_used) {
            spb_session__shelve(session, holder);
        }
        holder->has_dropped |= !spb_batch__is_empty(&holder->batch);
        spb_queue__remove(&session->queues[SPB_QUEUE_BIRTH], holder);
        spb_queue__remove(&session->queues[SPB_QUEUE_DEATH], holder);
        holder->is_born = false;
    }
    while (session->queues[SPB_QUEUE_DEATH].first) { /* only devices that were removed are left in it */
        spb_session__bury_device(session, session->queues[SPB_QUEUE_DEATH].first);
    }
    session->phase = SPB_PHASE_UNBORN;
    session->wants_birth = false;
    session->node_birth_due_ms = SPB_NEVER;
    session->next_born = NULL;
    session->is_death_due = false;
}

static void drop_link(spb_session *session, bool keeps_samples, spb_time now) {
    if (session->link != 0) {
        session->close_link = session->link;
    }
    spb_session__end_window(session, false, now); /* older than what waits */
    session->link = 0;
    session->was_online = false;
    session->is_due = false;
    session->is_leaving = false;
    session->timer_ms = SPB_NEVER;
    session->max_packet_bytes = 0;
    spb_fences__end(&session->fences);
    spb_host__forget(&session->host);
    if (session->phase != SPB_PHASE_UNBORN || !keeps_samples) {
        spb_session__forget_births(session, keeps_samples);
    }
}

/* The bdSeq is made durable before the CONNECT that carries it. */
static void begin_attempt(spb_session *session, const char *reason) {
    spb_bdseq__prepare(&session->bdseq);
    session->timer_ms = SPB_NEVER;
    session->is_due = true;
    spb_session__enter(session, SPB_SESSION_SAVING, reason);
}

/* What could not be sent goes to the journal, if that takes it. */
static void store_the_rest(spb_session *session, spb_time now) {
    while (session->queues[SPB_QUEUE_HOLD].first) {
        spb_session__close_held(session, session->queues[SPB_QUEUE_HOLD].first);
    }
    session->journal.retry_ms = now.mono_ms; /* one more try, if it fails */
    spb_journal__want_commit(&session->journal, now.mono_ms);
}

static void finish_stop(spb_session *session, const char *reason, spb_time now) {
    drop_link(session, false, now);
    spb_session__release_all(session, now); /* what came after the stop, and is held */
    store_the_rest(session, now);
    spb_session__enter(session, SPB_SESSION_STOPPED, reason);
    spb_session__log(session, reason ? SPB_LOG_WARNING : SPB_LOG_INFO, "stopped%s%s", reason ? ": " : "",
                     reason ? reason : "");
}

void spb_session__fail(spb_session *session, const char *reason, spb_time now) {
    char text[256]; /* the reason may lie in what is dropped here */
    snprintf(text, sizeof text, "%s", reason);
    if (session->state == SPB_SESSION_STOPPING && !session->is_leaving) {
        finish_stop(session, text, now);
        return;
    }
    /* Not at CONNACK: a server that takes a node in and throws it out again would be hammered. */
    if (session->was_online && now.mono_ms - session->online_since_ms >= SPB_STEADY_MS) {
        spb_backoff__reset(&session->backoff);
        spb_servers__begin_round(&session->servers);
    }
    drop_link(session, session->is_leaving || session->phase == SPB_PHASE_UNBORN, now);
    bool is_round_over = spb_servers__walk(&session->servers);
    uint32_t wait_ms = is_round_over ? spb_backoff__next_ms(&session->backoff) : 0;
    session->timer_ms = now.mono_ms + wait_ms;
    spb_session__enter(session, SPB_SESSION_WAITING, text);
    if (session->servers.count > 1) {
        spb_session__log(session, SPB_LOG_WARNING, "%s; next is %s in %u ms", text,
                         spb_servers__current(&session->servers)->uri, (unsigned)wait_ms);
    } else {
        spb_session__log(session, SPB_LOG_WARNING, "%s; next attempt in %u ms", text, (unsigned)wait_ms);
    }
}

static void say_goodbye(spb_session *session, uint64_t end_ms, const char *reason) {
    session->is_death_due = session->phase != SPB_PHASE_UNBORN;
    session->is_due = true;
    session->timer_ms = end_ms;
    spb_fences__stop_watch(&session->fences);
    while (session->level == SPB_DELIVERY_DURABLE && session->queues[SPB_QUEUE_WINDOW].first) {
        spb_session__close_batch(session, session->queues[SPB_QUEUE_WINDOW].first);
    }
    spb_session__enter(session, SPB_SESSION_STOPPING, reason);
}

/* The node is stopped, so the births that are not out will not follow: nor will what waits for them. */
static void shelve_unborn(spb_session *session) {
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        if (holder->sequence != session->sequence) {
            spb_session__shelve(session, holder);
        }
    }
}

void spb_session__leave(spb_session *session, const char *reason, spb_time now) {
    session->is_leaving = true;
    snprintf(session->leave_reason, sizeof session->leave_reason, "%s", reason);
    say_goodbye(session, now.mono_ms + SPB_LEAVE_MS, reason);
}

/* NDEATH and DISCONNECT are out, or had their time: `reason` is NULL or says so. */
static void finish_goodbye(spb_session *session, const char *reason, spb_time now) {
    if (session->is_leaving) {
        spb_session__fail(session, session->leave_reason, now);
    } else {
        finish_stop(session, reason, now);
    }
}

void spb_session_start(spb_session *session, spb_time now) {
    spb_session__see_clock(session, now);
    if (session->state == SPB_SESSION_STOPPED) {
        session->replay.grace_ms = now.mono_ms + SPB_GRACE_MS;
        spb_backoff__reset(&session->backoff);
        spb_servers__begin_round(&session->servers);
        begin_attempt(session, NULL);
    }
}

void spb_session_stop(spb_session *session, uint32_t timeout_ms, spb_time now) {
    uint64_t end_ms = now.mono_ms + timeout_ms;
    switch (session->state) {
    case SPB_SESSION_STOPPED: break;
    case SPB_SESSION_WAITING:
    case SPB_SESSION_SAVING:
    case SPB_SESSION_CONNECTING: finish_stop(session, NULL, now); break;
    case SPB_SESSION_SUBSCRIBING:
    case SPB_SESSION_WAIT_HOST:
    case SPB_SESSION_BIRTHING:
    case SPB_SESSION_ONLINE:
        spb_session__release_all(session, now);
        say_goodbye(session, end_ms, NULL);
        shelve_unborn(session);
        spb_session__advance(session, now);
        break;
    case SPB_SESSION_STOPPING:
        session->is_leaving = false; /* if it was on its way to the next server */
        shelve_unborn(session);
        session->timer_ms = end_ms < session->timer_ms ? end_ms : session->timer_ms;
        spb_session__advance(session, now);
        break;
    }
}

void spb_session_rebirth(spb_session *session, spb_time now) {
    /* Before the first NBIRTH, that one is the answer. Soon after a birth, all requests share the next one. */
    if (spb_session__is_live(session) && !session->wants_birth) {
        uint64_t allowed_ms = session->last_birth_ms + session->options.rebirth_window_ms;
        session->wants_birth = true;
        session->rebirth_due_ms = allowed_ms > now.mono_ms ? allowed_ms : now.mono_ms;
    }
}

/* ---- time ---- */

static void expire(spb_session *session, spb_time now) {
    if (spb_fences__lost_ms(&session->fences) <= now.mono_ms) {
        session->stats.connections_lost++;
        spb_session__fail(session, "connection lost: the server does not answer any more", now);
    }
    if (now.mono_ms < session->timer_ms) {
        return;
    }
    switch (session->state) {
    case SPB_SESSION_WAITING: begin_attempt(session, NULL); break;
    case SPB_SESSION_CONNECTING: spb_session__fail(session, "no answer to CONNECT", now); break;
    case SPB_SESSION_SUBSCRIBING: spb_session__fail(session, "no answer to SUBSCRIBE", now); break;
    case SPB_SESSION_WAIT_HOST: spb_session__leave(session, "nothing was heard of the primary host", now); break;
    case SPB_SESSION_STOPPING: finish_goodbye(session, "the link was dropped at the deadline", now); break;
    default: session->timer_ms = SPB_NEVER; break;
    }
}

static void finish_births(spb_session *session, spb_time now) {
    if (session->state != SPB_SESSION_BIRTHING || session->phase != SPB_PHASE_DBIRTHS ||
        spb_session__next_to_be_born(session, now)) {
        return;
    }
    session->phase = SPB_PHASE_BORN;
    if (!session->was_online) {
        session->was_online = true;
        session->online_since_ms = now.mono_ms;
    }
    spb_session__note_births(session);
    spb_session__enter(session, SPB_SESSION_ONLINE, NULL);
    spb_session__log(session, SPB_LOG_INFO, "born: %s/%s, bdSeq %u, %zu metrics, %zu devices",
                     session->options.group_id, session->options.node_id, (unsigned)session->bdseq.number,
                     session->table.metric_count, session->table.device_count);
}

/* The application had its time to add what the journal has samples of. */
static void end_grace(spb_session *session, spb_time now) {
    if (session->replay.grace_ms != 0 && session->replay.grace_ms <= now.mono_ms) {
        session->replay.grace_ms = 0;
        spb_session__retry_deferred(session);
    }
}

void spb_session__advance(spb_session *session, spb_time now) {
    spb_session__see_clock(session, now);
    if (session->state != SPB_SESSION_STOPPED) {
        spb_session__ring_timers(session, now);
    }
    expire(session, now);
    finish_births(session, now);
    if (session->journal.is_used) {
        end_grace(session, now);
        spb_session__confirm_by_time(session, now);
        spb_session__trim_replayed(session, now);
    }
}

void spb_session_on_tick(spb_session *session, spb_time now) {
    spb_session__advance(session, now);
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t link_due_ms(const spb_session *session) {
    const spb_fences *fences = &session->fences;
    if (session->state == SPB_SESSION_STOPPING && !session->is_death_due) {
        return SPB_NEVER;
    }
    uint64_t at_ms = spb_fences__is_wanted(fences) ? 0 : spb_fences__due_ms(fences);
    return earlier(at_ms, spb_fences__lost_ms(fences));
}

/* One by one where each may end a wait; else a part of what may be under way, as each look costs more than a report. */
uint32_t spb_session__reports_wanted(const spb_session *session) {
    uint32_t most = session->options.max_in_flight;
    bool is_stream = session->state == SPB_SESSION_ONLINE || session->state == SPB_SESSION_BIRTHING;
    uint32_t wanted = spb_fences__in_flight(&session->fences) < most ? most : most / 4;
    return is_stream && wanted > 0 ? wanted : 1;
}

uint64_t spb_session_deadline_ms(const spb_session *session) {
    bool is_running = session->state != SPB_SESSION_STOPPED;
    uint64_t at_ms = is_running ? earlier(session->timer_ms, spb_timers__next_ms(&session->timers)) : session->timer_ms;
    if (session->link != 0) {
        at_ms = earlier(at_ms, link_due_ms(session));
        at_ms = earlier(at_ms, spb_session__publish_due_ms(session));
    }
    if (session->options.has_journal) {
        at_ms = earlier(at_ms, spb_session__store_due_ms(session));
        at_ms = earlier(at_ms, spb_session__confirm_due_ms(session));
        at_ms = earlier(at_ms, spb_session__trim_due_ms(session));
        at_ms =
            session->state != SPB_SESSION_STOPPED && session->replay.deferred.count > 0 && session->replay.grace_ms > 0
                ? earlier(at_ms, session->replay.grace_ms)
                : at_ms;
    }
    return at_ms;
}

/* ---- events ---- */

void spb_session_on_bdseq_saved(spb_session *session, spb_status status, const char *reason, spb_time now) {
    if (session->waiting_saves > 0) {
        session->waiting_saves--;
    }
    bool is_news = session->bdseq_retry_ms == SPB_NEVER || session->state == SPB_SESSION_SAVING;
    session->bdseq_retry_ms = status == SPB_OK ? SPB_NEVER : now.mono_ms + SPB_BDSEQ_RETRY_MS;
    if (status != SPB_OK && is_news) {
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

static void on_connected(spb_session *session, const spb_transport_event *event) {
    if (session->state == SPB_SESSION_CONNECTING) {
        uint32_t keep_alive_s = event->keep_alive_s ? event->keep_alive_s : session->options.keep_alive_s;
        spb_fences__begin(&session->fences, (uint64_t)keep_alive_s * 1000, session->journal.is_used,
                          !session->journal.is_used || session->options.confirm == SPB_CONFIRM_FENCE);
        session->max_packet_bytes = event->max_packet_bytes;
        session->timer_ms = SPB_NEVER;
        session->is_due = true;
        spb_session__enter(session, SPB_SESSION_SUBSCRIBING, NULL);
        spb_session__log(session, SPB_LOG_INFO, "connected to %s as %s", spb_servers__current(&session->servers)->uri,
                         session->options.client_id);
    }
}

/* tck-id-operational-behavior-edge-node-birth-sequence-wait. With another server to go to, it does not wait for a host
 * that is offline here (tck-id-operational-behavior-primary-application-state-with-multiple-servers-walk). */
static void wait_for_host(spb_session *session, spb_time now) {
    bool has_others = session->servers.count > 1;
    spb_session__enter(session, SPB_SESSION_WAIT_HOST, NULL);
    spb_session__log(session, SPB_LOG_INFO, "waiting for the primary host: %s", session->host.topic);
    if (has_others && session->host.is_known) {
        spb_session__leave(session, SPB_HOST_IS_OFFLINE, now);
    } else if (has_others && session->options.host_wait_ms > 0) {
        session->timer_ms = now.mono_ms + session->options.host_wait_ms;
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
    spb_fences__start(&session->fences, now.mono_ms);
    session->timer_ms = SPB_NEVER;
    if (spb_session__may_be_born(session)) {
        spb_session__enter(session, SPB_SESSION_BIRTHING, NULL);
    } else {
        wait_for_host(session, now);
    }
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
    spb_session__end_window(session, true, now);
    session->link = 0; /* it is closed already */
    finish_goodbye(session, NULL, now);
}

void spb_session_on_transport(spb_session *session, const spb_transport_event *event, spb_time now) {
    if (event->link == 0 || event->link != session->link) {
        return;
    }
    switch (event->kind) {
    case SPB_TRANSPORT_CONNECTED: on_connected(session, event); break;
    case SPB_TRANSPORT_CONNECT_FAILED: fail_with(session, "cannot connect", event->status, event->reason, now); break;
    case SPB_TRANSPORT_LOST: on_lost(session, event, now); break;
    case SPB_TRANSPORT_DISCONNECTED: on_disconnected(session, event, now); break;
    case SPB_TRANSPORT_SUBSCRIBED: on_subscribed(session, event, now); break;
    case SPB_TRANSPORT_PUBLISHED: spb_session__on_written(session, event->count, now); break;
    case SPB_TRANSPORT_FENCED: spb_session__on_fenced(session, now); break;
    case SPB_TRANSPORT_MESSAGE: spb_session__on_message(session, event, now); break;
    case SPB_TRANSPORT_WARNING: spb_session__log(session, SPB_LOG_WARNING, "%s", event->reason); break;
    }
}

void spb_session_on_action_failed(spb_session *session, uint32_t link, spb_status status, const char *reason,
                                  spb_time now) {
    if (link != 0 && link == session->link) {
        fail_with(session, "the transport refused an action", status, reason, now);
    }
}
