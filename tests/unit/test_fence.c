/* Fences: when one is due, what its answer covers, and when a server counts as gone. */
#include <check.h>
#include <stdlib.h>

#include <spb/session.h>

#include "outbox/fence.h"
#include "support/suite.h"

#define KEEP_ALIVE_MS 10000

static spb_fences fences;

static void begin_new(bool is_eager) {
    spb_fences__begin(&fences, KEEP_ALIVE_MS, is_eager, true);
    spb_fences__start(&fences, 0);
}

/* The form is known. */
static void begin(bool is_eager) {
    uint64_t covers;
    begin_new(is_eager);
    spb_fences__sent(&fences, 0);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 0, &covers));
}

/* The transport reports them at once. */
static void publish(unsigned count, size_t bytes, uint64_t now_ms) {
    for (unsigned i = 0; i < count; i++) {
        spb_fences__publish(&fences, true, bytes, now_ms);
        spb_fences__written(&fences, 1, now_ms);
    }
}

START_TEST(a_hundred_messages_call_for_one) {
    begin(true);
    publish(99, 1, 0);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 1000);
    publish(1, 1, 0);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 0);
}
END_TEST

START_TEST(so_do_64_KiB_and_a_second) {
    begin(true);
    publish(1, 65535, 100);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 1100);
    publish(1, 1, 200);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 0);
}
END_TEST

START_TEST(births_do_so_by_their_bytes_alone) {
    begin(true);
    for (unsigned i = 0; i < 1000; i++) {
        spb_fences__publish(&fences, false, 1, 0);
        spb_fences__written(&fences, 1, 0);
    }
    ck_assert_uint_eq(spb_fences__due_ms(&fences), KEEP_ALIVE_MS / 2);
    spb_fences__publish(&fences, false, 65536 - 1000, 0);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 0);
}
END_TEST

START_TEST(without_a_journal_only_many_bytes_at_once_and_time_do) {
    begin(false);
    publish(1000, 1, 0);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), KEEP_ALIVE_MS / 2);
    publish(1, 65536 - 1000, 19);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 0);
    spb_fences__sent(&fences, 19);
    publish(1000, 65, 100);
    publish(1, 536, 120); /* in 20 ms */
    ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER);
    ck_assert_uint_eq(fences.unanswered, 65536);
    publish(1, 65536, 130);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 0);
}
END_TEST

/* Its buffers are full, or were. */
START_TEST(a_link_that_was_slow_once_gets_one_after_64_KiB) {
    begin(false);
    spb_fences__publish(&fences, true, 1, 0);
    spb_fences__written(&fences, 1, 99);
    publish(1, 65535, 1000);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), KEEP_ALIVE_MS / 2);
    spb_fences__publish(&fences, true, 1, 2000);
    spb_fences__written(&fences, 1, 2100);
    publish(1, 65534, 3000);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), KEEP_ALIVE_MS / 2);
    publish(1, 1, 4000);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 0);
}
END_TEST

/* paho's threads may miss that there is something to do, and then sleep for up to a second. */
START_TEST(a_message_that_is_not_reported_calls_for_one_in_10_ms) {
    begin(false);
    spb_fences__publish(&fences, true, 1, 100);
    spb_fences__publish(&fences, true, 1, 105);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 110);
    spb_fences__written(&fences, 1, 108);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 118);
    spb_fences__sent(&fences, 112); /* for another reason */
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 118);
    spb_fences__sent(&fences, 118);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER); /* once; what helps more is for the watch */
    spb_fences__written(&fences, 1, 300);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER);
    spb_fences__publish(&fences, true, 1, 400);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 410);
    spb_fences__written(&fences, 1000, 401); /* of a transport that cannot count */
    spb_fences__publish(&fences, true, 1, 500);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 510);
}
END_TEST

START_TEST(it_is_known_how_much_the_server_may_not_have_read) {
    uint64_t covers;
    begin(false);
    publish(1, 1000, 0);
    spb_fences__sent(&fences, 0);
    publish(2, 100, 0);
    spb_fences__sent(&fences, 0);
    publish(1, 10, 0);
    ck_assert_uint_eq(fences.unanswered, 1210);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 1, &covers));
    ck_assert_uint_eq(fences.unanswered, 210);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 1, &covers));
    ck_assert_uint_eq(fences.unanswered, 10);
}
END_TEST

START_TEST(several_are_under_way_and_are_answered_in_their_order) {
    uint64_t covers;
    begin(true);
    for (unsigned i = 0; i < SPB_MAX_FENCES; i++) {
        publish(100, 1, i);
        ck_assert_uint_eq(spb_fences__due_ms(&fences), 0);
        spb_fences__sent(&fences, i);
    }
    publish(100, 1, 8);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER); /* no more than these */
    for (unsigned i = 1; i <= SPB_MAX_FENCES; i++) {
        ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 100, &covers));
        ck_assert_uint_eq(covers, 100 * i);
    }
    ck_assert(!spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 100, &covers));
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 0);
}
END_TEST

/* The oldest counts from the last answer, so a link that answers one by one lives however slow it is. */
START_TEST(a_slow_link_lives_and_a_silent_one_does_not) {
    uint64_t covers;
    begin(true);
    for (unsigned i = 0; i < 3; i++) {
        publish(100, 1, 0);
        spb_fences__sent(&fences, 0);
    }
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), KEEP_ALIVE_MS);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 9000, &covers));
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), 9000 + KEEP_ALIVE_MS);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 18000, &covers));
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), 18000 + KEEP_ALIVE_MS);
}
END_TEST

START_TEST(one_that_is_wanted_waits_for_nothing_but_a_message) {
    begin(true);
    fences.is_wanted = true;
    ck_assert(!spb_fences__is_wanted(&fences));
    publish(1, 1, 0);
    ck_assert(spb_fences__is_wanted(&fences));
    spb_fences__sent(&fences, 0);
    ck_assert(!spb_fences__is_wanted(&fences));
}
END_TEST

START_TEST(a_server_that_is_not_trusted_is_only_watched) {
    spb_fences__begin(&fences, KEEP_ALIVE_MS, true, false);
    spb_fences__start(&fences, 0);
    publish(1000, 1, 0);
    fences.is_wanted = true;
    ck_assert_uint_eq(spb_fences__due_ms(&fences), KEEP_ALIVE_MS / 2);
    ck_assert(!spb_fences__is_wanted(&fences));
}
END_TEST

/* ---- forms ---- */

#define TRIAL_MS 2500 /* a quarter of the keep-alive */

static spb_fence_form send(uint64_t now_ms) {
    ck_assert_uint_eq(spb_fences__due_ms(&fences), now_ms);
    return spb_fences__sent(&fences, now_ms);
}

static bool answer(spb_fence_form form, uint64_t now_ms) {
    uint64_t covers;
    return spb_fences__answered(&fences, form, now_ms, &covers);
}

START_TEST(a_server_that_answers_the_first_form_is_asked_in_no_other) {
    begin_new(true);
    ck_assert_int_eq(send(KEEP_ALIVE_MS / 2), SPB_FENCE_FORM_UNSUBSCRIBE);
    ck_assert(answer(SPB_FENCE_FORM_UNSUBSCRIBE, KEEP_ALIVE_MS / 2 + TRIAL_MS - 1));
    for (uint64_t at_ms = KEEP_ALIVE_MS + TRIAL_MS - 1; at_ms < 10 * KEEP_ALIVE_MS; at_ms += KEEP_ALIVE_MS / 2) {
        ck_assert_int_eq(send(at_ms), SPB_FENCE_FORM_UNSUBSCRIBE);
        ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER);
        ck_assert(answer(SPB_FENCE_FORM_UNSUBSCRIBE, at_ms));
    }
}
END_TEST

START_TEST(without_an_answer_the_next_form_is_tried) {
    begin_new(true);
    ck_assert_int_eq(send(5000), SPB_FENCE_FORM_UNSUBSCRIBE);
    ck_assert_int_eq(send(5000 + TRIAL_MS), SPB_FENCE_FORM_SUBSCRIBE);
    ck_assert_int_eq(send(5000 + 2 * TRIAL_MS), SPB_FENCE_FORM_BOTH);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER);
    ck_assert(spb_fences__are_in_vain(&fences));
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), 5000 + KEEP_ALIVE_MS); /* as ever */
    ck_assert(answer(SPB_FENCE_FORM_BOTH, 5000 + 3 * TRIAL_MS));
    ck_assert(!spb_fences__are_in_vain(&fences));
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), SPB_NEVER); /* the others are passed over */
    ck_assert_int_eq(send(5000 + 3 * TRIAL_MS + KEEP_ALIVE_MS / 2), SPB_FENCE_FORM_BOTH);
}
END_TEST

START_TEST(a_form_is_tried_for_3_seconds_at_most) {
    spb_fences__begin(&fences, 600000, true, true);
    spb_fences__start(&fences, 0);
    send(300000);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 303000);
}
END_TEST

START_TEST(an_answer_covers_what_was_asked_before_in_other_forms) {
    uint64_t covers;
    begin_new(true);
    publish(100, 10, 0);
    spb_fences__sent(&fences, 0);
    publish(100, 10, 100);
    spb_fences__sent(&fences, 100);
    publish(50, 10, 200);
    ck_assert_int_eq(spb_fences__sent(&fences, TRIAL_MS), SPB_FENCE_FORM_SUBSCRIBE);
    publish(1, 10, TRIAL_MS);
    ck_assert(!spb_fences__answered(&fences, SPB_FENCE_FORM_BOTH, TRIAL_MS, &covers)); /* nobody has asked so */
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_SUBSCRIBE, TRIAL_MS, &covers));
    ck_assert_uint_eq(covers, 250);
    ck_assert_uint_eq(fences.unanswered, 10);
    ck_assert(!answer(SPB_FENCE_FORM_UNSUBSCRIBE, TRIAL_MS));
}
END_TEST

/* Of a slow server, the answers come in order, and the first one decides. */
START_TEST(a_late_answer_to_the_first_form_is_the_first_answer) {
    uint64_t covers;
    begin_new(true);
    publish(100, 1, 0);
    spb_fences__sent(&fences, 0);
    publish(100, 1, 0);
    spb_fences__sent(&fences, 0);
    ck_assert_int_eq(send(TRIAL_MS), SPB_FENCE_FORM_SUBSCRIBE);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 3000, &covers));
    ck_assert_uint_eq(covers, 100);
    publish(100, 1, 3000);
    ck_assert_int_eq(spb_fences__sent(&fences, 3000), SPB_FENCE_FORM_UNSUBSCRIBE);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 3000, &covers));
    ck_assert_uint_eq(covers, 200);
    ck_assert(!answer(SPB_FENCE_FORM_SUBSCRIBE, 3000)); /* it is of no interest any more */
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 3000, &covers));
    ck_assert_uint_eq(covers, 300);
}
END_TEST

/* It is not waited for, and what it covered is asked for again. */
START_TEST(one_of_another_form_that_was_in_vain_is_forgotten) {
    uint64_t covers;
    begin_new(true);
    publish(1, 10, 0);
    ck_assert_int_eq(send(1000), SPB_FENCE_FORM_UNSUBSCRIBE);
    publish(1, 10, 3000);
    ck_assert_int_eq(send(1000 + TRIAL_MS), SPB_FENCE_FORM_SUBSCRIBE);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 3600, &covers));
    ck_assert_uint_eq(covers, 1);
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), SPB_NEVER);
    ck_assert_uint_eq(fences.unanswered, 10);
    ck_assert(spb_fences__is_wanted(&fences));
    ck_assert_int_eq(send(4600), SPB_FENCE_FORM_UNSUBSCRIBE);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_UNSUBSCRIBE, 4700, &covers));
    ck_assert_uint_eq(covers, 2);
    ck_assert_uint_eq(fences.unanswered, 0);
}
END_TEST

/* With as many unanswered as may be, there is room for the other forms. */
START_TEST(other_forms_are_tried_when_all_places_are_taken) {
    uint64_t covers;
    begin_new(true);
    for (unsigned i = 0; i < SPB_MAX_FENCES; i++) {
        publish(100, 1, 0);
        ck_assert_int_eq(send(0), SPB_FENCE_FORM_UNSUBSCRIBE);
    }
    publish(100, 1, 0);
    ck_assert_int_eq(send(TRIAL_MS), SPB_FENCE_FORM_SUBSCRIBE);
    publish(100, 1, TRIAL_MS);
    ck_assert_int_eq(send(2 * TRIAL_MS), SPB_FENCE_FORM_BOTH);
    publish(100, 1, 2 * TRIAL_MS);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER);
    ck_assert(spb_fences__answered(&fences, SPB_FENCE_FORM_BOTH, 6000, &covers));
    ck_assert_uint_eq(covers, 100 * (SPB_MAX_FENCES + 2));
    ck_assert_int_eq(send(0), SPB_FENCE_FORM_BOTH);
}
END_TEST

/* What the server cannot have read says nothing about the form. */
START_TEST(no_form_is_tried_before_what_is_ahead_was_written) {
    begin_new(true);
    spb_fences__publish(&fences, true, 1, 0);
    spb_fences__sent(&fences, 1000);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER);
    spb_fences__written(&fences, 1, 3000);
    ck_assert_int_eq(send(1000 + TRIAL_MS), SPB_FENCE_FORM_SUBSCRIBE);
}
END_TEST

START_TEST(what_an_earlier_connection_has_shown_comes_first) {
    begin_new(true);
    spb_fences__expect(&fences, SPB_FENCE_FORM_SUBSCRIBE);
    ck_assert_int_eq(send(5000), SPB_FENCE_FORM_SUBSCRIBE);
    ck_assert_int_eq(send(5000 + TRIAL_MS), SPB_FENCE_FORM_UNSUBSCRIBE);
    ck_assert_int_eq(send(5000 + 2 * TRIAL_MS), SPB_FENCE_FORM_BOTH);
    ck_assert(!spb_fences__are_in_vain(&fences)); /* it is more likely that the link is dead */
}
END_TEST

static void begin_by_time(void) {
    spb_fences__begin(&fences, KEEP_ALIVE_MS, true, false);
    fences.may_do_without = true;
    spb_fences__start(&fences, 0);
}

static void try_all(void) {
    send(5000);
    send(5000 + TRIAL_MS);
    send(5000 + 2 * TRIAL_MS);
}

START_TEST(with_time_alone_a_server_that_answers_none_is_asked_no_more) {
    begin_by_time();
    publish(1, 100000, 0);
    send(0);
    send(TRIAL_MS);
    ck_assert(!spb_fences__do_without(&fences)); /* not all were tried */
    send(2 * TRIAL_MS);
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), KEEP_ALIVE_MS);
    ck_assert(spb_fences__do_without(&fences));
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), SPB_NEVER);
    ck_assert_uint_eq(fences.unanswered, 0);
    spb_fences__publish(&fences, true, 100000, 20000);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), SPB_NEVER);
    ck_assert_uint_eq(fences.unanswered, 0);
    ck_assert_uint_eq(spb_fences__in_flight(&fences), 1);
    fences.is_wanted = true;
    ck_assert(!spb_fences__is_wanted(&fences));
}
END_TEST

START_TEST(a_server_that_has_answered_is_given_up_all_the_same) {
    begin_by_time();
    spb_fences__expect(&fences, SPB_FENCE_FORM_UNSUBSCRIBE);
    try_all();
    ck_assert(!spb_fences__do_without(&fences));
    begin_by_time();
    try_all();
    ck_assert(answer(SPB_FENCE_FORM_BOTH, 12000));
    ck_assert(!spb_fences__do_without(&fences));
    begin_new(true); /* nor is one without a fence to confirm by */
    try_all();
    ck_assert(!spb_fences__do_without(&fences));
}
END_TEST

/* Without fences, only MQTT's own keep-alive notices that a link has died, and that takes longer. */
START_TEST(what_watches_the_link_decides_when_time_confirms) {
    begin_by_time();
    ck_assert_uint_eq(spb_fences__believed_ms(&fences, 1, 100), SPB_NEVER); /* nothing is known of it */
    try_all();
    ck_assert_uint_eq(spb_fences__believed_ms(&fences, 1, 100), SPB_NEVER);
    ck_assert(spb_fences__do_without(&fences));
    ck_assert_uint_eq(spb_fences__believed_ms(&fences, 1, 100), 100 + 4 * KEEP_ALIVE_MS + 15000);
    begin_by_time();
    publish(1, 1, 100);
    send(5000);
    publish(1, 1, 5000);
    answer(SPB_FENCE_FORM_UNSUBSCRIBE, 5000);
    ck_assert_uint_eq(spb_fences__believed_ms(&fences, 1, 100), 100 + 2 * KEEP_ALIVE_MS);
    ck_assert_uint_eq(spb_fences__believed_ms(&fences, 2, 5000), SPB_NEVER); /* a slow link may still hold it */
    spb_fences__stop_watch(&fences);
    ck_assert_uint_eq(spb_fences__believed_ms(&fences, 1, 100), SPB_NEVER);
}
END_TEST

/* ---- while little is at stake ---- */

static void begin_within(uint64_t within_ms) {
    begin(true);
    fences.within_ms = within_ms;
}

START_TEST(with_little_at_stake_a_fence_may_wait) {
    begin_within(4000);
    publish(1, 1000, 100);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 4100);
    publish(3, 1000, 200);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 4100);
    publish(1, 96, 300); /* 4 KiB */
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 1100);
}
END_TEST

START_TEST(no_longer_than_it_may_with_much_at_stake) {
    begin_within(300);
    publish(1, 5000, 100);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), 400);
}
END_TEST

START_TEST(half_a_keep_alive_is_the_longest) {
    begin_within(3600000);
    publish(1, 100, 100);
    ck_assert_uint_eq(spb_fences__due_ms(&fences), KEEP_ALIVE_MS / 2);
}
END_TEST

/* In the last quarter of its time. */
START_TEST(one_that_is_due_soon_may_go_along_with_a_message) {
    begin_within(4000);
    publish(1, 100, 100);
    ck_assert(!spb_fences__may_ride(&fences, 3099));
    ck_assert(spb_fences__may_ride(&fences, 3100));
    spb_fences__sent(&fences, 3100);
    ck_assert(!spb_fences__may_ride(&fences, 3100));
}
END_TEST

START_TEST(so_may_that_of_the_watch) {
    begin(false);
    ck_assert(!spb_fences__may_ride(&fences, KEEP_ALIVE_MS * 3 / 8 - 1));
    ck_assert(spb_fences__may_ride(&fences, KEEP_ALIVE_MS * 3 / 8));
}
END_TEST

int main(void) {
    TCase *all = tcase_create("fence");
    tcase_add_test(all, a_hundred_messages_call_for_one);
    tcase_add_test(all, so_do_64_KiB_and_a_second);
    tcase_add_test(all, births_do_so_by_their_bytes_alone);
    tcase_add_test(all, without_a_journal_only_many_bytes_at_once_and_time_do);
    tcase_add_test(all, a_link_that_was_slow_once_gets_one_after_64_KiB);
    tcase_add_test(all, a_message_that_is_not_reported_calls_for_one_in_10_ms);
    tcase_add_test(all, it_is_known_how_much_the_server_may_not_have_read);
    tcase_add_test(all, several_are_under_way_and_are_answered_in_their_order);
    tcase_add_test(all, a_slow_link_lives_and_a_silent_one_does_not);
    tcase_add_test(all, one_that_is_wanted_waits_for_nothing_but_a_message);
    tcase_add_test(all, a_server_that_is_not_trusted_is_only_watched);
    tcase_add_test(all, a_server_that_answers_the_first_form_is_asked_in_no_other);
    tcase_add_test(all, without_an_answer_the_next_form_is_tried);
    tcase_add_test(all, a_form_is_tried_for_3_seconds_at_most);
    tcase_add_test(all, an_answer_covers_what_was_asked_before_in_other_forms);
    tcase_add_test(all, a_late_answer_to_the_first_form_is_the_first_answer);
    tcase_add_test(all, one_of_another_form_that_was_in_vain_is_forgotten);
    tcase_add_test(all, other_forms_are_tried_when_all_places_are_taken);
    tcase_add_test(all, no_form_is_tried_before_what_is_ahead_was_written);
    tcase_add_test(all, what_an_earlier_connection_has_shown_comes_first);
    tcase_add_test(all, with_time_alone_a_server_that_answers_none_is_asked_no_more);
    tcase_add_test(all, a_server_that_has_answered_is_given_up_all_the_same);
    tcase_add_test(all, what_watches_the_link_decides_when_time_confirms);
    tcase_add_test(all, with_little_at_stake_a_fence_may_wait);
    tcase_add_test(all, no_longer_than_it_may_with_much_at_stake);
    tcase_add_test(all, half_a_keep_alive_is_the_longest);
    tcase_add_test(all, one_that_is_due_soon_may_go_along_with_a_message);
    tcase_add_test(all, so_may_that_of_the_watch);
    Suite *suite = suite_create("fence");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
