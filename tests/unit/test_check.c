/* Well-formed text, and values whose content fits their datatype. */
#include <check.h>
#include <stdlib.h>

#include <spb/payload.h>

#include "codec/check.h"
#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define TEXT(literal)                                                                                                  \
    { literal, sizeof(literal) - 1 }

/* ---- UTF-8 ---- */

static const spb_str good_texts[] = {
    TEXT(""),
    TEXT("plain"),
    TEXT("exactly8"),
    TEXT("longer than eight \xc2\xb0 and on it goes"),
    TEXT("a\0b"),                             /* NUL is a character */
    TEXT("\x7f\xc2\x80\xdf\xbf"),             /* the ends of one and two bytes */
    TEXT("\xe0\xa0\x80\xef\xbf\xbf"),         /* of three */
    TEXT("\xed\x9f\xbf\xee\x80\x80"),         /* around the surrogates */
    TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), /* of four: U+10000 and U+10FFFF */
    TEXT("21 \xc2\xb0"
         "C"),
};

START_TEST(well_formed_text_is_valid) {
    size_t bad = 77;
    ck_assert(spb_utf8__is_valid(good_texts[_i], &bad));
    ck_assert_uint_eq(bad, 77);
}
END_TEST

typedef struct bad_text {
    spb_str text;
    size_t bad;
} bad_text;

static const bad_text bad_texts[] = {
    {TEXT("\x80"), 0},     /* a following byte alone */
    {TEXT("ab\xff"), 2},   /* never in UTF-8 */
    {TEXT("\xc0\xaf"), 0}, /* overlong, two bytes */
    {TEXT("\xc1\xbf"), 0},
    {TEXT("a\xe0\x9f\xbf"), 1},     /* overlong, three bytes */
    {TEXT("a\xf0\x8f\xbf\xbf"), 1}, /* overlong, four bytes */
    {TEXT("\xed\xa0\x80"), 0},      /* surrogates */
    {TEXT("\xed\xbf\xbf"), 0},
    {TEXT("\xf4\x90\x80\x80"), 0}, /* above U+10FFFF */
    {TEXT("\xf5\x80\x80\x80"), 0},
    {TEXT("caf\xe9"), 3},        /* Latin-1 */
    {TEXT("ab\xc3"), 2},         /* cut after one byte */
    {TEXT("ab\xe2\x82"), 2},     /* after two */
    {TEXT("ab\xf0\x9f\x98"), 2}, /* after three */
    {TEXT("\xc3\x28"), 0},       /* a following byte that is none */
    {TEXT("\xe2\x28\xa1"), 0},
    {TEXT("\xe2\x82\x28"), 0},
    {TEXT("\xf0\x9f\x98\x28"), 0},
    {TEXT("12345678\xff"), 8}, /* behind whole words of ASCII, and in the midst of one */
    {TEXT("1234567890abcde\xff"), 15},
    {TEXT("1234567890abc\xffghijklmno"), 13},
    {TEXT("\xc2\xb0\xc2\xb0\xfe"), 4}, /* after good ones */
};

START_TEST(ill_formed_text_is_named_by_its_first_bad_byte) {
    size_t bad = 77;
    ck_assert(!spb_utf8__is_valid(bad_texts[_i].text, &bad));
    ck_assert_uint_eq(bad, bad_texts[_i].bad);
    ck_assert(!spb_utf8__is_valid(bad_texts[_i].text, NULL));
}
END_TEST

/* ---- values ---- */

static void assert_refused(spb_value value, spb_status status, const char *reason) {
    spb_error err;
    ck_assert_int_eq(spb_value__check(&value, &err), status);
    ck_assert_int_eq(err.status, status);
    ck_assert_str_eq(err.text, reason);
    ck_assert_int_eq(spb_value__check(&value, NULL), status);
}

static void assert_fits(spb_value value) {
    spb_error err = {.text = ""};
    ck_assert_msg(spb_value__check(&value, &err) == SPB_OK, "%s: %s", spb_type_name(value.type), err.text);
}

START_TEST(null_fits_every_datatype) {
    assert_fits(spb_null((spb_type)_i));
}
END_TEST

START_TEST(a_datatype_that_does_not_exist_is_refused) {
    assert_refused((spb_value){.type = SPB_UNKNOWN}, SPB_ERR_TYPE, "there is no datatype 0");
    assert_refused((spb_value){.type = (spb_type)35}, SPB_ERR_TYPE, "there is no datatype 35");
    assert_refused(spb_null((spb_type)35), SPB_ERR_TYPE, "there is no datatype 35");
}
END_TEST

typedef struct integer_range {
    spb_type type;
    int64_t min, max;
} integer_range;

static const integer_range integer_ranges[] = {
    {SPB_INT8, INT8_MIN, INT8_MAX}, {SPB_INT16, INT16_MIN, INT16_MAX}, {SPB_INT32, INT32_MIN, INT32_MAX},
    {SPB_UINT8, 0, UINT8_MAX},      {SPB_UINT16, 0, UINT16_MAX},       {SPB_UINT32, 0, UINT32_MAX},
};

START_TEST(integers_lie_in_the_range_of_their_datatype) {
    const integer_range *range = &integer_ranges[_i];
    assert_fits((spb_value){.type = range->type, .as.i64 = range->min});
    assert_fits((spb_value){.type = range->type, .as.i64 = range->max});
    spb_value below = {.type = range->type, .as.i64 = range->min - 1};
    spb_value above = {.type = range->type, .as.i64 = range->max + 1};
    ck_assert_int_eq(spb_value__check(&below, NULL), SPB_ERR_RANGE);
    ck_assert_int_eq(spb_value__check(&above, NULL), SPB_ERR_RANGE);
}
END_TEST

START_TEST(an_integer_out_of_range_is_named) {
    assert_refused((spb_value){.type = SPB_INT8, .as.i64 = -129}, SPB_ERR_RANGE, "-129 does not fit Int8");
    assert_refused((spb_value){.type = SPB_UINT16, .as.u64 = 65536}, SPB_ERR_RANGE, "65536 does not fit UInt16");
}
END_TEST

START_TEST(full_width_numbers_always_fit) {
    assert_fits(spb_int64(INT64_MIN));
    assert_fits(spb_uint64(UINT64_MAX));
    assert_fits(spb_datetime(UINT64_MAX));
    assert_fits(spb_float(1e30f));
    assert_fits(spb_double(-1e300));
    assert_fits(spb_boolean(true));
}
END_TEST

START_TEST(strings_are_utf8) {
    assert_fits(spb_string(""));
    assert_fits(spb_text("\xc3\xa9"));
    assert_fits(spb_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    assert_refused(spb_string("caf\xe9"), SPB_ERR_NAME, "String is not UTF-8 at its byte 3");
    assert_refused(spb_text("\xff"), SPB_ERR_NAME, "Text is not UTF-8 at its byte 0");
    assert_refused(spb_uuid("a\xff"), SPB_ERR_NAME, "UUID is not UTF-8 at its byte 1");
}
END_TEST

START_TEST(content_that_is_pointed_to_is_there) {
    const spb_dataset dataset = {0};
    const spb_template tmpl = {0};
    const spb_property_set set = {0};
    const spb_property_sets sets = {0};
    assert_fits(spb_bytes_value(NULL, 0));
    assert_fits(spb_file("\xff", 1));
    assert_fits(spb_dataset_value(&dataset));
    assert_fits(spb_template_value(&tmpl));
    assert_fits(spb_property_set_value(&set));
    assert_fits(spb_property_sets_value(&sets));
    assert_fits(spb_double_array(NULL, 0));
    assert_refused((spb_value){.type = SPB_STRING}, SPB_ERR_ARGUMENT, "String without its content");
    assert_refused(spb_bytes_value(NULL, 3), SPB_ERR_ARGUMENT, "Bytes without its content");
    assert_refused((spb_value){.type = SPB_DATASET}, SPB_ERR_ARGUMENT, "DataSet without its content");
    assert_refused((spb_value){.type = SPB_TEMPLATE}, SPB_ERR_ARGUMENT, "Template without its content");
    assert_refused((spb_value){.type = SPB_PROPERTY_SET}, SPB_ERR_ARGUMENT, "PropertySet without its content");
    assert_refused((spb_value){.type = SPB_PROPERTY_SET_LIST}, SPB_ERR_ARGUMENT, "PropertySetList without its content");
    assert_refused(spb_int16_array(NULL, 2), SPB_ERR_ARGUMENT, "Int16Array without its content");
}
END_TEST

START_TEST(strings_of_an_array_are_there_and_utf8_and_without_nul) {
    spb_str items[] = {TEXT("first"), TEXT(""), TEXT("third")};
    assert_fits(spb_string_array(items, 3));
    items[1] = (spb_str){0};
    assert_refused(spb_string_array(items, 3), SPB_ERR_ARGUMENT, "element 1 of the StringArray without its content");
    items[1] = (spb_str)TEXT("a\xff");
    assert_refused(spb_string_array(items, 3), SPB_ERR_NAME, "element 1 of the StringArray is not UTF-8 at its byte 1");
    items[1] = (spb_str)TEXT("a\0b");
    assert_refused(spb_string_array(items, 3), SPB_ERR_NAME, "element 1 of the StringArray holds a NUL");
}
END_TEST

static spb_value packed(spb_type type, const char *data, size_t len) {
    return (spb_value){.type = type, .is_packed = true, .as.bytes = {(const uint8_t *)data, len}};
}

START_TEST(packed_arrays_have_a_length_that_is_possible) {
    assert_fits(packed(SPB_INT16_ARRAY, "\x01\x02\x03\x04", 4));
    assert_refused(packed(SPB_INT16_ARRAY, "\x01\x02\x03", 3), SPB_ERR_MALFORMED,
                   "Int16Array of 3 bytes, not a multiple of 2");
    assert_refused(packed(SPB_INT16_ARRAY, NULL, 4), SPB_ERR_ARGUMENT, "Int16Array without its content");
    assert_refused(packed(SPB_STRING_ARRAY, "a\0b", 3), SPB_ERR_MALFORMED,
                   "the last string of the StringArray does not end in NUL");
    assert_refused(packed(SPB_STRING_ARRAY, "a\0\xff", 4), SPB_ERR_NAME,
                   "element 1 of the StringArray is not UTF-8 at its byte 0");
}
END_TEST

START_TEST(a_decoded_value_without_datatype_is_checked_by_its_field) {
    assert_fits((spb_value){.wire = SPB_WIRE_INT, .as.u64 = UINT32_MAX});
    assert_refused((spb_value){.wire = SPB_WIRE_INT, .as.u64 = UINT64_C(1) << 32}, SPB_ERR_RANGE,
                   "4294967296 does not fit UInt32");
    assert_fits((spb_value){.wire = SPB_WIRE_LONG, .as.u64 = UINT64_MAX});
    assert_refused((spb_value){.wire = SPB_WIRE_STRING, .as.str = TEXT("\xff")}, SPB_ERR_NAME,
                   "String is not UTF-8 at its byte 0");
    assert_fits((spb_value){.wire = SPB_WIRE_EXTENSION, .as.bytes = {(const uint8_t *)"\xff", 1}});
    assert_fits((spb_value){.type = (spb_type)99, .wire = SPB_WIRE_BOOLEAN}); /* of a later schema */
}
END_TEST

int main(void) {
    TCase *text = tcase_create("UTF-8");
    tcase_add_loop_test(text, well_formed_text_is_valid, 0, COUNT_OF(good_texts));
    tcase_add_loop_test(text, ill_formed_text_is_named_by_its_first_bad_byte, 0, COUNT_OF(bad_texts));
    TCase *values = tcase_create("values");
    tcase_add_loop_test(values, null_fits_every_datatype, SPB_UNKNOWN, SPB_DATETIME_ARRAY + 1);
    tcase_add_test(values, a_datatype_that_does_not_exist_is_refused);
    tcase_add_loop_test(values, integers_lie_in_the_range_of_their_datatype, 0, COUNT_OF(integer_ranges));
    tcase_add_test(values, an_integer_out_of_range_is_named);
    tcase_add_test(values, full_width_numbers_always_fit);
    tcase_add_test(values, strings_are_utf8);
    tcase_add_test(values, content_that_is_pointed_to_is_there);
    tcase_add_test(values, strings_of_an_array_are_there_and_utf8_and_without_nul);
    tcase_add_test(values, packed_arrays_have_a_length_that_is_possible);
    tcase_add_test(values, a_decoded_value_without_datatype_is_checked_by_its_field);
    Suite *suite = suite_create("check");
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, values);
    return suite_run(suite);
}
