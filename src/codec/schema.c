/*
 * Decides what the schema says: which field of which message has which form, and which datatypes may stand where.
 * Walking messages is left to preflight.c, decode.c and encode.c.
 */
#include "codec/schema.h"

#define VARINT(text)                                                                                                   \
    { .kind = FIELD_VARINT, .name = text }
#define TEXT(text)                                                                                                     \
    { .kind = FIELD_TEXT, .name = text }
#define ONE(content, text)                                                                                             \
    { .kind = FIELD_MESSAGE, .message = content, .name = text }
#define MANY(content, text)                                                                                            \
    { .kind = FIELD_MESSAGE, .message = content, .repeated = true, .name = text }
/* The members of `value` that all four messages with one have in common. */
#define SCALAR_VALUES(first)                                                                                           \
    [first] = VARINT("int_value"), [first + 1] = VARINT("long_value"),                                                 \
    [first + 2] = {.kind = FIELD_FLOAT, .name = "float_value"},                                                        \
    [first + 3] = {.kind = FIELD_DOUBLE, .name = "double_value"}, [first + 4] = VARINT("boolean_value"),               \
    [first + 5] = TEXT("string_value")

const spb_field spb_schema__fields[MESSAGE_COUNT][FIELD_LIMIT] = {
    [MESSAGE_PAYLOAD] = {[PAYLOAD_TIMESTAMP] = VARINT("timestamp"),
                         [PAYLOAD_METRICS] = MANY(MESSAGE_METRIC, "metrics"),
                         [PAYLOAD_SEQ] = VARINT("seq"),
                         [PAYLOAD_UUID] = TEXT("uuid"),
                         [PAYLOAD_BODY] = {.kind = FIELD_BYTES, .name = "body"}},
    [MESSAGE_METRIC] = {[METRIC_NAME] = TEXT("name"),
                        [METRIC_ALIAS] = VARINT("alias"),
                        [METRIC_TIMESTAMP] = VARINT("timestamp"),
                        [METRIC_DATATYPE] = VARINT("datatype"),
                        [METRIC_IS_HISTORICAL] = VARINT("is_historical"),
                        [METRIC_IS_TRANSIENT] = VARINT("is_transient"),
                        [METRIC_IS_NULL] = VARINT("is_null"),
                        [METRIC_METADATA] = ONE(MESSAGE_METADATA, "metadata"),
                        [METRIC_PROPERTIES] = ONE(MESSAGE_PROPERTY_SET, "properties"),
                        SCALAR_VALUES(METRIC_VALUE),
                        [16] = {.kind = FIELD_BYTES, .name = "bytes_value"},
                        [17] = ONE(MESSAGE_DATASET, "dataset_value"),
                        [18] = ONE(MESSAGE_TEMPLATE, "template_value"),
                        [19] = ONE(MESSAGE_EXTENSION, "extension_value")},
    [MESSAGE_METADATA] = {[METADATA_IS_MULTI_PART] = VARINT("is_multi_part"),
                          [METADATA_CONTENT_TYPE] = TEXT("content_type"),
                          [METADATA_SIZE] = VARINT("size"),
                          [METADATA_SEQ] = VARINT("seq"),
                          [METADATA_FILE_NAME] = TEXT("file_name"),
                          [METADATA_FILE_TYPE] = TEXT("file_type"),
                          [METADATA_MD5] = TEXT("md5"),
                          [METADATA_DESCRIPTION] = TEXT("description")},
    [MESSAGE_PROPERTY_SET] = {[PROPERTY_SET_KEYS] = {.kind = FIELD_TEXT, .repeated = true, .name = "keys"},
                              [PROPERTY_SET_VALUES] = MANY(MESSAGE_PROPERTY, "values")},
    [MESSAGE_PROPERTY] = {[PROPERTY_TYPE] = VARINT("type"),
                          [PROPERTY_IS_NULL] = VARINT("is_null"),
                          SCALAR_VALUES(PROPERTY_VALUE),
                          [9] = ONE(MESSAGE_PROPERTY_SET, "propertyset_value"),
                          [10] = ONE(MESSAGE_PROPERTY_SET_LIST, "propertysets_value"),
                          [11] = ONE(MESSAGE_EXTENSION, "extension_value")},
    [MESSAGE_PROPERTY_SET_LIST] = {[PROPERTY_SET_LIST_SETS] = MANY(MESSAGE_PROPERTY_SET, "propertyset")},
    [MESSAGE_DATASET] =
        {[DATASET_NUM_OF_COLUMNS] = VARINT("num_of_columns"),
         [DATASET_COLUMNS] = {.kind = FIELD_TEXT, .message = MESSAGE_COLUMN, .repeated = true, .name = "columns"},
         [DATASET_TYPES] = {.kind = FIELD_NUMBERS, .repeated = true, .name = "types"},
         [DATASET_ROWS] = MANY(MESSAGE_ROW, "rows")},
    [MESSAGE_ROW] = {[ROW_ELEMENTS] = MANY(MESSAGE_CELL, "elements")},
    [MESSAGE_CELL] = {SCALAR_VALUES(CELL_VALUE), [7] = ONE(MESSAGE_EXTENSION, "extension_value")},
    [MESSAGE_TEMPLATE] = {[TEMPLATE_VERSION] = TEXT("version"),
                          [TEMPLATE_METRICS] = MANY(MESSAGE_METRIC, "metrics"),
                          [TEMPLATE_PARAMETERS] = MANY(MESSAGE_PARAMETER, "parameters"),
                          [TEMPLATE_REF] = TEXT("template_ref"),
                          [TEMPLATE_IS_DEFINITION] = VARINT("is_definition")},
    [MESSAGE_PARAMETER] = {[PARAMETER_NAME] = TEXT("name"),
                           [PARAMETER_TYPE] = VARINT("type"),
                           SCALAR_VALUES(PARAMETER_VALUE),
                           [9] = ONE(MESSAGE_EXTENSION, "extension_value")},
};

/* Behind the six scalar fields each message goes its own way. */
static const uint8_t further_fields[MESSAGE_COUNT][SPB_WIRE_EXTENSION + 1] = {
    [MESSAGE_METRIC] =
        {[SPB_WIRE_BYTES] = 16, [SPB_WIRE_DATASET] = 17, [SPB_WIRE_TEMPLATE] = 18, [SPB_WIRE_EXTENSION] = 19},
    [MESSAGE_PROPERTY] = {[SPB_WIRE_SET] = 9, [SPB_WIRE_SET_LIST] = 10, [SPB_WIRE_EXTENSION] = 11},
    [MESSAGE_CELL] = {[SPB_WIRE_EXTENSION] = 7},
    [MESSAGE_PARAMETER] = {[SPB_WIRE_EXTENSION] = 9},
};

unsigned spb_schema__value_field(spb_message place, spb_wire wire) {
    if (wire >= SPB_WIRE_INT && wire <= SPB_WIRE_STRING) {
        return spb_schema__value_base(place) + (unsigned)wire - SPB_WIRE_INT;
    }
    return further_fields[place][wire];
}

spb_wire spb_schema__value_wire(spb_message place, unsigned number) {
    unsigned base = spb_schema__value_base(place);
    if (number >= base && number - base <= SPB_WIRE_STRING - SPB_WIRE_INT) {
        return (spb_wire)(number - base + SPB_WIRE_INT);
    }
    for (int wire = SPB_WIRE_BYTES; wire <= SPB_WIRE_EXTENSION; wire++) {
        if (further_fields[place][wire] == number) {
            return (spb_wire)wire;
        }
    }
    return SPB_WIRE_NONE;
}

bool spb_schema__type_fits(spb_message place, spb_type type) {
    bool is_set = type == SPB_PROPERTY_SET || type == SPB_PROPERTY_SET_LIST;
    if (place == MESSAGE_METRIC) {
        return !is_set;
    }
    /* DataSets, bytes, templates and arrays have no field elsewhere. */
    return type <= SPB_UUID || type > SPB_DATETIME_ARRAY || (is_set && place == MESSAGE_PROPERTY);
}

static size_t or_default(size_t wanted, size_t fallback) {
    return wanted ? wanted : fallback;
}

spb_limits spb_limits__effective(const spb_limits *limits) {
    spb_limits wanted = limits ? *limits : (spb_limits){0};
    size_t depth = or_default(wanted.max_depth, SPB_MAX_DEPTH);
    return (spb_limits){
        .max_payload_bytes = or_default(wanted.max_payload_bytes, (size_t)16 << 20),
        .max_depth = depth < SPB_MAX_DEPTH ? depth : SPB_MAX_DEPTH,
        .max_metrics = or_default(wanted.max_metrics, 1000000),
        .max_heap_bytes = or_default(wanted.max_heap_bytes, (size_t)256 << 20),
        .max_string_bytes = or_default(wanted.max_string_bytes, (size_t)16 << 20),
    };
}
