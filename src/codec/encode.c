/*
 * Decides the bytes of a payload: canonical form, fields by number, straight into the buffer. It refuses what the
 * decoder would refuse, and what the specification forbids to send. The content of single values is judged by check.c.
 */
#include "codec/encode.h"

#include "base/error.h"
#include "codec/compress.h"
#include "codec/limits.h"
#include "codec/pack.h"
#include "codec/rare.h"
#include "codec/resolve.h"

/* Room for all numbers and flags of a metric with their tags, and a value of fixed size. */
#define NUMBERS_BYTES_MAX 96

static spb_status write_array(spb_writer *w, unsigned id, const spb_value *value, const spb_place *at) {
    if (value->is_packed) {
        return spb_writer__bytes(w, id, value->as.bytes, at);
    }
    size_t len = spb_pack__size(value);
    if (len > w->limits->max_string_bytes) {
        return spb_place__fail(w->err, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
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
    /* Its field is base + spb_wire. */
    const unsigned base = (message == MESSAGE_METRIC ? METRIC_INT_VALUE : PROPERTY_VALUE_INT_VALUE) - SPB_WIRE_INT;
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
        return u64 <= UINT32_MAX ? put_number(p, base + SPB_WIRE_LONG, u64) : NULL;
    case SPB_INT64:
    case SPB_UINT64:
    case SPB_DATETIME: return put_number(p, base + SPB_WIRE_LONG, u64);
    case SPB_FLOAT:
        *p = (uint8_t)TAG(base + SPB_WIRE_FLOAT, WIRE_FIXED32);
        return fixed32_write(p + 1, float_to_bits(value->as.f32));
    case SPB_DOUBLE:
        *p = (uint8_t)TAG(base + SPB_WIRE_DOUBLE, WIRE_FIXED64);
        return fixed64_write(p + 1, double_to_bits(value->as.f64));
    case SPB_BOOLEAN: return put_number(p, base + SPB_WIRE_BOOLEAN, value->as.boolean);
    default: return NULL;
    }
    return fits ? put_number(p, base + SPB_WIRE_INT, (uint32_t)u64) : NULL;
}

/* What is left: text, bytes, arrays, everything that is wrong, and rare shapes. */
static spb_status write_other_value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at) {
    spb_status status = spb_writer__check_value(w, message, value, at);
    if (status != SPB_OK || value->is_null) {
        return status;
    }
    const spb_wire wire = spb_value__wire(value);
    const unsigned id = spb_schema__value_fields[message][wire];
    const spb_place field = {at, message, id, NOT_REPEATED};
    if (id == 0) {
        return spb_place__fail(w->err, SPB_ERR_TYPE, at, "a value that cannot stand here");
    }
    if (wire == SPB_WIRE_STRING || (wire == SPB_WIRE_BYTES && !spb_type_is_array(value->type))) {
        return spb_writer__bytes(w, id, value->as.bytes, &field);
    }
    return wire == SPB_WIRE_BYTES ? write_array(w, id, value, &field) : spb_rare__write_value(w, message, value, at);
}

static spb_status write_value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at) {
    if (!writer_reserve(w, 2 * VARINT_BYTES_MAX)) {
        return spb_writer__no_memory(w);
    }
    if (value->type == SPB_STRING && value->as.str.data && !value->is_null) {
        const unsigned id = message == MESSAGE_METRIC ? METRIC_STRING_VALUE : PROPERTY_VALUE_STRING_VALUE;
        return writer_text(w, id, value->as.str, &(spb_place){at, message, id, NOT_REPEATED});
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
        status = write_value(w, MESSAGE_PROPERTY_VALUE, value, at);
    }
    return status == SPB_OK ? writer_close(w, begin) : status;
}

static spb_status write_set(spb_writer *w, const spb_property_set *set, const spb_place *at) {
    size_t begin = 0;
    spb_status status = spb_writer__check_items(w, set->items, set->count, at);
    if (status == SPB_OK && !writer_open(w, METRIC_PROPERTIES, &begin)) {
        status = spb_writer__no_memory(w);
    }
    for (size_t i = 0; status == SPB_OK && i < set->count; i++) {
        const spb_place key = {at, MESSAGE_PROPERTY_SET, PROPERTY_SET_KEYS, i};
        status = set->items[i].key.data ? writer_text(w, PROPERTY_SET_KEYS, set->items[i].key, &key)
                                        : spb_place__fail(w->err, SPB_ERR_NAME, &key, "missing");
    }
    w->depth++;
    for (size_t i = 0; status == SPB_OK && i < set->count; i++) {
        status = write_property(w, &set->items[i].value, ITEM_AT(at, PROPERTY_SET, VALUES, i));
    }
    w->depth--;
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

/* Of few metrics: metadata, properties, and values of no fixed size. */
static APART spb_status write_parts(spb_writer *w, const spb_payload_metric *metric, const spb_place *at) {
    spb_status status = metric->metadata ? spb_rare__write_metadata(w, metric->metadata, at) : SPB_OK;
    if (status == SPB_OK && metric->properties) {
        status = write_set(w, metric->properties, FIELD_AT(at, METRIC, PROPERTIES));
    }
    return status == SPB_OK ? write_value(w, MESSAGE_METRIC, &metric->value, at) : status;
}

/* A metric's name: absent only where there is an alias. */
static APART spb_status write_name(spb_writer *w, spb_str name, const spb_place *at) {
    const spb_place place = {at, MESSAGE_METRIC, METRIC_NAME, NOT_REPEATED};
    return name.data && name.len > 0 ? writer_text(w, METRIC_NAME, name, &place)
                                     : spb_place__fail(w->err, SPB_ERR_NAME, &place, "missing or empty");
}

static APART spb_status fail_datatype(spb_writer *w, const spb_place *at) {
    return spb_place__fail(w->err, SPB_ERR_TYPE, FIELD_AT(at, METRIC, DATATYPE),
                           "missing, and omit_datatype is not set");
}

static spb_status write_metric(spb_writer *w, const spb_payload_metric *metric, const spb_place *at) {
    size_t begin = 0;
    if (!writer_reserve(w, NUMBERS_BYTES_MAX + metric->name.len) || !writer_open(w, PAYLOAD_METRICS, &begin)) {
        return spb_writer__no_memory(w);
    }
    spb_status status = SPB_OK;
    if (metric->name.data || !metric->has_alias) {
        status = write_name(w, metric->name, at);
    }
    if (status != SPB_OK) {
        return status;
    }
    if (!metric->omit_datatype && metric->value.type == SPB_UNKNOWN) {
        return fail_datatype(w, at);
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
    static const spb_place top = {NULL, MESSAGE_PAYLOAD, 0, NOT_REPEATED};
    if (payload->has_seq && payload->seq > UINT8_MAX) {
        return spb_place__fail(w->err, SPB_ERR_RANGE, FIELD_AT(NULL, PAYLOAD, SEQ), "above 255");
    }
    spb_status status = spb_writer__check_items(w, payload->metrics, payload->metric_count, &top);
    if (status == SPB_OK && payload->has_timestamp) {
        status = writer_number(w, PAYLOAD_TIMESTAMP, payload->timestamp_ms);
    }
    for (size_t i = 0; status == SPB_OK && i < payload->metric_count; i++) {
        const spb_place at = {NULL, MESSAGE_PAYLOAD, PAYLOAD_METRICS, i};
        status = write_metric(w, &payload->metrics[i], &at);
        if (status == SPB_OK && w->out->len > w->limits->max_payload_bytes) {
            status = spb_place__fail(w->err, SPB_ERR_LIMIT, &at,
                                     "the payload becomes longer than the limit max_payload_bytes");
        }
    }
    if (status == SPB_OK && payload->has_seq) {
        status = writer_number(w, PAYLOAD_SEQ, payload->seq);
    }
    if (status == SPB_OK) {
        status = writer_text(w, PAYLOAD_UUID, payload->uuid, FIELD_AT(NULL, PAYLOAD, UUID));
    }
    if (status == SPB_OK && payload->has_body) {
        status = spb_writer__bytes(w, PAYLOAD_BODY, payload->body, FIELD_AT(NULL, PAYLOAD, BODY));
    }
    if (status == SPB_OK && w->out->len > w->limits->max_payload_bytes) {
        status = spb_place__fail(w->err, SPB_ERR_LIMIT, &top, "longer than the limit max_payload_bytes");
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
    spb_status status = write_metric(&w, metric, &(spb_place){NULL, MESSAGE_METRIC, 0, NOT_REPEATED});
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

/* By encoding it: so there is one set of rules, and builders fail with the words of the encoder. */
spb_status spb_encode__check_metric(const spb_payload_metric *metric, spb_error *err) {
    spb_buffer scratch;
    spb_buffer__init(&scratch);
    spb_status status = spb_encode__metric(&scratch, metric, err);
    spb_buffer__clear(&scratch);
    return status;
}
