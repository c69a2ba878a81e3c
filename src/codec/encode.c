/*
 * Decides the bytes of a payload: canonical form, fields by number, straight into the buffer. It refuses what the
 * decoder would refuse, and what the specification forbids to send. The content of single values is judged by check.c.
 */
#include "codec/encode.h"

#include "base/error.h"
#include "codec/compress.h"
#include "codec/limits.h"
#include "codec/pack.h"
#include "codec/resolve.h"
#include "codec/value.h"
#include "codec/writer.h"

/* Room for all numbers and flags of a metric with their tags, and a value of fixed size. */
#define NUMBERS_BYTES_MAX 96

static spb_status write_set(spb_writer *w, const spb_property_set *set, unsigned id, const spb_place *at);
static spb_status write_set_list(spb_writer *w, const spb_property_sets *sets, unsigned id, const spb_place *at);

/* Which field carries a value that is not null. */
static spb_wire wire_of(const spb_value *value) {
    switch (value->type) {
    case SPB_INT8:
    case SPB_INT16:
    case SPB_INT32:
    case SPB_UINT8:
    case SPB_UINT16: return SPB_WIRE_INT;
    case SPB_UINT32: /* the official test kit demands long_value */
    case SPB_INT64:
    case SPB_UINT64:
    case SPB_DATETIME: return SPB_WIRE_LONG;
    case SPB_FLOAT: return SPB_WIRE_FLOAT;
    case SPB_DOUBLE: return SPB_WIRE_DOUBLE;
    case SPB_BOOLEAN: return SPB_WIRE_BOOLEAN;
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: return SPB_WIRE_STRING;
    case SPB_DATASET: return SPB_WIRE_DATASET;
    case SPB_TEMPLATE: return SPB_WIRE_TEMPLATE;
    case SPB_PROPERTY_SET: return SPB_WIRE_SET;
    case SPB_PROPERTY_SET_LIST: return SPB_WIRE_SET_LIST;
    default:
        /* Decoded without a datatype, or with one of a later schema: back into the field it came from. */
        return spb_type__is_known(value->type) ? SPB_WIRE_BYTES : (spb_wire)value->wire;
    }
}

/* The value fits its datatype and may stand there. */
static spb_status check_value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at) {
    spb_value judged = *value;
    if (!spb_type__is_known(judged.type)) {
        judged.type = SPB_UNKNOWN; /* by its wire field alone */
    }
    if (!spb_type__fits(message, value->type)) {
        return spb_writer__fail(w, SPB_ERR_TYPE, at, "a datatype that cannot stand here");
    }
    if (!value->is_null && judged.type == SPB_UNKNOWN && value->wire == SPB_WIRE_NONE) {
        return spb_writer__fail(w, SPB_ERR_TYPE, at, "neither a value nor null");
    }
    spb_error why;
    spb_status status = spb_value__check(&judged, &why);
    return status == SPB_OK ? SPB_OK : spb_writer__fail(w, status, at, why.text);
}

static spb_status write_array(spb_writer *w, unsigned id, const spb_value *value, const spb_place *at) {
    if (value->is_packed) {
        return spb_writer__bytes(w, id, value->as.bytes, at, "bytes_value");
    }
    size_t len = spb_pack__size(value);
    if (len > w->limits->max_string_bytes) {
        return spb_writer__fail(w, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
    }
    if (!writer_reserve(w, 2 * VARINT_BYTES_MAX + len)) {
        return spb_writer__no_memory(w);
    }
    uint8_t *p = varint_write(writer_tail(w), TAG(id, WIRE_BYTES));
    p = spb_pack__write(varint_write(p, len), value);
    writer_set_tail(w, p);
    return SPB_OK;
}

/*
 * Writes a value of fixed size that fits its datatype, into room that is there. NULL: it is none, or does not fit.
 * Small integers are extended to 32 bits with their sign, as int_value is a uint32.
 */
static inline uint8_t *put_scalar(uint8_t *p, spb_message message, const spb_value *value) {
    const unsigned base = value_base(message);
    const int64_t i64 = value->as.i64;
    const uint64_t u64 = value->as.u64;
    bool fits;
    switch (value->type) {
    case SPB_INT8: fits = i64 == (int8_t)i64; break;
    case SPB_INT16: fits = i64 == (int16_t)i64; break;
    case SPB_INT32: fits = i64 == (int32_t)i64; break;
    case SPB_UINT8: fits = u64 <= UINT8_MAX; break;
    case SPB_UINT16: fits = u64 <= UINT16_MAX; break;
    case SPB_UINT32: /* in long_value: the official test kit demands it */
        return u64 <= UINT32_MAX ? put_number(p, base + 1, u64) : NULL;
    case SPB_INT64:
    case SPB_UINT64:
    case SPB_DATETIME: return put_number(p, base + 1, u64);
    case SPB_FLOAT:
        *p = (uint8_t)TAG(base + 2, WIRE_FIXED32);
        return fixed32_write(p + 1, float_to_bits(value->as.f32));
    case SPB_DOUBLE:
        *p = (uint8_t)TAG(base + 3, WIRE_FIXED64);
        return fixed64_write(p + 1, double_to_bits(value->as.f64));
    case SPB_BOOLEAN: return put_number(p, base + 4, value->as.boolean);
    default: return NULL;
    }
    return fits ? put_number(p, base, (uint32_t)u64) : NULL;
}

/* What is left: text, bytes, arrays, nested things, undecoded values, and everything that is wrong. */
static spb_status write_other_value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at) {
    spb_status status = check_value(w, message, value, at);
    if (status != SPB_OK || value->is_null) {
        return status;
    }
    spb_wire wire = wire_of(value);
    unsigned id = spb_schema__value_fields[message][wire];
    if (id == 0) {
        return spb_writer__fail(w, SPB_ERR_TYPE, at, "a value that cannot stand here");
    }
    spb_value raw = *value; /* of a number without datatype */
    switch (wire) {
    case SPB_WIRE_INT:
        raw.type = SPB_INT32;
        raw.as.i64 = (int32_t)(uint32_t)value->as.u64;
        break;
    case SPB_WIRE_LONG: raw.type = SPB_UINT64; break;
    case SPB_WIRE_FLOAT: raw.type = SPB_FLOAT; break;
    case SPB_WIRE_DOUBLE: raw.type = SPB_DOUBLE; break;
    case SPB_WIRE_BOOLEAN: raw.type = SPB_BOOLEAN; break;
    case SPB_WIRE_STRING:
        return spb_writer__bytes(w, id, (spb_bytes){(const uint8_t *)value->as.str.data, value->as.str.len}, at,
                                 "string_value");
    case SPB_WIRE_BYTES:
        return spb_type_is_array(value->type) ? write_array(w, id, value, at)
                                              : spb_writer__bytes(w, id, value->as.bytes, at, "bytes_value");
    case SPB_WIRE_EXTENSION: return spb_writer__bytes(w, id, value->as.bytes, at, "extension_value");
    case SPB_WIRE_DATASET:
        return spb_writer__dataset(w, value->as.dataset, id, &(spb_place){at, "dataset_value", NOT_REPEATED});
    case SPB_WIRE_TEMPLATE:
        return spb_writer__template(w, value->as.tmpl, id, &(spb_place){at, "template_value", NOT_REPEATED});
    case SPB_WIRE_SET: return write_set(w, value->as.set, id, &(spb_place){at, "propertyset_value", NOT_REPEATED});
    case SPB_WIRE_SET_LIST:
        return write_set_list(w, value->as.sets, id, &(spb_place){at, "propertysets_value", NOT_REPEATED});
    case SPB_WIRE_ABSENT:
    case SPB_WIRE_NONE: return spb_writer__fail(w, SPB_ERR_TYPE, at, "neither a value nor null");
    }
    writer_set_tail(w, put_scalar(writer_tail(w), message, &raw));
    return SPB_OK;
}

spb_status spb_writer__value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at) {
    if (!writer_reserve(w, 2 * VARINT_BYTES_MAX)) {
        return spb_writer__no_memory(w);
    }
    if (value->type == SPB_STRING && value->as.str.data && !value->is_null) {
        return writer_text(w, value_base(message) + SPB_WIRE_STRING - SPB_WIRE_INT, value->as.str, at, "string_value");
    }
    const uint8_t *behind = value->is_null ? NULL : put_scalar(writer_tail(w), message, value);
    if (!behind) {
        return write_other_value(w, message, value, at);
    }
    writer_set_tail(w, behind);
    return SPB_OK;
}

static spb_status write_property(spb_writer *w, const spb_value *value, const spb_place *at) {
    size_t begin = 0;
    if (!writer_open(w, PROPERTY_SET_VALUES, &begin)) {
        return spb_writer__no_memory(w);
    }
    spb_status status = SPB_OK;
    if (value->type != SPB_UNKNOWN) {
        status = writer_number(w, PROPERTY_VALUE_TYPE, value->type);
    }
    if (status == SPB_OK && value->is_null && value->wire != SPB_WIRE_ABSENT) {
        status = writer_number(w, PROPERTY_VALUE_IS_NULL, true);
    }
    if (status == SPB_OK) {
        status = spb_writer__value(w, MESSAGE_PROPERTY_VALUE, value, at);
    }
    return status == SPB_OK ? writer_close(w, begin) : status;
}

static spb_status write_set(spb_writer *w, const spb_property_set *set, unsigned id, const spb_place *at) {
    size_t begin = 0;
    spb_status status = spb_writer__check_depth(w, at);
    if (status == SPB_OK) {
        status = spb_writer__check_items(w, set->items, set->count, at);
    }
    if (status == SPB_OK && !writer_open(w, id, &begin)) {
        status = spb_writer__no_memory(w);
    }
    for (size_t i = 0; status == SPB_OK && i < set->count; i++) {
        const spb_place key = {at, "keys", i};
        status = set->items[i].key.data ? writer_text(w, PROPERTY_SET_KEYS, set->items[i].key, &key, NULL)
                                        : spb_writer__fail(w, SPB_ERR_NAME, &key, "missing");
    }
    w->depth++;
    for (size_t i = 0; status == SPB_OK && i < set->count; i++) {
        status = write_property(w, &set->items[i].value, &(spb_place){at, "values", i});
    }
    w->depth--;
    return status == SPB_OK ? writer_close(w, begin) : status;
}

static spb_status write_set_list(spb_writer *w, const spb_property_sets *sets, unsigned id, const spb_place *at) {
    size_t begin = 0;
    spb_status status = spb_writer__check_items(w, sets->items, sets->count, at);
    if (status == SPB_OK && !writer_open(w, id, &begin)) {
        status = spb_writer__no_memory(w);
    }
    for (size_t i = 0; status == SPB_OK && i < sets->count; i++) {
        status = write_set(w, &sets->items[i], PROPERTY_SET_LIST_PROPERTYSET, &(spb_place){at, "propertyset", i});
    }
    return status == SPB_OK ? writer_close(w, begin) : status;
}

/* Alias, timestamp, datatype and flags: fields 2 to 7, which stand together. There is room for them. */
static inline uint8_t *put_numbers(uint8_t *p, const spb_payload_metric *metric) {
    if (metric->has_alias) {
        p = put_number(p, METRIC_ALIAS, metric->alias);
    }
    if (metric->has_timestamp) {
        p = put_number(p, METRIC_TIMESTAMP, metric->timestamp_ms);
    }
    if (!metric->omit_datatype) {
        p = put_number(p, METRIC_DATATYPE, metric->value.type);
    }
    if (metric->is_historical) {
        p = put_number(p, METRIC_IS_HISTORICAL, true);
    }
    if (metric->is_transient) {
        p = put_number(p, METRIC_IS_TRANSIENT, true);
    }
    if (metric->value.is_null && metric->value.wire != SPB_WIRE_ABSENT) {
        p = put_number(p, METRIC_IS_NULL, true);
    }
    return p;
}

/* Kept apart: a place on the stack would cost the metrics without parts, which are most, the check of the stack. */
__attribute__((noinline)) static spb_status write_parts(spb_writer *w, const spb_payload_metric *metric,
                                                        const spb_place *at) {
    spb_status status = SPB_OK;
    if (metric->metadata) {
        status = spb_writer__metadata(w, metric->metadata, at);
    }
    if (status == SPB_OK && metric->properties) {
        status = write_set(w, metric->properties, METRIC_PROPERTIES, &(spb_place){at, "properties", NOT_REPEATED});
    }
    return status == SPB_OK ? spb_writer__value(w, MESSAGE_METRIC, &metric->value, at) : status;
}

spb_status spb_writer__metric(spb_writer *w, const spb_payload_metric *metric, unsigned id, const spb_place *at) {
    size_t begin = 0;
    if (!writer_reserve(w, NUMBERS_BYTES_MAX + metric->name.len) || !writer_open(w, id, &begin)) {
        return spb_writer__no_memory(w);
    }
    spb_status status = SPB_OK;
    if (metric->name.data || !metric->has_alias) {
        status = spb_writer__required_text(w, METRIC_NAME, metric->name, at, "name");
    }
    if (status != SPB_OK) {
        return status;
    }
    if (!metric->omit_datatype && metric->value.type == SPB_UNKNOWN) {
        return spb_writer__fail_field(w, SPB_ERR_TYPE, at, "datatype", "missing, and omit_datatype is not set");
    }
    uint8_t *p = put_numbers(writer_tail(w), metric);
    const bool is_plain = !metric->metadata && !metric->properties && !metric->value.is_null;
    uint8_t *behind = is_plain ? put_scalar(p, MESSAGE_METRIC, &metric->value) : NULL;
    writer_set_tail(w, behind ? behind : p);
    if (!behind) {
        status = write_parts(w, metric, at);
    }
    return status == SPB_OK ? writer_close(w, begin) : status;
}

static spb_status write_payload(spb_writer *w, const spb_payload *payload) {
    static const spb_place top = {NULL, "payload", NOT_REPEATED};
    if (payload->has_seq && payload->seq > UINT8_MAX) {
        return spb_writer__fail(w, SPB_ERR_RANGE, &(spb_place){NULL, "seq", NOT_REPEATED}, "above 255");
    }
    spb_status status = spb_writer__check_items(w, payload->metrics, payload->metric_count, &top);
    if (status == SPB_OK && payload->has_timestamp) {
        status = writer_number(w, PAYLOAD_TIMESTAMP, payload->timestamp_ms);
    }
    for (size_t i = 0; status == SPB_OK && i < payload->metric_count; i++) {
        const spb_place at = {NULL, "metrics", i};
        status = spb_writer__metric(w, &payload->metrics[i], PAYLOAD_METRICS, &at);
        if (status == SPB_OK && w->out->len > w->limits->max_payload_bytes) {
            status =
                spb_writer__fail(w, SPB_ERR_LIMIT, &at, "the payload becomes longer than the limit max_payload_bytes");
        }
    }
    if (status == SPB_OK && payload->has_seq) {
        status = writer_number(w, PAYLOAD_SEQ, payload->seq);
    }
    if (status == SPB_OK) {
        status = writer_text(w, PAYLOAD_UUID, payload->uuid, NULL, "uuid");
    }
    if (status == SPB_OK && payload->has_body) {
        status = spb_writer__bytes(w, PAYLOAD_BODY, payload->body, NULL, "body");
    }
    if (status == SPB_OK && w->out->len > w->limits->max_payload_bytes) {
        status = spb_writer__fail(w, SPB_ERR_LIMIT, &top, "longer than the limit max_payload_bytes");
    }
    return status;
}

static spb_status encode_plain(spb_buffer *out, const spb_payload *payload, const spb_limits *limits, spb_error *err) {
    spb_writer w = {.out = out, .limits = limits, .err = err};
    /* A guess that spares most of the growing; an empty payload has a pointer, too. */
    size_t guess = payload->metric_count < limits->max_metrics ? payload->metric_count * 32 + 64 : 64;
    return writer_reserve(&w, guess) ? write_payload(&w, payload) : spb_writer__no_memory(&w);
}

static spb_status encode_compressed(spb_buffer *out, const spb_payload *payload, const spb_limits *limits,
                                    spb_error *err) {
    if (spb_compress__is_compressed(payload)) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "uuid: the payload is compressed already");
    }
    spb_buffer plain, body;
    spb_buffer__init(&plain);
    spb_buffer__init(&body);
    spb_status status = encode_plain(&plain, payload, limits, err);
    if (status == SPB_OK) {
        status = spb_compress__deflate(&body, (spb_bytes){plain.data, plain.len}, payload->compression, err);
    }
    if (status == SPB_OK) {
        spb_payload_metric metric;
        const spb_payload outer = spb_compress__wrap(payload, (spb_bytes){body.data, body.len}, &metric);
        status = encode_plain(out, &outer, limits, err);
    }
    spb_buffer__clear(&plain);
    spb_buffer__clear(&body);
    return status;
}

spb_status spb_payload_encode(const spb_payload *payload, const spb_limits *limits, uint8_t **bytes, size_t *len,
                              spb_error *err) {
    *bytes = NULL;
    *len = 0;
    const spb_limits effective = spb_limits__effective(limits);
    spb_buffer out;
    spb_buffer__init(&out);
    spb_status status = payload->compression == SPB_COMPRESSION_NONE
                            ? encode_plain(&out, payload, &effective, err)
                            : encode_compressed(&out, payload, &effective, err);
    if (status == SPB_OK) {
        *bytes = out.data;
        *len = out.len;
    } else {
        spb_buffer__clear(&out);
    }
    return status;
}

spb_status spb_encode__timestamp(spb_buffer *out, uint64_t timestamp_ms) {
    spb_writer w = {.out = out};
    return writer_number(&w, PAYLOAD_TIMESTAMP, timestamp_ms);
}

spb_status spb_encode__seq(spb_buffer *out, uint8_t seq) {
    spb_writer w = {.out = out};
    return writer_number(&w, PAYLOAD_SEQ, seq);
}

spb_status spb_encode__metric(spb_buffer *out, const spb_payload_metric *metric, spb_error *err) {
    const spb_limits limits = spb_limits__effective(NULL);
    spb_writer w = {.out = out, .limits = &limits, .err = err};
    size_t before = out->len;
    spb_status status = spb_writer__metric(&w, metric, PAYLOAD_METRICS, &(spb_place){NULL, "metric", NOT_REPEATED});
    if (status != SPB_OK) {
        out->len = before;
    }
    return status;
}

/* Nothing of it needs a second look: its length takes one byte, and there is room for all of it. */
bool spb_encode__sample(spb_buffer *out, uint64_t alias, uint64_t timestamp_ms, bool is_transient,
                        const spb_value *value) {
    spb_writer w = {.out = out};
    if (value->is_null || !writer_reserve(&w, NUMBERS_BYTES_MAX)) {
        return false;
    }
    uint8_t *begin = writer_tail(&w);
    uint8_t *p = put_number(begin + 2, METRIC_ALIAS, alias);
    p = put_number(p, METRIC_TIMESTAMP, timestamp_ms);
    if (is_transient) {
        p = put_number(p, METRIC_IS_TRANSIENT, true);
    }
    p = put_scalar(p, MESSAGE_METRIC, value);
    if (!p) {
        return false;
    }
    begin[0] = (uint8_t)TAG(PAYLOAD_METRICS, WIRE_BYTES);
    begin[1] = (uint8_t)(p - begin - 2);
    writer_set_tail(&w, p);
    return true;
}
