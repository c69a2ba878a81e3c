/*
 * Decides what the fields of a checked payload mean, and builds the public structs from them in one arena. The form of
 * the input is preflight.c's business: here every bound holds. Metrics of rare shape are left to rare_read.c.
 */
#include <spb/payload.h>

#include "base/error.h"
#include "codec/compress.h"
#include "codec/fields.h"
#include "codec/limits.h"
#include "codec/path.h"
#include "codec/preflight.h"
#include "codec/rare.h"
#include "codec/resolve.h"
#include "codec/value.h"

static spb_status over_limit(spb_error *err) {
    return spb_error__set(err, SPB_ERR_LIMIT, "the payload needs more heap than the limit max_heap_bytes");
}

static spb_status no_memory(const spb_rare_reader *r) {
    return spb_arena__over_budget(r->arena) ? over_limit(r->err) : spb_error__no_memory(r->err, "a decoded payload");
}

/* `at` is the byte to blame. */
static spb_status fail(const spb_rare_reader *r, spb_status status, const uint8_t *at, const char *what) {
    return spb_path__fail(r->err, status, r->wire, (size_t)(at - r->wire.data), what);
}

/* Says why a value cannot have its datatype. */
static spb_status settle_closely(const spb_rare_reader *r, spb_message place, spb_value *value, uint64_t number,
                                 const uint8_t *at) {
    spb_error why;
    spb_status status = spb_value__settle(place, value, number, &why);
    return status == SPB_OK ? SPB_OK : fail(r, status, at, why.text);
}

static inline spb_status settle(const spb_rare_reader *r, spb_message place, spb_value *value, uint64_t number,
                                const uint8_t *at) {
    return settle_plain(value, number) ? SPB_OK : settle_closely(r, place, value, number, at);
}

static inline spb_str text_in(spb_bytes bytes) {
    return (spb_str){(const char *)bytes.data, bytes.len};
}

/* `at`: where the property begins, for errors. */
static spb_status read_property(const spb_rare_reader *r, spb_bytes from, const uint8_t *at, spb_value *value) {
    uint64_t type = SPB_UNKNOWN;
    bool is_null = false;
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        const uint8_t *begin = p;
        if (scalar_next(value, PROPERTY_VALUE_INT_VALUE, &p, end)) {
            at = begin;
            continue;
        }
        if (*p == TAG(PROPERTY_VALUE_TYPE, WIRE_VARINT)) {
            p = varint_read(p + 1, end, &type);
            continue;
        }
        field f;
        field_next(&f, &p, end);
        switch (f.id) {
        case PROPERTY_VALUE_IS_NULL: is_null = f.number != 0; break;
        case PROPERTY_VALUE_PROPERTYSET_VALUE:
        case PROPERTY_VALUE_PROPERTYSETS_VALUE: return STATUS_RARE;
        case PROPERTY_VALUE_EXTENSION_VALUE:
            at = f.at;
            value->wire = SPB_WIRE_EXTENSION;
            value->as.bytes = f.bytes;
            break;
        default: break;
        }
    }
    settle_null(value, is_null);
    return settle(r, MESSAGE_PROPERTY_VALUE, value, type, at);
}

static void count_properties(spb_bytes from, size_t *keys, size_t *values) {
    const uint8_t *p = from.data, *end = p + from.len;
    *keys = *values = 0;
    while (p < end) {
        field other;
        switch (*p) {
        case TAG(PROPERTY_SET_KEYS, WIRE_BYTES): (*keys)++; break;
        case TAG(PROPERTY_SET_VALUES, WIRE_BYTES): (*values)++; break;
        default: field_next(&other, &p, end); continue;
        }
        content_next(&p, end);
    }
}

static spb_status read_set(const spb_rare_reader *r, spb_bytes from, spb_property_set *set) {
    size_t count, value_count;
    count_properties(from, &count, &value_count);
    if (count != value_count) {
        return fail(r, SPB_ERR_MALFORMED, from.data - 1, "a property set with not as many values as keys");
    }
    spb_property *items = spb_arena__calloc(r->arena, count, sizeof *items);
    if (!items) {
        return no_memory(r);
    }
    *set = (spb_property_set){items, count};
    spb_property *next_key = items, *next_value = items;
    const uint8_t *p = from.data, *end = p + from.len;
    spb_status status = SPB_OK;
    while (p < end && status == SPB_OK) {
        const uint8_t *at = p;
        field other;
        switch (*p) {
        case TAG(PROPERTY_SET_KEYS, WIRE_BYTES): (next_key++)->key = text_in(content_next(&p, end)); break;
        case TAG(PROPERTY_SET_VALUES, WIRE_BYTES):
            status = read_property(r, content_next(&p, end), at, &(next_value++)->value);
            break;
        default: field_next(&other, &p, end); break;
        }
    }
    return status;
}

static spb_status read_properties(const spb_rare_reader *r, spb_bytes from, const spb_property_set **out) {
    spb_property_set *set = spb_arena__alloc(r->arena, sizeof *set);
    *out = set;
    return set ? read_set(r, from, set) : no_memory(r);
}

/* A field that is neither a number or name of the metric nor a scalar value. */
static spb_status read_other_field(const spb_rare_reader *r, const field *f, spb_payload_metric *metric) {
    switch (f->id) {
    case METRIC_IS_HISTORICAL: metric->is_historical = f->number != 0; break;
    case METRIC_IS_TRANSIENT: metric->is_transient = f->number != 0; break;
    case METRIC_IS_NULL: metric->value.is_null = f->number != 0; break;
    case METRIC_PROPERTIES: return read_properties(r, f->bytes, &metric->properties);
    case METRIC_METADATA:
    case METRIC_DATASET_VALUE:
    case METRIC_TEMPLATE_VALUE: return STATUS_RARE;
    case METRIC_BYTES_VALUE:
    case METRIC_EXTENSION_VALUE:
        metric->value.wire = spb_schema__fields[MESSAGE_METRIC][f->id].wire;
        metric->value.as.bytes = f->bytes;
        break;
    default: break;
    }
    return SPB_OK;
}

/* `metric` is zeroed. Fields are told by their tags: what is common has one of one byte. */
static spb_status read_metric(const spb_rare_reader *r, spb_bytes from, spb_payload_metric *metric) {
    uint64_t type = SPB_UNKNOWN;
    const uint8_t *p = from.data, *end = p + from.len, *value_at = p;
    spb_status status = SPB_OK;
    metric->omit_datatype = true;
    while (p < end && status == SPB_OK) {
        const uint8_t *begin = p;
        field f;
        switch (*p) {
        case TAG(METRIC_ALIAS, WIRE_VARINT):
            metric->has_alias = true;
            p = varint_read(p + 1, end, &metric->alias);
            continue;
        case TAG(METRIC_TIMESTAMP, WIRE_VARINT):
            metric->has_timestamp = true;
            p = varint_read(p + 1, end, &metric->timestamp_ms);
            continue;
        case TAG(METRIC_DATATYPE, WIRE_VARINT):
            metric->omit_datatype = false;
            p = varint_read(p + 1, end, &type);
            continue;
        case TAG(METRIC_NAME, WIRE_BYTES): metric->name = text_in(content_next(&p, end)); continue;
        default: break;
        }
        if (!scalar_next(&metric->value, METRIC_INT_VALUE, &p, end)) {
            field_next(&f, &p, end);
            status = read_other_field(r, &f, metric);
            begin = wire_of_field(MESSAGE_METRIC, f.id) != SPB_WIRE_NONE ? begin : value_at;
        }
        value_at = begin;
    }
    settle_null(&metric->value, metric->value.is_null);
    if (status == SPB_OK && !metric->omit_datatype) {
        status = settle(r, MESSAGE_METRIC, &metric->value, type, value_at);
    }
    return status == STATUS_RARE ? spb_rare__read(r, from, metric) : status;
}

static spb_status read_payload(const spb_rare_reader *r, spb_payload *payload, size_t metric_count) {
    spb_payload_metric *metrics = spb_arena__calloc(r->arena, metric_count, sizeof *metrics);
    if (!metrics) {
        return no_memory(r);
    }
    payload->metrics = metrics;
    payload->metric_count = payload->capacity = metric_count;
    spb_status status = SPB_OK;
    const uint8_t *p = r->wire.data, *end = p + r->wire.len;
    while (p < end && status == SPB_OK) {
        if (*p == TAG(PAYLOAD_METRICS, WIRE_BYTES)) {
            status = read_metric(r, content_next(&p, end), metrics++);
            continue;
        }
        field f;
        field_next(&f, &p, end);
        switch (f.id) {
        case PAYLOAD_TIMESTAMP:
            payload->has_timestamp = true;
            payload->timestamp_ms = f.number;
            break;
        case PAYLOAD_SEQ:
            payload->has_seq = true;
            payload->seq = f.number;
            break;
        case PAYLOAD_UUID: payload->uuid = text_in(f.bytes); break;
        case PAYLOAD_BODY:
            payload->has_body = true;
            payload->body = f.bytes;
            break;
        default: break;
        }
    }
    return status;
}

static spb_status decode_plain(spb_payload **out, spb_bytes wire, const spb_limits *limits, spb_error *err) {
    *out = NULL;
    spb_preflight_size size;
    spb_status status = spb_preflight__check(wire, limits, false, &size, err);
    if (status != SPB_OK) {
        return status;
    }
    /* The payload, the copy of the input and the array of metrics may each be rounded up. */
    const uint64_t heap_bytes = size.heap_bytes + wire.len + sizeof(spb_payload) + 3 * sizeof(max_align_t);
    if (heap_bytes > limits->max_heap_bytes) {
        return over_limit(err);
    }
    spb_arena *arena = spb_arena__new(limits->max_heap_bytes);
    if (!arena) {
        return spb_error__no_memory(err, "a decoded payload");
    }
    spb_rare_reader r = {.arena = arena, .err = err};
    bool has_room = spb_arena__reserve(arena, (size_t)heap_bytes);
    spb_payload *payload = has_room ? spb_arena__calloc(arena, 1, sizeof *payload) : NULL;
    uint8_t *copy = has_room ? spb_arena__alloc(arena, wire.len) : NULL;
    if (!payload || !copy) {
        status = no_memory(&r);
        goto cleanup;
    }
    if (wire.len > 0) {
        memcpy(copy, wire.data, wire.len);
    }
    r.wire = (spb_bytes){copy, wire.len};
    status = read_payload(&r, payload, size.metric_count);
    if (status == SPB_OK) {
        payload->storage = arena;
        *out = payload;
        arena = NULL;
    }
cleanup:
    spb_arena__free(arena);
    return status;
}

/* What is wrong inside, said of the body that it was in. */
static spb_status fail_inside(spb_error *err, const spb_error *why) {
    if (why->offset == SPB_NO_OFFSET) {
        return spb_error__set(err, why->status, "body: %s", why->text);
    }
    return spb_error__set(err, why->status, "body: %s (byte %zu of the inflated body)", why->text, why->offset);
}

static size_t less(size_t from, size_t amount) {
    return amount < from ? from - amount : 0;
}

/* The payload in the body of a compressed one. What surrounds it and its inflated bytes count as its heap, as all of
 * them are there at the same time. */
static spb_status decode_inner(spb_payload **out, const spb_payload *outer, const spb_limits *limits, spb_error *err) {
    spb_compression compression;
    spb_buffer plain;
    spb_error why = {.offset = SPB_NO_OFFSET};
    spb_limits rest = *limits;
    rest.max_heap_bytes = less(rest.max_heap_bytes, spb_arena__used(outer->storage));
    spb_buffer__init(&plain);
    spb_status status = spb_compress__algorithm(&compression, outer, err);
    if (status == SPB_OK) {
        size_t max_bytes = rest.max_payload_bytes < rest.max_heap_bytes ? rest.max_payload_bytes : rest.max_heap_bytes;
        status = spb_compress__inflate(&plain, outer->body, compression, max_bytes, err);
    }
    if (status == SPB_OK) {
        rest.max_heap_bytes = less(rest.max_heap_bytes, plain.capacity);
        status = decode_plain(out, (spb_bytes){plain.data, plain.len}, &rest, &why);
        if (status != SPB_OK) {
            fail_inside(err, &why);
        } else {
            (*out)->compression = compression;
        }
    }
    spb_buffer__clear(&plain);
    return status;
}

/* Puts the payload that is inside in the place of the compressed one, or fails and leaves nothing. */
static spb_status unwrap(spb_payload **payload, const spb_limits *limits, spb_error *err) {
    spb_payload *outer = *payload, *inner = NULL;
    *payload = NULL;
    spb_status status = outer->has_body
                            ? decode_inner(&inner, outer, limits, err)
                            : spb_error__set(err, SPB_ERR_MALFORMED, "uuid: compressed, but there is no body");
    if (status == SPB_OK && spb_compress__is_compressed(inner)) {
        status = spb_error__set(err, SPB_ERR_MALFORMED, "body: a compressed payload in a compressed one");
    }
    if (status == SPB_OK) {
        if (!inner->has_seq) { /* it may stand outside alone */
            inner->has_seq = outer->has_seq;
            inner->seq = outer->seq;
        }
        *payload = inner;
        inner = NULL;
    }
    spb_payload_free(inner);
    spb_payload_free(outer);
    return status;
}

spb_status spb_payload_decode(spb_payload **out, spb_bytes wire, const spb_limits *limits, spb_error *err) {
    const spb_limits effective = spb_limits__effective(limits);
    spb_status status = decode_plain(out, wire, &effective, err);
    if (status == SPB_OK && spb_compress__is_compressed(*out)) {
        status = unwrap(out, &effective, err);
    }
    return status;
}
