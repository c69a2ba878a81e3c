/* What becomes of each sample: each rule holds on a sound history, and fires when a single thing is wrong. */
#include <check.h>
#include <stdlib.h>

#include "chaos/story.h"
#include "support/suite.h"

START_TEST(a_sound_history_breaks_no_rule) {
    story_sound();
    ck_assert(verdict_finish(story.judge));
    const verdict_numbers *numbers = verdict_get(story.judge);
    ck_assert_uint_eq(numbers->owed, 36);
    ck_assert_uint_eq(numbers->arrived, 36);
    ck_assert_uint_eq(numbers->duplicates, 6);
    ck_assert_uint_eq(numbers->sessions, 2);
}
END_TEST

START_TEST(what_never_came_is_lost) {
    story_accept(3);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_data(2, false);
    story_expect(VERDICT_LOST);
    ck_assert_uint_eq(verdict_get(story.judge)->broken[VERDICT_LOST], STORY_METRICS);
}
END_TEST

START_TEST(a_value_in_a_birth_has_come) {
    story_accept(1);
    story_births(7, 0);
    ck_assert(verdict_finish(story.judge));
    ck_assert_uint_eq(verdict_get(story.judge)->only_in_births, STORY_METRICS);
}
END_TEST

START_TEST(a_killed_process_owes_what_was_flushed) {
    story_reopen(&(verdict_options){.owes_flushed = true});
    story_accept(3);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story.account->life[0].slots[0].flushed = 1;
    ck_assert(verdict_finish(story.judge));
    ck_assert_uint_eq(verdict_get(story.judge)->missing, 2 * STORY_METRICS);
}
END_TEST

START_TEST(what_was_flushed_is_owed_to_a_killed_process) {
    story_reopen(&(verdict_options){.owes_flushed = true});
    story_accept(3);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story.account->life[0].slots[0].flushed = 2;
    story_expect(VERDICT_LOST);
}
END_TEST

START_TEST(what_is_missing_must_be_counted) {
    story_reopen(&(verdict_options){.owes_flushed = true});
    story_accept(1);
    story_births(7, VERDICT_NONE);
    story.account->life[0].is_ended = true;
    story.account->life[0].counts.dropped_lost = STORY_METRICS - 1;
    story_expect(VERDICT_UNCOUNTED);
}
END_TEST

START_TEST(what_comes_twice_must_be_counted) {
    story_sound();
    story.account->life[0].is_ended = true;
    story.account->life[0].counts.resent = STORY_METRICS - 1;
    story_expect(VERDICT_UNCOUNTED);
}
END_TEST

START_TEST(a_number_that_was_never_handed_over_is_a_stranger) {
    story_sound();
    story_births(9, 5);
    story_begin();
    story_add_sample(3, 6);
    story_hear("DDATA", 1);
    story_expect(VERDICT_STRANGER);
}
END_TEST

START_TEST(a_live_sample_comes_once) {
    story_accept(1);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_data_of(1, 0, false);
    story_expect(VERDICT_DUPLICATE);
}
END_TEST

START_TEST(a_replay_repeats_nothing_of_its_own_session) {
    story_reopen(&(verdict_options){.max_resent_bytes = 1000, .may_overflow = true});
    story_accept(1);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_data_of(1, 0, true);
    story_expect(VERDICT_DUPLICATE);
}
END_TEST

START_TEST(no_more_than_the_window_comes_again) {
    story_reopen(&(verdict_options){.max_resent_bytes = 50});
    story_sound();
    story_expect(VERDICT_DUPLICATE);
}
END_TEST

START_TEST(more_comes_again_when_the_host_was_lost) {
    story_reopen(&(verdict_options){.max_resent_bytes = 50, .host_bytes = 1000});
    story_first_session();
    story_mark("host killed");
    story_births(8, 4);
    story_data(2, true);
    story_data(3, true);
    story_data(4, true);
    story_data(5, false);
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(more_comes_again_when_the_process_was_killed) {
    story_reopen(&(verdict_options){.max_resent_bytes = 50, .killed_bytes = 1000});
    story_first_session();
    chaos_account_begin(story.account);
    story.life = 1;
    story_accept(6);
    story_births(8, VERDICT_NONE);
    for (uint64_t number = 2; number < 6; number++) {
        story_data(number, true);
    }
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(live_samples_come_in_order) {
    story_accept(2);
    story_births(7, VERDICT_NONE);
    story_data(1, false);
    story_data(0, false);
    story_expect(VERDICT_ORDER);
}
END_TEST

START_TEST(replayed_samples_come_in_order) {
    story_first_session();
    story_births(8, 4);
    story_data(4, true);
    story_data(3, true);
    story_data(5, false);
    story_expect(VERDICT_ORDER);
}
END_TEST

START_TEST(what_a_lost_host_may_not_have_seen_comes_late) {
    story_first_session();
    story_mark("host killed");
    story_births(8, 4);
    story_data(3, true);
    story_data(4, true);
    story_data(2, true);
    story_data(5, false);
    ck_assert(verdict_finish(story.judge));
    ck_assert_uint_eq(verdict_get(story.judge)->reordered, STORY_METRICS);
}
END_TEST

START_TEST(a_killed_broker_is_a_lost_host_to_those_who_have_one) {
    story_reopen(&(verdict_options){.max_resent_bytes = 50, .host_bytes = 1000});
    story_first_session();
    story_mark("broker killed");
    story_births(8, 4);
    story_data(2, true);
    story_data(3, true);
    story_data(4, true);
    story_data(5, false);
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(what_is_older_than_the_birth_is_historical) {
    story_first_session();
    story_births(8, 4);
    story_data(3, false);
    story_data(4, true);
    story_data(5, false);
    story_expect(VERDICT_FLAG);
}
END_TEST

START_TEST(what_is_newer_than_the_birth_is_not_historical) {
    story_first_session();
    story_births(8, 4);
    story_data(3, true);
    story_data(4, true);
    story_data(5, true);
    story_expect(VERDICT_FLAG);
}
END_TEST

START_TEST(what_another_life_left_is_historical) {
    story_first_session();
    chaos_account_begin(story.account);
    story.life = 1;
    story_births(8, VERDICT_NONE);
    for (uint64_t number = 3; number < 6; number++) {
        story_data(number, number < 5);
    }
    story_expect(VERDICT_FLAG);
}
END_TEST

START_TEST(what_was_taken_while_a_device_was_offline_is_historical) {
    story_accept(2);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_begin();
    story_hear("DDEATH", 1);
    story_data_of(0, 1, false);
    story_dbirth(1);
    story_data_of(1, 1, false);
    story_expect(VERDICT_FLAG);
}
END_TEST

START_TEST(samples_may_wait_for_a_rebirth) {
    story_accept(2);
    story_births(7, VERDICT_NONE);
    story_data(0, false);
    story_births(7, 1);
    story_data(1, false);
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(births_are_not_historical) {
    story_accept(1);
    story_nbirth(7, VERDICT_NONE);
    story_begin_birth(1, 0);
    story.items[0].has_is_historical = story.items[0].is_historical = true;
    story_hear("DBIRTH", 1);
    story_data(0, false);
    story_expect(VERDICT_FLAG);
}
END_TEST

static void sample_at(unsigned metric, uint64_t seen_ms, uint64_t true_ms, uint64_t timestamp_ms, bool is_historical) {
    story_begin();
    Spb__Pb__Payload__Metric *item = story_add_sample(metric, 0);
    chaos_write_text(&(chaos_sample){metric, 0, 0, seen_ms, true_ms}, story.texts[0]);
    item->timestamp = timestamp_ms;
    item->has_is_historical = item->is_historical = is_historical;
    story_hear("DDATA", 1);
}

static void accept_one(void) {
    story.account->life[0].slots[5].attempted = story.account->life[0].slots[5].accepted = 1;
    story.account->life[0].slots[3].attempted = story.account->life[0].slots[3].accepted = 1;
    story_births(7, VERDICT_NONE);
    story_begin();
    story_add_sample(3, 0);
}

START_TEST(a_timestamp_stays_as_it_is) {
    accept_one();
    story.items[0].timestamp++;
    story_hear("DDATA", 1);
    sample_at(5, STORY_NOW_MS - 9, STORY_NOW_MS - 9, STORY_NOW_MS - 5, false);
    story_expect(VERDICT_TIME);
}
END_TEST

START_TEST(the_library_takes_the_time_when_the_sample_is_taken) {
    accept_one();
    story_hear("DDATA", 1);
    sample_at(5, STORY_NOW_MS - 9, STORY_NOW_MS - 9, STORY_NOW_MS - 15, false);
    story_expect(VERDICT_TIME);
}
END_TEST

START_TEST(a_wall_clock_that_stepped_gives_its_own_time) {
    accept_one();
    story_hear("DDATA", 1);
    sample_at(5, STORY_NOW_MS - 3600009, STORY_NOW_MS - 9, STORY_NOW_MS - 3600008, false);
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(a_clock_that_is_not_set_gives_small_times) {
    accept_one();
    story_hear("DDATA", 1);
    sample_at(5, 1234567, STORY_NOW_MS - 9, 1234, false);
    ck_assert(verdict_finish(story.judge));
    ck_assert_uint_eq(verdict_get(story.judge)->unset_times, 1);
}
END_TEST

START_TEST(a_replay_gives_the_right_time_when_the_clock_is_set) {
    story_reopen(&(verdict_options){.may_overflow = true});
    accept_one();
    story_hear("DDATA", 1);
    sample_at(5, 1234567, STORY_NOW_MS - 9, STORY_NOW_MS - 8, true);
    ck_assert(verdict_finish(story.judge));
}
END_TEST

START_TEST(a_replay_with_a_small_time_is_wrong_when_the_clock_is_set) {
    story_reopen(&(verdict_options){.may_overflow = true});
    accept_one();
    story_hear("DDATA", 1);
    sample_at(5, 1234567, STORY_NOW_MS - 9, 1234, true);
    story_expect(VERDICT_TIME);
}
END_TEST

START_TEST(a_value_of_another_metric_is_wrong) {
    story_sound();
    story_births(9, 5);
    story_begin();
    story_add_sample(0, 5);
    story.items[0].alias = 13;
    story_hear("DDATA", 1);
    story_expect(VERDICT_VALUE);
}
END_TEST

START_TEST(another_datatype_is_wrong) {
    story_sound();
    story_births(9, 5);
    story_begin();
    story_add_sample(3, 5)->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_INT_VALUE;
    story_hear("DDATA", 1);
    story_expect(VERDICT_VALUE);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("chaos_verdict_sample");
    tcase_add_checked_fixture(all, story_open, story_close);
    tcase_add_test(all, a_sound_history_breaks_no_rule);
    tcase_add_test(all, what_never_came_is_lost);
    tcase_add_test(all, a_value_in_a_birth_has_come);
    tcase_add_test(all, a_killed_process_owes_what_was_flushed);
    tcase_add_test(all, what_was_flushed_is_owed_to_a_killed_process);
    tcase_add_test(all, what_is_missing_must_be_counted);
    tcase_add_test(all, what_comes_twice_must_be_counted);
    tcase_add_test(all, a_number_that_was_never_handed_over_is_a_stranger);
    tcase_add_test(all, a_live_sample_comes_once);
    tcase_add_test(all, a_replay_repeats_nothing_of_its_own_session);
    tcase_add_test(all, no_more_than_the_window_comes_again);
    tcase_add_test(all, more_comes_again_when_the_host_was_lost);
    tcase_add_test(all, more_comes_again_when_the_process_was_killed);
    tcase_add_test(all, live_samples_come_in_order);
    tcase_add_test(all, replayed_samples_come_in_order);
    tcase_add_test(all, what_a_lost_host_may_not_have_seen_comes_late);
    tcase_add_test(all, a_killed_broker_is_a_lost_host_to_those_who_have_one);
    tcase_add_test(all, what_is_older_than_the_birth_is_historical);
    tcase_add_test(all, what_is_newer_than_the_birth_is_not_historical);
    tcase_add_test(all, what_another_life_left_is_historical);
    tcase_add_test(all, what_was_taken_while_a_device_was_offline_is_historical);
    tcase_add_test(all, samples_may_wait_for_a_rebirth);
    tcase_add_test(all, births_are_not_historical);
    tcase_add_test(all, a_timestamp_stays_as_it_is);
    tcase_add_test(all, the_library_takes_the_time_when_the_sample_is_taken);
    tcase_add_test(all, a_wall_clock_that_stepped_gives_its_own_time);
    tcase_add_test(all, a_clock_that_is_not_set_gives_small_times);
    tcase_add_test(all, a_replay_gives_the_right_time_when_the_clock_is_set);
    tcase_add_test(all, a_replay_with_a_small_time_is_wrong_when_the_clock_is_set);
    tcase_add_test(all, a_value_of_another_metric_is_wrong);
    tcase_add_test(all, another_datatype_is_wrong);
    Suite *suite = suite_create("chaos_verdict_sample");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
