/* Fences: when one is due, what its answer covers, and when a server counts as gone. */
#include <check.h>
#include <stdlib.h>

#include <spb/session.h>

#include "outbox/fence.h"
#include "support/suite.h"

#define KEEP_ALIVE_MS 10000

static spb_fences fences;

static void begin(bool is_eager) {
    spb_fences__begin(&fences, KEEP_ALIVE_MS, is_eager, true);
    spb_fences__start(&fences, 0);
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
    ck_assert(spb_fences__answered(&fences, 1, &covers));
    ck_assert_uint_eq(fences.unanswered, 210);
    ck_assert(spb_fences__answered(&fences, 1, &covers));
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
        ck_assert(spb_fences__answered(&fences, 100, &covers));
        ck_assert_uint_eq(covers, 100 * i);
    }
    ck_assert(!spb_fences__answered(&fences, 100, &covers));
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
    ck_assert(spb_fences__answered(&fences, 9000, &covers));
    ck_assert_uint_eq(spb_fences__lost_ms(&fences), 9000 + KEEP_ALIVE_MS);
    ck_assert(spb_fences__answered(&fences, 18000, &covers));
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
    Suite *suite = suite_create("fence");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
