/* What the tables that cmake/schema.awk makes of the schema say about a field. */
#ifndef SPB_CODEC_KINDS_H
#define SPB_CODEC_KINDS_H

#include <stdbool.h>
#include <stdint.h>

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

/* Dense, unlike the descriptors of protobuf-c: this is looked at for every field of every message. */
typedef struct spb_field {
    uint8_t kind;    /* an spb_field_kind */
    uint8_t message; /* FIELD_MESSAGE: of which spb_message the content is */
    uint8_t wire;    /* the spb_wire of a field that carries a value, else SPB_WIRE_NONE */
    bool is_repeated;
} spb_field;

#endif
