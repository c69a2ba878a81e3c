/*
 * Decides which field of the wire may carry which datatype, and which number a small integer means. What the fields
 * are on the wire is left to the decoder.
 */
#include "codec/resolve.h"

#include "base/error.h"
#include "codec/value.h"

bool spb_type__fits(spb_message place, spb_type type) {
    bool is_set = type == SPB_PROPERTY_SET || type == SPB_PROPERTY_SET_LIST;
    if (place == MESSAGE_METRIC) {
        return !is_set;
    }
    /* DataSets, bytes, templates and arrays have no field elsewhere. */
    return type <= SPB_UUID || type > SPB_DATETIME_ARRAY || (is_set && place == MESSAGE_PROPERTY_VALUE);
}

/* Decoded without a datatype, or with one of a later schema: back into the field it came from. */
spb_wire spb_value__wire(const spb_value *value) {
    return spb_type__is_known(value->type) ? spb_type__wire(value->type) : (spb_wire)value->wire;
}

static const char *wire_name(uint8_t wire) {
    for (unsigned place = 0; place < MESSAGE_COUNT; place++) {
        const char *name = field_name((spb_message)place, spb_schema__value_fields[place][wire]);
        if (name) {
            return name;
        }
    }
    return "unknown field";
}

static spb_status wrong_field(const spb_value *value, spb_type type, spb_error *err) {
    if (value->wire == SPB_WIRE_NONE || value->wire == SPB_WIRE_ABSENT) {
        return spb_error__set(err, SPB_ERR_TYPE, "no value where %s is wanted", spb_type_name(type));
    }
    return spb_error__set(err, SPB_ERR_TYPE, "%s cannot carry %s", wire_name(value->wire), spb_type_name(type));
}

static spb_status does_not_fit(const spb_value *value, spb_type type, spb_error *err) {
    return spb_error__set(err, SPB_ERR_RANGE, "%s %llu does not fit %s", wire_name(value->wire),
                          (unsigned long long)value->as.u64, spb_type_name(type));
}

/* UInt8, UInt16, UInt32: the text of the specification and its test kit disagree about the field, so both are read. */
static spb_status resolve_unsigned(spb_value *value, spb_type type, spb_error *err) {
    if (value->wire != SPB_WIRE_INT && value->wire != SPB_WIRE_LONG) {
        return wrong_field(value, type, err);
    }
    if (value->as.u64 > UINT64_MAX >> (64 - spb_type__bits(type))) {
        return does_not_fit(value, type, err);
    }
    value->type = type;
    return SPB_OK;
}

/*
 * Int8, Int16, Int32. In int_value, senders either extend the sign to 32 bits,
 * as the test kit does, or leave the upper bits 0, so both are read; other upper bits are a number that does not fit.
 * In long_value the number stands as itself.
 */
static spb_status resolve_signed(spb_value *value, spb_type type, spb_error *err) {
    const uint64_t sign = UINT64_C(1) << (spb_type__bits(type) - 1);
    const uint64_t mask = sign | (sign - 1);
    uint64_t number = value->as.u64;
    if (value->wire == SPB_WIRE_INT) {
        bool is_truncated = number <= mask;
        bool is_extended = number <= UINT32_MAX && number >= UINT64_C(0x100000000) - sign;
        if (!is_truncated && !is_extended) {
            return does_not_fit(value, type, err);
        }
        number = ((number & mask) ^ sign) - sign;
    } else if (value->wire != SPB_WIRE_LONG) {
        return wrong_field(value, type, err);
    } else if (number + sign > mask) {
        return spb_error__set(err, SPB_ERR_RANGE, "%s %lld does not fit %s", wire_name(value->wire),
                              (long long)value->as.i64, spb_type_name(type));
    }
    value->as.u64 = number;
    value->type = type;
    return SPB_OK;
}

/* Only the field that the datatype is sent in. */
static spb_status resolve_exact(spb_value *value, spb_type type, spb_error *err) {
    spb_status status = SPB_OK;
    if (value->wire != spb_type__wire(type)) {
        status = wrong_field(value, type, err);
    } else if (spb_type_is_array(type)) {
        status = spb_array__check_packed(type, value->as.bytes, err);
        value->is_packed = status == SPB_OK;
    }
    value->type = status == SPB_OK ? type : value->type;
    return status;
}

spb_status spb_value_resolve(spb_value *value, spb_type type, spb_error *err) {
    if (!spb_type__is_known(type)) {
        return spb_error__set(err, SPB_ERR_TYPE, "there is no datatype %d", (int)type);
    }
    if (value->wire == SPB_WIRE_ABSENT) {
        return wrong_field(value, type, err);
    }
    if (value->type != SPB_UNKNOWN) {
        return value->type == type ? SPB_OK
                                   : spb_error__set(err, SPB_ERR_TYPE, "%s where %s is wanted",
                                                    spb_type_name(value->type), spb_type_name(type));
    }
    if (value->is_null) {
        value->type = type;
        return SPB_OK;
    }
    const unsigned bits = spb_type__bits(type);
    if (bits == 0 || bits == 64) {
        return resolve_exact(value, type, err);
    }
    return type < SPB_UINT8 ? resolve_signed(value, type, err) : resolve_unsigned(value, type, err);
}

spb_status spb_value__settle(spb_message place, spb_value *value, uint64_t number, spb_error *why) {
    spb_type type = (spb_type)(uint32_t)number;
    if (!spb_type__fits(place, type)) {
        return spb_error__set(why, SPB_ERR_TYPE, "a datatype that cannot stand here");
    }
    if (!spb_type__is_known(type) || value->is_null) {
        value->type = type;
        return SPB_OK;
    }
    return spb_value_resolve(value, type, why);
}
