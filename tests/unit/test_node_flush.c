/* Waiting until samples are safe: what they have become, in every state that a node can be in, and from several
 * threads. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "support/deadline.h"
#include "support/kept_store.h"
#include "support/node_fixture.h"
#include "support/suite.h"

/* For flushes and stops that must not end by their deadline. */
#define LONG_MS 60000
/* For those that must. */
#define SHORT_MS 100
#define THREADS 4

static node_fixture f;
static kept_store kept;

static void setup(void) {
    node_fixture_init(&f);
    kept_store_init(&kept);
    f.options.batch_window_ms = 3600000; /* so that nothing but the flush closes a batch */
}

static void teardown(void) {
    node_fixture_clear(&f);
    kept_store_clear(&kept);
}

static void start(spb_delivery delivery) {
    f.options.delivery = delivery;
    f.options.store = delivery == SPB_DELIVERY_LIVE ? NULL : &kept.store;
    node_fixture_make(&f);
    node_fixture_start(&f);
}

static void update(int number) {
    ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(number), SPB_NOW), SPB_OK);
}

static void check_flush(uint32_t timeout_ms, spb_status status, spb_flush expected) {
    spb_flush how = (spb_flush)-1;
    ck_assert_int_eq(spb_node_flush(f.node, timeout_ms, &how), status);
    ck_assert_int_eq(how, expected);
}

/* A flush in a thread of its own. */
typedef struct flusher {
    pthread_t thread;
    spb_status status;
    spb_flush how;
} flusher;

static void *run_flush(void *context) {
    flusher *self = context;
    self->status = spb_node_flush(f.node, LONG_MS, &self->how);
    return NULL;
}

static void begin_flush(flusher *self) {
    ck_assert_int_eq(pthread_create(&self->thread, NULL, run_flush, self), 0);
}

static void end_flush(flusher *self, spb_status status, spb_flush how) {
    pthread_join(self->thread, NULL);
    ck_assert_int_eq(self->status, status);
    ck_assert_int_eq(self->how, how);
}

/* The flush has begun when what it waits for has been sent. */
static void await_data(size_t count) {
    fake_server_await(f.server, SPB_KIND_NDATA, count);
}

/* ---- one thread ---- */

START_TEST(a_node_that_does_not_run_has_nothing_to_wait_for) {
    node_fixture_make(&f);
    check_flush(LONG_MS, SPB_ERR_STATE, SPB_FLUSH_PENDING);
    node_fixture_start(&f);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    check_flush(LONG_MS, SPB_ERR_STATE, SPB_FLUSH_PENDING);
}
END_TEST

START_TEST(what_the_server_has_read_is_confirmed) {
    static const spb_delivery levels[] = {SPB_DELIVERY_LIVE, SPB_DELIVERY_OUTAGE, SPB_DELIVERY_DURABLE};
    start(levels[_i]);
    check_flush(LONG_MS, SPB_OK, SPB_FLUSH_CONFIRMED); /* nothing waits */
    for (int i = 1; i <= 3; i++) {
        update(i);
        if (levels[_i] == SPB_DELIVERY_DURABLE) { /* the disk may be quicker than the server, or slower */
            ck_assert_int_eq(spb_node_flush(f.node, LONG_MS, NULL), SPB_OK);
        } else {
            check_flush(LONG_MS, SPB_OK, SPB_FLUSH_CONFIRMED);
            ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDATA), (size_t)i);
        }
    }
    ck_assert_int_eq(spb_node_flush(f.node, LONG_MS, NULL), SPB_OK);
}
END_TEST

START_TEST(a_server_that_does_not_answer_makes_it_time_out) {
    start(SPB_DELIVERY_OUTAGE);
    fake_server_stall(f.server, true);
    update(1);
    check_flush(SHORT_MS, SPB_ERR_TIMEOUT, SPB_FLUSH_PENDING);
    check_flush(0, SPB_ERR_TIMEOUT, SPB_FLUSH_PENDING);
    fake_server_stall(f.server, false);
    check_flush(LONG_MS, SPB_OK, SPB_FLUSH_CONFIRMED);
}
END_TEST

static bool was_in_callback;
static spb_status flush_status;

static spb_status flush_in_callback(spb_metric *metric, spb_value *value, void *user) {
    (void)metric, (void)value, (void)user;
    spb_status status = spb_node_flush(f.node, LONG_MS, NULL);
    pthread_mutex_lock(&f.lock);
    flush_status = status;
    was_in_callback = true;
    pthread_cond_broadcast(&f.changed);
    pthread_mutex_unlock(&f.lock);
    return SPB_OK;
}

START_TEST(a_callback_cannot_wait) {
    f.on_write = flush_in_callback;
    start(SPB_DELIVERY_OUTAGE);
    node_fixture_command(&f, "Press", "Setpoint", spb_double(30));
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&f.lock);
    while (!was_in_callback && deadline_wait(&f.changed, &f.lock, &deadline)) {
    }
    bool was_called = was_in_callback;
    spb_status status = flush_status;
    pthread_mutex_unlock(&f.lock);
    ck_assert(was_called);
    ck_assert_int_eq(status, SPB_ERR_STATE);
    check_flush(LONG_MS, SPB_OK, SPB_FLUSH_CONFIRMED);
}
END_TEST

/* ---- outages ---- */

START_TEST(what_was_in_flight_when_the_link_was_lost_is_stored) {
    flusher flush;
    start(SPB_DELIVERY_OUTAGE);
    fake_server_stall(f.server, true);
    fake_server_welcome(f.server, FAKE_IGNORE);
    update(1);
    begin_flush(&flush);
    await_data(1);
    fake_server_lose(f.server);
    end_flush(&flush, SPB_OK, SPB_FLUSH_STORED);
    spb_stats stats;
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.journal.samples, 1);
}
END_TEST

START_TEST(what_was_in_flight_when_the_link_was_lost_is_lost_without_a_journal) {
    flusher flush;
    start(SPB_DELIVERY_LIVE);
    fake_server_stall(f.server, true);
    fake_server_welcome(f.server, FAKE_IGNORE);
    update(1);
    begin_flush(&flush);
    await_data(1);
    fake_server_lose(f.server);
    end_flush(&flush, SPB_OK, SPB_FLUSH_LOST);
}
END_TEST

START_TEST(after_the_link_was_lost_it_waits_for_the_disk) {
    flusher flush;
    start(SPB_DELIVERY_OUTAGE);
    fake_server_welcome(f.server, FAKE_IGNORE);
    fake_server_lose(f.server);
    fake_server_await_connects(f.server, 2);
    kept_store_hold_commit(&kept, true);
    update(1);
    begin_flush(&flush);
    kept_store_await_held(&kept, 1);
    check_flush(SHORT_MS, SPB_ERR_TIMEOUT, SPB_FLUSH_PENDING);
    kept_store_hold_commit(&kept, false);
    end_flush(&flush, SPB_OK, SPB_FLUSH_STORED);
}
END_TEST

START_TEST(a_durable_flush_does_not_wait_for_the_server) {
    start(SPB_DELIVERY_DURABLE);
    fake_server_stall(f.server, true);
    update(1);
    check_flush(LONG_MS, SPB_OK, SPB_FLUSH_STORED);
}
END_TEST

/* ---- several threads ---- */

static void *update_and_flush(void *context) {
    spb_metric *metric = context;
    for (int i = 1; i <= 50; i++) {
        spb_flush how;
        ck_assert_int_eq(spb_metric_update(metric, spb_int32(i), SPB_NOW), SPB_OK);
        ck_assert_int_eq(spb_node_flush(f.node, LONG_MS, &how), SPB_OK);
        ck_assert(how == SPB_FLUSH_CONFIRMED || how == SPB_FLUSH_STORED);
    }
    return NULL;
}

START_TEST(threads_wait_for_their_samples_while_links_are_lost) {
    static const char *const names[THREADS] = {"A", "B", "C", "D"};
    pthread_t threads[THREADS];
    spb_metric *metrics[THREADS];
    f.options.delivery = SPB_DELIVERY_OUTAGE;
    f.options.store = &kept.store;
    node_fixture_make(&f);
    for (size_t i = 0; i < THREADS; i++) {
        metrics[i] = spb_node_add_metric(f.node, &(spb_metric_def){.name = names[i], .value = spb_int32(0)}, NULL);
        ck_assert_ptr_nonnull(metrics[i]);
    }
    node_fixture_start(&f);
    for (size_t i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, update_and_flush, metrics[i]), 0);
    }
    for (size_t i = 0; i < 5; i++) {
        fake_server_lose(f.server);
        node_fixture_await_state(&f, SPB_SESSION_ONLINE, i + 2);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    spb_stats stats;
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.samples_accepted, THREADS * 50);
    ck_assert_uint_eq(stats.samples_dropped_offline + stats.samples_dropped_lost + stats.samples_dropped_overflow +
                          stats.samples_dropped_disk + stats.samples_dropped_choice,
                      0);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
}
END_TEST

static void *stop_shortly(void *context) {
    *(spb_status *)context = spb_node_stop(f.node, SHORT_MS);
    return NULL;
}

/* The server says nothing, so the stop runs into its deadline; what was not confirmed is stored before it ends. */
START_TEST(a_stop_stores_what_flushes_wait_for) {
    flusher flushes[THREADS];
    pthread_t stopper;
    spb_status stopped;
    start(SPB_DELIVERY_OUTAGE);
    fake_server_stall(f.server, true);
    update(1);
    for (size_t i = 0; i < THREADS; i++) {
        begin_flush(&flushes[i]);
    }
    await_data(1);
    ck_assert_int_eq(pthread_create(&stopper, NULL, stop_shortly, &stopped), 0);
    pthread_join(stopper, NULL);
    ck_assert_int_eq(stopped, SPB_ERR_TIMEOUT);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(flushes[i].thread, NULL);
        /* A thread that came so late that the node did not run any more has nothing to wait for. */
        ck_assert(flushes[i].status == SPB_ERR_STATE ||
                  (flushes[i].status == SPB_OK && flushes[i].how == SPB_FLUSH_STORED));
    }
    spb_store_info info;
    kept.store.info(&kept.store, &info);
    ck_assert_uint_eq(info.samples, 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node_flush");
    TCase *tests = tcase_create("node_flush");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, a_node_that_does_not_run_has_nothing_to_wait_for);
    tcase_add_loop_test(tests, what_the_server_has_read_is_confirmed, 0, 3);
    tcase_add_test(tests, a_server_that_does_not_answer_makes_it_time_out);
    tcase_add_test(tests, a_callback_cannot_wait);
    tcase_add_test(tests, what_was_in_flight_when_the_link_was_lost_is_stored);
    tcase_add_test(tests, what_was_in_flight_when_the_link_was_lost_is_lost_without_a_journal);
    tcase_add_test(tests, after_the_link_was_lost_it_waits_for_the_disk);
    tcase_add_test(tests, a_durable_flush_does_not_wait_for_the_server);
    tcase_add_test(tests, threads_wait_for_their_samples_while_links_are_lost);
    tcase_add_test(tests, a_stop_stores_what_flushes_wait_for);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
