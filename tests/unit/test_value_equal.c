/* When two values are the same. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <spb/payload.h>

#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))
#define STR(literal)                                                                                                   \
    { literal, sizeof(literal) - 1 }

static void assert_equal(spb_value a, spb_value b) {
    ck_assert(spb_value_equal(&a, &b));
    ck_assert(spb_value_equal(&b, &a));
}

static void assert_different(spb_value a, spb_value b) {
    ck_assert(!spb_value_equal(&a, &b));
    ck_assert(!spb_value_equal(&b, &a));
}

START_TEST(the_same_number_of_another_datatype_is_another_value) {
    spb_value ones[] = {spb_int8(1),     spb_int16(1),  spb_int32(1),      spb_int64(1),
                        spb_uint8(1),    spb_uint16(1), spb_uint32(1),     spb_uint64(1),
                        spb_float(1),    spb_double(1), spb_boolean(true), spb_datetime(1),
                        spb_string("1"), spb_text("1"), spb_uuid("1"),     spb_bytes_value("1", 1),
                        spb_file("1", 1)};
    for (int a = 0; a < COUNT_OF(ones); a++) {
        for (int b = 0; b < COUNT_OF(ones); b++) {
            ck_assert(spb_value_equal(&ones[a], &ones[b]) == (a == b));
        }
    }
}
END_TEST

START_TEST(scalars_compare_by_their_number) {
    assert_different(spb_int8(1), spb_int8(-1));
    assert_different(spb_int64(INT64_MIN), spb_int64(INT64_MAX));
    assert_different(spb_uint64(0), spb_uint64(UINT64_MAX));
    assert_different(spb_datetime(1), spb_datetime(2));
    assert_different(spb_boolean(true), spb_boolean(false));
    assert_different(spb_float(1.5f), spb_float(1.25f));
    assert_different(spb_double(1.5), spb_double(1.25));
}
END_TEST

START_TEST(nan_equals_nan_and_zero_has_no_sign) {
    assert_equal(spb_float(NAN), spb_float(NAN));
    assert_equal(spb_double(NAN), spb_double(-NAN));
    assert_different(spb_double(NAN), spb_double(0));
    assert_equal(spb_double(0.0), spb_double(-0.0));
    assert_equal(spb_double(INFINITY), spb_double(INFINITY));
    assert_different(spb_double(INFINITY), spb_double(-INFINITY));
}
END_TEST

START_TEST(null_equals_null_of_its_datatype) {
    assert_equal(spb_null(SPB_INT8), spb_null(SPB_INT8));
    assert_different(spb_null(SPB_INT8), spb_null(SPB_INT16));
    assert_different(spb_null(SPB_INT8), spb_int8(0));
    assert_different(spb_null(SPB_STRING), spb_string(""));
    spb_value null = spb_int8(1);
    null.is_null = true; /* what stands in `as` means nothing */
    assert_equal(null, spb_null(SPB_INT8));
}
END_TEST

START_TEST(text_and_bytes_compare_by_content) {
    char copy[] = "text";
    assert_equal(spb_string("text"), spb_string(copy));
    assert_different(spb_string("text"), spb_string("tex"));
    assert_equal(spb_bytes_value("\0\1", 2), spb_bytes_value("\0\1", 2));
    assert_different(spb_bytes_value("\0\1", 2), spb_bytes_value("\0\2", 2));
    assert_equal(spb_bytes_value(NULL, 0), spb_bytes_value("", 0));
}
END_TEST

START_TEST(arrays_compare_by_elements_packed_or_not) {
    const int16_t items[] = {-30000, 30000};
    const int16_t others[] = {-30000, 30001};
    spb_value packed = {
        .type = SPB_INT16_ARRAY, .is_packed = true, .as.bytes = {(const uint8_t *)"\xd0\x8a\x30\x75", 4}};
    assert_equal(packed, packed);
    assert_equal(spb_int16_array(items, 2), packed);
    assert_different(spb_int16_array(others, 2), packed);
    assert_different(spb_int16_array(items, 1), packed);
    assert_equal(spb_int16_array(NULL, 0), spb_int16_array(items, 0));
    const spb_str texts[] = {STR("a"), STR("")};
    spb_value strings = {.type = SPB_STRING_ARRAY, .is_packed = true, .as.bytes = {(const uint8_t *)"a\0\0", 3}};
    assert_equal(spb_string_array(texts, 2), strings);
    assert_different(spb_string_array(texts, 1), strings);
    const double numbers[] = {NAN, 1};
    assert_equal(spb_double_array(numbers, 2), spb_double_array(numbers, 2));
}
END_TEST

START_TEST(boolean_arrays_compare_without_their_padding) {
    spb_value a = {.type = SPB_BOOLEAN_ARRAY, .is_packed = true, .as.bytes = {(const uint8_t *)"\1\0\0\0\x80", 5}};
    spb_value b = {.type = SPB_BOOLEAN_ARRAY, .is_packed = true, .as.bytes = {(const uint8_t *)"\1\0\0\0\xff", 5}};
    assert_equal(a, b);
}
END_TEST

START_TEST(a_value_without_datatype_compares_by_field_and_content) {
    spb_value a = {.wire = SPB_WIRE_INT, .as.u64 = 1};
    spb_value b = {.wire = SPB_WIRE_LONG, .as.u64 = 1};
    spb_value c = {.wire = SPB_WIRE_INT, .as.u64 = 2};
    assert_equal(a, a);
    assert_different(a, b);
    assert_different(a, c);
    spb_value decoded = spb_int32(1);
    decoded.wire = SPB_WIRE_INT; /* how it came does not matter once it has a datatype */
    assert_equal(decoded, spb_int32(1));
}
END_TEST

/* ---- structures: equal copies, then one difference at a time ---- */

START_TEST(datasets) {
    const spb_str columns[] = {STR("a"), STR("b")};
    const spb_str renamed[] = {STR("a"), STR("c")};
    const spb_type types[] = {SPB_INT8, SPB_STRING};
    const spb_type retyped[] = {SPB_INT16, SPB_STRING};
    const spb_value cells[] = {spb_int8(1), spb_string("x"), spb_int8(2), spb_null(SPB_STRING)};
    const spb_value changed[] = {spb_int8(1), spb_string("x"), spb_int8(2), spb_string("")};
    const spb_dataset base = {2, columns, types, 2, cells};
    const spb_dataset same = base;
    const spb_dataset others[] = {{2, renamed, types, 2, cells},
                                  {2, columns, retyped, 2, cells},
                                  {2, columns, types, 2, changed},
                                  {2, columns, types, 1, cells},
                                  {1, columns, types, 2, cells}};
    assert_equal(spb_dataset_value(&base), spb_dataset_value(&same));
    for (int i = 0; i < COUNT_OF(others); i++) {
        assert_different(spb_dataset_value(&base), spb_dataset_value(&others[i]));
    }
}
END_TEST

START_TEST(property_sets) {
    const spb_property items[] = {{STR("a"), spb_int8(1)}, {STR("b"), spb_int8(2)}};
    const spb_property renamed[] = {{STR("a"), spb_int8(1)}, {STR("c"), spb_int8(2)}};
    const spb_property changed[] = {{STR("a"), spb_int8(1)}, {STR("b"), spb_int8(3)}};
    const spb_property_set base = {items, 2};
    const spb_property_set same = {items, 2};
    const spb_property_set others[] = {{renamed, 2}, {changed, 2}, {items, 1}};
    assert_equal(spb_property_set_value(&base), spb_property_set_value(&same));
    const spb_property_sets list = {&base, 1};
    const spb_property_sets same_list = {&same, 1};
    assert_equal(spb_property_sets_value(&list), spb_property_sets_value(&same_list));
    assert_different(spb_property_sets_value(&list), spb_property_sets_value(&(spb_property_sets){0}));
    for (int i = 0; i < COUNT_OF(others); i++) {
        assert_different(spb_property_set_value(&base), spb_property_set_value(&others[i]));
        assert_different(spb_property_sets_value(&list), spb_property_sets_value(&(spb_property_sets){&others[i], 1}));
    }
}
END_TEST

START_TEST(metrics_of_templates) {
    const spb_property property = {STR("engUnit"), spb_string("V")};
    const spb_property_set properties = {&property, 1};
    const spb_metadata metadata = {.has_size = true, .size = 5, .description = STR("d")};
    const spb_payload_metric base = {.name = STR("m"),
                                     .value = spb_int8(1),
                                     .has_alias = true,
                                     .alias = 3,
                                     .has_timestamp = true,
                                     .timestamp_ms = 9,
                                     .metadata = &metadata,
                                     .properties = &properties};
    const spb_metadata other_size = {.has_size = true, .size = 6, .description = STR("d")};
    const spb_metadata no_size = {.size = 5, .description = STR("d")};
    const spb_metadata other_text = {.has_size = true, .size = 5, .description = STR("e")};
    spb_payload_metric others[11];
    for (int i = 0; i < COUNT_OF(others); i++) {
        others[i] = base;
    }
    others[0].name = spb_str_from("n");
    others[1].value = spb_int8(2);
    others[2].alias = 4;
    others[3].has_timestamp = false;
    others[4].is_historical = true;
    others[5].is_transient = true;
    others[6].metadata = &other_size;
    others[7].metadata = &no_size;
    others[8].metadata = &other_text;
    others[9].metadata = NULL;
    others[10].properties = NULL;
    const spb_template tmpl = {.metrics = &base, .metric_count = 1};
    for (int i = 0; i < COUNT_OF(others); i++) {
        const spb_template other = {.metrics = &others[i], .metric_count = 1};
        assert_different(spb_template_value(&tmpl), spb_template_value(&other));
    }
    spb_payload_metric shorter = base;
    shorter.omit_datatype = true; /* tells about the wire, not about the metric */
    assert_equal(spb_template_value(&tmpl),
                 spb_template_value(&(spb_template){.metrics = &shorter, .metric_count = 1}));
}
END_TEST

START_TEST(templates) {
    const spb_parameter parameter = {STR("p"), spb_int8(1)};
    const spb_parameter renamed = {STR("q"), spb_int8(1)};
    const spb_parameter changed = {STR("p"), spb_int8(2)};
    const spb_template base = {.version = STR("1"),
                               .template_ref = STR("Motor"),
                               .has_is_definition = true,
                               .parameters = &parameter,
                               .parameter_count = 1};
    spb_template others[7];
    for (int i = 0; i < COUNT_OF(others); i++) {
        others[i] = base;
    }
    others[0].version = spb_str_from("2");
    others[1].template_ref = spb_str_from(NULL);
    others[2].is_definition = true;
    others[3].has_is_definition = false;
    others[4].parameters = &renamed;
    others[5].parameters = &changed;
    others[6].parameter_count = 0;
    spb_template same = base;
    assert_equal(spb_template_value(&base), spb_template_value(&same));
    for (int i = 0; i < COUNT_OF(others); i++) {
        assert_different(spb_template_value(&base), spb_template_value(&others[i]));
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("value_equal");
    tcase_add_test(tests, the_same_number_of_another_datatype_is_another_value);
    tcase_add_test(tests, scalars_compare_by_their_number);
    tcase_add_test(tests, nan_equals_nan_and_zero_has_no_sign);
    tcase_add_test(tests, null_equals_null_of_its_datatype);
    tcase_add_test(tests, text_and_bytes_compare_by_content);
    tcase_add_test(tests, arrays_compare_by_elements_packed_or_not);
    tcase_add_test(tests, boolean_arrays_compare_without_their_padding);
    tcase_add_test(tests, a_value_without_datatype_compares_by_field_and_content);
    tcase_add_test(tests, datasets);
    tcase_add_test(tests, property_sets);
    tcase_add_test(tests, metrics_of_templates);
    tcase_add_test(tests, templates);
    Suite *suite = suite_create("value_equal");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
