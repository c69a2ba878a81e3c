/*
 * Decides which structs of protoc-c's code a rare shape becomes. It refuses what the decoder would refuse,
 * and what the specification forbids to send. libprotobuf-c decides the bytes.
 */
#include "codec/rare.h"

#include "base/error.h"
#include "codec/encode.h"
#include "codec/library.h"
#include "codec/limits.h"
#include "codec/pack.h"
#include "codec/resolve.h"

/* What is being made. After the first failure nothing more is made. */
typedef struct maker {
    spb_writer *w; /* its limits, counts and error */
    spb_arena *arena;
    spb_status status;
} maker;

static pb_metric *make_metric(maker *m, const spb_payload_metric *metric, const spb_place *at);
static pb_set *make_set(maker *m, const spb_property_set *set, const spb_place *at);
static pb_dataset *make_dataset(maker *m, const spb_dataset *dataset, const spb_place *at);
static pb_template *make_template(maker *m, const spb_template *tmpl, const spb_place *at);

static void fail(maker *m, spb_status status, const spb_place *at, const char *what) {
    if (m->status == SPB_OK) {
        m->status = spb_place__fail(m->w->err, status, at, what);
    }
}

static void take_status(maker *m, spb_status status) {
    m->status = m->status == SPB_OK ? status : m->status;
}

static void *make_zeroed(maker *m, size_t count, size_t size) {
    void *made = m->status == SPB_OK ? spb_arena__calloc(m->arena, count, size) : NULL;
    if (!made && m->status == SPB_OK) {
        m->status = spb_arena__no_room(m->arena, "an encoded payload", m->w->err);
    }
    return made;
}

static void *make(maker *m, spb_message message) {
    const ProtobufCMessageDescriptor *descriptor = spb_schema__messages[message];
    void *made = make_zeroed(m, 1, descriptor->sizeof_message);
    if (made) {
        protobuf_c_message_init(descriptor, made);
    }
    return made;
}

/* protobuf-c's form of a text, which ends at a NUL. Absent text is left out. */
static char *make_text(maker *m, spb_str text, const spb_place *at) {
    char *made = NULL;
    if (!text.data) {
        return NULL;
    }
    if (text.len > m->w->limits->max_string_bytes) {
        fail(m, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
    } else if (!spb_utf8__is_valid(text, NULL)) {
        fail(m, SPB_ERR_NAME, at, "not UTF-8");
    } else if (memchr(text.data, '\0', text.len)) {
        fail(m, SPB_ERR_NAME, at,
             "holds a NUL, which metadata, DataSets, Templates and nested sets cannot be sent with");
    } else {
        made = make_zeroed(m, text.len + 1, 1);
    }
    if (made) {
        memcpy(made, text.data, text.len);
    }
    return made;
}

static char *make_required_text(maker *m, spb_str text, const spb_place *at) {
    if (!text.data || text.len == 0) {
        fail(m, SPB_ERR_NAME, at, "missing or empty");
    }
    return make_text(m, text, at);
}

static ProtobufCBinaryData make_bytes(maker *m, const spb_value *value, const spb_place *at) {
    ProtobufCBinaryData made = {value->as.bytes.len, (uint8_t *)(uintptr_t)value->as.bytes.data};
    const bool is_array = spb_type_is_array(value->type) && !value->is_packed;
    if (is_array) {
        made.len = spb_pack__size(value);
    }
    if (made.len > m->w->limits->max_string_bytes) {
        fail(m, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
    } else if (is_array) {
        made.data = make_zeroed(m, made.len, 1);
    }
    if (is_array && made.data && m->status == SPB_OK) {
        spb_pack__write(made.data, value);
    }
    return made;
}

/* An extension is handed through undecoded: its fields are all unknown. */
static void *make_extension(maker *m, spb_message message, spb_bytes bytes, const spb_place *at) {
    void *made;
    spb_status status = spb_library__unpack(&made, m->arena, message, bytes);
    if (status == SPB_ERR_NO_MEMORY) {
        take_status(m, spb_arena__no_room(m->arena, "an encoded payload", m->w->err));
    } else if (status != SPB_OK) {
        fail(m, status, at, "not a message");
    }
    return made;
}

static bool enter(maker *m, const spb_place *at) {
    if (m->w->depth == m->w->limits->max_depth) {
        fail(m, SPB_ERR_LIMIT, at, "nested deeper than the limit max_depth");
    }
    m->w->depth++;
    return m->status == SPB_OK;
}

/* Room for `count` messages, which there have to be; NULL: none, or a failure. */
static void *make_list(maker *m, const void *items, size_t count, const spb_place *at) {
    take_status(m, spb_writer__check_items(m->w, items, count, at));
    return count > 0 ? make_zeroed(m, count, sizeof(void *)) : NULL;
}

static pb_set_list *make_set_list(maker *m, const spb_property_sets *sets, const spb_place *at) {
    pb_set_list *made = make(m, MESSAGE_PROPERTY_SET_LIST);
    pb_set **list = make_list(m, sets->items, sets->count, at);
    for (size_t i = 0; m->status == SPB_OK && i < sets->count; i++) {
        list[i] = make_set(m, &sets->items[i], ITEM_AT(at, PROPERTY_SET_LIST, PROPERTYSET, i));
    }
    if (m->status == SPB_OK) {
        made->propertyset = list;
        made->n_propertyset = sets->count;
    }
    return made;
}

/* Fills the oneof of a metric, property, cell or parameter, which all have the members of spb_wire. */
static void put_value(maker *m, void *made, spb_message message, const spb_value *value, const spb_place *at) {
    if (m->status == SPB_OK) {
        take_status(m, spb_writer__check_value(m->w, message, value, at));
    }
    if (m->status != SPB_OK || value->is_null) {
        return;
    }
    const spb_wire wire = spb_value__wire(value);
    const uint32_t number = spb_schema__value_fields[message][wire];
    if (number == 0) {
        fail(m, SPB_ERR_TYPE, at, "a value that cannot stand here");
        return;
    }
    const ProtobufCFieldDescriptor *field = &spb_schema__messages[message]->fields[number - 1];
    void *member = (char *)made + field->offset;
    memcpy((char *)made + field->quantifier_offset, &number, sizeof number);
    const spb_place in = {at, message, number, NOT_REPEATED};
    switch (wire) {
    case SPB_WIRE_ABSENT:
    case SPB_WIRE_NONE: break;
    case SPB_WIRE_INT: *(uint32_t *)member = (uint32_t)value->as.u64; break;
    case SPB_WIRE_LONG: *(uint64_t *)member = value->as.u64; break;
    case SPB_WIRE_FLOAT: *(float *)member = value->as.f32; break;
    case SPB_WIRE_DOUBLE: *(double *)member = value->as.f64; break;
    case SPB_WIRE_BOOLEAN: *(protobuf_c_boolean *)member = value->as.boolean; break;
    case SPB_WIRE_STRING: *(char **)member = make_text(m, value->as.str, &in); break;
    case SPB_WIRE_BYTES: *(ProtobufCBinaryData *)member = make_bytes(m, value, &in); break;
    case SPB_WIRE_DATASET: *(pb_dataset **)member = make_dataset(m, value->as.dataset, &in); break;
    case SPB_WIRE_TEMPLATE: *(pb_template **)member = make_template(m, value->as.tmpl, &in); break;
    case SPB_WIRE_SET: *(pb_set **)member = make_set(m, value->as.set, &in); break;
    case SPB_WIRE_SET_LIST: *(pb_set_list **)member = make_set_list(m, value->as.sets, &in); break;
    case SPB_WIRE_EXTENSION:
        *(void **)member =
            make_extension(m, (spb_message)spb_schema__fields[message][number].message, value->as.bytes, &in);
        break;
    }
}

static pb_property *make_property(maker *m, const spb_value *value, const spb_place *at) {
    pb_property *made = make(m, MESSAGE_PROPERTY_VALUE);
    if (made) {
        made->has_type = value->type != SPB_UNKNOWN;
        made->type = value->type;
        made->has_is_null = made->is_null = value->is_null && value->wire != SPB_WIRE_ABSENT;
        put_value(m, made, MESSAGE_PROPERTY_VALUE, value, at);
    }
    return made;
}

static pb_set *make_set(maker *m, const spb_property_set *set, const spb_place *at) {
    pb_set *made = enter(m, at) ? make(m, MESSAGE_PROPERTY_SET) : NULL;
    pb_property **values = make_list(m, set->items, set->count, at);
    char **keys = set->count > 0 ? make_zeroed(m, set->count, sizeof *keys) : NULL;
    for (size_t i = 0; m->status == SPB_OK && i < set->count; i++) {
        const spb_place key = {at, MESSAGE_PROPERTY_SET, PROPERTY_SET_KEYS, i};
        keys[i] = make_text(m, set->items[i].key, &key);
        if (!set->items[i].key.data) {
            fail(m, SPB_ERR_NAME, &key, "missing");
        }
    }
    for (size_t i = 0; m->status == SPB_OK && i < set->count; i++) {
        values[i] = make_property(m, &set->items[i].value, ITEM_AT(at, PROPERTY_SET, VALUES, i));
    }
    if (m->status == SPB_OK) {
        made->keys = keys;
        made->values = values;
        made->n_keys = made->n_values = set->count;
    }
    m->w->depth--;
    return made;
}

static pb_metadata *make_metadata(maker *m, const spb_metadata *metadata, const spb_place *at) {
    pb_metadata *made = make(m, MESSAGE_META_DATA);
    if (!made) {
        return NULL;
    }
    const struct {
        unsigned number;
        spb_str text;
        char **to;
    } texts[] = {{META_DATA_CONTENT_TYPE, metadata->content_type, &made->content_type},
                 {META_DATA_FILE_NAME, metadata->file_name, &made->file_name},
                 {META_DATA_FILE_TYPE, metadata->file_type, &made->file_type},
                 {META_DATA_MD5, metadata->md5, &made->md5},
                 {META_DATA_DESCRIPTION, metadata->description, &made->description}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i].to = make_text(m, texts[i].text, &(spb_place){at, MESSAGE_META_DATA, texts[i].number, NOT_REPEATED});
    }
    made->has_is_multi_part = metadata->has_is_multi_part;
    made->is_multi_part = metadata->is_multi_part;
    made->has_size = metadata->has_size;
    made->size = metadata->size;
    made->has_seq = metadata->has_seq;
    made->seq = metadata->seq;
    return made;
}

static char *make_column(maker *m, spb_str name, spb_type type, size_t index, const spb_place *at) {
    const spb_place column = {at, MESSAGE_DATA_SET, DATA_SET_COLUMNS, index};
    if (!name.data) {
        fail(m, SPB_ERR_NAME, &column, "missing");
    }
    char *made = make_text(m, name, &column);
    if (type == SPB_UNKNOWN || !spb_type__fits(MESSAGE_DATA_SET_VALUE, type)) {
        fail(m, SPB_ERR_TYPE, ITEM_AT(at, DATA_SET, TYPES, index), "a datatype that cannot stand here");
    }
    return made;
}

/* A null cell is an element without a value: there is no is_null field. */
static pb_row *make_row(maker *m, const spb_dataset *dataset, const spb_value *cells, const spb_place *at) {
    pb_row *made = make(m, MESSAGE_ROW);
    pb_cell **elements = make_zeroed(m, dataset->column_count, sizeof *elements);
    for (size_t i = 0; m->status == SPB_OK && i < dataset->column_count; i++) {
        const spb_place place = {at, MESSAGE_ROW, ROW_ELEMENTS, i};
        elements[i] = make(m, MESSAGE_DATA_SET_VALUE);
        if (!cells[i].is_null && cells[i].type != dataset->types[i]) {
            fail(m, SPB_ERR_TYPE, &place, "not of its column's datatype");
        }
        put_value(m, elements[i], MESSAGE_DATA_SET_VALUE, &cells[i], &place);
    }
    if (m->status == SPB_OK) {
        made->elements = elements;
        made->n_elements = dataset->column_count;
    }
    return made;
}

static pb_dataset *make_dataset(maker *m, const spb_dataset *dataset, const spb_place *at) {
    const size_t column_count = dataset->column_count, row_count = dataset->row_count;
    pb_dataset *made = make(m, MESSAGE_DATA_SET);
    if (column_count > 0 && row_count > SIZE_MAX / column_count) {
        fail(m, SPB_ERR_LIMIT, at, "more cells than the limit max_metrics");
    } else if (column_count > 0 && (!dataset->columns || !dataset->types)) {
        fail(m, SPB_ERR_ARGUMENT, at, "a count without items");
    } else {
        take_status(m, spb_writer__check_items(m->w, dataset->cells, column_count * row_count, at));
        take_status(m, spb_writer__check_items(m->w, dataset, row_count, at));
    }
    char **columns = make_zeroed(m, column_count, sizeof *columns);
    uint32_t *types = make_zeroed(m, column_count, sizeof *types);
    pb_row **rows = make_zeroed(m, row_count, sizeof *rows);
    for (size_t i = 0; m->status == SPB_OK && i < column_count; i++) {
        columns[i] = make_column(m, dataset->columns[i], dataset->types[i], i, at);
        types[i] = dataset->types[i];
    }
    for (size_t i = 0; m->status == SPB_OK && i < row_count; i++) {
        const spb_value *cells = column_count > 0 ? &dataset->cells[i * column_count] : NULL;
        rows[i] = make_row(m, dataset, cells, ITEM_AT(at, DATA_SET, ROWS, i));
    }
    if (m->status == SPB_OK) {
        made->has_num_of_columns = true;
        made->num_of_columns = made->n_columns = made->n_types = column_count;
        made->n_rows = row_count;
        made->columns = columns;
        made->types = types;
        made->rows = rows;
    }
    return made;
}

static pb_parameter *make_parameter(maker *m, const spb_parameter *parameter, const spb_place *at) {
    pb_parameter *made = make(m, MESSAGE_PARAMETER);
    if (made) {
        made->name = make_required_text(m, parameter->name, FIELD_AT(at, PARAMETER, NAME));
        made->has_type = parameter->value.type != SPB_UNKNOWN;
        made->type = parameter->value.type;
        put_value(m, made, MESSAGE_PARAMETER, &parameter->value, at);
    }
    return made;
}

/* A definition is what others refer to and refers to nothing (tck-id-payloads-template-definition-ref); an instance
 * names its definition (tck-id-payloads-template-ref-instance). */
static char *make_template_ref(maker *m, const spb_template *tmpl, const spb_place *at) {
    const spb_place ref = {at, MESSAGE_TEMPLATE, TEMPLATE_TEMPLATE_REF, NOT_REPEATED};
    const bool has_ref = tmpl->template_ref.data && tmpl->template_ref.len > 0;
    if (tmpl->is_definition && has_ref) {
        fail(m, SPB_ERR_NAME, &ref, "a definition refers to no other template");
    } else if (!tmpl->is_definition && !has_ref) {
        fail(m, SPB_ERR_NAME, &ref, "an instance must name its definition");
    }
    return tmpl->is_definition ? NULL : make_text(m, tmpl->template_ref, &ref);
}

static pb_template *make_template(maker *m, const spb_template *tmpl, const spb_place *at) {
    pb_template *made = enter(m, at) ? make(m, MESSAGE_TEMPLATE) : NULL;
    char *ref = make_template_ref(m, tmpl, at);
    char *version = make_text(m, tmpl->version, FIELD_AT(at, TEMPLATE, VERSION));
    pb_metric **metrics = make_list(m, tmpl->metrics, tmpl->metric_count, at);
    pb_parameter **parameters = make_list(m, tmpl->parameters, tmpl->parameter_count, at);
    for (size_t i = 0; m->status == SPB_OK && i < tmpl->metric_count; i++) {
        metrics[i] = make_metric(m, &tmpl->metrics[i], ITEM_AT(at, TEMPLATE, METRICS, i));
    }
    for (size_t i = 0; m->status == SPB_OK && i < tmpl->parameter_count; i++) {
        parameters[i] = make_parameter(m, &tmpl->parameters[i], ITEM_AT(at, TEMPLATE, PARAMETERS, i));
    }
    if (m->status == SPB_OK) {
        made->version = version;
        made->template_ref = ref;
        made->metrics = metrics;
        made->n_metrics = tmpl->metric_count;
        made->parameters = parameters;
        made->n_parameters = tmpl->parameter_count;
        made->has_is_definition = true; /* always there (tck-id-payloads-template-is-definition) */
        made->is_definition = tmpl->is_definition;
    }
    m->w->depth--;
    return made;
}

static pb_metric *make_metric(maker *m, const spb_payload_metric *metric, const spb_place *at) {
    pb_metric *made = make(m, MESSAGE_METRIC);
    if (!made) {
        return NULL;
    }
    if (metric->name.data || !metric->has_alias) {
        made->name = make_required_text(m, metric->name, FIELD_AT(at, METRIC, NAME));
    }
    if (!metric->omit_datatype && metric->value.type == SPB_UNKNOWN) {
        fail(m, SPB_ERR_TYPE, FIELD_AT(at, METRIC, DATATYPE), "missing, and omit_datatype is not set");
    }
    made->has_alias = metric->has_alias;
    made->alias = metric->alias;
    made->has_timestamp = metric->has_timestamp;
    made->timestamp = metric->timestamp_ms;
    made->has_datatype = !metric->omit_datatype;
    made->datatype = metric->value.type;
    made->has_is_historical = made->is_historical = metric->is_historical;
    made->has_is_transient = made->is_transient = metric->is_transient;
    made->has_is_null = made->is_null = metric->value.is_null && metric->value.wire != SPB_WIRE_ABSENT;
    if (metric->metadata) {
        made->metadata = make_metadata(m, metric->metadata, FIELD_AT(at, METRIC, METADATA));
    }
    if (metric->properties) {
        made->properties = make_set(m, metric->properties, FIELD_AT(at, METRIC, PROPERTIES));
    }
    put_value(m, made, MESSAGE_METRIC, &metric->value, at);
    return made;
}

/* The fields of the message, into that which is being written. */
static void append(maker *m, const ProtobufCMessage *message) {
    if (m->status == SPB_OK && !writer_reserve(m->w, protobuf_c_message_get_packed_size(message))) {
        m->status = spb_writer__no_memory(m->w);
    }
    if (m->status == SPB_OK) {
        uint8_t *p = writer_tail(m->w);
        writer_set_tail(m->w, p + protobuf_c_message_pack(message, p));
    }
}

/* All that is made for one message goes together, and takes no more heap than a decoded payload may. */
static bool begin(maker *m, spb_writer *w) {
    *m = (maker){.w = w, .arena = spb_arena__new(w->limits->max_heap_bytes)};
    if (!m->arena) {
        m->status = spb_writer__no_memory(w);
    }
    return m->arena != NULL;
}

static spb_status end(maker *m) {
    spb_arena__free(m->arena);
    return m->status;
}

spb_status spb_rare__write_metadata(spb_writer *w, const spb_metadata *metadata, const spb_place *at) {
    maker m;
    if (begin(&m, w)) {
        pb_metric holder = SPB__PB__PAYLOAD__METRIC__INIT; /* with nothing else in it */
        holder.metadata = make_metadata(&m, metadata, FIELD_AT(at, METRIC, METADATA));
        append(&m, &holder.base);
    }
    return end(&m);
}

spb_status spb_rare__write_value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at) {
    maker m;
    if (begin(&m, w)) {
        ProtobufCMessage *holder = make(&m, message); /* likewise */
        put_value(&m, holder, message, value, at);
        append(&m, holder);
    }
    return end(&m);
}

/* Whatever is made for a check is thrown away. */
static spb_writer checker(const spb_limits *limits, spb_error *err) {
    return (spb_writer){.limits = limits, .err = err};
}

spb_status spb_encode__check_column(spb_str name, spb_type type, size_t index, spb_error *err) {
    maker m;
    const spb_limits limits = spb_limits__effective(NULL);
    spb_writer w = checker(&limits, err);
    if (begin(&m, &w)) {
        make_column(&m, name, type, index, &(spb_place){NULL, MESSAGE_DATA_SET, 0, NOT_REPEATED});
    }
    return end(&m);
}

spb_status spb_encode__check_row(const spb_dataset *dataset, const spb_value *cells, size_t row, spb_error *err) {
    maker m;
    const spb_place top = {NULL, MESSAGE_DATA_SET, 0, NOT_REPEATED};
    const spb_limits limits = spb_limits__effective(NULL);
    spb_writer w = checker(&limits, err);
    if (begin(&m, &w)) {
        make_row(&m, dataset, cells, ITEM_AT(&top, DATA_SET, ROWS, row));
    }
    return end(&m);
}

spb_status spb_encode__check_parameter(const spb_parameter *parameter, size_t index, spb_error *err) {
    maker m;
    const spb_place top = {NULL, MESSAGE_TEMPLATE, 0, NOT_REPEATED};
    const spb_limits limits = spb_limits__effective(NULL);
    spb_writer w = checker(&limits, err);
    if (begin(&m, &w)) {
        make_parameter(&m, parameter, ITEM_AT(&top, TEMPLATE, PARAMETERS, index));
    }
    return end(&m);
}
