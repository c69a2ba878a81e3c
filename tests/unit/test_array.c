/* Elements of arrays: in the machine's own form and packed as on the wire. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/value.h>

#include "codec/value.h"
#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))
/* Packed bytes written as a string literal. */
#define PACKED(datatype, literal) packed(datatype, literal, sizeof(literal) - 1)

static spb_value packed(spb_type type, const char *data, size_t len) {
    return (spb_value){.type = type, .is_packed = true, .as.bytes = {(const uint8_t *)data, len}};
}

/* Both forms say the same, by index and by walking. */
static void assert_same_elements(spb_value native, spb_value packed_form) {
    spb_error err = {.text = ""};
    ck_assert_msg(spb_array__check_packed(packed_form.type, packed_form.as.bytes, &err) == SPB_OK, "%s", err.text);
    ck_assert_int_eq(native.type, packed_form.type);
    ck_assert_uint_eq(spb_array_count(&native), spb_array_count(&packed_form));
    size_t cursor = 0;
    size_t index = 0;
    spb_value element;
    while (spb_array_next(&packed_form, &cursor, &element)) {
        spb_value by_index = spb_array_at(&packed_form, index);
        spb_value wanted = spb_array_at(&native, index);
        ck_assert(!wanted.is_null);
        ck_assert(spb_value_equal(&element, &wanted));
        ck_assert(spb_value_equal(&by_index, &wanted));
        index++;
    }
    ck_assert_uint_eq(index, spb_array_count(&native));
}

START_TEST(signed_integers) {
    const int8_t int8s[] = {-23, 123};
    assert_same_elements(spb_int8_array(int8s, 2), PACKED(SPB_INT8_ARRAY, "\xe9\x7b"));
    const int16_t int16s[] = {-30000, 30000};
    assert_same_elements(spb_int16_array(int16s, 2), PACKED(SPB_INT16_ARRAY, "\xd0\x8a\x30\x75"));
    const int32_t int32s[] = {-1, 315338746};
    assert_same_elements(spb_int32_array(int32s, 2), PACKED(SPB_INT32_ARRAY, "\xff\xff\xff\xff\xfa\xaf\xcb\x12"));
    const int64_t int64s[] = {INT64_MIN, -2, INT64_MAX};
    assert_same_elements(spb_int64_array(int64s, 3), PACKED(SPB_INT64_ARRAY, "\0\0\0\0\0\0\0\x80"
                                                                             "\xfe\xff\xff\xff\xff\xff\xff\xff"
                                                                             "\xff\xff\xff\xff\xff\xff\xff\x7f"));
}
END_TEST

START_TEST(unsigned_integers) {
    const uint8_t uint8s[] = {23, 250};
    assert_same_elements(spb_uint8_array(uint8s, 2), PACKED(SPB_UINT8_ARRAY, "\x17\xfa"));
    const uint16_t uint16s[] = {30, 52360};
    assert_same_elements(spb_uint16_array(uint16s, 2), PACKED(SPB_UINT16_ARRAY, "\x1e\x00\x88\xcc"));
    const uint32_t uint32s[] = {52, UINT32_MAX};
    assert_same_elements(spb_uint32_array(uint32s, 2), PACKED(SPB_UINT32_ARRAY, "\x34\0\0\0\xff\xff\xff\xff"));
    const uint64_t uint64s[] = {52, UINT64_MAX - 1};
    assert_same_elements(spb_uint64_array(uint64s, 2),
                         PACKED(SPB_UINT64_ARRAY, "\x34\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff"));
}
END_TEST

START_TEST(floating_point_and_datetime) {
    const float floats[] = {1.23f, 89.341f};
    assert_same_elements(spb_float_array(floats, 2), PACKED(SPB_FLOAT_ARRAY, "\xa4\x70\x9d\x3f\x98\xae\xb2\x42"));
    const double doubles[] = {12.354213, 1022.9123213};
    assert_same_elements(spb_double_array(doubles, 2),
                         PACKED(SPB_DOUBLE_ARRAY, "\xd7\xa2\x05\x68\x5b\xb5\x28\x40\x8e\x17\x1c\x6f\x4c\xf7\x8f\x40"));
    const uint64_t times[] = {1256102875335, 1656107875000};
    assert_same_elements(
        spb_datetime_array(times, 2),
        PACKED(SPB_DATETIME_ARRAY, "\xc7\xd0\x90\x75\x24\x01\x00\x00\xb8\xba\xb8\x97\x81\x01\x00\x00"));
}
END_TEST

/* The bits stand highest first; what pads the last byte means nothing. */
START_TEST(booleans) {
    const bool bits[] = {false, false, true, true, false, true, false, false, true,
                         true,  false, true, true, true,  true, true,  true};
    assert_same_elements(spb_boolean_array(bits, 12), PACKED(SPB_BOOLEAN_ARRAY, "\x0c\0\0\0\x34\xd0"));
    assert_same_elements(spb_boolean_array(bits, 12), PACKED(SPB_BOOLEAN_ARRAY, "\x0c\0\0\0\x34\xdf"));
    assert_same_elements(spb_boolean_array(bits, 0), PACKED(SPB_BOOLEAN_ARRAY, "\0\0\0\0"));
    assert_same_elements(spb_boolean_array(bits + 2, 1), PACKED(SPB_BOOLEAN_ARRAY, "\x01\0\0\0\x80"));
    assert_same_elements(spb_boolean_array(bits, 7), PACKED(SPB_BOOLEAN_ARRAY, "\x07\0\0\0\x34"));
    assert_same_elements(spb_boolean_array(bits, 8), PACKED(SPB_BOOLEAN_ARRAY, "\x08\0\0\0\x34"));
    assert_same_elements(spb_boolean_array(bits, 9), PACKED(SPB_BOOLEAN_ARRAY, "\x09\0\0\0\x34\x80"));
    assert_same_elements(spb_boolean_array(bits, 16), PACKED(SPB_BOOLEAN_ARRAY, "\x10\0\0\0\x34\xdf"));
    assert_same_elements(spb_boolean_array(bits, 17), PACKED(SPB_BOOLEAN_ARRAY, "\x11\0\0\0\x34\xdf\x80"));
}
END_TEST

START_TEST(strings) {
    const spb_str texts[] = {{"ABC", 3}, {"", 0}, {"hello", 5}};
    assert_same_elements(spb_string_array(texts, 3), PACKED(SPB_STRING_ARRAY, "ABC\0\0hello\0"));
    assert_same_elements(spb_string_array(texts + 1, 1), PACKED(SPB_STRING_ARRAY, "\0"));
    assert_same_elements(spb_string_array(texts, 0), PACKED(SPB_STRING_ARRAY, ""));
}
END_TEST

START_TEST(packed_arrays_may_stand_at_any_address) {
    static const char bytes[] = "x\xd7\xa2\x05\x68\x5b\xb5\x28\x40";
    spb_value value = packed(SPB_DOUBLE_ARRAY, bytes + 1, 8);
    ck_assert_double_eq(spb_array_at(&value, 0).as.f64, 12.354213);
}
END_TEST

START_TEST(elements_have_the_scalar_datatype) {
    static const char bytes[16] = {1};
    spb_type array = (spb_type)_i;
    spb_value value = packed(array, bytes, array == SPB_BOOLEAN_ARRAY ? 5 : sizeof bytes);
    spb_value element = spb_array_at(&value, 0);
    ck_assert(!element.is_null);
    ck_assert(!element.is_packed);
    char name[32];
    strcpy(name, spb_type_name(array));
    *strstr(name, "Array") = '\0';
    ck_assert_str_eq(spb_type_name(element.type), name);
}
END_TEST

START_TEST(behind_the_last_element_there_is_null) {
    const int16_t items[] = {1, 2};
    spb_value native = spb_int16_array(items, 2);
    spb_value values[] = {native, PACKED(SPB_INT16_ARRAY, "\1\0\2\0"), PACKED(SPB_STRING_ARRAY, "a\0b\0"),
                          PACKED(SPB_BOOLEAN_ARRAY, "\2\0\0\0\xff")};
    for (int i = 0; i < COUNT_OF(values); i++) {
        ck_assert_uint_eq(spb_array_count(&values[i]), 2);
        ck_assert(!spb_array_at(&values[i], 1).is_null);
        ck_assert(spb_array_at(&values[i], 2).is_null);
        ck_assert(spb_array_at(&values[i], SIZE_MAX).is_null);
    }
    ck_assert_int_eq(spb_array_at(&native, 2).type, SPB_INT16);
}
END_TEST

START_TEST(null_and_other_datatypes_have_no_elements) {
    spb_value values[] = {spb_null(SPB_INT8_ARRAY), spb_null(SPB_STRING_ARRAY), spb_int32(7), spb_string("abc"),
                          spb_double_array(NULL, 0)};
    for (int i = 0; i < COUNT_OF(values); i++) {
        size_t cursor = 0;
        spb_value element;
        ck_assert_uint_eq(spb_array_count(&values[i]), 0);
        ck_assert(spb_array_at(&values[i], 0).is_null);
        ck_assert(!spb_array_next(&values[i], &cursor, &element));
    }
}
END_TEST

typedef struct refusal {
    spb_type type;
    const char *bytes;
    size_t len;
    const char *reason;
} refusal;

static const refusal refusals[] = {
    {SPB_INT16_ARRAY, "\0\0\0", 3, "Int16Array of 3 bytes, not a multiple of 2"},
    {SPB_UINT16_ARRAY, "\0", 1, "UInt16Array of 1 bytes, not a multiple of 2"},
    {SPB_INT32_ARRAY, "\0\0\0\0\0\0", 6, "Int32Array of 6 bytes, not a multiple of 4"},
    {SPB_UINT32_ARRAY, "\0\0\0", 3, "UInt32Array of 3 bytes, not a multiple of 4"},
    {SPB_FLOAT_ARRAY, "\0\0\0\0\0", 5, "FloatArray of 5 bytes, not a multiple of 4"},
    {SPB_INT64_ARRAY, "\0\0\0\0", 4, "Int64Array of 4 bytes, not a multiple of 8"},
    {SPB_UINT64_ARRAY, "\0\0\0\0", 4, "UInt64Array of 4 bytes, not a multiple of 8"},
    {SPB_DOUBLE_ARRAY, "\0\0\0\0", 4, "DoubleArray of 4 bytes, not a multiple of 8"},
    {SPB_DATETIME_ARRAY, "\0\0\0\0", 4, "DateTimeArray of 4 bytes, not a multiple of 8"},
    {SPB_STRING_ARRAY, "ABC", 3, "the last string of the StringArray does not end in NUL"},
    {SPB_STRING_ARRAY, "ABC\0d", 5, "the last string of the StringArray does not end in NUL"},
    {SPB_BOOLEAN_ARRAY, "", 0, "BooleanArray of 0 bytes, too short for its count"},
    {SPB_BOOLEAN_ARRAY, "\0\0\0", 3, "BooleanArray of 3 bytes, too short for its count"},
    {SPB_BOOLEAN_ARRAY, "\0\0\0\0\0", 5, "BooleanArray of 5 bytes, but its count of 0 needs 4"},
    {SPB_BOOLEAN_ARRAY, "\x01\0\0\0", 4, "BooleanArray of 4 bytes, but its count of 1 needs 5"},
    {SPB_BOOLEAN_ARRAY, "\x08\0\0\0\0\0", 6, "BooleanArray of 6 bytes, but its count of 8 needs 5"},
    {SPB_BOOLEAN_ARRAY, "\x09\0\0\0\0", 5, "BooleanArray of 5 bytes, but its count of 9 needs 6"},
    {SPB_BOOLEAN_ARRAY, "\xff\xff\xff\xff\0", 5,
     "BooleanArray of 5 bytes, but its count of 4294967295 needs 536870916"},
    {SPB_BOOLEAN_ARRAY, "\0\0\0\x0c\x34\xd0", 6, "BooleanArray of 6 bytes, but its count of 201326592 needs 25165828"},
};

START_TEST(a_length_that_cannot_be_is_malformed) {
    const refusal *r = &refusals[_i];
    spb_error err;
    spb_bytes bytes = {(const uint8_t *)r->bytes, r->len};
    ck_assert_int_eq(spb_array__check_packed(r->type, bytes, &err), SPB_ERR_MALFORMED);
    ck_assert_str_eq(err.text, r->reason);
}
END_TEST

/* Nobody must have checked an array before it can be read safely. */
START_TEST(unchecked_arrays_are_read_within_their_bytes) {
    for (int i = 0; i < COUNT_OF(refusals); i++) {
        char *exact = malloc(refusals[i].len + 1);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, refusals[i].bytes, refusals[i].len);
        char *bytes = realloc(exact, refusals[i].len ? refusals[i].len : 1); /* so that a sanitizer sees the end */
        spb_value value = packed(refusals[i].type, bytes, refusals[i].len);
        size_t cursor = 0;
        size_t count = 0;
        spb_value element;
        while (spb_array_next(&value, &cursor, &element)) {
            count++;
        }
        ck_assert_uint_eq(count, spb_array_count(&value));
        free(bytes);
    }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("array");
    tcase_add_test(tests, signed_integers);
    tcase_add_test(tests, unsigned_integers);
    tcase_add_test(tests, floating_point_and_datetime);
    tcase_add_test(tests, booleans);
    tcase_add_test(tests, strings);
    tcase_add_test(tests, packed_arrays_may_stand_at_any_address);
    tcase_add_loop_test(tests, elements_have_the_scalar_datatype, SPB_INT8_ARRAY, SPB_DATETIME_ARRAY + 1);
    tcase_add_test(tests, behind_the_last_element_there_is_null);
    tcase_add_test(tests, null_and_other_datatypes_have_no_elements);
    tcase_add_loop_test(tests, a_length_that_cannot_be_is_malformed, 0, COUNT_OF(refusals));
    tcase_add_test(tests, unchecked_arrays_are_read_within_their_bytes);
    Suite *suite = suite_create("array");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
