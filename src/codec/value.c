/*
 * Decides how values are made and what their datatypes are called. Elements of arrays are left to array.c, datatypes of
 * decoded values to value_resolve.c, comparing and copying to value_equal.c and value_copy.c.
 */
#include "codec/value.h"

#include "codec/schema.h"

bool spb_type__is_known(spb_type type) {
    return type >= SPB_INT8 && type <= SPB_DATETIME_ARRAY;
}

const char *spb_type_name(spb_type type) {
    return spb_schema__type_names[spb_type__is_known(type) ? type : SPB_UNKNOWN];
}

spb_type spb_type_from_name(spb_str name) {
    for (int type = SPB_INT8; type <= SPB_DATETIME_ARRAY; type++) {
        if (spb_str_equal(name, spb_str_from(spb_schema__type_names[type]))) {
            return (spb_type)type;
        }
    }
    return SPB_UNKNOWN;
}

bool spb_type_is_array(spb_type type) {
    return type >= SPB_INT8_ARRAY && type <= SPB_DATETIME_ARRAY;
}

spb_type spb_value__form(const spb_value *value) {
    if (value->is_null) {
        return SPB_UNKNOWN;
    }
    if (spb_type__is_known(value->type)) {
        return value->type;
    }
    switch ((spb_wire)value->wire) {
    case SPB_WIRE_ABSENT:
    case SPB_WIRE_NONE: return SPB_UNKNOWN;
    case SPB_WIRE_INT: return SPB_UINT32;
    case SPB_WIRE_LONG: return SPB_UINT64;
    case SPB_WIRE_FLOAT: return SPB_FLOAT;
    case SPB_WIRE_DOUBLE: return SPB_DOUBLE;
    case SPB_WIRE_BOOLEAN: return SPB_BOOLEAN;
    case SPB_WIRE_STRING: return SPB_STRING;
    case SPB_WIRE_BYTES: return SPB_BYTES;
    case SPB_WIRE_DATASET: return SPB_DATASET;
    case SPB_WIRE_TEMPLATE: return SPB_TEMPLATE;
    case SPB_WIRE_SET: return SPB_PROPERTY_SET;
    case SPB_WIRE_SET_LIST: return SPB_PROPERTY_SET_LIST;
    case SPB_WIRE_EXTENSION: return SPB_BYTES;
    }
    return SPB_UNKNOWN;
}

spb_value spb_null(spb_type type) {
    return (spb_value){.type = type, .is_null = true};
}

spb_value spb_int8(int8_t value) {
    return (spb_value){.type = SPB_INT8, .as.i64 = value};
}

spb_value spb_int16(int16_t value) {
    return (spb_value){.type = SPB_INT16, .as.i64 = value};
}

spb_value spb_int32(int32_t value) {
    return (spb_value){.type = SPB_INT32, .as.i64 = value};
}

spb_value spb_int64(int64_t value) {
    return (spb_value){.type = SPB_INT64, .as.i64 = value};
}

spb_value spb_uint8(uint8_t value) {
    return (spb_value){.type = SPB_UINT8, .as.u64 = value};
}

spb_value spb_uint16(uint16_t value) {
    return (spb_value){.type = SPB_UINT16, .as.u64 = value};
}

spb_value spb_uint32(uint32_t value) {
    return (spb_value){.type = SPB_UINT32, .as.u64 = value};
}

spb_value spb_uint64(uint64_t value) {
    return (spb_value){.type = SPB_UINT64, .as.u64 = value};
}

spb_value spb_float(float value) {
    return (spb_value){.type = SPB_FLOAT, .as.f32 = value};
}

spb_value spb_double(double value) {
    return (spb_value){.type = SPB_DOUBLE, .as.f64 = value};
}

spb_value spb_boolean(bool value) {
    return (spb_value){.type = SPB_BOOLEAN, .as.boolean = value};
}

spb_value spb_datetime(uint64_t unix_ms) {
    return (spb_value){.type = SPB_DATETIME, .as.u64 = unix_ms};
}

spb_value spb_string_view(spb_type type, spb_str text) {
    return text.data ? (spb_value){.type = type, .as.str = text} : spb_null(type);
}

spb_value spb_string(const char *text) {
    return spb_string_view(SPB_STRING, spb_str_from(text));
}

spb_value spb_text(const char *text) {
    return spb_string_view(SPB_TEXT, spb_str_from(text));
}

spb_value spb_uuid(const char *text) {
    return spb_string_view(SPB_UUID, spb_str_from(text));
}

spb_value spb_bytes_value(const void *data, size_t len) {
    return (spb_value){.type = SPB_BYTES, .as.bytes = {data, len}};
}

spb_value spb_file(const void *data, size_t len) {
    return (spb_value){.type = SPB_FILE, .as.bytes = {data, len}};
}

spb_value spb_dataset_value(const spb_dataset *dataset) {
    return (spb_value){.type = SPB_DATASET, .is_null = !dataset, .as.dataset = dataset};
}

spb_value spb_template_value(const spb_template *tmpl) {
    return (spb_value){.type = SPB_TEMPLATE, .is_null = !tmpl, .as.tmpl = tmpl};
}

spb_value spb_property_set_value(const spb_property_set *set) {
    return (spb_value){.type = SPB_PROPERTY_SET, .is_null = !set, .as.set = set};
}

spb_value spb_property_sets_value(const spb_property_sets *sets) {
    return (spb_value){.type = SPB_PROPERTY_SET_LIST, .is_null = !sets, .as.sets = sets};
}
