/* Deadlines, held against a plain list. */
#include <check.h>
#include <stdlib.h>

#include "base/deadlines.h"
#include "support/suite.h"

enum { THINGS = 200 };

#define NEVER UINT64_MAX

typedef struct thing {
    int other;
    spb_deadline timer;
} thing;

static spb_deadlines deadlines;
static thing *things[THINGS];
static uint64_t due[THINGS]; /* NEVER: not set */

static void open(void) {
    for (size_t i = 0; i < THINGS; i++) {
        things[i] = calloc(1, sizeof *things[i]);
        due[i] = NEVER;
    }
}

static void close(void) {
    spb_deadlines__clear(&deadlines);
    for (size_t i = 0; i < THINGS; i++) {
        free(things[i]);
    }
}

static void set(size_t i, uint64_t at_ms) {
    ck_assert(spb_deadlines__set(&deadlines, &things[i]->timer, at_ms));
    due[i] = at_ms;
}

static uint64_t earliest(void) {
    uint64_t at_ms = NEVER;
    for (size_t i = 0; i < THINGS; i++) {
        at_ms = due[i] < at_ms ? due[i] : at_ms;
    }
    return at_ms;
}

static thing *ring(uint64_t now_ms) {
    return SPB_DEADLINE_OF(spb_deadlines__ring(&deadlines, now_ms), thing, timer);
}

static size_t index_of(const thing *wanted) {
    size_t i = 0;
    while (i < THINGS && things[i] != wanted) {
        i++;
    }
    return i;
}

START_TEST(none_rings_before_its_time) {
    ck_assert_uint_eq(spb_deadlines__next_ms(&deadlines), NEVER);
    ck_assert_ptr_null(ring(NEVER));
    set(0, 100);
    ck_assert_ptr_null(ring(99));
    ck_assert_ptr_eq(ring(100), things[0]);
    ck_assert_ptr_null(ring(100));
    ck_assert_uint_eq(things[0]->timer, 0);
}
END_TEST

START_TEST(one_thing_has_one_timer_that_can_be_moved_both_ways) {
    set(0, 100);
    set(0, 50);
    set(1, 70);
    set(0, 90);
    ck_assert_uint_eq(deadlines.count, 2);
    ck_assert_ptr_eq(ring(1000), things[1]);
    ck_assert_ptr_eq(ring(1000), things[0]);
}
END_TEST

START_TEST(they_ring_in_the_order_of_time_whatever_was_set_and_cancelled) {
    srand((unsigned)_i);
    for (int step = 0; step < 5000; step++) {
        size_t i = (size_t)rand() % THINGS;
        int what = rand() % 4;
        if (what < 2) {
            set(i, (uint64_t)rand() % 1000);
        } else if (what == 2) {
            spb_deadlines__cancel(&deadlines, &things[i]->timer);
            due[i] = NEVER;
        } else {
            uint64_t now_ms = (uint64_t)rand() % 1000, next_ms = earliest();
            const thing *rung = ring(now_ms);
            ck_assert_int_eq(rung != NULL, next_ms <= now_ms);
            if (rung) {
                ck_assert_uint_eq(due[index_of(rung)], next_ms);
                due[index_of(rung)] = NEVER;
            }
        }
        ck_assert_uint_eq(spb_deadlines__next_ms(&deadlines), earliest());
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("deadlines");
    TCase *tests = tcase_create("deadlines");
    tcase_add_checked_fixture(tests, open, close);
    tcase_add_test(tests, none_rings_before_its_time);
    tcase_add_test(tests, one_thing_has_one_timer_that_can_be_moved_both_ways);
    tcase_add_loop_test(tests, they_ring_in_the_order_of_time_whatever_was_set_and_cancelled, 0, 20);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
