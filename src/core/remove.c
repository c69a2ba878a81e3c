/*
 * Decides what becomes of the samples, births and handles of what is removed. A handle ends with the call; its memory
 * stays for as long as the answer to a write may name it.
 */
#include "core/session.h"

void spb_session__bury(spb_session *session) {
    if (session->waiting_writes > 0) {
        return;
    }
    while (session->removed_metrics) {
        spb_metric *next = session->removed_metrics->next_of_holder;
        spb_metric__free(session->removed_metrics);
        session->removed_metrics = next;
    }
    while (session->removed_devices) {
        spb_device *next = session->removed_devices->next;
        spb_device__free(session->removed_devices);
        session->removed_devices = next;
    }
}

void spb_session__bury_device(spb_session *session, spb_device *device) {
    spb_session__abandon(session, device);
    spb_queue__remove(&session->queues[SPB_QUEUE_DEATH], device);
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
    if (spb_batch__is_empty(&holder->batch)) {
        return;
    }
    if (!is_followed(session, holder)) {
        spb_session__shelve(session, holder);
        return;
    }
    spb_session__close_batch(session, holder);
    holder->flush_count = holder->batch.count;
    spb_queue__push(&session->queues[SPB_QUEUE_FLUSH], holder);
}

void spb_session__remove_metric(spb_session *session, spb_metric *metric, spb_time now) {
    spb_device *holder = metric->holder;
    spb_timers__cancel(&session->timers, metric);
    spb_session__drop_unsent(session, metric);
    spb_table__unlink_metric(&session->table, metric);
    metric->is_removed = true;
    metric->next_of_holder = session->removed_metrics;
    session->removed_metrics = metric;
    spb_session__bury(session);
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
    if (session->in_journal > 0) { /* it may come back, and what the journal has of it is not gone until then */
        session->replay.grace_ms = now.mono_ms + SPB_GRACE_MS;
    }
    for (spb_metric *metric = device->first_metric; metric; metric = metric->next_of_holder) {
        spb_session__release(session, metric, now);
        spb_timers__cancel(&session->timers, metric);
        spb_session__drop_unsent(session, metric);
        metric->is_behind = false; /* nobody will catch up */
        metric->is_removed = true;
    }
    if (session->next_born == device) {
        session->next_born = device->next;
    }
    spb_table__unlink_device(&session->table, device);
    spb_queue__remove(&session->queues[SPB_QUEUE_BIRTH], device);
    device->is_online = device->has_dropped = false;
    device->is_removed = true;
    if (is_followed(session, device)) {
        spb_session__hurry(session, device);
        spb_queue__push(&session->queues[SPB_QUEUE_DEATH], device); /* after its last samples */
    } else {
        spb_session__bury_device(session, device);
    }
}
