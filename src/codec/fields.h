/* Walking the fields of a message that spb_preflight__check has found to be whole. */
#ifndef SPB_CODEC_FIELDS_H
#define SPB_CODEC_FIELDS_H

#include <spb/value.h>

#include "codec/schema.h"
#include "codec/wire.h"

/* One field. A varint or fixed-width number stands in `number`, anything else in `bytes`. */
typedef struct field {
    const uint8_t *at; /* its tag */
    unsigned id;
    uint64_t number;
    spb_bytes bytes;
} field;

/* Reads the field at *p, which is below `end`, and moves *p behind it. */
static inline void field_next(field *f, const uint8_t **p, const uint8_t *end) {
    uint64_t tag = **p;
    f->at = *p;
    f->number = 0;
    f->bytes = (spb_bytes){NULL, 0};
    const uint8_t *next = tag < 0x80 ? *p + 1 : varint_read(*p, end, &tag);
    f->id = (unsigned)(tag >> 3);
    switch (tag & 7) {
    case WIRE_VARINT: next = varint_read(next, end, &f->number); break;
    case WIRE_FIXED64:
        f->number = fixed64_read(next);
        next += 8;
        break;
    case WIRE_FIXED32:
        f->number = fixed32_read(next);
        next += 4;
        break;
    default: {
        uint64_t len = *next;
        next = len < 0x80 ? next + 1 : varint_read(next, end, &len);
        f->bytes = (spb_bytes){next, (size_t)len};
        next += len;
        break;
    }
    }
    *p = next;
}

/* The content of the length-delimited field at *p, whose tag has one byte; moves *p behind it. */
static inline spb_bytes content_next(const uint8_t **p, const uint8_t *end) {
    uint64_t len = 0;
    const uint8_t *content = varint_read(*p + 1, end, &len);
    *p = content + len;
    return (spb_bytes){content, (size_t)len};
}

/* Which value a field carries. */
static inline spb_wire wire_of_field(spb_message message, unsigned id) {
    return id < FIELD_LIMIT ? (spb_wire)spb_schema__fields[message][id].wire : SPB_WIRE_NONE;
}

/*
 * Reads the field at *p, if it is one of the six value fields that metrics, properties, cells and parameters have in
 * common; `base` is the number of the first. All have tags of one byte. False, and nothing has moved: it is another
 * one.
 */
static inline bool scalar_next(spb_value *value, unsigned base, const uint8_t **p, const uint8_t *end) {
    const uint8_t *at = *p + 1;
    uint64_t number = 0;
    switch ((unsigned)**p - (base << 3)) {
    case TAG(SPB_WIRE_INT - SPB_WIRE_INT, WIRE_VARINT):
        *p = varint_read(at, end, &number);
        value->wire = SPB_WIRE_INT;
        value->as.u64 = (uint32_t)number;
        return true;
    case TAG(SPB_WIRE_LONG - SPB_WIRE_INT, WIRE_VARINT):
        *p = varint_read(at, end, &value->as.u64);
        value->wire = SPB_WIRE_LONG;
        return true;
    case TAG(SPB_WIRE_FLOAT - SPB_WIRE_INT, WIRE_FIXED32):
        *p = at + 4;
        value->wire = SPB_WIRE_FLOAT;
        value->as.f32 = float_from_bits(fixed32_read(at));
        return true;
    case TAG(SPB_WIRE_DOUBLE - SPB_WIRE_INT, WIRE_FIXED64):
        *p = at + 8;
        value->wire = SPB_WIRE_DOUBLE;
        value->as.f64 = double_from_bits(fixed64_read(at));
        return true;
    case TAG(SPB_WIRE_BOOLEAN - SPB_WIRE_INT, WIRE_VARINT):
        *p = varint_read(at, end, &number);
        value->wire = SPB_WIRE_BOOLEAN;
        value->as.boolean = number != 0;
        return true;
    case TAG(SPB_WIRE_STRING - SPB_WIRE_INT, WIRE_BYTES):
        value->wire = SPB_WIRE_STRING;
        value->as.bytes = content_next(p, end);
        value->as.str = (spb_str){(const char *)value->as.bytes.data, value->as.bytes.len};
        return true;
    default: return false;
    }
}

#endif
