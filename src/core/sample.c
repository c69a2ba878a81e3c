/*
 * Decides what a sample becomes. The rules of its metric say whether it is worth a message, and when; then it goes into
 * a batch when hosts follow, else to the journal, or into the next birth. The newest one is the metric's value in any
 * case.
 */
#include "core/certificate.h"
#include "core/handle.h"
#include "core/session.h"

#define ALL_FLAGS (SPB_SAMPLE_BAD | SPB_SAMPLE_STALE | SPB_SAMPLE_FORCED | SPB_SAMPLE_URGENT)
/* When a held sample could not be sent for want of memory. */
#define RETRY_MS 100

/* A sample that was looked at, and its time found out. */
typedef struct sample {
    const spb_value *value;
    uint64_t timestamp_ms;
    uint8_t quality;
    bool is_patient; /* it may join a message, but need not make one leave */
    bool is_urgent;  /* its message leaves at once */
} sample;

/* ---- values that no message has carried ---- */

static void set_unsent(spb_session *session, spb_metric *metric, bool is_held) {
    session->unsent += !metric->is_unsent;
    metric->is_unsent = true;
    metric->is_held = is_held;
}

static void clear_unsent(spb_session *session, spb_metric *metric) {
    session->unsent -= metric->is_unsent;
    metric->is_unsent = metric->is_held = false;
}

void spb_session__drop_unsent(spb_session *session, spb_metric *metric) {
    if (metric->is_held) {
        session->stats.samples_suppressed++;
    } else if (metric->is_unsent) {
        bool is_choice = session->journal.is_used;
        *(is_choice ? &session->stats.samples_dropped_choice : &session->stats.samples_dropped_offline) += 1;
        spb_flushes__lose_value(&session->flushes);
    }
    clear_unsent(session, metric);
}

/* What is sent besides is known from then on, and if it was held, it is held no more. */
void spb_session__note_told(spb_session *session, spb_metric *metric) {
    spb_report report = spb_metric__report(metric);
    spb_change__reported(metric->change, &report);
    session->repeated += !metric->is_held;
    if (metric->is_held) {
        spb_timers__cancel(&session->timers, metric);
        clear_unsent(session, metric);
    }
    metric->is_ahead = false;
}

/* ---- what is worth a message ---- */

static spb_status set_value(spb_metric *metric, const sample *s) {
    spb_status status = spb_metric__set(metric, s->value, s->timestamp_ms, NULL);
    if (status == SPB_OK) {
        metric->has_quality |= s->quality != SPB_SAMPLE_GOOD;
        metric->quality = s->quality;
    }
    return status;
}

/* Without a birth to follow, the next birth will carry the value; what it replaces is gone if nothing carried it. */
static spb_status replace_value(spb_session *session, spb_metric *metric, const sample *s) {
    spb_status status = set_value(metric, s);
    if (status == SPB_OK) {
        spb_session__drop_unsent(session, metric);
        set_unsent(session, metric, false);
        metric->is_behind = !spb_batch__is_empty(&metric->holder->batch); /* older ones will follow the birth */
    }
    return status;
}

/* More than may wait, of the holder or of all: with a journal, the holder's oldest message makes room there. One sample
 * may always wait, else nothing would lead to the journal, or to the newest values being sent once more. */
static bool is_overflow(spb_session *session, spb_device *holder) {
    size_t most_bytes = SPB_MAX_WAITING_BATCHES * session->options.batch_max_bytes;
    size_t more = session->scratch.len;
    while (!spb_batch__is_empty(&holder->batch) &&
           (spb_batch__size(&holder->batch) + more > most_bytes ||
            session->waiting_bytes + more > session->options.max_waiting_bytes)) {
        if (!spb_session__store_oldest(session, holder)) {
            return true;
        }
    }
    return false;
}

static spb_status add_to_batch(spb_session *session, spb_metric *metric, const sample *s, spb_time now) {
    spb_device *holder = metric->holder;
    bool is_full = is_overflow(session, holder);
    bool has_room = is_full || spb_batch__reserve(&holder->batch, session->scratch.len);
    spb_status status = has_room ? set_value(metric, s) : SPB_ERR_NO_MEMORY;
    if (status != SPB_OK) {
        if (holder->has_dropped && spb_batch__is_empty(&holder->batch)) { /* nothing waits that leads to catch_up */
            spb_session__want_birth(session, holder, now);
        }
        return status;
    }
    spb_session__drop_unsent(session, metric); /* from a moment in which the device was offline */
    metric->is_behind = is_full;
    if (is_full) {
        holder->has_dropped = true;
        session->stats.samples_dropped_overflow++;
    } else {
        spb_session__add_sample(session, holder, s->timestamp_ms, s->is_patient, now);
        metric->message = holder->batch.begun;
        if (s->is_urgent) {
            spb_session__close_batch(session, holder);
        }
    }
    return SPB_OK;
}

/* For the journal. */
static spb_status hold(spb_session *session, spb_metric *metric, const sample *s, spb_time now) {
    spb_status status = spb_session__hold(session, metric, s->value, s->timestamp_ms, now);
    if (status == SPB_OK) {
        metric->has_quality |= s->quality != SPB_SAMPLE_GOOD;
        metric->quality = s->quality;
        metric->message = 0;       /* the batch does not have it, */
        metric->is_behind = false; /* and a birth will be ahead of it */
        spb_session__drop_unsent(session, metric);
    }
    return status;
}

bool spb_session__is_followed(const spb_session *session, const spb_metric *metric) {
    const spb_device *holder = metric->holder;
    /* A device that went offline and came back is born again soon: with a journal, its samples stay in order. */
    bool is_dying = session->journal.is_used && holder->links[SPB_QUEUE_DEATH].is_in;
    return spb_session__is_live(session) && holder->is_born && holder->is_online && metric->in_birth && !is_dying;
}

static spb_status pass(spb_session *session, spb_metric *metric, const sample *s, spb_time now) {
    session->scratch.len = 0;
    spb_status status = spb_certificate__sample(&session->scratch, metric, s->value, s->timestamp_ms, s->quality, NULL);
    if (status != SPB_OK) {
        return status;
    }
    status = spb_session__is_followed(session, metric)                  ? add_to_batch(session, metric, s, now)
             : session->journal.is_used && metric->keep == SPB_KEEP_ALL ? hold(session, metric, s, now)
                                                                        : replace_value(session, metric, s);
    metric->is_ahead &= status != SPB_OK;
    return status;
}

/* The sample that was held is worth a message now. */
static spb_status pass_held(spb_session *session, spb_metric *metric, spb_time now) {
    sample held = {.value = &metric->value,
                   .timestamp_ms = metric->timestamp_ms,
                   .quality = metric->quality,
                   .is_urgent = metric->is_urgent};
    bool was_held = metric->is_held;
    clear_unsent(session, metric);
    spb_status status = pass(session, metric, &held, now);
    if (status != SPB_OK && was_held) {
        set_unsent(session, metric, true);
    }
    return status;
}

/* ---- what is not, or not yet ---- */

static spb_status keep_back(spb_session *session, spb_metric *metric, const sample *s, bool is_for_later) {
    bool is_other = !spb_value_equal(&metric->value, s->value);
    spb_status status = set_value(metric, s);
    if (status != SPB_OK) {
        return status;
    }
    metric->is_ahead |= is_other;
    if (is_for_later) {
        spb_session__drop_unsent(session, metric);
        set_unsent(session, metric, true);
    } else if (metric->is_held) { /* it has gone back to what hosts know */
        session->stats.samples_suppressed += 2;
        clear_unsent(session, metric);
    } else {
        session->stats.samples_suppressed++;
    }
    return SPB_OK;
}

/* Samples that were deferred wait for a timer, or for another one that joins them. */
static bool has_deferred(const spb_device *holder) {
    return holder->is_patient && holder->batch.is_open && !spb_batch__is_empty(&holder->batch);
}

/* The rules tell a time of the samples; it comes as long after this sample as that is away. */
static bool set_timer(spb_session *session, spb_metric *metric, const spb_verdict *verdict, uint64_t timestamp_ms,
                      spb_time now) {
    uint64_t wait_ms = verdict->until_ms > timestamp_ms ? verdict->until_ms - timestamp_ms : 0;
    uint64_t at_ms = now.mono_ms + (wait_ms < UINT32_MAX ? wait_ms : UINT32_MAX);
    if (spb_timers__at_ms(&session->timers, metric) <= at_ms) {
        if (verdict->is_running) {
            return true;
        }
        if (has_deferred(metric->holder)) { /* by the time of the samples, theirs has come */
            spb_session__end_patience(session, metric->holder);
        }
    }
    return spb_timers__set(&session->timers, metric, at_ms);
}

/* ---- a sample comes ---- */

/* It may have gone another way, or been dropped: then those that were deferred still need the timer. */
static spb_status send(spb_session *session, spb_metric *metric, const sample *s, spb_time now) {
    spb_status status = pass(session, metric, s, now);
    if (status == SPB_OK && !has_deferred(metric->holder)) {
        spb_timers__cancel(&session->timers, metric);
    }
    return status;
}

static spb_status follow(spb_session *session, spb_metric *metric, sample *s, spb_verdict verdict, spb_time now) {
    spb_status status = verdict.releases_held ? pass_held(session, metric, now) : SPB_OK;
    if (status != SPB_OK) {
        return status;
    }
    switch (verdict.kind) {
    case SPB_VERDICT_DROP: return keep_back(session, metric, s, false);
    case SPB_VERDICT_HOLD:
        return set_timer(session, metric, &verdict, s->timestamp_ms, now) ? keep_back(session, metric, s, true)
                                                                          : SPB_ERR_NO_MEMORY;
    case SPB_VERDICT_DEFER:
        s->is_patient = true;
        return set_timer(session, metric, &verdict, s->timestamp_ms, now) ? pass(session, metric, s, now)
                                                                          : SPB_ERR_NO_MEMORY;
    case SPB_VERDICT_SEND: break;
    }
    return send(session, metric, s, now);
}

static spb_status check(const spb_session *session, const spb_metric *metric, const spb_value *value, uint32_t flags) {
    if ((flags & ~ALL_FLAGS) != 0 || (flags & SPB_SAMPLE_QUALITY) == SPB_SAMPLE_QUALITY) {
        return SPB_ERR_ARGUMENT;
    }
    spb_status status = spb_metric__check(metric, value, NULL);
    return status == SPB_OK ? spb_session__check_template(session, value, NULL) : status;
}

spb_report spb_session__report(const spb_sample *given, uint64_t timestamp_ms) {
    return (spb_report){.value = &given->value,
                        .timestamp_ms = timestamp_ms,
                        .quality = given->flags & SPB_SAMPLE_QUALITY,
                        .is_forced = (given->flags & SPB_SAMPLE_FORCED) != 0};
}

spb_status spb_session_sample(spb_session *session, const spb_sample *given, spb_time now) {
    spb_metric *metric = given->metric;
    spb_status status = check(session, metric, &given->value, given->flags);
    if (status != SPB_OK) {
        return status;
    }
    spb_session__see_clock(session, now);
    sample s = {.value = &given->value,
                .timestamp_ms = given->timestamp_ms == SPB_NOW ? spb_session__stamp(session, now) : given->timestamp_ms,
                .quality = given->flags & SPB_SAMPLE_QUALITY,
                .is_urgent = metric->is_urgent || (given->flags & SPB_SAMPLE_URGENT) != 0};
    spb_report last = spb_metric__report(metric), report = spb_session__report(given, s.timestamp_ms);
    status = follow(session, metric, &s, spb_change__judge(metric->change, &last, &report), now);
    if (status != SPB_OK) {
        spb_change__doubt(metric->change);
        return status;
    }
    session->stats.samples_accepted++;
    return SPB_OK;
}

spb_status spb_session_update(spb_session *session, spb_metric *metric, const spb_value *value, uint64_t timestamp_ms,
                              spb_time now) {
    spb_sample plain = {.metric = metric, .value = *value, .timestamp_ms = timestamp_ms};
    return spb_session_sample(session, &plain, now);
}

spb_value spb_session_value(const spb_session *session, const spb_metric *metric, uint64_t *timestamp_ms) {
    (void)session;
    if (timestamp_ms) {
        *timestamp_ms = metric->timestamp_ms;
    }
    return metric->value;
}

/* ---- time comes ---- */

static void ring(spb_session *session, spb_metric *metric, spb_time now) {
    spb_report last = spb_metric__report(metric);
    bool is_due = spb_change__on_due(metric->change, &last) || metric->is_held;
    if (is_due && pass_held(session, metric, now) != SPB_OK) {
        spb_change__doubt(metric->change);
        spb_timers__set(&session->timers, metric, now.mono_ms + RETRY_MS); /* its place is free */
    }
    if (has_deferred(metric->holder)) {
        spb_session__end_patience(session, metric->holder);
    }
}

void spb_session__ring_timers(spb_session *session, spb_time now) {
    for (spb_metric *metric; (metric = spb_timers__ring(&session->timers, now.mono_ms));) {
        ring(session, metric, now);
    }
}

void spb_session__release(spb_session *session, spb_metric *metric, spb_time now) {
    if (metric->is_held && metric->is_ahead) {
        spb_timers__cancel(&session->timers, metric);
        ring(session, metric, now);
    }
}

void spb_session__release_all(spb_session *session, spb_time now) {
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        for (spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
            spb_session__release(session, metric, now);
        }
    }
    while (session->queues[SPB_QUEUE_WINDOW].first) {
        spb_session__close_batch(session, session->queues[SPB_QUEUE_WINDOW].first);
    }
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        if (!spb_batch__is_empty(&holder->batch)) { /* in a scan, or in no hurry */
            spb_session__close_batch(session, holder);
        }
    }
}
