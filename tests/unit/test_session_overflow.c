/* The rules of metrics when there is no room: what was dropped is caught up with, and hosts end with the newest value.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/press_fixture.h"
#include "support/suite.h"

START_TEST(what_waits_in_all_devices_has_a_bound) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 100;
    options.max_waiting_bytes = 65536;
    wire_close(&w);
    open_with(&options);
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0)});
    wire_go_online(&w);
    for (int i = 1; i <= 10000; i++) {
        update(level, i);
    }
    wire_sleep(&w, 1000);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_gt(stats.samples_dropped_overflow, 0);
    ck_assert_uint_lt(stats.bytes_published, 65536 + 4096);
    ck_assert(strstr(last_values(), "10000") != NULL); /* hosts end with the newest value */
    ck_assert_uint_eq(stats.samples_accepted + 1, stats.samples_published + stats.samples_dropped_overflow);
}
END_TEST

/* Few samples fill what may wait. */
static void open_small(void) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 0;
    options.batch_max_bytes = 1;
    wire_close(&w);
    open_with(&options);
}

/* The last of these samples is dropped: 90. */
static void overflow(spb_metric *metric) {
    for (int i = 0; wire_stats(&w).samples_dropped_overflow == 0; i++) {
        flagged(metric, spb_double(i % 2 ? 10 : 90), SPB_SAMPLE_FORCED);
        ck_assert_int_lt(i, 20);
    }
    flagged(metric, spb_double(90), SPB_SAMPLE_FORCED);
    ck_assert_uint_ge(wire_stats(&w).samples_dropped_overflow, 1);
}

START_TEST(the_deadband_is_around_what_caught_up) {
    open_small();
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0), .deadband = 1});
    wire_go_online(&w);
    overflow(level);
    update(level, 90.5);
    wire_run(&w);
    ck_assert_str_eq(last_values(), "90.5");
    update(level, 89.2);
    wire_run(&w);
    ck_assert_str_eq(last_values(), "89.2");
}
END_TEST

START_TEST(what_is_held_and_catches_up_is_not_sent_again) {
    open_small();
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0), .min_interval_ms = 60000});
    wire_go_online(&w);
    overflow(level);
    update(level, 95);
    wire_run(&w);
    ck_assert_str_eq(last_values(), "95");
    wire_forget(&w);
    wire_sleep(&w, 120000);
    ck_assert_str_eq(w.ledger, "");
    assert_balance();
}
END_TEST

START_TEST(deferred_samples_leave_when_what_was_to_take_them_along_is_dropped) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 100;
    options.max_waiting_bytes = 65536;
    wire_close(&w);
    open_with(&options);
    spb_device *big = wire_add_device(&w, "Big");
    spb_metric *text = wire_add_metric(&w, big, "text", spb_string(""));
    spb_metric *slow = add_deferring(0);
    update(slow, 1);
    wire_sleep(&w, 100);
    update(slow, 2);
    char *much = malloc(65500);
    ck_assert_ptr_nonnull(much);
    memset(much, 'x', 65500);
    ck_assert_int_eq(wire_update(&w, text, spb_string_view(SPB_STRING, (spb_str){much, 65480})), SPB_OK);
    free(much);
    flagged(slow, spb_double(3), SPB_SAMPLE_FORCED);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 1);
    wire_sleep(&w, 1100);
    ck_assert_str_eq(last_values(), "3"); /* behind the deferred one, it has caught up */
    ck_assert_uint_eq(wire_stats(&w).samples_published, 4);
}
END_TEST

/* Nothing of its own device waits, after which it could catch up. */
START_TEST(hosts_end_with_the_value_that_found_no_room_beside_another_device) {
    char much[65515];
    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    spb_session_options options = wire_options();
    options.max_waiting_bytes = 65536;
    wire_close(&w);
    open_with(&options);
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0)});
    spb_metric *text = wire_add_metric(&w, wire_add_device(&w, "Big"), "text", spb_string(""));
    wire_go_online(&w);
    ck_assert_int_eq(wire_update(&w, text, spb_string(much)), SPB_OK);
    update(level, 1);
    wire_sleep(&w, 1000);
    double known = 0;
    for (size_t i = 0; i < w.message_count; i++) { /* a birth or live data of the device */
        const spb_payload *payload = w.messages[i].payload;
        known = strcmp(w.messages[i].device, "Press") == 0 ? payload->metrics[0].value.as.f64 : known;
    }
    ck_assert_double_eq(known, 1);
}
END_TEST

/* What comes while a device is offline is for its next birth, whatever it has to say before its death. */
START_TEST(a_device_does_not_catch_up_with_what_came_when_it_was_offline) {
    open_small();
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0)});
    spb_metric *other = add((spb_metric_def){.name = "other", .value = spb_double(0)});
    wire_go_online(&w);
    overflow(level);
    spb_session_set_device_online(w.session, press, false, w.now);
    update(other, 5);
    wire_run(&w);
    ck_assert_ptr_nonnull(wire_last(&w, SPB_KIND_DDEATH));
    ck_assert_str_eq(last_values(), "90"); /* level has caught up */
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 1000);
    ck_assert_double_eq(wire_last(&w, SPB_KIND_DBIRTH)->payload->metrics[1].value.as.f64, 5);
    assert_balance();
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_overflow");
    tcase_add_checked_fixture(all, press_setup, press_teardown);
    tcase_add_test(all, what_waits_in_all_devices_has_a_bound);
    tcase_add_test(all, the_deadband_is_around_what_caught_up);
    tcase_add_test(all, what_is_held_and_catches_up_is_not_sent_again);
    tcase_add_test(all, deferred_samples_leave_when_what_was_to_take_them_along_is_dropped);
    tcase_add_test(all, hosts_end_with_the_value_that_found_no_room_beside_another_device);
    tcase_add_test(all, a_device_does_not_catch_up_with_what_came_when_it_was_offline);
    Suite *suite = suite_create("session_overflow");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
