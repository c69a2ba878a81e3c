/*
 * Decides whether protobuf-c sees the same in a payload as we do: each field of its structs beside ours.
 */
#include "support/reference.h"

#include <stdlib.h>
#include <string.h>

#include "sparkplug_b.pb-c.h"

typedef Spb__Pb__Payload pb_payload;
typedef Spb__Pb__Payload__Metric pb_metric;
typedef Spb__Pb__Payload__MetaData pb_metadata;
typedef Spb__Pb__Payload__PropertySet pb_set;
typedef Spb__Pb__Payload__PropertyValue pb_property;
typedef Spb__Pb__Payload__DataSet pb_dataset;
typedef Spb__Pb__Payload__Template pb_template;
typedef Spb__Pb__Payload__Template__Parameter pb_parameter;

/* Ends the function with the text unless both are the same; only for use in this file. */
#define SAME(condition, what)                                                                                          \
    if (!(condition)) {                                                                                                \
        return what;                                                                                                   \
    }

static const char *compare_metrics(const spb_payload_metric *ours, size_t count, pb_metric *const *theirs);
static const char *compare_set(const spb_property_set *ours, const pb_set *theirs);

static bool same_text(spb_str ours, const char *theirs) {
    if (!ours.data || !theirs) {
        return !ours.data == !theirs;
    }
    size_t len = strlen(theirs);
    return len <= ours.len && memcmp(ours.data, theirs, len) == 0 && (len == ours.len || ours.data[len] == '\0');
}

static int64_t sign_extend(uint32_t number, unsigned bits) {
    uint64_t sign = UINT64_C(1) << (bits - 1);
    return (int64_t)(((number & (2 * sign - 1)) ^ sign) - sign);
}

static bool same_int(const spb_value *ours, uint32_t theirs) {
    switch (ours->type) {
    case SPB_INT8: return ours->as.i64 == sign_extend(theirs, 8);
    case SPB_INT16: return ours->as.i64 == sign_extend(theirs, 16);
    case SPB_INT32: return ours->as.i64 == sign_extend(theirs, 32);
    default: return ours->as.u64 == theirs;
    }
}

/* One of the six common fields; `theirs` is the union, whose members all begin at its address. */
static const char *compare_scalar(const spb_value *ours, const void *theirs) {
    switch ((spb_wire)ours->wire) {
    case SPB_WIRE_ABSENT:
    case SPB_WIRE_NONE: return NULL;
    case SPB_WIRE_INT: SAME(same_int(ours, *(const uint32_t *)theirs), "int_value"); return NULL;
    case SPB_WIRE_LONG: SAME(ours->as.u64 == *(const uint64_t *)theirs, "long_value"); return NULL;
    case SPB_WIRE_FLOAT: SAME(memcmp(&ours->as.f32, theirs, sizeof(float)) == 0, "float_value"); return NULL;
    case SPB_WIRE_DOUBLE: SAME(memcmp(&ours->as.f64, theirs, sizeof(double)) == 0, "double_value"); return NULL;
    case SPB_WIRE_BOOLEAN:
        SAME(ours->as.boolean == (*(const protobuf_c_boolean *)theirs != 0), "boolean_value");
        return NULL;
    case SPB_WIRE_STRING: SAME(same_text(ours->as.str, *(char *const *)theirs), "string_value"); return NULL;
    default: return "a value that is no scalar";
    }
}

static spb_wire wire_from_scalar(int value_case, int first) {
    return value_case == 0 ? SPB_WIRE_NONE : (spb_wire)(value_case - first + SPB_WIRE_INT);
}

/* Where protobuf-c has no value, ours says whether that was declared. */
static spb_wire wire_of(const spb_value *ours) {
    return ours->wire == SPB_WIRE_ABSENT ? SPB_WIRE_NONE : (spb_wire)ours->wire;
}

static bool is_declared_null(const spb_value *ours) {
    return ours->is_null && ours->wire != SPB_WIRE_ABSENT;
}

static bool is_type(const spb_value *ours, bool has_type, uint32_t type) {
    return ours->type == (has_type ? (spb_type)type : SPB_UNKNOWN);
}

static const char *compare_property(const spb_value *ours, const pb_property *theirs) {
    SAME(is_type(ours, theirs->has_type, theirs->type), "type of a property");
    SAME(is_declared_null(ours) == (theirs->has_is_null && theirs->is_null), "is_null of a property");
    switch ((int)theirs->value_case) {
    case SPB__PB__PAYLOAD__PROPERTY_VALUE__VALUE_PROPERTYSET_VALUE:
        SAME(ours->wire == SPB_WIRE_SET, "field of a property");
        return ours->is_null ? NULL : compare_set(ours->as.set, theirs->propertyset_value);
    case SPB__PB__PAYLOAD__PROPERTY_VALUE__VALUE_PROPERTYSETS_VALUE:
        SAME(ours->wire == SPB_WIRE_SET_LIST, "field of a property");
        if (ours->is_null) {
            return NULL;
        }
        SAME(ours->as.sets->count == theirs->propertysets_value->n_propertyset, "count of property sets");
        for (size_t i = 0; i < ours->as.sets->count; i++) {
            const char *difference = compare_set(&ours->as.sets->items[i], theirs->propertysets_value->propertyset[i]);
            SAME(!difference, difference);
        }
        return NULL;
    case SPB__PB__PAYLOAD__PROPERTY_VALUE__VALUE_EXTENSION_VALUE:
        SAME(ours->wire == SPB_WIRE_EXTENSION, "field of a property");
        return NULL;
    default:
        SAME(wire_of(ours) ==
                 wire_from_scalar((int)theirs->value_case, SPB__PB__PAYLOAD__PROPERTY_VALUE__VALUE_INT_VALUE),
             "field of a property");
        return ours->is_null ? NULL : compare_scalar(ours, &theirs->int_value);
    }
}

static const char *compare_set(const spb_property_set *ours, const pb_set *theirs) {
    SAME(ours->count == theirs->n_keys && ours->count == theirs->n_values, "count of properties");
    for (size_t i = 0; i < ours->count; i++) {
        SAME(same_text(ours->items[i].key, theirs->keys[i]), "key");
        const char *difference = compare_property(&ours->items[i].value, theirs->values[i]);
        SAME(!difference, difference);
    }
    return NULL;
}

static const char *compare_dataset(const spb_dataset *ours, const pb_dataset *theirs) {
    SAME(ours->column_count == theirs->n_columns && ours->column_count == theirs->n_types, "count of columns");
    SAME(ours->row_count == theirs->n_rows, "count of rows");
    for (size_t i = 0; i < ours->column_count; i++) {
        SAME(same_text(ours->columns[i], theirs->columns[i]), "column");
        SAME(ours->types[i] == (spb_type)theirs->types[i], "type of a column");
    }
    for (size_t i = 0; i < ours->column_count * ours->row_count; i++) {
        const spb_value *cell = &ours->cells[i];
        Spb__Pb__Payload__DataSet__DataSetValue *element =
            theirs->rows[i / ours->column_count]->elements[i % ours->column_count];
        bool is_extension = element->value_case == SPB__PB__PAYLOAD__DATA_SET__DATA_SET_VALUE__VALUE_EXTENSION_VALUE;
        SAME(cell->is_null == (element->value_case == 0), "null cell");
        SAME(cell->wire == (is_extension
                                ? SPB_WIRE_EXTENSION
                                : wire_from_scalar((int)element->value_case,
                                                   SPB__PB__PAYLOAD__DATA_SET__DATA_SET_VALUE__VALUE_INT_VALUE)),
             "cell");
        const char *difference = is_extension ? NULL : compare_scalar(cell, &element->int_value);
        SAME(!difference, difference);
    }
    return NULL;
}

static const char *compare_template(const spb_template *ours, const pb_template *theirs) {
    SAME(same_text(ours->version, theirs->version), "version");
    SAME(same_text(ours->template_ref, theirs->template_ref), "template_ref");
    SAME(ours->has_is_definition == (theirs->has_is_definition != 0), "is_definition");
    SAME(ours->is_definition == (theirs->has_is_definition && theirs->is_definition), "is_definition");
    SAME(ours->parameter_count == theirs->n_parameters, "count of parameters");
    for (size_t i = 0; i < ours->parameter_count; i++) {
        const spb_parameter *parameter = &ours->parameters[i];
        const pb_parameter *other = theirs->parameters[i];
        bool is_extension = other->value_case == SPB__PB__PAYLOAD__TEMPLATE__PARAMETER__VALUE_EXTENSION_VALUE;
        SAME(same_text(parameter->name, other->name), "name of a parameter");
        SAME(is_type(&parameter->value, other->has_type, other->type), "type of a parameter");
        SAME(parameter->value.wire == (is_extension
                                           ? SPB_WIRE_EXTENSION
                                           : wire_from_scalar((int)other->value_case,
                                                              SPB__PB__PAYLOAD__TEMPLATE__PARAMETER__VALUE_INT_VALUE)),
             "parameter");
        const char *difference = is_extension ? NULL : compare_scalar(&parameter->value, &other->int_value);
        SAME(!difference, difference);
    }
    SAME(ours->metric_count == theirs->n_metrics, "count of members");
    return compare_metrics(ours->metrics, ours->metric_count, theirs->metrics);
}

static const char *compare_metadata(const spb_metadata *ours, const pb_metadata *theirs) {
    SAME(!ours == !theirs, "metadata");
    if (!ours) {
        return NULL;
    }
    SAME(ours->has_is_multi_part == (theirs->has_is_multi_part != 0), "is_multi_part");
    SAME(ours->is_multi_part == (theirs->has_is_multi_part && theirs->is_multi_part), "is_multi_part");
    SAME(ours->has_size == (theirs->has_size != 0) && (!ours->has_size || ours->size == theirs->size), "size");
    SAME(ours->has_seq == (theirs->has_seq != 0) && (!ours->has_seq || ours->seq == theirs->seq), "seq of metadata");
    SAME(same_text(ours->content_type, theirs->content_type), "content_type");
    SAME(same_text(ours->file_name, theirs->file_name), "file_name");
    SAME(same_text(ours->file_type, theirs->file_type), "file_type");
    SAME(same_text(ours->md5, theirs->md5), "md5");
    SAME(same_text(ours->description, theirs->description), "description");
    return NULL;
}

static const char *compare_value(const spb_value *ours, const pb_metric *theirs) {
    switch ((int)theirs->value_case) {
    case SPB__PB__PAYLOAD__METRIC__VALUE_BYTES_VALUE:
        SAME(ours->wire == SPB_WIRE_BYTES, "field of a value");
        SAME(ours->is_null || (ours->as.bytes.len == theirs->bytes_value.len &&
                               (ours->as.bytes.len == 0 ||
                                memcmp(ours->as.bytes.data, theirs->bytes_value.data, ours->as.bytes.len) == 0)),
             "bytes_value");
        return NULL;
    case SPB__PB__PAYLOAD__METRIC__VALUE_DATASET_VALUE:
        SAME(ours->wire == SPB_WIRE_DATASET, "field of a value");
        return ours->is_null ? NULL : compare_dataset(ours->as.dataset, theirs->dataset_value);
    case SPB__PB__PAYLOAD__METRIC__VALUE_TEMPLATE_VALUE:
        SAME(ours->wire == SPB_WIRE_TEMPLATE, "field of a value");
        return ours->is_null ? NULL : compare_template(ours->as.tmpl, theirs->template_value);
    case SPB__PB__PAYLOAD__METRIC__VALUE_EXTENSION_VALUE:
        SAME(ours->wire == SPB_WIRE_EXTENSION, "field of a value");
        return NULL;
    default:
        SAME(wire_of(ours) == wire_from_scalar((int)theirs->value_case, SPB__PB__PAYLOAD__METRIC__VALUE_INT_VALUE),
             "field of a value");
        return ours->is_null ? NULL : compare_scalar(ours, &theirs->int_value);
    }
}

static const char *compare_metric(const spb_payload_metric *ours, const pb_metric *theirs) {
    SAME(same_text(ours->name, theirs->name), "name");
    SAME(ours->has_alias == (theirs->has_alias != 0) && (!ours->has_alias || ours->alias == theirs->alias), "alias");
    SAME(ours->has_timestamp == (theirs->has_timestamp != 0), "timestamp");
    SAME(!ours->has_timestamp || ours->timestamp_ms == theirs->timestamp, "timestamp");
    SAME(ours->omit_datatype == !theirs->has_datatype, "datatype");
    SAME(is_type(&ours->value, theirs->has_datatype, theirs->datatype), "datatype");
    SAME(ours->is_historical == (theirs->has_is_historical && theirs->is_historical), "is_historical");
    SAME(ours->is_transient == (theirs->has_is_transient && theirs->is_transient), "is_transient");
    SAME(is_declared_null(&ours->value) == (theirs->has_is_null && theirs->is_null), "is_null");
    SAME(!ours->properties == !theirs->properties, "properties");
    const char *difference = ours->properties ? compare_set(ours->properties, theirs->properties) : NULL;
    SAME(!difference, difference);
    difference = compare_metadata(ours->metadata, theirs->metadata);
    SAME(!difference, difference);
    return compare_value(&ours->value, theirs);
}

static const char *compare_metrics(const spb_payload_metric *ours, size_t count, pb_metric *const *theirs) {
    const char *difference = NULL;
    for (size_t i = 0; i < count && !difference; i++) {
        difference = compare_metric(&ours[i], theirs[i]);
    }
    return difference;
}

static const char *compare(const spb_payload *ours, const pb_payload *theirs) {
    SAME(ours->has_timestamp == (theirs->has_timestamp != 0), "timestamp of the payload");
    SAME(!ours->has_timestamp || ours->timestamp_ms == theirs->timestamp, "timestamp of the payload");
    SAME(ours->has_seq == (theirs->has_seq != 0) && (!ours->has_seq || ours->seq == theirs->seq), "seq");
    SAME(same_text(ours->uuid, theirs->uuid), "uuid");
    SAME(ours->has_body == (theirs->has_body != 0), "body");
    SAME(!ours->has_body || ours->body.len == theirs->body.len, "body");
    SAME(ours->metric_count == theirs->n_metrics, "count of metrics");
    return compare_metrics(ours->metrics, ours->metric_count, theirs->metrics);
}

const char *reference_difference(const spb_payload *decoded, spb_bytes wire) {
    pb_payload *theirs = spb__pb__payload__unpack(NULL, wire.len, wire.data);
    const char *difference = theirs ? compare(decoded, theirs) : "protobuf-c refuses it";
    if (theirs) {
        spb__pb__payload__free_unpacked(theirs, NULL);
    }
    return difference;
}

bool reference_packs_same(spb_bytes wire) {
    pb_payload *theirs = spb__pb__payload__unpack(NULL, wire.len, wire.data);
    uint8_t *again = theirs ? malloc(spb__pb__payload__get_packed_size(theirs) + 1) : NULL;
    bool same = again && spb__pb__payload__pack(theirs, again) == wire.len &&
                (wire.len == 0 || memcmp(again, wire.data, wire.len) == 0);
    free(again);
    if (theirs) {
        spb__pb__payload__free_unpacked(theirs, NULL);
    }
    return same;
}
