/* Values: strings, names of datatypes, constructors. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "codec/value.h"
#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

START_TEST(a_view_on_a_c_string) {
    const char *text = "Plant1";
    spb_str view = spb_str_from(text);
    ck_assert_ptr_eq(view.data, text);
    ck_assert_uint_eq(view.len, 6);
    ck_assert_ptr_null(spb_str_from(NULL).data);
    ck_assert_uint_eq(spb_str_from(NULL).len, 0);
}
END_TEST

START_TEST(strings_are_equal_by_length_and_bytes) {
    ck_assert(spb_str_equal(spb_str_from("abc"), (spb_str){"abcd", 3}));
    ck_assert(!spb_str_equal(spb_str_from("abc"), spb_str_from("abcd")));
    ck_assert(!spb_str_equal(spb_str_from("abc"), spb_str_from("abC")));
    ck_assert(spb_str_equal((spb_str){"a\0b", 3}, (spb_str){"a\0b", 3}));
    ck_assert(!spb_str_equal((spb_str){"a\0b", 3}, (spb_str){"a\0c", 3}));
}
END_TEST

START_TEST(an_absent_string_equals_only_another_one) {
    ck_assert(spb_str_equal(spb_str_from(NULL), spb_str_from(NULL)));
    ck_assert(!spb_str_equal(spb_str_from(NULL), spb_str_from("")));
    ck_assert(!spb_str_equal(spb_str_from(""), spb_str_from(NULL)));
    ck_assert(spb_str_equal(spb_str_from(""), spb_str_from("")));
}
END_TEST

/* tck-id-payloads-metric-datatype-value: the numbers and names of the specification */
static const struct {
    int number;
    const char *name;
} datatypes[] = {
    {1, "Int8"},           {2, "Int16"},         {3, "Int32"},
    {4, "Int64"},          {5, "UInt8"},         {6, "UInt16"},
    {7, "UInt32"},         {8, "UInt64"},        {9, "Float"},
    {10, "Double"},        {11, "Boolean"},      {12, "String"},
    {13, "DateTime"},      {14, "Text"},         {15, "UUID"},
    {16, "DataSet"},       {17, "Bytes"},        {18, "File"},
    {19, "Template"},      {20, "PropertySet"},  {21, "PropertySetList"},
    {22, "Int8Array"},     {23, "Int16Array"},   {24, "Int32Array"},
    {25, "Int64Array"},    {26, "UInt8Array"},   {27, "UInt16Array"},
    {28, "UInt32Array"},   {29, "UInt64Array"},  {30, "FloatArray"},
    {31, "DoubleArray"},   {32, "BooleanArray"}, {33, "StringArray"},
    {34, "DateTimeArray"},
};

START_TEST(datatypes_have_the_names_of_the_specification) {
    spb_type type = (spb_type)datatypes[_i].number;
    ck_assert_str_eq(spb_type_name(type), datatypes[_i].name);
    ck_assert_int_eq(spb_type_from_name(spb_str_from(datatypes[_i].name)), type);
    ck_assert(spb_type_is_array(type) == (strstr(datatypes[_i].name, "Array") != NULL));
    ck_assert(spb_type__is_known(type));
}
END_TEST

START_TEST(other_numbers_and_names_are_unknown) {
    ck_assert_str_eq(spb_type_name(SPB_UNKNOWN), "Unknown");
    ck_assert_str_eq(spb_type_name((spb_type)35), "Unknown");
    ck_assert_str_eq(spb_type_name((spb_type)-1), "Unknown");
    ck_assert(!spb_type_is_array((spb_type)35));
    ck_assert(!spb_type__is_known(SPB_UNKNOWN));
    ck_assert(!spb_type__is_known((spb_type)35));
    ck_assert_int_eq(spb_type_from_name(spb_str_from("int8")), SPB_UNKNOWN);
    ck_assert_int_eq(spb_type_from_name(spb_str_from("Int8 ")), SPB_UNKNOWN);
    ck_assert_int_eq(spb_type_from_name(spb_str_from("")), SPB_UNKNOWN);
    ck_assert_int_eq(spb_type_from_name(spb_str_from(NULL)), SPB_UNKNOWN);
    ck_assert_int_eq(spb_type_from_name((spb_str){"Int16Array", 5}), SPB_INT16);
}
END_TEST

static void assert_plain(spb_value value, spb_type type) {
    ck_assert_int_eq(value.type, type);
    ck_assert(!value.is_null);
    ck_assert(!value.is_packed);
    ck_assert_int_eq(value.wire, SPB_WIRE_NONE);
}

START_TEST(signed_integers) {
    spb_value values[] = {spb_int8(INT8_MIN), spb_int16(INT16_MIN), spb_int32(INT32_MIN), spb_int64(INT64_MIN)};
    int64_t wanted[] = {INT8_MIN, INT16_MIN, INT32_MIN, INT64_MIN};
    for (int i = 0; i < COUNT_OF(values); i++) {
        assert_plain(values[i], (spb_type)(SPB_INT8 + i));
        ck_assert_int_eq(values[i].as.i64, wanted[i]);
    }
}
END_TEST

START_TEST(unsigned_integers) {
    spb_value values[] = {spb_uint8(UINT8_MAX), spb_uint16(UINT16_MAX), spb_uint32(UINT32_MAX), spb_uint64(UINT64_MAX)};
    uint64_t wanted[] = {UINT8_MAX, UINT16_MAX, UINT32_MAX, UINT64_MAX};
    for (int i = 0; i < COUNT_OF(values); i++) {
        assert_plain(values[i], (spb_type)(SPB_UINT8 + i));
        ck_assert_uint_eq(values[i].as.u64, wanted[i]);
    }
}
END_TEST

START_TEST(other_scalars) {
    assert_plain(spb_float(1.5f), SPB_FLOAT);
    ck_assert_float_eq(spb_float(1.5f).as.f32, 1.5f);
    assert_plain(spb_double(-2.25), SPB_DOUBLE);
    ck_assert_double_eq(spb_double(-2.25).as.f64, -2.25);
    assert_plain(spb_boolean(true), SPB_BOOLEAN);
    ck_assert(spb_boolean(true).as.boolean);
    ck_assert(!spb_boolean(false).as.boolean);
    assert_plain(spb_datetime(1656107875000), SPB_DATETIME);
    ck_assert_uint_eq(spb_datetime(1656107875000).as.u64, 1656107875000);
}
END_TEST

START_TEST(texts) {
    assert_plain(spb_string("a"), SPB_STRING);
    assert_plain(spb_text("a"), SPB_TEXT);
    assert_plain(spb_uuid("a"), SPB_UUID);
    ck_assert(spb_str_equal(spb_string("abc").as.str, spb_str_from("abc")));
    assert_plain(spb_string(""), SPB_STRING);
    spb_value part = spb_string_view(SPB_TEXT, (spb_str){"abcdef", 3});
    assert_plain(part, SPB_TEXT);
    ck_assert(spb_str_equal(part.as.str, spb_str_from("abc")));
}
END_TEST

START_TEST(a_missing_pointer_makes_a_null_value) {
    spb_value values[] = {spb_string(NULL),
                          spb_text(NULL),
                          spb_uuid(NULL),
                          spb_string_view(SPB_STRING, (spb_str){0}),
                          spb_dataset_value(NULL),
                          spb_template_value(NULL),
                          spb_property_set_value(NULL),
                          spb_property_sets_value(NULL),
                          spb_null(SPB_DOUBLE)};
    spb_type types[] = {SPB_STRING,  SPB_TEXT,     SPB_UUID,         SPB_STRING,
                        SPB_DATASET, SPB_TEMPLATE, SPB_PROPERTY_SET, SPB_PROPERTY_SET_LIST,
                        SPB_DOUBLE};
    for (int i = 0; i < COUNT_OF(values); i++) {
        ck_assert(values[i].is_null);
        ck_assert_int_eq(values[i].type, types[i]);
    }
}
END_TEST

START_TEST(bytes_and_files) {
    const uint8_t data[] = {0, 255};
    assert_plain(spb_bytes_value(data, 2), SPB_BYTES);
    assert_plain(spb_file(data, 2), SPB_FILE);
    ck_assert_ptr_eq(spb_file(data, 2).as.bytes.data, data);
    ck_assert_uint_eq(spb_file(data, 2).as.bytes.len, 2);
    assert_plain(spb_bytes_value(NULL, 0), SPB_BYTES); /* no bytes are a value */
}
END_TEST

START_TEST(structures) {
    const spb_dataset dataset = {0};
    const spb_template tmpl = {0};
    const spb_property_set set = {0};
    const spb_property_sets sets = {0};
    assert_plain(spb_dataset_value(&dataset), SPB_DATASET);
    ck_assert_ptr_eq(spb_dataset_value(&dataset).as.dataset, &dataset);
    assert_plain(spb_template_value(&tmpl), SPB_TEMPLATE);
    ck_assert_ptr_eq(spb_template_value(&tmpl).as.tmpl, &tmpl);
    assert_plain(spb_property_set_value(&set), SPB_PROPERTY_SET);
    ck_assert_ptr_eq(spb_property_set_value(&set).as.set, &set);
    assert_plain(spb_property_sets_value(&sets), SPB_PROPERTY_SET_LIST);
    ck_assert_ptr_eq(spb_property_sets_value(&sets).as.sets, &sets);
}
END_TEST

START_TEST(a_value_is_small) {
    ck_assert_uint_le(sizeof(spb_value), 24);
}
END_TEST

START_TEST(the_form_tells_where_the_content_is) {
    static const spb_type forms[] = {
        [SPB_WIRE_NONE] = SPB_UNKNOWN,     [SPB_WIRE_INT] = SPB_UINT32,
        [SPB_WIRE_LONG] = SPB_UINT64,      [SPB_WIRE_FLOAT] = SPB_FLOAT,
        [SPB_WIRE_DOUBLE] = SPB_DOUBLE,    [SPB_WIRE_BOOLEAN] = SPB_BOOLEAN,
        [SPB_WIRE_STRING] = SPB_STRING,    [SPB_WIRE_BYTES] = SPB_BYTES,
        [SPB_WIRE_DATASET] = SPB_DATASET,  [SPB_WIRE_TEMPLATE] = SPB_TEMPLATE,
        [SPB_WIRE_SET] = SPB_PROPERTY_SET, [SPB_WIRE_SET_LIST] = SPB_PROPERTY_SET_LIST,
        [SPB_WIRE_EXTENSION] = SPB_BYTES,
    };
    for (int wire = 0; wire < COUNT_OF(forms); wire++) {
        spb_value unknown = {.wire = (uint8_t)wire};
        spb_value later = {.type = (spb_type)99, .wire = (uint8_t)wire};
        spb_value known = {.type = SPB_TEXT, .wire = (uint8_t)wire};
        spb_value null = {.is_null = true, .wire = (uint8_t)wire};
        ck_assert_int_eq(spb_value__form(&unknown), forms[wire]);
        ck_assert_int_eq(spb_value__form(&later), forms[wire]);
        ck_assert_int_eq(spb_value__form(&known), SPB_TEXT);
        ck_assert_int_eq(spb_value__form(&null), SPB_UNKNOWN);
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("value");
    tcase_add_test(tests, a_view_on_a_c_string);
    tcase_add_test(tests, strings_are_equal_by_length_and_bytes);
    tcase_add_test(tests, an_absent_string_equals_only_another_one);
    tcase_add_loop_test(tests, datatypes_have_the_names_of_the_specification, 0, COUNT_OF(datatypes));
    tcase_add_test(tests, other_numbers_and_names_are_unknown);
    tcase_add_test(tests, signed_integers);
    tcase_add_test(tests, unsigned_integers);
    tcase_add_test(tests, other_scalars);
    tcase_add_test(tests, texts);
    tcase_add_test(tests, a_missing_pointer_makes_a_null_value);
    tcase_add_test(tests, bytes_and_files);
    tcase_add_test(tests, structures);
    tcase_add_test(tests, a_value_is_small);
    tcase_add_test(tests, the_form_tells_where_the_content_is);
    Suite *suite = suite_create("value");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
