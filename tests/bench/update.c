/*
 * What one update costs the thread that makes it: accepted into a batch, or not worth sending. The node is online and
 * its worker at work; the network takes everything at once. The baseline is the least that one could do: a lock, and
 * the encoded sample copied to where it waits.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "plant.h"
#include "sink.h"

#define ROUNDS 100
#define UPDATES 20000 /* of a thread in a round: no more than waits without being dropped */
#define METRICS 1000  /* of a thread, in a device of its own */
#define MAX_THREADS 4
#define SAMPLE_BYTES 21

typedef struct baseline {
    pthread_mutex_t lock;
    uint8_t bytes[65536];
    size_t len;
} baseline;

typedef struct worker {
    pthread_t thread;
    pthread_barrier_t *begin;
    spb_metric **metrics;
    bool is_same; /* each value as the one before */
    baseline *copy;
    double offset;
    double cpu_ns; /* of an update */
} worker;

static double thread_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *update(void *context) {
    worker *self = context;
    pthread_barrier_wait(self->begin);
    size_t at = 0;
    double begin_ns = thread_cpu_ns();
    for (size_t i = 0; i < UPDATES; i++) {
        at = at + 1 < METRICS ? at + 1 : 0;
        double value = self->is_same ? 1 : self->offset + (double)i;
        if (spb_metric_update(self->metrics[at], spb_double(value), SPB_NOW) != SPB_OK) {
            bench_fail("an update failed");
        }
    }
    self->cpu_ns = (thread_cpu_ns() - begin_ns) / UPDATES;
    return NULL;
}

static void *copy(void *context) {
    static const uint8_t sample[SAMPLE_BYTES] = {0x12, 19};
    worker *self = context;
    baseline *to = self->copy;
    pthread_barrier_wait(self->begin);
    double begin_ns = thread_cpu_ns();
    for (size_t i = 0; i < UPDATES; i++) {
        pthread_mutex_lock(&to->lock);
        if (to->len + SAMPLE_BYTES > sizeof to->bytes) {
            to->len = 0;
        }
        memcpy(to->bytes + to->len, sample, SAMPLE_BYTES);
        to->len += SAMPLE_BYTES;
        pthread_mutex_unlock(&to->lock);
    }
    self->cpu_ns = (thread_cpu_ns() - begin_ns) / UPDATES;
    return NULL;
}

/* Until all that was accepted has left, but for what was not worth it. */
static void wait_until_empty(const plant *p) {
    static const struct timespec moment = {.tv_nsec = 1000000};
    for (spb_stats stats = plant_stats(p);
         stats.samples_accepted - stats.samples_suppressed > stats.samples_published;) {
        nanosleep(&moment, NULL);
        stats = plant_stats(p);
    }
}

/* The mean of the threads: what one of them pays for an update. */
static double run(void *(*work)(void *), const plant *p, baseline *to, size_t threads, bool is_same) {
    static double offset;
    worker workers[MAX_THREADS];
    pthread_barrier_t begin;
    double sum = 0;
    wait_until_empty(p);
    pthread_barrier_init(&begin, NULL, (unsigned)threads);
    offset += 0.25;
    for (size_t i = 0; i < threads; i++) {
        workers[i] = (worker){
            .begin = &begin, .metrics = p->metrics + i * METRICS, .is_same = is_same, .copy = to, .offset = offset};
        pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        sum += workers[i].cpu_ns;
    }
    pthread_barrier_destroy(&begin);
    return sum / (double)threads;
}

static void keep_least(double *best, double ns) {
    *best = *best == 0 || ns < *best ? ns : *best;
}

static void report(const char *what, size_t threads, double ns, double baseline_ns, double target, bool json) {
    bench_print_as((bench_figure){.unit = "ns/update",
                                  .value = ns,
                                  .baseline = "lock and memcpy",
                                  .baseline_value = baseline_ns,
                                  .target = target},
                   json, "update/%s/threads %zu", what, threads);
}

static void measure(const plant *p, size_t threads, bool json) {
    static baseline to = {.lock = PTHREAD_MUTEX_INITIALIZER};
    double accepted = 0, suppressed = 0, copied = 0;
    spb_stats before, after;
    for (int round = 0; round < ROUNDS; round++) {
        keep_least(&accepted, run(update, p, &to, threads, false));
        keep_least(&copied, run(copy, p, &to, threads, false));
        run(update, p, &to, threads, true); /* from now on the values are the same */
        before = plant_stats(p);
        keep_least(&suppressed, run(update, p, &to, threads, true));
        after = plant_stats(p);
        if (after.samples_suppressed - before.samples_suppressed != threads * UPDATES) {
            bench_fail("values that did not change were not suppressed");
        }
    }
    report("accepted", threads, accepted, copied, 100, json);
    report("suppressed", threads, suppressed, copied, 50, json);
    if (after.samples_dropped_overflow > 0) {
        bench_fail("%llu samples were dropped: the worker could not follow",
                   (unsigned long long)after.samples_dropped_overflow);
    }
}

int bench_update(bool json) {
    spb_node_options options = SPB_NODE_OPTIONS_INIT;
    options.servers = "mqtt://nowhere";
    options.transport = sink_new();
    plant p;
    plant_start(&p, options, MAX_THREADS, METRICS, SPB_DOUBLE);
    measure(&p, 1, json);
    measure(&p, 4, json);
    plant_stop(&p);
    return 0;
}
