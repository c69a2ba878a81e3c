/*
 * Decides which clocks the node lives by: timers follow the monotonic clock, so that a step of the wall clock neither
 * hurries nor delays them; only timestamps follow the wall clock.
 */
#include "node/clock.h"

#include <time.h>

#include "base/monotonic.h"

static uint64_t read_ms(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

spb_time spb_clock__now(void) {
    return (spb_time){.mono_ms = spb_monotonic__ms(), .wall_ms = read_ms(CLOCK_REALTIME)};
}

/* Linux has clocks that are copied from the last tick instead of being read. */
#ifdef CLOCK_MONOTONIC_COARSE
#define MONOTONIC_OF_TICK CLOCK_MONOTONIC_COARSE
#define REALTIME_OF_TICK CLOCK_REALTIME_COARSE
#else
#define MONOTONIC_OF_TICK CLOCK_MONOTONIC
#define REALTIME_OF_TICK CLOCK_REALTIME
#endif

uint64_t spb_clock__wall_ms(bool is_exact) {
    return read_ms(is_exact ? CLOCK_REALTIME : REALTIME_OF_TICK);
}

spb_time spb_clock__of_update(bool gives_time) {
    uint64_t wall_ms = spb_clock__wall_ms(gives_time);
    bool is_set = wall_ms >= SPB_EARLIEST_MS; /* else the monotonic clock gives the sample its time */
    return (spb_time){.mono_ms = gives_time && !is_set ? spb_monotonic__ms() : read_ms(MONOTONIC_OF_TICK),
                      .wall_ms = wall_ms};
}

int spb_clock__init_cond(pthread_cond_t *cond) {
    pthread_condattr_t attributes;
    int failure = pthread_condattr_init(&attributes);
    if (failure) {
        return failure;
    }
    failure = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (!failure) {
        failure = pthread_cond_init(cond, &attributes);
    }
    pthread_condattr_destroy(&attributes);
    return failure;
}

bool spb_clock__wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_ms) {
    if (deadline_ms == SPB_NEVER) {
        return pthread_cond_wait(cond, lock) == 0;
    }
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ms / 1000),
                                .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    return pthread_cond_timedwait(cond, lock, &deadline) == 0;
}
