/*
 * From the making of a sample until a subscriber behind mosquitto has it, at a steady pace. The baseline is paho alone,
 * which sends each sample as a message at once. With a journal that is replayed meanwhile, at its pace, live data shall
 * not wait much longer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <spb/payload.h>

#include "bench.h"
#include "listener.h"
#include "paho.h"
#include "plant.h"
#include "support/broker.h"

#define PER_SECOND 10000
#define SECONDS 5
#define SAMPLES ((uint64_t)PER_SECOND * SECONDS)
#define DEVICES 4
#define METRICS 100
#define REPLAYED 1500000 /* more than are replayed in that time */
#define STORE_BYTES (UINT64_C(256) << 20)

static broker *server;
static listener *subscriber;

typedef struct latencies {
    double p50_ms, p99_ms, p999_ms;
} latencies;

static int by_size(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* What has arrived of live samples. */
static latencies collect(void) {
    size_t count = listener_read(subscriber).latencies;
    uint32_t *sorted = bench_allocate(count, sizeof *sorted);
    memcpy(sorted, listener_latencies(subscriber), count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_size);
    latencies l = {.p50_ms = sorted[count / 2] / 1e6,
                   .p99_ms = sorted[count * 99 / 100] / 1e6,
                   .p999_ms = sorted[count * 999 / 1000] / 1e6};
    free(sorted);
    return l;
}

/* `make` is called PER_SECOND times in a second; a call that comes late is not made up for by a burst of more than
 * what is due. */
static void at_pace(void (*make)(void *context, uint64_t i), void *context) {
    const uint64_t step_ns = 1000000000 / PER_SECOND;
    uint64_t begin_ns = bench_now_ns();
    for (uint64_t i = 0; i < SAMPLES; i++) {
        uint64_t due_ns = begin_ns + i * step_ns;
        struct timespec due = {.tv_sec = (time_t)(due_ns / 1000000000), .tv_nsec = (long)(due_ns % 1000000000)};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {
        }
        make(context, i);
    }
}

/* ---- paho alone ---- */

static void send_one(void *context, uint64_t i) {
    (void)i;
    const spb_payload_metric metric = {.has_alias = true,
                                       .alias = 200,
                                       .has_timestamp = true,
                                       .timestamp_ms = PLANT_TIME_MS,
                                       .omit_datatype = true,
                                       .value = spb_int64((int64_t)bench_now_ns())};
    uint8_t *payload;
    size_t len;
    if (spb_payload_encode(&(spb_payload){.has_seq = true, .metrics = &metric, .metric_count = 1}, NULL, &payload, &len,
                           NULL) != SPB_OK) {
        bench_fail("cannot encode");
    }
    paho_send(context, PLANT_TOPIC, payload, len);
    spb_free(payload);
}

static latencies run_paho(void) {
    paho *sender = paho_open(broker_port(server), 64, 0);
    listener_reset(subscriber);
    at_pace(send_one, sender);
    if (!listener_wait(subscriber, SAMPLES, 0)) {
        bench_fail("paho did not deliver");
    }
    paho_close(sender);
    return collect();
}

/* ---- the node ---- */

static void update_one(void *context, uint64_t i) {
    const plant *p = context;
    spb_status status =
        spb_metric_update(p->metrics[i % (DEVICES * METRICS)], spb_int64((int64_t)bench_now_ns()), SPB_NOW);
    if (status != SPB_OK) {
        bench_fail("an update failed: %s", spb_status_name(status));
    }
}

static latencies run_node(spb_node_options options) {
    plant p;
    options.servers = broker_uri(server);
    listener_reset(subscriber);
    plant_start(&p, options, DEVICES, METRICS, SPB_INT64);
    at_pace(update_one, &p);
    spb_flush how;
    if (spb_node_flush(p.node, 60000, &how) != SPB_OK || how == SPB_FLUSH_LOST) {
        bench_fail("samples got lost");
    }
    listener_counts counts = listener_read(subscriber);
    if (counts.latencies < SAMPLES && !listener_wait(subscriber, counts.historical + SAMPLES, 0)) {
        bench_fail("%llu of %llu samples arrived", (unsigned long long)counts.latencies, (unsigned long long)SAMPLES);
    }
    latencies l = collect();
    plant_stop(&p);
    return l;
}

/* ---- with a replay ---- */

static char directory[64];

static const char *store_path(void) {
    static char path[96];
    snprintf(path, sizeof path, "%s/node.spb", directory);
    return path;
}

static void remove_store(void) {
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s", store_path(), ends[i]);
        unlink(path);
    }
}

static spb_node_options with_store(void) {
    spb_node_options options = SPB_NODE_OPTIONS_INIT;
    options.delivery = SPB_DELIVERY_OUTAGE;
    options.store_path = store_path();
    options.store_options = (spb_store_options){.max_bytes = STORE_BYTES, .sync = SPB_STORE_SYNC_NORMAL};
    return options;
}

/* Without a server, until so many samples wait in the journal. */
static void fill_journal(void) {
    char nowhere[64];
    snprintf(nowhere, sizeof nowhere, "mqtt://127.0.0.1:%u", (unsigned)broker_free_port());
    spb_node_options options = with_store();
    options.servers = nowhere;
    plant p;
    plant_build(&p, options, DEVICES, METRICS, SPB_INT64);
    if (spb_node_start(p.node, NULL) != SPB_OK) {
        bench_fail("the node does not start");
    }
    for (uint64_t i = 0; i < REPLAYED; i++) {
        spb_flush how;
        spb_status status = spb_metric_update(p.metrics[i % (DEVICES * METRICS)], spb_int64((int64_t)i), SPB_NOW);
        if (status != SPB_OK || (i % 50000 == 0 && spb_node_flush(p.node, 60000, &how) != SPB_OK)) {
            bench_fail("the journal does not take samples");
        }
    }
    plant_stop(&p);
}

static latencies run_replay(void) {
    fill_journal();
    latencies l = run_node(with_store());
    listener_counts counts = listener_read(subscriber);
    if (counts.historical == 0) {
        bench_fail("nothing was replayed");
    }
    remove_store();
    return l;
}

/* ---- results ---- */

static void report_one(const char *what, const char *percentile, double ms, const char *baseline, double baseline_ms,
                       double target, bool json) {
    bench_print_as(
        (bench_figure){
            .unit = "ms", .value = ms, .baseline = baseline, .baseline_value = baseline_ms, .target = target},
        json, "latency/%s/%s", what, percentile);
}

static void report(const char *what, const latencies *l, const char *baseline, const latencies *than,
                   double most_p99_ms, bool json) {
    report_one(what, "p50", l->p50_ms, baseline, than->p50_ms, 0, json);
    report_one(what, "p99", l->p99_ms, baseline, than->p99_ms, most_p99_ms, json);
    report_one(what, "p99.9", l->p999_ms, baseline, than->p999_ms, 0, json);
}

int bench_latency(bool json) {
    strcpy(directory, "/var/tmp/spb-bench-XXXXXX");
    if (!mkdtemp(directory)) {
        bench_fail("%s: %s", directory, strerror(errno));
    }
    server = broker_new();
    broker_start(server);
    subscriber = listener_start(broker_port(server));
    spb_node_options at_once = SPB_NODE_OPTIONS_INIT, batched = SPB_NODE_OPTIONS_INIT;
    at_once.batch_window_ms = 0;
    latencies paho_alone = run_paho();
    latencies l = run_node(at_once);
    report("window 0", &l, "paho alone", &paho_alone, 0, json);
    l = run_node(batched);
    report("window 100 ms", &l, "paho alone", &paho_alone, 0, json);
    latencies without = run_node(with_store());
    remove_store();
    l = run_replay();
    report("window 100 ms, replay", &l, "without replay", &without, 2 * without.p99_ms, json);
    rmdir(directory);
    listener_stop(subscriber);
    broker_free(server);
    return 0;
}
