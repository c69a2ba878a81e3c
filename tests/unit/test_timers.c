/* Timers of metrics, held against a plain list. */
#include <check.h>
#include <stdlib.h>

#include <spb/session.h>

#include "core/timers.h"
#include "support/suite.h"

enum { METRICS = 200 };

static spb_timers timers;
static spb_metric *metrics[METRICS];
static uint64_t due[METRICS]; /* SPB_NEVER: not set */

static void open(void) {
    for (size_t i = 0; i < METRICS; i++) {
        metrics[i] = calloc(1, sizeof *metrics[i] + 1);
        due[i] = SPB_NEVER;
    }
}

static void close(void) {
    spb_timers__clear(&timers);
    for (size_t i = 0; i < METRICS; i++) {
        free(metrics[i]);
    }
}

static void set(size_t i, uint64_t at_ms) {
    ck_assert(spb_timers__set(&timers, metrics[i], at_ms));
    due[i] = at_ms;
}

static uint64_t earliest(void) {
    uint64_t at_ms = SPB_NEVER;
    for (size_t i = 0; i < METRICS; i++) {
        at_ms = due[i] < at_ms ? due[i] : at_ms;
    }
    return at_ms;
}

static size_t index_of(const spb_metric *metric) {
    size_t i = 0;
    while (i < METRICS && metrics[i] != metric) {
        i++;
    }
    return i;
}

START_TEST(none_rings_before_its_time) {
    ck_assert_uint_eq(spb_timers__next_ms(&timers), SPB_NEVER);
    ck_assert_ptr_null(spb_timers__ring(&timers, SPB_NEVER));
    set(0, 100);
    ck_assert_ptr_null(spb_timers__ring(&timers, 99));
    ck_assert_ptr_eq(spb_timers__ring(&timers, 100), metrics[0]);
    ck_assert_ptr_null(spb_timers__ring(&timers, 100));
    ck_assert_uint_eq(metrics[0]->timer, 0);
}
END_TEST

START_TEST(one_metric_has_one_timer_that_can_be_moved_both_ways) {
    set(0, 100);
    set(0, 50);
    set(1, 70);
    set(0, 90);
    ck_assert_uint_eq(timers.count, 2);
    ck_assert_ptr_eq(spb_timers__ring(&timers, 1000), metrics[1]);
    ck_assert_ptr_eq(spb_timers__ring(&timers, 1000), metrics[0]);
}
END_TEST

START_TEST(they_ring_in_the_order_of_time_whatever_was_set_and_cancelled) {
    srand((unsigned)_i);
    for (int step = 0; step < 5000; step++) {
        size_t i = (size_t)rand() % METRICS;
        int what = rand() % 4;
        if (what < 2) {
            set(i, (uint64_t)rand() % 1000);
        } else if (what == 2) {
            spb_timers__cancel(&timers, metrics[i]);
            due[i] = SPB_NEVER;
        } else {
            uint64_t now_ms = (uint64_t)rand() % 1000, next_ms = earliest();
            const spb_metric *rung = spb_timers__ring(&timers, now_ms);
            ck_assert_int_eq(rung != NULL, next_ms <= now_ms);
            if (rung) {
                ck_assert_uint_eq(due[index_of(rung)], next_ms);
                due[index_of(rung)] = SPB_NEVER;
            }
        }
        ck_assert_uint_eq(spb_timers__next_ms(&timers), earliest());
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("timers");
    TCase *tests = tcase_create("timers");
    tcase_add_checked_fixture(tests, open, close);
    tcase_add_test(tests, none_rings_before_its_time);
    tcase_add_test(tests, one_metric_has_one_timer_that_can_be_moved_both_ways);
    tcase_add_loop_test(tests, they_ring_in_the_order_of_time_whatever_was_set_and_cancelled, 0, 20);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
