/* The growing byte buffer. */
#include <check.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "support/suite.h"

START_TEST(a_new_buffer_holds_nothing) {
    spb_buffer buffer;
    spb_buffer__init(&buffer);
    ck_assert_ptr_null(buffer.data);
    ck_assert_uint_eq(buffer.len, 0);
    ck_assert_uint_eq(buffer.capacity, 0);
    spb_buffer__clear(&buffer);
}
END_TEST

START_TEST(appended_bytes_stand_one_behind_the_other) {
    spb_buffer buffer;
    spb_buffer__init(&buffer);
    ck_assert(spb_buffer__append(&buffer, "spBv1.0", 7));
    ck_assert(spb_buffer__append(&buffer, "/STATE", 6));
    ck_assert_uint_eq(buffer.len, 13);
    ck_assert_mem_eq(buffer.data, "spBv1.0/STATE", 13);
    spb_buffer__clear(&buffer);
}
END_TEST

START_TEST(growing_keeps_what_is_there) {
    spb_buffer buffer;
    spb_buffer__init(&buffer);
    for (unsigned i = 0; i < 10000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        ck_assert(spb_buffer__append(&buffer, &byte, 1));
    }
    ck_assert_uint_eq(buffer.len, 10000);
    for (unsigned i = 0; i < 10000; i++) {
        ck_assert_uint_eq(buffer.data[i], (uint8_t)(i * 7));
    }
    spb_buffer__clear(&buffer);
}
END_TEST

START_TEST(growing_is_by_half_at_least) {
    spb_buffer buffer;
    spb_buffer__init(&buffer);
    unsigned moves = 0;
    for (unsigned i = 0; i < 100000; i++) {
        size_t before = buffer.capacity;
        ck_assert(spb_buffer__append(&buffer, "x", 1));
        moves += buffer.capacity != before;
    }
    ck_assert_uint_le(moves, 20); /* 64 × 1.5^19 > 100,000 */
    spb_buffer__clear(&buffer);
}
END_TEST

START_TEST(reserved_room_is_used_without_moving) {
    spb_buffer buffer;
    spb_buffer__init(&buffer);
    ck_assert(spb_buffer__reserve(&buffer, 1000));
    ck_assert_uint_ge(buffer.capacity, 1000);
    ck_assert_uint_eq(buffer.len, 0);
    const uint8_t *place = buffer.data;
    uint8_t bytes[1000] = {0};
    ck_assert(spb_buffer__append(&buffer, bytes, sizeof bytes));
    ck_assert_ptr_eq(buffer.data, place);
    spb_buffer__clear(&buffer);
}
END_TEST

START_TEST(nothing_can_be_appended) {
    spb_buffer buffer;
    spb_buffer__init(&buffer);
    ck_assert(spb_buffer__append(&buffer, NULL, 0));
    ck_assert_uint_eq(buffer.len, 0);
    spb_buffer__clear(&buffer);
}
END_TEST

START_TEST(a_size_beyond_all_memory_is_refused_and_changes_nothing) {
    spb_buffer buffer;
    spb_buffer__init(&buffer);
    ck_assert(spb_buffer__append(&buffer, "kept", 4));
    spb_buffer before = buffer;
    ck_assert(!spb_buffer__reserve(&buffer, SIZE_MAX));
    ck_assert(!spb_buffer__reserve(&buffer, SIZE_MAX - 3));
    ck_assert(!spb_buffer__append(&buffer, "x", SIZE_MAX / 2));
    ck_assert_ptr_eq(buffer.data, before.data);
    ck_assert_uint_eq(buffer.len, 4);
    ck_assert_uint_eq(buffer.capacity, before.capacity);
    ck_assert_mem_eq(buffer.data, "kept", 4);
    spb_buffer__clear(&buffer);
}
END_TEST

START_TEST(a_cleared_buffer_can_be_used_again) {
    spb_buffer buffer;
    spb_buffer__init(&buffer);
    ck_assert(spb_buffer__append(&buffer, "old", 3));
    spb_buffer__clear(&buffer);
    ck_assert_uint_eq(buffer.len, 0);
    ck_assert(spb_buffer__append(&buffer, "new", 3));
    ck_assert_mem_eq(buffer.data, "new", 3);
    spb_buffer__clear(&buffer);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("buffer");
    tcase_add_test(tests, a_new_buffer_holds_nothing);
    tcase_add_test(tests, appended_bytes_stand_one_behind_the_other);
    tcase_add_test(tests, growing_keeps_what_is_there);
    tcase_add_test(tests, growing_is_by_half_at_least);
    tcase_add_test(tests, reserved_room_is_used_without_moving);
    tcase_add_test(tests, nothing_can_be_appended);
    tcase_add_test(tests, a_size_beyond_all_memory_is_refused_and_changes_nothing);
    tcase_add_test(tests, a_cleared_buffer_can_be_used_again);
    Suite *suite = suite_create("buffer");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
