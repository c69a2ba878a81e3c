/*
 * Decides which samples concern nobody but their own holder: they say nothing new, or join a message that is open and
 * stays so. Whoever has the holder may take them, while others have other holders; what such samples count is added to
 * the session later. All others are left to sample.c.
 */
#include "codec/encode.h"
#include "core/handle.h"
#include "core/past.h"
#include "core/session.h"

/* No sample of a number is longer. */
#define MOST_BYTES 64
/* So much may be missing in the sum of what waits. */
#define MOST_UNSETTLED_BYTES ((size_t)16 * 1024)

uint32_t spb_metric__lane(const spb_metric *metric) {
    return metric->holder->number;
}

/* A right one, which takes no memory. */
static bool is_number(const spb_sample *given) {
    spb_type type = given->value.type;
    return type == (spb_type)given->metric->type && (type <= SPB_BOOLEAN || type == SPB_DATETIME) &&
           spb_metric__check(given->metric, &given->value, NULL) == SPB_OK;
}

static void set(spb_metric *metric, const spb_sample *given, uint64_t timestamp_ms) {
    spb_metric__set(metric, &given->value, timestamp_ms, NULL); /* cannot fail for a number */
    metric->is_time_given = given->timestamp_ms != SPB_NOW;
}

/* ---- nothing new ---- */

bool spb_session__is_news(const spb_sample *given) {
    const spb_metric *metric = given->metric;
    spb_report last = spb_metric__report(metric), report = spb_session__report(given, 0);
    return spb_session__may_be_late(given) || !is_number(given) || (given->flags & ~SPB_SAMPLE_QUALITY) != 0 ||
           !spb_change__drops_always(metric->change, &last, &report);
}

/* The clock need not be exact here; the time of a metric does not go back for that. */
static uint64_t about_ms(const spb_session *session, const spb_metric *metric, spb_time now) {
    uint64_t now_ms = spb_session__stamp(session, now);
    bool is_late = metric->timestamp_ms > now_ms && metric->timestamp_ms - now_ms <= SPB_TICK_MS;
    return is_late ? metric->timestamp_ms : now_ms;
}

void spb_session__suppress(const spb_session *session, const spb_sample *given, spb_time now, spb_tally *tally) {
    spb_metric *metric = given->metric;
    metric->is_ahead |= !spb_value_equal(&metric->value, &given->value);
    set(metric, given, given->timestamp_ms == SPB_NOW ? about_ms(session, metric, now) : given->timestamp_ms);
    tally->accepted++;
    tally->suppressed++;
}

/* ---- a message that is open ---- */

static bool is_plain(const spb_sample *given) {
    const spb_metric *metric = given->metric;
    return is_number(given) && given->flags == 0 && !metric->has_quality && !metric->is_urgent && metric->alias != 0 &&
           !metric->is_unsent && !metric->is_behind && spb_change__is_timeless(metric->change);
}

static bool has_room(const spb_entity *entity, const spb_tally *tally) {
    return tally->bytes <= MOST_UNSETTLED_BYTES && !spb_outbox__is_over(entity, MOST_BYTES, tally->bytes);
}

bool spb_session__join(const spb_session *session, const spb_sample *given, spb_time now, spb_tally *tally) {
    spb_metric *metric = given->metric;
    spb_entity *entity = metric->holder->entity;
    spb_outbox_block *block = entity->open;
    if (!block || entity->is_patient || !session->outbox.is_clock_set || !is_plain(given) ||
        spb_session__may_be_late(given) || !spb_session__is_followed(session, metric) || !has_room(entity, tally)) {
        return false;
    }
    uint64_t timestamp_ms = given->timestamp_ms == SPB_NOW ? spb_session__stamp(session, now) : given->timestamp_ms;
    spb_block_limits limits = spb_outbox__limits(entity, spb_session__most_metric_bytes(session, metric->holder));
    size_t begin = block->bytes.len;
    if (!spb_encode__sample(&block->bytes, metric->alias, timestamp_ms, metric->is_transient, &given->value) ||
        !spb_block__join(block, begin, timestamp_ms, &limits)) {
        return false;
    }
    spb_report report = spb_session__report(given, timestamp_ms);
    spb_change__reported(metric->change, &report);
    set(metric, given, timestamp_ms);
    metric->is_ahead = false;
    metric->block = block->number;
    entity->live_bytes += block->bytes.len - begin;
    tally->accepted++;
    tally->bytes += block->bytes.len - begin;
    return true;
}

/* ---- afterwards ---- */

void spb_session__settle(spb_session *session, spb_tally *tally) {
    session->stats.samples_accepted += tally->accepted;
    session->stats.samples_suppressed += tally->suppressed;
    session->outbox.waiting_bytes += tally->bytes;
    *tally = (spb_tally){0};
}
