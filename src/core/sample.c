/*
 * Decides what a sample becomes. The rules of its metric say whether it is worth a message, and when; then it goes into
 * a live block when hosts follow, else to the journal, or into the next birth. The newest one is the metric's value in
 * any case. What becomes of samples of the past is left to past.c.
 */
#include "codec/reframe.h"
#include "core/birth.h"
#include "core/certificate.h"
#include "core/handle.h"
#include "core/session.h"

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
        bool is_choice = session->outbox.journal.is_used;
        *(is_choice ? &session->stats.samples_dropped_choice : &session->stats.samples_dropped_offline) += 1;
        spb_flushes__lose_value(&session->outbox.flushes);
    }
    clear_unsent(session, metric);
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
        metric->is_behind = metric->holder->entity->live.first; /* older ones will follow the birth */
    }
    return status;
}

/* ---- the link is slower than the samples ---- */

typedef struct behind_context {
    spb_session *session;
    const spb_outbox_block *block;
} behind_context;

static bool note_behind(void *context, uint64_t alias, spb_str name) {
    behind_context *c = context;
    spb_device *holder = c->block->entity->owner;
    spb_metric *metric = spb_table__find(&c->session->table, holder, name, alias);
    if (metric && metric->block == c->block->number) {
        metric->is_behind = holder->has_dropped = true;
    }
    return false;
}

/* The holder's oldest live block makes room in the journal. What hosts get later, as historical data, may be the newest
 * that there is of a metric: then that is sent once more. False: it cannot. */
static bool make_room(spb_session *session, spb_device *holder) {
    spb_outbox_block *block = spb_outbox__can_make_room(holder->entity);
    if (block) {
        behind_context context = {session, block};
        spb_buffer nothing = {0};
        uint32_t kept, left_out;
        spb_reframe__filter(&nothing, spb_block__metrics(block), note_behind, &context, &kept, &left_out);
        spb_outbox__make_history(&session->outbox, block);
    }
    return block != NULL;
}

/* ---- the ways of a sample ---- */

static spb_bytes encoded(const spb_session *session) {
    return (spb_bytes){session->scratch.data, session->scratch.len};
}

static void add_live(spb_session *session, spb_metric *metric, uint64_t timestamp_ms, bool is_patient, spb_time now) {
    spb_device *holder = metric->holder;
    spb_block_limits limits = spb_outbox__limits(holder->entity, spb_session__most_metric_bytes(session, holder));
    spb_outbox__add_live(holder->entity, encoded(session), timestamp_ms, is_patient, &limits, now);
    metric->block = holder->entity->begun;
}

/* For those who follow. */
static spb_status send_live(spb_session *session, spb_metric *metric, const sample *s, spb_time now) {
    spb_device *holder = metric->holder;
    bool is_over;
    while ((is_over = spb_outbox__is_over(holder->entity, session->scratch.len, 0)) && make_room(session, holder)) {
    }
    bool has_room = is_over || spb_outbox__reserve(&session->outbox, holder->entity, session->scratch.len);
    spb_status status = has_room ? set_value(metric, s) : SPB_ERR_NO_MEMORY;
    if (status != SPB_OK) {
        if (holder->has_dropped &&
            !holder->entity->live.first) { /* nothing waits that leads to spb_session__catch_up */
            spb_session__want_birth(session, holder, now);
        }
        return status;
    }
    spb_session__drop_unsent(session, metric); /* from a moment in which the device was offline */
    metric->is_behind = is_over;
    if (is_over) {
        holder->has_dropped = true;
        session->stats.samples_dropped_overflow++;
    } else {
        add_live(session, metric, s->timestamp_ms, s->is_patient, now);
        if (s->is_urgent) {
            spb_outbox__close_live(holder->entity);
        }
    }
    return SPB_OK;
}

/* For the journal. */
static spb_status store(spb_session *session, spb_metric *metric, const sample *s, spb_time now) {
    spb_entity *entity = metric->holder->entity;
    bool is_over = spb_outbox__is_history_over(entity, session->scratch.len);
    if (!is_over && !spb_outbox__reserve(&session->outbox, entity, session->scratch.len)) {
        return SPB_ERR_NO_MEMORY;
    }
    spb_status status = set_value(metric, s);
    if (status != SPB_OK) {
        return status;
    }
    metric->block = 0;         /* no live block has it, */
    metric->is_behind = false; /* and a birth will be ahead of it */
    spb_session__drop_unsent(session, metric);
    if (is_over) { /* the next birth has the value; the sample is gone */
        session->stats.samples_dropped_disk++;
    } else {
        spb_outbox__add_history(entity, encoded(session), s->timestamp_ms, now);
    }
    return SPB_OK;
}

static spb_status pass(spb_session *session, spb_metric *metric, const sample *s, spb_time now) {
    session->scratch.len = 0;
    spb_status status =
        spb_certificate__sample(&session->scratch, metric, s->value, s->timestamp_ms, s->quality, false, NULL);
    if (status != SPB_OK) {
        return status;
    }
    bool is_for_journal = session->outbox.journal.is_used && metric->keep == SPB_KEEP_ALL;
    status = spb_session__is_followed(session, metric) ? send_live(session, metric, s, now)
             : is_for_journal                          ? store(session, metric, s, now)
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

/* The rules tell a time of the samples; it comes as long after this sample as that is away. */
static bool set_timer(spb_session *session, spb_metric *metric, const spb_verdict *verdict, uint64_t timestamp_ms,
                      spb_time now) {
    uint64_t wait_ms = verdict->until_ms > timestamp_ms ? verdict->until_ms - timestamp_ms : 0;
    uint64_t at_ms = now.mono_ms + (wait_ms < UINT32_MAX ? wait_ms : UINT32_MAX);
    if (spb_deadlines__at_ms(&session->timers, &metric->timer) <= at_ms) {
        if (verdict->is_running) {
            return true;
        }
        if (spb_entity__has_patient(metric->holder->entity)) { /* by the time of the samples, theirs has come */
            spb_outbox__end_patience(metric->holder->entity);
        }
    }
    return spb_deadlines__set(&session->timers, &metric->timer, at_ms);
}

/* ---- a sample comes ---- */

/* It may have gone another way, or been dropped: then those that were deferred still need the timer. */
static spb_status send(spb_session *session, spb_metric *metric, const sample *s, spb_time now) {
    spb_status status = pass(session, metric, s, now);
    if (status == SPB_OK && !spb_entity__has_patient(metric->holder->entity)) {
        spb_deadlines__cancel(&session->timers, &metric->timer);
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

spb_status spb_session__take_sample(spb_session *session, const spb_sample *given, spb_time now) {
    spb_metric *metric = given->metric;
    sample s = {.value = &given->value,
                .timestamp_ms = given->timestamp_ms == SPB_NOW ? spb_session__stamp(session, now) : given->timestamp_ms,
                .quality = given->flags & SPB_SAMPLE_QUALITY,
                .is_urgent = metric->is_urgent || (given->flags & SPB_SAMPLE_URGENT) != 0};
    spb_report last = spb_metric__report(metric), report = spb_session__report(given, s.timestamp_ms);
    spb_status status = follow(session, metric, &s, spb_change__judge(metric->change, &last, &report), now);
    if (status != SPB_OK) {
        spb_change__doubt(metric->change);
        return status;
    }
    metric->is_time_given = given->timestamp_ms != SPB_NOW;
    session->stats.samples_accepted++;
    return SPB_OK;
}

/* What is sent besides is known from then on, and if it was held, it is held no more. */
static void note_told(spb_session *session, spb_metric *metric) {
    spb_report report = spb_metric__report(metric);
    spb_change__reported(metric->change, &report);
    session->stats.samples_repeated += !metric->is_held;
    if (metric->is_held) {
        spb_deadlines__cancel(&session->timers, &metric->timer);
        clear_unsent(session, metric);
    }
    metric->is_ahead = false;
}

/* Without memory, later. */
void spb_session__catch_up(spb_session *session, spb_device *holder, spb_time now) {
    holder->has_dropped = false;
    for (spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
        bool is_for_birth = metric->is_unsent && !metric->is_held; /* nobody followed when it came */
        if (!metric->is_behind || !metric->in_birth || is_for_birth) {
            continue;
        }
        session->scratch.len = 0;
        if (spb_certificate__sample(&session->scratch, metric, &metric->value, metric->timestamp_ms, metric->quality,
                                    false, NULL) != SPB_OK ||
            spb_outbox__is_over(holder->entity, 0, 0) ||
            !spb_outbox__reserve(&session->outbox, holder->entity, session->scratch.len)) {
            holder->has_dropped = true;
            if (!holder->entity->live.first) { /* nothing waits that would lead here again */
                spb_session__want_birth(session, holder, now);
            }
            return;
        }
        add_live(session, metric, metric->timestamp_ms, false, now);
        note_told(session, metric);
        metric->is_behind = false;
    }
}

/* ---- time comes ---- */

static void ring(spb_session *session, spb_metric *metric, spb_time now) {
    spb_report last = spb_metric__report(metric);
    bool is_due = spb_change__on_due(metric->change, &last) || metric->is_held;
    if (is_due && pass_held(session, metric, now) != SPB_OK) {
        spb_change__doubt(metric->change);
        spb_deadlines__set(&session->timers, &metric->timer, now.mono_ms + RETRY_MS); /* its place is free */
    }
    if (spb_entity__has_patient(metric->holder->entity)) {
        spb_outbox__end_patience(metric->holder->entity);
    }
}

void spb_session__ring_timers(spb_session *session, spb_time now) {
    for (spb_deadline *place; (place = spb_deadlines__ring(&session->timers, now.mono_ms));) {
        ring(session, SPB_DEADLINE_OF(place, spb_metric, timer), now);
    }
}

void spb_session__release(spb_session *session, spb_metric *metric, spb_time now) {
    if (metric->is_held && metric->is_ahead) {
        spb_deadlines__cancel(&session->timers, &metric->timer);
        ring(session, metric, now);
    }
}

void spb_session__release_all(spb_session *session, spb_time now) {
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        for (spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
            spb_session__release(session, metric, now);
        }
    }
    spb_outbox__close_all(&session->outbox);
}
