/* Samples of the past: they reach hosts as historical data, with their times and in their order, and change nothing
 * else. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/short_way.h"
#include "support/suite.h"

static const char *samples(wire_samples_kind wanted) {
    return wire_samples(&w, wanted);
}

static spb_status give(spb_metric *metric, spb_value value, uint64_t timestamp_ms, uint32_t flags) {
    spb_sample sample = {.metric = metric, .value = value, .timestamp_ms = timestamp_ms, .flags = flags};
    return short_way_sample(w.session, &sample, w.now, NULL);
}

/* So long before now. */
static void past(int32_t value, uint64_t age_ms) {
    ck_assert_int_eq(give(x, spb_int32(value), w.now.wall_ms - age_ms, SPB_SAMPLE_HISTORICAL), SPB_OK);
}

static void at(int32_t value, uint64_t timestamp_ms) {
    ck_assert_int_eq(give(x, spb_int32(value), timestamp_ms, 0), SPB_OK);
}

static int32_t value_of_x(void) {
    return (int32_t)spb_session_value(w.session, x, NULL).as.i64;
}

static void go_online_live(void) {
    wire_open(&w, &options);
    x = wire_add(&w, NULL, (spb_metric_def){.name = "x", .value = spb_int32(0)});
    wire_go_online(&w);
}

START_TEST(a_sample_of_the_past_is_sent_as_historical_and_changes_nothing_else) {
    go_online();
    x = wire_add(&w, NULL, (spb_metric_def){.name = "y", .value = spb_int32(0)});
    wire_sleep(&w, 1000);
    wire_forget(&w);
    update(5);
    wire_sleep(&w, 2000);
    uint64_t taken_ms = w.now.wall_ms - 60000;
    past(3, 60000);
    ck_assert_int_eq(value_of_x(), 5);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_BOTH), "5 3h");
    ck_assert_uint_eq(wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0].timestamp_ms, taken_ms);
    update(5); /* says nothing new */
    wire_request_rebirth(&w);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(WIRE_BOTH), "5 3h");
    const spb_payload *birth = wire_last(&w, SPB_KIND_NBIRTH)->payload;
    ck_assert_int_eq(spb_payload_find(birth, "y")->value.as.i64, 5);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_historical, 1);
    ck_assert_uint_eq(stats.samples_confirmed, 2);
}
END_TEST

START_TEST(a_memory_that_is_read_out_arrives_in_its_order_and_waits_for_no_live_data) {
    go_online();
    w.is_deaf = true;
    update(100); /* not confirmed, so it would be the first of its entity to be stored */
    wire_sleep(&w, 100);
    for (int32_t i = 1; i <= 25; i++) {
        past(i, 60000 - (uint64_t)i);
    }
    update(101);
    wire_sleep(&w, 1500);
    ck_assert_str_eq(samples(WIRE_LIVE), "100 101");
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25");
}
END_TEST

START_TEST(a_sample_of_the_past_waits_for_the_birth_of_its_device) {
    go_online();
    spb_device *press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, press, "Speed", spb_int32(7));
    spb_session_set_device_online(w.session, press, false, w.now);
    past(1, 5000);
    past(2, 4000);
    wire_sleep(&w, 3000);
    ck_assert_str_eq(samples(WIRE_BOTH), "");
    ck_assert_uint_eq(wire_stats(&w).samples_in_journal, 2);
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 3000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1h 2h");
}
END_TEST

START_TEST(samples_of_the_past_survive_a_lost_connection) {
    go_online();
    past(1, 5000);
    wire_sleep(&w, 3000);
    w.is_deaf = true;
    past(2, 4000);
    wire_sleep(&w, 1200);
    ck_assert_str_eq(samples(WIRE_BOTH), "1h 2h");
    wire_lose(&w);
    past(3, 3000);
    w.is_deaf = false;
    wire_sleep(&w, 10000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1h 2h 2h 3h"); /* nobody knows whether the 2 had arrived */
    ck_assert_uint_eq(wire_stats(&w).samples_resent, 1);
}
END_TEST

START_TEST(the_rules_of_the_metric_say_nothing_of_the_past) {
    go_online();
    x = wire_add(&w, NULL,
                 (spb_metric_def){.name = "y", .value = spb_int32(0), .deadband = 10, .min_interval_ms = 500});
    wire_sleep(&w, 1000);
    wire_forget(&w);
    update(50);
    past(51, 5000);
    past(51, 4000);
    past(52, 3000);
    update(60); /* within the deadband around 50 */
    wire_sleep(&w, 600);
    update(61);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_LIVE), "50 61");
    ck_assert_str_eq(samples(WIRE_REPLAYED), "51 51 52");
}
END_TEST

/* Bad, null, and with a time to come: that is all the application's matter. */
START_TEST(a_sample_of_the_past_may_have_any_value_and_quality) {
    go_online();
    ck_assert_int_eq(give(x, spb_null(SPB_INT32), w.now.wall_ms - 2, SPB_SAMPLE_HISTORICAL | SPB_SAMPLE_BAD), SPB_OK);
    past(1, 1);
    ck_assert_int_eq(give(x, spb_int32(2), w.now.wall_ms + 100000, SPB_SAMPLE_HISTORICAL), SPB_OK);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_BOTH), "0h 1h 2h");
    const spb_payload *first = w.messages[0].payload;
    ck_assert_int_eq(spb_property_find(first->metrics[0].properties, SPB_PROPERTY_QUALITY)->value.as.i64,
                     SPB_QUALITY_BAD);
    ck_assert_ptr_null(first->metrics[1].properties); /* what hosts are told of the present has no quality */
    ck_assert_int_eq(give(x, spb_int32(3), SPB_NOW, SPB_SAMPLE_HISTORICAL), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(give(x, spb_int64(3), 1, SPB_SAMPLE_HISTORICAL), SPB_ERR_TYPE);
    ck_assert_uint_eq(wire_stats(&w).samples_accepted, 3);
}
END_TEST

/* ---- without a journal ---- */

START_TEST(without_a_journal_the_past_goes_along_with_live_data) {
    go_online_live();
    update(5);
    past(1, 2000);
    past(2, 1000);
    wire_sleep(&w, 50);
    update(6);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(samples(WIRE_BOTH), "5 1h 2h 6");
    ck_assert_uint_eq(wire_stats(&w).samples_published, 4);
}
END_TEST

START_TEST(without_a_journal_and_a_birth_the_past_is_dropped) {
    go_online_live();
    update(5);
    wire_sleep(&w, 2000);
    wire_lose(&w);
    past(1, 2000);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_BOTH), "5");
    ck_assert_int_eq(value_of_x(), 5);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, 1);
}
END_TEST

/* Who reads out a memory can go on later. One that is only late has nobody who would give it again. */
START_TEST(what_finds_no_room_is_not_taken) {
    options.max_in_flight = 1;
    options.batch_window_ms = 0;
    options.batch_max_bytes = 30;
    go_online_live();
    w.is_silent = true;
    spb_status status = SPB_OK;
    for (uint64_t i = 1; i <= 1000 && status == SPB_OK; i++) {
        wire_run(&w);
        status = give(x, spb_int32(1), w.now.wall_ms - 5000 + i, SPB_SAMPLE_HISTORICAL);
    }
    ck_assert_int_eq(status, SPB_ERR_LIMIT);
    uint64_t accepted = wire_stats(&w).samples_accepted;
    at(5, w.now.wall_ms);     /* dropped, and the newest value all the same */
    at(4, w.now.wall_ms - 1); /* dropped */
    ck_assert_int_eq(value_of_x(), 5);
    ck_assert_uint_eq(wire_stats(&w).samples_accepted, accepted + 2);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 2);
    w.is_silent = false;
    wire_published(&w, 1);
    wire_sleep(&w, 1000);
    past(1, 1);
}
END_TEST

START_TEST(nor_what_the_memory_for_the_journal_cannot_hold) {
    static char much[60001];
    memset(much, 'a', sizeof much - 1);
    go_online();
    x = wire_add_metric(&w, NULL, "text", spb_string(""));
    wire_sleep(&w, 1000);
    journal.is_slow = true;
    spb_status status = SPB_OK;
    uint64_t taken = 0;
    for (; taken < 1000 && status == SPB_OK; taken++) {
        status = give(x, spb_string(much), w.now.wall_ms - 5000 + taken, SPB_SAMPLE_HISTORICAL);
    }
    ck_assert_int_eq(status, SPB_ERR_LIMIT);
    ck_assert_uint_eq(wire_stats(&w).samples_waiting, taken - 1);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_disk, 0);
}
END_TEST

START_TEST(a_metric_that_does_not_keep_all_sends_its_past_only_to_those_who_follow) {
    go_online();
    x = wire_add(&w, NULL, (spb_metric_def){.name = "y", .value = spb_int32(0), .keep = SPB_KEEP_LAST});
    wire_sleep(&w, 1000);
    wire_forget(&w);
    past(1, 2000);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1h");
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 0);
    wire_lose(&w);
    past(2, 1000);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1h");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_choice, 1);
}
END_TEST

/* ---- samples that come late ---- */

START_TEST(a_sample_with_a_time_before_the_newest_is_of_the_past) {
    go_online_live();
    uint64_t base_ms = w.now.wall_ms - 1000;
    at(1, base_ms);
    at(3, base_ms + 200);
    at(2, base_ms + 100);
    ck_assert_int_eq(value_of_x(), 3);
    at(2, base_ms + 199);
    at(3, base_ms + 199); /* says nothing new, but of another time */
    at(4, base_ms + 200);
    at(5, base_ms + 201);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1 3 2h 2h 3h 4 5");
    ck_assert_uint_eq(wire_stats(&w).samples_historical, 3);
}
END_TEST

/* The clock of a source may be behind that of this machine. */
START_TEST(times_of_this_machine_and_of_the_source_are_not_compared) {
    go_online_live();
    uint64_t behind_ms = w.now.wall_ms - 5000;
    at(1, behind_ms); /* before the time of the definition */
    at(2, SPB_NOW);
    at(3, behind_ms + 100);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1 2 3");
    ck_assert_uint_eq(wire_stats(&w).samples_historical, 0);
}
END_TEST

START_TEST(a_clock_that_is_set_back_does_not_make_samples_late) {
    go_online_live();
    at(1, w.now.wall_ms);
    w.now.wall_ms -= 3600000;
    at(2, w.now.wall_ms);
    at(3, w.now.wall_ms + 1);
    at(2, w.now.wall_ms); /* the newest time counts again */
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1 2 3 2h");
}
END_TEST

START_TEST(a_forced_sample_is_live_and_its_time_counts) {
    go_online_live();
    uint64_t base_ms = w.now.wall_ms;
    at(1, base_ms);
    at(2, base_ms - 3600000);
    ck_assert_int_eq(give(x, spb_int32(3), base_ms - 3599000, SPB_SAMPLE_FORCED), SPB_OK);
    at(4, base_ms - 3598000);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1 2h 3 4");
}
END_TEST

int main(void) {
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, delivery_setup, delivery_teardown);
    tcase_add_test(all, a_sample_of_the_past_is_sent_as_historical_and_changes_nothing_else);
    tcase_add_test(all, a_memory_that_is_read_out_arrives_in_its_order_and_waits_for_no_live_data);
    tcase_add_test(all, a_sample_of_the_past_waits_for_the_birth_of_its_device);
    tcase_add_test(all, samples_of_the_past_survive_a_lost_connection);
    tcase_add_test(all, the_rules_of_the_metric_say_nothing_of_the_past);
    tcase_add_test(all, a_sample_of_the_past_may_have_any_value_and_quality);
    tcase_add_test(all, without_a_journal_the_past_goes_along_with_live_data);
    tcase_add_test(all, without_a_journal_and_a_birth_the_past_is_dropped);
    tcase_add_test(all, what_finds_no_room_is_not_taken);
    tcase_add_test(all, nor_what_the_memory_for_the_journal_cannot_hold);
    tcase_add_test(all, a_metric_that_does_not_keep_all_sends_its_past_only_to_those_who_follow);
    tcase_add_test(all, a_sample_with_a_time_before_the_newest_is_of_the_past);
    tcase_add_test(all, times_of_this_machine_and_of_the_source_are_not_compared);
    tcase_add_test(all, a_clock_that_is_set_back_does_not_make_samples_late);
    tcase_add_test(all, a_forced_sample_is_live_and_its_time_counts);
    Suite *suite = suite_create("delivery_past");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
