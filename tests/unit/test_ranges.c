/* Sets of numbers as ranges, also against a plain array of flags. */
#include <check.h>
#include <stdlib.h>

#include "base/ranges.h"
#include "support/suite.h"

/* Many times: a check of the framework would note each. */
static void add(spb_ranges *ranges, uint64_t first, uint64_t last) {
    if (!spb_ranges__add(ranges, first, last)) {
        ck_abort_msg("no memory");
    }
}

static void take_out(spb_ranges *ranges, uint64_t first, uint64_t last) {
    if (!spb_ranges__remove(ranges, first, last)) {
        ck_abort_msg("no memory");
    }
}

static void expect_range(const spb_ranges *ranges, size_t index, uint64_t first, uint64_t last) {
    ck_assert_uint_lt(index, ranges->count);
    ck_assert_uint_eq(spb_ranges__at(ranges, index).first, first);
    ck_assert_uint_eq(spb_ranges__at(ranges, index).last, last);
}

START_TEST(an_empty_set_holds_nothing) {
    spb_ranges ranges = {0};
    spb_range found;
    ck_assert(!spb_ranges__contains(&ranges, 0));
    ck_assert(!spb_ranges__next(&ranges, 0, &found));
    ck_assert_uint_eq(spb_ranges__count(&ranges, 0, UINT64_MAX), 0);
    take_out(&ranges, 0, UINT64_MAX);
    ck_assert_uint_eq(ranges.count, 0);
    spb_ranges__clear(&ranges);
}
END_TEST

START_TEST(what_touches_is_one) {
    spb_ranges ranges = {0};
    add(&ranges, 10, 19);
    add(&ranges, 20, 29); /* behind */
    add(&ranges, 5, 9);   /* before */
    ck_assert_uint_eq(ranges.count, 1);
    expect_range(&ranges, 0, 5, 29);
    add(&ranges, 31, 40);
    ck_assert_uint_eq(ranges.count, 2);
    add(&ranges, 50, 50);
    add(&ranges, 8, 60); /* over all */
    ck_assert_uint_eq(ranges.count, 1);
    expect_range(&ranges, 0, 5, 60);
    ck_assert_uint_eq(ranges.total, 56);
    spb_ranges__clear(&ranges);
}
END_TEST

START_TEST(a_hole_splits_a_range) {
    spb_ranges ranges = {0};
    add(&ranges, 1, 100);
    take_out(&ranges, 40, 49);
    ck_assert_uint_eq(ranges.count, 2);
    expect_range(&ranges, 0, 1, 39);
    expect_range(&ranges, 1, 50, 100);
    take_out(&ranges, 30, 60);
    expect_range(&ranges, 0, 1, 29);
    expect_range(&ranges, 1, 61, 100);
    take_out(&ranges, 0, 61);
    ck_assert_uint_eq(ranges.count, 1);
    expect_range(&ranges, 0, 62, 100);
    ck_assert_uint_eq(ranges.total, 39);
    spb_ranges__clear(&ranges);
}
END_TEST

START_TEST(the_ends_of_the_numbers_are_no_special_case) {
    spb_ranges ranges = {0};
    spb_range found;
    add(&ranges, UINT64_MAX, UINT64_MAX);
    add(&ranges, 0, 0);
    ck_assert_uint_eq(ranges.count, 2);
    ck_assert(spb_ranges__contains(&ranges, 0));
    ck_assert(spb_ranges__contains(&ranges, UINT64_MAX));
    ck_assert(spb_ranges__next(&ranges, 1, &found));
    ck_assert_uint_eq(found.first, UINT64_MAX);
    add(&ranges, 1, UINT64_MAX - 1);
    ck_assert_uint_eq(ranges.count, 1);
    expect_range(&ranges, 0, 0, UINT64_MAX);
    take_out(&ranges, 0, UINT64_MAX);
    ck_assert_uint_eq(ranges.count, 0);
    ck_assert_uint_eq(ranges.total, 0);
    spb_ranges__clear(&ranges);
}
END_TEST

START_TEST(the_next_range_begins_where_it_was_asked_for) {
    spb_ranges ranges = {0};
    spb_range found;
    add(&ranges, 10, 20);
    add(&ranges, 30, 40);
    ck_assert(spb_ranges__next(&ranges, 0, &found));
    ck_assert(found.first == 10 && found.last == 20);
    ck_assert(spb_ranges__next(&ranges, 15, &found));
    ck_assert(found.first == 15 && found.last == 20);
    ck_assert(spb_ranges__next(&ranges, 21, &found));
    ck_assert(found.first == 30 && found.last == 40);
    ck_assert(!spb_ranges__next(&ranges, 41, &found));
    ck_assert(spb_ranges__around(&ranges, 15, &found));
    ck_assert(found.first == 10 && found.last == 20);
    ck_assert(!spb_ranges__around(&ranges, 21, &found));
    ck_assert_uint_eq(spb_ranges__count(&ranges, 15, 32), 9);
    ck_assert_uint_eq(spb_ranges__count(&ranges, 21, 29), 0);
    spb_ranges__clear(&ranges);
}
END_TEST

/* Ids as the journal has them: every second one is added at the end, and they are removed from the beginning. */
START_TEST(a_set_that_moves_on_does_not_grow) {
    spb_ranges ranges = {0};
    for (uint64_t i = 0; i < 100; i++) {
        add(&ranges, 2 * i, 2 * i);
    }
    const size_t capacity = 512;
    size_t most = 0;
    for (uint64_t i = 100; i < 100000; i++) {
        add(&ranges, 2 * i, 2 * i);
        take_out(&ranges, 0, 2 * (i - 100));
        most = ranges.count > most ? ranges.count : most;
    }
    ck_assert_uint_eq(most, 100);
    ck_assert_uint_eq(ranges.count, 100);
    ck_assert_uint_le(ranges.capacity, capacity);
    ck_assert_uint_eq(ranges.total, 100);
    spb_ranges__clear(&ranges);
}
END_TEST

START_TEST(an_empty_set_gives_its_memory_back) {
    spb_ranges ranges = {0};
    for (uint64_t i = 0; i < 10000; i++) {
        add(&ranges, 2 * i, 2 * i);
    }
    take_out(&ranges, 0, UINT64_MAX);
    ck_assert_uint_eq(ranges.capacity, 0);
    spb_ranges__clear(&ranges);
}
END_TEST

#define NUMBERS 200

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void compare(const spb_ranges *ranges, const bool *flags) {
    uint64_t total = 0, wrong = UINT64_MAX; /* a check of each number would take most of the time */
    for (uint64_t i = 0; i < NUMBERS; i++) {
        wrong = spb_ranges__contains(ranges, i) != flags[i] ? i : wrong;
        total += flags[i];
    }
    ck_assert_uint_eq(wrong, UINT64_MAX);
    ck_assert_uint_eq(ranges->total, total);
    for (size_t i = 1; i < ranges->count; i++) { /* sorted, and a hole between any two */
        ck_assert_uint_gt(spb_ranges__at(ranges, i).first, spb_ranges__at(ranges, i - 1).last + 1);
    }
}

START_TEST(random_changes_do_what_flags_do) {
    for (uint32_t seed = 1; seed <= 50; seed++) {
        uint32_t random = seed;
        spb_ranges ranges = {0};
        bool flags[NUMBERS] = {false};
        for (int change = 0; change < 100; change++) {
            uint64_t first = next_random(&random) % NUMBERS;
            uint64_t last = first + next_random(&random) % 20;
            last = last < NUMBERS ? last : NUMBERS - 1;
            bool is_added = next_random(&random) % 2;
            uint64_t before = spb_ranges__count(&ranges, first, last), wanted = 0;
            for (uint64_t i = first; i <= last; i++) {
                wanted += flags[i];
                flags[i] = is_added;
            }
            ck_assert_uint_eq(before, wanted);
            ck_assert(is_added ? spb_ranges__add(&ranges, first, last) : spb_ranges__remove(&ranges, first, last));
            compare(&ranges, flags);
        }
        spb_ranges__clear(&ranges);
    }
}
END_TEST

int main(void) {
    TCase *all = tcase_create("ranges");
    tcase_add_test(all, an_empty_set_holds_nothing);
    tcase_add_test(all, what_touches_is_one);
    tcase_add_test(all, a_hole_splits_a_range);
    tcase_add_test(all, the_ends_of_the_numbers_are_no_special_case);
    tcase_add_test(all, the_next_range_begins_where_it_was_asked_for);
    tcase_add_test(all, a_set_that_moves_on_does_not_grow);
    tcase_add_test(all, an_empty_set_gives_its_memory_back);
    tcase_add_test(all, random_changes_do_what_flags_do);
    Suite *suite = suite_create("ranges");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
