/* Data: batches, their order and bounds, and what happens to samples that cannot be sent. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;
static const uint64_t taken_ms = UINT64_C(1600000000000);

static void open_with(uint32_t window_ms, size_t max_bytes, uint32_t in_flight) {
    spb_session_options options = wire_options();
    options.batch_window_ms = window_ms;
    options.batch_max_bytes = max_bytes;
    options.max_in_flight = in_flight;
    wire_open(&w, &options);
}

static spb_status update_at(spb_metric *metric, int32_t value, uint64_t timestamp_ms) {
    spb_value v = spb_int32(value);
    return spb_session_update(w.session, metric, &v, timestamp_ms, w.now);
}

/* No sample disappears: each was sent, waits for a birth, or was counted. */
static void assert_balance(uint64_t waiting) {
    spb_stats s = wire_stats(&w);
    ck_assert_uint_eq(s.samples_accepted, s.samples_published + s.samples_dropped_offline + s.samples_dropped_overflow +
                                              s.samples_dropped_lost + waiting);
}

START_TEST(samples_of_a_window_share_a_message) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_metric *y = wire_add_metric(&w, NULL, "y", spb_string(""));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(-1));
    wire_sleep(&w, 60);
    wire_update(&w, y, spb_string("abc"));
    wire_sleep(&w, 39);
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    const spb_payload *data = w.messages[0].payload;
    ck_assert_uint_eq(data->metric_count, 2);
    ck_assert_uint_eq(data->metrics[0].alias, spb_metric_alias(x));
    ck_assert_uint_eq(data->metrics[0].timestamp_ms, w.now.wall_ms - 100);
    ck_assert_uint_eq(data->metrics[1].timestamp_ms, w.now.wall_ms - 40);
    ck_assert(spb_str_equal(data->metrics[1].value.as.str, spb_str_from("abc")));
    spb_value value = data->metrics[0].value;
    ck_assert_int_eq(spb_value_resolve(&value, SPB_INT32, NULL), SPB_OK);
    ck_assert_int_eq(value.as.i64, -1);
    ck_assert_uint_eq(wire_stats(&w).samples_published, 2);
    wire_close(&w);
}
END_TEST

START_TEST(each_holder_has_its_own_message_in_the_order_of_their_windows) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_metric *a = wire_add_metric(&w, wire_add_device(&w, "A"), "a", spb_int32(0));
    spb_metric *b = wire_add_metric(&w, wire_add_device(&w, "B"), "b", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, b, spb_int32(1));
    wire_sleep(&w, 10);
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 10);
    wire_update(&w, a, spb_int32(1));
    wire_update(&w, b, spb_int32(2));
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DDATA/B 3, NDATA 4, DDATA/A 5");
    wire_close(&w);
}
END_TEST

START_TEST(without_a_window_samples_leave_at_once) {
    open_with(0, 65536, 64);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    wire_run(&w);
    wire_update(&w, x, spb_int32(2));
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2");
    wire_close(&w);
}
END_TEST

START_TEST(a_full_message_does_not_wait) {
    open_with(100, 30, 64);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    for (int i = 1; i <= 5; i++) { /* 13 bytes each */
        wire_update(&w, x, spb_int32(i));
    }
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    ck_assert_uint_eq(w.messages[0].payload->metric_count, 3);
    wire_sleep(&w, 99);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2");
    ck_assert_uint_eq(w.messages[1].payload->metric_count, 2);
    wire_close(&w);
}
END_TEST

/* One message is in time order; the ledger checks that of each. */
START_TEST(an_older_sample_goes_into_a_message_of_its_own) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    update_at(x, 1, taken_ms + 5000);
    update_at(x, 2, taken_ms + 6000);
    update_at(x, 3, taken_ms + 5500);
    update_at(x, 4, taken_ms + 5500);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2");
    ck_assert_uint_eq(w.messages[0].payload->metric_count, 2);
    ck_assert_uint_eq(w.messages[1].payload->metric_count, 2);
    wire_close(&w);
}
END_TEST

START_TEST(without_aliases_data_has_names) {
    spb_session_options options = wire_options();
    options.no_aliases = true;
    wire_open(&w, &options);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert(!spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "x")->has_alias);
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 100);
    ck_assert_ptr_nonnull(spb_payload_find(wire_last(&w, SPB_KIND_NDATA)->payload, "x"));
    wire_close(&w);
}
END_TEST

START_TEST(the_sequence_wraps_after_255) {
    open_with(0, 65536, 64);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    for (int i = 1; i <= 300; i++) { /* the ledger checks each number */
        wire_update(&w, x, spb_int32(i));
        wire_run(&w);
    }
    ck_assert_uint_eq(w.seq, 300 % 256);
    wire_close(&w);
}
END_TEST

START_TEST(a_null_is_a_sample_too) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_null(SPB_INT32));
    wire_sleep(&w, 100);
    ck_assert(w.messages[0].payload->metrics[0].value.is_null);
    wire_close(&w);
}
END_TEST

START_TEST(a_wrong_value_changes_nothing) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(7));
    spb_metric *s = wire_add_metric(&w, NULL, "s", spb_string("abc"));
    wire_go_online(&w);
    ck_assert_int_eq(wire_update(&w, x, spb_int64(1)), SPB_ERR_TYPE);
    ck_assert_int_eq(wire_update(&w, s, spb_string("\xc0\x80")), SPB_ERR_NAME);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_int_eq(spb_session_value(w.session, x, NULL).as.i64, 7);
    ck_assert_uint_eq(wire_stats(&w).samples_accepted, 0);
    wire_close(&w);
}
END_TEST

START_TEST(the_last_value_can_be_read) {
    wire_open(&w, NULL);
    spb_metric *s = wire_add_metric(&w, NULL, "s", spb_string("abc"));
    uint64_t timestamp_ms;
    spb_value v = spb_string("xyz");
    ck_assert_int_eq(spb_session_update(w.session, s, &v, taken_ms, w.now), SPB_OK);
    v = spb_session_value(w.session, s, &timestamp_ms);
    ck_assert(spb_str_equal(v.as.str, spb_str_from("xyz")));
    ck_assert_uint_eq(timestamp_ms, taken_ms);
    ck_assert_ptr_eq(spb_session_find_metric(w.session, NULL, "s"), s);
    wire_close(&w);
}
END_TEST

static spb_status add_at(uint64_t timestamp_ms) {
    spb_metric_def def = {.name = "y", .value = spb_int32(0), .timestamp_ms = timestamp_ms};
    spb_metric *y;
    spb_error err = {.text = ""};
    spb_status status = spb_session_add_metric(w.session, &y, NULL, &def, w.now, &err);
    ck_assert(status == SPB_OK || strstr(err.text, "no time in milliseconds"));
    return status;
}

/* Seconds, microseconds, and -1. */
START_TEST(what_is_no_time_in_milliseconds_is_refused) {
    const uint64_t wrong[] = {UINT64_C(1700000000), UINT64_C(1700000000000000), UINT64_MAX, SPB_FIRST_TIMESTAMP_MS - 1,
                              SPB_LAST_TIMESTAMP_MS + 1};
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    const spb_value v = spb_int32(1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(spb_session_update(w.session, x, &v, wrong[i], w.now), SPB_ERR_RANGE);
        ck_assert_int_eq(add_at(wrong[i]), SPB_ERR_RANGE);
    }
    ck_assert_uint_eq(wire_stats(&w).samples_accepted, 0);
    ck_assert_int_eq(spb_session_update(w.session, x, &v, SPB_FIRST_TIMESTAMP_MS, w.now), SPB_OK);
    ck_assert_int_eq(spb_session_update(w.session, x, &v, SPB_LAST_TIMESTAMP_MS, w.now), SPB_OK);
    ck_assert_int_eq(add_at(SPB_LAST_TIMESTAMP_MS), SPB_OK);
    wire_close(&w);
}
END_TEST

START_TEST(before_the_clock_is_set_its_times_are_taken) {
    wire_open(&w, NULL);
    w.now.wall_ms = 5000;
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    const spb_value v = spb_int32(1);
    ck_assert_int_eq(spb_session_update(w.session, x, &v, 4000, w.now), SPB_OK);
    ck_assert_int_eq(spb_session_update(w.session, x, &v, UINT64_MAX, w.now), SPB_ERR_RANGE);
    wire_close(&w);
}
END_TEST

/* ---- a slow link ---- */

START_TEST(no_more_than_the_allowed_messages_are_in_flight) {
    open_with(0, 65536, 2);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    for (int i = 1; i <= 5; i++) {
        wire_update(&w, x, spb_int32(i));
        wire_run(&w);
    }
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2");
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), w.now.mono_ms + 10); /* to wake the transport */
    wire_published(&w, 1);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2, NDATA 3");
    ck_assert_uint_eq(w.messages[2].payload->metric_count, 3);
    assert_balance(0);
    wire_close(&w);
}
END_TEST

/* What the system's buffers hold is lost with the link, and keeps what is newer waiting. */
START_TEST(data_waits_while_much_is_under_way) {
    static char long_text[20001];
    memset(long_text, 'x', sizeof long_text - 1);
    spb_session_options options = wire_options();
    options.batch_window_ms = 0;
    options.max_unconfirmed_bytes = 65536;
    wire_open(&w, &options);
    spb_metric *text = wire_add_metric(&w, NULL, "text", spb_string(""));
    wire_go_online(&w);
    for (int i = 0; i < 5; i++) { /* the link is seen to carry much */
        ck_assert_int_eq(wire_update(&w, text, spb_string(long_text)), SPB_OK);
        wire_run(&w);
    }
    wire_forget(&w);
    w.fences = 0;
    w.is_deaf = true;
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(wire_update(&w, text, spb_string(long_text)), SPB_OK);
        wire_run(&w);
    }
    ck_assert_uint_eq(w.message_count, 4);
    ck_assert_uint_ge(w.fences, 1);
    ck_assert_uint_gt(spb_session_deadline_ms(w.session), w.now.mono_ms); /* an answer is what it waits for */
    wire_event(&w, SPB_TRANSPORT_FENCED, SPB_OK, NULL);
    wire_run(&w);
    ck_assert_uint_eq(wire_stats(&w).samples_published, 5 + 6);
    wire_close(&w);
}
END_TEST

/* Of a new connection nobody knows what it carries. */
START_TEST(little_is_under_way_until_the_link_has_shown_more) {
    static char long_text[1001];
    memset(long_text, 'x', sizeof long_text - 1);
    spb_session_options options = wire_options();
    options.batch_window_ms = 0;
    wire_open(&w, &options);
    spb_metric *text = wire_add_metric(&w, NULL, "text", spb_string(""));
    wire_go_online(&w);
    w.is_deaf = true;
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(wire_update(&w, text, spb_string(long_text)), SPB_OK);
        wire_run(&w);
    }
    /* 4 KiB, twice as much with the answer behind the births, and half of that */
    ck_assert_uint_le(w.message_count, 12);
    ck_assert_uint_ge(w.message_count, 8);
    ck_assert_uint_ge(w.fences, 3); /* in between, so that the answers come in one by one */
    wire_sleep(&w, 1000);
    wire_forget(&w);
    wire_event(&w, SPB_TRANSPORT_FENCED, SPB_OK, NULL); /* of a link that carries 1000 bytes in a second */
    wire_run(&w);
    ck_assert_uint_le(w.message_count, 1);
    wire_close(&w);
}
END_TEST

START_TEST(a_slow_link_drops_samples_and_counts_them_but_not_the_last_value) {
    open_with(0, 100, 1);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    for (int i = 1; i <= 1000; i++) {
        wire_update(&w, x, spb_int32(i));
        wire_run(&w);
    }
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_gt(stats.samples_dropped_overflow, 800);
    ck_assert_uint_lt(stats.samples_dropped_overflow, 900); /* 16 messages of 8 samples are kept */
    ck_assert_int_eq(spb_session_value(w.session, x, NULL).as.i64, 1000);
    w.is_silent = false;
    wire_published(&w, 1);
    wire_run(&w);
    const spb_payload *last = wire_last(&w, SPB_KIND_NDATA)->payload;
    ck_assert_uint_eq(last->metric_count, 1);
    ck_assert_uint_eq(last->metrics[0].value.as.u64, 1000);
    wire_close(&w);
}
END_TEST

START_TEST(one_sample_larger_than_a_batch_is_sent) {
    open_with(0, 1, 64);
    static char text[10000];
    memset(text, 'x', sizeof text - 1);
    spb_metric *s = wire_add_metric(&w, NULL, "s", spb_string(""));
    wire_go_online(&w);
    wire_update(&w, s, spb_string(text));
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    ck_assert_uint_eq(w.messages[0].payload->metrics[0].value.as.str.len, sizeof text - 1);
    wire_close(&w);
}
END_TEST

/* ---- no link ---- */

START_TEST(what_waits_when_the_link_is_lost_is_counted) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_metric *a = wire_add_metric(&w, wire_add_device(&w, "A"), "a", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    wire_update(&w, a, spb_int32(2));
    wire_update(&w, a, spb_int32(3));
    wire_lose(&w);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 3);
    assert_balance(0);
    wire_update(&w, a, spb_int32(4));
    wire_update(&w, a, spb_int32(5));
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, 1);
    assert_balance(1);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(w.ledger, "CLOSE, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0, DBIRTH/A 1");
    ck_assert_int_eq(spb_payload_find(wire_last(&w, SPB_KIND_DBIRTH)->payload, "a")->value.as.i64, 5);
    ck_assert_int_eq(spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "x")->value.as.i64, 1);
    wire_close(&w);
}
END_TEST

/* The device is back before its DDEATH has left, so the newer sample takes the way of data, and the older one no way.
 */
START_TEST(what_a_blinking_device_replaces_is_counted) {
    wire_open(&w, NULL);
    spb_device *device = wire_add_device(&w, "A");
    spb_metric *a = wire_add_metric(&w, device, "a", spb_int32(0));
    wire_go_online(&w);
    spb_session_set_device_online(w.session, device, false, w.now);
    update_at(a, 1, SPB_NOW);
    spb_session_set_device_online(w.session, device, true, w.now);
    update_at(a, 2, SPB_NOW);
    wire_sleep(&w, 1000);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, 1);
    assert_balance(0);
    ck_assert_int_eq(spb_payload_find(wire_last(&w, SPB_KIND_DBIRTH)->payload, "a")->value.as.i64, 2);
    wire_close(&w);
}
END_TEST

/* ---- what an action points to ---- */

START_TEST(the_pointers_of_an_action_outlive_other_calls) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_string("old"));
    wire_go_online(&w);
    wire_update(&w, x, spb_string("new"));
    w.now.mono_ms += 100;
    spb_action action;
    ck_assert(spb_session_next_action(w.session, w.now, &action));
    ck_assert_int_eq(action.kind, SPB_ACTION_PUBLISH);
    size_t len = action.as.publish.payload.len;
    uint8_t before[256];
    ck_assert_uint_le(len, sizeof before);
    memcpy(before, action.as.publish.payload.data, len);
    for (int i = 0; i < 1000; i++) {
        wire_update(&w, x, spb_string("something longer than before"));
    }
    wire_add_metric(&w, wire_add_device(&w, "a device with a long name"), "x", spb_int32(0));
    spb_session_rebirth(w.session, w.now);
    spb_session_on_tick(w.session, w.now);
    spb_session_stop(w.session, 100, w.now);
    wire_event(&w, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, "gone");
    ck_assert_str_eq(action.as.publish.topic, "spBv1.0/G/NDATA/N");
    ck_assert_mem_eq(action.as.publish.payload.data, before, len);
    wire_close(&w);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_data");
    tcase_add_test(all, samples_of_a_window_share_a_message);
    tcase_add_test(all, each_holder_has_its_own_message_in_the_order_of_their_windows);
    tcase_add_test(all, without_a_window_samples_leave_at_once);
    tcase_add_test(all, a_full_message_does_not_wait);
    tcase_add_test(all, an_older_sample_goes_into_a_message_of_its_own);
    tcase_add_test(all, without_aliases_data_has_names);
    tcase_add_test(all, the_sequence_wraps_after_255);
    tcase_add_test(all, a_null_is_a_sample_too);
    tcase_add_test(all, a_wrong_value_changes_nothing);
    tcase_add_test(all, the_last_value_can_be_read);
    tcase_add_test(all, what_is_no_time_in_milliseconds_is_refused);
    tcase_add_test(all, before_the_clock_is_set_its_times_are_taken);
    tcase_add_test(all, no_more_than_the_allowed_messages_are_in_flight);
    tcase_add_test(all, data_waits_while_much_is_under_way);
    tcase_add_test(all, little_is_under_way_until_the_link_has_shown_more);
    tcase_add_test(all, a_slow_link_drops_samples_and_counts_them_but_not_the_last_value);
    tcase_add_test(all, one_sample_larger_than_a_batch_is_sent);
    tcase_add_test(all, what_waits_when_the_link_is_lost_is_counted);
    tcase_add_test(all, what_a_blinking_device_replaces_is_counted);
    tcase_add_test(all, the_pointers_of_an_action_outlive_other_calls);
    Suite *suite = suite_create("session_data");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
