/* What the session knows of its journal: when to commit, and how long to leave it alone. */
#include <check.h>
#include <stdlib.h>

#include "outbox/journal.h"
#include "support/suite.h"

static spb_journal journal;

static void setup(void) {
    spb_store_info info = {.last_id = 41};
    spb_journal__init(&journal, &info, true, false);
}

static void teardown(void) {
    spb_journal__clear(&journal);
}

START_TEST(ids_go_on_from_the_last_run) {
    ck_assert_uint_eq(journal.appended_id, 41);
    ck_assert_uint_eq(journal.committed_id, 41);
    ck_assert_uint_eq(journal.commit_ms, SPB_NEVER);
}
END_TEST

START_TEST(appends_share_a_commit_within_their_time) {
    spb_journal__appended(&journal, 42, 10, 100, 1000);
    spb_journal__appended(&journal, 43, 10, 100, 1050);
    ck_assert_uint_eq(journal.commit_ms, 1100);
    spb_journal__appended(&journal, 44, 10, 0, 1060); /* one that is urgent */
    ck_assert_uint_eq(journal.commit_ms, 1060);
}
END_TEST

START_TEST(a_MiB_is_committed_at_once) {
    spb_journal__appended(&journal, 42, 1024 * 1024 - 1, 100, 1000);
    ck_assert_uint_eq(journal.commit_ms, 1100);
    spb_journal__appended(&journal, 43, 1, 100, 1001);
    ck_assert_uint_eq(journal.commit_ms, 1001);
}
END_TEST

START_TEST(confirms_are_gathered_for_a_second) {
    spb_journal__confirm(&journal, 3, 3, 1000);
    spb_journal__confirm(&journal, 1, 2, 1500);
    ck_assert_uint_eq(journal.confirm_ms, 2000);
    ck_assert_uint_eq(journal.confirms.count, 1);
}
END_TEST

START_TEST(a_store_that_fails_is_left_alone_for_longer_and_longer) {
    static const uint32_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    ck_assert(spb_journal__failed(&journal, 0)); /* that is news */
    ck_assert_uint_eq(journal.retry_ms, 1000);
    for (size_t i = 1; i < sizeof waits_ms / sizeof *waits_ms; i++) {
        ck_assert(!spb_journal__failed(&journal, 0));
        ck_assert_uint_eq(journal.retry_ms, waits_ms[i]);
    }
    ck_assert(spb_journal__cannot_take(&journal));
    ck_assert(spb_journal__went_well(&journal));
    ck_assert(!spb_journal__went_well(&journal));
    ck_assert(!journal.is_failing);
    spb_journal__failed(&journal, 0);
    ck_assert_uint_eq(journal.retry_ms, 1000);
}
END_TEST

START_TEST(there_is_nothing_to_commit_when_nothing_changed) {
    spb_journal__want_commit(&journal, 5);
    ck_assert_uint_eq(journal.commit_ms, SPB_NEVER);
    spb_journal__confirm(&journal, 1, 1, 0);
    spb_journal__want_commit(&journal, 5);
    ck_assert_uint_eq(journal.commit_ms, 5);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("journal");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, ids_go_on_from_the_last_run);
    tcase_add_test(all, appends_share_a_commit_within_their_time);
    tcase_add_test(all, a_MiB_is_committed_at_once);
    tcase_add_test(all, confirms_are_gathered_for_a_second);
    tcase_add_test(all, a_store_that_fails_is_left_alone_for_longer_and_longer);
    tcase_add_test(all, there_is_nothing_to_commit_when_nothing_changed);
    Suite *suite = suite_create("journal");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
