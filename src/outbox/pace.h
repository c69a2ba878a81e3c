/*
 * How fast a replay may go: so many samples and so many bytes per second. What leaves at once is at most what may leave
 * in 100 ms, or one message when that is more; the average is kept, as a large message is waited for afterwards.
 */
#ifndef SPB_OUTBOX_PACE_H
#define SPB_OUTBOX_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One limit. It counts in thousandths, so that a millisecond is worth a whole number of them. */
typedef struct spb_pace_bucket {
    uint32_t per_s; /* 0: no limit */
    int64_t level;  /* what may leave; below 0 after a large message */
} spb_pace_bucket;

typedef struct spb_pace {
    spb_pace_bucket samples, bytes;
    uint64_t at_ms; /* the time for which the levels stand */
} spb_pace;

/* 0: no limit. All times are of the monotonic clock. */
void spb_pace__init(spb_pace *pace, uint32_t samples_per_s, uint32_t bytes_per_s);
/* When a message with so much in it may leave, if none does before: now_ms, or later. */
uint64_t spb_pace__next_ms(const spb_pace *pace, uint32_t samples, size_t bytes, uint64_t now_ms);
/* It left. */
void spb_pace__take(spb_pace *pace, uint32_t samples, size_t bytes, uint64_t now_ms);

#endif
