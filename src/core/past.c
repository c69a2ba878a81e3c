/*
 * Decides which samples are of the past, and what becomes of them: hosts get them as historical data. They change
 * nothing that hosts know of the metric, nor what its rules or the next birth will tell.
 */
#include "core/past.h"
#include "core/certificate.h"

bool spb_session__is_past(const spb_session *session, const spb_sample *given, spb_time now) {
    const spb_metric *metric = given->metric;
    if ((given->flags & SPB_SAMPLE_HISTORICAL) != 0) {
        return true;
    }
    /* When the newest time is ahead of our clock, that clock or the one of the source was set back, and the sample is
     * the newest in truth. */
    return spb_session__may_be_late(given) && metric->is_time_given && (given->flags & SPB_SAMPLE_FORCED) == 0 &&
           metric->timestamp_ms <= spb_session__stamp(session, now) + SPB_TICK_MS;
}

/* There is no room. Who says that a sample is of the past has it still, and can give it again. */
static spb_status overflow(const spb_sample *given, uint64_t *counter) {
    if ((given->flags & SPB_SAMPLE_HISTORICAL) != 0) {
        return SPB_ERR_LIMIT;
    }
    ++*counter;
    return SPB_OK;
}

/* Into the journal; from there it is replayed. */
static spb_status store(spb_session *session, const spb_sample *given, spb_bytes encoded, spb_time now) {
    spb_entity *entity = given->metric->holder->entity;
    if (spb_outbox__is_history_over(entity, encoded.len)) {
        return overflow(given, &session->stats.samples_dropped_disk);
    }
    if (!spb_outbox__reserve(&session->outbox, entity, encoded.len)) {
        return SPB_ERR_NO_MEMORY;
    }
    spb_outbox__add_past(entity, encoded, given->timestamp_ms, now);
    return SPB_OK;
}

/* Among live data, marked as historical. */
static spb_status send(spb_session *session, const spb_sample *given, spb_bytes encoded, spb_time now) {
    spb_device *holder = given->metric->holder;
    spb_block_limits limits = spb_outbox__limits(holder->entity, spb_session__most_metric_bytes(session, holder));
    if (spb_outbox__is_over(holder->entity, encoded.len, 0)) {
        return overflow(given, &session->stats.samples_dropped_overflow);
    }
    if (!spb_outbox__reserve(&session->outbox, holder->entity, encoded.len)) {
        return SPB_ERR_NO_MEMORY;
    }
    spb_outbox__add_live(holder->entity, encoded, given->timestamp_ms, false, &limits, now);
    return SPB_OK;
}

static spb_status drop(spb_session *session) {
    bool is_choice = session->outbox.journal.is_used;
    *(is_choice ? &session->stats.samples_dropped_choice : &session->stats.samples_dropped_offline) += 1;
    return SPB_OK;
}

spb_status spb_session__take_past(spb_session *session, const spb_sample *given, spb_time now) {
    const spb_metric *metric = given->metric;
    bool is_for_journal = session->outbox.journal.is_used && metric->keep == SPB_KEEP_ALL;
    session->scratch.len = 0;
    spb_status status = spb_certificate__sample(&session->scratch, metric, &given->value, given->timestamp_ms,
                                                given->flags & SPB_SAMPLE_QUALITY, !is_for_journal, NULL);
    if (status != SPB_OK) {
        return status;
    }
    spb_bytes encoded = {session->scratch.data, session->scratch.len};
    status = is_for_journal                              ? store(session, given, encoded, now)
             : spb_session__is_followed(session, metric) ? send(session, given, encoded, now)
                                                         : drop(session);
    session->stats.samples_accepted += status == SPB_OK;
    session->stats.samples_historical += status == SPB_OK;
    return status;
}
