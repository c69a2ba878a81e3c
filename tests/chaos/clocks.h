/*
 * The clocks of the edge program. clocks.c puts itself before the C library's clock_gettime, gettimeofday and time, for
 * this program and all libraries in it: their wall clock is shifted by an offset that can be changed at any moment.
 */
#ifndef CHAOS_CLOCKS_H
#define CHAOS_CLOCKS_H

#include <stdint.h>

/* The wall clock shows the true time plus this from now on. */
void chaos_clock_shift(int64_t offset_ms);
/* The wall clock shows the time since the machine was booted, as one without a battery does. */
void chaos_clock_unset(void);
/* One moment, as the process sees it and as it is. */
void chaos_clock_read(uint64_t *seen_ms, uint64_t *true_ms);
uint64_t chaos_clock_true_ms(void);

#endif
