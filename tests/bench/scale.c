/*
 * What many metrics cost: memory, births, names; on one device and on a thousand. The curve must be linear. The
 * baselines: what is in a metric (its name, value and time) without any structure; the tree of libc; protobuf-c
 * packing the same birth; paho alone sending it.
 */
#include <malloc.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>
#include <spb/session.h>

#include "bench.h"
#include "sparkplug_b.pb-c.h"

#define ROUNDS 5
#define NAME_BYTES 31

typedef struct node {
    spb_session *session;
    spb_device **devices;
    spb_metric **metrics;
    char (*names)[NAME_BYTES];
    size_t device_count; /* 0: the metrics are the node's own */
    size_t metric_count;
} node;

static spb_time now = {.mono_ms = 1000, .wall_ms = UINT64_C(1700000000000)};

static spb_device *device_of(const node *n, size_t metric) {
    return n->device_count > 0 ? n->devices[metric % n->device_count] : NULL;
}

static void build(node *n, size_t device_count, size_t metric_count) {
    spb_session_options options = SPB_SESSION_OPTIONS_INIT;
    options.servers = "mqtt://nowhere";
    options.group_id = "Plant";
    options.node_id = "Gateway";
    *n = (node){.device_count = device_count, .metric_count = metric_count};
    n->devices = bench_allocate(device_count + 1, sizeof *n->devices);
    n->metrics = bench_allocate(metric_count, sizeof *n->metrics);
    n->names = bench_allocate(metric_count, sizeof *n->names);
    for (size_t i = 0; i < metric_count; i++) {
        snprintf(n->names[i], NAME_BYTES, "Line 4/Press/Hydraulic/P%06zu", i % 1000000);
    }
    if (spb_session_new(&n->session, &options, NULL) != SPB_OK) {
        bench_fail("no session");
    }
}

/* Returns the ns for one metric; devices are made on the way. */
static double add_all(node *n) {
    spb_error err;
    uint64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < n->device_count; i++) {
        char id[32];
        snprintf(id, sizeof id, "Device%zu", i);
        if (spb_session_add_device(n->session, &n->devices[i], id, now, &err) != SPB_OK) {
            bench_fail("%s", err.text);
        }
    }
    for (size_t i = 0; i < n->metric_count; i++) {
        const spb_metric_def def = {.name = n->names[i], .value = spb_double((double)i)};
        if (spb_session_add_metric(n->session, &n->metrics[i], device_of(n, i), &def, now, &err) != SPB_OK) {
            bench_fail("%s", err.text);
        }
    }
    return (double)(bench_now_ns() - begin_ns) / (double)n->metric_count;
}

static double find_all(const node *n) {
    uint64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < n->metric_count; i++) {
        if (spb_session_find_metric(n->session, device_of(n, i), n->names[i]) != n->metrics[i]) {
            bench_fail("a metric was not found");
        }
    }
    return (double)(bench_now_ns() - begin_ns) / (double)n->metric_count;
}

/* Carries out whatever the session wants, as a server that takes everything; adds up the births. Returns how many there
 * were. */
static size_t pull(node *n, size_t *birth_bytes, spb_bytes *first_birth) {
    size_t births = 0;
    spb_action action;
    while (spb_session_next_action(n->session, now, &action)) {
        spb_transport_event event = {.link = action.link, .status = SPB_OK};
        switch (action.kind) {
        case SPB_ACTION_SAVE_BDSEQ: spb_session_on_bdseq_saved(n->session, SPB_OK, NULL, now); continue;
        case SPB_ACTION_CONNECT: event.kind = SPB_TRANSPORT_CONNECTED; break;
        case SPB_ACTION_SUBSCRIBE: event.kind = SPB_TRANSPORT_SUBSCRIBED; break;
        case SPB_ACTION_FENCE: event.kind = SPB_TRANSPORT_FENCED; break;
        case SPB_ACTION_PUBLISH:
            if (births++ == 0 && first_birth) {
                uint8_t *copy = bench_allocate(action.as.publish.payload.len, 1);
                memcpy(copy, action.as.publish.payload.data, action.as.publish.payload.len);
                *first_birth = (spb_bytes){copy, action.as.publish.payload.len};
            }
            *birth_bytes += action.as.publish.payload.len;
            event.kind = SPB_TRANSPORT_PUBLISHED;
            event.count = 1;
            break;
        default: continue;
        }
        spb_session_on_transport(n->session, &event, now);
    }
    return births;
}

/* From SUBACK, or from the request, until the last birth is handed over. */
static double births_ms(node *n, size_t *birth_bytes, spb_bytes *first_birth) {
    uint64_t begin_ns = bench_now_ns();
    size_t births = pull(n, birth_bytes, first_birth);
    double ms = (double)(bench_now_ns() - begin_ns) / 1e6;
    if (births != 1 + n->device_count || spb_session_get_state(n->session) != SPB_SESSION_ONLINE) {
        bench_fail("%zu births instead of %zu", births, 1 + n->device_count);
    }
    return ms;
}

static double rebirth_ms(node *n) {
    size_t bytes = 0;
    now.mono_ms += 10000; /* behind rebirth_window_ms */
    spb_session_rebirth(n->session, now);
    return births_ms(n, &bytes, NULL);
}

/* ---- baselines ---- */

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

static void keep_nothing(void *name) {
    (void)name;
}

/* The hash table of libc is quadratic with names as these; its tree is not. */
static void search_names(const node *n, double *add_ns, double *find_ns) {
    void *tree = NULL;
    uint64_t begin_ns = bench_now_ns();
    for (size_t i = 0; i < n->metric_count; i++) {
        tsearch(n->names[i], &tree, by_name);
    }
    uint64_t between_ns = bench_now_ns();
    for (size_t i = 0; i < n->metric_count; i++) {
        if (!tfind(n->names[i], &tree, by_name)) {
            bench_fail("tfind does not find a name");
        }
    }
    *add_ns = (double)(between_ns - begin_ns) / (double)n->metric_count;
    *find_ns = (double)(bench_now_ns() - between_ns) / (double)n->metric_count;
    tdestroy(tree, keep_nothing);
}

/* protobuf-c packs the same NBIRTH from structs that are filled already. */
static double pack_ms(spb_bytes birth) {
    Spb__Pb__Payload *payload = spb__pb__payload__unpack(NULL, birth.len, birth.data);
    uint8_t *out = bench_allocate(birth.len, 1);
    double best = 0;
    for (int round = 0; payload && round < ROUNDS; round++) {
        uint64_t begin_ns = bench_now_ns();
        if (spb__pb__payload__pack(payload, out) != birth.len) {
            bench_fail("protobuf-c packs something else");
        }
        double ms = (double)(bench_now_ns() - begin_ns) / 1e6;
        best = best == 0 || ms < best ? ms : best;
    }
    spb__pb__payload__free_unpacked(payload, NULL);
    free(out);
    return best;
}

/* ---- results ---- */

typedef struct figures {
    double heap_bytes, add_ns, find_ns, birth_ms, rebirth_ms, tree_add_ns, tree_find_ns, pack_ms;
} figures;

static void keep_least(double *best, double value) {
    *best = *best == 0 || value < *best ? value : *best;
}

static void run(figures *best, size_t device_count, size_t metric_count) {
    node n;
    size_t birth_bytes = 0;
    spb_bytes first_birth = {0};
    double tree_add_ns, tree_find_ns;
    build(&n, device_count, metric_count);
    size_t before = bench_heap_bytes();
    keep_least(&best->add_ns, add_all(&n));
    best->heap_bytes = (double)(bench_heap_bytes() - before) / (double)metric_count;
    keep_least(&best->find_ns, find_all(&n));
    search_names(&n, &tree_add_ns, &tree_find_ns);
    keep_least(&best->tree_add_ns, tree_add_ns);
    keep_least(&best->tree_find_ns, tree_find_ns);
    spb_session_start(n.session, now);
    keep_least(&best->birth_ms, births_ms(&n, &birth_bytes, device_count == 0 ? &first_birth : NULL));
    for (int round = 0; round < ROUNDS; round++) {
        keep_least(&best->rebirth_ms, rebirth_ms(&n));
    }
    if (device_count == 0) {
        keep_least(&best->pack_ms, pack_ms(first_birth));
        free((void *)first_birth.data);
    }
    spb_session_free(n.session);
    free(n.devices);
    free(n.metrics);
    free(n.names);
    malloc_trim(0);
}

static void report_one(size_t devices, size_t metrics, const char *what, const char *unit, double value,
                       const char *baseline, double baseline_value, double target, bool json) {
    bench_print_as(
        (bench_figure){
            .unit = unit, .value = value, .baseline = baseline, .baseline_value = baseline_value, .target = target},
        json, "scale/%zu devices, %zu metrics/%s", devices, metrics, what);
}

static void report(size_t devices, size_t metrics, bool json) {
    figures f = {0};
    for (int round = 0; round < ROUNDS; round++) {
        run(&f, devices, metrics);
    }
    const double bare_bytes = NAME_BYTES + sizeof(spb_value) + sizeof(uint64_t);
    const char *pack = f.pack_ms > 0 ? "protobuf-c pack" : NULL;
    report_one(devices, metrics, "heap", "B/metric", f.heap_bytes, "bare name and value", bare_bytes, 300, json);
    report_one(devices, metrics, "add", "ns/metric", f.add_ns, "tsearch", f.tree_add_ns, 0, json);
    report_one(devices, metrics, "find", "ns/metric", f.find_ns, "tsearch", f.tree_find_ns, 0, json);
    report_one(devices, metrics, "births", "ms", f.birth_ms, pack, f.pack_ms, metrics == 100000 ? 100 : 0, json);
    report_one(devices, metrics, "rebirth", "ms", f.rebirth_ms, pack, f.pack_ms, 0, json);
}

int bench_scale(bool json) {
    report(0, 1000, json);
    report(0, 10000, json);
    report(0, 100000, json);
    report(1000, 100000, json);
    return 0;
}
