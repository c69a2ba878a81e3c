/* Decides what the clocks of the process show. Only the wall clock lies; all else comes from the kernel as it is. */
#define _GNU_SOURCE
#include "chaos/clocks.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS INT64_C(1000000000)
/* A clock that is not set shows so much more than the monotonic one: nobody may take one for the other. */
#define UNSET_NS (12345 * NS)

static _Atomic int64_t offset_ns;

static int read_clock(clockid_t clock, struct timespec *out) {
    return (int)syscall(SYS_clock_gettime, clock, out);
}

static int64_t ns_of(const struct timespec *time) {
    return (int64_t)time->tv_sec * NS + time->tv_nsec;
}

static int64_t read_ns(clockid_t clock) {
    struct timespec time = {0};
    read_clock(clock, &time);
    return ns_of(&time);
}

static struct timespec time_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / NS, .tv_nsec = ns % NS};
}

static int64_t distance(int64_t a, int64_t b) {
    return a > b ? a - b : b - a;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
    int failure = read_clock(clock, out);
    if (!failure && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        *out = time_of(ns_of(out) + offset_ns);
    }
    return failure;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int failure = clock_gettime(CLOCK_REALTIME, &now);
    if (!failure) {
        *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    }
    return failure;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

/* Deadlines by the wall clock are of the shown one; the kernel waits by the true one. Which clock a condition variable
 * has it does not tell, so the one that is nearer to the deadline. */
int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict lock,
                           const struct timespec *restrict deadline) {
    int64_t until = ns_of(deadline);
    if (distance(until, read_ns(CLOCK_MONOTONIC)) < distance(until, read_ns(CLOCK_REALTIME) + offset_ns)) {
        return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, deadline);
    }
    struct timespec true_deadline = time_of(until - offset_ns);
    return pthread_cond_clockwait(cond, lock, CLOCK_REALTIME, &true_deadline);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    struct timespec true_deadline = time_of(ns_of(deadline) - offset_ns);
    return sem_clockwait(semaphore, CLOCK_REALTIME, &true_deadline);
}

void chaos_clock_shift(int64_t offset_ms) {
    offset_ns = offset_ms * 1000000;
}

void chaos_clock_unset(void) {
    offset_ns = read_ns(CLOCK_MONOTONIC) - read_ns(CLOCK_REALTIME) + UNSET_NS;
}

void chaos_clock_read(uint64_t *seen_ms, uint64_t *true_ms) {
    int64_t now = read_ns(CLOCK_REALTIME);
    *seen_ms = (uint64_t)((now + offset_ns) / 1000000);
    *true_ms = (uint64_t)(now / 1000000);
}

uint64_t chaos_clock_true_ms(void) {
    return (uint64_t)(read_ns(CLOCK_REALTIME) / 1000000);
}
