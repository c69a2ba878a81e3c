/* The arena: alignment, growth, the budget. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "support/suite.h"

START_TEST(memory_is_aligned_and_apart) {
    spb_arena *arena = spb_arena__new(1 << 20);
    ck_assert_ptr_nonnull(arena);
    unsigned char *last = NULL;
    for (size_t size = 0; size < 300; size++) {
        unsigned char *memory = spb_arena__alloc(arena, size);
        ck_assert_ptr_nonnull(memory);
        ck_assert_uint_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
        ck_assert_ptr_ne(memory, last);
        for (size_t i = 0; i < size; i++) {
            memory[i] = (unsigned char)size; /* a sanitizer sees what does not belong to us */
        }
        if (size > 1) {
            ck_assert_uint_eq(last[size - 2], (unsigned char)(size - 1)); /* untouched */
        }
        last = memory;
    }
    spb_arena__free(arena);
}
END_TEST

START_TEST(zeroed_memory_is_zero) {
    spb_arena *arena = spb_arena__new(1 << 20);
    uint64_t *numbers = spb_arena__calloc(arena, 5000, sizeof *numbers);
    for (size_t i = 0; i < 5000; i++) {
        ck_assert_uint_eq(numbers[i], 0);
    }
    spb_arena__free(arena);
}
END_TEST

START_TEST(budget_is_kept_and_can_be_used_up) {
    const size_t budget = 10000;
    spb_arena *arena = spb_arena__new(budget);
    size_t got = 0;
    while (spb_arena__alloc(arena, 100)) {
        got += 100;
        ck_assert_uint_le(spb_arena__used(arena), budget);
    }
    ck_assert(spb_arena__over_budget(arena));
    ck_assert_uint_ge(got, budget * 8 / 10);
    spb_arena__free(arena);
}
END_TEST

START_TEST(sizes_that_overflow_are_over_budget) {
    spb_arena *arena = spb_arena__new(1 << 20);
    ck_assert_ptr_null(spb_arena__alloc(arena, SIZE_MAX));
    ck_assert(spb_arena__over_budget(arena));
    ck_assert_ptr_null(spb_arena__alloc(arena, SIZE_MAX - 64));
    ck_assert_ptr_null(spb_arena__calloc(arena, SIZE_MAX / 2, 3));
    ck_assert(spb_arena__over_budget(arena));
    ck_assert_ptr_nonnull(spb_arena__alloc(arena, 1 << 19)); /* still usable */
    spb_arena__free(arena);
}
END_TEST

START_TEST(no_budget_gives_no_arena) {
    ck_assert_ptr_null(spb_arena__new(0));
    spb_arena__free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("arena");
    TCase *cases = tcase_create("arena");
    tcase_add_test(cases, memory_is_aligned_and_apart);
    tcase_add_test(cases, zeroed_memory_is_zero);
    tcase_add_test(cases, budget_is_kept_and_can_be_used_up);
    tcase_add_test(cases, sizes_that_overflow_are_over_budget);
    tcase_add_test(cases, no_budget_gives_no_arena);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
