/* Decides how values are shown whose datatype is not known. */
#include "cli/message.h"

#include "cli/wire_names.h"

enum { FIELD_COUNT = sizeof wire_names / sizeof *wire_names };

const char *message_field_name(spb_wire wire) {
    return (unsigned)wire < FIELD_COUNT ? wire_names[wire] : NULL;
}

spb_wire message_field_from_name(spb_str name) {
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (wire_names[i] && spb_str_equal(name, spb_str_from(wire_names[i]))) {
            return (spb_wire)i;
        }
    }
    return SPB_WIRE_NONE;
}

spb_type message_type_shown(const spb_value *value) {
    if (value->is_null) {
        return SPB_UNKNOWN;
    }
    if (value->type >= SPB_INT8 && value->type <= SPB_DATETIME_ARRAY) {
        return value->type;
    }
    switch ((spb_wire)value->wire) {
    case SPB_WIRE_ABSENT:
    case SPB_WIRE_NONE: break;
    case SPB_WIRE_INT:
    case SPB_WIRE_LONG: return SPB_UINT64;
    case SPB_WIRE_FLOAT: return SPB_FLOAT;
    case SPB_WIRE_DOUBLE: return SPB_DOUBLE;
    case SPB_WIRE_BOOLEAN: return SPB_BOOLEAN;
    case SPB_WIRE_STRING: return SPB_STRING;
    case SPB_WIRE_BYTES:
    case SPB_WIRE_EXTENSION: return SPB_BYTES;
    case SPB_WIRE_DATASET: return SPB_DATASET;
    case SPB_WIRE_TEMPLATE: return SPB_TEMPLATE;
    case SPB_WIRE_SET: return SPB_PROPERTY_SET;
    case SPB_WIRE_SET_LIST: return SPB_PROPERTY_SET_LIST;
    }
    return SPB_UNKNOWN;
}
