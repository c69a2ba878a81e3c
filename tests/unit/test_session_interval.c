/* When a sample that says something new leaves: intervals of a metric, what is held meanwhile, urgency, and scans. */
#include <check.h>
#include <stdlib.h>

#include "support/press_fixture.h"
#include "support/suite.h"

START_TEST(of_an_interval_the_newest_is_sent_at_its_end) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0), .min_interval_ms = 1000});
    wire_go_online(&w);
    wire_sleep(&w, 1000);
    update(level, 1);
    wire_sleep(&w, 300);
    ck_assert_str_eq(last_values(), "1");
    update(level, 2);
    wire_sleep(&w, 300);
    update(level, 3);
    wire_sleep(&w, 399);
    wire_forget(&w);
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), w.now.mono_ms + 1);
    wire_sleep(&w, 101);
    ck_assert_str_eq(last_values(), "3");
    ck_assert_uint_eq(wire_stats(&w).samples_suppressed, 1);
    assert_balance();
}
END_TEST

START_TEST(or_all_of_them_in_one_message) {
    spb_metric *level =
        add((spb_metric_def){.name = "level", .value = spb_double(0), .min_interval_ms = 1000, .keeps_all = true});
    wire_go_online(&w);
    wire_sleep(&w, 1000);
    update(level, 1);
    wire_sleep(&w, 100);
    wire_forget(&w);
    for (int i = 2; i <= 4; i++) {
        update(level, i);
        wire_sleep(&w, 200);
    }
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 300);
    ck_assert_str_eq(last_values(), "2 3 4");
    ck_assert_uint_eq(w.message_count, 1);
    assert_balance();
}
END_TEST

START_TEST(deferred_samples_go_along_with_one_in_a_hurry) {
    spb_metric *slow =
        add((spb_metric_def){.name = "slow", .value = spb_double(0), .min_interval_ms = 1000, .keeps_all = true});
    spb_metric *fast = add((spb_metric_def){.name = "fast", .value = spb_double(0)});
    wire_go_online(&w);
    update(slow, 1);
    wire_sleep(&w, 500);
    update(slow, 2);
    update(fast, 7);
    wire_sleep(&w, 100);
    ck_assert_uint_eq(wire_last(&w, SPB_KIND_DDATA)->payload->metric_count, 3);
    assert_balance();
}
END_TEST

START_TEST(after_the_longest_interval_the_newest_is_sent_though_it_has_not_changed) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(5), .max_interval_ms = 10000});
    wire_go_online(&w);
    wire_sleep(&w, 4000);
    update(level, 5);
    wire_sleep(&w, 5900);
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 300);
    ck_assert_str_eq(last_values(), "5");
    assert_balance();
}
END_TEST

START_TEST(samples_of_one_time_do_not_put_off_their_interval) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0), .min_interval_ms = 1000});
    wire_go_online(&w);
    wire_sleep(&w, 1000);
    uint64_t time_ms = w.now.wall_ms;
    at(level, 1, time_ms);
    wire_sleep(&w, 100);
    for (int i = 2; i <= 6; i++) {
        at(level, i, time_ms + 100);
        wire_sleep(&w, 225);
    }
    ck_assert_str_eq(last_values(), "5");
}
END_TEST

START_TEST(deferred_samples_do_not_wait_for_a_later_one_that_is_held) {
    spb_metric *slow = add_deferring(100000);
    uint64_t time_ms = w.now.wall_ms;
    at(slow, 1, time_ms);
    wire_sleep(&w, 100);
    at(slow, 2, time_ms + 10);
    at(slow, 2, time_ms + 1500);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(last_values(), "2");
}
END_TEST

START_TEST(in_a_stopped_session_no_time_comes) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0), .min_interval_ms = 1000});
    update(level, 1);
    update(level, 2);
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), SPB_NEVER);
    wire_go_online(&w);
    ck_assert_double_eq(spb_session_value(w.session, level, NULL).as.f64, 2);
}
END_TEST

START_TEST(an_urgent_sample_ends_the_window) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0)});
    spb_metric *alarm = add((spb_metric_def){.name = "alarm", .value = spb_double(0), .is_urgent = true});
    wire_go_online(&w);
    update(level, 1);
    update(alarm, 2);
    wire_run(&w);
    ck_assert_str_eq(last_values(), "1 2");
    flagged(level, spb_double(3), SPB_SAMPLE_URGENT);
    wire_run(&w);
    ck_assert_str_eq(last_values(), "3");
}
END_TEST

START_TEST(an_urgent_metric_is_urgent_when_its_interval_ends) {
    spb_metric *alarm =
        add((spb_metric_def){.name = "alarm", .value = spb_double(0), .min_interval_ms = 1000, .is_urgent = true});
    wire_go_online(&w);
    wire_sleep(&w, 1000);
    update(alarm, 1);
    update(alarm, 2);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(last_values(), "2");
}
END_TEST

START_TEST(a_scan_stays_in_one_message) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 100;
    options.batch_max_samples = 2;
    wire_close(&w);
    open_with(&options);
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0)});
    wire_go_online(&w);
    spb_session_begin_scan(w.session, press);
    for (int i = 1; i <= 5; i++) {
        update(level, i);
        wire_sleep(&w, 100);
    }
    ck_assert_str_eq(w.ledger, "");
    spb_session_end_scan(w.session, press, w.now);
    wire_sleep(&w, 99);
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 1);
    ck_assert_str_eq(last_values(), "1 2 3 4 5");
    for (int i = 1; i <= 4; i++) {
        update(level, -i);
    }
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "DDATA/Press 2, DDATA/Press 3, DDATA/Press 4");
}
END_TEST

START_TEST(a_scan_without_a_window_leaves_at_its_end) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 0;
    wire_close(&w);
    open_with(&options);
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0)});
    wire_go_online(&w);
    spb_session_begin_scan(w.session, press);
    update(level, 1);
    wire_run(&w);
    update(level, 2);
    ck_assert_uint_eq(w.message_count, 0);
    spb_session_end_scan(w.session, press, w.now);
    wire_run(&w);
    ck_assert_str_eq(last_values(), "1 2");
}
END_TEST

START_TEST(an_interval_that_ends_does_not_end_a_scan) {
    spb_metric *slow = add_deferring(0);
    update(slow, 1);
    wire_sleep(&w, 100);
    wire_forget(&w);
    spb_session_begin_scan(w.session, press);
    update(slow, 2);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(w.ledger, "");
    spb_session_end_scan(w.session, press, w.now);
    wire_sleep(&w, 100);
    ck_assert_str_eq(last_values(), "2");
}
END_TEST

static spb_metric *add_held(void) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0), .min_interval_ms = 60000});
    wire_go_online(&w);
    wire_sleep(&w, 60000);
    update(level, 1);
    wire_sleep(&w, 100);
    update(level, 2);
    wire_sleep(&w, 100);
    wire_forget(&w);
    return level;
}

START_TEST(what_is_held_is_in_the_next_birth_and_not_sent_again) {
    add_held();
    wire_request_rebirth(&w);
    wire_sleep(&w, 120000);
    ck_assert_double_eq(wire_last(&w, SPB_KIND_DBIRTH)->payload->metrics[0].value.as.f64, 2);
    ck_assert_ptr_null(wire_last(&w, SPB_KIND_DDATA));
}
END_TEST

START_TEST(what_is_held_is_sent_before_the_metric_is_removed) {
    spb_session_remove_metric(w.session, add_held(), w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(last_values(), "2");
    assert_balance();
}
END_TEST

START_TEST(what_is_held_is_sent_before_a_stop) {
    add_held();
    spb_session_stop(w.session, 1000, w.now);
    wire_run(&w);
    ck_assert_str_eq(last_values(), "2");
    assert_balance();
}
END_TEST

START_TEST(what_is_held_is_sent_for_a_flush) {
    add_held();
    uint64_t ticket = spb_session_flush(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(last_values(), "2");
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_CONFIRMED);
}
END_TEST

START_TEST(what_goes_back_before_its_time_was_never_there) {
    spb_metric *level = add_held();
    update(level, 1);
    wire_sleep(&w, 120000);
    ck_assert_ptr_null(wire_last(&w, SPB_KIND_DDATA));
    ck_assert_uint_eq(wire_stats(&w).samples_suppressed, 2);
    assert_balance();
}
END_TEST

START_TEST(what_is_held_while_it_stops_is_not_held_in_the_end) {
    add_held();
    spb_metric *other = add((spb_metric_def){.name = "other", .value = spb_double(0), .min_interval_ms = 60000});
    wire_sleep(&w, 1000);
    spb_session_stop(w.session, 1000, w.now);
    update(other, 1);
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    spb_stats stats = wire_stats(&w);
    update(other, 2);
    ck_assert_uint_eq(wire_stats(&w).samples_suppressed, stats.samples_suppressed); /* it is replaced, and so dropped */
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, stats.samples_dropped_offline + 1);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_interval");
    tcase_add_checked_fixture(all, press_setup, press_teardown);
    tcase_add_test(all, of_an_interval_the_newest_is_sent_at_its_end);
    tcase_add_test(all, or_all_of_them_in_one_message);
    tcase_add_test(all, deferred_samples_go_along_with_one_in_a_hurry);
    tcase_add_test(all, after_the_longest_interval_the_newest_is_sent_though_it_has_not_changed);
    tcase_add_test(all, samples_of_one_time_do_not_put_off_their_interval);
    tcase_add_test(all, deferred_samples_do_not_wait_for_a_later_one_that_is_held);
    tcase_add_test(all, in_a_stopped_session_no_time_comes);
    tcase_add_test(all, an_urgent_sample_ends_the_window);
    tcase_add_test(all, an_urgent_metric_is_urgent_when_its_interval_ends);
    tcase_add_test(all, a_scan_stays_in_one_message);
    tcase_add_test(all, a_scan_without_a_window_leaves_at_its_end);
    tcase_add_test(all, an_interval_that_ends_does_not_end_a_scan);
    tcase_add_test(all, what_is_held_is_in_the_next_birth_and_not_sent_again);
    tcase_add_test(all, what_is_held_is_sent_before_the_metric_is_removed);
    tcase_add_test(all, what_is_held_is_sent_before_a_stop);
    tcase_add_test(all, what_is_held_is_sent_for_a_flush);
    tcase_add_test(all, what_goes_back_before_its_time_was_never_there);
    tcase_add_test(all, what_is_held_while_it_stops_is_not_held_in_the_end);
    Suite *suite = suite_create("session_interval");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
