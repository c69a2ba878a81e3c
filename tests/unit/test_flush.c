/* Flushes: when everything that began before is settled, and how. */
#include <check.h>
#include <stdlib.h>

#include "outbox/flush.h"
#include "support/suite.h"

static spb_flushes flushes;

static void setup(void) {
    spb_flushes__init(&flushes);
}

static void is(uint64_t ticket, uint64_t committed_id, spb_flush wanted) {
    ck_assert_int_eq(spb_flushes__look(&flushes, ticket, committed_id), wanted);
}

START_TEST(a_flush_of_nothing_is_done) {
    is(spb_flushes__close(&flushes, 0, false), 0, SPB_FLUSH_CONFIRMED);
}
END_TEST

START_TEST(it_waits_for_each_message_of_before_and_for_no_later_one) {
    uint8_t first = spb_flushes__begin(&flushes), second = spb_flushes__begin(&flushes);
    uint64_t ticket = spb_flushes__close(&flushes, 0, false);
    spb_flushes__begin(&flushes);
    is(ticket, 0, SPB_FLUSH_PENDING);
    spb_flushes__confirm(&flushes, second);
    is(ticket, 0, SPB_FLUSH_PENDING);
    spb_flushes__confirm(&flushes, first);
    is(ticket, 0, SPB_FLUSH_CONFIRMED);
}
END_TEST

START_TEST(what_is_stored_counts_when_it_is_committed) {
    uint8_t epoch = spb_flushes__begin(&flushes);
    uint64_t ticket = spb_flushes__close(&flushes, 0, false);
    spb_flushes__store(&flushes, epoch, 7);
    is(ticket, 6, SPB_FLUSH_PENDING);
    is(ticket, 7, SPB_FLUSH_STORED);
}
END_TEST

START_TEST(one_loss_makes_it_lost) {
    uint8_t first = spb_flushes__begin(&flushes), second = spb_flushes__begin(&flushes);
    uint64_t ticket = spb_flushes__close(&flushes, 0, false);
    spb_flushes__lose(&flushes, first);
    is(ticket, 0, SPB_FLUSH_PENDING);
    spb_flushes__confirm(&flushes, second);
    is(ticket, 0, SPB_FLUSH_LOST);
}
END_TEST

START_TEST(what_was_lost_before_is_not_what_it_was_for) {
    spb_flushes__lose(&flushes, spb_flushes__begin(&flushes));
    is(spb_flushes__close(&flushes, 0, false), 0, SPB_FLUSH_CONFIRMED);
}
END_TEST

START_TEST(a_later_flush_waits_for_the_messages_of_earlier_ones) {
    uint8_t old = spb_flushes__begin(&flushes);
    uint64_t first = spb_flushes__close(&flushes, 0, false);
    uint8_t young = spb_flushes__begin(&flushes);
    uint64_t second = spb_flushes__close(&flushes, 0, false);
    spb_flushes__confirm(&flushes, young);
    is(second, 0, SPB_FLUSH_PENDING);
    spb_flushes__lose(&flushes, old);
    is(first, 0, SPB_FLUSH_LOST);
    is(second, 0, SPB_FLUSH_LOST);
}
END_TEST

START_TEST(values_that_no_message_has_wait_for_the_births) {
    uint8_t epoch;
    uint64_t ticket = spb_flushes__close(&flushes, 0, true);
    is(ticket, 0, SPB_FLUSH_PENDING);
    ck_assert(spb_flushes__next_born(&flushes, &epoch));
    ck_assert(!spb_flushes__next_born(&flushes, &epoch));
    is(ticket, 0, SPB_FLUSH_PENDING); /* until the birth is confirmed */
    spb_flushes__confirm(&flushes, epoch);
    is(ticket, 0, SPB_FLUSH_CONFIRMED);
}
END_TEST

START_TEST(more_flushes_than_it_can_tell_apart_wait_together) {
    uint8_t stuck = spb_flushes__begin(&flushes);
    uint64_t tickets[3 * SPB_MAX_EPOCHS];
    for (unsigned i = 0; i < 3 * SPB_MAX_EPOCHS; i++) {
        tickets[i] = spb_flushes__close(&flushes, 0, false);
        is(tickets[i], 0, SPB_FLUSH_PENDING);
    }
    spb_flushes__confirm(&flushes, stuck);
    for (unsigned i = 0; i < 3 * SPB_MAX_EPOCHS; i++) {
        is(tickets[i], 0, SPB_FLUSH_CONFIRMED);
    }
}
END_TEST

START_TEST(an_answer_is_remembered_for_long) {
    uint8_t epoch = spb_flushes__begin(&flushes);
    uint64_t lost = spb_flushes__close(&flushes, 0, false);
    spb_flushes__lose(&flushes, epoch);
    for (unsigned i = 0; i < 10 * SPB_MAX_EPOCHS; i++) {
        is(spb_flushes__close(&flushes, 0, false), 0, SPB_FLUSH_CONFIRMED);
    }
    is(lost, 0, SPB_FLUSH_LOST);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("flush");
    tcase_add_checked_fixture(all, setup, NULL);
    tcase_add_test(all, a_flush_of_nothing_is_done);
    tcase_add_test(all, it_waits_for_each_message_of_before_and_for_no_later_one);
    tcase_add_test(all, what_is_stored_counts_when_it_is_committed);
    tcase_add_test(all, one_loss_makes_it_lost);
    tcase_add_test(all, what_was_lost_before_is_not_what_it_was_for);
    tcase_add_test(all, a_later_flush_waits_for_the_messages_of_earlier_ones);
    tcase_add_test(all, values_that_no_message_has_wait_for_the_births);
    tcase_add_test(all, more_flushes_than_it_can_tell_apart_wait_together);
    tcase_add_test(all, an_answer_is_remembered_for_long);
    Suite *suite = suite_create("flush");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
