/* The edge program, between its parts: main and commands in edge.c, the node in edge_node.c, samples in producer.c. */
#ifndef CHAOS_EDGE_H
#define CHAOS_EDGE_H

#include <pthread.h>
#include <stdatomic.h>

#include <spb/spb.h>

#include "chaos/account.h"

#define CHAOS_MAX_THREADS 16

typedef struct edge {
    spb_node_options options;
    spb_node *node;
    spb_metric *metrics[CHAOS_MAX_METRICS];
    spb_device *devices[CHAOS_MAX_METRICS]; /* by holder; [0] stays NULL */

    chaos_account *account;
    chaos_life *life;

    unsigned threads;
    uint64_t samples_per_s, samples; /* of all threads; `samples` over all lives */
    uint32_t flush_ms;               /* how often it asks for what is safe; 0: never */
    _Atomic bool may_finish;         /* when there are enough samples */
    _Atomic bool is_over;            /* the flushing thread ends */
    pthread_rwlock_t clock_lock;     /* the clock does not step between reading it and updating the metric */
    pthread_t threads_of[CHAOS_MAX_THREADS], finisher, flusher;
} edge;

/* A line on stdout, at once: what the run waits for. */
void edge_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* With a line on stderr. */
_Noreturn void edge_die(const char *what, const char *why);

/* Makes the node with its devices and metrics, and starts it. Dies when it cannot. */
void edge_node_start(edge *self);
/* The counters of the node, into the account. */
void edge_node_count(edge *self);

/* Starts the threads that update metrics. When they have made enough samples `produced` is said. */
void producer_start(edge *self);
/* Waits until all threads have ended. */
void producer_join(edge *self);

#endif
