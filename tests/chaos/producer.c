/*
 * Decides when samples are made, and what is owed. Each metric belongs to one thread, which numbers its samples without
 * a gap; each device has metrics of all threads.
 */
#include <time.h>

#include "chaos/clocks.h"
#include "chaos/edge.h"
#include "chaos/samples.h"

#define SCAN_MS 5

typedef struct producer {
    edge *edge;
    unsigned index;
} producer;

static uint64_t mono_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The rhythm of a scan, as a PLC has one; nothing is waited for. */
static void next_scan(uint32_t ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000}, NULL);
}

/* Timestamps of its own come from the wall clock that the application sees; before that is set, it knows better. */
static spb_status update(edge *self, unsigned metric, uint64_t number) {
    spb_metric *handle = self->metrics[metric];
    chaos_sample sample = {.metric = metric, .number = number};
    chaos_clock_read(&sample.seen_ms, &sample.true_ms);
    sample.own_ms = sample.seen_ms < CHAOS_EARLIEST_MS ? sample.true_ms : sample.seen_ms;
    switch (chaos_form_of(metric)) {
    case CHAOS_INTEGER: return spb_metric_update(handle, spb_int64((int64_t)chaos_encode(&sample)), sample.own_ms);
    case CHAOS_REAL: return spb_metric_update(handle, spb_double((double)chaos_encode(&sample)), sample.own_ms);
    case CHAOS_CLOCKED: break;
    }
    char text[CHAOS_TEXT];
    chaos_write_text(&sample, text);
    return spb_metric_update(handle, spb_string(text), SPB_NOW);
}

/* One more sample of the metric; what was not accepted is tried again with the next scan. */
static bool make_sample(edge *self, unsigned metric) {
    chaos_slot *slot = &self->life->slots[metric];
    uint64_t number = slot->accepted;
    slot->attempted = number + 1;
    spb_status status = update(self, metric, number);
    if (status != SPB_OK) {
        edge_say("refused %s", spb_status_name(status));
        return false;
    }
    slot->accepted = number + 1;
    return true;
}

static uint64_t made_by(const edge *self, unsigned thread) {
    uint64_t sum = 0;
    for (unsigned metric = thread; metric < self->account->metrics; metric += self->threads) {
        sum += self->life->slots[metric].accepted;
    }
    return sum;
}

static void *produce(void *context) {
    const producer *own = context;
    edge *self = own->edge;
    uint64_t wanted = self->samples / self->threads + 1, done = made_by(self, own->index), start = mono_ns(), made = 0;
    unsigned metric = own->index;
    while (done < wanted || !self->may_finish) {
        uint64_t due = (mono_ns() - start) / 1000 * (self->samples_per_s / self->threads) / 1000000;
        pthread_rwlock_rdlock(&self->clock_lock);
        while (made < due && make_sample(self, metric)) {
            made++;
            done++;
            metric += self->threads;
            if (metric >= self->account->metrics) {
                metric = own->index;
            }
        }
        pthread_rwlock_unlock(&self->clock_lock);
        next_scan(SCAN_MS);
    }
    return NULL;
}

/* What was accepted before a flush is safe when it says so; only then is it owed to a process that is killed. */
static void flush_once(edge *self) {
    uint64_t accepted[CHAOS_MAX_METRICS];
    for (unsigned metric = 0; metric < self->account->metrics; metric++) {
        accepted[metric] = self->life->slots[metric].accepted;
    }
    spb_flush how = SPB_FLUSH_PENDING;
    spb_status status = spb_node_flush(self->node, 1000, &how);
    if (status == SPB_OK && (how == SPB_FLUSH_CONFIRMED || how == SPB_FLUSH_STORED)) {
        for (unsigned metric = 0; metric < self->account->metrics; metric++) {
            self->life->slots[metric].flushed = accepted[metric];
        }
    } else if (status != SPB_ERR_TIMEOUT) {
        edge_say("flush %s", status == SPB_OK ? "lost" : spb_status_name(status));
    }
}

static void *flush(void *context) {
    edge *self = context;
    while (!self->is_over) {
        if (self->flush_ms > 0) {
            flush_once(self);
        }
        edge_node_count(self);
        next_scan(self->flush_ms > 0 ? self->flush_ms : 100);
    }
    return NULL;
}

static void *finish(void *context) {
    edge *self = context;
    for (unsigned i = 0; i < self->threads; i++) {
        pthread_join(self->threads_of[i], NULL);
    }
    edge_say("produced");
    return NULL;
}

static void start_thread(pthread_t *out, void *(*run)(void *), void *context) {
    if (pthread_create(out, NULL, run, context) != 0) {
        edge_die("pthread_create", "no thread");
    }
}

void producer_start(edge *self) {
    static producer producers[CHAOS_MAX_THREADS];
    for (unsigned i = 0; i < self->threads; i++) {
        producers[i] = (producer){.edge = self, .index = i};
        start_thread(&self->threads_of[i], produce, &producers[i]);
    }
    start_thread(&self->finisher, finish, self);
    start_thread(&self->flusher, flush, self);
}

void producer_join(edge *self) {
    pthread_join(self->finisher, NULL);
    self->is_over = true;
    pthread_join(self->flusher, NULL);
    if (self->flush_ms > 0) {
        flush_once(self);
    }
}
