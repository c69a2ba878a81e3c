/* Decides how applications produce at full speed: each thread with devices of its own, one message of a device after
 * the other. */
#include "load.h"

#include <pthread.h>
#include <time.h>

#include "bench.h"

/* One application thread with devices of its own. */
typedef struct producer {
    const plant *plant;
    size_t first_device;
    size_t per_message;
    uint64_t until_ns;
    uint64_t samples; /* produced */
    pthread_t thread;
} producer;

/* The library never blocks its caller: who produces without end has to look for himself how much still waits. What may
 * wait here is half of what a device can hold. */
static void wait_for_room(const producer *self) {
    static const struct timespec moment = {.tv_nsec = 100000};
    for (;;) {
        spb_stats stats = plant_stats(self->plant);
        if (stats.samples_accepted - stats.samples_published < 8 * LOAD_DEVICES * self->per_message) {
            return;
        }
        nanosleep(&moment, NULL);
    }
}

/* One message of each device, one after the other. */
static void produce_round(producer *self) {
    for (size_t i = 0; i < LOAD_DEVICES * self->per_message; i++) {
        if (i % 64 == 0) {
            wait_for_room(self);
        }
        size_t device = self->first_device + i / self->per_message;
        spb_metric *metric = self->plant->metrics[device * LOAD_METRICS + i % LOAD_METRICS];
        spb_status status = spb_metric_update(metric, spb_double((double)self->samples++), PLANT_TIME_MS);
        if (status != SPB_OK) {
            bench_fail("an update failed: %s", spb_status_name(status));
        }
    }
}

static void *produce(void *context) {
    producer *self = context;
    while (bench_now_ns() < self->until_ns) {
        produce_round(self);
    }
    return NULL;
}

uint64_t load_run(const plant *p, size_t threads, size_t per_message, uint64_t for_ns) {
    producer producers[LOAD_MAX_THREADS];
    uint64_t samples = 0;
    for (size_t i = 0; i < threads; i++) {
        producers[i] = (producer){.plant = p,
                                  .first_device = i * LOAD_DEVICES,
                                  .per_message = per_message,
                                  .until_ns = bench_now_ns() + for_ns};
        pthread_create(&producers[i].thread, NULL, produce, &producers[i]);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(producers[i].thread, NULL);
        samples += producers[i].samples;
    }
    return samples;
}
