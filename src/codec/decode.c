/*
 * Decides what the fields of a checked payload mean, and builds the public structs from them in one arena. The form of
 * the input is preflight.c's business: here every bound holds and nesting is limited, so plain recursion is safe.
 */
#include <spb/payload.h>

#include "base/error.h"
#include "codec/builder.h"
#include "codec/compress.h"
#include "codec/limits.h"
#include "codec/path.h"
#include "codec/preflight.h"
#include "codec/resolve.h"
#include "codec/value.h"

static spb_status read_set(spb_builder *b, spb_bytes from, spb_property_set *set);

spb_status spb_builder__fail(spb_builder *b, spb_status status, const uint8_t *at, const char *what) {
    return spb_path__fail(b->err, status, b->wire, (size_t)(at - b->wire.data), what);
}

static spb_status over_limit(spb_error *err) {
    return spb_error__set(err, SPB_ERR_LIMIT, "the payload needs more heap than the limit max_heap_bytes");
}

spb_status spb_builder__no_memory(spb_builder *b) {
    return spb_arena__over_budget(b->arena) ? over_limit(b->err) : spb_error__no_memory(b->err, "a decoded payload");
}

/* Says why a value cannot have its datatype. */
static spb_status fail_type(spb_builder *b, const spb_value *value, spb_type type, const uint8_t *at) {
    spb_value again = *value;
    spb_error why;
    spb_status status = spb_value_resolve(&again, type, &why);
    return spb_builder__fail(b, status, at, why.text);
}

/* Gives a value the datatype that stands beside it, as far as this version knows it. `at`: what to blame. */
spb_status spb_builder__settle(spb_builder *b, spb_message place, spb_value *value, uint64_t number,
                               const uint8_t *at) {
    spb_type type = (spb_type)(uint32_t)number;
    static const uint8_t only_wire[] = {
        [SPB_FLOAT] = SPB_WIRE_FLOAT,   [SPB_DOUBLE] = SPB_WIRE_DOUBLE, [SPB_BOOLEAN] = SPB_WIRE_BOOLEAN,
        [SPB_STRING] = SPB_WIRE_STRING, [SPB_INT64] = SPB_WIRE_LONG,    [SPB_UINT64] = SPB_WIRE_LONG};
    if (type > SPB_UNKNOWN && type < sizeof only_wire && only_wire[type] == value->wire && !value->is_null) {
        value->type = type; /* most values: nothing can be wrong with them */
        return SPB_OK;
    }
    if (!spb_type__fits(place, type)) {
        return spb_builder__fail(b, SPB_ERR_TYPE, at, "a datatype that cannot stand here");
    }
    if (!spb_type__is_known(type) || value->is_null) {
        value->type = type;
        return SPB_OK;
    }
    return spb_value_resolve(value, type, NULL) == SPB_OK ? SPB_OK : fail_type(b, value, type, at);
}

/* is_null wins over a value; value->wire still tells that there was one. What is neither null nor there must not pass
 * for a zero. */
static void settle_null(spb_value *value, bool is_null) {
    if (is_null) {
        *value = (spb_value){.is_null = true, .wire = value->wire};
    } else if (value->wire == SPB_WIRE_NONE) {
        *value = (spb_value){.is_null = true, .wire = SPB_WIRE_ABSENT};
    }
}

static spb_status read_set_value(spb_builder *b, const field *f, spb_value *value) {
    spb_property_set *set = spb_arena__calloc(b->arena, 1, sizeof *set);
    if (!set) {
        return spb_builder__no_memory(b);
    }
    value->as.set = set;
    return read_set(b, f->bytes, set);
}

static spb_status read_set_list(spb_builder *b, const field *f, spb_value *value) {
    size_t counts[FIELD_LIMIT] = {0};
    count_fields(f->bytes, counts);
    const size_t count = counts[PROPERTY_SET_LIST_PROPERTYSET];
    spb_property_sets *list = spb_arena__alloc(b->arena, sizeof *list);
    spb_property_set *sets = spb_arena__calloc(b->arena, count, sizeof *sets);
    if (!list || !sets) {
        return spb_builder__no_memory(b);
    }
    *list = (spb_property_sets){sets, count};
    value->as.sets = list;
    const uint8_t *p = f->bytes.data, *end = p + f->bytes.len;
    while (p < end) {
        field each;
        field_next(&each, &p, end);
        if (each.id == PROPERTY_SET_LIST_PROPERTYSET) {
            spb_status status = read_set(b, each.bytes, sets++);
            if (status != SPB_OK) {
                return status;
            }
        }
    }
    return SPB_OK;
}

static spb_status read_nested_property(spb_builder *b, const field *f, spb_value *value, const uint8_t **at) {
    spb_wire wire = wire_of_field(MESSAGE_PROPERTY_VALUE, f->id);
    if (wire == SPB_WIRE_NONE) {
        return SPB_OK;
    }
    *at = f->at;
    value->wire = (uint8_t)wire;
    switch (wire) {
    case SPB_WIRE_SET: return read_set_value(b, f, value);
    case SPB_WIRE_SET_LIST: return read_set_list(b, f, value);
    default: value->as.bytes = f->bytes; return SPB_OK;
    }
}

/* `at`: where the property begins, for errors. */
static spb_status read_property(spb_builder *b, spb_bytes from, const uint8_t *at, spb_value *value) {
    uint64_t type = SPB_UNKNOWN;
    bool is_null = false;
    const uint8_t *p = from.data, *end = p + from.len;
    spb_status status = SPB_OK;
    while (p < end && status == SPB_OK) {
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
        if (f.id == PROPERTY_VALUE_IS_NULL) {
            is_null = f.number != 0;
        } else if (f.id < FIELD_LIMIT) {
            status = read_nested_property(b, &f, value, &at);
        }
    }
    settle_null(value, is_null);
    return status == SPB_OK ? spb_builder__settle(b, MESSAGE_PROPERTY_VALUE, value, type, at) : status;
}

static spb_status read_set(spb_builder *b, spb_bytes from, spb_property_set *set) {
    size_t counts[FIELD_LIMIT] = {0};
    count_fields(from, counts);
    const size_t count = counts[PROPERTY_SET_KEYS];
    if (count != counts[PROPERTY_SET_VALUES]) {
        return spb_builder__fail(b, SPB_ERR_MALFORMED, from.data - 1, "a property set with not as many values as keys");
    }
    spb_property *items = spb_arena__calloc(b->arena, count, sizeof *items);
    if (!items) {
        return spb_builder__no_memory(b);
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
            status = read_property(b, content_next(&p, end), at, &(next_value++)->value);
            break;
        default: field_next(&other, &p, end); break;
        }
    }
    return status;
}

static spb_status read_properties(spb_builder *b, const field *f, const spb_property_set **out) {
    spb_value value = {0};
    spb_status status = read_set_value(b, f, &value);
    *out = value.as.set;
    return status;
}

/* A field that is neither a number or name of the metric nor a scalar value. */
static spb_status read_rare_field(spb_builder *b, const field *f, spb_payload_metric *metric) {
    switch (f->id) {
    case METRIC_IS_HISTORICAL: metric->is_historical = f->number != 0; return SPB_OK;
    case METRIC_IS_TRANSIENT: metric->is_transient = f->number != 0; return SPB_OK;
    case METRIC_IS_NULL: metric->value.is_null = f->number != 0; return SPB_OK;
    case METRIC_METADATA: return spb_builder__metadata(b, f->bytes, &metric->metadata);
    case METRIC_PROPERTIES: return read_properties(b, f, &metric->properties);
    default: break;
    }
    spb_wire wire = wire_of_field(MESSAGE_METRIC, f->id);
    if (wire != SPB_WIRE_NONE) {
        metric->value.wire = (uint8_t)wire;
    }
    switch (wire) {
    case SPB_WIRE_BYTES:
    case SPB_WIRE_EXTENSION: metric->value.as.bytes = f->bytes; return SPB_OK;
    case SPB_WIRE_DATASET: return spb_builder__dataset(b, f->bytes, &metric->value.as.dataset);
    case SPB_WIRE_TEMPLATE: return spb_builder__template(b, f->bytes, &metric->value.as.tmpl);
    default: return SPB_OK;
    }
}

/* `metric` is zeroed. Fields are told by their tags: what is common has one of one byte. */
spb_status spb_builder__metric(spb_builder *b, spb_bytes from, spb_payload_metric *metric) {
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
            status = read_rare_field(b, &f, metric);
            begin = f.id > METRIC_INT_VALUE ? begin : value_at;
        }
        value_at = begin;
    }
    settle_null(&metric->value, metric->value.is_null);
    if (status == SPB_OK && !metric->omit_datatype) {
        status = spb_builder__settle(b, MESSAGE_METRIC, &metric->value, type, value_at);
    }
    return status;
}

static spb_status read_payload(spb_builder *b, spb_payload *payload, size_t metric_count) {
    spb_payload_metric *metrics = spb_arena__calloc(b->arena, metric_count, sizeof *metrics);
    if (!metrics) {
        return spb_builder__no_memory(b);
    }
    payload->metrics = metrics;
    payload->metric_count = payload->capacity = metric_count;
    spb_status status = SPB_OK;
    const uint8_t *p = b->wire.data, *end = p + b->wire.len;
    while (p < end && status == SPB_OK) {
        if (*p == TAG(PAYLOAD_METRICS, WIRE_BYTES)) {
            status = spb_builder__metric(b, content_next(&p, end), metrics++);
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
        case PAYLOAD_UUID: payload->uuid = text_of(&f); break;
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
    spb_status status = spb_preflight__check(wire, limits, &size, err);
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
    spb_builder b = {.arena = arena, .err = err};
    bool has_room = spb_arena__reserve(arena, (size_t)heap_bytes);
    spb_payload *payload = has_room ? spb_arena__calloc(arena, 1, sizeof *payload) : NULL;
    uint8_t *copy = has_room ? spb_arena__alloc(arena, wire.len) : NULL;
    if (!payload || !copy) {
        status = spb_builder__no_memory(&b);
        goto cleanup;
    }
    if (wire.len > 0) {
        memcpy(copy, wire.data, wire.len);
    }
    b.wire = (spb_bytes){copy, wire.len};
    status = read_payload(&b, payload, size.metric_count);
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
