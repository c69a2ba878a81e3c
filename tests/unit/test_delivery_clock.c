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

/* ---- clock_wait_s ---- */

static void open_waiting(uint32_t clock_wait_s, spb_delivery level) {
    wire_close(&w);
    options.clock_wait_s = clock_wait_s;
    options.delivery = level;
    wire_open_with(&w, &journal, &options);
    w.now.wall_ms = 5000;
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_run(&w);
}

START_TEST(until_the_clock_is_set_there_is_no_connection) {
    open_waiting(3600, SPB_DELIVERY_OUTAGE);
    ck_assert_str_eq(w.states, "WAITING");
    ck_assert_ptr_nonnull(strstr(w.logs, "the wall clock is not set: waiting for it, at most 3600 s (clock_wait_s)"));
    for (int i = 1; i <= 3; i++) {
        wire_update(&w, x, spb_int32(i));
        wire_sleep(&w, 60000);
    }
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    ck_assert_uint_eq(wire_stats(&w).samples_in_journal, 3);
    set_clock();
    wire_sleep(&w, 1000); /* nothing but the session itself looks at the clock */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    const spb_payload_metric *born = spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "x");
    ck_assert_uint_eq(born->timestamp_ms, TODAY_MS - 60000);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(wire_samples(&w, WIRE_BOTH), "1h 2h 3h");
    ck_assert_uint_ge(wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0].timestamp_ms, TODAY_MS - 180000);
}
END_TEST

START_TEST(at_the_level_live_the_newest_value_waits_for_the_clock) {
    open_waiting(3600, SPB_DELIVERY_LIVE);
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 1000);
    wire_update(&w, x, spb_int32(2));
    wire_sleep(&w, 1000);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, 1);
    set_clock();
    wire_update(&w, x, spb_int32(3)); /* which sees it, too */
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), 0);
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert_uint_eq(spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "x")->timestamp_ms, TODAY_MS);
}
END_TEST

START_TEST(a_clock_that_is_never_set_is_not_waited_for_for_ever) {
    open_waiting(100, SPB_DELIVERY_OUTAGE);
    wire_sleep(&w, 99000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_sleep(&w, 1000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert_ptr_nonnull(strstr(w.logs,
                                 "the wall clock was not set within 100 s (clock_wait_s): births and data carry "
                                 "the time since the machine was started"));
    wire_lose(&w);
    wire_sleep(&w, 2000); /* once in a run */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
}
END_TEST

START_TEST(a_session_that_waits_for_the_clock_can_be_stopped) {
    open_waiting(100, SPB_DELIVERY_OUTAGE);
    spb_session_stop(w.session, 1000, w.now);
    wire_run(&w);
    ck_assert_uint_gt(spb_session_deadline_ms(w.session), w.now.mono_ms + 1000);
    wire_sleep(&w, 200000);
    ck_assert_str_eq(w.states, "WAITING STOPPED");
    set_clock();
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
}
END_TEST

START_TEST(behind_the_clock_the_turn_of_a_fleet_is_waited_for) {
    options.connect_spread_ms = 3600000;
    open_waiting(86400, SPB_DELIVERY_OUTAGE);
    set_clock();
    wire_sleep(&w, 1000);
    ck_assert_ptr_nonnull(strstr(w.logs, "(connect_spread_ms)"));
    ck_assert_str_eq(w.states, "WAITING WAITING");
    wire_sleep(&w, 3600000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
}
END_TEST

START_TEST(a_clock_that_is_set_is_not_waited_for) {
    wire_close(&w);
    options.clock_wait_s = 100;
    wire_open_with(&w, &journal, &options);
    wire_go_online(&w);
    ck_assert_uint_eq(wire_stats(&w).connects, 1);
}
END_TEST

START_TEST(without_knowing_the_run_of_the_machine_nobody_can_wait) {
    spb_error err;
    spb_session *session;
    options.clock_wait_s = 100;
    options.boot = 0;
    ck_assert_int_eq(spb_session_new(&session, &options, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(err.text, "clock_wait_s"));
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
    tcase_add_test(all, until_the_clock_is_set_there_is_no_connection);
    tcase_add_test(all, at_the_level_live_the_newest_value_waits_for_the_clock);
    tcase_add_test(all, a_clock_that_is_never_set_is_not_waited_for_for_ever);
    tcase_add_test(all, a_session_that_waits_for_the_clock_can_be_stopped);
    tcase_add_test(all, behind_the_clock_the_turn_of_a_fleet_is_waited_for);
    tcase_add_test(all, a_clock_that_is_set_is_not_waited_for);
    tcase_add_test(all, without_knowing_the_run_of_the_machine_nobody_can_wait);
    Suite *suite = suite_create("delivery_clock");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
