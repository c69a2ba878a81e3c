/* Births, deaths and numbers of messages: each rule fires when a single thing is wrong. */
#include <check.h>
#include <stdlib.h>

#include "chaos/story.h"
#include "support/suite.h"

START_TEST(data_comes_after_the_nbirth) {
    story_accept(2);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_ndeath(7);
    story_data(1, false);
    story_expect(VERDICT_UNBORN);
}
END_TEST

START_TEST(data_of_a_device_comes_after_its_dbirth) {
    story_accept(1);
    story_births(7, VERDICT_NONE);
    story_nbirth(7, VERDICT_NONE);
    story_data_of(1, 0, false);
    story_dbirth(VERDICT_NONE);
    story_data_of(0, 0, false);
    story_expect(VERDICT_UNBORN);
}
END_TEST

START_TEST(numbers_of_messages_have_no_gap) {
    story_accept(1);
    story_births(7, VERDICT_NONE);
    story.seq++;
    story_data(0, false);
    story_expect(VERDICT_SEQ);
}
END_TEST

START_TEST(a_host_that_was_away_hears_the_middle_of_a_session) {
    story_accept(2);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_mark("host killed");
    story.seq += 5;
    story_data(1, false);
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(a_session_has_a_new_bdseq) {
    story_first_session();
    story_births(7, 4);
    story_data(3, true);
    story_data(4, true);
    story_data(5, false);
    story_expect(VERDICT_BDSEQ);
}
END_TEST

static void kill_after(const char *mark) {
    story_accept(1);
    story_mark(mark);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_ndeath(7);
    chaos_account_begin(story.account);
    story.life = 1;
    story_births(7, 0);
}

START_TEST(a_bdseq_that_could_not_be_saved_comes_again_after_a_kill) {
    kill_after("fault 1 disk_fails");
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(one_that_could_be_saved_does_not) {
    kill_after("fault 1 outage");
    story_expect(VERDICT_BDSEQ);
}
END_TEST

START_TEST(without_a_kill_it_does_not_either) {
    story_accept(1);
    story_mark("fault 1 disk_fails");
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_ndeath(7);
    story_births(7, 0);
    story_expect(VERDICT_BDSEQ);
}
END_TEST

START_TEST(an_old_session_dies_before_the_next_one_is_born) {
    story_sound();
    story_births(9, 5);
    story_ndeath(8);
    story_expect(VERDICT_BDSEQ);
}
END_TEST

static void session_without_death(void) {
    story_accept(1);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_births(8, 0);
}

START_TEST(each_session_has_its_ndeath) {
    session_without_death();
    story_expect(VERDICT_DEATH);
}
END_TEST

START_TEST(a_server_that_was_killed_publishes_no_will) {
    session_without_death();
    story_mark("broker killed");
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(aliases_stay) {
    story_first_session();
    story_nbirth(8, 4);
    story_begin_birth(1, 4);
    story.items[1].alias = 99;
    story_hear("DBIRTH", 1);
    story_data(3, true);
    story_data(4, true);
    story_data(5, false);
    story_expect(VERDICT_ALIAS);
}
END_TEST

START_TEST(an_alias_is_of_one_metric) {
    story_accept(1);
    story_nbirth(7, 0);
    story_begin_birth(1, 0);
    story.items[1].alias = 10;
    story_hear("DBIRTH", 1);
    story_expect(VERDICT_ALIAS);
}
END_TEST

START_TEST(births_hold_all_metrics) {
    story_accept(1);
    story_nbirth(7, 0);
    story_begin_birth(1, 0);
    story.payload.n_metrics--;
    story_hear("DBIRTH", 1);
    story_data_of(1, 0, false);
    ck_assert(!verdict_finish(story.judge));
    ck_assert_uint_eq(verdict_get(story.judge)->broken[VERDICT_PAYLOAD], 1);
}
END_TEST

START_TEST(payloads_can_be_read) {
    story_births(7, VERDICT_NONE);
    verdict_hear(
        story.judge,
        &(chaos_record){.topic = "spBv1.0/Chaos/NDATA/Edge", .payload = (const uint8_t *)"\xff", .payload_len = 1});
    story_expect(VERDICT_PAYLOAD);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("chaos_verdict_session");
    tcase_add_checked_fixture(all, story_open, story_close);
    tcase_add_test(all, data_comes_after_the_nbirth);
    tcase_add_test(all, data_of_a_device_comes_after_its_dbirth);
    tcase_add_test(all, numbers_of_messages_have_no_gap);
    tcase_add_test(all, a_host_that_was_away_hears_the_middle_of_a_session);
    tcase_add_test(all, a_session_has_a_new_bdseq);
    tcase_add_test(all, a_bdseq_that_could_not_be_saved_comes_again_after_a_kill);
    tcase_add_test(all, one_that_could_be_saved_does_not);
    tcase_add_test(all, without_a_kill_it_does_not_either);
    tcase_add_test(all, an_old_session_dies_before_the_next_one_is_born);
    tcase_add_test(all, each_session_has_its_ndeath);
    tcase_add_test(all, a_server_that_was_killed_publishes_no_will);
    tcase_add_test(all, aliases_stay);
    tcase_add_test(all, an_alias_is_of_one_metric);
    tcase_add_test(all, births_hold_all_metrics);
    tcase_add_test(all, payloads_can_be_read);
    Suite *suite = suite_create("chaos_verdict_session");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
