/*
 * Decides whether bytes are a payload that may be built: form, nesting, counts, lengths. It does not recurse, so that
 * no input can exhaust the stack. What the values mean is left to decode.c.
 */
#include "codec/preflight.h"

#include "base/error.h"
#include "codec/check.h"
#include "codec/path.h"
#include "codec/schema.h"
#include "codec/wire.h"

/* A level of nesting is a template (metric, template) or a property set (list, set, property); a DataSet ends the chain
 * with three more. */
#define FRAMES_MAX (3 * 32 + 8)

/* A message that is being read. */
typedef struct frame {
    const uint8_t *end;
    uint32_t seen;   /* a bit for each field number that was there */
    uint8_t message; /* an spb_message */
} frame;

typedef struct scan {
    spb_bytes wire;
    const spb_limits *limits;
    spb_error *err;
    size_t items; /* repeated messages so far */
    size_t depth; /* templates and property sets around the present place */
    size_t frame_count;
    frame frames[FRAMES_MAX];
} scan;

static spb_status fail(scan *s, spb_status status, const uint8_t *at, const char *what) {
    return spb_path__fail(s->err, status, s->wire, (size_t)(at - s->wire.data), what);
}

/* Something needs more bytes than its message has: the input was cut, or a length in it is wrong. */
static spb_status ends_early(scan *s, const uint8_t *at, const uint8_t *end) {
    if (end == s->wire.data + s->wire.len) {
        return fail(s, SPB_ERR_TRUNCATED, at, "the input ends in this field");
    }
    return fail(s, SPB_ERR_MALFORMED, at, "the field reaches beyond the end of its message");
}

/* A varint that varint_read refused. */
static spb_status bad_varint(scan *s, const uint8_t *at, const uint8_t *p, const uint8_t *end) {
    if (end - p >= VARINT_BYTES_MAX) {
        return fail(s, SPB_ERR_MALFORMED, at, "a varint is longer than 64 bits");
    }
    return ends_early(s, at, end);
}

static spb_status count_item(scan *s, const uint8_t *at) {
    if (++s->items > s->limits->max_metrics) {
        return fail(s, SPB_ERR_LIMIT, at, "more metrics, members, properties and cells than the limit max_metrics");
    }
    return SPB_OK;
}

static bool is_level(uint8_t message) {
    return message == MESSAGE_TEMPLATE || message == MESSAGE_PROPERTY_SET;
}

static spb_status enter(scan *s, const spb_field *field, const uint8_t *at, const uint8_t *end) {
    if (is_level(field->message) && ++s->depth > s->limits->max_depth) {
        return fail(s, SPB_ERR_LIMIT, at, "nested deeper than the limit max_depth");
    }
    if (s->frame_count == FRAMES_MAX) {
        return fail(s, SPB_ERR_LIMIT, at, "nested too deep");
    }
    s->frames[s->frame_count++] = (frame){.end = end, .message = field->message};
    return field->repeated ? count_item(s, at) : SPB_OK;
}

static spb_status leave(scan *s, const uint8_t *begin_of_next) {
    const frame *done = &s->frames[--s->frame_count];
    const uint32_t identity = 1u << METRIC_NAME | 1u << METRIC_ALIAS;
    if (done->message == MESSAGE_METRIC && !(done->seen & identity)) {
        /* An empty metric has no byte of its own to point at: take its length. */
        return fail(s, SPB_ERR_MALFORMED, begin_of_next - 1, "a metric with neither name nor alias");
    }
    s->depth -= is_level(done->message);
    return SPB_OK;
}

static spb_status check_text(scan *s, const uint8_t *p, size_t len) {
    size_t bad;
    if (!spb_utf8__is_valid((spb_str){(const char *)p, len}, &bad)) {
        return fail(s, SPB_ERR_MALFORMED, p + bad, "not UTF-8");
    }
    return SPB_OK;
}

static spb_status check_numbers(scan *s, const uint8_t *at, const uint8_t *p, const uint8_t *end) {
    uint64_t ignored;
    while (p < end) {
        const uint8_t *next = varint_read(p, end, &ignored);
        if (!next) {
            return bad_varint(s, at, p, end);
        }
        p = next;
    }
    return SPB_OK;
}

/* A length-delimited field with its content from `p` to `end`. */
static spb_status check_content(scan *s, const spb_field *field, const uint8_t *at, const uint8_t *p,
                                const uint8_t *end) {
    size_t len = (size_t)(end - p);
    switch (field->kind) {
    case FIELD_UNKNOWN: return SPB_OK;
    case FIELD_MESSAGE: return enter(s, field, at, end);
    case FIELD_NUMBERS: return check_numbers(s, at, p, end);
    case FIELD_BYTES:
    case FIELD_TEXT: break;
    default: return fail(s, SPB_ERR_MALFORMED, at, "the field has the wrong wire type");
    }
    if (len > s->limits->max_string_bytes) {
        return fail(s, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
    }
    return field->kind == FIELD_TEXT ? check_text(s, p, len) : SPB_OK;
}

static bool has_form(const spb_field *field, unsigned wire_type) {
    switch (field->kind) {
    case FIELD_UNKNOWN: return true;
    case FIELD_VARINT:
    case FIELD_NUMBERS: return wire_type == WIRE_VARINT;
    case FIELD_FLOAT: return wire_type == WIRE_FIXED32;
    case FIELD_DOUBLE: return wire_type == WIRE_FIXED64;
    default: return wire_type == WIRE_BYTES;
    }
}

/* Checks the field at *p, whose message is the innermost frame, and moves *p behind it, or into it if it is a message.
 */
static spb_status check_field(scan *s, const uint8_t **p) {
    static const spb_field unknown = {.kind = FIELD_UNKNOWN};
    frame *in = &s->frames[s->frame_count - 1];
    const uint8_t *at = *p, *end = in->end;
    uint64_t tag, number;
    const uint8_t *next = varint_read(at, end, &tag);
    if (!next) {
        return bad_varint(s, at, at, end);
    }
    if (tag > UINT32_MAX || tag >> 3 == 0) {
        return fail(s, SPB_ERR_MALFORMED, at, "not a field number");
    }
    const spb_field *field = &unknown;
    if (tag >> 3 < FIELD_LIMIT) {
        field = &spb_schema__fields[in->message][tag >> 3];
        uint32_t bit = 1u << (tag >> 3);
        if (field->kind == FIELD_MESSAGE && !field->repeated && in->seen & bit) {
            return fail(s, SPB_ERR_MALFORMED, at, "a field that may stand once stands here twice");
        }
        in->seen |= bit;
    }
    unsigned wire_type = tag & 7;
    if (wire_type != WIRE_BYTES && !has_form(field, wire_type)) {
        return fail(s, SPB_ERR_MALFORMED, at, "the field has the wrong wire type");
    }
    size_t width = 0;
    switch (wire_type) {
    case WIRE_FIXED32: width = 4; break;
    case WIRE_FIXED64: width = 8; break;
    case WIRE_VARINT:
    case WIRE_BYTES: break;
    default: return fail(s, SPB_ERR_MALFORMED, at, "a wire type that Sparkplug does not use");
    }
    if (width > 0) {
        if ((size_t)(end - next) < width) {
            return ends_early(s, at, end);
        }
        *p = next + width;
        return SPB_OK;
    }
    const uint8_t *behind = varint_read(next, end, &number);
    if (!behind) {
        return bad_varint(s, at, next, end);
    }
    *p = behind;
    if (wire_type == WIRE_VARINT) {
        return SPB_OK;
    }
    if (number > (size_t)(end - behind)) {
        return ends_early(s, at, end);
    }
    if (field->kind != FIELD_MESSAGE) {
        *p = behind + number;
    }
    return check_content(s, field, at, behind, behind + number);
}

spb_status spb_preflight__check(spb_bytes wire, const spb_limits *limits, size_t *metric_count, spb_error *err) {
    if (wire.len > limits->max_payload_bytes) {
        return spb_error__set(err, SPB_ERR_LIMIT, "a payload of %zu bytes, the limit max_payload_bytes is %zu",
                              wire.len, limits->max_payload_bytes);
    }
    scan s;
    s.wire = wire;
    s.limits = limits;
    s.err = err;
    s.items = s.depth = 0;
    s.frame_count = 1;
    s.frames[0] = (frame){.end = wire.data + wire.len, .message = MESSAGE_PAYLOAD};
    *metric_count = 0;
    const uint8_t *p = wire.data;
    for (;;) {
        spb_status status;
        if (p < s.frames[s.frame_count - 1].end) {
            status = check_field(&s, &p);
        } else if (s.frame_count == 1) {
            return SPB_OK;
        } else {
            *metric_count += s.frame_count == 2;
            status = leave(&s, p);
        }
        if (status != SPB_OK) {
            return status;
        }
    }
}
