/* A machine whose clock is not set when it boots: samples keep their monotonic time, and get the right one later. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

#define BOOT UINT64_C(77)
#define TODAY_MS UINT64_C(1700000000000)

static void setup(void) {
    delivery_setup();
    options.boot = BOOT;
    options.store_window_ms = 0;
    wire_open_with(&w, &journal, &options);
    w.now.wall_ms = 5000; /* 1970 */
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
}

static void set_clock(void) {
    w.now.wall_ms = TODAY_MS;
}

static uint64_t time_of_x(void) {
    uint64_t timestamp_ms;
    spb_session_value(w.session, x, &timestamp_ms);
    return timestamp_ms;
}

static const spb_payload_metric *last_sample(void) {
    return &wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0];
}

START_TEST(until_then_samples_have_the_monotonic_time) {
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    uint64_t taken_ms = w.now.mono_ms;
    wire_sleep(&w, 100);
    ck_assert_uint_eq(last_sample()->timestamp_ms, taken_ms);
}
END_TEST

START_TEST(values_get_the_right_time_and_are_born_again) {
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 5000);
    set_clock();
    wire_run(&w);
    ck_assert_uint_eq(time_of_x(), TODAY_MS - 5000);
    ck_assert_ptr_nonnull(strstr(w.ledger, "NBIRTH 0"));
    ck_assert_uint_eq(spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "x")->timestamp_ms, TODAY_MS - 5000);
}
END_TEST

/* The journal fails when the clock is set, and is told of it again after a step of the clock. */
START_TEST(what_is_stored_gets_the_same_time_as_the_values_of_births) {
    spb_block block;
    bool found;
    spb_session_start(w.session, w.now);
    wire_update(&w, x, spb_int32(1));
    w.is_silent = true;
    wire_run(&w);
    journal.commit_fails = SPB_ERR_STORE;
    set_clock();
    wire_run(&w);
    uint64_t of_birth_ms = time_of_x();
    journal.commit_fails = SPB_OK;
    w.now.wall_ms += 3600000;
    wire_sleep(&w, 1000);
    ck_assert_int_eq(journal.store->read(journal.store, 1, &block, &found, NULL), SPB_OK);
    ck_assert(found && block.boot == BOOT);
    ck_assert_uint_eq(block.first_ms + (uint64_t)block.shift_ms, of_birth_ms);
}
END_TEST

START_TEST(what_is_stored_says_in_which_run_of_the_machine_and_is_put_right_when_it_is_replayed) {
    spb_block block;
    bool found;
    spb_session_start(w.session, w.now);
    wire_update(&w, x, spb_int32(1));
    w.is_silent = true;
    wire_run(&w);
    ck_assert_int_eq(journal.store->read(journal.store, 1, &block, &found, NULL), SPB_OK);
    ck_assert(found && block.boot == BOOT && block.shift_ms == 0);
    uint64_t ago_ms = 3000;
    wire_sleep(&w, ago_ms);
    set_clock();
    w.is_silent = false;
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    wire_sleep(&w, 2000);
    ck_assert_ptr_nonnull(strstr(w.ledger, "CLOCK"));
    ck_assert(last_sample()->is_historical);
    ck_assert_uint_eq(last_sample()->timestamp_ms, TODAY_MS - ago_ms);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(a_replay_waits_a_while_for_the_clock) {
    spb_session_start(w.session, w.now);
    wire_update(&w, x, spb_int32(1));
    wire_run(&w);
    wire_sleep(&w, 10000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 0);
    set_clock();
    wire_sleep(&w, 2000);
    ck_assert_uint_eq(last_sample()->timestamp_ms, TODAY_MS - 10000);
}
END_TEST

START_TEST(a_clock_that_is_never_set_does_not_keep_samples_back_for_ever) {
    spb_session_start(w.session, w.now);
    uint64_t taken_ms = w.now.mono_ms;
    wire_update(&w, x, spb_int32(1));
    wire_run(&w);
    wire_sleep(&w, 62000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 1);
    ck_assert_uint_eq(last_sample()->timestamp_ms, taken_ms);
}
END_TEST

START_TEST(a_step_back_changes_no_timer_and_no_order) {
    set_clock();
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    w.now.wall_ms -= 3600000;
    wire_update(&w, x, spb_int32(2));
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2"); /* one message is in time order */
    ck_assert_uint_eq(w.messages[0].payload->metrics[0].value.as.u64, 1);
    ck_assert_uint_eq(w.messages[1].payload->metrics[0].value.as.u64, 2);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_clock");
    tcase_add_checked_fixture(all, setup, delivery_teardown);
    tcase_add_test(all, until_then_samples_have_the_monotonic_time);
    tcase_add_test(all, values_get_the_right_time_and_are_born_again);
    tcase_add_test(all, what_is_stored_gets_the_same_time_as_the_values_of_births);
    tcase_add_test(all, what_is_stored_says_in_which_run_of_the_machine_and_is_put_right_when_it_is_replayed);
    tcase_add_test(all, a_replay_waits_a_while_for_the_clock);
    tcase_add_test(all, a_clock_that_is_never_set_does_not_keep_samples_back_for_ever);
    tcase_add_test(all, a_step_back_changes_no_timer_and_no_order);
    Suite *suite = suite_create("delivery_clock");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
