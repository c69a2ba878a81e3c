/* The numbers of a session. */
#include <check.h>
#include <stdlib.h>

#include "core/seq.h"
#include "support/suite.h"

START_TEST(a_number_is_followed_by_the_next_and_255_by_0) {
    ck_assert_uint_eq(spb_seq__next(0), 1);
    ck_assert_uint_eq(spb_seq__next(254), 255);
    ck_assert_uint_eq(spb_seq__next(255), 0);
}
END_TEST

START_TEST(without_a_store_the_first_bdseq_is_0) {
    spb_bdseq bdseq;
    spb_bdseq__init(&bdseq, false, 99);
    ck_assert_uint_eq(spb_bdseq__prepare(&bdseq), 0);
}
END_TEST

START_TEST(the_bdseq_goes_on_from_the_last_connect) {
    spb_bdseq bdseq;
    spb_bdseq__init(&bdseq, true, 254);
    ck_assert_uint_eq(spb_bdseq__prepare(&bdseq), 255);
    spb_bdseq__use(&bdseq);
    ck_assert_uint_eq(spb_bdseq__prepare(&bdseq), 0);
}
END_TEST

START_TEST(a_bdseq_that_no_connect_carried_is_not_skipped) {
    spb_bdseq bdseq;
    spb_bdseq__init(&bdseq, true, 7);
    ck_assert_uint_eq(spb_bdseq__prepare(&bdseq), 8);
    ck_assert_uint_eq(spb_bdseq__prepare(&bdseq), 8);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("seq");
    tcase_add_test(all, a_number_is_followed_by_the_next_and_255_by_0);
    tcase_add_test(all, without_a_store_the_first_bdseq_is_0);
    tcase_add_test(all, the_bdseq_goes_on_from_the_last_connect);
    tcase_add_test(all, a_bdseq_that_no_connect_carried_is_not_skipped);
    Suite *suite = suite_create("seq");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
