/*
 * Values: what a metric, a property, a DataSet cell or a template parameter holds.
 *
 * A value is a tagged union of 24 bytes, made by small constructors and passed by value. It borrows what it points to
 * (text, bytes, arrays, DataSets …): who takes a value and keeps it makes its own copy and says so.
 */
#ifndef SPB_VALUE_H
#define SPB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <spb/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Text that need not end in NUL. data == NULL: absent. Borrowed. */
typedef struct spb_str {
    const char *data;
    size_t len;
} spb_str;

/* Bytes. Borrowed. */
typedef struct spb_bytes {
    const uint8_t *data;
    size_t len;
} spb_bytes;

/* A view on a C string; NULL gives the absent string. */
SPB_API spb_str spb_str_from(const char *text);
/* Same length and same bytes. Two absent strings are equal; an absent and an empty one are not. */
SPB_API bool spb_str_equal(spb_str a, spb_str b);

/* The datatypes of Sparkplug 3.0, with their numbers on the wire (tck-id-payloads-metric-datatype-value). */
typedef enum spb_type {
    SPB_UNKNOWN = 0, /* no datatype known: see spb_wire */
    SPB_INT8 = 1,
    SPB_INT16 = 2,
    SPB_INT32 = 3,
    SPB_INT64 = 4,
    SPB_UINT8 = 5,
    SPB_UINT16 = 6,
    SPB_UINT32 = 7,
    SPB_UINT64 = 8,
    SPB_FLOAT = 9,
    SPB_DOUBLE = 10,
    SPB_BOOLEAN = 11,
    SPB_STRING = 12,
    SPB_DATETIME = 13, /* milliseconds since 1970-01-01 UTC */
    SPB_TEXT = 14,
    SPB_UUID = 15, /* as text */
    SPB_DATASET = 16,
    SPB_BYTES = 17,
    SPB_FILE = 18, /* bytes; name and type stand in the metric's metadata */
    SPB_TEMPLATE = 19,
    SPB_PROPERTY_SET = 20,      /* only as a property */
    SPB_PROPERTY_SET_LIST = 21, /* only as a property */
    SPB_INT8_ARRAY = 22,
    SPB_INT16_ARRAY = 23,
    SPB_INT32_ARRAY = 24,
    SPB_INT64_ARRAY = 25,
    SPB_UINT8_ARRAY = 26,
    SPB_UINT16_ARRAY = 27,
    SPB_UINT32_ARRAY = 28,
    SPB_UINT64_ARRAY = 29,
    SPB_FLOAT_ARRAY = 30,
    SPB_DOUBLE_ARRAY = 31,
    SPB_BOOLEAN_ARRAY = 32,
    SPB_STRING_ARRAY = 33,
    SPB_DATETIME_ARRAY = 34
} spb_type;

/* The name of a datatype as the specification writes it ("UInt32", "BooleanArray"); "Unknown" for any other number. */
SPB_API const char *spb_type_name(spb_type type);
/* The datatype of that name, compared exactly; SPB_UNKNOWN if there is none. */
SPB_API spb_type spb_type_from_name(spb_str name);
SPB_API bool spb_type_is_array(spb_type type);

/*
 * Which field of the message carried a decoded value. Data messages usually carry no datatype; such a value has type
 * SPB_UNKNOWN and holds what the wire tells, until spb_value_resolve gives it the datatype of the birth.
 */
typedef enum spb_wire {
    SPB_WIRE_NONE = 0,  /* made by a constructor, or declared null */
    SPB_WIRE_INT,       /* int_value: as.u64 while the type is unknown */
    SPB_WIRE_LONG,      /* long_value: as.u64 while the type is unknown */
    SPB_WIRE_FLOAT,     /* float_value: as.f32 */
    SPB_WIRE_DOUBLE,    /* double_value: as.f64 */
    SPB_WIRE_BOOLEAN,   /* boolean_value: as.boolean */
    SPB_WIRE_STRING,    /* string_value: as.str */
    SPB_WIRE_BYTES,     /* bytes_value: as.bytes */
    SPB_WIRE_DATASET,   /* dataset_value: as.dataset */
    SPB_WIRE_TEMPLATE,  /* template_value: as.tmpl */
    SPB_WIRE_SET,       /* propertyset_value: as.set */
    SPB_WIRE_SET_LIST,  /* propertysets_value: as.sets */
    SPB_WIRE_EXTENSION, /* extension_value: a vendor's own; as.bytes holds the undecoded message */
    SPB_WIRE_ABSENT /* no value field, although it was not declared null: the value is null, and not to be trusted */
} spb_wire;

typedef struct spb_dataset spb_dataset;             /* payload.h */
typedef struct spb_template spb_template;           /* payload.h */
typedef struct spb_property_set spb_property_set;   /* payload.h */
typedef struct spb_property_sets spb_property_sets; /* payload.h */

/* Elements of an array in the machine's own form. */
typedef struct spb_array {
    const void *items; /* int8_t … double, bool, or spb_str, as the datatype says */
    size_t count;
} spb_array;

typedef struct spb_value {
    spb_type type;
    bool is_null;   /* no value: `as` means nothing */
    bool is_packed; /* array types: as.bytes holds the packed form of the wire, instead of as.array */
    uint8_t wire;   /* an spb_wire; set by decoding only */
    union {
        int64_t i64;     /* Int8, Int16, Int32, Int64 */
        uint64_t u64;    /* UInt8, UInt16, UInt32, UInt64, DateTime (ms) */
        float f32;       /* Float */
        double f64;      /* Double */
        bool boolean;    /* Boolean */
        spb_str str;     /* String, Text, UUID */
        spb_bytes bytes; /* Bytes, File, and arrays that came from the wire */
        spb_array array; /* arrays made by a constructor */
        const spb_dataset *dataset;
        const spb_template *tmpl;
        const spb_property_set *set;
        const spb_property_sets *sets;
    } as;
} spb_value;

/* Constructors. Pointers are borrowed. */
SPB_API spb_value spb_null(spb_type type);
SPB_API spb_value spb_int8(int8_t value);
SPB_API spb_value spb_int16(int16_t value);
SPB_API spb_value spb_int32(int32_t value);
SPB_API spb_value spb_int64(int64_t value);
SPB_API spb_value spb_uint8(uint8_t value);
SPB_API spb_value spb_uint16(uint16_t value);
SPB_API spb_value spb_uint32(uint32_t value);
SPB_API spb_value spb_uint64(uint64_t value);
SPB_API spb_value spb_float(float value);
SPB_API spb_value spb_double(double value);
SPB_API spb_value spb_boolean(bool value);
SPB_API spb_value spb_datetime(uint64_t unix_ms);
/* C strings; NULL gives a null value. */
SPB_API spb_value spb_string(const char *text);
SPB_API spb_value spb_text(const char *text);
SPB_API spb_value spb_uuid(const char *text);
/* Strings by length. `type` is SPB_STRING, SPB_TEXT or SPB_UUID. */
SPB_API spb_value spb_string_view(spb_type type, spb_str text);
SPB_API spb_value spb_bytes_value(const void *data, size_t len);
SPB_API spb_value spb_file(const void *data, size_t len);
SPB_API spb_value spb_int8_array(const int8_t *items, size_t count);
SPB_API spb_value spb_int16_array(const int16_t *items, size_t count);
SPB_API spb_value spb_int32_array(const int32_t *items, size_t count);
SPB_API spb_value spb_int64_array(const int64_t *items, size_t count);
SPB_API spb_value spb_uint8_array(const uint8_t *items, size_t count);
SPB_API spb_value spb_uint16_array(const uint16_t *items, size_t count);
SPB_API spb_value spb_uint32_array(const uint32_t *items, size_t count);
SPB_API spb_value spb_uint64_array(const uint64_t *items, size_t count);
SPB_API spb_value spb_float_array(const float *items, size_t count);
SPB_API spb_value spb_double_array(const double *items, size_t count);
SPB_API spb_value spb_boolean_array(const bool *items, size_t count);
SPB_API spb_value spb_string_array(const spb_str *items, size_t count);
SPB_API spb_value spb_datetime_array(const uint64_t *unix_ms, size_t count);
SPB_API spb_value spb_dataset_value(const spb_dataset *dataset);
SPB_API spb_value spb_template_value(const spb_template *tmpl);
SPB_API spb_value spb_property_set_value(const spb_property_set *set);
SPB_API spb_value spb_property_sets_value(const spb_property_sets *sets);

/* How many elements an array value has, packed or not; 0 for null values and other types. O(1), but O(bytes) for a
 * packed StringArray. */
SPB_API size_t spb_array_count(const spb_value *value);
/* Element `index` as a scalar value of the element's datatype, borrowed from the array; null if there is no such
 * element. O(1), but O(bytes) for a packed StringArray: walk those with spb_array_next. */
SPB_API spb_value spb_array_at(const spb_value *value, size_t index);
/* Walks all elements: start with *cursor = 0; false after the last one. */
SPB_API bool spb_array_next(const spb_value *value, size_t *cursor, spb_value *element);

/*
 * Gives a decoded value of unknown type the datatype of its birth; a value that already has a datatype is checked
 * against it. Accepts every form that tests/data/vectors documents: truncated or sign-extended small integers, UInt32
 * in either integer field.
 * SPB_ERR_TYPE: that field cannot carry that datatype. SPB_ERR_RANGE: the number does not fit.
 * SPB_ERR_MALFORMED: packed array with a wrong length. On failure *value is unchanged.
 */
SPB_API spb_status spb_value_resolve(spb_value *value, spb_type type, spb_error *err);

/* Same datatype and same content. NaN equals NaN; packed and unpacked arrays compare by their elements. */
SPB_API bool spb_value_equal(const spb_value *a, const spb_value *b);

/*
 * A deep copy in one heap block. The caller owns it and releases it with spb_value_clear; scalars need no block.
 * SPB_ERR_NO_MEMORY; SPB_ERR_LIMIT: nested deeper than max_depth may be. On failure *out is an untyped null.
 */
SPB_API spb_status spb_value_copy(spb_value *out, const spb_value *value, spb_error *err);
/* Releases a value made by spb_value_copy, and only such a one, and leaves it null. */
SPB_API void spb_value_clear(spb_value *value);

#ifdef __cplusplus
}
#endif

#endif
