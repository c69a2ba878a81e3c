/*
 * Decides the bytes of a payload: canonical form, fields by number, straight into the buffer. It refuses what the
 * decoder would refuse, and what the specification forbids to send. The content of single values is judged by check.c.
 */
#include "codec/encode.h"

#include <stdio.h>

#include "base/error.h"
#include "codec/check.h"
#include "codec/pack.h"
#include "codec/schema.h"
#include "codec/value.h"
#include "codec/wire.h"

/* Room for all numbers and flags of a metric with their tags, and a value of fixed size. */
#define NUMBERS_BYTES_MAX 96

/* Where the writer is, for errors; `index` is NOT_REPEATED for a field that may stand once. */
typedef struct place {
    const struct place *up;
    const char *field;
    size_t index;
} place;

#define NOT_REPEATED SIZE_MAX

typedef struct writer {
    spb_buffer *out;
    const spb_limits *limits;
    spb_error *err;
    size_t items;
    size_t depth;
} writer;

static spb_status write_metric(writer *w, const spb_payload_metric *metric, unsigned id, const place *at);
static spb_status write_set(writer *w, const spb_property_set *set, unsigned id, const place *at);

static size_t describe(char *text, size_t size, const place *at) {
    size_t len = at->up ? describe(text, size, at->up) : 0;
    const char *dot = len > 0 ? "." : "";
    int more = at->index == NOT_REPEATED ? snprintf(text + len, size - len, "%s%s", dot, at->field)
                                         : snprintf(text + len, size - len, "%s%s[%zu]", dot, at->field, at->index);
    return len + (size_t)more < size ? len + (size_t)more : size - 1;
}

static spb_status fail(writer *w, spb_status status, const place *at, const char *what) {
    char path[160];
    if (w->err) {
        describe(path, sizeof path, at);
        spb_error__set(w->err, status, "%s: %s", path, what);
    }
    return status;
}

static spb_status fail_field(writer *w, spb_status status, const place *up, const char *field, const char *what) {
    return fail(w, status, &(place){up, field, NOT_REPEATED}, what);
}

static spb_status no_memory(writer *w) {
    return spb_error__no_memory(w->err, "an encoded payload");
}

/* Room for `more` bytes; the call is only made when there is none. */
static inline bool reserve(writer *w, size_t more) {
    return more <= w->out->capacity - w->out->len || spb_buffer__reserve(w->out, more);
}

static inline uint8_t *tail(const writer *w) {
    return w->out->data + w->out->len;
}

static inline void set_tail(writer *w, const uint8_t *p) {
    w->out->len = (size_t)(p - w->out->data);
}

/*
 * A nested message: its length is known only at its end. One byte is kept free for it, and what was written moves when
 * that is not enough, which is cheaper than to measure everything beforehand.
 */
static inline bool open_message(writer *w, unsigned id, size_t *begin) {
    if (!reserve(w, VARINT_BYTES_MAX + 1)) {
        return false;
    }
    uint8_t *p = varint_write(tail(w), TAG(id, WIRE_BYTES));
    set_tail(w, p + 1);
    *begin = w->out->len;
    return true;
}

static spb_status close_long_message(writer *w, size_t begin) {
    size_t len = w->out->len - begin;
    size_t more = varint_len(len) - 1;
    if (!reserve(w, more)) {
        return no_memory(w);
    }
    memmove(w->out->data + begin + more, w->out->data + begin, len);
    w->out->len += more;
    varint_write_exactly(w->out->data + begin - 1, len);
    return SPB_OK;
}

static inline spb_status close_message(writer *w, size_t begin) {
    size_t len = w->out->len - begin;
    if (len >= 0x80) {
        return close_long_message(w, begin);
    }
    w->out->data[begin - 1] = (uint8_t)len;
    return SPB_OK;
}

/* All numbers of the schema have field numbers below 16, so their tags are one byte. */
static inline uint8_t *put_number(uint8_t *p, unsigned id, uint64_t value) {
    *p = (uint8_t)TAG(id, WIRE_VARINT);
    return varint_write(p + 1, value);
}

static inline spb_status write_number(writer *w, unsigned id, uint64_t value) {
    if (!reserve(w, 2 * VARINT_BYTES_MAX)) {
        return no_memory(w);
    }
    set_tail(w, put_number(tail(w), id, value));
    return SPB_OK;
}

/* Bytes, whose content nobody needs to look at. */
static spb_status write_bytes(writer *w, unsigned id, spb_bytes bytes, const place *up, const char *name) {
    if (bytes.len > w->limits->max_string_bytes) {
        return fail_field(w, SPB_ERR_LIMIT, up, name, "longer than the limit max_string_bytes");
    }
    if (bytes.len > 0 && !bytes.data) {
        return fail_field(w, SPB_ERR_ARGUMENT, up, name, "a length without data");
    }
    if (!reserve(w, 2 * VARINT_BYTES_MAX + bytes.len)) {
        return no_memory(w);
    }
    uint8_t *p = varint_write(tail(w), TAG(id, WIRE_BYTES));
    p = varint_write(p, bytes.len);
    if (bytes.len > 0) {
        memcpy(p, bytes.data, bytes.len);
    }
    set_tail(w, p + bytes.len);
    return SPB_OK;
}

static spb_status write_other_text(writer *w, unsigned id, spb_str text, const place *up, const char *name) {
    if (!spb_utf8__is_valid(text, NULL)) {
        return fail_field(w, SPB_ERR_NAME, up, name, "not UTF-8");
    }
    return write_bytes(w, id, (spb_bytes){(const uint8_t *)text.data, text.len}, up, name);
}

/* Text; absent text is left out. Here the short ones, which are most. */
static inline spb_status write_text(writer *w, unsigned id, spb_str text, const place *up, const char *name) {
    if (!text.data) {
        return SPB_OK;
    }
    if (text.len >= 0x80 || text.len > w->limits->max_string_bytes || !reserve(w, 2 + text.len) ||
        !spb_utf8__is_ascii(text)) {
        return write_other_text(w, id, text, up, name);
    }
    uint8_t *p = tail(w);
    p[0] = (uint8_t)TAG(id, WIRE_BYTES); /* all text fields have numbers below 16 */
    p[1] = (uint8_t)text.len;
    memcpy(p + 2, text.data, text.len);
    set_tail(w, p + 2 + text.len);
    return SPB_OK;
}

static spb_status write_required_text(writer *w, unsigned id, spb_str text, const place *up, const char *name) {
    if (!text.data || text.len == 0) {
        return fail_field(w, SPB_ERR_NAME, up, name, "missing or empty");
    }
    return write_text(w, id, text, up, name);
}

static spb_status count_items(writer *w, size_t count, const place *at) {
    if (count > w->limits->max_metrics - w->items) {
        return fail(w, SPB_ERR_LIMIT, at, "more metrics, members, properties and cells than the limit max_metrics");
    }
    w->items += count;
    return SPB_OK;
}

static spb_status check_depth(writer *w, const place *at) {
    if (w->depth == w->limits->max_depth) {
        return fail(w, SPB_ERR_LIMIT, at, "nested deeper than the limit max_depth");
    }
    return SPB_OK;
}

/* A dataset's or template's pointer says nothing of its arrays: a count needs something to count. */
static spb_status check_items(writer *w, const void *items, size_t count, const place *at) {
    if (count > 0 && !items) {
        return fail(w, SPB_ERR_ARGUMENT, at, "a count without items");
    }
    return count_items(w, count, at);
}

static spb_status write_metadata(writer *w, const spb_metadata *metadata, const place *up) {
    const place at = {up, "metadata", NOT_REPEATED};
    size_t begin = 0;
    if (!open_message(w, METRIC_METADATA, &begin) || !reserve(w, NUMBERS_BYTES_MAX)) {
        return no_memory(w);
    }
    spb_status status = SPB_OK;
    if (metadata->has_is_multi_part) {
        status = write_number(w, METADATA_IS_MULTI_PART, metadata->is_multi_part);
    }
    if (status == SPB_OK) {
        status = write_text(w, METADATA_CONTENT_TYPE, metadata->content_type, &at, "content_type");
    }
    if (status == SPB_OK && metadata->has_size) {
        status = write_number(w, METADATA_SIZE, metadata->size);
    }
    if (status == SPB_OK && metadata->has_seq) {
        status = write_number(w, METADATA_SEQ, metadata->seq);
    }
    const struct {
        unsigned id;
        spb_str text;
        const char *name;
    } texts[] = {{METADATA_FILE_NAME, metadata->file_name, "file_name"},
                 {METADATA_FILE_TYPE, metadata->file_type, "file_type"},
                 {METADATA_MD5, metadata->md5, "md5"},
                 {METADATA_DESCRIPTION, metadata->description, "description"}};
    for (size_t i = 0; status == SPB_OK && i < sizeof texts / sizeof *texts; i++) {
        status = write_text(w, texts[i].id, texts[i].text, &at, texts[i].name);
    }
    return status == SPB_OK ? close_message(w, begin) : status;
}

static spb_status write_dataset_head(writer *w, const spb_dataset *dataset, const place *at) {
    spb_status status = write_number(w, DATASET_NUM_OF_COLUMNS, dataset->column_count);
    for (size_t i = 0; status == SPB_OK && i < dataset->column_count; i++) {
        const place column = {at, "columns", i};
        status = dataset->columns[i].data ? write_text(w, DATASET_COLUMNS, dataset->columns[i], &column, "name")
                                          : fail(w, SPB_ERR_NAME, &column, "missing");
    }
    for (size_t i = 0; status == SPB_OK && i < dataset->column_count; i++) {
        spb_type type = dataset->types[i];
        if (type == SPB_UNKNOWN || !spb_schema__type_fits(MESSAGE_CELL, type)) {
            return fail(w, SPB_ERR_TYPE, &(place){at, "types", i}, "a datatype that cannot stand here");
        }
        status = write_number(w, DATASET_TYPES, type);
    }
    return status;
}

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
static spb_status check_value(writer *w, spb_message message, const spb_value *value, const place *at) {
    spb_value judged = *value;
    if (!spb_type__is_known(judged.type)) {
        judged.type = SPB_UNKNOWN; /* by its wire field alone */
    }
    if (!spb_schema__type_fits(message, value->type)) {
        return fail(w, SPB_ERR_TYPE, at, "a datatype that cannot stand here");
    }
    if (!value->is_null && judged.type == SPB_UNKNOWN && value->wire == SPB_WIRE_NONE) {
        return fail(w, SPB_ERR_TYPE, at, "neither a value nor null");
    }
    spb_error why;
    spb_status status = spb_value__check(&judged, &why);
    return status == SPB_OK ? SPB_OK : fail(w, status, at, why.text);
}

static spb_status write_array(writer *w, unsigned id, const spb_value *value, const place *at) {
    if (value->is_packed) {
        return write_bytes(w, id, value->as.bytes, at, "bytes_value");
    }
    size_t len = spb_pack__size(value);
    if (len > w->limits->max_string_bytes) {
        return fail(w, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
    }
    if (!reserve(w, 2 * VARINT_BYTES_MAX + len)) {
        return no_memory(w);
    }
    uint8_t *p = varint_write(tail(w), TAG(id, WIRE_BYTES));
    p = spb_pack__write(varint_write(p, len), value);
    set_tail(w, p);
    return SPB_OK;
}

static spb_status write_dataset(writer *w, const spb_dataset *dataset, unsigned id, const place *at);
static spb_status write_template(writer *w, const spb_template *tmpl, unsigned id, const place *at);
static spb_status write_set_list(writer *w, const spb_property_sets *sets, unsigned id, const place *at);

/*
 * Writes a value of fixed size that fits its datatype, into room that is there. NULL: it is none, or does not fit.
 * Small integers are extended to 32 bits with their sign, as int_value is a uint32.
 */
static inline uint8_t *put_scalar(uint8_t *p, spb_message message, const spb_value *value) {
    const unsigned base = spb_schema__value_base(message);
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
static spb_status write_other_value(writer *w, spb_message message, const spb_value *value, const place *at) {
    spb_status status = check_value(w, message, value, at);
    if (status != SPB_OK || value->is_null) {
        return status;
    }
    spb_wire wire = wire_of(value);
    unsigned id = spb_schema__value_field(message, wire);
    if (id == 0) {
        return fail(w, SPB_ERR_TYPE, at, "a value that cannot stand here");
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
        return write_bytes(w, id, (spb_bytes){(const uint8_t *)value->as.str.data, value->as.str.len}, at,
                           "string_value");
    case SPB_WIRE_BYTES:
        return spb_type_is_array(value->type) ? write_array(w, id, value, at)
                                              : write_bytes(w, id, value->as.bytes, at, "bytes_value");
    case SPB_WIRE_EXTENSION: return write_bytes(w, id, value->as.bytes, at, "extension_value");
    case SPB_WIRE_DATASET: return write_dataset(w, value->as.dataset, id, &(place){at, "dataset_value", NOT_REPEATED});
    case SPB_WIRE_TEMPLATE: return write_template(w, value->as.tmpl, id, &(place){at, "template_value", NOT_REPEATED});
    case SPB_WIRE_SET: return write_set(w, value->as.set, id, &(place){at, "propertyset_value", NOT_REPEATED});
    case SPB_WIRE_SET_LIST:
        return write_set_list(w, value->as.sets, id, &(place){at, "propertysets_value", NOT_REPEATED});
    case SPB_WIRE_NONE: return fail(w, SPB_ERR_TYPE, at, "neither a value nor null");
    }
    set_tail(w, put_scalar(tail(w), message, &raw));
    return SPB_OK;
}

static spb_status write_value(writer *w, spb_message message, const spb_value *value, const place *at) {
    if (!reserve(w, 2 * VARINT_BYTES_MAX)) {
        return no_memory(w);
    }
    if (value->type == SPB_STRING && value->as.str.data && !value->is_null) {
        return write_text(w, spb_schema__value_base(message) + SPB_WIRE_STRING - SPB_WIRE_INT, value->as.str, at,
                          "string_value");
    }
    const uint8_t *behind = value->is_null ? NULL : put_scalar(tail(w), message, value);
    if (!behind) {
        return write_other_value(w, message, value, at);
    }
    set_tail(w, behind);
    return SPB_OK;
}

/* A null cell is an element without a value: there is no is_null field. */
static spb_status write_row(writer *w, const spb_dataset *dataset, size_t row, const place *at) {
    size_t row_begin, begin;
    if (!open_message(w, DATASET_ROWS, &row_begin)) {
        return no_memory(w);
    }
    const place row_place = {at, "rows", row};
    for (size_t i = 0; i < dataset->column_count; i++) {
        const spb_value *cell = &dataset->cells[row * dataset->column_count + i];
        const place cell_place = {&row_place, "elements", i};
        if (!cell->is_null && cell->type != dataset->types[i]) {
            return fail(w, SPB_ERR_TYPE, &cell_place, "not of its column's datatype");
        }
        if (!open_message(w, ROW_ELEMENTS, &begin)) {
            return no_memory(w);
        }
        spb_status status = write_value(w, MESSAGE_CELL, cell, &cell_place);
        if (status == SPB_OK) {
            status = close_message(w, begin);
        }
        if (status != SPB_OK) {
            return status;
        }
    }
    return close_message(w, row_begin);
}

static spb_status write_dataset(writer *w, const spb_dataset *dataset, unsigned id, const place *at) {
    size_t begin = 0;
    if (dataset->column_count > 0 && dataset->row_count > SIZE_MAX / dataset->column_count) {
        return fail(w, SPB_ERR_LIMIT, at, "more cells than the limit max_metrics");
    }
    spb_status status = SPB_OK;
    if (dataset->column_count > 0 && (!dataset->columns || !dataset->types)) {
        status = fail(w, SPB_ERR_ARGUMENT, at, "a count without items");
    }
    if (status == SPB_OK) {
        status = check_items(w, dataset->cells, dataset->column_count * dataset->row_count, at);
    }
    if (status == SPB_OK) {
        status = count_items(w, dataset->row_count, at);
    }
    if (status == SPB_OK) {
        status = open_message(w, id, &begin) ? write_dataset_head(w, dataset, at) : no_memory(w);
    }
    for (size_t row = 0; status == SPB_OK && row < dataset->row_count; row++) {
        status = write_row(w, dataset, row, at);
    }
    return status == SPB_OK ? close_message(w, begin) : status;
}

static spb_status write_parameter(writer *w, const spb_parameter *parameter, const place *at) {
    size_t begin = 0;
    if (!open_message(w, TEMPLATE_PARAMETERS, &begin)) {
        return no_memory(w);
    }
    spb_status status = write_required_text(w, PARAMETER_NAME, parameter->name, at, "name");
    if (status == SPB_OK && parameter->value.type != SPB_UNKNOWN) {
        status = write_number(w, PARAMETER_TYPE, parameter->value.type);
    }
    if (status == SPB_OK) {
        status = write_value(w, MESSAGE_PARAMETER, &parameter->value, at);
    }
    return status == SPB_OK ? close_message(w, begin) : status;
}

/* A definition is what others refer to and refers to nothing (tck-id-payloads-template-definition-ref); an instance
 * names its definition (tck-id-payloads-template-ref-instance). */
static spb_status check_template_ref(writer *w, const spb_template *tmpl, const place *at) {
    bool has_ref = tmpl->template_ref.data && tmpl->template_ref.len > 0;
    if (tmpl->is_definition && has_ref) {
        return fail_field(w, SPB_ERR_NAME, at, "template_ref", "a definition refers to no other template");
    }
    if (!tmpl->is_definition && !has_ref) {
        return fail_field(w, SPB_ERR_NAME, at, "template_ref", "an instance must name its definition");
    }
    return SPB_OK;
}

static spb_status write_template(writer *w, const spb_template *tmpl, unsigned id, const place *at) {
    size_t begin = 0;
    spb_status status = check_depth(w, at);
    if (status == SPB_OK) {
        status = check_template_ref(w, tmpl, at);
    }
    if (status == SPB_OK) {
        status = check_items(w, tmpl->metrics, tmpl->metric_count, at);
    }
    if (status == SPB_OK) {
        status = check_items(w, tmpl->parameters, tmpl->parameter_count, at);
    }
    if (status == SPB_OK) {
        status =
            open_message(w, id, &begin) ? write_text(w, TEMPLATE_VERSION, tmpl->version, at, "version") : no_memory(w);
    }
    w->depth++;
    for (size_t i = 0; status == SPB_OK && i < tmpl->metric_count; i++) {
        status = write_metric(w, &tmpl->metrics[i], TEMPLATE_METRICS, &(place){at, "metrics", i});
    }
    w->depth--;
    for (size_t i = 0; status == SPB_OK && i < tmpl->parameter_count; i++) {
        status = write_parameter(w, &tmpl->parameters[i], &(place){at, "parameters", i});
    }
    if (status == SPB_OK && !tmpl->is_definition) {
        status = write_text(w, TEMPLATE_REF, tmpl->template_ref, at, "template_ref");
    }
    if (status == SPB_OK) { /* always there (tck-id-payloads-template-is-definition) */
        status = write_number(w, TEMPLATE_IS_DEFINITION, tmpl->is_definition);
    }
    return status == SPB_OK ? close_message(w, begin) : status;
}

static spb_status write_property(writer *w, const spb_value *value, const place *at) {
    size_t begin = 0;
    if (!open_message(w, PROPERTY_SET_VALUES, &begin)) {
        return no_memory(w);
    }
    spb_status status = SPB_OK;
    if (value->type != SPB_UNKNOWN) {
        status = write_number(w, PROPERTY_TYPE, value->type);
    }
    if (status == SPB_OK && value->is_null) {
        status = write_number(w, PROPERTY_IS_NULL, true);
    }
    if (status == SPB_OK) {
        status = write_value(w, MESSAGE_PROPERTY, value, at);
    }
    return status == SPB_OK ? close_message(w, begin) : status;
}

static spb_status write_set(writer *w, const spb_property_set *set, unsigned id, const place *at) {
    size_t begin = 0;
    spb_status status = check_depth(w, at);
    if (status == SPB_OK) {
        status = check_items(w, set->items, set->count, at);
    }
    if (status == SPB_OK && !open_message(w, id, &begin)) {
        status = no_memory(w);
    }
    for (size_t i = 0; status == SPB_OK && i < set->count; i++) {
        const place key = {at, "keys", i};
        status = set->items[i].key.data ? write_text(w, PROPERTY_SET_KEYS, set->items[i].key, at, "keys")
                                        : fail(w, SPB_ERR_NAME, &key, "missing");
    }
    w->depth++;
    for (size_t i = 0; status == SPB_OK && i < set->count; i++) {
        status = write_property(w, &set->items[i].value, &(place){at, "values", i});
    }
    w->depth--;
    return status == SPB_OK ? close_message(w, begin) : status;
}

static spb_status write_set_list(writer *w, const spb_property_sets *sets, unsigned id, const place *at) {
    size_t begin = 0;
    spb_status status = check_items(w, sets->items, sets->count, at);
    if (status == SPB_OK && !open_message(w, id, &begin)) {
        status = no_memory(w);
    }
    for (size_t i = 0; status == SPB_OK && i < sets->count; i++) {
        status = write_set(w, &sets->items[i], PROPERTY_SET_LIST_SETS, &(place){at, "propertyset", i});
    }
    return status == SPB_OK ? close_message(w, begin) : status;
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
    if (metric->value.is_null) {
        p = put_number(p, METRIC_IS_NULL, true);
    }
    return p;
}

static spb_status write_parts(writer *w, const spb_payload_metric *metric, const place *at) {
    spb_status status = SPB_OK;
    if (metric->metadata) {
        status = write_metadata(w, metric->metadata, at);
    }
    if (status == SPB_OK && metric->properties) {
        status = write_set(w, metric->properties, METRIC_PROPERTIES, &(place){at, "properties", NOT_REPEATED});
    }
    return status == SPB_OK ? write_value(w, MESSAGE_METRIC, &metric->value, at) : status;
}

static spb_status write_metric(writer *w, const spb_payload_metric *metric, unsigned id, const place *at) {
    size_t begin = 0;
    if (!reserve(w, NUMBERS_BYTES_MAX + metric->name.len) || !open_message(w, id, &begin)) {
        return no_memory(w);
    }
    spb_status status = SPB_OK;
    if (metric->name.data || !metric->has_alias) {
        status = write_required_text(w, METRIC_NAME, metric->name, at, "name");
    }
    if (status != SPB_OK) {
        return status;
    }
    if (!metric->omit_datatype && metric->value.type == SPB_UNKNOWN) {
        return fail_field(w, SPB_ERR_TYPE, at, "datatype", "missing, and omit_datatype is not set");
    }
    uint8_t *p = put_numbers(tail(w), metric);
    const bool is_plain = !metric->metadata && !metric->properties && !metric->value.is_null;
    uint8_t *behind = is_plain ? put_scalar(p, MESSAGE_METRIC, &metric->value) : NULL;
    set_tail(w, behind ? behind : p);
    if (!behind) {
        status = write_parts(w, metric, at);
    }
    return status == SPB_OK ? close_message(w, begin) : status;
}

static spb_status write_payload(writer *w, const spb_payload *payload) {
    static const place top = {NULL, "payload", NOT_REPEATED};
    if (payload->has_seq && payload->seq > UINT8_MAX) {
        return fail(w, SPB_ERR_RANGE, &(place){NULL, "seq", NOT_REPEATED}, "above 255");
    }
    spb_status status = check_items(w, payload->metrics, payload->metric_count, &top);
    if (status == SPB_OK && payload->has_timestamp) {
        status = write_number(w, PAYLOAD_TIMESTAMP, payload->timestamp_ms);
    }
    for (size_t i = 0; status == SPB_OK && i < payload->metric_count; i++) {
        const place at = {NULL, "metrics", i};
        status = write_metric(w, &payload->metrics[i], PAYLOAD_METRICS, &at);
        if (status == SPB_OK && w->out->len > w->limits->max_payload_bytes) {
            status = fail(w, SPB_ERR_LIMIT, &at, "the payload becomes longer than the limit max_payload_bytes");
        }
    }
    if (status == SPB_OK && payload->has_seq) {
        status = write_number(w, PAYLOAD_SEQ, payload->seq);
    }
    if (status == SPB_OK) {
        status = write_text(w, PAYLOAD_UUID, payload->uuid, NULL, "uuid");
    }
    if (status == SPB_OK && payload->has_body) {
        status = write_bytes(w, PAYLOAD_BODY, payload->body, NULL, "body");
    }
    if (status == SPB_OK && w->out->len > w->limits->max_payload_bytes) {
        status = fail(w, SPB_ERR_LIMIT, &top, "longer than the limit max_payload_bytes");
    }
    return status;
}

spb_status spb_payload_encode(const spb_payload *payload, const spb_limits *limits, uint8_t **bytes, size_t *len,
                              spb_error *err) {
    *bytes = NULL;
    *len = 0;
    spb_limits effective = spb_limits__effective(limits);
    spb_buffer out;
    spb_buffer__init(&out);
    writer w = {.out = &out, .limits = &effective, .err = err};
    /* A guess that spares most of the growing; an empty payload has a pointer, too. */
    size_t guess = payload->metric_count < effective.max_metrics ? payload->metric_count * 32 + 64 : 64;
    spb_status status = reserve(&w, guess) ? write_payload(&w, payload) : no_memory(&w);
    if (status == SPB_OK) {
        *bytes = out.data;
        *len = out.len;
    } else {
        spb_buffer__clear(&out);
    }
    return status;
}

spb_status spb_encode__timestamp(spb_buffer *out, uint64_t timestamp_ms) {
    writer w = {.out = out};
    return write_number(&w, PAYLOAD_TIMESTAMP, timestamp_ms);
}

spb_status spb_encode__seq(spb_buffer *out, uint8_t seq) {
    writer w = {.out = out};
    return write_number(&w, PAYLOAD_SEQ, seq);
}

spb_status spb_encode__metric(spb_buffer *out, const spb_payload_metric *metric, spb_error *err) {
    const spb_limits limits = spb_limits__effective(NULL);
    writer w = {.out = out, .limits = &limits, .err = err};
    size_t before = out->len;
    spb_status status = write_metric(&w, metric, PAYLOAD_METRICS, &(place){NULL, "metric", NOT_REPEATED});
    if (status != SPB_OK) {
        out->len = before;
    }
    return status;
}
