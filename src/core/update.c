/* Decides which samples of the application are taken at all; what becomes of them is left to sample.c and past.c. */
#include "core/past.h"
#include "core/session.h"

#define ALL_FLAGS (SPB_SAMPLE_BAD | SPB_SAMPLE_STALE | SPB_SAMPLE_FORCED | SPB_SAMPLE_URGENT | SPB_SAMPLE_HISTORICAL)

static spb_entity *entity_of(const spb_session *session, const spb_device *device) {
    return device ? device->entity : session->table.node->entity;
}

static spb_status check(const spb_session *session, const spb_metric *metric, const spb_value *value, uint32_t flags) {
    if ((flags & ~ALL_FLAGS) != 0 || (flags & SPB_SAMPLE_QUALITY) == SPB_SAMPLE_QUALITY) {
        return SPB_ERR_ARGUMENT;
    }
    spb_status status = spb_metric__check(metric, value, NULL);
    return status == SPB_OK ? spb_session__check_template(session, value, NULL) : status;
}

spb_status spb_session_sample(spb_session *session, const spb_sample *sample, spb_time now) {
    spb_status status = check(session, sample->metric, &sample->value, sample->flags);
    if (status == SPB_OK && (sample->flags & SPB_SAMPLE_HISTORICAL) != 0 && sample->timestamp_ms == SPB_NOW) {
        status = SPB_ERR_ARGUMENT;
    }
    if (status == SPB_OK && !spb_session__is_time(sample->timestamp_ms, now.wall_ms >= SPB_EARLIEST_MS)) {
        status = SPB_ERR_RANGE;
    }
    if (status != SPB_OK) {
        return status;
    }
    spb_session__see_clock(session, now);
    return spb_session__is_past(session, sample, now) ? spb_session__take_past(session, sample, now)
                                                      : spb_session__take_sample(session, sample, now);
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

void spb_session_begin_scan(spb_session *session, spb_device *device) {
    spb_outbox__begin_scan(entity_of(session, device));
}

void spb_session_end_scan(spb_session *session, spb_device *device, spb_time now) {
    spb_outbox__end_scan(entity_of(session, device), now);
}

uint64_t spb_session_flush(spb_session *session, spb_time now) {
    spb_session__release_all(session, now);
    bool wants_birth = !session->outbox.journal.is_used && session->phase != SPB_PHASE_BORN && session->unsent > 0;
    return spb_outbox__flush(&session->outbox, wants_birth, now);
}

spb_flush spb_session_flushed(const spb_session *session, uint64_t ticket) {
    return spb_flushes__look(&session->outbox.flushes, ticket, session->outbox.journal.committed_id);
}
