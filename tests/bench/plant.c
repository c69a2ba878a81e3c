/* Decides what the edge node of the benchmarks looks like. What it has to do is left to them. */
#include "plant.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include <spb/payload.h>

#include "bench.h"

/* Aliases of two bytes: all samples have one size, however many metrics there are. */
#define FIRST_ALIAS 128
#define LAST_ALIAS 16383

static sem_t went_online;

static void on_state(spb_node *node, spb_session_state state, const char *reason, void *user) {
    (void)node, (void)reason, (void)user;
    if (state == SPB_SESSION_ONLINE) {
        sem_post(&went_online);
    }
}

static void on_log(spb_log_level level, const char *text, void *user) {
    (void)level, (void)user;
    fprintf(stderr, "spb-bench: %s\n", text);
}

static spb_metric *add_metric(spb_node *node, spb_device *device, size_t number, spb_type type) {
    char name[32];
    snprintf(name, sizeof name, "Line 4/Press/Hydraulics/P%05zu", number % 100000);
    spb_error err;
    spb_metric_def def = {.name = name, .type = type};
    spb_metric *metric = device ? spb_device_add_metric(device, &def, &err) : spb_node_add_metric(node, &def, &err);
    if (!metric) {
        bench_fail("%s: %s", name, err.text);
    }
    return metric;
}

/* The first ones are the node's own, and only there for the size of the aliases of the others. */
static void use_up_small_aliases(spb_node *node) {
    for (size_t i = 1; i < FIRST_ALIAS; i++) {
        add_metric(node, NULL, i, SPB_DOUBLE);
    }
}

void plant_build(plant *self, spb_node_options options, size_t device_count, size_t metrics_per_device, spb_type type) {
    spb_error err;
    options.group_id = "Plant";
    options.node_id = "Gateway";
    options.on_state = on_state;
    options.on_log = on_log;
    options.log_level = SPB_LOG_ERROR;
    *self = (plant){.device_count = device_count, .metrics_per_device = metrics_per_device};
    self->metrics = bench_allocate(device_count * metrics_per_device, sizeof *self->metrics);
    sem_init(&went_online, 0, 0);
    if (spb_node_new(&self->node, &options, &err) != SPB_OK) {
        bench_fail("%s", err.text);
    }
    use_up_small_aliases(self->node);
    for (size_t i = 0; i < device_count; i++) {
        char id[32];
        snprintf(id, sizeof id, "Device%zu", i);
        spb_device *device = spb_node_add_device(self->node, id, &err);
        if (!device) {
            bench_fail("%s: %s", id, err.text);
        }
        for (size_t j = 0; j < metrics_per_device; j++) {
            self->metrics[i * metrics_per_device + j] = add_metric(self->node, device, j, type);
        }
    }
}

void plant_connect(plant *self) {
    spb_error err;
    if (spb_node_start(self->node, &err) != SPB_OK) {
        bench_fail("%s", err.text);
    }
    sem_wait(&went_online);
}

void plant_start(plant *self, spb_node_options options, size_t device_count, size_t metrics_per_device, spb_type type) {
    plant_build(self, options, device_count, metrics_per_device, type);
    plant_connect(self);
}

void plant_stop(plant *self) {
    spb_node_stop(self->node, 10000);
    spb_node_free(self->node);
    free(self->metrics);
    sem_destroy(&went_online);
}

spb_stats plant_stats(const plant *self) {
    spb_stats stats;
    spb_node_stats(self->node, &stats);
    return stats;
}

static spb_payload_metric sample_of(size_t i) {
    return (spb_payload_metric){.has_alias = true,
                                .alias = FIRST_ALIAS + i % (LAST_ALIAS - FIRST_ALIAS),
                                .has_timestamp = true,
                                .timestamp_ms = PLANT_TIME_MS,
                                .omit_datatype = true,
                                .value = spb_double((double)i / 7)};
}

static void encode(const spb_payload *payload, uint8_t **bytes, size_t *len) {
    if (spb_payload_encode(payload, NULL, bytes, len, NULL) != SPB_OK) {
        bench_fail("cannot encode");
    }
}

size_t plant_sample_bytes(void) {
    const spb_payload_metric one[] = {sample_of(0)};
    size_t without, with;
    uint8_t *bytes;
    encode(&(spb_payload){.has_seq = true}, &bytes, &without);
    spb_free(bytes);
    encode(&(spb_payload){.has_seq = true, .metrics = one, .metric_count = 1}, &bytes, &with);
    spb_free(bytes);
    return with - without;
}

void plant_payload(size_t samples, uint8_t **bytes, size_t *len) {
    spb_payload_metric *metrics = bench_allocate(samples, sizeof *metrics);
    for (size_t i = 0; i < samples; i++) {
        metrics[i] = sample_of(i);
    }
    encode(&(spb_payload){.has_timestamp = true,
                          .timestamp_ms = PLANT_TIME_MS,
                          .has_seq = true,
                          .seq = 200,
                          .metrics = metrics,
                          .metric_count = samples},
           bytes, len);
    free(metrics);
}
