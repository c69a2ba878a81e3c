/* Walking the fields of a message that spb_preflight__check has found to be whole. */
#ifndef SPB_CODEC_FIELDS_H
#define SPB_CODEC_FIELDS_H

#include <spb/value.h>

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
    const uint8_t *next = tag < 0x80 ? *p + 1 : varint_read(*p, end, &tag);
    f->id = (unsigned)(tag >> 3);
    switch (tag & 7) {
    case WIRE_VARINT: next = varint_read(next, end, &f->number); break;
    case WIRE_FIXED64:
        f->number = fixed_read(next, 8);
        next += 8;
        break;
    case WIRE_FIXED32:
        f->number = fixed_read(next, 4);
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

#endif
