/* How long a test waits for what should happen, so that one that waits in vain says so instead of hanging. */
#ifndef TESTS_SUPPORT_DEADLINE_H
#define TESTS_SUPPORT_DEADLINE_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* Far beyond what anything here takes, also under valgrind on a busy machine: only a test that fails waits so long. */
#define DEADLINE_S 60

static inline struct timespec deadline_from_now(void) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_S;
    return deadline;
}

/* Waits once. False: the deadline has come. Let go of the lock before you fail the test: its teardown may want it. */
static inline bool deadline_wait(pthread_cond_t *changed, pthread_mutex_t *lock, const struct timespec *deadline) {
    return pthread_cond_timedwait(changed, lock, deadline) == 0;
}

#endif
