/*
 * Decides how an encoded metric becomes a historical one: by walking over its fields, none of which is decoded but
 * alias, name and timestamp. Which metrics stay, and what time they are moved to, is left to the caller.
 */
#include "codec/reframe.h"

#include <string.h>

#include "codec/schema.h"
#include "codec/wire.h"

/* What changes in every metric; NULL: nothing. */
typedef struct change {
    int64_t shift_ms;
    uint64_t shift_before_ms;
} change;

/* A metric, and where its parts are. */
typedef struct frame {
    const uint8_t *begin, *end;   /* its fields */
    const uint8_t *timestamp;     /* its timestamp's number; NULL: there is none */
    const uint8_t *timestamp_end; /* behind it */
    uint64_t timestamp_ms;
    const uint8_t *flag;     /* where is_historical stands, or would stand */
    const uint8_t *flag_end; /* behind it */
    uint64_t alias;
    spb_str name;
} frame;

/* The byte behind the number, text or message at `p`; NULL: it does not end before `end`. */
static const uint8_t *skip(const uint8_t *p, const uint8_t *end, unsigned type) {
    uint64_t len;
    switch (type) {
    case WIRE_VARINT: return varint_read(p, end, &len);
    case WIRE_FIXED64: return end - p >= 8 ? p + 8 : NULL;
    case WIRE_FIXED32: return end - p >= 4 ? p + 4 : NULL;
    case WIRE_BYTES: p = varint_read(p, end, &len); return p && len <= (size_t)(end - p) ? p + len : NULL;
    default: return NULL;
    }
}

/* Notes the field with `tag`, which begins at `at` and has its content at `p`. The byte behind it, or NULL. */
static const uint8_t *note(frame *f, const uint8_t *at, const uint8_t *p, uint64_t tag) {
    uint64_t len;
    const uint8_t *text;
    switch (tag) {
    case TAG(METRIC_NAME, WIRE_BYTES):
        text = varint_read(p, f->end, &len);
        if (!text || len > (size_t)(f->end - text)) {
            return NULL;
        }
        f->name = (spb_str){(const char *)text, (size_t)len};
        return text + len;
    case TAG(METRIC_ALIAS, WIRE_VARINT): return varint_read(p, f->end, &f->alias);
    case TAG(METRIC_TIMESTAMP, WIRE_VARINT):
        f->timestamp = p;
        return f->timestamp_end = varint_read(p, f->end, &f->timestamp_ms);
    case TAG(METRIC_IS_HISTORICAL, WIRE_VARINT): f->flag = at; return f->flag_end = skip(p, f->end, WIRE_VARINT);
    default: return tag >> 3 <= METRIC_IS_HISTORICAL && tag >> 3 != METRIC_DATATYPE ? NULL : skip(p, f->end, tag & 7);
    }
}

/* Finds the parts of the metric whose begin and end are set. False: it is malformed. */
static bool walk(frame *f) {
    uint64_t last = 0;
    for (const uint8_t *at = f->begin, *p; at < f->end; at = p) {
        uint64_t tag;
        p = varint_read(at, f->end, &tag);
        if (!p || tag >> 3 <= last) {
            return false;
        }
        if (tag >> 3 > METRIC_IS_HISTORICAL && !f->flag) {
            f->flag = f->flag_end = at;
        }
        last = tag >> 3;
        p = note(f, at, p, tag);
        if (!p) {
            return false;
        }
    }
    if (!f->flag) {
        f->flag = f->flag_end = f->end;
    }
    return f->alias != 0 || f->name.data;
}

static uint64_t shifted(uint64_t timestamp_ms, const change *how) {
    if (timestamp_ms >= how->shift_before_ms) {
        return timestamp_ms;
    }
    if (how->shift_ms < 0) {
        uint64_t back_ms = 0 - (uint64_t)how->shift_ms;
        return timestamp_ms > back_ms ? timestamp_ms - back_ms : 0;
    }
    uint64_t moved_ms = timestamp_ms + (uint64_t)how->shift_ms;
    return moved_ms < timestamp_ms ? UINT64_MAX : moved_ms;
}

static uint8_t *copy(uint8_t *to, const uint8_t *from, const uint8_t *end) {
    memcpy(to, from, (size_t)(end - from));
    return to + (end - from);
}

/* The most that a metric grows by: its tag, length, flag and timestamp. */
#define GROWTH (4 * VARINT_BYTES_MAX)

/* Writes the metric; there is room for it, and for GROWTH. */
static uint8_t *put(uint8_t *to, const frame *f, const change *how) {
    uint8_t stamp[VARINT_BYTES_MAX];
    size_t stamp_len = 0;
    const uint8_t *head_end = f->flag; /* of what stands before the timestamp's number */
    const uint8_t *rest = f->flag;     /* and behind it */
    if (f->timestamp) {
        stamp_len = (size_t)(varint_write_exactly(stamp, shifted(f->timestamp_ms, how)) - stamp);
        head_end = f->timestamp;
        rest = f->timestamp_end;
    }
    size_t len =
        (size_t)(head_end - f->begin) + stamp_len + (size_t)(f->flag - rest) + 2 + (size_t)(f->end - f->flag_end);
    *to++ = (uint8_t)TAG(PAYLOAD_METRICS, WIRE_BYTES);
    to = varint_write(to, len);
    to = copy(to, f->begin, head_end);
    to = copy(to, stamp, stamp + stamp_len);
    to = copy(to, rest, f->flag);
    *to++ = (uint8_t)TAG(METRIC_IS_HISTORICAL, WIRE_VARINT);
    *to++ = true;
    return copy(to, f->flag_end, f->end);
}

/* The metric at *p, and *p behind it. */
static bool next(frame *f, const uint8_t **p, const uint8_t *end) {
    uint64_t len;
    *f = (frame){0};
    const uint8_t *begin = **p == TAG(PAYLOAD_METRICS, WIRE_BYTES) ? varint_read(*p + 1, end, &len) : NULL;
    if (!begin || len > (size_t)(end - begin)) {
        return false;
    }
    f->begin = begin;
    f->end = begin + len;
    *p = f->end;
    return walk(f);
}

static spb_status reframe(spb_buffer *out, spb_bytes metrics, const change *how, spb_reframe_fn keep, void *context,
                          uint32_t counts[2]) {
    const uint8_t *end = metrics.len > 0 ? metrics.data + metrics.len : metrics.data; /* which may be NULL */
    for (const uint8_t *p = metrics.data, *at = p; p < end; at = p) {
        frame f;
        if (!next(&f, &p, end)) {
            return SPB_ERR_MALFORMED;
        }
        bool stays = !keep || keep(context, f.alias, f.alias ? (spb_str){0} : f.name);
        counts[stays]++;
        if (!stays) {
            continue;
        }
        if (!spb_buffer__reserve(out, (size_t)(p - at) + GROWTH)) {
            return SPB_ERR_NO_MEMORY;
        }
        uint8_t *tail = out->data + out->len;
        out->len = (size_t)((how ? put(tail, &f, how) : copy(tail, at, p)) - out->data);
    }
    return SPB_OK;
}

static spb_status reframe_or_undo(spb_buffer *out, spb_bytes metrics, const change *how, spb_reframe_fn keep,
                                  void *context, uint32_t *kept, uint32_t *dropped) {
    size_t len = out->len;
    uint32_t counts[2] = {0, 0};
    spb_status status = reframe(out, metrics, how, keep, context, counts);
    if (status != SPB_OK) {
        out->len = len;
        counts[false] = counts[true] = 0;
    }
    *kept = counts[true];
    *dropped = counts[false];
    return status;
}

spb_status spb_reframe__historical(spb_buffer *out, spb_bytes metrics, int64_t shift_ms, uint64_t shift_before_ms,
                                   spb_reframe_fn keep, void *context, uint32_t *kept, uint32_t *dropped) {
    const change how = {.shift_ms = shift_ms, .shift_before_ms = shift_before_ms};
    return reframe_or_undo(out, metrics, &how, keep, context, kept, dropped);
}

spb_status spb_reframe__filter(spb_buffer *out, spb_bytes metrics, spb_reframe_fn keep, void *context, uint32_t *kept,
                               uint32_t *dropped) {
    return reframe_or_undo(out, metrics, NULL, keep, context, kept, dropped);
}

spb_status spb_reframe__span(spb_bytes metrics, uint64_t *first_ms, uint64_t *last_ms) {
    const uint8_t *end = metrics.len > 0 ? metrics.data + metrics.len : metrics.data;
    uint64_t smallest_ms = UINT64_MAX, largest_ms = 0;
    for (const uint8_t *p = metrics.data; p < end;) {
        frame f;
        if (!next(&f, &p, end) || !f.timestamp) {
            return SPB_ERR_MALFORMED;
        }
        smallest_ms = f.timestamp_ms < smallest_ms ? f.timestamp_ms : smallest_ms;
        largest_ms = f.timestamp_ms > largest_ms ? f.timestamp_ms : largest_ms;
    }
    if (metrics.len == 0) {
        return SPB_ERR_MALFORMED;
    }
    *first_ms = smallest_ms;
    *last_ms = largest_ms;
    return SPB_OK;
}

size_t spb_reframe__cut(spb_bytes metrics, size_t max_bytes, size_t max_metrics, size_t growth) {
    const uint8_t *at = metrics.data;
    const uint8_t *end = metrics.data + metrics.len;
    size_t grown = 0;
    for (size_t count = 0; at < end && count < max_metrics; count++) {
        uint64_t len = 0;
        const uint8_t *content = varint_read(at + 1, end, &len);
        if (!content || len > (size_t)(end - content)) {
            return metrics.len;
        }
        const uint8_t *next = content + len;
        grown += (size_t)(next - at) + growth;
        if (grown > max_bytes) {
            break;
        }
        at = next;
    }
    return (size_t)(at - metrics.data);
}
