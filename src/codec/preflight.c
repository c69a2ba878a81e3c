/*
 * Decides whether bytes are a payload that may be built: form, nesting, counts, lengths. It does not recurse, so that
 * no input can exhaust the stack. What the values mean is left to decode.c.
 */

#include "codec/preflight.h"
#include <assert.h>

#include "base/error.h"
#include "codec/check.h"
#include "codec/library.h"
#include "codec/limits.h"
#include "codec/path.h"
#include "codec/schema.h"
#include "codec/wire.h"

/* A level of nesting is a template (metric, template) or a property set (list, set, property); a DataSet ends the chain
 * with three more. */
#define FRAMES_MAX (3 * SPB_MAX_DEPTH + 8)

/* What is allocated for each message in the arena, at most: its share of an array, or a struct of its own with arrays
 * rounded up to the arena's alignment. */
#define ROUNDED(bytes) (((bytes) + 15) / 16 * 16)
#define ARRAY_ROUNDING 16
static const uint8_t built_bytes[MESSAGE_COUNT] = {
    [MESSAGE_METRIC] = sizeof(spb_payload_metric),
    [MESSAGE_META_DATA] = ROUNDED(sizeof(spb_metadata)),
    [MESSAGE_PROPERTY_SET] = ROUNDED(sizeof(spb_property_set)) + ARRAY_ROUNDING,
    [MESSAGE_PROPERTY_VALUE] = sizeof(spb_property),
    [MESSAGE_PROPERTY_SET_LIST] = ROUNDED(sizeof(spb_property_sets)) + ARRAY_ROUNDING,
    [MESSAGE_DATA_SET] = ROUNDED(sizeof(spb_dataset)) + 3 * ARRAY_ROUNDING,
    [MESSAGE_DATA_SET_VALUE] = sizeof(spb_value),
    [MESSAGE_TEMPLATE] = ROUNDED(sizeof(spb_template)) + 2 * ARRAY_ROUNDING,
    [MESSAGE_PARAMETER] = sizeof(spb_parameter),
};

/*
 * What libprotobuf-c allocates besides, at most. An allocation has a head and is rounded up; a repeated field is an
 * array; what is unknown is kept. A list of the fields of a message is in the arena, too, if there are more than 16 of
 * them: with as many again as there are, of 32 bytes.
 */
#define ALLOCATION_BYTES (LIBRARY_HEAD_BYTES + 15)
#define LIST_BYTES (2 * 32)
#define TEXT_BYTES (ALLOCATION_BYTES + 1 + sizeof(char *) + sizeof(spb_str) + sizeof(spb_type) + sizeof(uint32_t))
#define UNKNOWN_BYTES (ALLOCATION_BYTES + sizeof(ProtobufCMessageUnknownField) + LIST_BYTES)
static const uint8_t array_count[MESSAGE_COUNT] = {[MESSAGE_TEMPLATE] = 2,
                                                   [MESSAGE_DATA_SET] = 3,
                                                   [MESSAGE_ROW] = 1,
                                                   [MESSAGE_PROPERTY_SET] = 2,
                                                   [MESSAGE_PROPERTY_SET_LIST] = 1};

static inline uint64_t unpacked_bytes(uint8_t message) {
    return spb_schema__messages[message]->sizeof_message + sizeof(void *) +
           ALLOCATION_BYTES * (uint64_t)(1 + array_count[message]);
}

/* A level of nesting counts against max_depth. What is rare is not for the direct reader, nor is the metric around it.
 */
enum { IS_LEVEL = 1, IS_RARE = 2, IS_RARE_IN_PROPERTY = 4 };
static const uint8_t traits[MESSAGE_COUNT] = {[MESSAGE_TEMPLATE] = IS_LEVEL | IS_RARE,
                                              [MESSAGE_PROPERTY_SET] = IS_LEVEL | IS_RARE_IN_PROPERTY,
                                              [MESSAGE_PROPERTY_SET_LIST] = IS_RARE,
                                              [MESSAGE_DATA_SET] = IS_RARE,
                                              [MESSAGE_META_DATA] = IS_RARE};

/* A message that is being read. What is written last and read first does not lie side by side, or it would be read in
 * one piece while it is still on its way to memory. */
typedef struct frame {
    uint32_t seen; /* a bit for each field number that was there */
    const uint8_t *end;
    uint8_t message;     /* an spb_message */
    uint32_t part_count; /* messages in it, if it is in a metric of rare shape */
} frame;

typedef struct scan {
    spb_bytes wire;
    const spb_limits *limits;
    spb_error *err;
    spb_preflight_size *size;
    size_t items;             /* repeated messages so far */
    size_t depth;             /* templates and property sets around the present place */
    const uint8_t *metric_at; /* where the payload's metric begins that is being read */
    bool is_rare;             /* the payload's metric that is being read will be unpacked by libprotobuf-c */
    bool ends_at_nul;         /* text: none may hold one */
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

/* Lengths have 32 bits: protobuf-c reads no more either. */
#define LENGTH_BYTES_MAX 5

/* A varint that varint_read refused. */
static spb_status bad_varint(scan *s, const uint8_t *at, const uint8_t *p, const uint8_t *end) {
    if (end - p >= VARINT_BYTES_MAX) {
        return fail(s, SPB_ERR_MALFORMED, at, "a varint is longer than 64 bits");
    }
    return ends_early(s, at, end);
}

static inline bool is_level(uint8_t message) {
    return traits[message] & IS_LEVEL;
}

/* Makes the metric around it rare, also what was in it before, which is counted by its bytes: too little for many flat
 * properties, but the budget of the arena holds all the same. */
static void see_rare(scan *s, const frame *in, uint8_t message, const uint8_t *at) {
    if (traits[message] & IS_RARE || in->message == MESSAGE_PROPERTY_VALUE) {
        s->is_rare = true;
        s->size->heap_bytes += unpacked_bytes(MESSAGE_METRIC) + (size_t)(at - s->metric_at);
    }
}

/* A message inside the innermost frame is whole or begins. */
static inline spb_status count_message(scan *s, frame *in, const spb_field *field, const uint8_t *at) {
    s->size->heap_bytes += built_bytes[field->message];
    if (s->is_rare) {
        s->size->heap_bytes += unpacked_bytes(field->message);
        in->part_count++;
    }
    if (field->is_repeated && ++s->items > s->limits->max_metrics) {
        return fail(s, SPB_ERR_LIMIT, at, "more metrics, members, properties and cells than the limit max_metrics");
    }
    return SPB_OK;
}

static inline spb_status enter(scan *s, const spb_field *field, const uint8_t *at, const uint8_t *end) {
    frame *in = &s->frames[s->frame_count - 1];
    if (is_level(field->message) && ++s->depth > s->limits->max_depth) {
        return fail(s, SPB_ERR_LIMIT, at, "nested deeper than the limit max_depth");
    }
    assert(s->frame_count < FRAMES_MAX);
    s->metric_at = s->frame_count == 1 ? at : s->metric_at;
    s->frames[s->frame_count++] = (frame){.end = end, .message = field->message};
    return count_message(s, in, field, at);
}

/* A metric has a name or an alias, or nobody can tell whose value it is. */
static inline bool has_identity(uint8_t message, uint32_t seen) {
    return message != MESSAGE_METRIC || (seen & (1u << METRIC_NAME | 1u << METRIC_ALIAS)) != 0;
}

static inline spb_status leave(scan *s, const uint8_t *begin_of_next) {
    const frame *done = &s->frames[--s->frame_count];
    if (!has_identity(done->message, done->seen)) {
        /* An empty metric has no byte of its own to point at: take its length. */
        return fail(s, SPB_ERR_MALFORMED, begin_of_next - 1, "a metric with neither name nor alias");
    }
    s->depth -= is_level(done->message);
    if (done->part_count > 16) {
        s->size->heap_bytes += done->part_count * LIST_BYTES;
    }
    s->is_rare = s->is_rare && s->frame_count > 1;
    return SPB_OK;
}

static spb_status check_text(scan *s, const uint8_t *p, size_t len) {
    size_t bad;
    if (!spb_utf8__is_valid((spb_str){(const char *)p, len}, &bad)) {
        return fail(s, SPB_ERR_MALFORMED, p + bad, "not UTF-8");
    }
    const uint8_t *nul = s->ends_at_nul && len > 0 ? memchr(p, '\0', len) : NULL;
    if (nul) {
        return fail(s, SPB_ERR_MALFORMED, nul, "holds a NUL, where protobuf-c would cut it");
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

/* Text and bytes are views, but for what libprotobuf-c has copied. */
static inline void count_text(scan *s, const spb_field *field, size_t len) {
    if (s->is_rare) {
        s->size->heap_bytes += len + TEXT_BYTES + (field->is_repeated ? LIST_BYTES : 0);
    }
}

/* A length-delimited field with its content from `p` to `end`. */
static spb_status check_content(scan *s, const spb_field *field, const uint8_t *at, const uint8_t *p,
                                const uint8_t *end) {
    size_t len = (size_t)(end - p);
    switch (field->kind) {
    case FIELD_UNKNOWN: return SPB_OK;
    case FIELD_MESSAGE:
        if (traits[field->message] && !s->is_rare) {
            see_rare(s, &s->frames[s->frame_count - 1], field->message, at);
        }
        return enter(s, field, at, end);
    case FIELD_NUMBERS: count_text(s, field, len * sizeof(uint32_t)); return check_numbers(s, at, p, end);
    case FIELD_BYTES:
    case FIELD_TEXT: break;
    default: return fail(s, SPB_ERR_MALFORMED, at, "the field has the wrong wire type");
    }
    if (len > s->limits->max_string_bytes) {
        return fail(s, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
    }
    count_text(s, field, len);
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

/* A tag that may stand here: what follows it, which field it is, and of which wire type. */
typedef struct tag {
    const uint8_t *behind;
    const spb_field *field;
    unsigned wire_type;
} tag;

static spb_status check_tag(scan *s, frame *in, const uint8_t *at, tag *out) {
    static const spb_field unknown = {.kind = FIELD_UNKNOWN};
    uint64_t number;
    out->behind = varint_read(at, in->end, &number);
    if (!out->behind) {
        return bad_varint(s, at, at, in->end);
    }
    out->wire_type = number & 7;
    out->field = &unknown;
    if (number > UINT32_MAX || number >> 3 == 0) {
        return fail(s, SPB_ERR_MALFORMED, at, "not a field number");
    }
    if ((size_t)(out->behind - at) > varint_len(number)) {
        /* Nobody writes this, and it lets the decoder know fields by their first byte. */
        return fail(s, SPB_ERR_MALFORMED, at, "a tag that is longer than it needs to be");
    }
    if (number >> 3 < FIELD_LIMIT) {
        const uint32_t bit = 1u << (number >> 3);
        out->field = &spb_schema__fields[in->message][number >> 3];
        if (out->field->kind == FIELD_MESSAGE && !out->field->is_repeated && in->seen & bit) {
            return fail(s, SPB_ERR_MALFORMED, at, "a field that may stand once stands here twice");
        }
        in->seen |= bit;
    }
    if (out->wire_type != WIRE_BYTES && !has_form(out->field, out->wire_type)) {
        return fail(s, SPB_ERR_MALFORMED, at, "the field has the wrong wire type");
    }
    return SPB_OK;
}

/* Checks the field at *p, whose message is the innermost frame, and moves *p behind it, or into it if it is a message.
 */
static spb_status check_field(scan *s, const uint8_t **p) {
    frame *in = &s->frames[s->frame_count - 1];
    const uint8_t *at = *p, *end = in->end;
    tag found = {0};
    spb_status status = check_tag(s, in, at, &found);
    if (status != SPB_OK) {
        return status;
    }
    size_t left = (size_t)(end - found.behind);
    uint64_t number = found.wire_type == WIRE_FIXED32 ? 4 : 8;
    const uint8_t *content = found.behind;
    switch (found.wire_type) {
    case WIRE_FIXED32:
    case WIRE_FIXED64: break;
    case WIRE_VARINT:
    case WIRE_BYTES:
        content = varint_read(found.behind, end, &number);
        if (!content) {
            return bad_varint(s, at, found.behind, end);
        }
        if (found.wire_type == WIRE_BYTES && content - found.behind > LENGTH_BYTES_MAX) {
            return fail(s, SPB_ERR_MALFORMED, at, "a length that is longer than it may be");
        }
        left = (size_t)(end - content);
        number = found.wire_type == WIRE_VARINT ? 0 : number;
        break;
    default: return fail(s, SPB_ERR_MALFORMED, at, "a wire type that Sparkplug does not use");
    }
    if (number > left) {
        return ends_early(s, at, end);
    }
    if (s->is_rare && (found.field->kind == FIELD_UNKNOWN || found.field->kind == FIELD_NUMBERS)) {
        s->size->heap_bytes += number + UNKNOWN_BYTES;
    }
    *p = found.field->kind == FIELD_MESSAGE ? content : content + number;
    return found.wire_type == WIRE_BYTES ? check_content(s, found.field, at, content, content + number) : SPB_OK;
}

/* The content of a length-delimited field whose length, below 128, stands at `p`; NULL: it needs a closer look. */
static inline const uint8_t *short_content(const uint8_t *p, const uint8_t *end, size_t max_len) {
    size_t len = p < end ? *p : SIZE_MAX;
    return len < 0x80 && len < (size_t)(end - p) && len <= max_len ? p + 1 : NULL;
}

/*
 * Most fields of most messages: known, of the right form, with a tag of one byte, and whole. This skips all of them
 * that follow one another, and leaves what it does not like to check_field, which knows everything.
 */
static inline const uint8_t *skip_plain_fields(scan *s, uint8_t message, const uint8_t *p, const uint8_t *end,
                                               uint32_t *seen) {
    const spb_field *fields = spb_schema__fields[message];
    while (p < end && *p < 0x80) {
        const unsigned number = *p >> 3, wire_type = *p & 7;
        const spb_field *field = &fields[number];
        const uint8_t *next = NULL;
        switch (field->kind) {
        case FIELD_VARINT: next = wire_type == WIRE_VARINT ? varint_skip(p + 1, end) : NULL; break;
        case FIELD_DOUBLE: next = wire_type == WIRE_FIXED64 && end - p >= 9 ? p + 9 : NULL; break;
        case FIELD_FLOAT: next = wire_type == WIRE_FIXED32 && end - p >= 5 ? p + 5 : NULL; break;
        case FIELD_TEXT:
            next = wire_type == WIRE_BYTES ? short_content(p + 1, end, s->limits->max_string_bytes) : NULL;
            if (next && !s->ends_at_nul && spb_utf8__is_ascii((spb_str){(const char *)next, p[1]})) {
                count_text(s, field, p[1]);
                next += p[1];
            } else {
                next = NULL;
            }
            break;
        default: break;
        }
        if (!next) {
            break;
        }
        *seen |= 1u << number;
        p = next;
    }
    return p;
}

/*
 * Likewise, a message that is short: moves *p behind it if it has nothing but plain fields, else into it, behind its
 * first ones. False: it needs a closer look.
 */
static inline bool read_short_message(scan *s, frame *in, const uint8_t **p, spb_status *status) {
    const uint8_t *at = *p;
    const unsigned number = *at < 0x80 ? *at >> 3 : 0;
    const spb_field *field = &spb_schema__fields[in->message][number];
    const uint32_t bit = 1u << number;
    if (field->kind != FIELD_MESSAGE || (*at & 7) != WIRE_BYTES || (!field->is_repeated && in->seen & bit)) {
        return false;
    }
    const uint8_t *content = short_content(at + 1, in->end, SIZE_MAX);
    if (!content) {
        return false;
    }
    if (traits[field->message] && !s->is_rare) {
        see_rare(s, in, field->message, at);
    }
    uint32_t seen = 0;
    const uint8_t *end = content + at[1];
    *p = skip_plain_fields(s, field->message, content, end, &seen);
    in->seen |= bit;
    if (*p == end && !is_level(field->message) && has_identity(field->message, seen)) {
        s->size->metric_count += s->frame_count == 1;
        *status = count_message(s, in, field, at);
        return true;
    }
    *status = enter(s, field, at, end);
    s->frames[s->frame_count - 1].seen = seen;
    return true;
}

spb_status spb_preflight__check(spb_bytes wire, const spb_limits *limits, bool ends_at_nul, spb_preflight_size *size,
                                spb_error *err) {
    *size = (spb_preflight_size){0};
    if (wire.len > limits->max_payload_bytes) {
        return spb_error__set(err, SPB_ERR_LIMIT, "a payload of %zu bytes, the limit max_payload_bytes is %zu",
                              wire.len, limits->max_payload_bytes);
    }
    scan s; /* its frames are set when they are entered */
    s.wire = wire;
    s.limits = limits;
    s.err = err;
    s.size = size;
    s.items = s.depth = 0;
    s.metric_at = wire.data;
    s.is_rare = false;
    s.ends_at_nul = ends_at_nul;
    s.frame_count = 1;
    s.frames[0] = (frame){.end = wire.len > 0 ? wire.data + wire.len : wire.data, .message = MESSAGE_PAYLOAD};
    const uint8_t *p = wire.data;
    spb_status status = SPB_OK;
    while (status == SPB_OK) {
        frame *in = &s.frames[s.frame_count - 1];
        p = skip_plain_fields(&s, in->message, p, in->end, &in->seen);
        if (p == in->end && s.frame_count == 1) {
            break;
        }
        if (p == in->end) {
            size->metric_count += s.frame_count == 2;
            status = leave(&s, p);
        } else if (!read_short_message(&s, in, &p, &status)) {
            status = check_field(&s, &p);
        }
    }
    return status;
}
