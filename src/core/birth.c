/* Decides what a birth or a death changes, and which device is born next. When that is left to publish.c. */
#include "core/certificate.h"
#include "core/session.h"

static spb_queue *queue(spb_session *session, spb_queue_kind kind) {
    return &session->queues[kind];
}

/* How many samples the birth carries that nothing has carried yet. */
static uint64_t count_unsent(const spb_session *session, const spb_device *holder) {
    uint64_t count = 0;
    for (const spb_metric *metric = holder->first_metric; metric && count < session->unsent;
         metric = metric->next_of_holder) {
        count += metric->is_unsent;
    }
    return count;
}

static void mark_born(spb_session *session, spb_device *holder) {
    spb_queue__remove(queue(session, SPB_QUEUE_BIRTH), holder);
    holder->is_born = true;
    holder->sequence = session->sequence;
    spb_session__settle_held(session, holder);
    if (holder->deferred_round == session->replay.round) {
        spb_session__retry_deferred(session);
    }
    for (spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
        metric->in_birth = true;
        session->unsent -= metric->is_unsent;
        metric->is_unsent = false;
        /* Older samples that still wait will take hosts back: then the value is sent once more after them. */
        metric->is_behind = metric->is_behind && holder->has_dropped;
    }
}

/* The birth in `payload` may leave. */
static spb_status admit_birth(spb_session *session, spb_status status, uint64_t unsent) {
    if (status == SPB_OK && !spb_session__is_acceptable(session)) {
        status = SPB_ERR_LIMIT;
    }
    if (status == SPB_OK && !spb_session__keep_birth(session, unsent)) {
        status = SPB_ERR_NO_MEMORY;
    }
    return status;
}

bool spb_session__publish_node_birth(spb_session *session, spb_time now, spb_action *out) {
    uint64_t unsent = count_unsent(session, session->table.node);
    spb_status status = spb_session__begin_message(session, SPB_KIND_NBIRTH, NULL);
    if (status == SPB_OK) {
        spb_birth_fact facts[SPB_MAX_BIRTH_FACTS];
        size_t count = spb_session__birth_facts(session, facts);
        status = spb_certificate__node_birth(&session->payload, session->table.node, facts, count, now.wall_ms, NULL);
    }
    status = admit_birth(session, status, unsent);
    if (status != SPB_OK) {
        return spb_session__give_up(session, SPB_KIND_NBIRTH, status, now);
    }
    if (session->phase == SPB_PHASE_UNBORN) {
        spb_session__spill_held(session);
        spb_session__complete_replay(session, now);
    }
    session->seq = 0;
    session->sequence++;
    session->wants_birth = false;
    session->node_birth_due_ms = SPB_NEVER;
    session->last_birth_ms = now.mono_ms;
    session->phase = SPB_PHASE_DBIRTHS;
    session->next_born = session->table.node->next;
    session->stats.births++;
    mark_born(session, session->table.node);
    if (session->state != SPB_SESSION_BIRTHING) {
        spb_session__enter(session, SPB_SESSION_BIRTHING, "rebirth");
    }
    spb_session__publish_numbered(session, unsent > 0, now, out);
    return true;
}

bool spb_session__publish_device_birth(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    uint64_t unsent = count_unsent(session, device);
    spb_status status = spb_session__begin_message(session, SPB_KIND_DBIRTH, device);
    if (status == SPB_OK) {
        status = spb_certificate__device_birth(&session->payload, device, session->seq, now.wall_ms, NULL);
    }
    status = admit_birth(session, status, unsent);
    if (status != SPB_OK) {
        return spb_session__give_up(session, SPB_KIND_DBIRTH, status, now);
    }
    mark_born(session, device);
    spb_session__publish_numbered(session, unsent > 0, now, out);
    return true;
}

bool spb_session__publish_device_death(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    spb_status status = spb_session__begin_message(session, SPB_KIND_DDEATH, device);
    if (status == SPB_OK) {
        status = spb_certificate__device_death(&session->payload, session->seq, now.wall_ms);
    }
    if (status != SPB_OK) {
        return spb_session__give_up(session, SPB_KIND_DDEATH, status, now);
    }
    spb_queue__remove(queue(session, SPB_QUEUE_DEATH), device);
    device->is_born = false;
    spb_session__publish_numbered(session, false, now, out);
    return true;
}

bool spb_session__publish_node_death(spb_session *session, spb_time now, spb_action *out) {
    spb_status status = spb_session__make_death(session, now);
    if (status != SPB_OK) {
        return spb_session__give_up(session, SPB_KIND_NDEATH, status, now);
    }
    session->is_death_due = false;
    spb_session__publish_unnumbered(session, now, out);
    return true;
}

void spb_session__want_birth(spb_session *session, spb_device *device, spb_time now) {
    uint64_t due_ms = now.mono_ms + SPB_BIRTH_WINDOW_MS;
    if (!spb_session__is_live(session)) {
        return; /* the births to come will have it */
    }
    if (spb_device__is_node(device)) {
        session->node_birth_due_ms = session->node_birth_due_ms == SPB_NEVER ? due_ms : session->node_birth_due_ms;
    } else if (device->is_online && !device->links[SPB_QUEUE_BIRTH].is_in) {
        device->birth_due_ms = due_ms;
        spb_queue__push(queue(session, SPB_QUEUE_BIRTH), device);
    }
}

/* A device that went offline, if only for a moment, before its DBIRTH of this round: the NBIRTH has ended its old
 * birth, so there is nothing for a DDEATH to end, and nothing that older samples could follow. */
static void settle_death(spb_session *session, spb_device *device) {
    if (device->links[SPB_QUEUE_DEATH].is_in) {
        spb_queue__remove(queue(session, SPB_QUEUE_DEATH), device);
        spb_session__shelve(session, device);
        device->is_born = false;
    }
}

/* A device of that ID was removed and is not dead yet: its DDEATH comes first. */
static bool has_dying_namesake(const spb_session *session, const spb_device *device) {
    const spb_device *dying = session->queues[SPB_QUEUE_DEATH].first;
    while (dying && !(dying->is_removed && spb_str_equal(spb_device__id_view(dying), spb_device__id_view(device)))) {
        dying = dying->links[SPB_QUEUE_DEATH].next;
    }
    return dying != NULL;
}

spb_device *spb_session__next_to_be_born(spb_session *session, spb_time now) {
    while (session->next_born) {
        spb_device *device = session->next_born;
        settle_death(session, device);
        bool must_wait = device->is_online && has_dying_namesake(session, device);
        if (device->is_online && !must_wait) {
            break;
        }
        session->next_born = device->next;
        if (must_wait) {
            spb_session__want_birth(session, device, now);
        }
    }
    return session->next_born;
}
