/* Time for the node: its two clocks, and waiting on the monotonic one. */
#ifndef SPB_NODE_CLOCK_H
#define SPB_NODE_CLOCK_H

#include <pthread.h>

#include <spb/session.h>

/* Both clocks at this moment. Any thread. */
spb_time spb_clock__now(void);
/*
 * Both clocks for an update, at a fraction of the price: a few milliseconds late, as the kernel's own tick left them.
 * With gives_time, a sample gets its time from them: then the clock for that is exact. So times of updates may lie a
 * little before those of other calls, and of each other.
 */
spb_time spb_clock__of_update(bool gives_time);
/* The wall clock alone, likewise: exact, or as the tick left it. */
uint64_t spb_clock__wall_ms(bool is_exact);
/* A condition variable whose timed waits follow the monotonic clock. 0, or the system's error number. */
int spb_clock__init_cond(pthread_cond_t *cond);
/* Waits for a signal; false when deadline_ms (monotonic) has come first. May wake without a signal, as condition
 * variables do. SPB_NEVER waits for as long as it takes. */
bool spb_clock__wait(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_ms);

#endif
