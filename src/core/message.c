/* Decides what a message of a host means: a STATE, a request for births, a command to be carried out later. */
#include <stdio.h>

#include "core/certificate.h"
#include "core/session.h"

/* ---- commands ---- */

static void refuse(spb_session *session, const char *what, const char *why, spb_time now) {
    session->stats.commands_refused++;
    spb_notices__log_some(&session->notices, SPB_FLOOD_REFUSED, now.mono_ms, "command refused: %s: %s", what, why);
}

bool spb_session__is_control(const spb_session *session, spb_str name) {
    return spb_str_equal(name, spb_str_from(SPB_METRIC_REBIRTH)) ||
           (session->options.next_server_metric && spb_str_equal(name, spb_str_from(SPB_METRIC_NEXT_SERVER)));
}

/* tck-id-operational-behavior-data-commands-ncmd-rebirth-value: true, and nothing else, is a request. */
static bool is_request(spb_session *session, const spb_payload *payload, const char *name, spb_time now) {
    const spb_payload_metric *metric = spb_payload_find(payload, name);
    if (!metric) {
        return false;
    }
    spb_value value = metric->value;
    if (spb_value_resolve(&value, SPB_BOOLEAN, NULL) != SPB_OK || value.is_null) {
        refuse(session, name, "not a Boolean", now);
        return false;
    }
    if (metric->is_historical) {
        refuse(session, name, SPB_IS_HISTORICAL, now);
        return false;
    }
    return value.as.boolean;
}

static void look_for_requests(spb_session *session, const spb_payload *payload, spb_time now) {
    if (is_request(session, payload, SPB_METRIC_REBIRTH, now)) {
        session->stats.rebirth_requests++;
        spb_outbox__resend(&session->outbox, now);
        spb_session_rebirth(session, now);
    }
    if (session->options.next_server_metric && is_request(session, payload, SPB_METRIC_NEXT_SERVER, now)) {
        spb_session__leave(session, "a host asked for the next server", now);
    }
}

static spb_status check_size(const spb_session *session, const spb_payload *payload, spb_error *err) {
    size_t most = session->options.max_command_metrics;
    if (payload->metric_count > most) {
        return spb_error__set(err, SPB_ERR_LIMIT, "%zu metrics, more than max_command_metrics, %zu",
                              payload->metric_count, most);
    }
    return SPB_OK;
}

/* What the session itself is asked for is never dropped, so it does not stand in the queue, which may be full. */
static void take_command(spb_session *session, const spb_topic *topic, spb_bytes wire, spb_time now) {
    spb_error err;
    spb_payload *payload;
    if (spb_command__decode(&payload, wire, &err) != SPB_OK) {
        refuse(session, spb_kind_name(topic->kind), err.text, now);
        return;
    }
    if (topic->kind == SPB_KIND_NCMD) {
        look_for_requests(session, payload, now);
    }
    spb_status status = check_size(session, payload, &err);
    if (status == SPB_OK) {
        status = spb_commands__add(&session->commands, payload, topic->device_id, wire.len, &err);
    }
    if (status != SPB_OK) {
        refuse(session, spb_kind_name(topic->kind), err.text, now);
        spb_payload_free(payload);
    }
}

static bool is_ours(const spb_session *session, const spb_topic *topic) {
    return (topic->kind == SPB_KIND_NCMD || topic->kind == SPB_KIND_DCMD) &&
           spb_str_equal(topic->group_id, spb_str_from(session->options.group_id)) &&
           spb_str_equal(topic->node_id, spb_str_from(session->options.node_id));
}

/* ---- the primary host ---- */

/* tck-id-message-flow-edge-node-birth-publish-phid-offline; tck-id-operational-behavior-edge-node-termination-host-
 * offline-reconnect: a node that was born goes to the next server, also if that is the same one. */
static void on_host_offline(spb_session *session, spb_time now) {
    bool is_born = session->state == SPB_SESSION_BIRTHING || session->state == SPB_SESSION_ONLINE;
    if (is_born) { /* what it has not seen is replayed when it is back */
        session->outbox.has_host_gap = true;
    }
    spb_outbox__host_was_away(&session->outbox, now);
    if (is_born || (session->state == SPB_SESSION_WAIT_HOST && session->servers.count > 1)) {
        spb_session__leave(session, SPB_HOST_IS_OFFLINE, now);
    }
}

/* One of the clocks is wrong, or somebody else speaks for the host. */
static void warn_of_clock(spb_session *session, const spb_server *server, spb_time now) {
    if (now.wall_ms >= SPB_EARLIEST_MS && !session->host.is_legacy &&
        spb_host__is_ahead(server->state_ms, now.wall_ms)) {
        spb_notices__log_some(&session->notices, SPB_FLOOD_REFUSED, now.mono_ms,
                              "STATE of %llu is more than %d s ahead of the clock of this machine",
                              (unsigned long long)server->state_ms, SPB_CLOCK_ALLOWANCE_MS / 1000);
    }
}

/* True when the message was a STATE of the primary host. One that the server had retained counts: it is meant to be. */
static bool take_state(spb_session *session, const spb_transport_event *event, spb_time now) {
    spb_error err;
    spb_server *server = spb_servers__current(&session->servers);
    spb_server before = *server;
    spb_host_news news = spb_host__judge(&session->host, server, event->topic, event->payload, now.wall_ms, &err);
    if (news == SPB_HOST_ONLINE || news == SPB_HOST_OFFLINE) {
        warn_of_clock(session, server, now);
    }
    switch (news) {
    case SPB_HOST_NONE: return false;
    case SPB_HOST_IGNORED:
        spb_notices__log_some(&session->notices, SPB_FLOOD_REFUSED, now.mono_ms, "STATE ignored: %s", err.text);
        break;
    case SPB_HOST_OFFLINE: on_host_offline(session, now); break;
    case SPB_HOST_ONLINE:
        if (before.has_state && server->state_ms != before.state_ms) { /* it was away, and nobody said so */
            spb_outbox__host_was_away(&session->outbox, now);
        }
        spb_outbox__host_is_there(&session->outbox, session->host.is_legacy ? 0 : server->state_ms, now);
        if (session->state == SPB_SESSION_WAIT_HOST) {
            session->timer_ms = SPB_NEVER;
            spb_session__enter(session, SPB_SESSION_BIRTHING, "the primary host is online");
        }
        break;
    }
    return true;
}

/* ---- messages ---- */

void spb_session__on_message(spb_session *session, const spb_transport_event *event, spb_time now) {
    spb_topic topic;
    bool is_up = session->state == SPB_SESSION_SUBSCRIBING || session->state == SPB_SESSION_WAIT_HOST ||
                 session->state == SPB_SESSION_BIRTHING || session->state == SPB_SESSION_ONLINE;
    if (!is_up || take_state(session, event, now)) {
        return;
    }
    if (spb_topic_parse(&topic, event->topic, NULL) != SPB_OK || !is_ours(session, &topic)) {
        return;
    }
    if (event->retained) {
        refuse(session, spb_kind_name(topic.kind), "it was retained by the server, so it may be old", now);
    } else {
        take_command(session, &topic, event->payload, now);
    }
}

void spb_session_on_write_done(spb_session *session, spb_metric *metric, spb_status status, const spb_value *value,
                               spb_time now) {
    session->waiting_writes -= session->waiting_writes > 0;
    if (status == SPB_OK && metric->is_removed) {
        status = SPB_ERR_NOT_FOUND;
    }
    if (status == SPB_OK) {
        /* Also an unchanged value is an answer. */
        spb_sample answer = {.metric = metric, .value = value ? *value : metric->value, .flags = SPB_SAMPLE_FORCED};
        status = value ? spb_session_sample(session, &answer, now) : SPB_ERR_ARGUMENT;
    }
    if (status == SPB_OK) {
        session->stats.commands_accepted++;
    } else {
        char what[128];
        bool is_node = spb_device__is_node(metric->holder);
        snprintf(what, sizeof what, "%s%s%s", metric->holder->id, is_node ? "" : "/", metric->name);
        refuse(session, what, spb_status_name(status), now);
    }
    spb_session__bury(session);
}
