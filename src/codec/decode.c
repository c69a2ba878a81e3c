/*
 * Decides what the fields of a checked payload mean, and builds the public structs from them in one arena. The form of
 * the input is preflight.c's business: here every bound holds and nesting is limited, so plain recursion is safe.
 */
#include <spb/payload.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/fields.h"
#include "codec/path.h"
#include "codec/preflight.h"
#include "codec/schema.h"
#include "codec/value.h"

typedef struct builder {
    spb_arena *arena;
    spb_bytes wire; /* the copy that all views point into */
    spb_error *err;
} builder;

static spb_status read_metric(builder *b, spb_bytes from, spb_payload_metric *metric);
static spb_status read_set(builder *b, spb_bytes from, spb_property_set *set);

static spb_status fail(builder *b, spb_status status, const uint8_t *at, const char *what) {
    return spb_path__fail(b->err, status, b->wire, (size_t)(at - b->wire.data), what);
}

static spb_status over_limit(spb_error *err) {
    return spb_error__set(err, SPB_ERR_LIMIT, "the payload needs more heap than the limit max_heap_bytes");
}

static spb_status no_memory(builder *b) {
    return spb_arena__over_budget(b->arena) ? over_limit(b->err) : spb_error__no_memory(b->err, "a decoded payload");
}

static spb_str text_in(spb_bytes bytes) {
    return (spb_str){(const char *)bytes.data, bytes.len};
}

static spb_str text_of(const field *f) {
    return text_in(f->bytes);
}

/* Adds to counts[n] how many fields of the number n the message has. */
static void count_all_fields(spb_bytes from, size_t counts[FIELD_LIMIT]) {
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        unsigned id = *p >> 3;
        if (*p < 0x80 && (*p & 7) == WIRE_BYTES) { /* repeated things */
            content_next(&p, end);
        } else {
            field f;
            field_next(&f, &p, end);
            id = f.id;
        }
        if (id < FIELD_LIMIT) {
            counts[id]++;
        }
    }
}

static size_t count_fields(spb_bytes from, unsigned id) {
    size_t counts[FIELD_LIMIT] = {0};
    count_all_fields(from, counts);
    return counts[id];
}

/* Says why a value cannot have its datatype. */
static spb_status fail_type(builder *b, const spb_value *value, spb_type type, const uint8_t *at) {
    spb_value again = *value;
    spb_error why;
    spb_status status = spb_value_resolve(&again, type, &why);
    return fail(b, status, at, why.text);
}

/* Gives a value the datatype that stands beside it, as far as this version knows it. `at`: what to blame. */
static spb_status settle(builder *b, spb_message place, spb_value *value, uint64_t number, const uint8_t *at) {
    spb_type type = (spb_type)(uint32_t)number;
    static const uint8_t only_wire[] = {
        [SPB_FLOAT] = SPB_WIRE_FLOAT,   [SPB_DOUBLE] = SPB_WIRE_DOUBLE, [SPB_BOOLEAN] = SPB_WIRE_BOOLEAN,
        [SPB_STRING] = SPB_WIRE_STRING, [SPB_INT64] = SPB_WIRE_LONG,    [SPB_UINT64] = SPB_WIRE_LONG};
    if (type > SPB_UNKNOWN && type < sizeof only_wire && only_wire[type] == value->wire && !value->is_null) {
        value->type = type; /* most values: nothing can be wrong with them */
        return SPB_OK;
    }
    if (!spb_schema__type_fits(place, type)) {
        return fail(b, SPB_ERR_TYPE, at, "a datatype that cannot stand here");
    }
    if (!spb_type__is_known(type) || value->wire == SPB_WIRE_NONE || value->is_null) {
        value->type = type;
        return SPB_OK;
    }
    return spb_value_resolve(value, type, NULL) == SPB_OK ? SPB_OK : fail_type(b, value, type, at);
}

/* is_null wins over a value; value->wire still tells that there was one. */
static void make_null(spb_value *value) {
    *value = (spb_value){.is_null = true, .wire = value->wire};
}

static spb_status read_metadata(builder *b, spb_bytes from, const spb_metadata **out) {
    spb_metadata *metadata = spb_arena__calloc(b->arena, 1, sizeof *metadata);
    if (!metadata) {
        return no_memory(b);
    }
    *out = metadata;
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        field_next(&f, &p, end);
        switch (f.id) {
        case METADATA_IS_MULTI_PART:
            metadata->has_is_multi_part = true;
            metadata->is_multi_part = f.number != 0;
            break;
        case METADATA_CONTENT_TYPE: metadata->content_type = text_of(&f); break;
        case METADATA_SIZE:
            metadata->has_size = true;
            metadata->size = f.number;
            break;
        case METADATA_SEQ:
            metadata->has_seq = true;
            metadata->seq = f.number;
            break;
        case METADATA_FILE_NAME: metadata->file_name = text_of(&f); break;
        case METADATA_FILE_TYPE: metadata->file_type = text_of(&f); break;
        case METADATA_MD5: metadata->md5 = text_of(&f); break;
        case METADATA_DESCRIPTION: metadata->description = text_of(&f); break;
        default: break;
        }
    }
    return SPB_OK;
}

static spb_status read_set_value(builder *b, const field *f, spb_value *value) {
    spb_property_set *set = spb_arena__calloc(b->arena, 1, sizeof *set);
    if (!set) {
        return no_memory(b);
    }
    value->as.set = set;
    return read_set(b, f->bytes, set);
}

static spb_status read_set_list(builder *b, const field *f, spb_value *value) {
    size_t count = count_fields(f->bytes, PROPERTY_SET_LIST_SETS);
    spb_property_sets *list = spb_arena__alloc(b->arena, sizeof *list);
    spb_property_set *sets = spb_arena__calloc(b->arena, count, sizeof *sets);
    if (!list || !sets) {
        return no_memory(b);
    }
    *list = (spb_property_sets){sets, count};
    value->as.sets = list;
    const uint8_t *p = f->bytes.data, *end = p + f->bytes.len;
    while (p < end) {
        field each;
        field_next(&each, &p, end);
        if (each.id == PROPERTY_SET_LIST_SETS) {
            spb_status status = read_set(b, each.bytes, sets++);
            if (status != SPB_OK) {
                return status;
            }
        }
    }
    return SPB_OK;
}

static spb_status read_nested_property(builder *b, const field *f, spb_value *value, const uint8_t **at) {
    spb_wire wire = spb_schema__value_wire(MESSAGE_PROPERTY, f->id);
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
static spb_status read_property(builder *b, spb_bytes from, const uint8_t *at, spb_value *value) {
    uint64_t type = SPB_UNKNOWN;
    bool is_null = false;
    const uint8_t *p = from.data, *end = p + from.len;
    spb_status status = SPB_OK;
    while (p < end && status == SPB_OK) {
        const uint8_t *begin = p;
        if (scalar_next(value, PROPERTY_VALUE, &p, end)) {
            at = begin;
            continue;
        }
        if (*p == TAG(PROPERTY_TYPE, WIRE_VARINT)) {
            p = varint_read(p + 1, end, &type);
            continue;
        }
        field f;
        field_next(&f, &p, end);
        if (f.id == PROPERTY_IS_NULL) {
            is_null = f.number != 0;
        } else if (f.id < FIELD_LIMIT) {
            status = read_nested_property(b, &f, value, &at);
        }
    }
    if (is_null) {
        make_null(value);
    }
    return status == SPB_OK ? settle(b, MESSAGE_PROPERTY, value, type, at) : status;
}

static spb_status read_set(builder *b, spb_bytes from, spb_property_set *set) {
    size_t counts[FIELD_LIMIT] = {0};
    count_all_fields(from, counts);
    const size_t count = counts[PROPERTY_SET_KEYS];
    if (count != counts[PROPERTY_SET_VALUES]) {
        return fail(b, SPB_ERR_MALFORMED, from.data - 1, "a property set with not as many values as keys");
    }
    spb_property *items = spb_arena__calloc(b->arena, count, sizeof *items);
    if (!items) {
        return no_memory(b);
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

/* The value of a cell or a parameter, and where it stands. No value: null. */
static void read_plain_value(spb_message place, spb_bytes from, spb_value *value, const uint8_t **at) {
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        const uint8_t *begin = p;
        if (!scalar_next(value, spb_schema__value_base(place), &p, end)) {
            field f;
            field_next(&f, &p, end);
            if (spb_schema__value_wire(place, f.id) != SPB_WIRE_EXTENSION) {
                continue;
            }
            value->wire = SPB_WIRE_EXTENSION;
            value->as.bytes = f.bytes;
        }
        *at = begin;
    }
    value->is_null = value->wire == SPB_WIRE_NONE;
}

static spb_status read_row(builder *b, spb_bytes from, const spb_type *types, spb_value *cells) {
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        field_next(&f, &p, end);
        if (f.id != ROW_ELEMENTS) {
            continue;
        }
        const uint8_t *at = f.at;
        read_plain_value(MESSAGE_CELL, f.bytes, cells, &at);
        spb_status status = settle(b, MESSAGE_CELL, cells++, *types++, at);
        if (status != SPB_OK) {
            return status;
        }
    }
    return SPB_OK;
}

/* The first look at a DataSet: how much there is of everything. */
typedef struct dataset_counts {
    size_t columns, types, rows;
    bool has_num;
    uint64_t num;
} dataset_counts;

static dataset_counts count_dataset(spb_bytes from) {
    dataset_counts counts = {0};
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        uint8_t wire_type = *p & 7;
        field_next(&f, &p, end);
        switch (f.id) {
        case DATASET_NUM_OF_COLUMNS:
            counts.has_num = true;
            counts.num = f.number;
            break;
        case DATASET_COLUMNS: counts.columns++; break;
        case DATASET_ROWS: counts.rows++; break;
        case DATASET_TYPES: {
            const uint8_t *q = f.bytes.data;
            for (size_t i = 0; wire_type == WIRE_BYTES && i < f.bytes.len; i++) {
                counts.types += q[i] < 0x80;
            }
            counts.types += wire_type == WIRE_VARINT;
            break;
        }
        default: break;
        }
    }
    return counts;
}

static spb_status check_dataset(builder *b, spb_bytes from, const dataset_counts *counts) {
    if (counts->columns != counts->types || (counts->has_num && counts->num != counts->columns)) {
        return fail(b, SPB_ERR_MALFORMED, from.data - 1, "num_of_columns, columns and types of the DataSet disagree");
    }
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        field_next(&f, &p, end);
        if (f.id == DATASET_ROWS && count_fields(f.bytes, ROW_ELEMENTS) != counts->columns) {
            return fail(b, SPB_ERR_MALFORMED, f.at, "a row with not as many elements as there are columns");
        }
    }
    return SPB_OK;
}

/* Columns and types; the rows need all of them and come after. */
static void read_columns(spb_bytes from, spb_str *columns, spb_type *types) {
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end) {
        field f;
        uint8_t wire_type = *p & 7;
        field_next(&f, &p, end);
        if (f.id == DATASET_COLUMNS) {
            *columns++ = text_of(&f);
        } else if (f.id == DATASET_TYPES && wire_type == WIRE_VARINT) {
            *types++ = (spb_type)(uint32_t)f.number;
        } else if (f.id == DATASET_TYPES) {
            const uint8_t *q = f.bytes.data, *behind = q + f.bytes.len;
            while (q < behind) {
                uint64_t number = 0;
                q = varint_read(q, behind, &number);
                *types++ = (spb_type)(uint32_t)number;
            }
        }
    }
}

static spb_status read_dataset(builder *b, spb_bytes from, const spb_dataset **out) {
    dataset_counts counts = count_dataset(from);
    spb_status status = check_dataset(b, from, &counts);
    if (status != SPB_OK) {
        return status;
    }
    /* Each cell was counted as an element on the wire, so this product is bounded by the input. */
    size_t cell_count = counts.columns * counts.rows;
    spb_dataset *dataset = spb_arena__alloc(b->arena, sizeof *dataset);
    spb_str *columns = spb_arena__calloc(b->arena, counts.columns, sizeof *columns);
    spb_type *types = spb_arena__calloc(b->arena, counts.columns, sizeof *types);
    spb_value *cells = spb_arena__calloc(b->arena, cell_count, sizeof *cells);
    if (!dataset || !columns || !types || !cells) {
        return no_memory(b);
    }
    read_columns(from, columns, types);
    *dataset = (spb_dataset){
        .column_count = counts.columns, .columns = columns, .types = types, .row_count = counts.rows, .cells = cells};
    *out = dataset;
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end && status == SPB_OK) {
        field f;
        field_next(&f, &p, end);
        if (f.id == DATASET_ROWS) {
            status = read_row(b, f.bytes, types, cells);
            cells += counts.columns;
        }
    }
    return status;
}

static spb_status read_parameter(builder *b, const field *from, spb_parameter *parameter) {
    uint64_t type = SPB_UNKNOWN;
    const uint8_t *p = from->bytes.data, *end = p + from->bytes.len;
    while (p < end) {
        field f;
        field_next(&f, &p, end);
        if (f.id == PARAMETER_NAME) {
            parameter->name = text_of(&f);
        } else if (f.id == PARAMETER_TYPE) {
            type = f.number;
        }
    }
    const uint8_t *at = from->at;
    read_plain_value(MESSAGE_PARAMETER, from->bytes, &parameter->value, &at);
    return settle(b, MESSAGE_PARAMETER, &parameter->value, type, at);
}

static spb_status read_template(builder *b, spb_bytes from, const spb_template **out) {
    size_t counts[FIELD_LIMIT] = {0};
    count_all_fields(from, counts);
    const size_t metric_count = counts[TEMPLATE_METRICS], parameter_count = counts[TEMPLATE_PARAMETERS];
    spb_template *tmpl = spb_arena__calloc(b->arena, 1, sizeof *tmpl);
    spb_payload_metric *metrics = spb_arena__calloc(b->arena, metric_count, sizeof *metrics);
    spb_parameter *parameters = spb_arena__calloc(b->arena, parameter_count, sizeof *parameters);
    if (!tmpl || !metrics || !parameters) {
        return no_memory(b);
    }
    *tmpl = (spb_template){
        .metrics = metrics, .metric_count = metric_count, .parameters = parameters, .parameter_count = parameter_count};
    *out = tmpl;
    spb_status status = SPB_OK;
    const uint8_t *p = from.data, *end = p + from.len;
    while (p < end && status == SPB_OK) {
        field f;
        field_next(&f, &p, end);
        switch (f.id) {
        case TEMPLATE_VERSION: tmpl->version = text_of(&f); break;
        case TEMPLATE_METRICS: status = read_metric(b, f.bytes, metrics++); break;
        case TEMPLATE_PARAMETERS: status = read_parameter(b, &f, parameters++); break;
        case TEMPLATE_REF: tmpl->template_ref = text_of(&f); break;
        case TEMPLATE_IS_DEFINITION:
            tmpl->has_is_definition = true;
            tmpl->is_definition = f.number != 0;
            break;
        default: break;
        }
    }
    return status;
}

static spb_status read_properties(builder *b, const field *f, const spb_property_set **out) {
    spb_value value = {0};
    spb_status status = read_set_value(b, f, &value);
    *out = value.as.set;
    return status;
}

/* A field that is neither a number or name of the metric nor a scalar value. */
static spb_status read_rare_field(builder *b, const field *f, spb_payload_metric *metric) {
    switch (f->id) {
    case METRIC_IS_HISTORICAL: metric->is_historical = f->number != 0; return SPB_OK;
    case METRIC_IS_TRANSIENT: metric->is_transient = f->number != 0; return SPB_OK;
    case METRIC_IS_NULL: metric->value.is_null = f->number != 0; return SPB_OK;
    case METRIC_METADATA: return read_metadata(b, f->bytes, &metric->metadata);
    case METRIC_PROPERTIES: return read_properties(b, f, &metric->properties);
    default: break;
    }
    spb_wire wire = f->id < FIELD_LIMIT ? spb_schema__value_wire(MESSAGE_METRIC, f->id) : SPB_WIRE_NONE;
    if (wire != SPB_WIRE_NONE) {
        metric->value.wire = (uint8_t)wire;
    }
    switch (wire) {
    case SPB_WIRE_BYTES:
    case SPB_WIRE_EXTENSION: metric->value.as.bytes = f->bytes; return SPB_OK;
    case SPB_WIRE_DATASET: return read_dataset(b, f->bytes, &metric->value.as.dataset);
    case SPB_WIRE_TEMPLATE: return read_template(b, f->bytes, &metric->value.as.tmpl);
    default: return SPB_OK;
    }
}

/* `metric` is zeroed. Fields are told by their tags: what is common has one of one byte. */
static spb_status read_metric(builder *b, spb_bytes from, spb_payload_metric *metric) {
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
        if (!scalar_next(&metric->value, METRIC_VALUE, &p, end)) {
            field_next(&f, &p, end);
            status = read_rare_field(b, &f, metric);
            begin = f.id > METRIC_VALUE ? begin : value_at;
        }
        value_at = begin;
    }
    if (metric->value.is_null) {
        make_null(&metric->value);
    }
    if (status == SPB_OK && !metric->omit_datatype) {
        status = settle(b, MESSAGE_METRIC, &metric->value, type, value_at);
    }
    return status;
}

static spb_status read_payload(builder *b, spb_payload *payload, size_t metric_count) {
    spb_payload_metric *metrics = spb_arena__calloc(b->arena, metric_count, sizeof *metrics);
    if (!metrics) {
        return no_memory(b);
    }
    payload->metrics = metrics;
    payload->metric_count = metric_count;
    spb_status status = SPB_OK;
    const uint8_t *p = b->wire.data, *end = p + b->wire.len;
    while (p < end && status == SPB_OK) {
        field f;
        field_next(&f, &p, end);
        switch (f.id) {
        case PAYLOAD_METRICS: status = read_metric(b, f.bytes, metrics++); break;
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

spb_status spb_payload_decode(spb_payload **out, spb_bytes wire, const spb_limits *limits, spb_error *err) {
    *out = NULL;
    spb_limits effective = spb_limits__effective(limits);
    spb_tally tally;
    spb_status status = spb_preflight__check(wire, &effective, &tally, err);
    if (status != SPB_OK) {
        return status;
    }
    /* The payload, the copy of the input and the array of metrics may each be rounded up. */
    const size_t heap_bytes = sizeof(spb_payload) + wire.len + tally.heap_bytes + 3 * sizeof(max_align_t);
    if (heap_bytes > effective.max_heap_bytes) {
        return over_limit(err);
    }
    spb_arena *arena = spb_arena__new(effective.max_heap_bytes);
    if (!arena) {
        return spb_error__no_memory(err, "a decoded payload");
    }
    builder b = {.arena = arena, .err = err};
    bool has_room = spb_arena__reserve(arena, heap_bytes);
    spb_payload *payload = has_room ? spb_arena__calloc(arena, 1, sizeof *payload) : NULL;
    uint8_t *copy = has_room ? spb_arena__alloc(arena, wire.len) : NULL;
    if (!payload || !copy) {
        status = no_memory(&b);
        goto cleanup;
    }
    if (wire.len > 0) {
        memcpy(copy, wire.data, wire.len);
    }
    b.wire = (spb_bytes){copy, wire.len};
    status = read_payload(&b, payload, tally.metric_count);
    if (status == SPB_OK) {
        payload->storage = arena;
        *out = payload;
        arena = NULL;
    }
cleanup:
    spb_arena__free(arena);
    return status;
}
