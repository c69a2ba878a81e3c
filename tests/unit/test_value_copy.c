/* Deep copies: equal, independent of the original, one block, bounded. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define STR(literal)                                                                                                   \
    { literal, sizeof(literal) - 1 }

/* The copy says the same, and copying it again after the first one is gone still does. */
static void assert_copied(spb_value value) {
    spb_value copy;
    spb_value again;
    spb_error err = {.text = ""};
    ck_assert_msg(spb_value_copy(&copy, &value, &err) == SPB_OK, "%s", err.text);
    ck_assert(spb_value_equal(&copy, &value));
    ck_assert_int_eq(copy.wire, value.wire);
    ck_assert_int_eq(spb_value_copy(&again, &copy, &err), SPB_OK);
    spb_value_clear(&copy);
    ck_assert(copy.is_null);
    ck_assert_int_eq(copy.type, value.type);
    ck_assert(spb_value_equal(&again, &value));
    spb_value_clear(&again);
}

START_TEST(scalars) {
    spb_value values[] = {spb_int8(-1), spb_int16(-2),  spb_int32(-3),     spb_int64(-4),
                          spb_uint8(5), spb_uint16(6),  spb_uint32(7),     spb_uint64(8),
                          spb_float(9), spb_double(10), spb_boolean(true), spb_datetime(13)};
    for (int i = 0; i < COUNT_OF(values); i++) {
        assert_copied(values[i]);
    }
}
END_TEST

START_TEST(null_of_every_datatype) {
    assert_copied(spb_null((spb_type)_i));
}
END_TEST

START_TEST(text_and_bytes) {
    assert_copied(spb_string("text"));
    assert_copied(spb_text(""));
    assert_copied(spb_uuid("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    assert_copied(spb_bytes_value("\0\1\2", 3));
    assert_copied(spb_file(NULL, 0));
}
END_TEST

START_TEST(a_copy_stands_alone) {
    char text[] = "before";
    spb_value value = spb_string(text);
    spb_value copy;
    ck_assert_int_eq(spb_value_copy(&copy, &value, NULL), SPB_OK);
    memcpy(text, "AFTER!", 6);
    ck_assert(spb_str_equal(copy.as.str, spb_str_from("before")));
    spb_value_clear(&copy);
}
END_TEST

START_TEST(a_value_can_be_replaced_by_its_copy) {
    spb_value value = spb_string("text");
    ck_assert_int_eq(spb_value_copy(&value, &value, NULL), SPB_OK);
    ck_assert(spb_str_equal(value.as.str, spb_str_from("text")));
    spb_value_clear(&value);
}
END_TEST

START_TEST(clearing_twice_is_fine) {
    spb_value copy;
    ck_assert_int_eq(
        spb_value_copy(&copy, &(spb_value){.type = SPB_BYTES, .as.bytes = {(const uint8_t *)"x", 1}}, NULL), SPB_OK);
    spb_value_clear(&copy);
    spb_value_clear(&copy);
    ck_assert(copy.is_null);
}
END_TEST

START_TEST(arrays) {
    const int8_t int8s[] = {-1, 2};
    const int16_t int16s[] = {-1, 2};
    const int32_t int32s[] = {-1, 2};
    const int64_t int64s[] = {-1, 2};
    const uint8_t uint8s[] = {1, 2};
    const uint16_t uint16s[] = {1, 2};
    const uint32_t uint32s[] = {1, 2};
    const uint64_t uint64s[] = {1, 2};
    const float floats[] = {1.5f, 2};
    const double doubles[] = {1.5, 2};
    const bool booleans[] = {true, false};
    const spb_str strings[] = {STR("first"), STR(""), STR("third")};
    assert_copied(spb_int8_array(int8s, 2));
    assert_copied(spb_int16_array(int16s, 2));
    assert_copied(spb_int32_array(int32s, 2));
    assert_copied(spb_int64_array(int64s, 2));
    assert_copied(spb_uint8_array(uint8s, 2));
    assert_copied(spb_uint16_array(uint16s, 2));
    assert_copied(spb_uint32_array(uint32s, 2));
    assert_copied(spb_uint64_array(uint64s, 2));
    assert_copied(spb_float_array(floats, 2));
    assert_copied(spb_double_array(doubles, 2));
    assert_copied(spb_boolean_array(booleans, 2));
    assert_copied(spb_string_array(strings, 3));
    assert_copied(spb_datetime_array(uint64s, 2));
    assert_copied(spb_double_array(doubles, 0));
    assert_copied(spb_string_array(NULL, 0));
}
END_TEST

START_TEST(packed_arrays_stay_packed) {
    spb_value value = {.type = SPB_STRING_ARRAY,
                       .is_packed = true,
                       .wire = SPB_WIRE_BYTES,
                       .as.bytes = {(const uint8_t *)"a\0b\0", 4}};
    assert_copied(value);
    spb_value copy;
    ck_assert_int_eq(spb_value_copy(&copy, &value, NULL), SPB_OK);
    ck_assert(copy.is_packed);
    ck_assert_mem_eq(copy.as.bytes.data, "a\0b\0", 4);
    spb_value_clear(&copy);
}
END_TEST

START_TEST(values_without_datatype_or_of_a_later_schema) {
    assert_copied((spb_value){.wire = SPB_WIRE_LONG, .as.u64 = 77});
    assert_copied((spb_value){.wire = SPB_WIRE_STRING, .as.str = STR("text")});
    assert_copied((spb_value){.wire = SPB_WIRE_EXTENSION, .as.bytes = {(const uint8_t *)"\xff", 1}});
    assert_copied((spb_value){.type = (spb_type)99, .wire = SPB_WIRE_BYTES, .as.bytes = {(const uint8_t *)"x", 1}});
}
END_TEST

START_TEST(datasets) {
    const spb_str columns[] = {STR("step"), STR("name"), STR("at")};
    const spb_type types[] = {SPB_INT8, SPB_STRING, SPB_DATETIME};
    const spb_value cells[] = {spb_int8(1), spb_string("heat"),   spb_datetime(1000),
                               spb_int8(2), spb_null(SPB_STRING), spb_datetime(2000)};
    assert_copied(spb_dataset_value(&(spb_dataset){3, columns, types, 2, cells}));
    assert_copied(spb_dataset_value(&(spb_dataset){3, columns, types, 0, NULL}));
    assert_copied(spb_dataset_value(&(spb_dataset){0}));
}
END_TEST

START_TEST(templates_with_all_that_hangs_on_them) {
    const int32_t curve[] = {1, 2, 3};
    const spb_property properties[] = {{STR("engUnit"), spb_string("V")}, {STR("Quality"), spb_int32(192)}};
    const spb_property_set set = {properties, 2};
    const spb_property_set pair[] = {set, {0}};
    const spb_property_sets sets = {pair, 2};
    const spb_property nested[] = {{STR("set"), spb_property_set_value(&set)},
                                   {STR("sets"), spb_property_sets_value(&sets)}};
    const spb_property_set outer = {nested, 2};
    const spb_metadata metadata = {.has_is_multi_part = true,
                                   .has_seq = true,
                                   .seq = 7,
                                   .content_type = STR("text/plain"),
                                   .file_name = STR("a.txt"),
                                   .file_type = STR("txt"),
                                   .md5 = STR("00"),
                                   .description = STR("what it is")};
    const spb_payload_metric inner = {.name = STR("curve"), .value = spb_int32_array(curve, 3)};
    const spb_template part = {.template_ref = STR("Part"), .metrics = &inner, .metric_count = 1};
    const spb_payload_metric metrics[] = {
        {.name = STR("part"), .value = spb_template_value(&part), .metadata = &metadata, .properties = &outer},
        {.has_alias = true, .alias = 5, .has_timestamp = true, .timestamp_ms = 6, .value = spb_text("x")}};
    const spb_parameter parameters[] = {{STR("serial"), spb_string("A-1")}, {STR("size"), spb_double(2.5)}};
    const spb_template whole = {.version = STR("1.0"),
                                .template_ref = STR("Motor"),
                                .has_is_definition = true,
                                .metrics = metrics,
                                .metric_count = 2,
                                .parameters = parameters,
                                .parameter_count = 2};
    assert_copied(spb_template_value(&whole));
    assert_copied(spb_property_set_value(&outer));
    assert_copied(spb_property_sets_value(&sets));
    assert_copied(spb_property_sets_value(&(spb_property_sets){0}));
    assert_copied(spb_template_value(&(spb_template){0}));
}
END_TEST

/* ---- bounds ---- */

static void assert_refused(spb_value value, spb_status status, const char *reason) {
    spb_value copy = spb_int8(1);
    spb_error err;
    ck_assert_int_eq(spb_value_copy(&copy, &value, &err), status);
    ck_assert_str_eq(err.text, reason);
    ck_assert(copy.is_null);
    ck_assert_int_eq(copy.type, SPB_UNKNOWN);
}

#define TOO_DEEP "value nested deeper than 32 templates and property sets"

START_TEST(templates_nest_32_deep) {
    static spb_template levels[33];
    static spb_payload_metric members[33];
    spb_value value = spb_string("innermost");
    for (int i = 0; i < 33; i++) {
        members[i] = (spb_payload_metric){.name = STR("m"), .value = value};
        levels[i] = (spb_template){.metrics = &members[i], .metric_count = 1};
        value = spb_template_value(&levels[i]);
    }
    assert_copied(spb_template_value(&levels[31]));
    assert_refused(value, SPB_ERR_LIMIT, TOO_DEEP);
}
END_TEST

START_TEST(property_sets_nest_32_deep_also_in_lists) {
    static spb_property_set levels[33];
    static spb_property_sets lists[33];
    static spb_property items[33];
    spb_value value = spb_string("innermost");
    for (int i = 0; i < 33; i++) {
        items[i] = (spb_property){STR("p"), value};
        levels[i] = (spb_property_set){&items[i], 1};
        lists[i] = (spb_property_sets){&levels[i], 1};
        value = i % 2 == 0 ? spb_property_set_value(&levels[i]) : spb_property_sets_value(&lists[i]);
    }
    assert_copied(spb_property_sets_value(&lists[31]));
    assert_refused(value, SPB_ERR_LIMIT, TOO_DEEP);
}
END_TEST

START_TEST(a_dataset_may_stand_in_the_innermost_template_and_holds_scalars) {
    const spb_str column = STR("c");
    const spb_type type = SPB_STRING;
    const spb_value cell = spb_string("x");
    const spb_dataset dataset = {1, &column, &type, 1, &cell};
    static spb_template levels[32];
    static spb_payload_metric members[32];
    spb_value value = spb_dataset_value(&dataset);
    for (int i = 0; i < 32; i++) {
        members[i] = (spb_payload_metric){.name = STR("m"), .value = value};
        levels[i] = (spb_template){.metrics = &members[i], .metric_count = 1};
        value = spb_template_value(&levels[i]);
    }
    assert_copied(value);
    const spb_value nested = spb_dataset_value(&dataset);
    assert_refused(spb_dataset_value(&(spb_dataset){1, &column, &type, 1, &nested}), SPB_ERR_LIMIT, TOO_DEEP);
    assert_refused(spb_dataset_value(&(spb_dataset){1, &column, &type, 1, &value}), SPB_ERR_LIMIT, TOO_DEEP);
}
END_TEST

/* The same huge text twice is more than an address can count: found out while measuring, before anything is read. */
START_TEST(a_copy_larger_than_all_memory_is_refused) {
    const spb_str huge[] = {{"", SIZE_MAX / 4 * 3}, {"", SIZE_MAX / 4 * 3}};
    assert_refused(spb_string_array(huge, 2), SPB_ERR_NO_MEMORY, "out of memory for a copy of a value");
}
END_TEST

int main(void) {
    TCase *copying = tcase_create("copying");
    tcase_add_test(copying, scalars);
    tcase_add_loop_test(copying, null_of_every_datatype, SPB_UNKNOWN, SPB_DATETIME_ARRAY + 1);
    tcase_add_test(copying, text_and_bytes);
    tcase_add_test(copying, a_copy_stands_alone);
    tcase_add_test(copying, a_value_can_be_replaced_by_its_copy);
    tcase_add_test(copying, clearing_twice_is_fine);
    tcase_add_test(copying, arrays);
    tcase_add_test(copying, packed_arrays_stay_packed);
    tcase_add_test(copying, values_without_datatype_or_of_a_later_schema);
    tcase_add_test(copying, datasets);
    tcase_add_test(copying, templates_with_all_that_hangs_on_them);
    TCase *bounds = tcase_create("bounds");
    tcase_add_test(bounds, templates_nest_32_deep);
    tcase_add_test(bounds, property_sets_nest_32_deep_also_in_lists);
    tcase_add_test(bounds, a_dataset_may_stand_in_the_innermost_template_and_holds_scalars);
    tcase_add_test(bounds, a_copy_larger_than_all_memory_is_refused);
    Suite *suite = suite_create("value_copy");
    suite_add_tcase(suite, copying);
    suite_add_tcase(suite, bounds);
    return suite_run(suite);
}
