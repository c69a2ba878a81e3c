/* Decides when the next message of a replay may leave, by two token buckets that may run into debt. What is replayed,
 * and that live data goes first, is left to the session. */
#include "outbox/pace.h"

#define BURST_MS 100
/* More than any message has; it keeps the sums far from their ends. */
#define MOST_AT_ONCE (INT64_C(1) << 40)

static int64_t full(const spb_pace_bucket *bucket) {
    return (int64_t)bucket->per_s * BURST_MS;
}

/* The level after `elapsed_ms` more. */
static int64_t filled(const spb_pace_bucket *bucket, uint64_t elapsed_ms) {
    int64_t missing = full(bucket) - bucket->level;
    if (bucket->per_s == 0 || elapsed_ms > (uint64_t)missing / bucket->per_s) {
        return full(bucket);
    }
    return bucket->level + (int64_t)(elapsed_ms * bucket->per_s);
}

static int64_t thousandths(uint64_t amount) {
    return (amount < (uint64_t)MOST_AT_ONCE ? (int64_t)amount : MOST_AT_ONCE) * 1000;
}

/* How long until so much may leave: a full bucket lets anything pass. */
static uint64_t wait_ms(const spb_pace_bucket *bucket, uint64_t amount, uint64_t elapsed_ms) {
    if (bucket->per_s == 0) {
        return 0;
    }
    int64_t level = filled(bucket, elapsed_ms);
    int64_t wanted = thousandths(amount);
    int64_t missing = (wanted < full(bucket) ? wanted : full(bucket)) - level;
    return missing > 0 ? ((uint64_t)missing + bucket->per_s - 1) / bucket->per_s : 0;
}

static void take(spb_pace_bucket *bucket, uint64_t amount, uint64_t elapsed_ms) {
    if (bucket->per_s == 0) {
        return;
    }
    int64_t level = filled(bucket, elapsed_ms) - thousandths(amount);
    bucket->level = level > -MOST_AT_ONCE * 1000 ? level : -MOST_AT_ONCE * 1000;
}

static uint64_t elapsed_ms(const spb_pace *pace, uint64_t now_ms) {
    return now_ms > pace->at_ms ? now_ms - pace->at_ms : 0;
}

void spb_pace__init(spb_pace *pace, uint32_t samples_per_s, uint32_t bytes_per_s) {
    *pace = (spb_pace){.samples.per_s = samples_per_s, .bytes.per_s = bytes_per_s};
    pace->samples.level = full(&pace->samples);
    pace->bytes.level = full(&pace->bytes);
}

uint64_t spb_pace__next_ms(const spb_pace *pace, uint32_t samples, size_t bytes, uint64_t now_ms) {
    uint64_t by_samples_ms = wait_ms(&pace->samples, samples, elapsed_ms(pace, now_ms));
    uint64_t by_bytes_ms = wait_ms(&pace->bytes, bytes, elapsed_ms(pace, now_ms));
    return now_ms + (by_samples_ms > by_bytes_ms ? by_samples_ms : by_bytes_ms);
}

void spb_pace__take(spb_pace *pace, uint32_t samples, size_t bytes, uint64_t now_ms) {
    uint64_t elapsed = elapsed_ms(pace, now_ms);
    take(&pace->samples, samples, elapsed);
    take(&pace->bytes, bytes, elapsed);
    pace->at_ms = now_ms > pace->at_ms ? now_ms : pace->at_ms;
}
