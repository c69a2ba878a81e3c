/* The short way of a sample: which ones need no more of the session than their holder, and what becomes of them. */
#include <check.h>
#include <stdlib.h>

#include "core/handle.h"
#include "core/session.h"
#include "support/suite.h"
#include "support/wire.h"

static wire w;
static spb_device *press;
static spb_tally tally;

static void open_with(const spb_session_options *options) {
    wire_open(&w, options);
    press = wire_add_device(&w, "Press");
    tally = (spb_tally){0};
}

static void open(void) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 100;
    options.batch_max_samples = 4;
    open_with(&options);
}

static void close(void) {
    wire_close(&w);
}

static spb_metric *add(spb_metric_def def) {
    return wire_add(&w, press, def);
}

static spb_metric *add_number(const char *name) {
    return add((spb_metric_def){.name = name, .value = spb_int32(0)});
}

static bool join_at(spb_metric *metric, int32_t value, uint64_t timestamp_ms) {
    spb_sample sample = {.metric = metric, .value = spb_int32(value), .timestamp_ms = timestamp_ms};
    spb_way way = spb_session__way(w.session, &sample);
    ck_assert_int_ne(way, SPB_WAY_SUPPRESS);
    return way == SPB_WAY_JOIN && spb_session__join(w.session, &sample, w.now.wall_ms, &tally);
}

static bool join(spb_metric *metric, int32_t value) {
    return join_at(metric, value, SPB_NOW);
}

/* 2, 3, …, until one does not. Returns how many did. */
static int32_t join_all(spb_metric *metric) {
    int32_t joined = 0;
    while (join(metric, 2 + joined)) {
        joined++;
    }
    return joined;
}

/* The whole way: it begins a message. */
static void begin(spb_metric *metric, int32_t value) {
    spb_sample sample = {.metric = metric, .value = spb_int32(value)};
    ck_assert_int_eq(spb_session_sample(w.session, &sample, w.now), SPB_OK);
}

static const char *sent(void) {
    spb_session__settle(w.session, &tally);
    wire_sleep(&w, 100);
    spb_stats s = wire_stats(&w);
    ck_assert_uint_eq(s.samples_accepted, s.samples_published + s.samples_suppressed);
    return wire_samples(&w, WIRE_LIVE);
}

START_TEST(a_sample_joins_a_message_that_is_open) {
    spb_metric *a = add_number("a"), *b = add_number("b");
    wire_go_online(&w);
    begin(a, 1);
    ck_assert(join(b, 2));
    ck_assert(join(a, 3));
    ck_assert_uint_eq(tally.accepted, 2);
    ck_assert_uint_gt(tally.bytes, 2 * 10);
    ck_assert_str_eq(sent(), "1 2 3");
    ck_assert_uint_eq(w.message_count, 1);
    ck_assert_int_eq(spb_session_value(w.session, a, NULL).as.i64, 3);
}
END_TEST

START_TEST(a_timestamp_that_is_no_time_is_left_to_those_who_refuse_it) {
    spb_metric *a = add_number("a");
    wire_go_online(&w);
    begin(a, 1);
    ck_assert(!join_at(a, 2, UINT64_MAX));
    ck_assert(join_at(a, 2, SPB_LAST_TIMESTAMP_MS));
}
END_TEST

START_TEST(there_must_be_one_and_it_must_stay_open) {
    spb_metric *a = add_number("a");
    ck_assert(!join(a, 1)); /* nobody follows */
    wire_go_online(&w);
    ck_assert(!join(a, 1));
    begin(a, 1);
    ck_assert(join(a, 2));
    ck_assert(join(a, 3));
    ck_assert(!join(a, 4)); /* the fourth is the last */
    begin(a, 4);
    ck_assert(!join(a, 5));
    ck_assert_str_eq(sent(), "1 2 3 4");
}
END_TEST

START_TEST(messages_are_in_the_order_of_time) {
    spb_metric *a = add_number("a");
    wire_go_online(&w);
    begin(a, 1);
    ck_assert(!join_at(a, 2, w.now.wall_ms - 1));
    ck_assert(join_at(a, 3, w.now.wall_ms + 1));
    ck_assert(!join(a, 4)); /* older than the one before */
    ck_assert_str_eq(sent(), "1 3");
}
END_TEST

START_TEST(what_makes_a_message_leave_takes_the_whole_way) {
    spb_metric *a = add_number("a");
    spb_metric *urgent = add((spb_metric_def){.name = "urgent", .value = spb_int32(0), .is_urgent = true});
    wire_go_online(&w);
    begin(a, 1);
    ck_assert(!join(urgent, 2));
    static const uint32_t flags[] = {SPB_SAMPLE_URGENT, SPB_SAMPLE_FORCED, SPB_SAMPLE_BAD, SPB_SAMPLE_STALE};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        spb_sample sample = {.metric = a, .value = spb_int32(2), .flags = flags[i]};
        ck_assert_int_eq(spb_session__way(w.session, &sample), SPB_WAY_WHOLE);
    }
    ck_assert_str_eq(sent(), "1");
}
END_TEST

START_TEST(so_does_what_takes_memory_or_is_wrong) {
    spb_metric *a = add_number("a");
    spb_metric *text = add((spb_metric_def){.name = "text", .value = spb_string("x")});
    wire_go_online(&w);
    begin(a, 1);
    spb_sample longer = {.metric = text, .value = spb_string("y")};
    spb_sample wrong = {.metric = a, .value = spb_float(2)};
    spb_sample absent = {.metric = a, .value = spb_null(SPB_INT32)};
    spb_sample large = {.metric = a, .value = {.type = SPB_INT32, .as.i64 = INT64_C(1) << 40}};
    ck_assert_int_eq(spb_session__way(w.session, &longer), SPB_WAY_WHOLE);
    ck_assert_int_eq(spb_session__way(w.session, &wrong), SPB_WAY_WHOLE);
    ck_assert(!spb_session__join(w.session, &absent, w.now.wall_ms, &tally));
    ck_assert(!spb_session__join(w.session, &large, w.now.wall_ms, &tally));
    ck_assert_uint_eq(tally.accepted, 0);
    ck_assert_str_eq(sent(), "1");
}
END_TEST

START_TEST(so_does_what_has_a_timer) {
    spb_metric *a = add_number("a");
    spb_metric *slow = add((spb_metric_def){.name = "slow", .value = spb_int32(0), .min_interval_ms = 1000});
    spb_metric *beat = add((spb_metric_def){.name = "beat", .value = spb_int32(0), .max_interval_ms = 1000});
    wire_go_online(&w);
    begin(a, 1);
    ck_assert(!join(slow, 2));
    ck_assert(!join(beat, 2));
}
END_TEST

START_TEST(a_deadband_is_around_the_value_that_joined) {
    spb_metric *a = add((spb_metric_def){.name = "a", .value = spb_int32(0), .deadband = 1});
    wire_go_online(&w);
    begin(a, 5);
    ck_assert(join(a, 10));
    spb_sample near = {.metric = a, .value = spb_int32(11)}, far = {.metric = a, .value = spb_int32(5)};
    ck_assert_int_eq(spb_session__way(w.session, &near), SPB_WAY_SUPPRESS);
    ck_assert_int_eq(spb_session__way(w.session, &far), SPB_WAY_JOIN);
    ck_assert_str_eq(sent(), "5 10");
}
END_TEST

/* What joined is what hosts know, also after a birth that overtakes it: it is not sent once more. */
START_TEST(what_was_suppressed_before_is_forgotten) {
    spb_metric *a = add((spb_metric_def){.name = "a", .value = spb_int32(0), .deadband = 1});
    wire_go_online(&w);
    begin(a, 5);
    spb_sample near = {.metric = a, .value = spb_int32(6)};
    ck_assert_int_eq(spb_session__way(w.session, &near), SPB_WAY_SUPPRESS);
    spb_session__suppress(&near, w.now.wall_ms, &tally);
    ck_assert(join(a, 10));
    spb_session__settle(w.session, &tally);
    wire_request_rebirth(&w);
    ck_assert_str_eq(sent(), "5 10");
    wire_sleep(&w, 2000);
    ck_assert_str_eq(wire_samples(&w, WIRE_LIVE), "5 10");
}
END_TEST

START_TEST(a_message_stays_within_what_the_server_takes) {
    wire_close(&w);
    spb_session_options options = wire_options();
    options.batch_window_ms = 100;
    open_with(&options);
    w.welcome.max_packet_bytes = 200;
    spb_metric *a = add_number("a");
    wire_go_online(&w);
    begin(a, 1);
    int32_t joined = join_all(a);
    ck_assert_int_gt(joined, 4);
    ck_assert_int_lt(joined, 200 / 12);
    sent(); /* nothing was dropped because it is too large */
    ck_assert_uint_eq(wire_last(&w, SPB_KIND_DDATA)->payload->metric_count, 1 + (size_t)joined);
}
END_TEST

START_TEST(while_the_clock_is_not_set_each_sample_may_be_the_one_that_sees_it) {
    wire_close(&w);
    spb_session_options options = wire_options();
    options.batch_window_ms = 100;
    options.boot = 7;
    open_with(&options);
    uint64_t wall_ms = w.now.wall_ms;
    w.now.wall_ms = 5000; /* 1970 */
    spb_metric *a = add_number("a");
    wire_go_online(&w);
    begin(a, 1);
    ck_assert(!join(a, 2));
    w.now.wall_ms = wall_ms;
    begin(a, 3);
    wire_sleep(&w, 1000);
    begin(a, 4);
    ck_assert(join(a, 5));
}
END_TEST

START_TEST(a_metric_without_a_birth_waits_for_it) {
    spb_metric *a = add_number("a");
    wire_go_online(&w);
    begin(a, 1);
    spb_metric *late = add_number("late");
    ck_assert(!join(late, 2));
    spb_session_set_device_online(w.session, press, false, w.now);
    ck_assert(!join(a, 3));
}
END_TEST

START_TEST(what_may_wait_has_its_bound_here_too) {
    spb_session_options options = wire_options();
    options.batch_window_ms = 60000;
    options.batch_max_bytes = 1024 * 1024;
    options.max_waiting_bytes = 65536;
    open_with(&options);
    spb_metric *a = add_number("a");
    wire_go_online(&w);
    w.session->outbox.fences.window.most_bytes = 0; /* the link bears blocks of any size */
    begin(a, 1);
    size_t joined = 0, settled = 0;
    for (int32_t value = 2; settled < 10; value++) {
        if (join(a, value)) {
            joined++;
            continue;
        }
        ck_assert(tally.bytes > 16 * 1024 || settled >= 3); /* it wants to be settled now and then */
        spb_session__settle(w.session, &tally);
        settled++;
    }
    ck_assert_uint_lt(joined, 65536 / 11);
    ck_assert_uint_gt(joined, 65536 / 22);
    wire_close(&w);
}
END_TEST

START_TEST(so_has_what_may_wait_of_a_device) {
    spb_session_options options = wire_options();
    options.batch_max_bytes = 100;
    open_with(&options);
    spb_metric *a = add_number("a");
    wire_go_online(&w);
    spb_session_begin_scan(w.session, press);
    begin(a, 1);
    int32_t joined = join_all(a);
    ck_assert_int_gt(joined, 16 * 100 / 25);
    ck_assert_int_lt(joined, 16 * 100 / 12);
    wire_close(&w);
}
END_TEST

START_TEST(a_value_of_a_moment_offline_has_to_give_way_first) {
    spb_metric *a = add_number("a"), *b = add_number("b");
    wire_go_online(&w);
    spb_session_set_device_online(w.session, press, false, w.now);
    begin(a, 1);
    spb_session_set_device_online(w.session, press, true, w.now);
    begin(b, 2);
    ck_assert(!join(a, 3));
    ck_assert(join(b, 4));
}
END_TEST

/* A flush waits for what joined, too. */
START_TEST(a_flush_closes_what_they_joined) {
    spb_metric *a = add_number("a");
    wire_go_online(&w);
    begin(a, 1);
    ck_assert(join(a, 2));
    spb_session__settle(w.session, &tally);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(wire_samples(&w, WIRE_LIVE), "1 2");
    wire_sleep(&w, 1000);
    ck_assert_int_ne(spb_session_flushed(w.session, ticket), SPB_FLUSH_PENDING);
    ck_assert(!join(a, 3));
}
END_TEST

int main(void) {
    TCase *way = tcase_create("way");
    tcase_add_checked_fixture(way, open, close);
    tcase_add_test(way, a_sample_joins_a_message_that_is_open);
    tcase_add_test(way, a_timestamp_that_is_no_time_is_left_to_those_who_refuse_it);
    tcase_add_test(way, there_must_be_one_and_it_must_stay_open);
    tcase_add_test(way, messages_are_in_the_order_of_time);
    tcase_add_test(way, what_makes_a_message_leave_takes_the_whole_way);
    tcase_add_test(way, so_does_what_takes_memory_or_is_wrong);
    tcase_add_test(way, so_does_what_has_a_timer);
    tcase_add_test(way, a_deadband_is_around_the_value_that_joined);
    tcase_add_test(way, what_was_suppressed_before_is_forgotten);
    tcase_add_test(way, a_message_stays_within_what_the_server_takes);
    tcase_add_test(way, while_the_clock_is_not_set_each_sample_may_be_the_one_that_sees_it);
    tcase_add_test(way, a_metric_without_a_birth_waits_for_it);
    tcase_add_test(way, a_value_of_a_moment_offline_has_to_give_way_first);
    tcase_add_test(way, a_flush_closes_what_they_joined);
    TCase *bound = tcase_create("bound");
    tcase_add_test(bound, what_may_wait_has_its_bound_here_too);
    tcase_add_test(bound, so_has_what_may_wait_of_a_device);
    Suite *suite = suite_create("join");
    suite_add_tcase(suite, way);
    suite_add_tcase(suite, bound);
    return suite_run(suite);
}
