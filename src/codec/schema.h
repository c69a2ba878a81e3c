/* The schema of proto/sparkplug_b.proto as tables, for the code that walks encoded messages. */
#ifndef SPB_CODEC_SCHEMA_H
#define SPB_CODEC_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include <spb/payload.h>

typedef enum spb_message {
    MESSAGE_PAYLOAD,
    MESSAGE_METRIC,
    MESSAGE_METADATA,
    MESSAGE_PROPERTY_SET,
    MESSAGE_PROPERTY,
    MESSAGE_PROPERTY_SET_LIST,
    MESSAGE_DATASET,
    MESSAGE_ROW,
    MESSAGE_CELL,
    MESSAGE_TEMPLATE,
    MESSAGE_PARAMETER,
    MESSAGE_EXTENSION, /* nothing in it is known */
    MESSAGE_COLUMN,    /* no message: the name of a DataSet's column, which comes with a type */
    MESSAGE_COUNT
} spb_message;

/* Field numbers. */
enum { PAYLOAD_TIMESTAMP = 1, PAYLOAD_METRICS, PAYLOAD_SEQ, PAYLOAD_UUID, PAYLOAD_BODY };
enum {
    METRIC_NAME = 1,
    METRIC_ALIAS,
    METRIC_TIMESTAMP,
    METRIC_DATATYPE,
    METRIC_IS_HISTORICAL,
    METRIC_IS_TRANSIENT,
    METRIC_IS_NULL,
    METRIC_METADATA,
    METRIC_PROPERTIES,
    METRIC_VALUE /* int_value; the other members of `value` follow */
};
enum {
    METADATA_IS_MULTI_PART = 1,
    METADATA_CONTENT_TYPE,
    METADATA_SIZE,
    METADATA_SEQ,
    METADATA_FILE_NAME,
    METADATA_FILE_TYPE,
    METADATA_MD5,
    METADATA_DESCRIPTION
};
enum { PROPERTY_SET_KEYS = 1, PROPERTY_SET_VALUES };
enum { PROPERTY_TYPE = 1, PROPERTY_IS_NULL, PROPERTY_VALUE };
enum { PROPERTY_SET_LIST_SETS = 1 };
enum { DATASET_NUM_OF_COLUMNS = 1, DATASET_COLUMNS, DATASET_TYPES, DATASET_ROWS };
enum { ROW_ELEMENTS = 1 };
enum { CELL_VALUE = 1 };
enum { TEMPLATE_VERSION = 1, TEMPLATE_METRICS, TEMPLATE_PARAMETERS, TEMPLATE_REF, TEMPLATE_IS_DEFINITION };
enum { PARAMETER_NAME = 1, PARAMETER_TYPE, PARAMETER_VALUE };

typedef enum spb_field_kind {
    FIELD_UNKNOWN = 0, /* of a later schema, or a vendor's: skipped */
    FIELD_VARINT,
    FIELD_FLOAT,
    FIELD_DOUBLE,
    FIELD_TEXT,
    FIELD_BYTES,
    FIELD_MESSAGE,
    FIELD_NUMBERS /* repeated uint32, one by one or packed */
} spb_field_kind;

typedef struct spb_field {
    uint8_t kind;    /* an spb_field_kind */
    uint8_t message; /* FIELD_MESSAGE: of which an spb_message is the content; else MESSAGE_COLUMN or 0 */
    bool repeated;
    const char *name;
} spb_field;

/* All field numbers are below this. */
#define FIELD_LIMIT 20

extern const spb_field spb_schema__fields[MESSAGE_COUNT][FIELD_LIMIT];

/* Which field of its `value` carries a metric, property, cell or parameter; `place` is that message. The number of the
 * first such field (int_value); int, long, float, double, boolean, string follow one another in all four. */
static inline unsigned spb_schema__value_base(spb_message place) {
    return place == MESSAGE_METRIC ? METRIC_VALUE : place == MESSAGE_CELL ? CELL_VALUE : PROPERTY_VALUE;
}
/* The field number of a value, 0 where `place` has no such field; and back, SPB_WIRE_NONE where it is no value field.
 */
unsigned spb_schema__value_field(spb_message place, spb_wire wire);
spb_wire spb_schema__value_wire(spb_message place, unsigned number);

/* May a value of this datatype stand there? Numbers of later schemas (above 34) may stand anywhere. */
bool spb_schema__type_fits(spb_message place, spb_type type);

/* The most that max_depth may be: small enough for any stack. */
#define SPB_MAX_DEPTH 32

/* *limits with the defaults filled in, and nothing above what this codec can do. NULL: all defaults. */
spb_limits spb_limits__effective(const spb_limits *limits);

#endif
