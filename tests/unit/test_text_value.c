/* Values as text for people: nothing in them may fool the reader or the terminal. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "cli/text_value.h"
#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

static out to;

static void begin(void) {
    out_init(&to, -1);
}

static void assert_written(const char *wanted) {
    out_char(&to, '\0');
    ck_assert_str_eq(to.data, wanted);
}

typedef struct example {
    const char *text;
    const char *wanted;
    size_t columns;
} example;

static const example examples[] = {
    {"°C €", "°C €", 4},
    {"a\x1b[31mb", "a\\x1b[31mb", 10},
    {"tab\tline\n\r", "tab\\tline\\n\\r", 13},
    {"\x7f", "\\x7f", 4},
    {"\xC2\x9B", "\\u009b", 6}, /* CSI of C1 */
    {"a\xE2\x80\xAE"
     "b",
     "a\\u202eb", 8}, /* right-to-left override */
    {"\xC3", "\\xc3", 4},
    {"\xED\xA0\x80", "\\xed\\xa0\\x80", 12},
};

START_TEST(text_of_others_is_escaped) {
    const example *e = &examples[_i];
    ck_assert_uint_eq(text_escaped(NULL, spb_str_from(e->text)), e->columns);
    ck_assert_uint_eq(text_escaped(&to, spb_str_from(e->text)), e->columns);
    assert_written(e->wanted);
}
END_TEST

/* As decoding leaves it: with the field that carried it. */
static spb_value on_wire(spb_value value, spb_wire wire) {
    value.wire = (uint8_t)wire;
    return value;
}

static void assert_value(spb_value value, const char *wanted) {
    out_init(&to, -1);
    size_t columns = text_value(&to, &value);
    ck_assert_uint_eq(columns, text_value(NULL, &value));
    ck_assert_uint_eq(columns, strlen(wanted));
    assert_written(wanted);
}

START_TEST(each_kind_of_value_has_its_form) {
    assert_value(on_wire(spb_int8(-1), SPB_WIRE_INT), "-1");
    assert_value(on_wire(spb_uint32(4000000000), SPB_WIRE_LONG), "4000000000");
    assert_value(on_wire(spb_datetime(0), SPB_WIRE_LONG), "1970-01-01T00:00:00.000Z");
    assert_value(on_wire(spb_string("a \"b\""), SPB_WIRE_STRING), "\"a \"b\"\"");
    assert_value(on_wire(spb_bytes_value("\x01\xff", 2), SPB_WIRE_BYTES), "01ff (2 bytes)");
    assert_value(on_wire(spb_bytes_value("", 0), SPB_WIRE_BYTES), "(0 bytes)");
    assert_value(spb_null(SPB_DOUBLE), "null");
    assert_value((spb_value){.type = SPB_DATASET, .is_null = true, .wire = SPB_WIRE_ABSENT}, "no value");
    assert_value((spb_value){.wire = SPB_WIRE_LONG, .as.u64 = UINT64_MAX}, "18446744073709551615");
}
END_TEST

START_TEST(arrays_are_listed) {
    static const int16_t items[] = {-30000, 30000};
    assert_value(on_wire(spb_int16_array(items, 2), SPB_WIRE_BYTES), "[-30000, 30000]");
    assert_value(on_wire(spb_int16_array(items, 0), SPB_WIRE_BYTES), "[]");
}
END_TEST

START_TEST(long_arrays_and_bytes_are_cut_with_their_size) {
    uint8_t items[1000] = {0};
    spb_value array = on_wire(spb_uint8_array(items, sizeof items), SPB_WIRE_BYTES);
    (void)text_value(&to, &array);
    out_char(&to, '\0');
    ck_assert_ptr_nonnull(strstr(to.data, "0, …] (1000 elements)"));
    begin();
    spb_value bytes = on_wire(spb_bytes_value(items, sizeof items), SPB_WIRE_BYTES);
    (void)text_value(&to, &bytes);
    out_char(&to, '\0');
    ck_assert_ptr_nonnull(strstr(to.data, "00… (1000 bytes)"));
}
END_TEST

START_TEST(properties_are_listed_and_quality_is_explained) {
    spb_property inner_items[] = {{spb_str_from("low"), on_wire(spb_int32(0), SPB_WIRE_INT)}};
    spb_property_set inner = {inner_items, 1};
    spb_property items[] = {
        {spb_str_from("engUnit"), on_wire(spb_string("bar"), SPB_WIRE_STRING)},
        {spb_str_from("Quality"), on_wire(spb_int32(SPB_QUALITY_STALE), SPB_WIRE_INT)},
        {spb_str_from("limits"), on_wire(spb_property_set_value(&inner), SPB_WIRE_SET)},
    };
    spb_property_set set = {items, 3};
    (void)text_properties(&to, &set, "engUnit");
    assert_written("{Quality: 500 STALE, limits: {low: 0}}");
    ck_assert_uint_eq(text_properties(NULL, &(spb_property_set){items, 1}, "engUnit"), 0);
    ck_assert_uint_eq(text_properties(NULL, NULL, NULL), strlen("{}"));
}
END_TEST

START_TEST(a_dataset_is_a_table) {
    spb_str columns[] = {spb_str_from("Step"), spb_str_from("T")};
    spb_type types[] = {SPB_STRING, SPB_INT32};
    spb_value cells[] = {on_wire(spb_string("Heat"), SPB_WIRE_STRING), on_wire(spb_int32(180), SPB_WIRE_INT),
                         spb_null(SPB_STRING), on_wire(spb_int32(-5), SPB_WIRE_INT)};
    spb_dataset set = {2, columns, types, 2, cells};
    text_dataset(&(text){&to, false}, &set, 2);
    assert_written("  Step        T\n"
                   "  String  Int32\n"
                   "  \"Heat\"    180\n"
                   "  null       -5\n");
}
END_TEST

int main(void) {
    TCase *values = tcase_create("values");
    tcase_add_checked_fixture(values, begin, NULL);
    tcase_add_loop_test(values, text_of_others_is_escaped, 0, COUNT_OF(examples));
    tcase_add_test(values, each_kind_of_value_has_its_form);
    tcase_add_test(values, arrays_are_listed);
    tcase_add_test(values, long_arrays_and_bytes_are_cut_with_their_size);
    tcase_add_test(values, properties_are_listed_and_quality_is_explained);
    tcase_add_test(values, a_dataset_is_a_table);
    Suite *suite = suite_create("text_value");
    suite_add_tcase(suite, values);
    return suite_run(suite);
}
