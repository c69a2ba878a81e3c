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

/* Room for all numbers and flags of a metric, its value included: six varints with their tags, three flags. */
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

/*
 * A nested message: its length is known only at its end. One byte is kept free for it, and what was written moves when
 * that is not enough, which is cheaper than to measure everything beforehand.
 */
static bool open_message(writer *w, unsigned id, size_t *begin) {
    if (!spb_buffer__reserve(w->out, 4)) {
        return false;
    }
    uint8_t *p = varint_write(w->out->data + w->out->len, TAG(id, WIRE_BYTES));
    w->out->len = *begin = (size_t)(p + 1 - w->out->data);
    return true;
}

static spb_status close_message(writer *w, size_t begin) {
    size_t len = w->out->len - begin;
    size_t more = varint_len(len) - 1;
    if (more > 0) {
        if (!spb_buffer__reserve(w->out, more)) {
            return no_memory(w);
        }
        memmove(w->out->data + begin + more, w->out->data + begin, len);
        w->out->len += more;
    }
    varint_write(w->out->data + begin - 1, len);
    return SPB_OK;
}

static uint8_t *put_number(uint8_t *p, unsigned id, uint64_t value) {
    return varint_write(varint_write(p, TAG(id, WIRE_VARINT)), value);
}

static spb_status write_number(writer *w, unsigned id, uint64_t value) {
    if (!spb_buffer__reserve(w->out, 2 * VARINT_BYTES_MAX)) {
        return no_memory(w);
    }
    w->out->len = (size_t)(put_number(w->out->data + w->out->len, id, value) - w->out->data);
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
    if (!spb_buffer__reserve(w->out, 2 * VARINT_BYTES_MAX + bytes.len)) {
        return no_memory(w);
    }
    uint8_t *p = varint_write(w->out->data + w->out->len, TAG(id, WIRE_BYTES));
    p = varint_write(p, bytes.len);
    if (bytes.len > 0) {
        memcpy(p, bytes.data, bytes.len);
    }
    w->out->len = (size_t)(p + bytes.len - w->out->data);
    return SPB_OK;
}

/* Text; absent text is left out. */
static spb_status write_text(writer *w, unsigned id, spb_str text, const place *up, const char *name) {
    size_t bad;
    if (!text.data) {
        return SPB_OK;
    }
    if (!spb_utf8__is_valid(text, &bad)) {
        return fail_field(w, SPB_ERR_NAME, up, name, "not UTF-8");
    }
    return write_bytes(w, id, (spb_bytes){(const uint8_t *)text.data, text.len}, up, name);
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
    size_t begin;
    if (!open_message(w, METRIC_METADATA, &begin) || !spb_buffer__reserve(w->out, NUMBERS_BYTES_MAX)) {
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

static spb_status write_fixed(writer *w, unsigned id, uint64_t bits, size_t width) {
    if (!spb_buffer__reserve(w->out, VARINT_BYTES_MAX + width)) {
        return no_memory(w);
    }
    uint8_t *p = varint_write(w->out->data + w->out->len, TAG(id, width == 4 ? WIRE_FIXED32 : WIRE_FIXED64));
    w->out->len = (size_t)(fixed_write(p, bits, width) - w->out->data);
    return SPB_OK;
}

static spb_status write_array(writer *w, unsigned id, const spb_value *value, const place *at) {
    if (value->is_packed) {
        return write_bytes(w, id, value->as.bytes, at, "bytes_value");
    }
    size_t len = spb_pack__size(value);
    if (len > w->limits->max_string_bytes) {
        return fail(w, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
    }
    if (!spb_buffer__reserve(w->out, 2 * VARINT_BYTES_MAX + len)) {
        return no_memory(w);
    }
    uint8_t *p = varint_write(w->out->data + w->out->len, TAG(id, WIRE_BYTES));
    p = spb_pack__write(varint_write(p, len), value);
    w->out->len = (size_t)(p - w->out->data);
    return SPB_OK;
}

static spb_status write_dataset(writer *w, const spb_dataset *dataset, unsigned id, const place *at);
static spb_status write_template(writer *w, const spb_template *tmpl, unsigned id, const place *at);
static spb_status write_set_list(writer *w, const spb_property_sets *sets, unsigned id, const place *at);

/* Small integers are extended to 32 bits with their sign, as int_value is a uint32. */
static uint64_t int_bits(const spb_value *value) {
    return (uint32_t)value->as.u64;
}

static spb_status write_value(writer *w, spb_message message, const spb_value *value, const place *at) {
    spb_status status = check_value(w, message, value, at);
    if (status != SPB_OK || value->is_null) {
        return status;
    }
    spb_wire wire = wire_of(value);
    unsigned id = spb_schema__value_field(message, wire);
    if (id == 0) {
        return fail(w, SPB_ERR_TYPE, at, "a value that cannot stand here");
    }
    switch (wire) {
    case SPB_WIRE_INT: return write_number(w, id, int_bits(value));
    case SPB_WIRE_LONG: return write_number(w, id, value->as.u64);
    case SPB_WIRE_FLOAT: return write_fixed(w, id, float_to_bits(value->as.f32), 4);
    case SPB_WIRE_DOUBLE: return write_fixed(w, id, double_to_bits(value->as.f64), 8);
    case SPB_WIRE_BOOLEAN: return write_number(w, id, value->as.boolean);
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
    case SPB_WIRE_NONE: break;
    }
    return fail(w, SPB_ERR_TYPE, at, "neither a value nor null");
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
    size_t begin;
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
    size_t begin;
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
    size_t begin;
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
    size_t begin;
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
    size_t begin;
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
    size_t begin;
    spb_status status = check_items(w, sets->items, sets->count, at);
    if (status == SPB_OK && !open_message(w, id, &begin)) {
        status = no_memory(w);
    }
    for (size_t i = 0; status == SPB_OK && i < sets->count; i++) {
        status = write_set(w, &sets->items[i], PROPERTY_SET_LIST_SETS, &(place){at, "propertyset", i});
    }
    return status == SPB_OK ? close_message(w, begin) : status;
}

/* Alias, timestamp, datatype and flags: fields 2 to 7, which stand together. */
static spb_status write_numbers(writer *w, const spb_payload_metric *metric, const place *at) {
    if (!metric->omit_datatype && metric->value.type == SPB_UNKNOWN) {
        return fail_field(w, SPB_ERR_TYPE, at, "datatype", "missing, and omit_datatype is not set");
    }
    if (!spb_buffer__reserve(w->out, NUMBERS_BYTES_MAX)) {
        return no_memory(w);
    }
    uint8_t *p = w->out->data + w->out->len;
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
    w->out->len = (size_t)(p - w->out->data);
    return SPB_OK;
}

static spb_status write_metric(writer *w, const spb_payload_metric *metric, unsigned id, const place *at) {
    size_t begin;
    if (!open_message(w, id, &begin)) {
        return no_memory(w);
    }
    spb_status status = SPB_OK;
    if (metric->name.data || !metric->has_alias) {
        status = write_required_text(w, METRIC_NAME, metric->name, at, "name");
    }
    if (status == SPB_OK) {
        status = write_numbers(w, metric, at);
    }
    if (status == SPB_OK && metric->metadata) {
        status = write_metadata(w, metric->metadata, at);
    }
    if (status == SPB_OK && metric->properties) {
        status = write_set(w, metric->properties, METRIC_PROPERTIES, &(place){at, "properties", NOT_REPEATED});
    }
    if (status == SPB_OK) {
        status = write_value(w, MESSAGE_METRIC, &metric->value, at);
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
    spb_status status = write_payload(&w, payload);
    if (status == SPB_OK && !spb_buffer__reserve(&out, 1)) { /* an empty payload has a pointer too */
        status = no_memory(&w);
    }
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
