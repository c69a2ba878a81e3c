/*
 * Decides how the elements of arrays are reached, in the machine's own form and in the packed form of the wire
 * (little-endian; bits from the highest one; strings that end in NUL). Packing them is left to the encoder.
 */
#include "codec/value.h"

#include <string.h>

#include "base/error.h"
#include "codec/wire.h"

/* The packed BooleanArray begins with its count, as 32 bits. */
#define COUNT_BYTES 4

/* The datatypes of arrays have the order of those of their elements. */
static spb_type element_type(spb_type array) {
    return (spb_type)(array - SPB_INT8_ARRAY + SPB_INT8);
}

/* Bytes of one packed element; 0 where elements have no bytes of their own (BooleanArray, StringArray). */
static size_t element_size(spb_type array) {
    const spb_type type = element_type(array);
    const spb_wire wire = spb_type__wire(type);
    return wire == SPB_WIRE_FLOAT ? 4 : wire == SPB_WIRE_DOUBLE || type == SPB_DATETIME ? 8 : spb_type__bits(type) / 8;
}

/* Elements have 1, 2, 4 or 8 bytes, at any address. */
static uint64_t load_little_endian(const uint8_t *bytes, size_t size) {
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number |= (uint64_t)bytes[i] << (8 * i);
    }
    return number;
}

/* Never more than there are bits, so that it may be trusted also where nobody checked the array. */
static size_t packed_boolean_count(spb_bytes packed) {
    if (packed.len < COUNT_BYTES) {
        return 0;
    }
    uint64_t count = load_little_endian(packed.data, COUNT_BYTES);
    uint64_t bits = (uint64_t)(packed.len - COUNT_BYTES) * 8;
    return (size_t)(count < bits ? count : bits);
}

static size_t packed_string_count(spb_bytes packed) {
    size_t count = 0;
    for (size_t i = 0; i < packed.len; i++) {
        count += packed.data[i] == 0;
    }
    return count;
}

size_t spb_array__item_size(spb_type type) {
    switch (type) {
    case SPB_BOOLEAN_ARRAY: return sizeof(bool);
    case SPB_STRING_ARRAY: return sizeof(spb_str);
    default: return element_size(type);
    }
}

spb_status spb_array__check_packed(spb_type type, spb_bytes packed, spb_error *err) {
    const char *name = spb_type_name(type);
    if (type == SPB_STRING_ARRAY) {
        if (packed.len > 0 && packed.data[packed.len - 1] != 0) {
            return spb_error__set(err, SPB_ERR_MALFORMED, "the last string of the StringArray does not end in NUL");
        }
        return SPB_OK;
    }
    if (type == SPB_BOOLEAN_ARRAY) {
        if (packed.len < COUNT_BYTES) {
            return spb_error__set(err, SPB_ERR_MALFORMED, "BooleanArray of %zu bytes, too short for its count",
                                  packed.len);
        }
        uint64_t count = load_little_endian(packed.data, COUNT_BYTES);
        uint64_t wanted = COUNT_BYTES + (count + 7) / 8;
        if (packed.len != wanted) {
            return spb_error__set(err, SPB_ERR_MALFORMED, "BooleanArray of %zu bytes, but its count of %llu needs %llu",
                                  packed.len, (unsigned long long)count, (unsigned long long)wanted);
        }
        return SPB_OK;
    }
    if (packed.len % element_size(type) != 0) {
        return spb_error__set(err, SPB_ERR_MALFORMED, "%s of %zu bytes, not a multiple of %zu", name, packed.len,
                              element_size(type));
    }
    return SPB_OK;
}

size_t spb_array_count(const spb_value *value) {
    if (value->is_null || !spb_type_is_array(value->type)) {
        return 0;
    }
    if (!value->is_packed) {
        return value->as.array.count;
    }
    switch (value->type) {
    case SPB_BOOLEAN_ARRAY: return packed_boolean_count(value->as.bytes);
    case SPB_STRING_ARRAY: return packed_string_count(value->as.bytes);
    default: return value->as.bytes.len / element_size(value->type);
    }
}

static spb_value native_element(spb_type array, const void *items, size_t index) {
    switch (array) {
    case SPB_INT8_ARRAY: return spb_int8(((const int8_t *)items)[index]);
    case SPB_INT16_ARRAY: return spb_int16(((const int16_t *)items)[index]);
    case SPB_INT32_ARRAY: return spb_int32(((const int32_t *)items)[index]);
    case SPB_INT64_ARRAY: return spb_int64(((const int64_t *)items)[index]);
    case SPB_UINT8_ARRAY: return spb_uint8(((const uint8_t *)items)[index]);
    case SPB_UINT16_ARRAY: return spb_uint16(((const uint16_t *)items)[index]);
    case SPB_UINT32_ARRAY: return spb_uint32(((const uint32_t *)items)[index]);
    case SPB_UINT64_ARRAY: return spb_uint64(((const uint64_t *)items)[index]);
    case SPB_FLOAT_ARRAY: return spb_float(((const float *)items)[index]);
    case SPB_DOUBLE_ARRAY: return spb_double(((const double *)items)[index]);
    case SPB_BOOLEAN_ARRAY: return spb_boolean(((const bool *)items)[index]);
    case SPB_STRING_ARRAY: return spb_string_view(SPB_STRING, ((const spb_str *)items)[index]);
    case SPB_DATETIME_ARRAY: return spb_datetime(((const uint64_t *)items)[index]);
    default: return spb_null(SPB_UNKNOWN);
    }
}

/* Two's complement of that many bytes. */
static int64_t sign_extend(uint64_t number, size_t size) {
    uint64_t sign = UINT64_C(1) << (8 * size - 1);
    return (int64_t)((number ^ sign) - sign);
}

static spb_value packed_element(spb_type array, const uint8_t *bytes) {
    size_t size = element_size(array);
    uint64_t number = load_little_endian(bytes, size);
    spb_value element = {.type = element_type(array)};
    switch (array) {
    case SPB_INT8_ARRAY:
    case SPB_INT16_ARRAY:
    case SPB_INT32_ARRAY:
    case SPB_INT64_ARRAY: element.as.i64 = sign_extend(number, size); break;
    case SPB_FLOAT_ARRAY: element.as.f32 = float_from_bits(number); break;
    case SPB_DOUBLE_ARRAY: element.as.f64 = double_from_bits(number); break;
    default: element.as.u64 = number; break;
    }
    return element;
}

/* The string that begins at *offset, which moves behind its NUL; null when there is none. */
static spb_value next_packed_string(spb_bytes packed, size_t *offset) {
    if (*offset >= packed.len) {
        return spb_null(SPB_STRING);
    }
    const uint8_t *begin = packed.data + *offset;
    const uint8_t *end = memchr(begin, 0, packed.len - *offset);
    if (!end) {
        return spb_null(SPB_STRING);
    }
    *offset = (size_t)(end - packed.data) + 1;
    return spb_string_view(SPB_STRING, (spb_str){(const char *)begin, (size_t)(end - begin)});
}

spb_value spb_array_at(const spb_value *value, size_t index) {
    if (!spb_type_is_array(value->type)) {
        return spb_null(SPB_UNKNOWN);
    }
    if (index >= spb_array_count(value)) {
        return spb_null(element_type(value->type));
    }
    if (!value->is_packed) {
        return native_element(value->type, value->as.array.items, index);
    }
    spb_bytes packed = value->as.bytes;
    if (value->type == SPB_STRING_ARRAY) {
        size_t offset = 0;
        for (size_t i = 0; i < index; i++) {
            next_packed_string(packed, &offset);
        }
        return next_packed_string(packed, &offset);
    }
    if (value->type == SPB_BOOLEAN_ARRAY) {
        return spb_boolean((packed.data[COUNT_BYTES + index / 8] >> (7 - index % 8) & 1) != 0);
    }
    return packed_element(value->type, packed.data + index * element_size(value->type));
}

/* The cursor is an index, and in a packed StringArray a byte offset. */
bool spb_array_next(const spb_value *value, size_t *cursor, spb_value *element) {
    if (value->type == SPB_STRING_ARRAY && value->is_packed && !value->is_null) {
        *element = next_packed_string(value->as.bytes, cursor);
        return !element->is_null;
    }
    if (*cursor >= spb_array_count(value)) {
        return false;
    }
    *element = spb_array_at(value, (*cursor)++);
    return true;
}

static spb_value make(spb_type type, const void *items, size_t count) {
    return (spb_value){.type = type, .as.array = {items, count}};
}

spb_value spb_int8_array(const int8_t *items, size_t count) {
    return make(SPB_INT8_ARRAY, items, count);
}

spb_value spb_int16_array(const int16_t *items, size_t count) {
    return make(SPB_INT16_ARRAY, items, count);
}

spb_value spb_int32_array(const int32_t *items, size_t count) {
    return make(SPB_INT32_ARRAY, items, count);
}

spb_value spb_int64_array(const int64_t *items, size_t count) {
    return make(SPB_INT64_ARRAY, items, count);
}

spb_value spb_uint8_array(const uint8_t *items, size_t count) {
    return make(SPB_UINT8_ARRAY, items, count);
}

spb_value spb_uint16_array(const uint16_t *items, size_t count) {
    return make(SPB_UINT16_ARRAY, items, count);
}

spb_value spb_uint32_array(const uint32_t *items, size_t count) {
    return make(SPB_UINT32_ARRAY, items, count);
}

spb_value spb_uint64_array(const uint64_t *items, size_t count) {
    return make(SPB_UINT64_ARRAY, items, count);
}

spb_value spb_float_array(const float *items, size_t count) {
    return make(SPB_FLOAT_ARRAY, items, count);
}

spb_value spb_double_array(const double *items, size_t count) {
    return make(SPB_DOUBLE_ARRAY, items, count);
}

spb_value spb_boolean_array(const bool *items, size_t count) {
    return make(SPB_BOOLEAN_ARRAY, items, count);
}

spb_value spb_string_array(const spb_str *items, size_t count) {
    return make(SPB_STRING_ARRAY, items, count);
}

spb_value spb_datetime_array(const uint64_t *unix_ms, size_t count) {
    return make(SPB_DATETIME_ARRAY, unix_ms, count);
}
