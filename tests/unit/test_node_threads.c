/* Many threads update while connections break and hosts ask for rebirths: whatever happens, each stream on the wire
 * keeps the rules, and every sample is accounted for. */
#include <check.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "support/node_fixture.h"
#include "support/suite.h"

#define THREADS 4

static node_fixture f;
static atomic_bool is_over;

static void setup(void) {
    node_fixture_init(&f);
    atomic_store(&is_over, false);
}

static void teardown(void) {
    node_fixture_clear(&f);
}

typedef struct updater {
    pthread_t thread;
    spb_metric *metric;
    uint64_t accepted;
} updater;

static void *update(void *context) {
    updater *self = context;
    for (int32_t i = 0; !atomic_load(&is_over); i++) {
        self->accepted += spb_metric_update(self->metric, spb_int32(i), SPB_NOW) == SPB_OK;
        if (i % 64 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static void begin(updater *updaters, const char *const *names) {
    for (int i = 0; i < THREADS; i++) {
        spb_metric_def def = {.name = names[i], .value = spb_int32(0)};
        updaters[i] = (updater){.metric = i % 2 ? spb_device_add_metric(f.press, &def, NULL)
                                                : spb_node_add_metric(f.node, &def, NULL)};
        ck_assert_ptr_nonnull(updaters[i].metric);
    }
    node_fixture_start(&f);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&updaters[i].thread, NULL, update, &updaters[i]), 0);
    }
}

static uint64_t finish(updater *updaters) {
    uint64_t accepted = 0;
    atomic_store(&is_over, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(updaters[i].thread, NULL);
        accepted += updaters[i].accepted;
    }
    return accepted;
}

/* What happens to the node in turn n. */
static void disturb(size_t n) {
    size_t births = fake_server_count(f.server, SPB_KIND_NBIRTH);
    if (n % 3 == 0) {
        fake_server_lose(f.server);
    } else if (n % 3 == 1) {
        node_fixture_command(&f, NULL, "Node Control/Rebirth", spb_boolean(true));
        /* It may be lost with a connection that just ended, so the node is asked, too. */
        spb_node_rebirth(f.node);
    } else {
        spb_device_set_online(f.press, false);
        spb_device_set_online(f.press, true);
        fake_server_lose(f.server);
    }
    fake_server_await(f.server, SPB_KIND_NBIRTH, births + 1);
}

START_TEST(streams_keep_the_rules_whatever_happens) {
    static const char *const names[THREADS] = {"A", "B", "C", "D"};
    updater updaters[THREADS];
    spb_stats stats;
    f.options.batch_window_ms = 1;
    f.options.batch_max_bytes = 2000;
    node_fixture_make(&f);
    begin(updaters, names);
    size_t messages = 0;
    for (size_t n = 0; n < 30; n++) {
        disturb(n);
        messages = fake_server_count(f.server, SPB_KIND_NDATA) + 3;
        fake_server_await(f.server, SPB_KIND_NDATA, messages);
    }
    uint64_t accepted = finish(updaters);
    ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_OK);
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.samples_accepted, accepted);
    /* What births carried is among them; a value that none could carry any more may be left in each metric. */
    ck_assert_uint_ge(stats.samples_confirmed + stats.samples_dropped_lost + stats.samples_dropped_overflow +
                          stats.samples_dropped_offline + THREADS,
                      accepted);
    ck_assert_uint_eq(stats.samples_unconfirmed, 0);
    ck_assert_uint_ge(stats.births, 31);
    ck_assert_uint_ge(stats.connections_lost, 20);
}
END_TEST

START_TEST(metrics_are_added_and_read_while_others_update) {
    static const char *const names[THREADS] = {"A", "B", "C", "D"};
    updater updaters[THREADS];
    node_fixture_make(&f);
    begin(updaters, names);
    for (size_t i = 0; i < 10; i++) {
        char name[] = {'M', (char)('0' + i), '\0'};
        spb_value value;
        ck_assert_ptr_nonnull(
            spb_node_add_metric(f.node, &(spb_metric_def){.name = name, .value = spb_string("text")}, NULL));
        ck_assert_int_eq(spb_metric_read(spb_node_find_metric(f.node, name), &value, NULL), SPB_OK);
        ck_assert(spb_str_equal(value.as.str, spb_str_from("text")));
        spb_value_clear(&value);
        fake_server_await(f.server, SPB_KIND_NBIRTH, 2 + i);
    }
    finish(updaters);
    ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_OK);
}
END_TEST

START_TEST(devices_are_removed_while_others_update) {
    static const char *const names[THREADS] = {"A", "B", "C", "D"};
    updater updaters[THREADS];
    node_fixture_make(&f);
    begin(updaters, names);
    for (size_t i = 0; i < 10; i++) {
        spb_device *robot = spb_node_add_device(f.node, "Robot", NULL);
        ck_assert_ptr_nonnull(robot);
        spb_metric *axis = spb_device_add_metric(robot, &(spb_metric_def){.name = "Axis", .value = spb_float(1)}, NULL);
        fake_server_await(f.server, SPB_KIND_DBIRTH, 2 + i);
        ck_assert_int_eq(spb_metric_update(axis, spb_float(2), SPB_NOW), SPB_OK);
        spb_device_remove(robot);
    }
    finish(updaters);
    ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_OK);
}
END_TEST

static void *start_and_stop(void *context) {
    (void)context;
    for (int i = 0; i < 50; i++) {
        spb_node_start(f.node, NULL);
        spb_node_stop(f.node, 60000);
    }
    return NULL;
}

START_TEST(threads_may_start_and_stop_against_each_other) {
    pthread_t threads[3];
    spb_stats stats;
    node_fixture_make(&f);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, start_and_stop, NULL), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    spb_node_stats(f.node, &stats);
    ck_assert_int_eq(stats.state, SPB_SESSION_STOPPED);
    ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_ERR_STATE);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node_threads");
    TCase *tests = tcase_create("node_threads");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, streams_keep_the_rules_whatever_happens);
    tcase_add_test(tests, metrics_are_added_and_read_while_others_update);
    tcase_add_test(tests, devices_are_removed_while_others_update);
    tcase_add_test(tests, threads_may_start_and_stop_against_each_other);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
