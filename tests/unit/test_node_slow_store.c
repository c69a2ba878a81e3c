/* A node whose store does not return: what goes on all the same, and what waits for it. The commit waits for the test,
 * not for time. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/deadline.h"
#include "support/kept_store.h"
#include "support/node_fixture.h"
#include "support/suite.h"

#define LONG_MS 60000
#define SHORT_MS 100

static node_fixture f;
static kept_store kept;
static size_t asked, updates;

static void setup(void) {
    node_fixture_init(&f);
    kept_store_init(&kept);
    f.options.store = &kept.store;
    f.options.store_window_ms = 0;
    asked = updates = 0;
}

static void teardown(void) {
    kept_store_hold_commit(&kept, false);
    node_fixture_clear(&f);
    kept_store_clear(&kept);
}

static void update(int number) {
    ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(number), SPB_NOW), SPB_OK);
}

static spb_stats stats_now(void) {
    spb_stats stats;
    spb_node_stats(f.node, &stats);
    return stats;
}

/* A command that the node does not know: the callback for that is called, so the worker has been around. */
static void ask(size_t times) {
    for (size_t i = 0; i < times; i++) {
        node_fixture_command(&f, NULL, "Nothing", spb_boolean(true));
        node_fixture_await_commands(&f, ++asked);
    }
}

static spb_status accept(spb_metric *metric, spb_value *value, void *user) {
    (void)metric, (void)value, (void)user;
    return SPB_OK;
}

static void bring_host(void) {
    static const char state[] = "{\"online\":true,\"timestamp\":1700000000000}";
    ck_assert(fake_server_deliver(f.server, "spBv1.0/STATE/H", state, sizeof state - 1));
}

/* A sample that nobody follows yet goes to the journal, whose commit hangs. */
static void start_with_a_commit_that_hangs(void) {
    f.options.delivery = SPB_DELIVERY_OUTAGE;
    f.options.primary_host_id = "H";
    f.on_write = accept;
    node_fixture_make(&f);
    ck_assert_int_eq(spb_node_start(f.node, NULL), SPB_OK);
    node_fixture_await_state(&f, SPB_SESSION_WAIT_HOST, 1);
    kept_store_hold_commit(&kept, true);
    update(1);
    kept_store_await_held(&kept, 1);
}

START_TEST(while_a_commit_hangs_the_node_is_born_and_answers) {
    start_with_a_commit_that_hangs();
    bring_host();
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, 1);
    ask(1);
    node_fixture_command(&f, "Press", "Setpoint", spb_double(30));
    fake_server_await(f.server, SPB_KIND_DDATA, 1);
    ck_assert_uint_eq(stats_now().samples_stored, 1);
}
END_TEST

START_TEST(while_a_commit_hangs_live_data_is_published_and_confirmed) {
    start_with_a_commit_that_hangs();
    bring_host();
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, 1);
    update(2);
    fake_server_await(f.server, SPB_KIND_NDATA, 1);
    ck_assert_int_eq(spb_node_flush(f.node, 0, NULL), SPB_ERR_TIMEOUT); /* which asks for a fence */
    while (stats_now().samples_confirmed == 0) {
        ask(1);
    }
    ck_assert_uint_eq(stats_now().samples_replayed, 0);
    kept_store_hold_commit(&kept, false);
    ck_assert_int_eq(spb_node_flush(f.node, LONG_MS, NULL), SPB_OK);
    fake_server_await(f.server, SPB_KIND_NDATA, 2);
    ck_assert_uint_eq(stats_now().samples_replayed, 1);
}
END_TEST

/* Durable, online, and the first sample hangs in its commit. */
static void begin_held_commit(void) {
    f.options.delivery = SPB_DELIVERY_DURABLE;
    node_fixture_make(&f);
    node_fixture_start(&f);
    kept_store_hold_commit(&kept, true);
    update(1);
    kept_store_await_held(&kept, 1);
}

START_TEST(durable_data_waits_for_its_commit_and_nothing_else_does) {
    begin_held_commit();
    ask(3);
    spb_node_rebirth(f.node); /* the sample goes ahead of it */
    ask(3);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDATA), 0);
    kept_store_hold_commit(&kept, false);
    fake_server_await(f.server, SPB_KIND_NDATA, 1);
    fake_server_await(f.server, SPB_KIND_NBIRTH, 2);
}
END_TEST

START_TEST(while_a_commit_hangs_a_lost_connection_is_noticed) {
    begin_held_commit();
    size_t connects = fake_server_connects(f.server);
    fake_server_lose(f.server);
    node_fixture_await_state(&f, SPB_SESSION_SAVING, 2);
    ck_assert_uint_eq(fake_server_connects(f.server), connects); /* the bdSeq of the next one is not saved */
    kept_store_hold_commit(&kept, false);
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, 2);
    fake_server_await(f.server, SPB_KIND_NDATA, 1);
}
END_TEST

START_TEST(a_stop_does_not_wait_for_a_commit_beyond_its_deadline) {
    begin_held_commit();
    ck_assert_int_eq(spb_node_stop(f.node, SHORT_MS), SPB_ERR_TIMEOUT);
    node_fixture_await_state(&f, SPB_SESSION_STOPPED, 1);
    ck_assert_int_eq(spb_node_start(f.node, NULL), SPB_OK); /* once the run before has ended */
    kept_store_hold_commit(&kept, false);
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, 2);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
}
END_TEST

START_TEST(a_stop_returns_when_the_rest_is_stored) {
    f.options.delivery = SPB_DELIVERY_OUTAGE;
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_welcome(f.server, FAKE_IGNORE);
    fake_server_lose(f.server);
    fake_server_await_connects(f.server, 2);
    update(1);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    spb_stats stats = stats_now();
    ck_assert_uint_eq(stats.samples_stored, 1);
    ck_assert_uint_eq(stats.journal.samples, 1); /* as the commit has told */
}
END_TEST

/* While a commit is made, the application goes on: so there is always more to be stored. */
static spb_status commit_and_update(spb_store *store, spb_error *err) {
    spb_store *inner = ((kept_store *)store)->inner;
    spb_status status = inner->commit(inner, err);
    spb_metric_update(f.counter, spb_int32((int32_t)++updates), SPB_NOW);
    return status;
}

START_TEST(a_store_that_always_has_more_to_do_holds_up_neither_start_nor_stop) {
    f.options.delivery = (spb_delivery)_i;
    kept.store.commit = commit_and_update;
    node_fixture_make(&f);
    update(0);
    node_fixture_start(&f);
    fake_server_await(f.server, SPB_KIND_NBIRTH, 1);
    update(0);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    node_fixture_start(&f);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
}
END_TEST

/* ---- the log ---- */

static char told[300];

static void note_slowness(spb_log_level level, const char *text, void *user) {
    node_fixture *self = user;
    pthread_mutex_lock(&self->lock);
    if (level == SPB_LOG_WARNING && strstr(text, "the store is slow")) {
        snprintf(told, sizeof told, "%s", text);
        pthread_cond_broadcast(&self->changed);
    }
    pthread_mutex_unlock(&self->lock);
}

START_TEST(a_call_that_does_not_return_is_told) {
    told[0] = '\0';
    f.options.delivery = SPB_DELIVERY_DURABLE;
    f.options.on_log = note_slowness;
    node_fixture_make(&f);
    node_fixture_start(&f);
    kept_store_hold_commit(&kept, true);
    update(1);
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&f.lock);
    while (told[0] == '\0' && deadline_wait(&f.changed, &f.lock, &deadline)) {
    }
    pthread_mutex_unlock(&f.lock);
    ck_assert_msg(strstr(told, "its commit has not returned for ") != NULL, "%s", told);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node_slow_store");
    TCase *tests = tcase_create("node_slow_store");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, while_a_commit_hangs_the_node_is_born_and_answers);
    tcase_add_test(tests, while_a_commit_hangs_live_data_is_published_and_confirmed);
    tcase_add_test(tests, durable_data_waits_for_its_commit_and_nothing_else_does);
    tcase_add_test(tests, while_a_commit_hangs_a_lost_connection_is_noticed);
    tcase_add_test(tests, a_stop_does_not_wait_for_a_commit_beyond_its_deadline);
    tcase_add_test(tests, a_stop_returns_when_the_rest_is_stored);
    tcase_add_loop_test(tests, a_store_that_always_has_more_to_do_holds_up_neither_start_nor_stop,
                        (int)SPB_DELIVERY_OUTAGE, (int)SPB_DELIVERY_DURABLE + 1);
    tcase_add_test(tests, a_call_that_does_not_return_is_told);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
