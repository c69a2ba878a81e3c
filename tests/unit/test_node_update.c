/* Many samples in one call, and scans that stay together: what the node adds to the session's own rules. */
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/node_fixture.h"
#include "support/suite.h"

#define THREADS 3
#define SCANS 200
#define SCAN_SIZE 5

static node_fixture f;

static void setup(void) {
    node_fixture_init(&f);
}

static void teardown(void) {
    node_fixture_clear(&f);
}

static spb_stats stats_now(void) {
    spb_stats stats;
    spb_node_stats(f.node, &stats);
    return stats;
}

/* How many samples the message has; 0: it is none of data. */
static size_t samples_of(const fake_message *message) {
    spb_payload *payload;
    if (message->is_connect || !strstr(message->topic, "DATA/")) {
        return 0;
    }
    ck_assert_int_eq(spb_payload_decode(&payload, (spb_bytes){message->payload, message->len}, NULL, NULL), SPB_OK);
    size_t count = payload->metric_count;
    spb_payload_free(payload);
    return count;
}

/* Of the first message of the kind. */
static size_t samples_in_first(spb_kind kind) {
    fake_server_await(f.server, kind, 1);
    const fake_message *message;
    for (size_t i = 0; (message = fake_server_message(f.server, i)); i++) {
        if (strstr(message->topic, spb_kind_name(kind))) {
            return samples_of(message);
        }
    }
    return 0;
}

/* ---- many at once ---- */

START_TEST(many_samples_are_taken_in_their_order) {
    const uint64_t taken_ms = UINT64_C(1600000000000);
    f.options.batch_window_ms = 3600000;
    node_fixture_make(&f);
    node_fixture_start(&f);
    const spb_sample samples[] = {
        {.metric = f.counter, .value = spb_int32(1), .timestamp_ms = taken_ms + 1000},
        {.metric = f.setpoint, .value = spb_double(30), .flags = SPB_SAMPLE_STALE},
        {.metric = f.counter, .value = spb_int32(2), .timestamp_ms = taken_ms + 2000},
        {.metric = f.counter, .value = spb_int32(2), .timestamp_ms = taken_ms + 3000}, /* says nothing new */
        {.metric = f.counter, .value = spb_int32(3), .timestamp_ms = taken_ms + 4000, .flags = SPB_SAMPLE_URGENT},
    };
    size_t accepted = 99;
    ck_assert_int_eq(spb_node_update(f.node, samples, 5, &accepted), SPB_OK);
    ck_assert_uint_eq(accepted, 5);
    ck_assert_uint_eq(samples_in_first(SPB_KIND_NDATA), 3); /* the urgent one wakes the worker from its hour of sleep */
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_DDATA), 0);
    ck_assert_uint_eq(stats_now().samples_accepted, 5);
    ck_assert_uint_eq(stats_now().samples_suppressed, 1);
    spb_value value;
    uint64_t timestamp_ms;
    ck_assert_int_eq(spb_metric_read(f.counter, &value, &timestamp_ms), SPB_OK);
    ck_assert_int_eq(value.as.i64, 3);
    ck_assert_uint_eq(timestamp_ms, taken_ms + 4000);
    ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_OK);
    ck_assert_uint_eq(samples_in_first(SPB_KIND_DDATA), 1);
}
END_TEST

START_TEST(the_first_that_is_not_taken_ends_it) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    const spb_sample samples[] = {
        {.metric = f.counter, .value = spb_int32(1)},
        {.metric = f.setpoint, .value = spb_double(30)},
        {.metric = f.counter, .value = spb_string("no number")},
        {.metric = f.counter, .value = spb_int32(4)},
    };
    size_t accepted = 99;
    ck_assert_int_eq(spb_node_update(f.node, samples, 4, &accepted), SPB_ERR_TYPE);
    ck_assert_uint_eq(accepted, 2);
    ck_assert_uint_eq(stats_now().samples_accepted, 2);
    ck_assert_int_eq(spb_node_update(f.node, samples + 2, 2, NULL), SPB_ERR_TYPE);
    const spb_sample odd = {.metric = f.counter, .value = spb_int32(5), .flags = SPB_SAMPLE_BAD | SPB_SAMPLE_STALE};
    ck_assert_int_eq(spb_node_update(f.node, &odd, 1, &accepted), SPB_ERR_ARGUMENT);
    ck_assert_uint_eq(accepted, 0);
    fake_server_await(f.server, SPB_KIND_NDATA, 1);
    fake_server_await(f.server, SPB_KIND_DDATA, 1);
    ck_assert_uint_eq(stats_now().samples_accepted, 2);
}
END_TEST

START_TEST(no_samples_are_fine) {
    node_fixture_make(&f);
    size_t accepted = 99;
    ck_assert_int_eq(spb_node_update(f.node, NULL, 0, &accepted), SPB_OK);
    ck_assert_uint_eq(accepted, 0);
}
END_TEST

/* ---- scans ---- */

START_TEST(a_scan_of_a_device_is_one_message) {
    f.options.batch_window_ms = 0;
    f.options.batch_max_samples = 2;
    node_fixture_make(&f);
    node_fixture_start(&f);
    spb_device_begin_scan(f.press);
    for (int i = 1; i <= 5; i++) {
        ck_assert_int_eq(spb_metric_update(f.setpoint, spb_double(20 + i), SPB_NOW), SPB_OK);
        spb_metric_update(f.counter, spb_int32(i), SPB_NOW); /* of the node, which is not scanned */
        fake_server_await(f.server, SPB_KIND_NDATA, (size_t)i);
    }
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_DDATA), 0);
    spb_device_end_scan(f.press);
    ck_assert_uint_eq(samples_in_first(SPB_KIND_DDATA), 5);
}
END_TEST

START_TEST(so_is_one_of_the_node) {
    f.options.batch_window_ms = 0;
    node_fixture_make(&f);
    node_fixture_start(&f);
    spb_node_begin_scan(f.node);
    for (int i = 1; i <= 3; i++) {
        spb_metric_update(f.counter, spb_int32(i), SPB_NOW);
        ck_assert_int_eq(spb_metric_update(f.setpoint, spb_double(20 + i), SPB_NOW), SPB_OK);
        fake_server_await(f.server, SPB_KIND_DDATA, (size_t)i);
    }
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDATA), 0);
    spb_node_end_scan(f.node);
    ck_assert_uint_eq(samples_in_first(SPB_KIND_NDATA), 3);
}
END_TEST

/* ---- from several threads ---- */

typedef struct scanner {
    pthread_t thread;
    spb_device *device;
    spb_metric *metrics[SCAN_SIZE];
} scanner;

static atomic_int scanning;

static void scan_once(const scanner *self, int round) {
    spb_sample samples[SCAN_SIZE];
    size_t accepted;
    for (int i = 0; i < SCAN_SIZE; i++) {
        samples[i] = (spb_sample){.metric = self->metrics[i], .value = spb_int32(round * SCAN_SIZE + i + 1)};
    }
    spb_device_begin_scan(self->device);
    ck_assert_int_eq(spb_node_update(f.node, samples, 2, &accepted), SPB_OK);
    ck_assert_uint_eq(accepted, 2);
    ck_assert_int_eq(spb_node_update(f.node, samples + 2, SCAN_SIZE - 2, NULL), SPB_OK);
    spb_device_end_scan(self->device);
}

static void *scan(void *context) {
    for (int round = 0; round < SCANS; round++) {
        scan_once(context, round);
    }
    atomic_fetch_sub(&scanning, 1);
    return NULL;
}

static void add_scanned(scanner *self, int number) {
    char id[] = {'R', (char)('0' + number), '\0'};
    self->device = spb_node_add_device(f.node, id, NULL);
    ck_assert_ptr_nonnull(self->device);
    for (int i = 0; i < SCAN_SIZE; i++) {
        char name[] = {'M', (char)('0' + i), '\0'};
        spb_metric_def def = {.name = name, .value = spb_int32(0)};
        self->metrics[i] = spb_device_add_metric(self->device, &def, NULL);
        ck_assert_ptr_nonnull(self->metrics[i]);
    }
}

START_TEST(scans_of_many_threads_stay_whole_while_hosts_ask_for_births) {
    scanner scanners[THREADS];
    f.options.batch_window_ms = 0;
    f.options.rebirth_window_ms = 0;
    node_fixture_make(&f);
    for (int i = 0; i < THREADS; i++) {
        add_scanned(&scanners[i], i);
    }
    node_fixture_start(&f);
    atomic_store(&scanning, THREADS);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&scanners[i].thread, NULL, scan, &scanners[i]), 0);
    }
    size_t births = 1;
    while (atomic_load(&scanning) > 0) {
        spb_node_rebirth(f.node);
        fake_server_await(f.server, SPB_KIND_NBIRTH, ++births);
    }
    fake_server_await(f.server, SPB_KIND_DBIRTH, births * (THREADS + 1)); /* of Press, too; then data may follow */
    for (int i = 0; i < THREADS; i++) {
        pthread_join(scanners[i].thread, NULL);
    }
    ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_OK);
    size_t samples = 0;
    const fake_message *message;
    for (size_t i = 0; (message = fake_server_message(f.server, i)); i++) {
        ck_assert_uint_eq(samples_of(message) % SCAN_SIZE, 0);
        samples += samples_of(message);
    }
    ck_assert_uint_eq(samples, THREADS * SCANS * SCAN_SIZE);
    ck_assert_uint_eq(stats_now().samples_accepted, samples);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node_update");
    TCase *tests = tcase_create("node_update");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, many_samples_are_taken_in_their_order);
    tcase_add_test(tests, the_first_that_is_not_taken_ends_it);
    tcase_add_test(tests, no_samples_are_fine);
    tcase_add_test(tests, a_scan_of_a_device_is_one_message);
    tcase_add_test(tests, so_is_one_of_the_node);
    tcase_add_test(tests, scans_of_many_threads_stay_whole_while_hosts_ask_for_births);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
