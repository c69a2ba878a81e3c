/* Report by exception: which samples say something new. The rules themselves are tested with change.c; when a sample
 * leaves, with session_interval. */
#include <check.h>
#include <stdlib.h>

#include "core/handle.h"
#include "support/press_fixture.h"
#include "support/suite.h"

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
    TCase *all = tcase_create("session_exception");
    tcase_add_checked_fixture(all, press_setup, press_teardown);
    tcase_add_test(all, an_equal_value_is_not_sent);
    tcase_add_test(all, a_sample_on_the_short_way_does_not_turn_the_time_of_its_metric_back);
    tcase_add_test(all, unless_each_sample_counts);
    tcase_add_test(all, or_a_sample_is_forced);
    tcase_add_test(all, within_the_deadband_around_what_was_sent_last_nothing_is);
    tcase_add_test(all, but_the_newest_value_is_in_each_birth);
    tcase_add_test(all, samples_that_wait_at_a_rebirth_do_not_leave_hosts_behind);
    tcase_add_test(all, a_change_of_quality_passes_and_is_told_from_then_on);
    tcase_add_test(all, the_property_of_a_definition_is_the_first_quality);
    tcase_add_test(all, good_quality_costs_nothing_while_it_was_never_otherwise);
    tcase_add_test(all, rules_that_contradict_themselves_are_told_with_the_metric);
    tcase_add_test(all, flags_that_contradict_each_other_are_refused);
    Suite *suite = suite_create("session_exception");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
