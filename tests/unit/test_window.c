/* What was published and is not confirmed: a FIFO in memory that is used again. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/window.h"
#include "support/suite.h"

static spb_window window;

static void setup(void) {
    window = (spb_window){0};
}

static void teardown(void) {
    spb_window__clear(&window);
}

static void push(uint64_t ordinal, const char *device, const char *metrics) {
    spb_record record = {.ordinal = ordinal, .device_len = (uint32_t)strlen(device), .len = (uint32_t)strlen(metrics)};
    ck_assert(spb_window__push(&window, &record, device, metrics));
}

static void check(spb_record_bytes bytes, const char *device, const char *metrics) {
    ck_assert_uint_eq(bytes.device_id.len, strlen(device));
    ck_assert(bytes.device_id.len == 0 || memcmp(bytes.device_id.data, device, bytes.device_id.len) == 0);
    ck_assert_uint_eq(bytes.metrics.len, strlen(metrics));
    ck_assert_mem_eq(bytes.metrics.data, metrics, bytes.metrics.len);
}

START_TEST(the_oldest_comes_first) {
    push(1, "Press", "aaa");
    push(2, "", "bb");
    check(spb_window__front(&window), "Press", "aaa");
    spb_window__pop(&window);
    check(spb_window__front(&window), "", "bb");
    ck_assert_ptr_null(spb_window__front(&window).device_id.data);
    spb_window__pop(&window);
    ck_assert_uint_eq(window.count, 0);
}
END_TEST

START_TEST(what_is_confirmed_may_stay_and_is_not_in_the_way) {
    push(1, "A", "111");
    push(2, "B", "22");
    push(3, "C", "3");
    spb_window__confirm(&window);
    check(spb_window__front(&window), "A", "111");
    check(spb_window__unconfirmed(&window), "B", "22");
    spb_window__confirm(&window);
    spb_window__pop(&window);
    check(spb_window__unconfirmed(&window), "C", "3");
    ck_assert_uint_eq(window.confirmed, 1);
}
END_TEST

START_TEST(a_connection_takes_with_it_what_was_not_confirmed) {
    push(1, "A", "111");
    push(2, "B", "22");
    spb_window__confirm(&window);
    spb_window__cut(&window);
    ck_assert_uint_eq(window.count, 1);
    push(7, "C", "4444");
    check(spb_window__unconfirmed(&window), "C", "4444");
    check(spb_window__front(&window), "A", "111");
    spb_window__pop(&window);
    spb_window__cut(&window);
    ck_assert_uint_eq(window.count, 0);
}
END_TEST

START_TEST(a_window_that_never_empties_does_not_grow) {
    for (uint64_t i = 0; i < 100000; i++) {
        push(i, "Device", i % 2 ? "0123456789" : "abcdefgh");
        if (i >= 50) {
            ck_assert_uint_eq(spb_window__at(&window, 0)->ordinal, i - 50);
            check(spb_window__front(&window), "Device", i % 2 ? "0123456789" : "abcdefgh");
            spb_window__confirm(&window);
            check(spb_window__unconfirmed(&window), "Device", i % 2 ? "abcdefgh" : "0123456789");
            spb_window__pop(&window);
        }
    }
    ck_assert_uint_lt(window.bytes.capacity, 4096);
    ck_assert_uint_lt(window.capacity, 256);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("window");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, the_oldest_comes_first);
    tcase_add_test(all, what_is_confirmed_may_stay_and_is_not_in_the_way);
    tcase_add_test(all, a_connection_takes_with_it_what_was_not_confirmed);
    tcase_add_test(all, a_window_that_never_empties_does_not_grow);
    Suite *suite = suite_create("window");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
