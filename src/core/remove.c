/*
 * Decides what becomes of the samples, births and handles of what is removed. A handle ends with the call; its memory
 * stays for as long as the answer to a write may name it.
 */
#include "core/birth.h"
#include "core/session.h"

void spb_session__bury(spb_session *session) {
    if (session->waiting_writes == 0) {
        spb_metric__free_all(session->removed_metrics);
        spb_device__free_all(session->removed_devices);
        session->removed_metrics = NULL;
        session->removed_devices = NULL;
    }
}

void spb_session__bury_device(spb_session *session, spb_device *device) {
    spb_list__remove(&device->in_deaths);
    spb_outbox__detach(device->entity, device); /* a device of that ID may come back */
    device->entity = NULL;
    device->next = session->removed_devices;
    session->removed_devices = device;
    spb_session__bury(session);
}

/* Hosts know it from this round of births, and can read what waits. */
static bool is_followed(const spb_session *session, const spb_device *holder) {
    return session->phase != SPB_PHASE_UNBORN && !session->is_leaving && holder->is_born &&
           holder->sequence == session->sequence;
}

/* The next birth will not have the alias of some of them: they leave before it, or they are lost. */
void spb_session__settle_samples(spb_session *session, spb_device *holder) {
    if (!holder->entity->live.first) {
        return;
    }
    if (is_followed(session, holder)) {
        spb_outbox__send_first(holder->entity);
    } else {
        spb_session__shelve(holder);
    }
}

void spb_session__remove_metric(spb_session *session, spb_metric *metric, spb_time now) {
    spb_device *holder = metric->holder;
    spb_deadlines__cancel(&session->timers, &metric->timer);
    spb_session__drop_unsent(session, metric);
    spb_table__unlink_metric(&session->table, metric);
    metric->is_removed = true;
    metric->next_of_holder = session->removed_metrics;
    session->removed_metrics = metric;
    spb_session__bury(session);
    spb_oversize__shrank(session, now);
    if (holder->is_born) {
        spb_session__want_birth(session, holder, now);
    }
}

void spb_session_remove_metric(spb_session *session, spb_metric *metric, spb_time now) {
    spb_session__release(session, metric, now);
    spb_session__settle_samples(session, metric->holder);
    spb_session__remove_metric(session, metric, now);
}

void spb_session_remove_device(spb_session *session, spb_device *device, spb_time now) {
    /* It may come back, and what the journal has of it is not gone until then. */
    if (session->stats.samples_in_journal > 0) {
        session->outbox.replay.grace_ms = now.mono_ms + SPB_GRACE_MS;
    }
    for (spb_metric *metric = device->first_metric; metric; metric = metric->next_of_holder) {
        spb_session__release(session, metric, now);
        spb_deadlines__cancel(&session->timers, &metric->timer);
        spb_session__drop_unsent(session, metric);
        metric->is_behind = false; /* nobody will catch up */
        metric->is_removed = true;
    }
    if (session->next_born == device) {
        session->next_born = device->next;
    }
    spb_table__unlink_device(&session->table, device);
    spb_list__remove(&device->in_births);
    spb_oversize__shrank(session, now);
    device->is_online = device->has_dropped = false;
    device->is_removed = true;
    if (is_followed(session, device)) {
        spb_outbox__hurry(device->entity);
        spb_list__push(&session->deaths, &device->in_deaths); /* after its last samples */
    } else {
        spb_session__bury_device(session, device);
    }
}
