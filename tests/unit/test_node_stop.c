/* Stopping, starting again and freeing a node, in every state that it can be in. */
#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake_store.h"
#include "support/node_fixture.h"
#include "support/suite.h"

/* For stops that must not end by their deadline. */
#define LONG_MS 60000
/* For stops that must. */
#define SHORT_MS 200

static node_fixture f;

static void setup(void) {
    node_fixture_init(&f);
}

static void teardown(void) {
    node_fixture_clear(&f);
}

static void start_without_waiting(void) {
    node_fixture_make(&f);
    ck_assert_int_eq(spb_node_start(f.node, NULL), SPB_OK);
}

START_TEST(what_was_not_started_cannot_be_stopped_and_nothing_starts_twice) {
    spb_error err;
    node_fixture_make(&f);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_ERR_STATE);
    node_fixture_start(&f);
    ck_assert_int_eq(spb_node_start(f.node, &err), SPB_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "already started"));
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_ERR_STATE);
}
END_TEST

START_TEST(a_stop_sends_what_waits_before_the_death) {
    f.options.batch_window_ms = 3600000;
    node_fixture_make(&f);
    node_fixture_start(&f);
    spb_metric_update(f.counter, spb_int32(1), SPB_NOW);
    spb_metric_update(f.setpoint, spb_double(30), SPB_NOW);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDATA), 1);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_DDATA), 1);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDEATH), 1);
}
END_TEST

START_TEST(a_node_starts_and_stops_a_hundred_times) {
    node_fixture_make(&f);
    for (int i = 0; i < 100; i++) {
        node_fixture_start(&f);
        ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    }
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NBIRTH), 100);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDEATH), 100);
}
END_TEST

START_TEST(a_stop_right_after_the_start_is_fine) {
    node_fixture_make(&f);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(spb_node_start(f.node, NULL), SPB_OK);
        ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    }
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NBIRTH), fake_server_count(f.server, SPB_KIND_NDEATH));
}
END_TEST

START_TEST(a_stop_while_connecting_has_nothing_to_say) {
    fake_server_welcome(f.server, FAKE_IGNORE);
    start_without_waiting();
    fake_server_await_connects(f.server, 1);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDEATH), 0);
}
END_TEST

START_TEST(a_stop_while_waiting_for_the_next_attempt_does_not_wait_for_it) {
    f.options.reconnect_min_ms = f.options.reconnect_max_ms = 3600000;
    fake_server_welcome(f.server, FAKE_REFUSE);
    start_without_waiting();
    node_fixture_await_state(&f, SPB_SESSION_WAITING, 1);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
}
END_TEST

START_TEST(a_server_that_never_answers_is_left_at_the_deadline) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_stall(f.server, true);
    ck_assert_int_eq(spb_node_stop(f.node, SHORT_MS), SPB_ERR_TIMEOUT);
    fake_server_stall(f.server, false);
    node_fixture_start(&f);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
}
END_TEST

START_TEST(a_stop_without_time_drops_the_link) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    ck_assert_int_eq(spb_node_stop(f.node, 0), SPB_ERR_TIMEOUT);
    node_fixture_await_state(&f, SPB_SESSION_STOPPED, 1);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDEATH), 0);
}
END_TEST

typedef struct stopper {
    uint32_t timeout_ms;
    spb_status status;
    pthread_t thread;
} stopper;

static void *stop_in_thread(void *context) {
    stopper *self = context;
    self->status = spb_node_stop(f.node, self->timeout_ms);
    return NULL;
}

static void begin_stop(stopper *self) {
    self->timeout_ms = LONG_MS;
    ck_assert_int_eq(pthread_create(&self->thread, NULL, stop_in_thread, self), 0);
}

START_TEST(a_connection_lost_during_the_stop_is_reported) {
    stopper other;
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_stall(f.server, true);
    begin_stop(&other);
    fake_server_await(f.server, SPB_KIND_NDEATH, 1);
    fake_server_lose(f.server);
    pthread_join(other.thread, NULL);
    ck_assert_int_eq(other.status, SPB_ERR_CONNECT);
}
END_TEST

START_TEST(two_threads_may_stop_at_once) {
    node_fixture_make(&f);
    for (int i = 0; i < 20; i++) {
        stopper stoppers[2];
        node_fixture_start(&f);
        begin_stop(&stoppers[0]);
        begin_stop(&stoppers[1]);
        pthread_join(stoppers[0].thread, NULL);
        pthread_join(stoppers[1].thread, NULL);
        for (int k = 0; k < 2; k++) {
            /* The one who came too late finds a node that is stopped. */
            ck_assert(stoppers[k].status == SPB_OK || stoppers[k].status == SPB_ERR_STATE);
        }
        ck_assert(stoppers[0].status == SPB_OK || stoppers[1].status == SPB_OK);
    }
}
END_TEST

START_TEST(a_later_stop_with_less_time_shortens_the_first) {
    stopper other;
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_stall(f.server, true);
    begin_stop(&other);
    fake_server_await(f.server, SPB_KIND_NDEATH, 1);
    ck_assert_int_eq(spb_node_stop(f.node, SHORT_MS), SPB_ERR_TIMEOUT);
    pthread_join(other.thread, NULL);
    ck_assert_int_eq(other.status, SPB_ERR_TIMEOUT);
}
END_TEST

/* ---- a transport that does not come back from a call ---- */

START_TEST(a_call_that_does_not_return_does_not_hold_a_stop) {
    fake_server_block_connect(f.server, true);
    start_without_waiting();
    fake_server_await_connects(f.server, 1);
    ck_assert_int_eq(spb_node_stop(f.node, SHORT_MS), SPB_ERR_TIMEOUT);
    ck_assert_int_eq(spb_node_stop(f.node, SHORT_MS), SPB_ERR_TIMEOUT);
    /* The application's own calls go on. */
    ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(1), SPB_NOW), SPB_OK);
    fake_server_block_connect(f.server, false);
    node_fixture_await_state(&f, SPB_SESSION_STOPPED, 1);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NBIRTH), 0);
}
END_TEST

START_TEST(a_node_may_be_started_again_before_such_a_call_returns) {
    fake_server_block_connect(f.server, true);
    start_without_waiting();
    fake_server_await_connects(f.server, 1);
    ck_assert_int_eq(spb_node_stop(f.node, SHORT_MS), SPB_ERR_TIMEOUT);
    ck_assert_int_eq(spb_node_start(f.node, NULL), SPB_OK);
    ck_assert_int_eq(spb_node_start(f.node, NULL), SPB_ERR_STATE);
    fake_server_block_connect(f.server, false);
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, 1);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
}
END_TEST

/* ---- freeing one that runs ---- */

START_TEST(free_while_online_drops_the_link) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    node_fixture_free_node(&f);
    ck_assert_uint_eq(fake_server_frees(f.server), 1);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDEATH), 0);
}
END_TEST

START_TEST(free_while_connecting) {
    fake_server_welcome(f.server, FAKE_IGNORE);
    start_without_waiting();
    fake_server_await_connects(f.server, 1);
    node_fixture_free_node(&f);
    ck_assert_uint_eq(fake_server_frees(f.server), 1);
}
END_TEST

/* Several nodes one after the other: the bdSeq goes on only with a store. */
static void use_store(fake_store *store) {
    fake_store_init(store);
    f.options.store = &store->store;
}

START_TEST(free_right_after_start) {
    fake_store store;
    use_store(&store);
    for (int i = 0; i < 50; i++) {
        start_without_waiting();
        node_fixture_free_node(&f);
    }
    ck_assert_uint_eq(fake_server_frees(f.server), 50);
    ck_assert_uint_eq(store.freed, 50);
}
END_TEST

START_TEST(free_after_a_stop_that_ran_out_of_time) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_stall(f.server, true);
    ck_assert_int_eq(spb_node_stop(f.node, 0), SPB_ERR_TIMEOUT);
    node_fixture_free_node(&f);
    ck_assert_uint_eq(fake_server_frees(f.server), 1);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDEATH), 0);
}
END_TEST

/* Commands stream in while the node goes away: nothing may be used after it is freed. */
static void *deliver_commands(void *context) {
    atomic_bool *is_over = context;
    while (!atomic_load(is_over)) {
        node_fixture_command(&f, NULL, "Node Control/Rebirth", spb_boolean(true));
    }
    return NULL;
}

START_TEST(free_while_messages_come_in) {
    fake_store store;
    atomic_bool is_over = false;
    pthread_t thread;
    use_store(&store);
    node_fixture_make(&f);
    ck_assert_int_eq(pthread_create(&thread, NULL, deliver_commands, &is_over), 0);
    for (int i = 0; i < 20; i++) {
        node_fixture_start(&f);
        node_fixture_free_node(&f);
        node_fixture_make(&f);
    }
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    node_fixture_free_node(&f); /* before its store goes */
    ck_assert_uint_eq(fake_server_frees(f.server), 21);
    ck_assert_uint_eq(store.freed, 21);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node_stop");
    TCase *tests = tcase_create("node_stop");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_was_not_started_cannot_be_stopped_and_nothing_starts_twice);
    tcase_add_test(tests, a_stop_sends_what_waits_before_the_death);
    tcase_add_test(tests, a_node_starts_and_stops_a_hundred_times);
    tcase_add_test(tests, a_stop_right_after_the_start_is_fine);
    tcase_add_test(tests, a_stop_while_connecting_has_nothing_to_say);
    tcase_add_test(tests, a_stop_while_waiting_for_the_next_attempt_does_not_wait_for_it);
    tcase_add_test(tests, a_server_that_never_answers_is_left_at_the_deadline);
    tcase_add_test(tests, a_stop_without_time_drops_the_link);
    tcase_add_test(tests, a_connection_lost_during_the_stop_is_reported);
    tcase_add_test(tests, two_threads_may_stop_at_once);
    tcase_add_test(tests, a_later_stop_with_less_time_shortens_the_first);
    tcase_add_test(tests, a_call_that_does_not_return_does_not_hold_a_stop);
    tcase_add_test(tests, a_node_may_be_started_again_before_such_a_call_returns);
    tcase_add_test(tests, free_while_online_drops_the_link);
    tcase_add_test(tests, free_while_connecting);
    tcase_add_test(tests, free_right_after_start);
    tcase_add_test(tests, free_after_a_stop_that_ran_out_of_time);
    tcase_add_test(tests, free_while_messages_come_in);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
