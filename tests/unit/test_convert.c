/* What a host sends, and what a metric takes. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/convert.h"
#include "support/suite.h"

static spb_status convert(spb_value *out, spb_type type, double min, double max, spb_value sent) {
    spb_metric *metric;
    spb_metric_def def = {.name = "x", .type = type, .min = min, .max = max};
    ck_assert_int_eq(spb_metric__new(&metric, &def, 0, NULL), SPB_OK);
    spb_status status = spb_convert__command(out, metric, &sent, NULL);
    spb_metric__free(metric);
    return status;
}

static void accept(spb_value sent, spb_value wanted) {
    spb_value got;
    ck_assert_int_eq(convert(&got, wanted.type, 0, 0, sent), SPB_OK);
    ck_assert(spb_value_equal(&got, &wanted));
}

static void refuse(spb_value sent, spb_type type, spb_status status) {
    spb_value got;
    ck_assert_int_eq(convert(&got, type, 0, 0, sent), status);
}

START_TEST(its_own_datatype_is_taken) {
    accept(spb_int8(-128), spb_int8(-128));
    accept(spb_uint64(UINT64_MAX), spb_uint64(UINT64_MAX));
    accept(spb_string("abc"), spb_string("abc"));
    accept(spb_boolean(true), spb_boolean(true));
    accept(spb_double(1.5), spb_double(1.5));
}
END_TEST

START_TEST(numbers_of_other_datatypes_are_taken_when_they_fit) {
    accept(spb_int32(12), spb_double(12));
    accept(spb_double(-12), spb_int8(-12));
    accept(spb_double(0.1), spb_float(0.1f));
    accept(spb_float(1.5f), spb_double(1.5));
    accept(spb_int64(INT64_MIN), spb_double(-0x1p63));
    accept(spb_double(-0x1p63), spb_int64(INT64_MIN));
    accept(spb_uint64(INT64_MAX), spb_int64(INT64_MAX));
    accept(spb_int64(4000000000), spb_uint32(4000000000));
    accept(spb_double(0x1p63), spb_uint64(UINT64_C(1) << 63));
    accept(spb_int32(7), spb_datetime(7));
}
END_TEST

START_TEST(numbers_that_do_not_fit_are_refused) {
    refuse(spb_int32(128), SPB_INT8, SPB_ERR_RANGE);
    refuse(spb_int32(-1), SPB_UINT64, SPB_ERR_RANGE);
    refuse(spb_double(1.5), SPB_INT32, SPB_ERR_RANGE);
    refuse(spb_double(0x1p64), SPB_UINT64, SPB_ERR_RANGE);
    refuse(spb_double(0x1p63), SPB_INT64, SPB_ERR_RANGE);
    refuse(spb_double(NAN), SPB_INT32, SPB_ERR_RANGE);
    refuse(spb_double(INFINITY), SPB_INT64, SPB_ERR_RANGE);
    refuse(spb_double(DBL_MAX), SPB_FLOAT, SPB_ERR_RANGE);
    refuse(spb_int64((INT64_C(1) << 53) + 1), SPB_DOUBLE, SPB_ERR_RANGE);
    refuse(spb_uint64(UINT64_MAX), SPB_DOUBLE, SPB_ERR_RANGE);
    refuse(spb_int32(16777217), SPB_FLOAT, SPB_ERR_RANGE);
}
END_TEST

START_TEST(other_things_are_of_the_wrong_type) {
    refuse(spb_null(SPB_INT32), SPB_INT32, SPB_ERR_TYPE);
    refuse(spb_string("12"), SPB_INT32, SPB_ERR_TYPE);
    refuse(spb_int32(1), SPB_BOOLEAN, SPB_ERR_TYPE);
    refuse(spb_boolean(true), SPB_INT32, SPB_ERR_TYPE);
    refuse(spb_int32(1), SPB_STRING, SPB_ERR_TYPE);
}
END_TEST

START_TEST(without_a_datatype_the_field_decides) {
    accept((spb_value){.wire = SPB_WIRE_INT, .as.u64 = 0xffffffff}, spb_int32(-1));
    accept((spb_value){.wire = SPB_WIRE_FLOAT, .as.f32 = 1.5f}, spb_double(1.5));
    accept((spb_value){.wire = SPB_WIRE_DOUBLE, .as.f64 = 12}, spb_int32(12));
    refuse((spb_value){.wire = SPB_WIRE_STRING, .as.str = {"a", 1}}, SPB_INT32, SPB_ERR_TYPE);
}
END_TEST

START_TEST(an_integer_without_a_datatype_may_stand_in_either_field) {
    accept((spb_value){.wire = SPB_WIRE_INT, .as.u64 = 7}, spb_int64(7));
    accept((spb_value){.wire = SPB_WIRE_INT, .as.u64 = 0xfffffffb}, spb_int64(-5));
    accept((spb_value){.wire = SPB_WIRE_INT, .as.u64 = 4000000000}, spb_uint64(4000000000));
    accept((spb_value){.wire = SPB_WIRE_INT, .as.u64 = 4000000000}, spb_datetime(4000000000));
    accept((spb_value){.wire = SPB_WIRE_LONG, .as.i64 = -5}, spb_int8(-5));
    accept((spb_value){.wire = SPB_WIRE_LONG, .as.u64 = 7}, spb_uint8(7));
    accept((spb_value){.wire = SPB_WIRE_INT, .as.u64 = 0xfffffffb}, spb_double(-5));
    accept((spb_value){.wire = SPB_WIRE_LONG, .as.i64 = -5}, spb_float(-5));
    accept((spb_value){.wire = SPB_WIRE_LONG, .as.i64 = 12}, spb_double(12));
    refuse((spb_value){.wire = SPB_WIRE_LONG, .as.i64 = (INT64_C(1) << 53) + 1}, SPB_DOUBLE, SPB_ERR_RANGE);
    refuse((spb_value){.wire = SPB_WIRE_LONG, .as.i64 = 300}, SPB_INT8, SPB_ERR_RANGE);
    refuse((spb_value){.wire = SPB_WIRE_LONG, .as.i64 = 1}, SPB_BOOLEAN, SPB_ERR_TYPE);
}
END_TEST

START_TEST(datatypes_of_one_field_are_taken_for_each_other) {
    const spb_type texts[] = {SPB_STRING, SPB_TEXT, SPB_UUID}, bytes[] = {SPB_BYTES, SPB_FILE};
    const spb_str id = spb_str_from("123e4567-e89b-42d3-a456-426614174000");
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            accept((spb_value){.type = texts[i], .wire = SPB_WIRE_STRING, .as.str = id},
                   (spb_value){.type = texts[j], .wire = SPB_WIRE_STRING, .as.str = id});
        }
    }
    for (size_t i = 0; i < 4; i++) {
        accept((spb_value){.type = bytes[i / 2], .wire = SPB_WIRE_BYTES, .as.bytes = {(const uint8_t *)"abc", 3}},
               (spb_value){.type = bytes[i % 2], .wire = SPB_WIRE_BYTES, .as.bytes = {(const uint8_t *)"abc", 3}});
    }
    refuse((spb_value){.type = SPB_STRING, .wire = SPB_WIRE_STRING, .as.str = id}, SPB_BYTES, SPB_ERR_TYPE);
    refuse((spb_value){.type = SPB_STRING, .wire = SPB_WIRE_STRING, .as.str = {"\xff", 1}}, SPB_TEXT, SPB_ERR_NAME);
}
END_TEST

START_TEST(the_range_includes_its_ends) {
    spb_value got;
    ck_assert_int_eq(convert(&got, SPB_DOUBLE, 20, 220, spb_double(20)), SPB_OK);
    ck_assert_int_eq(convert(&got, SPB_DOUBLE, 20, 220, spb_int32(220)), SPB_OK);
    ck_assert_int_eq(convert(&got, SPB_DOUBLE, 20, 220, spb_double(220.5)), SPB_ERR_RANGE);
    ck_assert_int_eq(convert(&got, SPB_DOUBLE, 20, 220, spb_double(NAN)), SPB_ERR_RANGE);
    ck_assert_int_eq(convert(&got, SPB_INT32, -5, 0, spb_int32(-6)), SPB_ERR_RANGE);
}
END_TEST

static spb_status in_range(double min, spb_value value, double max) {
    spb_value got;
    return convert(&got, value.type, min, max, value);
}

/* 2^53 + 1 is the first integer that a double cannot hold. */
START_TEST(integers_of_64_bits_are_not_rounded_for_the_range) {
    const double two_53 = 0x1p53;
    const int64_t whole = INT64_C(1) << 53;
    ck_assert_int_eq(in_range(0, spb_int64(whole), two_53), SPB_OK);
    ck_assert_int_eq(in_range(0, spb_int64(whole + 1), two_53), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(-two_53, spb_int64(-whole), 0), SPB_OK);
    ck_assert_int_eq(in_range(-two_53, spb_int64(-whole - 1), 0), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(two_53 + 2, spb_int64(whole + 1), 0x1p60), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(0, spb_uint64((uint64_t)whole + 1), two_53), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(0, spb_uint64(UINT64_MAX), 0x1.fffffffffffffp63), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(0, spb_uint64(UINT64_MAX), 0x1p64), SPB_OK);
    ck_assert_int_eq(in_range(0, spb_int64(INT64_MAX), 0x1p63), SPB_OK);
    ck_assert_int_eq(in_range(-0x1p63, spb_int64(INT64_MIN), 0), SPB_OK);
    ck_assert_int_eq(in_range(-0x1.fffffffffffffp62, spb_int64(INT64_MIN), 0), SPB_ERR_RANGE);
}
END_TEST

START_TEST(limits_may_lie_between_integers_and_beyond_them) {
    ck_assert_int_eq(in_range(-1.5, spb_int32(-1), 1.5), SPB_OK);
    ck_assert_int_eq(in_range(-1.5, spb_int32(1), 1.5), SPB_OK);
    ck_assert_int_eq(in_range(-1.5, spb_int32(2), 1.5), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(-1.5, spb_int32(-2), 1.5), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(-0.5, spb_int32(0), 0.5), SPB_OK);
    ck_assert_int_eq(in_range(0.5, spb_int32(0), 1), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(-1, spb_int32(0), -0.5), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(-INFINITY, spb_int64(INT64_MIN), INFINITY), SPB_OK);
    ck_assert_int_eq(in_range(-DBL_MAX, spb_uint64(UINT64_MAX), DBL_MAX), SPB_OK);
    ck_assert_int_eq(in_range(1e300, spb_uint64(UINT64_MAX), INFINITY), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(-INFINITY, spb_int64(INT64_MIN), -1e300), SPB_ERR_RANGE);
}
END_TEST

START_TEST(a_limit_counts_as_a_float_for_a_float) {
    ck_assert_int_eq(in_range(0, spb_float(0.1f), 0.1), SPB_OK); /* 0.1f is above 0.1 */
    ck_assert_int_eq(in_range(0, spb_float(nextafterf(0.1f, 1)), 0.1), SPB_ERR_RANGE);
    ck_assert_int_eq(in_range(-1e300, spb_float(FLT_MAX), 1e300), SPB_OK);
    ck_assert_int_eq(in_range(-1e300, spb_float(INFINITY), 1e300), SPB_ERR_RANGE);
}
END_TEST

START_TEST(what_is_out_of_range_is_named_exactly) {
    spb_metric *metric;
    spb_metric_def def = {.name = "x", .type = SPB_INT64, .min = -5, .max = 0x1p53};
    spb_value got, sent = spb_int64((INT64_C(1) << 53) + 1);
    spb_error err;
    ck_assert_int_eq(spb_metric__new(&metric, &def, 0, NULL), SPB_OK);
    ck_assert_int_eq(spb_convert__command(&got, metric, &sent, &err), SPB_ERR_RANGE);
    ck_assert_str_eq(err.text, "9007199254740993 is outside -5 to 9007199254740992");
    spb_metric__free(metric);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("convert");
    tcase_add_test(all, its_own_datatype_is_taken);
    tcase_add_test(all, numbers_of_other_datatypes_are_taken_when_they_fit);
    tcase_add_test(all, numbers_that_do_not_fit_are_refused);
    tcase_add_test(all, other_things_are_of_the_wrong_type);
    tcase_add_test(all, without_a_datatype_the_field_decides);
    tcase_add_test(all, an_integer_without_a_datatype_may_stand_in_either_field);
    tcase_add_test(all, datatypes_of_one_field_are_taken_for_each_other);
    tcase_add_test(all, the_range_includes_its_ends);
    tcase_add_test(all, integers_of_64_bits_are_not_rounded_for_the_range);
    tcase_add_test(all, limits_may_lie_between_integers_and_beyond_them);
    tcase_add_test(all, a_limit_counts_as_a_float_for_a_float);
    tcase_add_test(all, what_is_out_of_range_is_named_exactly);
    Suite *suite = suite_create("convert");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
