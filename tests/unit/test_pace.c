/* The pace of a replay: never faster than it was told, in bursts that are bounded, and never stuck. */
#include <check.h>
#include <stdlib.h>

#include "outbox/pace.h"
#include "support/suite.h"

#define DAY_MS UINT64_C(86400000)

/* May it leave now? */
static bool may(const spb_pace *pace, uint32_t samples, size_t bytes, uint64_t now_ms) {
    return spb_pace__next_ms(pace, samples, bytes, now_ms) <= now_ms;
}

START_TEST(without_limits_everything_may_leave) {
    spb_pace pace;
    spb_pace__init(&pace, 0, 0);
    for (int i = 0; i < 100; i++) {
        ck_assert(may(&pace, UINT32_MAX, SIZE_MAX, 5));
        spb_pace__take(&pace, UINT32_MAX, SIZE_MAX, 5);
    }
    ck_assert_uint_eq(spb_pace__next_ms(&pace, 1, 1, 7), 7);
}
END_TEST

START_TEST(what_leaves_at_once_is_what_may_leave_in_100_ms) {
    spb_pace pace;
    spb_pace__init(&pace, 1000, 0);
    uint64_t now_ms = 1000000;
    for (int i = 0; i < 10; i++) {
        ck_assert(may(&pace, 10, 5000, now_ms));
        spb_pace__take(&pace, 10, 5000, now_ms);
    }
    ck_assert(!may(&pace, 10, 5000, now_ms));
    ck_assert_uint_eq(spb_pace__next_ms(&pace, 10, 5000, now_ms), now_ms + 10);
    ck_assert(!may(&pace, 10, 5000, now_ms + 9));
    ck_assert(may(&pace, 10, 5000, now_ms + 10));
}
END_TEST

START_TEST(a_message_that_is_too_large_leaves_alone_and_is_waited_for) {
    spb_pace pace;
    spb_pace__init(&pace, 1000, 0); /* 100 at once */
    ck_assert(may(&pace, 5000, 0, 1));
    spb_pace__take(&pace, 5000, 0, 1);
    ck_assert_uint_eq(spb_pace__next_ms(&pace, 1, 0, 1), 1 + 4901);
    ck_assert_uint_eq(spb_pace__next_ms(&pace, 5000, 0, 1), 1 + 5000);
}
END_TEST

START_TEST(the_slower_of_both_limits_counts) {
    spb_pace pace;
    spb_pace__init(&pace, 1000, 10000);
    spb_pace__take(&pace, 1, 2000, 50);
    ck_assert_uint_eq(spb_pace__next_ms(&pace, 1, 1000, 50), 50 + 200);
    spb_pace__init(&pace, 10, 1000000);
    spb_pace__take(&pace, 5, 100, 50);
    ck_assert_uint_eq(spb_pace__next_ms(&pace, 1, 100, 50), 50 + 500);
}
END_TEST

/* Sends messages as soon as they may for a while; returns how many samples left. */
static uint64_t run(spb_pace *pace, uint32_t samples, uint64_t from_ms, uint64_t to_ms) {
    uint64_t left = 0;
    for (uint64_t now_ms = from_ms; now_ms < to_ms;) {
        while (may(pace, samples, 0, now_ms)) {
            spb_pace__take(pace, samples, 0, now_ms);
            left += samples;
        }
        uint64_t next_ms = spb_pace__next_ms(pace, samples, 0, now_ms);
        ck_assert_uint_gt(next_ms, now_ms);
        ck_assert(!may(pace, samples, 0, next_ms - 1));
        ck_assert(may(pace, samples, 0, next_ms));
        now_ms = next_ms;
    }
    return left;
}

START_TEST(the_average_is_what_was_wanted_for_each_size_and_pace) {
    static const uint32_t paces[] = {1, 3, 7, 100, 999, 100000};
    static const uint32_t sizes[] = {1, 2, 10, 101, 10000};
    for (size_t i = 0; i < sizeof paces / sizeof *paces; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            spb_pace pace;
            spb_pace__init(&pace, paces[i], 0);
            uint64_t seconds = 20 + 20 * (uint64_t)sizes[j] / paces[i];
            uint64_t left = run(&pace, sizes[j], 4000, 4000 + 1000 * seconds);
            ck_assert_uint_le(left, paces[i] * seconds + paces[i] / 10 + sizes[j]);
            uint64_t rounded = left / sizes[j] * paces[i] / 1000; /* waits end at a whole millisecond */
            ck_assert_uint_ge(left + rounded + sizes[j], paces[i] * seconds);
        }
    }
}
END_TEST

START_TEST(long_rests_save_nothing_up_and_overflow_nothing) {
    static const uint32_t paces[] = {1, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof paces / sizeof *paces; i++) {
        spb_pace pace;
        spb_pace__init(&pace, paces[i], paces[i]);
        uint64_t now_ms = 1;
        for (int day = 0; day < 1000; day++) {
            spb_pace__take(&pace, 1, 1, now_ms);
            now_ms += day < 900 ? DAY_MS : DAY_MS * 100000000;
            ck_assert(may(&pace, 1, 1, now_ms));
            ck_assert_int_le(pace.samples.level, (int64_t)paces[i] * 100);
        }
        ck_assert(may(&pace, UINT32_MAX, SIZE_MAX, UINT64_MAX));
        spb_pace__take(&pace, UINT32_MAX, SIZE_MAX, UINT64_MAX);
        spb_pace__take(&pace, UINT32_MAX, SIZE_MAX, UINT64_MAX);
        ck_assert_int_lt(pace.bytes.level, 0);
    }
}
END_TEST

START_TEST(a_clock_that_goes_back_gives_nothing) {
    spb_pace pace;
    spb_pace__init(&pace, 1000, 0);
    spb_pace__take(&pace, 100, 0, 5000);
    ck_assert(!may(&pace, 1, 0, 4000));
    spb_pace__take(&pace, 1, 0, 4000);
    ck_assert_uint_eq(spb_pace__next_ms(&pace, 1, 0, 5000), 5002);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("pace");
    tcase_add_test(all, without_limits_everything_may_leave);
    tcase_add_test(all, what_leaves_at_once_is_what_may_leave_in_100_ms);
    tcase_add_test(all, a_message_that_is_too_large_leaves_alone_and_is_waited_for);
    tcase_add_test(all, the_slower_of_both_limits_counts);
    tcase_add_test(all, the_average_is_what_was_wanted_for_each_size_and_pace);
    tcase_add_test(all, long_rests_save_nothing_up_and_overflow_nothing);
    tcase_add_test(all, a_clock_that_goes_back_gives_nothing);
    Suite *suite = suite_create("pace");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
