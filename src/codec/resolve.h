/* Which field of the wire carries which datatype, and which datatype may stand where. */
#ifndef SPB_CODEC_RESOLVE_H
#define SPB_CODEC_RESOLVE_H

#include <spb/value.h>

#include "codec/schema.h"

/* The name of a message's field as the schema has it; NULL: it has none of that number. */
static inline const char *field_name(spb_message message, unsigned number) {
    const ProtobufCMessageDescriptor *descriptor = spb_schema__messages[message];
    return number > 0 && number <= descriptor->n_fields ? descriptor->fields[number - 1].name : NULL;
}

/* May a value of this datatype stand there? Numbers of later schemas (above 34) may stand anywhere. */
bool spb_type__fits(spb_message place, spb_type type);

/* The field that a value which is not null is sent in. */
spb_wire spb_value__wire(const spb_value *value);

/* Most values have the field that their datatype wants, and nothing can be wrong with them. False: nothing is changed,
 * and spb_value__settle knows. */
static inline bool settle_plain(spb_value *value, uint64_t number) {
    static const uint8_t only_wire[] = {
        [SPB_FLOAT] = SPB_WIRE_FLOAT,   [SPB_DOUBLE] = SPB_WIRE_DOUBLE, [SPB_BOOLEAN] = SPB_WIRE_BOOLEAN,
        [SPB_STRING] = SPB_WIRE_STRING, [SPB_INT64] = SPB_WIRE_LONG,    [SPB_UINT64] = SPB_WIRE_LONG};
    const uint32_t type = (uint32_t)number;
    const bool is_plain = type > SPB_UNKNOWN && type < sizeof only_wire && only_wire[type] == value->wire;
    if (is_plain && !value->is_null) {
        value->type = (spb_type)type;
        return true;
    }
    return false;
}

/* Gives a decoded value the datatype that stands beside it, as far as this version knows it. SPB_ERR_TYPE: it may not
 * stand there. Others as spb_value_resolve. On failure *value is unchanged. */
spb_status spb_value__settle(spb_message place, spb_value *value, uint64_t number, spb_error *why);

/* is_null wins over a value; value->wire still tells that there was one. What is neither null nor there must not pass
 * for a zero. */
static inline void settle_null(spb_value *value, bool is_null) {
    if (is_null) {
        *value = (spb_value){.is_null = true, .wire = value->wire};
    } else if (value->wire == SPB_WIRE_NONE) {
        *value = (spb_value){.is_null = true, .wire = SPB_WIRE_ABSENT};
    }
}

#endif
