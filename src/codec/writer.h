/*
 * Writing messages into a buffer: where we are in the payload, what may still come, and the small parts that all
 * messages are made of. What happens at every field is inline; the rest is in writer.c.
 */
#ifndef SPB_CODEC_WRITER_H
#define SPB_CODEC_WRITER_H

#include <spb/payload.h>

#include "base/buffer.h"
#include "codec/check.h"
#include "codec/place.h"
#include "codec/wire.h"

typedef struct spb_writer {
    spb_buffer *out;
    const spb_limits *limits;
    spb_error *err;
    size_t items; /* repeated messages so far */
    size_t depth; /* templates and property sets around the present place */
} spb_writer;

spb_status spb_writer__no_memory(spb_writer *w);

/* More repeated messages, against the limit; and that a count above 0 comes with items. */
spb_status spb_writer__check_items(spb_writer *w, const void *items, size_t count, const spb_place *at);
/* The value fits its datatype and may stand in that message. */
spb_status spb_writer__check_value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at);

/* Bytes, whose content nobody needs to look at; and text of any length. `at` is their field. */
spb_status spb_writer__bytes(spb_writer *w, unsigned id, spb_bytes bytes, const spb_place *at);
spb_status spb_writer__other_text(spb_writer *w, unsigned id, spb_str text, const spb_place *at);

/* A function with a place on its stack, kept apart from hot ones: the check of the stack would cost those, too. */
#define APART __attribute__((noinline))

/* Room for `more` bytes; the call is only made when there is none. */
static inline bool writer_reserve(spb_writer *w, size_t more) {
    return more <= w->out->capacity - w->out->len || spb_buffer__reserve(w->out, more);
}

static inline uint8_t *writer_tail(const spb_writer *w) {
    return w->out->data + w->out->len;
}

static inline void writer_set_tail(spb_writer *w, const uint8_t *p) {
    w->out->len = (size_t)(p - w->out->data);
}

/*
 * A nested message: its length is known only at its end. One byte is kept free for it, and what was written moves when
 * that is not enough, which is cheaper than to measure everything beforehand.
 */
static inline bool writer_open(spb_writer *w, unsigned id, size_t *begin) {
    if (!writer_reserve(w, VARINT_BYTES_MAX + 1)) {
        return false;
    }
    uint8_t *p = varint_write(writer_tail(w), TAG(id, WIRE_BYTES));
    writer_set_tail(w, p + 1);
    *begin = w->out->len;
    return true;
}

spb_status spb_writer__close_long(spb_writer *w, size_t begin);

static inline spb_status writer_close(spb_writer *w, size_t begin) {
    size_t len = w->out->len - begin;
    if (len >= 0x80) {
        return spb_writer__close_long(w, begin);
    }
    w->out->data[begin - 1] = (uint8_t)len;
    return SPB_OK;
}

/* All numbers of the schema have field numbers below 16, so their tags are one byte. */
static inline uint8_t *put_number(uint8_t *p, unsigned id, uint64_t value) {
    *p = (uint8_t)TAG(id, WIRE_VARINT);
    return varint_write(p + 1, value);
}

static inline spb_status writer_number(spb_writer *w, unsigned id, uint64_t value) {
    if (!writer_reserve(w, 2 * VARINT_BYTES_MAX)) {
        return spb_writer__no_memory(w);
    }
    writer_set_tail(w, put_number(writer_tail(w), id, value));
    return SPB_OK;
}

/* Text; absent text is left out. Here the short ones, which are most. */
static inline spb_status writer_text(spb_writer *w, unsigned id, spb_str text, const spb_place *at) {
    if (!text.data) {
        return SPB_OK;
    }
    if (text.len >= 0x80 || text.len > w->limits->max_string_bytes || !writer_reserve(w, 2 + text.len) ||
        !spb_utf8__is_ascii(text)) {
        return spb_writer__other_text(w, id, text, at);
    }
    uint8_t *p = writer_tail(w);
    p[0] = (uint8_t)TAG(id, WIRE_BYTES); /* all text fields have numbers below 16 */
    p[1] = (uint8_t)text.len;
    memcpy(p + 2, text.data, text.len);
    writer_set_tail(w, p + 2 + text.len);
    return SPB_OK;
}

#endif
