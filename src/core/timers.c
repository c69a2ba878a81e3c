/* Decides nothing but the order of time. */
#include "core/timers.h"

#include <stdlib.h>

#include <spb/session.h>

void spb_timers__clear(spb_timers *timers) {
    free(timers->items);
    *timers = (spb_timers){0};
}

static void put(spb_timers *timers, size_t index, spb_timer timer) {
    timers->items[index] = timer;
    timer.metric->timer = (uint32_t)(index + 1);
}

/* The hole at `index` moves up, or down, until `timer` fits into it. */
static void settle(spb_timers *timers, size_t index, spb_timer timer) {
    spb_timer *items = timers->items;
    for (; index > 0 && items[(index - 1) / 2].at_ms > timer.at_ms; index = (index - 1) / 2) {
        put(timers, index, items[(index - 1) / 2]);
    }
    for (size_t child; (child = 2 * index + 1) < timers->count; index = child) {
        child += child + 1 < timers->count && items[child + 1].at_ms < items[child].at_ms;
        if (items[child].at_ms >= timer.at_ms) {
            break;
        }
        put(timers, index, items[child]);
    }
    put(timers, index, timer);
}

bool spb_timers__set(spb_timers *timers, spb_metric *metric, uint64_t at_ms) {
    if (metric->timer == 0 && timers->count == timers->capacity) {
        size_t capacity = timers->capacity ? timers->capacity * 2 : 16;
        spb_timer *items = capacity <= UINT32_MAX ? realloc(timers->items, capacity * sizeof *items) : NULL;
        if (!items) {
            return false;
        }
        timers->items = items;
        timers->capacity = capacity;
    }
    size_t index = metric->timer ? metric->timer - 1 : timers->count++;
    settle(timers, index, (spb_timer){.at_ms = at_ms, .metric = metric});
    return true;
}

void spb_timers__cancel(spb_timers *timers, spb_metric *metric) {
    if (metric->timer == 0) {
        return;
    }
    size_t index = metric->timer - 1;
    metric->timer = 0;
    timers->count--;
    if (index < timers->count) {
        settle(timers, index, timers->items[timers->count]);
    }
}

uint64_t spb_timers__at_ms(const spb_timers *timers, const spb_metric *metric) {
    return metric->timer ? timers->items[metric->timer - 1].at_ms : SPB_NEVER;
}

uint64_t spb_timers__next_ms(const spb_timers *timers) {
    return timers->count > 0 ? timers->items[0].at_ms : SPB_NEVER;
}

spb_metric *spb_timers__ring(spb_timers *timers, uint64_t now_ms) {
    if (spb_timers__next_ms(timers) > now_ms || timers->count == 0) {
        return NULL;
    }
    spb_metric *metric = timers->items[0].metric;
    spb_timers__cancel(timers, metric);
    return metric;
}
