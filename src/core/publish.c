/*
 * Decides which message is next: deaths, births, data, the replay. Births go ahead of samples that wait: a rebirth
 * request stops data at once (tck-id-operational-behavior-data-commands-rebirth-action-1). The samples follow the
 * births, so none is lost.
 */
#include <stdio.h>
#include <string.h>

#include "codec/encode.h"
#include "core/birth.h"
#include "core/session.h"

/* A message could not be made: that must not leave a gap, nor half a birth, so this connection is over. */
static bool give_up(spb_session *session, spb_kind kind, spb_status status, spb_time now) {
    char text[80];
    if (status == SPB_ERR_LIMIT) {
        snprintf(text, sizeof text, "%s is larger than %s", spb_kind_name(kind),
                 session->is_limit_own ? "max_message_bytes allows" : "the server takes");
    } else {
        snprintf(text, sizeof text, "%s could not be encoded (%s)", spb_kind_name(kind), spb_status_name(status));
    }
    spb_session__fail(session, text, now);
    return false;
}

static bool finish(spb_session *session, spb_kind kind, spb_status status, spb_time now) {
    return status == SPB_OK || give_up(session, kind, status, now);
}

static spb_kind data_kind(const spb_device *holder) {
    return spb_device__is_node(holder) ? SPB_KIND_NDATA : SPB_KIND_DDATA;
}

/* ---- live data ---- */

/* What one metric may need is more than the server takes, or the block was cut for one that takes more: it is left out.
 */
static bool send_block(spb_session *session, spb_outbox_block *block, spb_time now, spb_action *out) {
    spb_device *holder = block->entity->owner;
    spb_status status = spb_session__begin_message(session, data_kind(holder), holder);
    spb_bytes payload = status == SPB_OK ? spb_block__frame(block, now.wall_ms, session->seq) : (spb_bytes){NULL, 0};
    if (!payload.data) {
        return give_up(session, data_kind(holder), status == SPB_OK ? SPB_ERR_NO_MEMORY : status, now);
    }
    bool is_sent = spb_session__is_acceptable(session, payload, now);
    if (is_sent) {
        spb_outbox__sent(&session->outbox, block, spb_session__publish(session, payload, out), now);
        session->seq = spb_seq__next(session->seq);
    } else {
        spb_outbox__drop_too_large(&session->outbox, block, now);
    }
    if (!holder->entity->live.first && holder->has_dropped) {
        spb_session__catch_up(session, holder, now);
    }
    return is_sent;
}

/* The next block of the entity, or of any. Those that no message can take are left out on the way. */
static bool next_live(spb_session *session, const spb_entity *entity, spb_time now, spb_action *out) {
    spb_session_state state = session->state;
    spb_outbox_block *block;
    while (session->state == state && (block = spb_outbox__next_live(&session->outbox, entity))) {
        if (!out || send_block(session, block, now, out)) {
            return true;
        }
    }
    return false;
}

/* ---- the replay ---- */

/* With no samples there is nothing to send. */
static spb_status make_replay(spb_session *session, spb_replay_message *message, spb_time now) {
    spb_device *holder = message->entity->owner;
    message->hard_bytes = spb_session__most_metric_bytes(session, holder);
    message->most_bytes = spb_outbox__most_replay_bytes(&session->outbox);
    if (message->hard_bytes > 0 && message->hard_bytes < message->most_bytes) {
        message->most_bytes = message->hard_bytes;
    }
    spb_status status = spb_session__begin_message(session, data_kind(holder), holder);
    if (status == SPB_OK) {
        status = spb_encode__timestamp(&session->payload, now.wall_ms);
    }
    if (status == SPB_OK) {
        status = spb_outbox__fill(&session->outbox, message, &session->payload, now);
    }
    return status == SPB_OK ? spb_encode__seq(&session->payload, session->seq) : status;
}

static bool next_replay(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    spb_outbox *outbox = &session->outbox;
    for (spb_entity *entity; (entity = spb_outbox__next_replay(outbox, !out, now, due_ms));) {
        if (!out) {
            return true;
        }
        spb_replay_message message = {.entity = entity};
        spb_kind kind = data_kind(entity->owner);
        spb_status status = make_replay(session, &message, now);
        if (status == SPB_OK && message.samples > 0) {
            size_t bytes = strlen((const char *)session->topic.data) + session->payload.len;
            status = spb_outbox__replayed(outbox, &message, session->payload.len, bytes, now);
        }
        if (status == SPB_OK && message.samples > 0) {
            spb_session__publish(session, (spb_bytes){session->payload.data, session->payload.len}, out);
            session->seq = spb_seq__next(session->seq);
            return true;
        }
        if (status != SPB_OK) {
            return give_up(session, kind, status, now);
        }
    }
    return false;
}

/* ---- births and deaths ---- */

static bool send_node_birth(spb_session *session, spb_time now, spb_action *out) {
    return !out || finish(session, SPB_KIND_NBIRTH, spb_session__publish_node_birth(session, now, out), now);
}

static bool send_device_birth(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    return !out || finish(session, SPB_KIND_DBIRTH, spb_session__publish_device_birth(session, device, now, out), now);
}

static bool send_node_death(spb_session *session, spb_time now, spb_action *out) {
    return !out || finish(session, SPB_KIND_NDEATH, spb_session__publish_node_death(session, now, out), now);
}

/* The device's last samples, then its death. It may have come back meanwhile: then it is born again. Samples that wait
 * for history wait for that, too; those of a device that was removed would be lost. */
static bool next_death_of(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    bool is_shelved = !device->is_removed && spb_outbox__awaits_history(device->entity);
    if (device->entity->live.first && !is_shelved) {
        return next_live(session, device->entity, now, out);
    }
    if (!out) {
        return true;
    }
    if (is_shelved) {
        spb_session__shelve(device);
    }
    spb_status status = spb_session__publish_device_death(session, device, now, out);
    if (status != SPB_OK) {
        return give_up(session, SPB_KIND_DDEATH, status, now);
    }
    if (device->is_removed) {
        spb_session__bury_device(session, device);
    } else {
        spb_session__want_birth(session, device, now);
    }
    return true;
}

/* Births that are still on their way are waited for: else a host that asks every few seconds fills a narrow link with
 * one birth behind the other. */
static uint64_t after_arrival(const spb_session *session, uint64_t due_ms) {
    uint64_t free_ms = spb_arrival__free_ms(&session->outbox.births, &session->outbox.fences);
    return due_ms > free_ms ? due_ms : free_ms;
}

static bool next_birth(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    spb_device *device = SPB_LINKED(session->births.first, spb_device, in_births);
    uint64_t node_ms = session->node_birth_due_ms;
    if (spb_session__awaits_aliases(session)) {
        return false; /* until the store has answered */
    }
    spb_due__by(&node_ms, session->wants_birth ? session->rebirth_due_ms : SPB_NEVER);
    node_ms = after_arrival(session, node_ms);
    if (node_ms <= now.mono_ms) {
        return send_node_birth(session, now, out);
    }
    if (device && device->birth_due_ms <= now.mono_ms) {
        return send_device_birth(session, device, now, out);
    }
    spb_due__by(due_ms, node_ms);
    spb_due__by(due_ms, device ? device->birth_due_ms : SPB_NEVER);
    return false;
}

/* ---- the choice ---- */

static bool next_born(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    const spb_entity *first = SPB_LINKED(session->outbox.first.first, spb_entity, in_first);
    spb_device *dying = SPB_LINKED(session->deaths.first, spb_device, in_deaths);
    if (first) {
        return next_live(session, first, now, out);
    }
    if (dying) {
        return next_death_of(session, dying, now, out);
    }
    if (next_birth(session, now, out, due_ms)) {
        return true;
    }
    if (!spb_session__may_send_data(session)) {
        return false;
    }
    if (session->options.strict_order) { /* a message that could not be made has ended the connection */
        return next_replay(session, now, out, due_ms) ||
               (spb_session__may_send_data(session) && next_live(session, NULL, now, out));
    }
    return next_live(session, NULL, now, out) || next_replay(session, now, out, due_ms);
}

static bool next_unborn(spb_session *session, spb_time now, spb_action *out) {
    if (spb_session__awaits_aliases(session)) {
        return false;
    }
    if (session->phase == SPB_PHASE_UNBORN) {
        return send_node_birth(session, now, out);
    }
    spb_device *device = spb_session__next_to_be_born(session, now);
    if (!device) {
        return false;
    }
    session->next_born = out ? device->next : session->next_born;
    return send_device_birth(session, device, now, out);
}

/* What was published is confirmed before the NDEATH, if the server answers in time: else it goes to the journal. */
static bool awaits_confirmation(spb_session *session) {
    if (session->outbox.level == SPB_DELIVERY_LIVE || session->options.confirm != SPB_CONFIRM_FENCE) {
        return false;
    }
    session->outbox.fences.is_wanted |= session->outbox.fences.messages > 0;
    return spb_outbox__has_unconfirmed(&session->outbox);
}

static bool is_link_full(const spb_session *session) {
    return spb_fences__in_flight(&session->outbox.fences) >= session->options.max_in_flight;
}

/* What waits, if the node is stopped, then the NDEATH, which need not wait for answers. */
static bool next_stopping(spb_session *session, spb_time now, spb_action *out) {
    if (!session->is_death_due) {
        return false;
    }
    if (session->is_leaving) { /* at once; what waits follows the births on the next server */
        return send_node_death(session, now, out);
    }
    if (session->outbox.ready.first || session->outbox.trying.first) { /* the journal is asked first */
        return !is_link_full(session) && next_live(session, NULL, now, out);
    }
    return !awaits_confirmation(session) && send_node_death(session, now, out);
}

bool spb_session__next_publish(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    bool is_birthing = session->state == SPB_SESSION_BIRTHING && session->phase != SPB_PHASE_BORN;
    bool is_born = session->state == SPB_SESSION_ONLINE || (session->state == SPB_SESSION_BIRTHING && !is_birthing);
    if (!out && !is_born) {
        return false; /* all that can be done is done; the rest waits for an answer */
    }
    if (session->state == SPB_SESSION_STOPPING) {
        return next_stopping(session, now, out);
    }
    if (is_link_full(session)) {
        return false; /* only the transport's answer helps */
    }
    return is_born ? next_born(session, now, out, due_ms) : is_birthing && next_unborn(session, now, out);
}
