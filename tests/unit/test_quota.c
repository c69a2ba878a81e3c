/* So many in each second, and how many beyond that. */
#include <check.h>
#include <stdlib.h>

#include "base/quota.h"
#include "support/suite.h"

START_TEST(what_is_beyond_is_counted_and_told_once) {
    spb_quota quota = {0};
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(spb_quota__take(&quota, 10, 5000), i < 10);
    }
    ck_assert_uint_eq(spb_quota__due_ms(&quota), 6000);
    ck_assert_uint_eq(spb_quota__tell(&quota, 5999), 0);
    ck_assert_uint_eq(spb_quota__tell(&quota, 6000), 90);
    ck_assert_uint_eq(spb_quota__tell(&quota, 6000), 0);
    ck_assert_uint_eq(spb_quota__due_ms(&quota), UINT64_MAX);
}
END_TEST

START_TEST(each_second_has_its_own) {
    spb_quota quota = {0};
    ck_assert(spb_quota__take(&quota, 1, 1000));
    ck_assert(!spb_quota__take(&quota, 1, 1999));
    ck_assert(spb_quota__take(&quota, 1, 2000));
    ck_assert(!spb_quota__take(&quota, 1, 2001));
    ck_assert_uint_eq(spb_quota__tell(&quota, 3000), 2); /* also what nobody asked for in time */
}
END_TEST

START_TEST(within_the_bound_there_is_nothing_to_tell) {
    spb_quota quota = {0};
    ck_assert(spb_quota__take(&quota, 2, 0) && spb_quota__take(&quota, 2, 999));
    ck_assert_uint_eq(spb_quota__due_ms(&quota), UINT64_MAX);
    ck_assert_uint_eq(spb_quota__tell(&quota, 100000), 0);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("quota");
    tcase_add_test(all, what_is_beyond_is_counted_and_told_once);
    tcase_add_test(all, each_second_has_its_own);
    tcase_add_test(all, within_the_bound_there_is_nothing_to_tell);
    Suite *suite = suite_create("quota");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
