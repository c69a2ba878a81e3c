/* Error texts: what a failing function leaves for people. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "support/suite.h"

START_TEST(set_fills_status_and_text_and_returns_the_status) {
    spb_error err;
    spb_status status = spb_error__set(&err, SPB_ERR_TYPE, "%s where %s is wanted", "Int8", "Double");
    ck_assert_int_eq(status, SPB_ERR_TYPE);
    ck_assert_int_eq(err.status, SPB_ERR_TYPE);
    ck_assert_str_eq(err.text, "Int8 where Double is wanted");
    ck_assert(err.offset == SPB_NO_OFFSET);
}
END_TEST

START_TEST(set_at_fills_the_offset) {
    spb_error err;
    ck_assert_int_eq(spb_error__set_at(&err, SPB_ERR_MALFORMED, 17, "bad tag"), SPB_ERR_MALFORMED);
    ck_assert_uint_eq(err.offset, 17);
    ck_assert_str_eq(err.text, "bad tag");
}
END_TEST

START_TEST(nobody_needs_to_ask_for_a_text) {
    ck_assert_int_eq(spb_error__set(NULL, SPB_ERR_RANGE, "%d", 1), SPB_ERR_RANGE);
    ck_assert_int_eq(spb_error__set_at(NULL, SPB_ERR_RANGE, 2, "%d", 1), SPB_ERR_RANGE);
    ck_assert_int_eq(spb_error__no_memory(NULL, "a test"), SPB_ERR_NO_MEMORY);
}
END_TEST

START_TEST(what_came_from_outside_is_escaped) {
    spb_error err;
    spb_error__set(&err, SPB_ERR_NAME, "no metric \"%s\"", "a\nspb: error: forged\x1B[2J\xE2\x80\xAE\xFF");
    ck_assert_str_eq(err.text, "no metric \"a\\nspb: error: forged\\x1b[2J\\u202e\\xff\"");
}
END_TEST

START_TEST(a_long_text_is_cut_and_still_ends_in_nul) {
    char wordy[600];
    memset(wordy, 'x', sizeof wordy - 1);
    wordy[sizeof wordy - 1] = '\0';
    spb_error err;
    spb_error__set(&err, SPB_ERR_NAME, "%s", wordy);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
}
END_TEST

START_TEST(out_of_memory_names_what_it_was_wanted_for) {
    spb_error err;
    ck_assert_int_eq(spb_error__no_memory(&err, "a payload"), SPB_ERR_NO_MEMORY);
    ck_assert_int_eq(err.status, SPB_ERR_NO_MEMORY);
    ck_assert_str_eq(err.text, "out of memory for a payload");
}
END_TEST

START_TEST(every_status_has_a_name_of_its_own) {
    for (int a = SPB_ERR_SYSTEM; a <= SPB_OK; a++) {
        ck_assert_str_ne(spb_status_name((spb_status)a), "SPB_ERR_?");
        for (int b = SPB_ERR_SYSTEM; b < a; b++) {
            ck_assert_str_ne(spb_status_name((spb_status)a), spb_status_name((spb_status)b));
        }
    }
    ck_assert_str_eq(spb_status_name(SPB_OK), "SPB_OK");
    ck_assert_str_eq(spb_status_name(SPB_ERR_STORE_BUSY), "SPB_ERR_STORE_BUSY");
}
END_TEST

START_TEST(an_unknown_status_has_a_name_too) {
    ck_assert_str_eq(spb_status_name((spb_status)1), "SPB_ERR_?");
    ck_assert_str_eq(spb_status_name((spb_status)-21), "SPB_ERR_?");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("error");
    tcase_add_test(tests, set_fills_status_and_text_and_returns_the_status);
    tcase_add_test(tests, set_at_fills_the_offset);
    tcase_add_test(tests, nobody_needs_to_ask_for_a_text);
    tcase_add_test(tests, what_came_from_outside_is_escaped);
    tcase_add_test(tests, a_long_text_is_cut_and_still_ends_in_nul);
    tcase_add_test(tests, out_of_memory_names_what_it_was_wanted_for);
    tcase_add_test(tests, every_status_has_a_name_of_its_own);
    tcase_add_test(tests, an_unknown_status_has_a_name_too);
    Suite *suite = suite_create("error");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
