/* Which samples are sent: each rule by itself. All of them at once are the matter of test_change_random.c. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "core/change.h"
#include "support/suite.h"

/* A metric as the session would keep it: the state, and the newest sample. */
typedef struct subject {
    spb_change *change;
    spb_value value;
    spb_report last;
} subject;

static void take(subject *s, spb_value value, uint64_t at_ms, uint16_t quality) {
    s->value = value;
    s->last = (spb_report){.value = &s->value, .timestamp_ms = at_ms, .quality = quality};
}

static void open_subject(subject *s, const spb_change_options *options, spb_value first, uint64_t at_ms) {
    ck_assert_int_eq(spb_change__new(&s->change, options, first.type, NULL), SPB_OK);
    take(s, first, at_ms, SPB_QUALITY_GOOD);
    spb_change__reported(s->change, &s->last);
}

static spb_verdict judge_any(subject *s, spb_value value, uint64_t at_ms, uint16_t quality, bool is_forced) {
    spb_report sample = {&value, at_ms, quality, is_forced};
    bool drops = spb_change__drops_always(s->change, &s->last, &sample);
    spb_verdict verdict = spb_change__judge(s->change, &s->last, &sample);
    ck_assert(!drops || verdict.kind == SPB_VERDICT_DROP);
    take(s, value, at_ms, quality);
    return verdict;
}

static spb_verdict judge(subject *s, spb_value value, uint64_t at_ms) {
    return judge_any(s, value, at_ms, SPB_QUALITY_GOOD, false);
}

static void expect(subject *s, spb_value value, uint64_t at_ms, spb_verdict_kind kind) {
    ck_assert_int_eq(judge(s, value, at_ms).kind, kind);
}

static void expect_until(subject *s, spb_value value, uint64_t at_ms, spb_verdict_kind kind, uint64_t until_ms) {
    spb_verdict verdict = judge(s, value, at_ms);
    ck_assert_int_eq(verdict.kind, kind);
    ck_assert_uint_eq(verdict.until_ms, until_ms);
}

/* Value after value, one second apart: is the second one sent after the first? */
static bool is_sent_after(const spb_change_options *options, spb_value first, spb_value second) {
    subject s;
    open_subject(&s, options, first, 1000);
    spb_verdict verdict = judge(&s, second, 2000);
    free(s.change);
    return verdict.kind == SPB_VERDICT_SEND;
}

static const spb_change_options by_default = {0};

/* ---- change ---- */

START_TEST(no_options_need_no_state) {
    spb_change *change = (spb_change *)&by_default;
    ck_assert_int_eq(spb_change__new(&change, &by_default, SPB_DOUBLE, NULL), SPB_OK);
    ck_assert_ptr_null(change);
}
END_TEST

START_TEST(by_default_a_change_is_sent) {
    ck_assert(is_sent_after(&by_default, spb_int32(1), spb_int32(2)));
    ck_assert(!is_sent_after(&by_default, spb_int32(2), spb_int32(2)));
    ck_assert(is_sent_after(&by_default, spb_boolean(false), spb_boolean(true)));
    ck_assert(!is_sent_after(&by_default, spb_boolean(true), spb_boolean(true)));
}
END_TEST

START_TEST(content_is_compared_not_where_it_stands) {
    char text[] = "running", same_text[] = "running";
    int32_t curve[] = {1, 2, 3}, same_curve[] = {1, 2, 3}, other_curve[] = {1, 2, 4};
    ck_assert(!is_sent_after(&by_default, spb_string(text), spb_string(same_text)));
    ck_assert(is_sent_after(&by_default, spb_string(text), spb_string("runnin")));
    ck_assert(!is_sent_after(&by_default, spb_bytes_value(text, 7), spb_bytes_value(same_text, 7)));
    ck_assert(is_sent_after(&by_default, spb_bytes_value(text, 7), spb_bytes_value(text, 6)));
    ck_assert(!is_sent_after(&by_default, spb_int32_array(curve, 3), spb_int32_array(same_curve, 3)));
    ck_assert(is_sent_after(&by_default, spb_int32_array(curve, 3), spb_int32_array(other_curve, 3)));
}
END_TEST

/* With a state, too: there the reference is kept as a number. */
START_TEST(extremes_of_the_datatypes_are_told_apart) {
    const spb_change_options each[] = {{0}, {.min_interval_ms = 1}};
    for (size_t i = 0; i < 2; i++) {
        const spb_change_options *o = &each[i];
        ck_assert(is_sent_after(o, spb_int64(INT64_C(1) << 53), spb_int64((INT64_C(1) << 53) + 1)));
        ck_assert(is_sent_after(o, spb_int64(INT64_MIN), spb_int64(INT64_MAX)));
        ck_assert(is_sent_after(o, spb_uint64(UINT64_MAX), spb_uint64(UINT64_MAX - 1)));
        ck_assert(is_sent_after(o, spb_uint64(0), spb_uint64(UINT64_MAX)));
        ck_assert(is_sent_after(o, spb_int8(-128), spb_int8(127)));
        ck_assert(is_sent_after(o, spb_datetime(0), spb_datetime(1)));
        ck_assert(is_sent_after(o, spb_double(DBL_MAX), spb_double(-DBL_MAX)));
        ck_assert(is_sent_after(o, spb_double(0), spb_double(DBL_TRUE_MIN)));
        ck_assert(is_sent_after(o, spb_float(1), spb_float(nextafterf(1, 2))));
        ck_assert(!is_sent_after(o, spb_double(0), spb_double(-0.0)));
        ck_assert(!is_sent_after(o, spb_int64(INT64_MIN), spb_int64(INT64_MIN)));
    }
}
END_TEST

START_TEST(nan_and_infinities) {
    const spb_change_options each[] = {{0}, {.min_interval_ms = 1}, {.deadband = 1e300}};
    for (size_t i = 0; i < 3; i++) {
        const spb_change_options *o = &each[i];
        ck_assert(!is_sent_after(o, spb_double(NAN), spb_double(-NAN)));
        ck_assert(is_sent_after(o, spb_double(NAN), spb_double(0)));
        ck_assert(is_sent_after(o, spb_double(0), spb_double(NAN)));
        ck_assert(is_sent_after(o, spb_double(0), spb_double(INFINITY)));
        ck_assert(is_sent_after(o, spb_double(INFINITY), spb_double(0)));
        ck_assert(is_sent_after(o, spb_double(INFINITY), spb_double(-INFINITY)));
        ck_assert(is_sent_after(o, spb_double(INFINITY), spb_double(NAN)));
        ck_assert(!is_sent_after(o, spb_double(-INFINITY), spb_double(-INFINITY)));
        ck_assert(!is_sent_after(o, spb_float(NAN), spb_float(NAN)));
        ck_assert(is_sent_after(o, spb_float(INFINITY), spb_float(FLT_MAX)));
    }
}
END_TEST

static bool drops(subject *s, spb_value value) {
    spb_report sample = {&value, 1000, SPB_QUALITY_GOOD, false};
    return spb_change__drops_always(s->change, &s->last, &sample);
}

START_TEST(what_no_time_would_make_news_is_told_beforehand) {
    subject s;
    open_subject(&s, &by_default, spb_double(5), 1000);
    ck_assert(drops(&s, spb_double(5)) && !drops(&s, spb_double(6)));
    open_subject(&s, &(spb_change_options){.deadband = 1}, spb_double(5), 1000);
    ck_assert(drops(&s, spb_double(6)) && !drops(&s, spb_double(6.5)));
    spb_change__doubt(s.change);
    ck_assert(!drops(&s, spb_double(5)));
    free(s.change);
    open_subject(&s, &(spb_change_options){.max_interval_ms = 10}, spb_double(5), 1000);
    ck_assert(!drops(&s, spb_double(5))); /* it may be time for it */
    free(s.change);
}
END_TEST

START_TEST(null_to_value_and_back_is_always_sent) {
    const spb_change_options each[] = {{0}, {.min_interval_ms = 60000}, {.deadband = 100}};
    for (size_t i = 0; i < 3; i++) {
        ck_assert(is_sent_after(&each[i], spb_null(SPB_INT32), spb_int32(0)));
        ck_assert(is_sent_after(&each[i], spb_int32(0), spb_null(SPB_INT32)));
        ck_assert(!is_sent_after(&each[i], spb_null(SPB_INT32), spb_null(SPB_INT32)));
    }
}
END_TEST

START_TEST(after_null_the_deadband_lies_around_the_new_value) {
    subject s;
    open_subject(&s, &(spb_change_options){.deadband = 10}, spb_int32(100), 0);
    expect(&s, spb_null(SPB_INT32), 1, SPB_VERDICT_SEND);
    expect(&s, spb_int32(105), 2, SPB_VERDICT_SEND);
    expect(&s, spb_int32(96), 3, SPB_VERDICT_DROP);
    expect(&s, spb_int32(94), 4, SPB_VERDICT_SEND);
    free(s.change);
}
END_TEST

START_TEST(another_quality_is_always_sent) {
    subject s;
    open_subject(&s, &(spb_change_options){.deadband = 10, .min_interval_ms = 60000}, spb_double(1), 0);
    ck_assert_int_eq(judge_any(&s, spb_double(1), 1, SPB_QUALITY_STALE, false).kind, SPB_VERDICT_SEND);
    ck_assert_int_eq(judge_any(&s, spb_double(1), 2, SPB_QUALITY_STALE, false).kind, SPB_VERDICT_DROP);
    ck_assert_int_eq(judge_any(&s, spb_double(1), 3, SPB_QUALITY_GOOD, false).kind, SPB_VERDICT_SEND);
    free(s.change);
    open_subject(&s, &by_default, spb_double(1), 0);
    ck_assert_int_eq(judge_any(&s, spb_double(1), 1, SPB_QUALITY_BAD, false).kind, SPB_VERDICT_SEND);
    ck_assert_int_eq(judge_any(&s, spb_double(1), 1, SPB_QUALITY_BAD, false).kind, SPB_VERDICT_DROP);
}
END_TEST

START_TEST(a_forced_one_is_always_sent) {
    subject s;
    open_subject(&s, &by_default, spb_double(1), 0);
    ck_assert_int_eq(judge_any(&s, spb_double(1), 1, SPB_QUALITY_GOOD, true).kind, SPB_VERDICT_SEND);
    open_subject(&s, &(spb_change_options){.min_interval_ms = 1000}, spb_double(1), 0);
    ck_assert_int_eq(judge_any(&s, spb_double(1), 1, SPB_QUALITY_GOOD, true).kind, SPB_VERDICT_SEND);
    expect_until(&s, spb_double(2), 500, SPB_VERDICT_HOLD, 1001);
    free(s.change);
}
END_TEST

START_TEST(unchanged_ones_are_sent_where_that_is_asked_for) {
    ck_assert(is_sent_after(&(spb_change_options){.sends_unchanged = true}, spb_int32(1), spb_int32(1)));
    ck_assert(is_sent_after(&(spb_change_options){.sends_unchanged = true}, spb_string("a"), spb_string("a")));
    ck_assert(is_sent_after(&(spb_change_options){.sends_unchanged = true}, spb_null(SPB_TEXT), spb_null(SPB_TEXT)));
}
END_TEST

/* ---- deadband ---- */

START_TEST(a_deadband_lies_around_the_value_sent_last) {
    subject s;
    open_subject(&s, &(spb_change_options){.deadband = 1}, spb_double(10), 0);
    expect(&s, spb_double(10.5), 1, SPB_VERDICT_DROP);
    expect(&s, spb_double(11), 2, SPB_VERDICT_DROP); /* no more than the deadband; and not away from 10.5 */
    expect(&s, spb_double(11.25), 3, SPB_VERDICT_SEND);
    expect(&s, spb_double(10.25), 4, SPB_VERDICT_DROP);
    expect(&s, spb_double(10.125), 5, SPB_VERDICT_SEND);
    free(s.change);
}
END_TEST

START_TEST(creeping_values_are_sent_each_time_they_leave_it) {
    subject s;
    open_subject(&s, &(spb_change_options){.deadband = 10}, spb_int16(0), 0);
    int sent = 0;
    for (int16_t i = 1; i <= 110; i++) {
        sent += judge(&s, spb_int16(i), (uint64_t)i).kind == SPB_VERDICT_SEND;
    }
    ck_assert_int_eq(sent, 10);
    free(s.change);
}
END_TEST

START_TEST(percent_is_of_the_range) {
    const spb_change_options o = {.deadband_percent = 5, .min = -100, .max = 100};
    ck_assert(!is_sent_after(&o, spb_int32(0), spb_int32(10)));
    ck_assert(is_sent_after(&o, spb_int32(0), spb_int32(-11)));
    ck_assert(!is_sent_after(&o, spb_float(0), spb_float(10)));
    ck_assert(is_sent_after(&o, spb_float(0), spb_float(10.5F)));
}
END_TEST

START_TEST(integer_deadbands_are_exact_to_64_bits) {
    const spb_change_options one = {.deadband = 1}, much = {.deadband = 0x1p63}, all = {.deadband = 1e30};
    const int64_t big = INT64_C(1) << 60;
    ck_assert(!is_sent_after(&one, spb_int64(big), spb_int64(big + 1)));
    ck_assert(is_sent_after(&one, spb_int64(big), spb_int64(big + 2)));
    ck_assert(is_sent_after(&one, spb_uint64(UINT64_MAX), spb_uint64(UINT64_MAX - 2)));
    ck_assert(is_sent_after(&one, spb_uint64(UINT64_MAX), spb_uint64(0)));
    ck_assert(!is_sent_after(&much, spb_int64(INT64_MIN), spb_int64(0)));
    ck_assert(is_sent_after(&much, spb_int64(INT64_MIN), spb_int64(1)));
    ck_assert(!is_sent_after(&all, spb_int64(INT64_MIN), spb_int64(INT64_MAX)));
    ck_assert(!is_sent_after(&(spb_change_options){.deadband = 0.5}, spb_int8(1), spb_int8(1)));
    ck_assert(is_sent_after(&(spb_change_options){.deadband = 0.5}, spb_int8(1), spb_int8(2)));
    ck_assert(!is_sent_after(&(spb_change_options){.deadband = 1.5}, spb_int8(1), spb_int8(2)));
}
END_TEST

/* ---- intervals ---- */

START_TEST(too_early_the_latest_is_held) {
    subject s;
    open_subject(&s, &(spb_change_options){.min_interval_ms = 1000}, spb_int32(0), 5000);
    expect_until(&s, spb_int32(1), 5100, SPB_VERDICT_HOLD, 6000);
    spb_verdict verdict = judge(&s, spb_int32(2), 5200);
    ck_assert_int_eq(verdict.kind, SPB_VERDICT_HOLD);
    ck_assert(verdict.replaces_held && !verdict.releases_held);
    ck_assert(spb_change__on_due(s.change, &s.last));
    ck_assert(!spb_change__on_due(s.change, &s.last));
    expect_until(&s, spb_int32(3), 6500, SPB_VERDICT_HOLD, 7000); /* 1000 ms after it was sent, not taken */
    expect(&s, spb_int32(4), 7000, SPB_VERDICT_SEND);             /* as new as the end of the interval */
    free(s.change);
}
END_TEST

START_TEST(who_comes_back_in_time_has_not_changed) {
    subject s;
    open_subject(&s, &(spb_change_options){.min_interval_ms = 1000, .deadband = 1}, spb_int32(10), 0);
    expect(&s, spb_int32(20), 100, SPB_VERDICT_HOLD);
    spb_verdict verdict = judge(&s, spb_int32(11), 200);
    ck_assert_int_eq(verdict.kind, SPB_VERDICT_DROP);
    ck_assert(verdict.replaces_held);
    ck_assert(!spb_change__on_due(s.change, &s.last));
    free(s.change);
}
END_TEST

START_TEST(what_was_due_goes_ahead_of_a_later_sample) {
    subject s;
    open_subject(&s, &(spb_change_options){.min_interval_ms = 1000}, spb_int32(0), 0);
    expect(&s, spb_int32(1), 100, SPB_VERDICT_HOLD);
    spb_verdict verdict = judge(&s, spb_int32(0), 1500); /* 1 was true at 1000, and hosts have to know */
    ck_assert(verdict.releases_held && !verdict.replaces_held);
    ck_assert_int_eq(verdict.kind, SPB_VERDICT_HOLD);
    ck_assert_uint_eq(verdict.until_ms, 2000);
    verdict = judge(&s, spb_int32(5), 9000);
    ck_assert(verdict.releases_held);
    ck_assert_int_eq(verdict.kind, SPB_VERDICT_SEND);
    free(s.change);
}
END_TEST

START_TEST(all_are_kept_where_that_is_asked_for) {
    subject s;
    open_subject(&s, &(spb_change_options){.min_interval_ms = 1000, .keeps_all = true}, spb_int32(0), 0);
    expect_until(&s, spb_int32(1), 100, SPB_VERDICT_DEFER, 1000);
    expect(&s, spb_int32(1), 150, SPB_VERDICT_DROP);
    expect_until(&s, spb_int32(0), 200, SPB_VERDICT_DEFER, 1000);
    ck_assert(!spb_change__on_due(s.change, &s.last)); /* none is held: they are all out */
    expect_until(&s, spb_int32(1), 1100, SPB_VERDICT_DEFER, 2000);
    expect_until(&s, spb_int32(2), 2100, SPB_VERDICT_DEFER, 3000); /* without the timer it is the same */
    expect(&s, spb_int32(3), 9000, SPB_VERDICT_SEND);
    expect_until(&s, spb_int32(4), 9001, SPB_VERDICT_DEFER, 10000);
    free(s.change);
}
END_TEST

START_TEST(after_the_longest_interval_the_newest_is_sent) {
    subject s;
    open_subject(&s, &(spb_change_options){.max_interval_ms = 1000, .deadband = 5}, spb_int32(0), 0);
    expect_until(&s, spb_int32(1), 400, SPB_VERDICT_HOLD, 1000);
    ck_assert(judge(&s, spb_int32(2), 800).replaces_held);
    ck_assert(spb_change__on_due(s.change, &s.last));
    expect_until(&s, spb_int32(3), 1200, SPB_VERDICT_HOLD, 2000);
    spb_verdict verdict = judge(&s, spb_int32(2), 2000); /* just in time itself */
    ck_assert_int_eq(verdict.kind, SPB_VERDICT_SEND);
    ck_assert(verdict.replaces_held && !verdict.releases_held);
    expect(&s, spb_int32(8), 2100, SPB_VERDICT_SEND);
    expect_until(&s, spb_int32(8), 2200, SPB_VERDICT_HOLD, 3100);
    free(s.change);
}
END_TEST

START_TEST(both_intervals) {
    subject s;
    open_subject(&s, &(spb_change_options){.min_interval_ms = 100, .max_interval_ms = 1000}, spb_string("a"), 0);
    expect_until(&s, spb_string("a"), 50, SPB_VERDICT_HOLD, 1000);
    expect_until(&s, spb_string("b"), 60, SPB_VERDICT_HOLD, 100);
    expect_until(&s, spb_string("a"), 70, SPB_VERDICT_HOLD, 100); /* the "a" that was sent is not at hand */
    ck_assert(spb_change__on_due(s.change, &s.last));
    expect_until(&s, spb_string("a"), 150, SPB_VERDICT_HOLD, 1100);
    free(s.change);
    const spb_change_options all = {.min_interval_ms = 100, .max_interval_ms = 1000, .keeps_all = true};
    open_subject(&s, &all, spb_int32(0), 0);
    expect_until(&s, spb_int32(1), 60, SPB_VERDICT_DEFER, 100);
    expect_until(&s, spb_int32(1), 70, SPB_VERDICT_HOLD, 100); /* along with the one that is deferred */
    ck_assert(spb_change__on_due(s.change, &s.last));
    expect_until(&s, spb_int32(1), 150, SPB_VERDICT_HOLD, 1100);
    free(s.change);
}
END_TEST

START_TEST(a_clock_that_steps_back_silences_nothing) {
    subject s;
    const uint64_t hour = 3600000;
    open_subject(&s, &(spb_change_options){.min_interval_ms = 1000, .max_interval_ms = 5000}, spb_int32(0), hour);
    expect_until(&s, spb_int32(1), 10, SPB_VERDICT_HOLD, 1010);
    expect(&s, spb_int32(2), 1010, SPB_VERDICT_SEND);
    expect_until(&s, spb_int32(2), 20, SPB_VERDICT_HOLD, 5020);
    expect(&s, spb_int32(2), 5020, SPB_VERDICT_SEND);
    free(s.change);
    open_subject(&s, &(spb_change_options){.deadband = 1}, spb_int32(0), hour);
    expect(&s, spb_int32(2), 10, SPB_VERDICT_SEND);
    free(s.change);
    ck_assert(is_sent_after(&by_default, spb_int32(0), spb_int32(1)));
}
END_TEST

START_TEST(times_end_at_the_end_of_time) {
    subject s;
    open_subject(&s, &(spb_change_options){.min_interval_ms = UINT32_MAX}, spb_int32(0), UINT64_MAX - 5);
    expect_until(&s, spb_int32(1), UINT64_MAX - 4, SPB_VERDICT_HOLD, UINT64_MAX);
    expect(&s, spb_int32(2), UINT64_MAX, SPB_VERDICT_SEND);
    free(s.change);
}
END_TEST

START_TEST(a_birth_is_a_report) {
    subject s;
    open_subject(&s, &(spb_change_options){.min_interval_ms = 1000, .deadband = 5}, spb_int32(0), 0);
    expect(&s, spb_int32(10), 500, SPB_VERDICT_HOLD);
    spb_change__reported(s.change, &s.last); /* it says 10, so nothing is held any more */
    ck_assert(!spb_change__on_due(s.change, &s.last));
    spb_verdict verdict = judge(&s, spb_int32(14), 2000);
    ck_assert_int_eq(verdict.kind, SPB_VERDICT_DROP);
    ck_assert(!verdict.replaces_held);
    expect(&s, spb_int32(16), 2100, SPB_VERDICT_SEND);
    free(s.change);
    spb_change__reported(NULL, &s.last);
}
END_TEST

/* ---- options that are refused ---- */

static void refuse(spb_change_options options, spb_type type, const char *words) {
    spb_change *change = (spb_change *)&by_default;
    spb_error err = {.text = ""};
    ck_assert_int_eq(spb_change__new(&change, &options, type, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_null(change);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
}

START_TEST(options_that_contradict_each_other_are_refused) {
    refuse((spb_change_options){.deadband = -1}, SPB_DOUBLE, "-1");
    refuse((spb_change_options){.deadband = NAN}, SPB_DOUBLE, "nan");
    refuse((spb_change_options){.deadband = INFINITY}, SPB_DOUBLE, "inf");
    refuse((spb_change_options){.deadband_percent = 101, .max = 1}, SPB_DOUBLE, "101");
    refuse((spb_change_options){.deadband_percent = 1}, SPB_DOUBLE, "range");
    refuse((spb_change_options){.deadband_percent = 1, .min = -DBL_MAX, .max = DBL_MAX}, SPB_DOUBLE, "range");
    refuse((spb_change_options){.deadband = 1, .deadband_percent = 1, .max = 1}, SPB_DOUBLE, "two");
    refuse((spb_change_options){.deadband = 1}, SPB_STRING, "String");
    refuse((spb_change_options){.deadband = 1}, SPB_BOOLEAN, "Boolean");
    refuse((spb_change_options){.deadband = 1}, SPB_INT32_ARRAY, "Int32Array");
    refuse((spb_change_options){.deadband = 1, .sends_unchanged = true}, SPB_INT32, "unchanged");
    refuse((spb_change_options){.min_interval_ms = 10, .max_interval_ms = 9}, SPB_INT32, "10");
    refuse((spb_change_options){.keeps_all = true}, SPB_INT32, "interval");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("change");
    TCase *tests = tcase_create("change");
    tcase_add_test(tests, no_options_need_no_state);
    tcase_add_test(tests, by_default_a_change_is_sent);
    tcase_add_test(tests, content_is_compared_not_where_it_stands);
    tcase_add_test(tests, extremes_of_the_datatypes_are_told_apart);
    tcase_add_test(tests, nan_and_infinities);
    tcase_add_test(tests, what_no_time_would_make_news_is_told_beforehand);
    tcase_add_test(tests, null_to_value_and_back_is_always_sent);
    tcase_add_test(tests, after_null_the_deadband_lies_around_the_new_value);
    tcase_add_test(tests, another_quality_is_always_sent);
    tcase_add_test(tests, a_forced_one_is_always_sent);
    tcase_add_test(tests, unchanged_ones_are_sent_where_that_is_asked_for);
    tcase_add_test(tests, a_deadband_lies_around_the_value_sent_last);
    tcase_add_test(tests, creeping_values_are_sent_each_time_they_leave_it);
    tcase_add_test(tests, percent_is_of_the_range);
    tcase_add_test(tests, integer_deadbands_are_exact_to_64_bits);
    tcase_add_test(tests, too_early_the_latest_is_held);
    tcase_add_test(tests, who_comes_back_in_time_has_not_changed);
    tcase_add_test(tests, what_was_due_goes_ahead_of_a_later_sample);
    tcase_add_test(tests, all_are_kept_where_that_is_asked_for);
    tcase_add_test(tests, after_the_longest_interval_the_newest_is_sent);
    tcase_add_test(tests, both_intervals);
    tcase_add_test(tests, a_clock_that_steps_back_silences_nothing);
    tcase_add_test(tests, times_end_at_the_end_of_time);
    tcase_add_test(tests, a_birth_is_a_report);
    tcase_add_test(tests, options_that_contradict_each_other_are_refused);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
