/* Report by exception: which samples become messages, and when. The rules themselves are tested with change.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/handle.h"
#include "support/suite.h"
#include "support/wire.h"

static wire w;
static spb_device *press;

static void open_with(const spb_session_options *options) {
    wire_open(&w, options);
    press = wire_add_device(&w, "Press");
}

static void open(void) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 100;
    open_with(&options);
}

static void close(void) {
    wire_close(&w);
}

static spb_metric *add(spb_metric_def def) {
    return wire_add(&w, press, def);
}

static void flagged(spb_metric *metric, spb_value value, uint32_t flags) {
    spb_sample sample = {.metric = metric, .value = value, .flags = flags};
    ck_assert_int_eq(spb_session_sample(w.session, &sample, w.now), SPB_OK);
}

static void update(spb_metric *metric, double value) {
    ck_assert_int_eq(wire_update(&w, metric, spb_double(value)), SPB_OK);
}

/* Everything that was accepted is in one place. */
static void assert_balance(void) {
    spb_stats s = wire_stats(&w);
    uint64_t dropped = s.samples_dropped_offline + s.samples_dropped_overflow + s.samples_dropped_lost;
    ck_assert_uint_eq(s.samples_accepted, s.samples_suppressed + s.samples_published + dropped);
}

/* The values in the last DDATA, "1 2.5 3". */
static const char *last_values(void) {
    static char text[200];
    const wire_message *message = wire_last(&w, SPB_KIND_DDATA);
    text[0] = '\0';
    for (size_t i = 0; message && i < message->payload->metric_count; i++) {
        spb_value value = message->payload->metrics[i].value;
        ck_assert_int_eq(spb_value_resolve(&value, SPB_DOUBLE, NULL), SPB_OK);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%g", i > 0 ? " " : "", value.as.f64);
    }
    return text;
}

static int quality_of(const spb_payload_metric *metric) {
    const spb_property *quality = spb_property_find(metric->properties, SPB_PROPERTY_QUALITY);
    if (!quality) {
        return -1;
    }
    ck_assert_int_eq(quality->value.type, SPB_INT32);
    return (int)quality->value.as.i64;
}

START_TEST(an_equal_value_is_not_sent) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(1)});
    wire_go_online(&w);
    update(level, 1);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "");
    update(level, 2);
    update(level, 2);
    update(level, 1);
    wire_sleep(&w, 100);
    ck_assert_str_eq(last_values(), "2 1");
    ck_assert_uint_eq(wire_stats(&w).samples_suppressed, 2);
    assert_balance();
}
END_TEST

/* The way of spb_metric_update: the clock that such a sample gets may lie behind that of the one before. */
START_TEST(a_sample_on_the_short_way_does_not_turn_the_time_of_its_metric_back) {
    spb_metric *metric = add((spb_metric_def){.name = "Speed", .type = SPB_DOUBLE, .value = spb_double(1)});
    spb_sample same = {.metric = metric, .value = spb_double(1)};
    spb_sample other = {.metric = metric, .value = spb_double(2)};
    spb_sample wrong = {.metric = metric, .value = spb_float(1)};
    spb_sample forced = {.metric = metric, .value = spb_double(1), .flags = SPB_SAMPLE_FORCED};
    spb_tally tally = {0};
    ck_assert_int_eq(spb_session__way(w.session, &other), SPB_WAY_JOIN);
    ck_assert_int_eq(spb_session__way(w.session, &wrong), SPB_WAY_WHOLE);
    ck_assert_int_eq(spb_session__way(w.session, &forced), SPB_WAY_WHOLE);
    ck_assert_int_eq(spb_session__way(w.session, &same), SPB_WAY_SUPPRESS);
    uint64_t before_ms, after_ms;
    spb_session_value(w.session, metric, &before_ms);
    w.now.wall_ms = before_ms - 4;
    spb_session__suppress(&same, w.now.wall_ms, &tally);
    spb_session_value(w.session, metric, &after_ms);
    ck_assert_uint_eq(after_ms, before_ms);
    w.now.wall_ms = before_ms + 4;
    spb_session__suppress(&same, w.now.wall_ms, &tally);
    spb_session_value(w.session, metric, &after_ms);
    ck_assert_uint_eq(after_ms, before_ms + 4);
    w.now.wall_ms = before_ms - 3600000; /* the clock was set */
    spb_session__suppress(&same, w.now.wall_ms, &tally);
    spb_session_value(w.session, metric, &after_ms);
    ck_assert_uint_eq(after_ms, before_ms - 3600000);
    spb_stats stats;
    spb_session__settle(w.session, &tally);
    spb_session_stats(w.session, &stats);
    ck_assert_uint_eq(stats.samples_accepted, 3);
    ck_assert_uint_eq(stats.samples_suppressed, 3);
}
END_TEST

START_TEST(unless_each_sample_counts) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(1), .sends_unchanged = true});
    wire_go_online(&w);
    update(level, 1);
    wire_sleep(&w, 100);
    ck_assert_str_eq(last_values(), "1");
    assert_balance();
}
END_TEST

START_TEST(or_a_sample_is_forced) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(1)});
    wire_go_online(&w);
    flagged(level, spb_double(1), SPB_SAMPLE_FORCED);
    wire_sleep(&w, 100);
    ck_assert_str_eq(last_values(), "1");
    assert_balance();
}
END_TEST

START_TEST(within_the_deadband_around_what_was_sent_last_nothing_is) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(10), .deadband = 1});
    wire_go_online(&w);
    update(level, 10.9);
    update(level, 9.1);
    update(level, 11.5);
    update(level, 10.6);
    update(level, 10.4);
    wire_sleep(&w, 100);
    ck_assert_str_eq(last_values(), "11.5 10.4");
    ck_assert_uint_eq(wire_stats(&w).samples_suppressed, 3);
    assert_balance();
}
END_TEST

START_TEST(but_the_newest_value_is_in_each_birth) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(10), .deadband = 1});
    wire_go_online(&w);
    update(level, 10.9);
    wire_request_rebirth(&w);
    wire_sleep(&w, 2000);
    spb_value value = wire_last(&w, SPB_KIND_DBIRTH)->payload->metrics[0].value;
    ck_assert_double_eq(value.as.f64, 10.9);
    update(level, 11.8); /* the deadband is around the birth's value now */
    wire_sleep(&w, 100);
    ck_assert_ptr_null(wire_last(&w, SPB_KIND_DDATA));
    assert_balance();
}
END_TEST

START_TEST(samples_that_wait_at_a_rebirth_do_not_leave_hosts_behind) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(10), .deadband = 1});
    wire_go_online(&w);
    update(level, 20);
    update(level, 20.5); /* says nothing new, and is in the birth */
    wire_request_rebirth(&w);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(last_values(), "20.5");
    ck_assert_ptr_eq(wire_last(&w, SPB_KIND_DDATA), &w.messages[w.message_count - 1]);
}
END_TEST

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

START_TEST(a_change_of_quality_passes_and_is_told_from_then_on) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(5), .deadband = 10});
    wire_go_online(&w);
    flagged(level, spb_double(5), SPB_SAMPLE_BAD);
    wire_sleep(&w, 100);
    ck_assert_int_eq(quality_of(&wire_last(&w, SPB_KIND_DDATA)->payload->metrics[0]), SPB_QUALITY_BAD);
    flagged(level, spb_double(5), SPB_SAMPLE_STALE);
    wire_sleep(&w, 100);
    ck_assert_int_eq(quality_of(&wire_last(&w, SPB_KIND_DDATA)->payload->metrics[0]), SPB_QUALITY_STALE);
    wire_request_rebirth(&w);
    wire_sleep(&w, 2000);
    ck_assert_int_eq(quality_of(&wire_last(&w, SPB_KIND_DBIRTH)->payload->metrics[0]), SPB_QUALITY_STALE);
    update(level, 5);
    wire_sleep(&w, 100);
    ck_assert_int_eq(quality_of(&wire_last(&w, SPB_KIND_DDATA)->payload->metrics[0]), SPB_QUALITY_GOOD);
    assert_balance();
}
END_TEST

START_TEST(the_property_of_a_definition_is_the_first_quality) {
    spb_property quality = {.key = spb_str_from(SPB_PROPERTY_QUALITY), .value = spb_int32(SPB_QUALITY_STALE)};
    spb_metric *level = add((spb_metric_def){
        .name = "level", .value = spb_double(5), .unit = "m", .properties = &quality, .property_count = 1});
    wire_go_online(&w);
    update(level, 5);
    wire_sleep(&w, 100);
    ck_assert_int_eq(quality_of(&wire_last(&w, SPB_KIND_DDATA)->payload->metrics[0]), SPB_QUALITY_GOOD);
    wire_request_rebirth(&w);
    wire_sleep(&w, 2000);
    const spb_property_set *set = wire_last(&w, SPB_KIND_DBIRTH)->payload->metrics[0].properties;
    ck_assert_uint_eq(set->count, 2);
    ck_assert_int_eq((int)spb_property_find(set, SPB_PROPERTY_QUALITY)->value.as.i64, SPB_QUALITY_GOOD);
}
END_TEST

START_TEST(good_quality_costs_nothing_while_it_was_never_otherwise) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(5)});
    wire_go_online(&w);
    update(level, 6);
    wire_sleep(&w, 100);
    ck_assert_int_eq(quality_of(&wire_last(&w, SPB_KIND_DDATA)->payload->metrics[0]), -1);
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

/* ---- what was found by simulation ---- */

static void at(spb_metric *metric, double value, uint64_t timestamp_ms) {
    ck_assert_int_eq(
        spb_session_update(w.session, metric, &(spb_value){.type = SPB_DOUBLE, .as.f64 = value}, timestamp_ms, w.now),
        SPB_OK);
}

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

static spb_metric *add_deferring(uint32_t max_interval_ms) {
    spb_metric *slow = add((spb_metric_def){.name = "slow",
                                            .value = spb_double(0),
                                            .min_interval_ms = 1000,
                                            .max_interval_ms = max_interval_ms,
                                            .keeps_all = true});
    wire_go_online(&w);
    wire_sleep(&w, 1000);
    return slow;
}

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

START_TEST(rules_that_contradict_themselves_are_told_with_the_metric) {
    spb_metric_def def = {.name = "level", .type = SPB_STRING, .deadband = 1};
    spb_metric *metric;
    spb_error err;
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, press, &def, w.now, &err), SPB_ERR_ARGUMENT);
    ck_assert_str_eq(err.text, "metric level: a deadband, but a String is no number");
}
END_TEST

START_TEST(flags_that_contradict_each_other_are_refused) {
    spb_metric *level = add((spb_metric_def){.name = "level", .value = spb_double(0)});
    spb_sample sample = {.metric = level, .value = spb_double(1), .flags = SPB_SAMPLE_BAD | SPB_SAMPLE_STALE};
    ck_assert_int_eq(spb_session_sample(w.session, &sample, w.now), SPB_ERR_ARGUMENT);
    sample.flags = 0x100;
    ck_assert_int_eq(spb_session_sample(w.session, &sample, w.now), SPB_ERR_ARGUMENT);
    ck_assert_uint_eq(wire_stats(&w).samples_accepted, 0);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("session_exception");
    TCase *tests = tcase_create("session_exception");
    tcase_add_checked_fixture(tests, open, close);
    tcase_add_test(tests, an_equal_value_is_not_sent);
    tcase_add_test(tests, a_sample_on_the_short_way_does_not_turn_the_time_of_its_metric_back);
    tcase_add_test(tests, unless_each_sample_counts);
    tcase_add_test(tests, or_a_sample_is_forced);
    tcase_add_test(tests, within_the_deadband_around_what_was_sent_last_nothing_is);
    tcase_add_test(tests, but_the_newest_value_is_in_each_birth);
    tcase_add_test(tests, samples_that_wait_at_a_rebirth_do_not_leave_hosts_behind);
    tcase_add_test(tests, of_an_interval_the_newest_is_sent_at_its_end);
    tcase_add_test(tests, or_all_of_them_in_one_message);
    tcase_add_test(tests, deferred_samples_go_along_with_one_in_a_hurry);
    tcase_add_test(tests, after_the_longest_interval_the_newest_is_sent_though_it_has_not_changed);
    tcase_add_test(tests, a_change_of_quality_passes_and_is_told_from_then_on);
    tcase_add_test(tests, the_property_of_a_definition_is_the_first_quality);
    tcase_add_test(tests, good_quality_costs_nothing_while_it_was_never_otherwise);
    tcase_add_test(tests, an_urgent_sample_ends_the_window);
    tcase_add_test(tests, a_scan_stays_in_one_message);
    tcase_add_test(tests, a_scan_without_a_window_leaves_at_its_end);
    tcase_add_test(tests, what_is_held_is_in_the_next_birth_and_not_sent_again);
    tcase_add_test(tests, what_is_held_is_sent_before_the_metric_is_removed);
    tcase_add_test(tests, what_is_held_is_sent_before_a_stop);
    tcase_add_test(tests, what_is_held_is_sent_for_a_flush);
    tcase_add_test(tests, what_goes_back_before_its_time_was_never_there);
    tcase_add_test(tests, what_waits_in_all_devices_has_a_bound);
    tcase_add_test(tests, the_deadband_is_around_what_caught_up);
    tcase_add_test(tests, what_is_held_and_catches_up_is_not_sent_again);
    tcase_add_test(tests, an_urgent_metric_is_urgent_when_its_interval_ends);
    tcase_add_test(tests, an_interval_that_ends_does_not_end_a_scan);
    tcase_add_test(tests, samples_of_one_time_do_not_put_off_their_interval);
    tcase_add_test(tests, deferred_samples_leave_when_what_was_to_take_them_along_is_dropped);
    tcase_add_test(tests, hosts_end_with_the_value_that_found_no_room_beside_another_device);
    tcase_add_test(tests, deferred_samples_do_not_wait_for_a_later_one_that_is_held);
    tcase_add_test(tests, in_a_stopped_session_no_time_comes);
    tcase_add_test(tests, what_is_held_while_it_stops_is_not_held_in_the_end);
    tcase_add_test(tests, rules_that_contradict_themselves_are_told_with_the_metric);
    tcase_add_test(tests, flags_that_contradict_each_other_are_refused);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
