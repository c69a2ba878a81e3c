/*
 * Decides which samples concern nobody but their own holder: they say nothing new, or join a message that is open and
 * stays so. Whoever has the holder may take them, while others have other holders; what such samples count is added to
 * the session later. All others are left to sample.c.
 */
#include "codec/check.h"
#include "codec/encode.h"
#include "core/handle.h"
#include "core/past.h"
#include "core/session.h"

/* So much may be missing in the sum of what waits. */
#define MOST_UNSETTLED_BYTES ((size_t)16 * 1024)

uint32_t spb_metric__lane(const spb_metric *metric) {
    return metric->holder->number;
}

/* It takes no memory; that it fits its datatype is still to be seen. */
static bool is_number(const spb_sample *given) {
    spb_type type = given->value.type;
    return type == (spb_type)given->metric->type && (type <= SPB_BOOLEAN || type == SPB_DATETIME);
}

/* What is the same as the value fits, as that does; what only lies within a deadband around it may not. */
static bool is_same(const spb_sample *given) {
    const spb_metric *metric = given->metric;
    spb_report last = spb_metric__report(metric), report = spb_session__report(given, 0);
    if ((given->flags & ~SPB_SAMPLE_QUALITY) != 0) {
        return false;
    }
    if (!metric->change) {
        return spb_report__is_same(&last, &report);
    }
    return spb_change__drops_always(metric->change, &last, &report) && spb_value__check(&given->value, NULL) == SPB_OK;
}

static bool is_plain(const spb_sample *given) {
    const spb_metric *metric = given->metric;
    return given->flags == 0 && !metric->has_quality && !metric->is_urgent && metric->alias != 0 &&
           !metric->is_unsent && !metric->is_behind && (!metric->change || spb_change__is_timeless(metric->change));
}

spb_way spb_session__way(const spb_session *session, const spb_sample *given) {
    if (!session->outbox.is_clock_set || spb_session__may_be_late(given) || !is_number(given) ||
        !spb_session__is_time(given->timestamp_ms, true)) {
        return SPB_WAY_WHOLE;
    }
    return is_same(given) ? SPB_WAY_SUPPRESS : is_plain(given) ? SPB_WAY_JOIN : SPB_WAY_WHOLE;
}

static void set(spb_metric *metric, const spb_sample *given, uint64_t timestamp_ms) {
    metric->value = given->value;
    metric->timestamp_ms = timestamp_ms;
    metric->is_time_given = given->timestamp_ms != SPB_NOW;
}

/* ---- nothing new ---- */

/* The clock need not be exact here; the time of a metric does not go back for that. */
static uint64_t about_ms(const spb_metric *metric, uint64_t wall_ms) {
    bool is_late = metric->timestamp_ms > wall_ms && metric->timestamp_ms - wall_ms <= SPB_TICK_MS;
    return is_late ? metric->timestamp_ms : wall_ms;
}

void spb_session__suppress(const spb_sample *given, uint64_t wall_ms, spb_tally *tally) {
    spb_metric *metric = given->metric;
    metric->is_ahead |= metric->change && !spb_value_equal(&metric->value, &given->value);
    set(metric, given, given->timestamp_ms == SPB_NOW ? about_ms(metric, wall_ms) : given->timestamp_ms);
    tally->accepted++;
    tally->suppressed++;
}

/* ---- a message that is open ---- */

bool spb_session__join(const spb_session *session, const spb_sample *given, uint64_t wall_ms, spb_tally *tally) {
    spb_metric *metric = given->metric;
    spb_entity *entity = metric->holder->entity;
    if (tally->bytes > MOST_UNSETTLED_BYTES || !spb_session__is_followed(session, metric)) {
        return false;
    }
    uint64_t timestamp_ms = given->timestamp_ms == SPB_NOW ? wall_ms : given->timestamp_ms;
    size_t most_bytes = spb_session__most_metric_bytes(session, metric->holder);
    spb_outbox_number number = {metric->alias, timestamp_ms, &given->value, metric->is_transient};
    size_t bytes = spb_outbox__join(entity, &number, most_bytes, tally->bytes);
    if (bytes == 0) {
        return false;
    }
    spb_report report = spb_session__report(given, timestamp_ms);
    if (metric->change) {
        spb_change__reported(metric->change, &report);
    }
    set(metric, given, timestamp_ms);
    metric->is_ahead = false;
    metric->block = entity->begun;
    tally->accepted++;
    tally->bytes += bytes;
    return true;
}

/* ---- afterwards ---- */

void spb_session__settle(spb_session *session, spb_tally *tally) {
    session->stats.samples_accepted += tally->accepted;
    session->stats.samples_suppressed += tally->suppressed;
    session->outbox.waiting_bytes += tally->bytes;
    *tally = (spb_tally){0};
}
