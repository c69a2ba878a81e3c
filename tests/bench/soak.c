/*
 * Full speed for a long time: memory stays flat, and each sample arrives or is counted as dropped. The baseline is the
 * memory after the first part. Ten minutes, or SPB_BENCH_SECONDS of the environment.
 */
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "listener.h"
#include "load.h"
#include "support/broker.h"

#define PARTS 20
#define PER_MESSAGE 100
#define THREADS 2

static uint64_t seconds(void) {
    const char *wanted = getenv("SPB_BENCH_SECONDS");
    long value = wanted ? strtol(wanted, NULL, 10) : 600;
    return value > 0 ? (uint64_t)value : 600;
}

static void check_all(const plant *p, const listener *subscriber, uint64_t samples) {
    spb_stats stats = plant_stats(p);
    uint64_t dropped = stats.samples_dropped_overflow + stats.samples_dropped_lost + stats.samples_dropped_offline;
    if (!listener_wait(subscriber, samples - dropped, 0)) {
        bench_fail("of %llu samples %llu arrived and %llu are counted as dropped", (unsigned long long)samples,
                   (unsigned long long)listener_read(subscriber).samples, (unsigned long long)dropped);
    }
    if (listener_read(subscriber).out_of_order > 0) {
        bench_fail("sequence numbers with gaps");
    }
}

int bench_soak(bool json) {
    broker *server = broker_new();
    broker_start(server);
    listener *subscriber = listener_start(broker_port(server));
    spb_node_options options = SPB_NODE_OPTIONS_INIT;
    options.servers = broker_uri(server);
    options.batch_max_bytes = PER_MESSAGE * plant_sample_bytes();
    plant p;
    plant_start(&p, options, THREADS * LOAD_DEVICES, LOAD_METRICS, SPB_DOUBLE);
    listener_wait(subscriber, 0, 1 + THREADS * LOAD_DEVICES);
    listener_reset(subscriber);
    uint64_t samples = 0;
    uint64_t begin_ns = bench_now_ns();
    size_t early = 0;
    size_t most = 0;
    for (int part = 0; part < PARTS; part++) {
        samples += load_run(&p, THREADS, PER_MESSAGE, seconds() * 1000000000 / PARTS);
        size_t now = bench_resident_bytes(getpid());
        early = part == 0 ? now : early;
        most = now > most ? now : most;
        check_all(&p, subscriber, samples);
    }
    double took_s = (double)(bench_now_ns() - begin_ns) / 1e9;
    bench_print(
        &(bench_figure){
            .name = "soak/samples", .unit = "samples/s", .value = (double)samples / took_s, .more_is_better = true},
        json);
    bench_print(&(bench_figure){.name = "soak/memory",
                                .unit = "MB",
                                .value = (double)most / 1e6,
                                .baseline = "after the first part",
                                .baseline_value = (double)early / 1e6},
                json);
    plant_stop(&p);
    listener_stop(subscriber);
    broker_free(server);
    return 0;
}
