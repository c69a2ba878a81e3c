/* Decides what each event of the transport and the store leads to. */
#include <stdio.h>

#include "core/handle.h"
#include "core/session.h"

/* ---- answers ---- */

void spb_session_on_bdseq_saved(spb_session *session, spb_status status, const char *reason, spb_time now) {
    session->waiting_saves -= session->waiting_saves > 0;
    bool is_news = session->bdseq_retry_ms == SPB_NEVER || session->state == SPB_SESSION_SAVING;
    session->bdseq_retry_ms = status == SPB_OK ? SPB_NEVER : now.mono_ms + SPB_BDSEQ_RETRY_MS;
    if (status != SPB_OK && is_news) {
        spb_notices__log(&session->notices, SPB_LOG_WARNING, "bdSeq %u could not be saved: %s",
                         (unsigned)session->bdseq.number, reason ? reason : spb_status_name(status));
    }
    if (session->state == SPB_SESSION_SAVING && !session->is_due && session->waiting_saves == 0) {
        session->is_due = true;
        spb_session__enter(session, SPB_SESSION_CONNECTING, NULL);
    }
}

/* "connection lost: broken pipe (SPB_ERR_CONNECT)" */
static void fail_with(spb_session *session, const char *what, spb_status status, const char *reason, spb_time now) {
    char text[512];
    snprintf(text, sizeof text, "%s: %s (%s)", what, reason ? reason : "no reason given", spb_status_name(status));
    spb_session__fail(session, text, now);
}

void spb_session__log(spb_session *session, spb_log_level level, const char *text) {
    spb_notices__log(&session->notices, level, "%s", text);
}

static void begin_fences(spb_session *session, uint32_t keep_alive_s) {
    const spb_server *server = spb_servers__current(&session->servers);
    spb_fences *fences = &session->outbox.fences;
    spb_fences__begin(fences, (uint64_t)keep_alive_s * 1000, session->outbox.journal.is_used,
                      !session->outbox.journal.is_used || session->options.confirm == SPB_CONFIRM_FENCE);
    fences->ping_ms = (uint64_t)spb_session__keep_alive_s(session) * 1000;
    fences->birth_ms = fences->ping_ms - (uint64_t)session->options.keep_alive_s * 1000;
    fences->within_ms = session->options.fence_within_ms;
    fences->may_do_without = session->options.confirm == SPB_CONFIRM_WINDOW;
    if (server->has_fenced) {
        spb_fences__expect(fences, server->fence);
    }
}

static void on_fenced(spb_session *session, spb_fence_form form, spb_time now) {
    spb_server *server = spb_servers__current(&session->servers);
    spb_outbox__fenced(&session->outbox, form, now);
    if (session->outbox.fences.is_answered) {
        server->has_fenced = true;
        server->fence = session->outbox.fences.form;
        spb_session__see_answer(session, now);
    }
    spb_session__see_birth_arrive(session, now);
}

static void on_connected(spb_session *session, const spb_transport_event *event) {
    if (session->state == SPB_SESSION_CONNECTING) {
        size_t asked = session->options.max_message_bytes;
        begin_fences(session, event->keep_alive_s ? event->keep_alive_s : session->options.keep_alive_s);
        session->max_packet_bytes = event->max_packet_bytes;
        session->is_limit_own = asked > 0 && (event->max_packet_bytes == 0 || asked < event->max_packet_bytes);
        if (session->is_limit_own) {
            session->max_packet_bytes = asked < UINT32_MAX ? (uint32_t)asked : UINT32_MAX;
        }
        session->timer_ms = SPB_NEVER;
        session->is_due = true;
        spb_session__enter(session, SPB_SESSION_SUBSCRIBING, NULL);
        spb_notices__log(&session->notices, SPB_LOG_INFO, "connected to %s as %s",
                         spb_servers__current(&session->servers)->uri, session->options.client_id);
    }
}

/* tck-id-operational-behavior-edge-node-birth-sequence-wait. With another server to go to, it does not wait for a host
 * that is offline here (tck-id-operational-behavior-primary-application-state-with-multiple-servers-walk). */
static void wait_for_host(spb_session *session, spb_time now) {
    bool has_others = session->servers.count > 1;
    spb_session__enter(session, SPB_SESSION_WAIT_HOST, NULL);
    spb_notices__log(&session->notices, SPB_LOG_INFO, "waiting for the primary host: %s", session->host.topic);
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
    spb_fences__start(&session->outbox.fences, now.mono_ms);
    spb_window__begin(&session->outbox.fences.window, session->options.max_unconfirmed_bytes,
                      now.mono_ms - session->asked_ms);
    /* Did the births vanish because they are large, or does this server answer no fence? */
    const spb_server *server = spb_servers__current(&session->servers);
    session->outbox.fences.wants_first = server->omens.large > 0 && !server->has_fenced;
    session->timer_ms = SPB_NEVER;
    if (spb_session__may_be_born(session)) {
        spb_session__enter(session, SPB_SESSION_BIRTHING, NULL);
    } else {
        wait_for_host(session, now);
    }
}

static void on_lost(spb_session *session, const spb_transport_event *event, spb_time now) {
    char what[256] = "connection lost";
    if (session->state != SPB_SESSION_CONNECTING) {
        session->stats.connections_lost++;
        spb_session__explain_loss(session, what, sizeof what, now);
    }
    fail_with(session, what, event->status, event->reason, now);
}

static void on_connect_failed(spb_session *session, const spb_transport_event *event, spb_time now) {
    if (event->is_unsent && session->state == SPB_SESSION_CONNECTING) {
        spb_bdseq__spare(&session->bdseq);
    }
    fail_with(session, "cannot connect", event->status, event->reason, now);
}

static void on_disconnected(spb_session *session, const spb_transport_event *event, spb_time now) {
    if (session->state != SPB_SESSION_STOPPING || session->is_due) {
        on_lost(session, event, now);
        return;
    }
    spb_session__part(session, now);
}

void spb_session_on_transport(spb_session *session, const spb_transport_event *event, spb_time now) {
    if (event->link == 0 || event->link != session->link) {
        return;
    }
    switch (event->kind) {
    case SPB_TRANSPORT_CONNECTED: on_connected(session, event); break;
    case SPB_TRANSPORT_CONNECT_FAILED: on_connect_failed(session, event, now); break;
    case SPB_TRANSPORT_LOST: on_lost(session, event, now); break;
    case SPB_TRANSPORT_DISCONNECTED: on_disconnected(session, event, now); break;
    case SPB_TRANSPORT_SUBSCRIBED: on_subscribed(session, event, now); break;
    case SPB_TRANSPORT_PUBLISHED: spb_outbox__written(&session->outbox, event->count, now); break;
    case SPB_TRANSPORT_FENCED: on_fenced(session, event->fence, now); break;
    case SPB_TRANSPORT_MESSAGE:
        spb_fences__heard(&session->outbox.fences, now.mono_ms);
        spb_session__on_message(session, event, now);
        break;
    case SPB_TRANSPORT_WARNING: spb_notices__log(&session->notices, SPB_LOG_WARNING, "%s", event->reason); break;
    }
}

void spb_session_on_carried(spb_session *session, uint32_t link, uint64_t bytes, uint64_t left, spb_time now) {
    if (link != 0 && link == session->link) {
        spb_fences__carried(&session->outbox.fences, bytes, left, now.mono_ms);
    }
}

void spb_session_on_action_failed(spb_session *session, uint32_t link, spb_status status, const char *reason,
                                  spb_time now) {
    if (link != 0 && link == session->link) {
        if (session->state == SPB_SESSION_CONNECTING) {
            spb_bdseq__spare(&session->bdseq);
        }
        fail_with(session, "the transport refused an action", status, reason, now);
    }
}

/* One by one where each may end a wait; else a part of what may be under way, as each look costs more than a report. */
uint32_t spb_session__reports_wanted(const spb_session *session) {
    uint32_t most = session->options.max_in_flight;
    bool is_stream = session->state == SPB_SESSION_ONLINE || session->state == SPB_SESSION_BIRTHING;
    uint32_t wanted = spb_fences__in_flight(&session->outbox.fences) < most ? most : most / 4;
    return is_stream && wanted > 0 ? wanted : 1;
}

/* ---- answers of the store ---- */

void spb_session_on_appended(spb_session *session, uint64_t id, spb_status status, const char *reason, spb_time now) {
    spb_outbox__appended(&session->outbox, id, status, reason, spb_session__is_running(session), now);
}

void spb_session_on_committed(spb_session *session, spb_status status, const char *reason, const spb_store_info *info,
                              spb_time now) {
    spb_outbox__committed(&session->outbox, status, reason, info, now);
}

bool spb_session_on_block(spb_session *session, const spb_block *block, spb_time now) {
    const spb_device *holder =
        block->device_id.data ? spb_table__find_device(&session->table, block->device_id) : session->table.node;
    return spb_outbox__on_block(&session->outbox, holder ? holder->entity : NULL, block, now);
}

void spb_session_on_read_done(spb_session *session, spb_status status, const char *reason, spb_time now) {
    spb_outbox__read_done(&session->outbox, status, reason, now);
}
