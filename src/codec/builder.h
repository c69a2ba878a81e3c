/*
 * Building the public structs from a payload that spb_preflight__check has found to be whole: what decode.c and
 * decode_nested.c share.
 */
#ifndef SPB_CODEC_BUILDER_H
#define SPB_CODEC_BUILDER_H

#include <spb/payload.h>

#include "base/arena.h"
#include "codec/fields.h"
#include "codec/resolve.h"

typedef struct spb_builder {
    spb_arena *arena;
    spb_bytes wire; /* the copy that all views point into */
    spb_error *err;
} spb_builder;

/* decode.c. `at` is the byte to blame. */
spb_status spb_builder__fail(spb_builder *b, spb_status status, const uint8_t *at, const char *what);
spb_status spb_builder__no_memory(spb_builder *b);
/* Gives a value the datatype that stands beside it, as far as this version knows it. */
spb_status spb_builder__settle(spb_builder *b, spb_message place, spb_value *value, uint64_t number, const uint8_t *at);
/* Fills *metric, which is zeroed. */
spb_status spb_builder__metric(spb_builder *b, spb_bytes from, spb_payload_metric *metric);

/* decode_nested.c */
spb_status spb_builder__metadata(spb_builder *b, spb_bytes from, const spb_metadata **out);
spb_status spb_builder__dataset(spb_builder *b, spb_bytes from, const spb_dataset **out);
spb_status spb_builder__template(spb_builder *b, spb_bytes from, const spb_template **out);

static inline spb_str text_in(spb_bytes bytes) {
    return (spb_str){(const char *)bytes.data, bytes.len};
}

static inline spb_str text_of(const field *f) {
    return text_in(f->bytes);
}

/* Adds to counts[n] how many fields of the number n the message has. */
static inline void count_fields(spb_bytes from, size_t counts[FIELD_LIMIT]) {
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        unsigned id = *p >> 3;
        if (*p < 0x80 && (*p & 7) == WIRE_BYTES) { /* repeated things */
            content_next(&p, end);
        } else {
            field f;
            field_next(&f, &p, end);
            id = f.id;
        }
        if (id < FIELD_LIMIT) {
            counts[id]++;
        }
    }
}

#endif
