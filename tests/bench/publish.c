/*
 * How many samples reach a subscriber through mosquitto, and what they cost this process. The baseline is paho alone
 * with a ready-made payload of the same size: there is no encoding, no batch and no session in it.
 */

#include "bench.h"
#include "listener.h"
#include "load.h"
#include "paho.h"
#include "plant.h"
#include "support/broker.h"

#define ROUNDS 5
#define ROUND_NS UINT64_C(1500000000)

static const size_t sizes[] = {1, 10, 100, 1000}; /* samples in a message */

/* The best of the rounds: whatever else the machine does makes it slower, and never faster. */
typedef struct outcome {
    double messages_per_s;
    double samples_per_s;
    double cpu_ns_per_sample;
} outcome;

static broker *server;
static listener *subscriber;

typedef struct round_begin {
    uint64_t ns;
    double cpu_ns;
} round_begin;

static round_begin begin_round(void) {
    listener_reset(subscriber);
    return (round_begin){.ns = bench_now_ns(), .cpu_ns = bench_cpu_ns()};
}

/* Until all has arrived. */
static void end_round(outcome *best, round_begin begin, uint64_t samples, size_t per_message) {
    bool is_complete = listener_wait(subscriber, samples, 0);
    double cpu_ns = (bench_cpu_ns() - begin.cpu_ns) / (double)samples;
    listener_counts counts = listener_read(subscriber);
    uint64_t fewest = samples / per_message;
    /* On a busy machine the window ends before some of them are full. */
    if (!is_complete || counts.samples != samples || counts.messages < fewest || counts.messages > fewest * 11 / 10) {
        bench_fail("%llu samples in %llu messages arrived, not %llu, %zu in each", (unsigned long long)counts.samples,
                   (unsigned long long)counts.messages, (unsigned long long)samples, per_message);
    }
    double took_s = (double)(counts.last_ns - begin.ns) / 1e9;
    double messages_per_s = (double)counts.messages / took_s;
    if (messages_per_s > best->messages_per_s) {
        best->messages_per_s = messages_per_s;
        best->samples_per_s = (double)samples / took_s;
    }
    best->cpu_ns_per_sample =
        best->cpu_ns_per_sample == 0 || cpu_ns < best->cpu_ns_per_sample ? cpu_ns : best->cpu_ns_per_sample;
}

/* ---- paho alone ---- */

static void run_paho(outcome *best, size_t per_message, unsigned window, size_t wake_bytes) {
    uint8_t *payload;
    size_t len;
    uint64_t messages = 0;
    plant_payload(per_message, &payload, &len);
    paho *sender = paho_open(broker_port(server), window, wake_bytes);
    round_begin begin = begin_round();
    for (; bench_now_ns() - begin.ns < ROUND_NS; messages++) {
        paho_send(sender, PLANT_TOPIC, payload, len);
    }
    end_round(best, begin, messages * per_message, per_message);
    paho_close(sender);
    spb_free(payload);
}

/* ---- the node ---- */

static void run_node(outcome *best, size_t per_message, size_t threads) {
    spb_node_options options = SPB_NODE_OPTIONS_INIT;
    options.servers = broker_uri(server);
    options.batch_max_bytes = per_message * plant_sample_bytes();
    plant p;
    listener_reset(subscriber);
    plant_start(&p, options, threads * LOAD_DEVICES, LOAD_METRICS, SPB_DOUBLE);
    if (!listener_wait(subscriber, 0, 1 + threads * LOAD_DEVICES)) {
        bench_fail("the births did not arrive");
    }
    round_begin begin = begin_round();
    uint64_t samples = load_run(&p, threads, per_message, ROUND_NS);
    end_round(best, begin, samples, per_message);
    spb_stats stats = plant_stats(&p);
    if (listener_read(subscriber).out_of_order > 0 || stats.samples_dropped_overflow > 0) {
        bench_fail("sequence numbers with gaps, or %llu samples dropped",
                   (unsigned long long)stats.samples_dropped_overflow);
    }
    plant_stop(&p);
}

/* ---- results ---- */

static void report(size_t per_message, size_t threads, const outcome *ours, const outcome *theirs, bool json) {
    bool is_judged = threads == 1 && (per_message == 1 || per_message == 100);
    bench_print_as((bench_figure){.unit = "messages/s",
                                  .value = ours->messages_per_s,
                                  .baseline = "paho alone",
                                  .baseline_value = theirs->messages_per_s,
                                  .more_is_better = true,
                                  .target = is_judged ? 0.85 * theirs->messages_per_s : 0},
                   json, "publish/%zu/threads %zu/messages", per_message, threads);
    bench_print_as((bench_figure){.unit = "samples/s",
                                  .value = ours->samples_per_s,
                                  .baseline = "paho alone",
                                  .baseline_value = theirs->samples_per_s,
                                  .more_is_better = true,
                                  .target = threads == 1 && per_message == 100 ? 5e6 : 0},
                   json, "publish/%zu/threads %zu/samples", per_message, threads);
    bench_print_as((bench_figure){.unit = "us/sample",
                                  .value = ours->cpu_ns_per_sample / 1e3,
                                  .baseline = "paho alone",
                                  .baseline_value = theirs->cpu_ns_per_sample / 1e3,
                                  .target = threads == 1 && per_message == 100 ? 0.2 : 0},
                   json, "publish/%zu/threads %zu/cpu", per_message, threads);
}

int bench_publish(bool json) {
    server = broker_new();
    broker_start(server);
    subscriber = listener_start(broker_port(server));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        outcome theirs = {0}, one = {0}, four = {0};
        for (int round = 0; round < ROUNDS; round++) {
            run_paho(&theirs, sizes[i], 64, 0); /* each way to use it; the best one counts */
            run_paho(&theirs, sizes[i], 1000, 0);
            run_paho(&theirs, sizes[i], 64, 65536);
            run_node(&one, sizes[i], 1);
            run_node(&four, sizes[i], 4);
        }
        report(sizes[i], 1, &one, &theirs, json);
        report(sizes[i], 4, &four, &theirs, json);
    }
    listener_stop(subscriber);
    broker_free(server);
    return 0;
}
