/* Decides the order of actions: a link to be closed, news for the application, commands, the store, then the network.
 */
#include <stdio.h>

#include "base/escape.h"
#include "core/convert.h"
#include "core/handle.h"
#include "core/session.h"

/* ---- news ---- */

static bool next_close(spb_session *session, spb_action *out) {
    if (session->close_link == 0 || !out) {
        return session->close_link != 0;
    }
    *out = (spb_action){.kind = SPB_ACTION_CLOSE, .link = session->close_link};
    session->close_link = 0;
    return true;
}

bool spb_session__next_news(spb_session *session, spb_action *out) {
    spb_notice *notice = &session->notice;
    if (!out && session->notices.count > 0) {
        return true;
    }
    if (!out || !spb_notices__pull(&session->notices, notice)) {
        return spb_oversize__next(session, out);
    }
    if (notice->is_state) {
        *out = (spb_action){.kind = SPB_ACTION_STATE};
        out->as.state.state = notice->state;
        out->as.state.reason = notice->text[0] ? notice->text : NULL;
    } else {
        *out = (spb_action){.kind = SPB_ACTION_LOG};
        out->as.log.level = notice->level;
        out->as.log.text = notice->text;
    }
    return true;
}

/* ---- commands ---- */

/* A write that was held up on the way may do harm when it comes at last. */
static spb_status check_age(const spb_metric *metric, const spb_payload_metric *sent, const spb_payload *payload,
                            spb_time now, spb_error *err) {
    uint64_t sent_ms = sent->has_timestamp ? sent->timestamp_ms : payload->timestamp_ms;
    uint64_t max_ms = metric->extra->max_command_age_ms;
    if (max_ms == 0) {
        return SPB_OK;
    }
    if (!sent->has_timestamp && !payload->has_timestamp) {
        return spb_error__set(err, SPB_ERR_TIMEOUT, "the command has no timestamp, so it may be old");
    }
    if (now.wall_ms < SPB_EARLIEST_MS) {
        return spb_error__set(err, SPB_ERR_TIMEOUT, "the clock of this machine is not set, so the command may be old");
    }
    bool is_ahead = sent_ms > now.wall_ms; /* or else it could be held up for that much longer */
    uint64_t apart_ms = is_ahead ? sent_ms - now.wall_ms : now.wall_ms - sent_ms;
    if (apart_ms > max_ms) {
        return spb_error__set(err, SPB_ERR_TIMEOUT, "the command is %llu ms %s, more than %llu",
                              (unsigned long long)apart_ms, is_ahead ? "ahead of the clock of this machine" : "old",
                              (unsigned long long)max_ms);
    }
    return SPB_OK;
}

/* Whether the command is to be carried out, and with which value; else the reason. */
static spb_status judge(const spb_session *session, const spb_device *holder, const spb_payload_metric *sent,
                        const spb_payload *payload, spb_time now, spb_metric **metric, spb_value *value,
                        spb_error *err) {
    *metric = NULL;
    if (!holder) {
        return spb_error__set(err, SPB_ERR_NOT_FOUND, "there is no such device");
    }
    *metric = spb_table__find(&session->table, holder, sent->name, sent->alias);
    if (!*metric) {
        return spb_error__set(err, SPB_ERR_NOT_FOUND, "there is no such metric");
    }
    if (sent->is_historical) {
        return spb_error__set(err, SPB_ERR_REFUSED, SPB_IS_HISTORICAL);
    }
    if (!holder->is_online) {
        return spb_error__set(err, SPB_ERR_REFUSED, "the device is offline");
    }
    if (!(*metric)->extra || !(*metric)->extra->on_write) {
        return spb_error__set(err, SPB_ERR_REFUSED, "the metric is not writable");
    }
    spb_status status = check_age(*metric, sent, payload, now, err);
    return status == SPB_OK ? spb_convert__command(value, *metric, &sent->value, err) : status;
}

/* Names and IDs from the network are cut in a log line. */
#define MAX_SHOWN 96

static void log_refusal(spb_session *session, spb_str device_id, spb_str name, uint64_t alias, spb_time now) {
    char device[MAX_SHOWN], what[MAX_SHOWN];
    spb_escape__text(device, sizeof device, device_id);
    if (name.data) {
        spb_escape__text(what, sizeof what, name);
    } else {
        snprintf(what, sizeof what, "alias %llu", (unsigned long long)alias);
    }
    spb_notices__log_some(&session->notices, SPB_FLOOD_REFUSED, now.mono_ms, "command refused: %s%s%s: %s", device,
                          device_id.data ? "/" : "", what, session->command_error.text);
}

static void refuse(spb_session *session, spb_str device_id, const spb_metric *metric, const spb_payload_metric *sent,
                   spb_time now, spb_action *out) {
    session->command_metric = *sent;
    if (metric) {
        spb_value_resolve(&session->command_metric.value, (spb_type)metric->type, NULL);
    }
    session->stats.commands_refused++;
    log_refusal(session, device_id, metric ? spb_metric__name_view(metric) : sent->name, sent->alias, now);
    *out = (spb_action){.kind = SPB_ACTION_COMMAND};
    out->as.command = (spb_command){.device_id = device_id,
                                    .metric = &session->command_metric,
                                    .status = session->command_error.status,
                                    .reason = session->command_error.text};
}

/* So many commands are handed out in a row; then whatever else there is to do goes first. */
#define COMMANDS_IN_A_ROW 16

/* The next metric of a command; those that the session itself is meant by were answered when they came. */
static const spb_payload_metric *next_sent(spb_session *session, const spb_command_entry **command) {
    const spb_payload_metric *sent;
    do {
        sent = spb_commands__next(&session->commands, command);
    } while (sent && !(*command)->device_id.data && spb_session__is_control(session, sent->name));
    return sent;
}

/* A node that was stopped does nothing for hosts. */
static void drop_commands(spb_session *session, spb_time now) {
    const spb_command_entry *command;
    uint64_t dropped = 0;
    while (next_sent(session, &command)) {
        dropped++;
    }
    session->stats.commands_refused += dropped;
    if (dropped > 0) {
        spb_notices__log_some(&session->notices, SPB_FLOOD_REFUSED, now.mono_ms,
                              "commands refused: %llu that waited when the node was stopped",
                              (unsigned long long)dropped);
    }
}

static bool next_command(spb_session *session, spb_time now, spb_action *out) {
    const spb_command_entry *command;
    const spb_payload_metric *sent = next_sent(session, &command);
    if (!sent) {
        return false;
    }
    spb_str device_id = command->device_id;
    const spb_device *holder =
        device_id.data ? spb_table__find_device(&session->table, device_id) : session->table.node;
    spb_metric *metric;
    spb_value value;
    session->commands_in_a_row++;
    if (judge(session, holder, sent, command->payload, now, &metric, &value, &session->command_error) == SPB_OK) {
        *out = (spb_action){.kind = SPB_ACTION_WRITE};
        session->waiting_writes++;
        out->as.write.metric = metric;
        out->as.write.value = value;
    } else {
        refuse(session, device_id, metric, sent, now, out);
    }
    return true;
}

/* ---- the network ---- */

static bool save_bdseq(spb_session *session, spb_action *out) {
    spb_session__save_bdseq(session, out);
    session->is_due = false;
    return true;
}

/* The will is an NDEATH: tck-id-message-flow-edge-node-birth-publish-will-message. */
static bool connect(spb_session *session, spb_time now, spb_action *out) {
    spb_status status = spb_session__make_death(session, now);
    if (status != SPB_OK) {
        spb_session__fail(session, "out of memory for the will", now);
        return false;
    }
    if (++session->last_link == 0) {
        session->last_link = 1;
    }
    session->link = session->last_link;
    session->is_due = false;
    session->timer_ms = now.mono_ms + session->options.connect_timeout_ms + SPB_ANSWER_GRACE_MS;
    session->stats.connects++;
    session->stats.bdseq = session->bdseq.number;
    spb_bdseq__use(&session->bdseq);
    *out = (spb_action){.kind = SPB_ACTION_CONNECT, .link = session->link};
    out->as.connect = (spb_transport_connect){.link = session->link,
                                              .server = spb_servers__current(&session->servers)->uri,
                                              .client_id = session->options.client_id,
                                              .keep_alive_s = spb_session__keep_alive_s(session),
                                              .timeout_ms = session->options.connect_timeout_ms,
                                              .will = {.topic = (const char *)session->topic.data,
                                                       .payload = {session->payload.data, session->payload.len},
                                                       .qos = 1}};
    return true;
}

static bool subscribe(spb_session *session, spb_time now, spb_action *out) {
    session->is_due = false;
    session->asked_ms = now.mono_ms;
    session->timer_ms = now.mono_ms + session->options.connect_timeout_ms + SPB_ANSWER_GRACE_MS;
    *out = (spb_action){.kind = SPB_ACTION_SUBSCRIBE, .link = session->link};
    out->as.subscribe.items = session->subscriptions;
    out->as.subscribe.count = session->subscription_count;
    return true;
}

static bool disconnect(spb_session *session, spb_time now, spb_action *out) {
    session->is_due = false;
    *out = (spb_action){.kind = SPB_ACTION_DISCONNECT, .link = session->link};
    out->as.timeout_ms = (uint32_t)(session->timer_ms - now.mono_ms);
    return true;
}

static bool next_fence(spb_session *session, bool is_last, bool is_followed, spb_time now, spb_action *out) {
    if (!spb_outbox__next_fence(&session->outbox, is_last, is_followed, now, session->link, out)) {
        return false;
    }
    if (out) {
        out->as.fence.item = session->fences[out->as.fence.form];
    }
    return true;
}

/* One that will be due soon goes ahead of a message that leaves anyway: the two share a packet. */
static bool next_riding_fence(spb_session *session, spb_time now, spb_action *out) {
    uint64_t ignored_ms = SPB_NEVER;
    return spb_fences__may_ride(&session->outbox.fences, now.mono_ms) &&
           spb_session__next_publish(session, now, NULL, &ignored_ms) && next_fence(session, false, true, now, out);
}

/* Fences that are due go ahead of messages, those that are wanted behind them. */
static bool next_exchange(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    spb_session_state state = session->state;
    if (spb_outbox__next_look(&session->outbox, now, session->link, out) || next_riding_fence(session, now, out) ||
        next_fence(session, false, false, now, out) || spb_session__next_publish(session, now, out, due_ms) ||
        (session->state == state && next_fence(session, true, false, now, out))) {
        return true;
    }
    spb_due__by(due_ms, spb_fences__due_ms(&session->outbox.fences));
    spb_due__by(due_ms, spb_fences__look_ms(&session->outbox.fences));
    return false;
}

static bool next_network(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    switch (session->state) {
    case SPB_SESSION_STOPPED:
    case SPB_SESSION_WAITING: return false;
    case SPB_SESSION_SAVING: return session->is_due && (!out || save_bdseq(session, out));
    case SPB_SESSION_CONNECTING: return session->is_due && (!out || connect(session, now, out));
    case SPB_SESSION_SUBSCRIBING: return session->is_due && (!out || subscribe(session, now, out));
    case SPB_SESSION_WAIT_HOST:
    case SPB_SESSION_BIRTHING:
    case SPB_SESSION_ONLINE: return next_exchange(session, now, out, due_ms);
    case SPB_SESSION_STOPPING:
        return (session->is_death_due && next_exchange(session, now, out, due_ms)) ||
               (session->is_due && !session->is_death_due && (!out || disconnect(session, now, out)));
    }
    return false;
}

static bool next_of_store(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    bool is_running = spb_session__is_running(session);
    return spb_session__next_identity(session, now, out, due_ms) ||
           spb_outbox__next_store(&session->outbox, session->table.unsaved.count == 0, is_running, now, out, due_ms);
}

/* So many calls of the store are made in a row; then the network has a turn. Else a node whose samples keep the journal
 * busy all the time would never connect. */
#define STORE_CALLS_IN_A_ROW 16

/* One round: the next action, or when to ask again; see outbox.h. The state may have changed: then another round. */
static bool next(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    bool is_turn = out && session->commands_in_a_row < COMMANDS_IN_A_ROW; /* all that there are were pulled */
    if (next_close(session, out) || spb_session__next_news(session, out) ||
        (is_turn && next_command(session, now, out))) {
        return true;
    }
    if (session->store_calls_in_a_row < STORE_CALLS_IN_A_ROW && next_of_store(session, now, out, due_ms)) {
        session->store_calls_in_a_row += out != NULL;
        return true;
    }
    spb_session_state state = session->state;
    bool is_for_network = next_network(session, now, out, due_ms);
    session->store_calls_in_a_row = out ? 0 : session->store_calls_in_a_row;
    if (is_for_network) {
        return true;
    }
    /* What was too large for the server makes way for others, which may be for the store. */
    return session->state == state &&
           (next_of_store(session, now, out, due_ms) || spb_outbox__next_read(&session->outbox, now, out, due_ms));
}

bool spb_session_next_action(spb_session *session, spb_time now, spb_action *out) {
    spb_session_state state;
    uint64_t due_ms, dropped;
    spb_outbox__unpin(&session->outbox);
    do {
        dropped = session->stats.samples_dropped_overflow;
        spb_session_on_tick(session, now);
        if (session->state == SPB_SESSION_STOPPED) {
            drop_commands(session, now);
        }
        state = session->state;
        if (next(session, now, out, &due_ms)) {
            return true;
        }
        if (session->state == SPB_SESSION_STOPPED) { /* it has no deadline any more */
            spb_notices__tell_left_out(&session->notices, SPB_NEVER);
        }
        /* Again, if a message could not be made, or there was none to be made: then there is news, or the connection is
         * to be closed, or the journal has something to forget, or what was too large has made way. */
    } while (session->state != state || session->notices.count > 0 || spb_session__tick_ms(session) <= now.mono_ms ||
             session->stats.samples_dropped_overflow != dropped);
    session->commands_in_a_row = 0;
    return next_command(session, now, out);
}

uint64_t spb_session_deadline_ms(const spb_session *session) {
    const spb_time before = {0};
    uint64_t due_ms = spb_session__tick_ms(session);
    bool is_now = next((spb_session *)session, before, NULL, &due_ms); /* which changes nothing */
    return is_now ? 0 : due_ms;
}
