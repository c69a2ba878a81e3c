/* Decides what an update does: into a batch when hosts follow, else to the journal, or into the next birth. */
#include "core/certificate.h"
#include "core/session.h"

void spb_session__drop_unsent(spb_session *session, spb_metric *metric) {
    if (metric->is_unsent) {
        bool is_choice = session->journal.is_used;
        *(is_choice ? &session->stats.samples_dropped_choice : &session->stats.samples_dropped_offline) += 1;
        metric->is_unsent = false;
        session->unsent--;
        spb_flushes__lose_value(&session->flushes);
    }
}

/* Without a birth to follow, the next birth will carry the value; what it replaces is gone if nothing carried it. */
static spb_status replace_value(spb_session *session, spb_metric *metric, const spb_value *value,
                                uint64_t timestamp_ms) {
    spb_status status = spb_metric__set(metric, value, timestamp_ms, NULL);
    if (status == SPB_OK) {
        spb_session__drop_unsent(session, metric);
        metric->is_unsent = true;
        session->unsent++;
        metric->is_behind = !spb_batch__is_empty(&metric->holder->batch); /* older ones will follow the birth */
    }
    return status;
}

/* More than the holder may keep waiting: with a journal, the oldest message makes room there. */
static bool is_overflow(spb_session *session, spb_device *holder) {
    size_t most_bytes = SPB_MAX_WAITING_BATCHES * session->options.batch_max_bytes;
    while (spb_batch__size(&holder->batch) + session->scratch.len > most_bytes &&
           !spb_batch__is_empty(&holder->batch)) {
        if (!spb_session__store_oldest(session, holder)) {
            return true;
        }
    }
    return false;
}

static spb_status add_to_batch(spb_session *session, spb_metric *metric, const spb_value *value, uint64_t timestamp_ms,
                               spb_time now) {
    spb_device *holder = metric->holder;
    bool is_full = is_overflow(session, holder);
    if (!is_full && !spb_batch__reserve(&holder->batch, session->scratch.len)) {
        return SPB_ERR_NO_MEMORY;
    }
    spb_status status = spb_metric__set(metric, value, timestamp_ms, NULL);
    if (status != SPB_OK) {
        return status;
    }
    spb_session__drop_unsent(session, metric); /* from a moment in which the device was offline */
    metric->is_behind = is_full;
    if (is_full) {
        holder->has_dropped = true;
        session->stats.samples_dropped_overflow++;
    } else {
        spb_session__add_sample(session, holder, timestamp_ms, now);
        metric->message = holder->batch.begun;
    }
    return SPB_OK;
}

static bool is_followed(const spb_session *session, const spb_metric *metric) {
    const spb_device *holder = metric->holder;
    /* A device that went offline and came back is born again soon: with a journal, its samples stay in order. */
    bool is_dying = session->journal.is_used && holder->links[SPB_QUEUE_DEATH].is_in;
    return spb_session__is_live(session) && holder->is_born && holder->is_online && metric->in_birth && !is_dying;
}

spb_status spb_session_update(spb_session *session, spb_metric *metric, const spb_value *value, uint64_t timestamp_ms,
                              spb_time now) {
    spb_status status = spb_metric__check(metric, value, NULL);
    if (status == SPB_OK) {
        status = spb_session__check_template(session, value, NULL);
    }
    if (status != SPB_OK) {
        return status;
    }
    spb_session__see_clock(session, now);
    if (timestamp_ms == SPB_NOW) {
        timestamp_ms = spb_session__stamp(session, now);
    }
    session->scratch.len = 0;
    status = spb_certificate__sample(&session->scratch, metric, value, timestamp_ms, NULL);
    if (status != SPB_OK) {
        return status;
    }
    if (is_followed(session, metric)) {
        status = add_to_batch(session, metric, value, timestamp_ms, now);
    } else if (session->journal.is_used && metric->keep == SPB_KEEP_ALL) {
        status = spb_session__hold(session, metric, value, timestamp_ms, now);
    } else {
        status = replace_value(session, metric, value, timestamp_ms);
    }
    session->stats.samples_accepted += status == SPB_OK;
    return status;
}

spb_value spb_session_value(const spb_session *session, const spb_metric *metric, uint64_t *timestamp_ms) {
    (void)session;
    if (timestamp_ms) {
        *timestamp_ms = metric->timestamp_ms;
    }
    return metric->value;
}
