/* The level DURABLE: every message is safe in the journal before it is published. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

static spb_device *press;
static spb_metric *y;

static void setup(void) {
    delivery_setup();
    options.delivery = SPB_DELIVERY_DURABLE;
    wire_open_with(&w, &journal, &options);
    press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    y = wire_add_metric(&w, press, "y", spb_int32(0));
    wire_go_online(&w);
}

static void update_metric(spb_metric *metric, int32_t value) {
    ck_assert_int_eq(wire_update(&w, metric, spb_int32(value)), SPB_OK);
}

START_TEST(a_message_is_committed_before_it_is_published_and_confirmed_after_a_fence) {
    update_metric(x, 1);
    wire_sleep(&w, 99);
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT, NDATA 2");
    ck_assert(!wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0].is_historical);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 1);
    wire_sleep(&w, 3000);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT, NDATA 2, CONFIRM 1-1, COMMIT");
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
}
END_TEST

START_TEST(all_messages_that_are_due_share_a_commit) {
    update_metric(x, 1);
    update_metric(y, 2);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, APPEND 2 Press 1, COMMIT, NDATA 2, DDATA/Press 3");
}
END_TEST

START_TEST(a_slow_commit_holds_back_the_message_and_nothing_else) {
    journal.is_slow = true;
    update_metric(x, 1);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "APPEND 1 1");
    wire_journal_answer(&w);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT");
    spb_session_rebirth(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT, NBIRTH 0, DBIRTH/Press 1");
    wire_journal_answer(&w);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT, NBIRTH 0, DBIRTH/Press 1, NDATA 2");
    journal.is_slow = false;
}
END_TEST

/* It has its bytes in the journal, so they are not written again. */
START_TEST(what_was_published_and_not_confirmed_is_replayed_without_being_stored_again) {
    w.is_deaf = true;
    update_metric(x, 1);
    wire_sleep(&w, 100);
    wire_lose(&w);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT, NDATA 2, CLOSE");
    w.is_deaf = false;
    wire_sleep(&w, 5000);
    ck_assert(wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0].is_historical);
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_resent, 1);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(the_next_process_finds_what_was_committed) {
    w.is_deaf = true;
    update_metric(x, 1);
    wire_sleep(&w, 100);
    wire_close(&w); /* as when it is killed */
    wire_open_with(&w, &journal, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_sleep(&w, 3000);
    const spb_payload_metric *metric = &wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0];
    ck_assert(metric->is_historical);
    ck_assert_uint_eq(metric->value.as.u64, 1);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(while_the_store_fails_messages_go_live_and_are_kept_in_memory) {
    journal.append_fails = SPB_ERR_STORE;
    w.is_deaf = true;
    update_metric(x, 1);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, NDATA 2");
    ck_assert(wire_stats(&w).is_store_failing);
    ck_assert_ptr_nonnull(strstr(w.logs, "the store fails: append: the disk is broken"));
    update_metric(x, 2);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, NDATA 2, NDATA 3"); /* it is left alone for a second */
    journal.append_fails = SPB_OK;
    wire_lose(&w);
    wire_sleep(&w, 1000);
    ck_assert_ptr_nonnull(strstr(w.ledger, "APPEND 1 1, APPEND 2 1, COMMIT"));
    ck_assert(!wire_stats(&w).is_store_failing);
    ck_assert_ptr_nonnull(strstr(w.logs, "the store works again"));
}
END_TEST

START_TEST(a_full_journal_lets_messages_go_live) {
    journal.append_fails = SPB_ERR_LIMIT;
    update_metric(x, 1);
    wire_sleep(&w, 100);
    update_metric(x, 2);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, NDATA 2, NDATA 3"); /* it is not asked for each of them */
    wire_sleep(&w, 3000);
    journal.append_fails = SPB_OK;
    update_metric(x, 3);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, NDATA 2, NDATA 3, APPEND 1 1, COMMIT, NDATA 4");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_disk, 0);
    ck_assert(!wire_stats(&w).is_store_failing);
}
END_TEST

/* The link may end, and the device may go, while the journal writes. */
START_TEST(an_append_that_is_answered_after_the_connection_counts) {
    journal.is_slow = true;
    update_metric(y, 1);
    wire_sleep(&w, 100);
    wire_lose(&w);
    journal.is_slow = false;
    wire_journal_answer(&w);
    wire_sleep(&w, 5000);
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 1);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(a_device_may_be_removed_while_its_message_is_written) {
    journal.is_slow = true;
    update_metric(y, 1);
    wire_sleep(&w, 100);
    wire_lose(&w);
    spb_session_remove_device(w.session, press, w.now);
    journal.is_slow = false;
    wire_journal_answer(&w);
    wire_sleep(&w, 70000);
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_gone, 1);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(the_last_samples_of_a_device_are_safe_before_its_death) {
    update_metric(y, 1);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "APPEND 1 Press 1, COMMIT, DDATA/Press 2, DDEATH/Press 3");
}
END_TEST

/* y = 1 is written and not committed when its device goes offline, so y = 2 waits behind it. */
START_TEST(what_is_held_behind_a_message_is_stored_when_the_connection_is_lost) {
    journal.is_slow = true;
    update_metric(y, 1);
    wire_sleep(&w, 100);
    wire_journal_answer(&w); /* APPEND 1 */
    spb_session_set_device_online(w.session, press, false, w.now);
    update_metric(y, 2);
    wire_sleep(&w, 100);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    journal.is_slow = false;
    wire_lose(&w);
    wire_journal_answer(&w); /* COMMIT */
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "APPEND 1 Press 1, COMMIT, CLOSE, APPEND 2 Press 1, COMMIT");
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_STORED);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 2);
}
END_TEST

START_TEST(a_stop_writes_sends_and_waits_for_the_answer) {
    update_metric(x, 1);
    spb_session_stop(w.session, 1000, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT, NDATA 2, NDEATH, DISCONNECT 1000, CONFIRM 1-1, COMMIT");
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(a_flush_is_stored_by_its_commit_and_need_not_wait_for_the_server) {
    w.is_deaf = true;
    update_metric(x, 1);
    wire_sleep(&w, 100);
    update_metric(x, 2);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_PENDING);
    wire_run(&w);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_STORED);
    ticket = spb_session_flush(w.session, w.now); /* of nothing new: no server has read it yet */
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_STORED);
}
END_TEST

START_TEST(without_a_journal_the_level_is_live) {
    wire_close(&w);
    options.has_journal = false;
    wire_open(&w, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    update_metric(x, 1);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "NDATA 1");
}
END_TEST

/* The link is slower than the samples, and the disk is, too: the block that it is about to take cannot make room. */
START_TEST(what_comes_while_the_journal_takes_a_block_is_not_dropped) {
    wire_close(&w);
    options.batch_max_bytes = 1;
    options.batch_window_ms = 0;
    go_online();
    journal.is_slow = true;
    for (int32_t i = 1; i <= 5; i++) {
        update(i);
        wire_run(&w);
    }
    ck_assert(journal.is_waiting);
    journal.is_slow = false;
    wire_journal_answer(&w);
    wire_sleep(&w, 5000);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_dropped_overflow, 0);
    ck_assert_uint_eq(stats.samples_confirmed - stats.samples_repeated, 5);
}
END_TEST

/* A message that is too large for the server makes way for others, which are for the journal first. */
START_TEST(when_there_is_nothing_to_do_nothing_is_due) {
    char much[500];
    memset(much, 'a', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    options.batch_max_bytes = 1;
    options.batch_window_ms = 0;
    wire_open_with(&w, &journal, &options);
    w.welcome.max_packet_bytes = 400;
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_metric *text = wire_add_metric(&w, NULL, "text", spb_string(""));
    wire_go_online(&w);
    journal.is_slow = true;
    ck_assert_int_eq(wire_update(&w, text, spb_string(much)), SPB_OK);
    wire_run(&w);
    ck_assert_int_eq(wire_update(&w, x, spb_int32(1)), SPB_OK);
    wire_journal_answer(&w);
    wire_run(&w);
    wire_journal_answer(&w);
    wire_run(&w);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 1);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT, APPEND 2 1"); /* wire_run sees that no deadline has passed */
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_durable");
    tcase_add_checked_fixture(all, setup, delivery_teardown);
    tcase_add_test(all, a_message_is_committed_before_it_is_published_and_confirmed_after_a_fence);
    tcase_add_test(all, all_messages_that_are_due_share_a_commit);
    tcase_add_test(all, a_slow_commit_holds_back_the_message_and_nothing_else);
    tcase_add_test(all, what_was_published_and_not_confirmed_is_replayed_without_being_stored_again);
    tcase_add_test(all, the_next_process_finds_what_was_committed);
    tcase_add_test(all, while_the_store_fails_messages_go_live_and_are_kept_in_memory);
    tcase_add_test(all, a_full_journal_lets_messages_go_live);
    tcase_add_test(all, an_append_that_is_answered_after_the_connection_counts);
    tcase_add_test(all, a_device_may_be_removed_while_its_message_is_written);
    tcase_add_test(all, the_last_samples_of_a_device_are_safe_before_its_death);
    tcase_add_test(all, what_is_held_behind_a_message_is_stored_when_the_connection_is_lost);
    tcase_add_test(all, a_stop_writes_sends_and_waits_for_the_answer);
    tcase_add_test(all, a_flush_is_stored_by_its_commit_and_need_not_wait_for_the_server);
    tcase_add_test(all, without_a_journal_the_level_is_live);
    tcase_add_test(all, what_comes_while_the_journal_takes_a_block_is_not_dropped);
    tcase_add_test(all, when_there_is_nothing_to_do_nothing_is_due);
    Suite *suite = suite_create("delivery_durable");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
