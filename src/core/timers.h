/* Timers of metrics: one each at most, the next one found at once. A heap; every step is O(log n). */
#ifndef SPB_CORE_TIMERS_H
#define SPB_CORE_TIMERS_H

#include <stdbool.h>

#include "core/metric.h"

typedef struct spb_timer {
    uint64_t at_ms; /* monotonic */
    spb_metric *metric;
} spb_timer;

typedef struct spb_timers {
    spb_timer *items; /* a heap by at_ms; metric->timer is the index in it, from 1 */
    size_t count;
    size_t capacity;
} spb_timers;

void spb_timers__clear(spb_timers *timers);
/* The metric's timer rings at at_ms, and no more at another time. False: no memory, and nothing has changed. */
bool spb_timers__set(spb_timers *timers, spb_metric *metric, uint64_t at_ms);
/* It does not ring. */
void spb_timers__cancel(spb_timers *timers, spb_metric *metric);
/* When that of the metric rings; SPB_NEVER: it has none. */
uint64_t spb_timers__at_ms(const spb_timers *timers, const spb_metric *metric);
/* When the next one rings; SPB_NEVER: none is set. */
uint64_t spb_timers__next_ms(const spb_timers *timers);
/* Takes out the next one if it rings by now_ms; else NULL. */
spb_metric *spb_timers__ring(spb_timers *timers, uint64_t now_ms);

#endif
