/* Which field of the wire may carry which datatype, and what small integers mean. */
#include <check.h>
#include <stdlib.h>

#include <spb/payload.h>

#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

static spb_value number(spb_wire wire, uint64_t bits) {
    return (spb_value){.wire = (uint8_t)wire, .as.u64 = bits};
}

/* ---- integers: field × bits → value ---- */

typedef struct integer {
    spb_type type;
    spb_wire wire;
    uint64_t bits;
    int64_t value; /* of unsigned datatypes the same bits */
} integer;

static const integer integers[] = {
    /* sent as it should be: the sign extended to 32 bits */
    {SPB_INT8, SPB_WIRE_INT, 0, 0},
    {SPB_INT8, SPB_WIRE_INT, 127, 127},
    {SPB_INT8, SPB_WIRE_INT, 0xffffffff, -1},
    {SPB_INT8, SPB_WIRE_INT, 0xffffff80, -128},
    {SPB_INT16, SPB_WIRE_INT, 32767, 32767},
    {SPB_INT16, SPB_WIRE_INT, 0xffff8000, -32768},
    {SPB_INT32, SPB_WIRE_INT, 0x7fffffff, INT32_MAX},
    {SPB_INT32, SPB_WIRE_INT, 0x80000000, INT32_MIN},
    {SPB_INT32, SPB_WIRE_INT, 0xfffe1dc0, -123456},
    /* cut to the bits of the datatype */
    {SPB_INT8, SPB_WIRE_INT, 0xff, -1},
    {SPB_INT8, SPB_WIRE_INT, 0x80, -128},
    {SPB_INT16, SPB_WIRE_INT, 0xffff, -1},
    {SPB_INT16, SPB_WIRE_INT, 0x8000, -32768},
    /* in the wide field, as itself */
    {SPB_INT8, SPB_WIRE_LONG, (uint64_t)-128, -128},
    {SPB_INT8, SPB_WIRE_LONG, 127, 127},
    {SPB_INT16, SPB_WIRE_LONG, (uint64_t)-32768, -32768},
    {SPB_INT16, SPB_WIRE_LONG, 32767, 32767},
    {SPB_INT32, SPB_WIRE_LONG, (uint64_t)INT32_MIN, INT32_MIN},
    {SPB_INT32, SPB_WIRE_LONG, INT32_MAX, INT32_MAX},
    {SPB_INT64, SPB_WIRE_LONG, (uint64_t)-5000000000, -5000000000},
    {SPB_INT64, SPB_WIRE_LONG, (uint64_t)INT64_MIN, INT64_MIN},
    {SPB_INT64, SPB_WIRE_LONG, INT64_MAX, INT64_MAX},
    /* unsigned, in either field */
    {SPB_UINT8, SPB_WIRE_INT, 255, 255},
    {SPB_UINT8, SPB_WIRE_LONG, 255, 255},
    {SPB_UINT16, SPB_WIRE_INT, 65535, 65535},
    {SPB_UINT16, SPB_WIRE_LONG, 65535, 65535},
    {SPB_UINT32, SPB_WIRE_INT, 4000000000, 4000000000},
    {SPB_UINT32, SPB_WIRE_LONG, 4000000000, 4000000000},
    {SPB_UINT32, SPB_WIRE_LONG, UINT32_MAX, UINT32_MAX},
    {SPB_UINT64, SPB_WIRE_LONG, UINT64_MAX, -1},
    {SPB_DATETIME, SPB_WIRE_LONG, 1656107875000, 1656107875000},
};

START_TEST(an_integer_means_this) {
    const integer *i = &integers[_i];
    spb_value value = number(i->wire, i->bits);
    spb_error err = {.text = ""};
    ck_assert_msg(spb_value_resolve(&value, i->type, &err) == SPB_OK, "%s", err.text);
    ck_assert_int_eq(value.type, i->type);
    ck_assert_int_eq(value.as.i64, i->value);
    ck_assert_int_eq(value.wire, i->wire);
}
END_TEST

typedef struct misfit {
    spb_type type;
    spb_wire wire;
    uint64_t bits;
    const char *reason;
} misfit;

static const misfit misfits[] = {
    /* neither the extended nor the cut form */
    {SPB_INT8, SPB_WIRE_INT, 0x100, "int_value 256 does not fit Int8"},
    {SPB_INT8, SPB_WIRE_INT, 0xffffff7f, "int_value 4294967167 does not fit Int8"},
    {SPB_INT8, SPB_WIRE_INT, 0xffff, "int_value 65535 does not fit Int8"},
    {SPB_INT16, SPB_WIRE_INT, 0x10000, "int_value 65536 does not fit Int16"},
    {SPB_INT16, SPB_WIRE_INT, 0xffff7fff, "int_value 4294934527 does not fit Int16"},
    {SPB_INT32, SPB_WIRE_INT, 0x100000000, "int_value 4294967296 does not fit Int32"},
    {SPB_INT8, SPB_WIRE_LONG, 128, "long_value 128 does not fit Int8"},
    {SPB_INT8, SPB_WIRE_LONG, (uint64_t)-129, "long_value -129 does not fit Int8"},
    {SPB_INT16, SPB_WIRE_LONG, 32768, "long_value 32768 does not fit Int16"},
    {SPB_INT16, SPB_WIRE_LONG, (uint64_t)-32769, "long_value -32769 does not fit Int16"},
    {SPB_INT32, SPB_WIRE_LONG, 0x80000000, "long_value 2147483648 does not fit Int32"},
    {SPB_INT32, SPB_WIRE_LONG, (uint64_t)-2147483649, "long_value -2147483649 does not fit Int32"},
    {SPB_INT32, SPB_WIRE_LONG, (uint64_t)INT64_MIN, "long_value -9223372036854775808 does not fit Int32"},
    {SPB_UINT8, SPB_WIRE_INT, 256, "int_value 256 does not fit UInt8"},
    {SPB_UINT8, SPB_WIRE_LONG, 256, "long_value 256 does not fit UInt8"},
    {SPB_UINT16, SPB_WIRE_INT, 65536, "int_value 65536 does not fit UInt16"},
    {SPB_UINT16, SPB_WIRE_LONG, 65536, "long_value 65536 does not fit UInt16"},
    {SPB_UINT32, SPB_WIRE_LONG, 0x100000000, "long_value 4294967296 does not fit UInt32"},
};

START_TEST(an_integer_that_does_not_fit_is_out_of_range) {
    const misfit *m = &misfits[_i];
    spb_value value = number(m->wire, m->bits);
    spb_error err;
    ck_assert_int_eq(spb_value_resolve(&value, m->type, &err), SPB_ERR_RANGE);
    ck_assert_str_eq(err.text, m->reason);
    ck_assert_int_eq(value.type, SPB_UNKNOWN); /* unchanged */
    ck_assert_uint_eq(value.as.u64, m->bits);
}
END_TEST

/* ---- which field carries which datatype ---- */

#define BIT(wire) (1u << (wire))
#define EITHER_INTEGER (BIT(SPB_WIRE_INT) | BIT(SPB_WIRE_LONG))

/* All 34; what is not listed is refused. */
static const unsigned carriers[] = {
    [SPB_INT8] = EITHER_INTEGER,
    [SPB_INT16] = EITHER_INTEGER,
    [SPB_INT32] = EITHER_INTEGER,
    [SPB_INT64] = BIT(SPB_WIRE_LONG),
    [SPB_UINT8] = EITHER_INTEGER,
    [SPB_UINT16] = EITHER_INTEGER,
    [SPB_UINT32] = EITHER_INTEGER,
    [SPB_UINT64] = BIT(SPB_WIRE_LONG),
    [SPB_FLOAT] = BIT(SPB_WIRE_FLOAT),
    [SPB_DOUBLE] = BIT(SPB_WIRE_DOUBLE),
    [SPB_BOOLEAN] = BIT(SPB_WIRE_BOOLEAN),
    [SPB_STRING] = BIT(SPB_WIRE_STRING),
    [SPB_DATETIME] = BIT(SPB_WIRE_LONG),
    [SPB_TEXT] = BIT(SPB_WIRE_STRING),
    [SPB_UUID] = BIT(SPB_WIRE_STRING),
    [SPB_DATASET] = BIT(SPB_WIRE_DATASET),
    [SPB_BYTES] = BIT(SPB_WIRE_BYTES),
    [SPB_FILE] = BIT(SPB_WIRE_BYTES),
    [SPB_TEMPLATE] = BIT(SPB_WIRE_TEMPLATE),
    [SPB_PROPERTY_SET] = BIT(SPB_WIRE_SET),
    [SPB_PROPERTY_SET_LIST] = BIT(SPB_WIRE_SET_LIST),
    [SPB_INT8_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_INT16_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_INT32_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_INT64_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_UINT8_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_UINT16_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_UINT32_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_UINT64_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_FLOAT_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_DOUBLE_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_BOOLEAN_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_STRING_ARRAY] = BIT(SPB_WIRE_BYTES),
    [SPB_DATETIME_ARRAY] = BIT(SPB_WIRE_BYTES),
};

/* Content that suits every datatype of its field. */
static spb_value content_of(spb_wire wire) {
    static const uint8_t bytes[8] = {32};
    static const spb_dataset dataset;
    static const spb_template tmpl;
    static const spb_property_set set;
    static const spb_property_sets sets;
    spb_value value = number(wire, 1);
    switch (wire) {
    case SPB_WIRE_FLOAT: value.as.f32 = 1; break;
    case SPB_WIRE_DOUBLE: value.as.f64 = 1; break;
    case SPB_WIRE_BOOLEAN: value.as.boolean = true; break;
    case SPB_WIRE_STRING: value.as.str = spb_str_from("text"); break;
    case SPB_WIRE_BYTES:
    case SPB_WIRE_EXTENSION: value.as.bytes = (spb_bytes){bytes, sizeof bytes}; break;
    case SPB_WIRE_DATASET: value.as.dataset = &dataset; break;
    case SPB_WIRE_TEMPLATE: value.as.tmpl = &tmpl; break;
    case SPB_WIRE_SET: value.as.set = &set; break;
    case SPB_WIRE_SET_LIST: value.as.sets = &sets; break;
    default: break;
    }
    return value;
}

START_TEST(a_datatype_comes_only_from_its_fields) {
    spb_type type = (spb_type)_i;
    for (int wire = SPB_WIRE_NONE; wire <= SPB_WIRE_EXTENSION; wire++) {
        bool fits = carriers[type] & BIT(wire);
        spb_value before = content_of((spb_wire)wire);
        spb_value value = before;
        spb_error err = {.text = ""};
        ck_assert_int_eq(spb_value_resolve(&value, type, &err), fits ? SPB_OK : SPB_ERR_TYPE);
        ck_assert_int_eq(value.type, fits ? type : SPB_UNKNOWN);
        ck_assert(value.is_packed == (fits && spb_type_is_array(type)));
        value.type = SPB_UNKNOWN;
        value.is_packed = false;
        ck_assert(spb_value_equal(&value, &before)); /* the content is what it was */
    }
}
END_TEST

START_TEST(the_wrong_field_is_named) {
    spb_value value = content_of(SPB_WIRE_FLOAT);
    spb_error err;
    ck_assert_int_eq(spb_value_resolve(&value, SPB_INT32, &err), SPB_ERR_TYPE);
    ck_assert_str_eq(err.text, "float_value cannot carry Int32");
    value = content_of(SPB_WIRE_INT);
    ck_assert_int_eq(spb_value_resolve(&value, SPB_BOOLEAN, &err), SPB_ERR_TYPE);
    ck_assert_str_eq(err.text, "int_value cannot carry Boolean");
    value = content_of(SPB_WIRE_NONE);
    ck_assert_int_eq(spb_value_resolve(&value, SPB_BOOLEAN, &err), SPB_ERR_TYPE);
    ck_assert_str_eq(err.text, "no value where Boolean is wanted");
}
END_TEST

START_TEST(an_array_of_wrong_length_is_malformed) {
    spb_value value = {.wire = SPB_WIRE_BYTES, .as.bytes = {(const uint8_t *)"\1\2\3", 3}};
    spb_error err;
    ck_assert_int_eq(spb_value_resolve(&value, SPB_INT16_ARRAY, &err), SPB_ERR_MALFORMED);
    ck_assert_str_eq(err.text, "Int16Array of 3 bytes, not a multiple of 2");
    ck_assert_int_eq(value.type, SPB_UNKNOWN);
    ck_assert(!value.is_packed);
    ck_assert_int_eq(spb_value_resolve(&value, SPB_INT8_ARRAY, &err), SPB_OK);
    ck_assert_uint_eq(spb_array_count(&value), 3);
}
END_TEST

/* ---- null, and values that have a datatype ---- */

START_TEST(null_takes_any_datatype) {
    spb_value value = spb_null(SPB_UNKNOWN);
    ck_assert_int_eq(spb_value_resolve(&value, (spb_type)_i, NULL), SPB_OK);
    ck_assert_int_eq(value.type, _i);
    ck_assert(value.is_null);
}
END_TEST

START_TEST(a_datatype_is_kept_and_compared) {
    spb_value value = spb_int32(-7);
    spb_error err;
    ck_assert_int_eq(spb_value_resolve(&value, SPB_INT32, &err), SPB_OK);
    ck_assert_int_eq(value.as.i64, -7);
    ck_assert_int_eq(spb_value_resolve(&value, SPB_INT64, &err), SPB_ERR_TYPE);
    ck_assert_str_eq(err.text, "Int32 where Int64 is wanted");
    ck_assert_int_eq(value.type, SPB_INT32);
    spb_value null = spb_null(SPB_STRING);
    ck_assert_int_eq(spb_value_resolve(&null, SPB_TEXT, NULL), SPB_ERR_TYPE);
}
END_TEST

START_TEST(resolving_twice_changes_nothing) {
    spb_value value = number(SPB_WIRE_INT, 0xff);
    ck_assert_int_eq(spb_value_resolve(&value, SPB_INT8, NULL), SPB_OK);
    ck_assert_int_eq(spb_value_resolve(&value, SPB_INT8, NULL), SPB_OK);
    ck_assert_int_eq(value.as.i64, -1);
}
END_TEST

START_TEST(there_are_34_datatypes) {
    spb_error err;
    const spb_type none[] = {SPB_UNKNOWN, (spb_type)35, (spb_type)1000};
    for (int i = 0; i < COUNT_OF(none); i++) {
        spb_value value = number(SPB_WIRE_INT, 1);
        ck_assert_int_eq(spb_value_resolve(&value, none[i], &err), SPB_ERR_TYPE);
        ck_assert_int_eq(value.type, SPB_UNKNOWN);
    }
    ck_assert_str_eq(err.text, "there is no datatype 1000");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("value_resolve");
    tcase_add_loop_test(tests, an_integer_means_this, 0, COUNT_OF(integers));
    tcase_add_loop_test(tests, an_integer_that_does_not_fit_is_out_of_range, 0, COUNT_OF(misfits));
    tcase_add_loop_test(tests, a_datatype_comes_only_from_its_fields, SPB_INT8, SPB_DATETIME_ARRAY + 1);
    tcase_add_test(tests, the_wrong_field_is_named);
    tcase_add_test(tests, an_array_of_wrong_length_is_malformed);
    tcase_add_loop_test(tests, null_takes_any_datatype, SPB_INT8, SPB_DATETIME_ARRAY + 1);
    tcase_add_test(tests, a_datatype_is_kept_and_compared);
    tcase_add_test(tests, resolving_twice_changes_nothing);
    tcase_add_test(tests, there_are_34_datatypes);
    Suite *suite = suite_create("value_resolve");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
