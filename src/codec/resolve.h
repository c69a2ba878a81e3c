/* Which datatype may stand where, and what carries it. */
#ifndef SPB_CODEC_RESOLVE_H
#define SPB_CODEC_RESOLVE_H

#include <spb/value.h>

#include "codec/schema.h"

/* The name of a message's field as the schema has it; NULL: it has none of that number. */
static inline const char *field_name(spb_message message, unsigned number) {
    const ProtobufCMessageDescriptor *descriptor = spb_schema__messages[message];
    return number > 0 && number <= descriptor->n_fields ? descriptor->fields[number - 1].name : NULL;
}

/* The field that carries an int_value there; those of the other scalars follow in the order of spb_wire. */
static inline unsigned value_base(spb_message place) {
    return place == MESSAGE_METRIC           ? METRIC_INT_VALUE
           : place == MESSAGE_DATA_SET_VALUE ? DATA_SET_VALUE_INT_VALUE
                                             : PROPERTY_VALUE_INT_VALUE;
}
_Static_assert((int)PARAMETER_INT_VALUE == PROPERTY_VALUE_INT_VALUE, "for value_base");

/* May a value of this datatype stand there? Numbers of later schemas (above 34) may stand anywhere. */
bool spb_type__fits(spb_message place, spb_type type);

#endif
