/* What a host hears on a real mosquitto: in strict order, all history before live data; and samples of the past. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/spb.h>

#include "support/broker.h"
#include "support/mqtt_client.h"
#include "support/suite.h"

#define WATCHER 1000
#define HISTORY 300
#define LIVE 100
#define BASE_MS UINT64_C(1700000000000)

static broker *server;
static client *watcher;
static spb_node_options options;
static spb_node *node;
static spb_metric *counter;

static void setup(void) {
    server = broker_new();
    broker_start(server);
    watcher = watcher_new(server);
    options = (spb_node_options)SPB_NODE_OPTIONS_INIT;
    options.servers = broker_uri(server);
    options.group_id = "Plant1";
    options.node_id = "Gateway7";
    options.delivery = SPB_DELIVERY_OUTAGE;
    node = NULL;
}

static void teardown(void) {
    spb_node_free(node);
    client_free(watcher);
    broker_free(server);
}

static void start(void) {
    spb_error err = {.text = ""};
    ck_assert_msg(spb_node_new(&node, &options, &err) == SPB_OK, "%s", err.text);
    counter = spb_node_add_metric(node, &(spb_metric_def){.name = "Counter", .value = spb_int32(0)}, NULL);
    ck_assert_int_eq(spb_node_start(node, NULL), SPB_OK);
}

/* A sample that a host has heard. */
typedef struct told {
    int32_t value;
    uint64_t timestamp_ms;
    bool is_historical;
} told;

/* The next so many samples of data messages, in their order. */
static void hear(told *samples, size_t count) {
    for (size_t n = 0; n < count;) {
        heard message = await(watcher, SPB_TRANSPORT_MESSAGE, WATCHER);
        spb_bytes bytes = {message.payload, message.event.payload.len};
        spb_payload *payload;
        if (!strstr(message.topic, "/NDATA/")) {
            continue;
        }
        ck_assert_int_eq(spb_payload_decode(&payload, bytes, NULL, NULL), SPB_OK);
        for (size_t i = 0; i < payload->metric_count && n < count; i++) {
            const spb_payload_metric *metric = &payload->metrics[i];
            spb_value value = metric->value;
            ck_assert_int_eq(spb_value_resolve(&value, SPB_INT32, NULL), SPB_OK);
            samples[n++] = (told){(int32_t)value.as.i64, metric->timestamp_ms, metric->is_historical};
        }
        spb_payload_free(payload);
    }
}

/* The primary host comes when samples wait, and live ones follow at once. */
START_TEST(in_strict_order_all_history_is_heard_before_live_data) {
    told samples[HISTORY + LIVE];
    options.primary_host_id = "Scada";
    options.strict_order = true;
    options.batch_max_samples = 20;
    options.replay_samples_per_s = 200; /* so it takes a while */
    start();
    for (int32_t i = 1; i <= HISTORY; i++) {
        ck_assert_int_eq(spb_metric_update(counter, spb_int32(i), SPB_NOW), SPB_OK);
    }
    publish(watcher, WATCHER, "spBv1.0/STATE/Scada", "{\"online\":true,\"timestamp\":1700000000000}", 1, true);
    while (!strstr(await(watcher, SPB_TRANSPORT_MESSAGE, WATCHER).topic, "/NBIRTH/")) {
    }
    for (int32_t i = HISTORY + 1; i <= HISTORY + LIVE; i++) {
        ck_assert_int_eq(spb_metric_update(counter, spb_int32(i), SPB_NOW), SPB_OK);
    }
    hear(samples, HISTORY + LIVE);
    for (int32_t i = 0; i < HISTORY + LIVE; i++) {
        ck_assert_int_eq(samples[i].value, i + 1);
        ck_assert_int_eq(samples[i].is_historical, i < HISTORY);
    }
}
END_TEST

START_TEST(a_memory_that_is_read_out_is_heard_with_its_times) {
    told samples[LIVE + 1];
    spb_sample past[LIVE];
    size_t accepted;
    spb_value value;
    start();
    for (size_t i = 0; i < LIVE; i++) {
        past[i] = (spb_sample){.metric = counter,
                               .value = spb_int32(1000 + (int32_t)i),
                               .timestamp_ms = BASE_MS + 250 * i,
                               .flags = SPB_SAMPLE_HISTORICAL};
    }
    ck_assert_int_eq(spb_node_update(node, past, LIVE, &accepted), SPB_OK);
    ck_assert_uint_eq(accepted, LIVE);
    hear(samples, LIVE);
    for (size_t i = 0; i < LIVE; i++) {
        ck_assert_int_eq(samples[i].value, 1000 + (int32_t)i);
        ck_assert_uint_eq(samples[i].timestamp_ms, BASE_MS + 250 * i);
        ck_assert(samples[i].is_historical);
    }
    ck_assert_int_eq(spb_metric_read(counter, &value, NULL), SPB_OK);
    ck_assert_int_eq(value.as.i64, 0);
    ck_assert_int_eq(spb_metric_update(counter, spb_int32(1), SPB_NOW), SPB_OK);
    hear(samples, 1);
    ck_assert_int_eq(samples[0].value, 1);
    ck_assert(!samples[0].is_historical);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node_history");
    TCase *tests = tcase_create("node_history");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, in_strict_order_all_history_is_heard_before_live_data);
    tcase_add_test(tests, a_memory_that_is_read_out_is_heard_with_its_times);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
