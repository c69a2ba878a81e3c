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

unsigned spb_type__bits(spb_type type) {
    return type >= SPB_INT8 && type <= SPB_UINT64 ? 8u << (type - SPB_INT8) % 4 : 0;
}

spb_wire spb_type__wire(spb_type type) {
    static const uint8_t wires[] = {[SPB_INT8] = SPB_WIRE_INT,         [SPB_INT16] = SPB_WIRE_INT,
                                    [SPB_INT32] = SPB_WIRE_INT,        [SPB_INT64] = SPB_WIRE_LONG,
                                    [SPB_UINT8] = SPB_WIRE_INT,        [SPB_UINT16] = SPB_WIRE_INT,
                                    [SPB_UINT32] = SPB_WIRE_LONG, /* the official test kit demands it */
                                    [SPB_UINT64] = SPB_WIRE_LONG,      [SPB_FLOAT] = SPB_WIRE_FLOAT,
                                    [SPB_DOUBLE] = SPB_WIRE_DOUBLE,    [SPB_BOOLEAN] = SPB_WIRE_BOOLEAN,
                                    [SPB_STRING] = SPB_WIRE_STRING,    [SPB_DATETIME] = SPB_WIRE_LONG,
                                    [SPB_TEXT] = SPB_WIRE_STRING,      [SPB_UUID] = SPB_WIRE_STRING,
                                    [SPB_DATASET] = SPB_WIRE_DATASET,  [SPB_BYTES] = SPB_WIRE_BYTES,
                                    [SPB_FILE] = SPB_WIRE_BYTES,       [SPB_TEMPLATE] = SPB_WIRE_TEMPLATE,
                                    [SPB_PROPERTY_SET] = SPB_WIRE_SET, [SPB_PROPERTY_SET_LIST] = SPB_WIRE_SET_LIST};
    return spb_type_is_array(type) ? SPB_WIRE_BYTES : spb_type__is_known(type) ? (spb_wire)wires[type] : SPB_WIRE_NONE;
}

spb_type spb_value__form(const spb_value *value) {
    static const uint8_t forms[] = {[SPB_WIRE_INT] = SPB_UINT32,
                                    [SPB_WIRE_LONG] = SPB_UINT64,
                                    [SPB_WIRE_FLOAT] = SPB_FLOAT,
                                    [SPB_WIRE_DOUBLE] = SPB_DOUBLE,
                                    [SPB_WIRE_BOOLEAN] = SPB_BOOLEAN,
                                    [SPB_WIRE_STRING] = SPB_STRING,
                                    [SPB_WIRE_BYTES] = SPB_BYTES,
                                    [SPB_WIRE_DATASET] = SPB_DATASET,
                                    [SPB_WIRE_TEMPLATE] = SPB_TEMPLATE,
                                    [SPB_WIRE_SET] = SPB_PROPERTY_SET,
                                    [SPB_WIRE_SET_LIST] = SPB_PROPERTY_SET_LIST,
                                    [SPB_WIRE_EXTENSION] = SPB_BYTES};
    if (value->is_null || spb_type__is_known(value->type)) {
        return value->is_null ? SPB_UNKNOWN : value->type;
    }
    return value->wire < sizeof forms ? (spb_type)forms[value->wire] : SPB_UNKNOWN;
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
