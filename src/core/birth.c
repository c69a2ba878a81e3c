/* Decides what a birth or a death changes, and which device is born next. When that is left to publish.c. */
#include "core/birth.h"

#include "core/certificate.h"
#include "core/info.h"

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
    bool has_older = holder->entity->live.first;
    spb_list__remove(&holder->in_births);
    holder->is_born = true;
    holder->sequence = session->sequence;
    spb_outbox__born(holder->entity);
    for (spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
        spb_report report = spb_metric__report(metric);
        spb_change__reported(metric->change, &report);
        metric->in_birth = true;
        session->unsent -= metric->is_unsent;
        metric->is_unsent = metric->is_held = false;
        /* Older samples that still wait will take hosts back: then the value is sent once more after them. */
        metric->is_behind = (metric->is_behind && holder->has_dropped) || (metric->is_ahead && has_older);
        holder->has_dropped |= metric->is_behind;
        metric->is_ahead = false;
    }
}

static spb_bytes payload_of(const spb_session *session) {
    return (spb_bytes){session->payload.data, session->payload.len};
}

/* It leaves with the next sequence number. One that `counts`, with values that no block has, calls for a fence. */
static void publish(spb_session *session, bool counts, spb_time now, spb_action *out) {
    size_t bytes = spb_session__publish(session, payload_of(session), out);
    session->seq = spb_seq__next(session->seq);
    spb_outbox__sent_other(&session->outbox, bytes, counts, now);
}

static void publish_birth(spb_session *session, bool counts, spb_time now, spb_action *out) {
    spb_oversize__sent(session, now);
    publish(session, counts, now, out);
}

/* Makes the birth of the node or of a device in `payload`. With SPB_OK it may leave. */
static spb_status make_birth(spb_session *session, const spb_device *holder, uint64_t unsent, spb_time now) {
    bool is_node = spb_device__is_node(holder);
    uint8_t seq = is_node ? 0 : session->seq; /* tck-id-payloads-sequence-num-zero-nbirth */
    spb_birth_fact facts[SPB_MAX_BIRTH_FACTS];
    size_t fact_count = is_node ? spb_session__birth_facts(session, facts) : 0;
    spb_status status = spb_session__begin_message(session, is_node ? SPB_KIND_NBIRTH : SPB_KIND_DBIRTH, holder);
    if (status == SPB_OK) {
        status = spb_certificate__birth(&session->payload, holder, facts, fact_count, seq, now.wall_ms);
    }
    if (status == SPB_OK) {
        status = spb_oversize__check_birth(session, holder, now);
    }
    if (status == SPB_OK && !spb_outbox__keep_birth(&session->outbox, unsent)) {
        status = SPB_ERR_NO_MEMORY;
    }
    return status;
}

spb_status spb_session__publish_node_birth(spb_session *session, spb_time now, spb_action *out) {
    uint64_t unsent = count_unsent(session, session->table.node);
    spb_status status = make_birth(session, session->table.node, unsent, now);
    if (status != SPB_OK) {
        return status;
    }
    if (session->phase == SPB_PHASE_UNBORN) {
        spb_outbox__before_births(&session->outbox, now);
    }
    session->seq = 0;
    session->sequence++;
    session->wants_birth = false;
    session->node_birth_due_ms = SPB_NEVER;
    session->last_birth_ms = now.mono_ms;
    session->birth_bytes = session->stats.bytes_published;
    session->phase = SPB_PHASE_DBIRTHS;
    session->outbox.may_release = true;
    session->next_born = session->table.node->next;
    session->stats.births++;
    mark_born(session, session->table.node);
    if (session->state != SPB_SESSION_BIRTHING) {
        spb_session__enter(session, SPB_SESSION_BIRTHING, "rebirth");
    }
    publish_birth(session, unsent > 0, now, out);
    return SPB_OK;
}

spb_status spb_session__publish_device_birth(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    uint64_t unsent = count_unsent(session, device);
    spb_status status = make_birth(session, device, unsent, now);
    if (status == SPB_OK) {
        mark_born(session, device);
        publish_birth(session, unsent > 0, now, out);
    }
    return status;
}

spb_status spb_session__publish_device_death(spb_session *session, spb_device *device, spb_time now, spb_action *out) {
    spb_status status = spb_session__begin_message(session, SPB_KIND_DDEATH, device);
    if (status == SPB_OK) {
        status = spb_certificate__device_death(&session->payload, session->seq, now.wall_ms);
    }
    if (status == SPB_OK) {
        spb_list__remove(&device->in_deaths);
        device->is_born = false;
        spb_outbox__died(device->entity);
        publish(session, false, now, out);
    }
    return status;
}

spb_status spb_session__publish_node_death(spb_session *session, spb_time now, spb_action *out) {
    spb_status status = spb_session__make_death(session, now);
    if (status == SPB_OK) {
        session->is_death_due = false;
        size_t bytes = spb_session__publish(session, payload_of(session), out);
        spb_outbox__sent_other(&session->outbox, bytes, false, now);
    }
    return status;
}

void spb_session__want_birth(spb_session *session, spb_device *device, spb_time now) {
    uint64_t due_ms = now.mono_ms + SPB_BIRTH_WINDOW_MS;
    if (!spb_session__is_live(session)) {
        return; /* the births to come will have it */
    }
    if (spb_device__is_node(device)) {
        session->node_birth_due_ms = session->node_birth_due_ms == SPB_NEVER ? due_ms : session->node_birth_due_ms;
    } else if (device->is_online && !device->in_births.list) {
        device->birth_due_ms = due_ms;
        spb_list__push(&session->births, &device->in_births);
    }
}

void spb_session__shelve(spb_device *device) {
    spb_outbox__shelve(device->entity);
    device->has_dropped = false;
}

/* A device that went offline, if only for a moment, before its DBIRTH of this round: the NBIRTH has ended its old
 * birth, so there is nothing for a DDEATH to end, and nothing that older samples could follow. */
static void settle_death(spb_device *device) {
    if (device->in_deaths.list) {
        spb_list__remove(&device->in_deaths);
        spb_session__shelve(device);
        spb_outbox__died(device->entity);
        device->is_born = false;
    }
}

spb_device *spb_session__dying_namesake(const spb_session *session, spb_str id) {
    for (spb_list_link *link = session->deaths.first; link; link = link->next) {
        spb_device *dying = SPB_LINKED(link, spb_device, in_deaths);
        if (dying->is_removed && spb_str_equal(spb_device__id_view(dying), id)) {
            return dying;
        }
    }
    return NULL;
}

spb_device *spb_session__next_to_be_born(spb_session *session, spb_time now) {
    while (session->next_born) {
        spb_device *device = session->next_born;
        settle_death(device);
        bool must_wait = device->is_online && spb_session__dying_namesake(session, spb_device__id_view(device));
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

void spb_session_rebirth(spb_session *session, spb_time now) {
    /* Before the first NBIRTH, that one is the answer. Soon after a birth, and while it is on its way, all requests
     * share the next one. */
    if (spb_session__is_live(session) && !session->wants_birth) {
        uint64_t allowed_ms = session->last_birth_ms + session->options.rebirth_window_ms;
        session->wants_birth = true;
        spb_session__see_phase(session);
        session->rebirth_due_ms = allowed_ms > now.mono_ms ? allowed_ms : now.mono_ms;
    }
}
