/*
 * An edge node for the tests of narrow links: numbers that never repeat, so that who listens sees what is missing.
 *
 *   narrow_node URI LEVEL STORE KEEP_ALIVE METRICS BACKLOG LIVE_PER_S VERSION
 *
 * It starts, gives BACKLOG samples of the past minutes to the journal, and says "ready". After a line on stdin it makes
 * LIVE_PER_S samples a second, in ten scans of a second each. After the next line it makes no more, after the one
 * behind that it stops, and tells its counters in JSON. STORE is a file, or "-". Each change of state and each line of
 * the log goes to stderr, with the milliseconds since the first line.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <spb/spb.h>

#define SCANS_PER_S 10
#define STOP_MS 5000

static spb_metric **metrics;
static size_t metric_count;
static int64_t last_number;
static uint64_t began_ms;

static uint64_t now_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void on_log(spb_log_level level, const char *text, void *user) {
    (void)level, (void)user;
    fprintf(stderr, "%" PRIu64 " %s\n", now_ms(CLOCK_MONOTONIC) - began_ms, text);
}

static void on_state(spb_node *node, spb_session_state state, const char *reason, void *user) {
    (void)node, (void)user;
    fprintf(stderr, "%" PRIu64 " = %s%s%s\n", now_ms(CLOCK_MONOTONIC) - began_ms, spb_session_state_name(state),
            reason ? ": " : "", reason ? reason : "");
}

static bool add_metrics(spb_node *node, size_t count, spb_error *err) {
    metrics = calloc(count, sizeof *metrics);
    for (; metrics && metric_count < count; metric_count++) {
        char name[64];
        snprintf(name, sizeof name, "Line %zu/Station %zu/Sensor %05zu", metric_count / 100, metric_count / 10 % 10,
                 metric_count);
        const spb_metric_def def = {.name = name, .value = spb_int64(0), .unit = "mm"};
        metrics[metric_count] = spb_node_add_metric(node, &def, err);
        if (!metrics[metric_count]) {
            return false;
        }
    }
    return metrics != NULL;
}

static void take(uint64_t timestamp_ms) {
    last_number++;
    spb_metric_update(metrics[(size_t)last_number % metric_count], spb_int64(last_number), timestamp_ms);
}

/* One round of all metrics after the other, ten seconds apart. */
static void take_backlog(int64_t count) {
    uint64_t rounds = (uint64_t)count / metric_count + 1;
    uint64_t at_ms = now_ms(CLOCK_REALTIME) - rounds * 10000;
    for (int64_t i = 0; i < count; i++) {
        take(at_ms + (uint64_t)i / metric_count * 10000);
    }
}

static void await_line(void) {
    char line[64];
    if (!fgets(line, sizeof line, stdin)) {
        exit(1);
    }
}

/* Until a line comes in. */
static void take_live(uint32_t per_s) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t start_ms = now_ms(CLOCK_MONOTONIC), taken = 0;
    while (poll(&input, 1, 1000 / SCANS_PER_S) == 0) {
        uint64_t due = (now_ms(CLOCK_MONOTONIC) - start_ms) * per_s / 1000;
        for (; taken < due; taken++) {
            take(SPB_NOW);
        }
    }
    await_line();
}

static void tell(const spb_node *node) {
    spb_stats s;
    spb_node_stats(node, &s);
    printf("{\"numbers\": %" PRId64 ", \"accepted\": %" PRIu64 ", \"lost_links\": %" PRIu64 ", \"connects\": %" PRIu64
           ", \"births\": %" PRIu64 ", \"confirmed\": %" PRIu64 ", \"resent\": %" PRIu64 ", \"waiting\": %" PRIu64
           ", \"unconfirmed\": %" PRIu64 ", \"in_journal\": %" PRIu64 ", \"dropped\": %" PRIu64 "}\n",
           last_number, s.samples_accepted, s.connections_lost, s.connects, s.births, s.samples_confirmed,
           s.samples_resent, s.samples_waiting, s.samples_unconfirmed, s.samples_in_journal,
           s.samples_dropped_offline + s.samples_dropped_overflow + s.samples_dropped_lost + s.samples_dropped_disk +
               s.samples_dropped_journal);
    fflush(stdout);
}

int main(int argc, char **argv) {
    setvbuf(stdin, NULL, _IONBF, 0); /* what poll sees is what fgets reads */
    if (argc != 9) {
        fprintf(stderr, "narrow_node URI LEVEL STORE KEEP_ALIVE METRICS BACKLOG LIVE_PER_S VERSION\n");
        return 2;
    }
    spb_node_options options = SPB_NODE_OPTIONS_INIT;
    options.servers = argv[1];
    options.group_id = "G";
    options.node_id = "N";
    options.delivery = strcmp(argv[2], "live") == 0     ? SPB_DELIVERY_LIVE
                       : strcmp(argv[2], "outage") == 0 ? SPB_DELIVERY_OUTAGE
                                                        : SPB_DELIVERY_DURABLE;
    options.store_path = strcmp(argv[3], "-") == 0 ? NULL : argv[3];
    options.store_options.sync = SPB_STORE_SYNC_NORMAL;
    options.keep_alive_s = (uint32_t)atoi(argv[4]);
    options.reconnect_min_ms = options.reconnect_max_ms = 1000;
    options.mqtt.version = strcmp(argv[8], "5") == 0 ? SPB_MQTT_5 : SPB_MQTT_3_1_1;
    options.on_log = on_log;
    options.on_state = on_state;
    began_ms = now_ms(CLOCK_MONOTONIC);

    spb_error err = {.text = ""};
    spb_node *node = NULL;
    if (spb_node_new(&node, &options, &err) != SPB_OK || !add_metrics(node, (size_t)atol(argv[5]), &err) ||
        spb_node_start(node, &err) != SPB_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    take_backlog(atol(argv[6]));
    puts("ready");
    fflush(stdout);
    await_line();
    take_live((uint32_t)atol(argv[7]));
    tell(node);
    await_line();
    tell(node);
    spb_node_stop(node, STOP_MS);
    spb_node_free(node);
    free(metrics);
    return 0;
}
