/* Waits between attempts to connect. */
#include <check.h>
#include <stdlib.h>

#include "core/backoff.h"
#include "support/suite.h"

static void assert_near(uint32_t wait_ms, uint32_t wanted_ms) {
    ck_assert_uint_ge(wait_ms, wanted_ms - wanted_ms / 4);
    ck_assert_uint_le(wait_ms, wanted_ms + wanted_ms / 4);
}

START_TEST(waits_double_up_to_the_longest) {
    const uint32_t wanted_ms[] = {1000, 2000, 4000, 8000, 10000, 10000};
    for (uint64_t seed = 0; seed < 100; seed++) {
        spb_backoff backoff;
        spb_backoff__init(&backoff, 1000, 10000, seed);
        for (int i = 0; i < 6; i++) {
            assert_near(spb_backoff__next_ms(&backoff), wanted_ms[i]);
        }
    }
}
END_TEST

START_TEST(a_reset_begins_at_the_shortest) {
    spb_backoff backoff;
    spb_backoff__init(&backoff, 10, 3600000, 1);
    for (int i = 0; i < 40; i++) {
        spb_backoff__next_ms(&backoff);
    }
    spb_backoff__reset(&backoff);
    assert_near(spb_backoff__next_ms(&backoff), 10);
}
END_TEST

START_TEST(the_seed_decides_the_jitter) {
    spb_backoff a, b, c;
    int differ = 0;
    spb_backoff__init(&a, 1000000, 3600000, 1);
    spb_backoff__init(&b, 1000000, 3600000, 1);
    spb_backoff__init(&c, 1000000, 3600000, 2);
    for (int i = 0; i < 5; i++) {
        uint32_t wait_ms = spb_backoff__next_ms(&a);
        ck_assert_uint_eq(wait_ms, spb_backoff__next_ms(&b));
        differ += wait_ms != spb_backoff__next_ms(&c);
    }
    ck_assert_int_gt(differ, 0);
}
END_TEST

START_TEST(the_jitter_reaches_both_ends) {
    spb_backoff backoff;
    uint32_t shortest_ms = UINT32_MAX, longest_ms = 0;
    spb_backoff__init(&backoff, 1000, 1000, 3);
    for (int i = 0; i < 10000; i++) {
        uint32_t wait_ms = spb_backoff__next_ms(&backoff);
        shortest_ms = wait_ms < shortest_ms ? wait_ms : shortest_ms;
        longest_ms = wait_ms > longest_ms ? wait_ms : longest_ms;
    }
    ck_assert_uint_eq(shortest_ms, 750);
    ck_assert_uint_eq(longest_ms, 1250);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("backoff");
    tcase_add_test(all, waits_double_up_to_the_longest);
    tcase_add_test(all, a_reset_begins_at_the_shortest);
    tcase_add_test(all, the_seed_decides_the_jitter);
    tcase_add_test(all, the_jitter_reaches_both_ends);
    Suite *suite = suite_create("backoff");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
