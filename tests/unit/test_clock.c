/* The clocks of an update: never ahead of the exact ones, and exact where a sample gets its time. */
#include <check.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>

#include "node/clock.h"
#include "support/suite.h"

/* Faults are counted, as a check of each would take far more time than what is checked. */
#define TRIES 100000

/* On 32 bits too, a time is one after 2038, and a place in a file one behind 2 GiB. */
_Static_assert(sizeof(time_t) == 8 && sizeof(off_t) == 8, "the build has to ask for 64 bits");

START_TEST(an_update_is_never_ahead_of_the_clocks) {
    int ahead = 0;
    for (int i = 0; i < TRIES; i++) {
        spb_time update = spb_clock__of_update(false);
        spb_time after = spb_clock__now();
        ahead += update.mono_ms > after.mono_ms || update.wall_ms > after.wall_ms;
    }
    ck_assert_int_eq(ahead, 0);
}
END_TEST

START_TEST(updates_follow_one_another) {
    int backwards = 0;
    spb_time before = spb_clock__of_update(true);
    for (int i = 0; i < TRIES; i++) {
        spb_time update = spb_clock__of_update(true);
        backwards += update.mono_ms < before.mono_ms || update.wall_ms < before.wall_ms;
        before = update;
    }
    ck_assert_int_eq(backwards, 0);
}
END_TEST

START_TEST(a_sample_of_now_gets_the_exact_time) {
    int outside = 0;
    for (int i = 0; i < TRIES; i++) {
        spb_time before = spb_clock__now();
        spb_time update = spb_clock__of_update(true);
        spb_time after = spb_clock__now();
        outside += update.wall_ms < before.wall_ms || update.wall_ms > after.wall_ms;
    }
    ck_assert_int_eq(outside, 0);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("clock");
    tcase_add_test(all, an_update_is_never_ahead_of_the_clocks);
    tcase_add_test(all, updates_follow_one_another);
    tcase_add_test(all, a_sample_of_now_gets_the_exact_time);
    Suite *suite = suite_create("clock");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
