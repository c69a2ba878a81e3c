/*
 * Decides what the structs mean that libprotobuf-c unpacks of a metric of rare shape. The form of the input is
 * preflight.c's business: every bound holds and nesting is limited, so plain recursion is safe.
 */
#include "codec/rare.h"

#include "base/error.h"
#include "codec/library.h"
#include "codec/path.h"
#include "codec/resolve.h"

typedef struct rare_source {
    spb_rare_reader to;
    spb_bytes from;    /* the metric that was unpacked */
    spb_status status; /* of the first failure; after it, what is read does not count */
} rare_source;

static void read_metric(rare_source *r, const pb_metric *from, spb_payload_metric *metric, const spb_place *at);
static void read_set(rare_source *r, const pb_set *from, spb_property_set *set, const spb_place *at);
static const spb_dataset *read_dataset(rare_source *r, const pb_dataset *from, const spb_place *at);
static const spb_template *read_template(rare_source *r, const pb_template *from, const spb_place *at);

/* Blames the field at the place; or its length, if what is wrong is how much there is in it. */
static void fail_at(rare_source *r, spb_status status, const spb_place *at, bool is_count, const char *what) {
    const uint8_t *tag;
    if (r->status == SPB_OK) {
        const spb_bytes content = spb_place__find(at, r->from, &tag);
        const uint8_t *blamed = is_count ? content.data - 1 : tag;
        r->status = spb_path__fail(r->to.err, status, r->to.wire, (size_t)(blamed - r->to.wire.data), what);
    }
}

static void *take(rare_source *r, size_t count, size_t size) {
    void *taken = r->status == SPB_OK ? spb_arena__calloc(r->to.arena, count, size) : NULL;
    if (!taken && r->status == SPB_OK) {
        r->status = spb_arena__no_room(r->to.arena, "the payload", r->to.err);
    }
    return taken;
}

static const spb_property_set *read_new_set(rare_source *r, const pb_set *from, const spb_place *at) {
    spb_property_set *set = take(r, 1, sizeof *set);
    if (set) {
        read_set(r, from, set, at);
    }
    return set;
}

static const spb_property_sets *read_set_list(rare_source *r, const pb_set_list *from, const spb_place *at) {
    spb_property_sets *sets = take(r, 1, sizeof *sets);
    spb_property_set *items = take(r, from->n_propertyset, sizeof *items);
    for (size_t i = 0; r->status == SPB_OK && i < from->n_propertyset; i++) {
        read_set(r, from->propertyset[i], &items[i], ITEM_AT(at, PROPERTY_SET_LIST, PROPERTYSET, i));
    }
    if (r->status == SPB_OK) {
        *sets = (spb_property_sets){items, from->n_propertyset};
    }
    return sets;
}

static spb_bytes read_extension(rare_source *r, const ProtobufCMessage *from) {
    spb_bytes bytes = {NULL, 0};
    if (r->status == SPB_OK && !spb_library__pack_to(r->to.arena, from, &bytes)) {
        r->status = spb_arena__no_room(r->to.arena, "the payload", r->to.err);
    }
    return bytes;
}

/* The oneof of a metric, property, cell or parameter, which all have the members of spb_wire. */
static void read_member(rare_source *r, const void *member, spb_value *value, const spb_place *at) {
    switch ((spb_wire)value->wire) {
    case SPB_WIRE_ABSENT:
    case SPB_WIRE_NONE: break;
    case SPB_WIRE_INT: value->as.u64 = *(const uint32_t *)member; break;
    case SPB_WIRE_LONG: value->as.u64 = *(const uint64_t *)member; break;
    case SPB_WIRE_FLOAT: value->as.f32 = *(const float *)member; break;
    case SPB_WIRE_DOUBLE: value->as.f64 = *(const double *)member; break;
    case SPB_WIRE_BOOLEAN: value->as.boolean = *(const protobuf_c_boolean *)member != 0; break;
    case SPB_WIRE_STRING: value->as.str = spb_library__text(*(char *const *)member); break;
    case SPB_WIRE_BYTES: {
        const ProtobufCBinaryData *bytes = member;
        value->as.bytes = (spb_bytes){bytes->data ? bytes->data : (const uint8_t *)"", bytes->len};
        break;
    }
    case SPB_WIRE_DATASET: value->as.dataset = read_dataset(r, *(pb_dataset *const *)member, at); break;
    case SPB_WIRE_TEMPLATE: value->as.tmpl = read_template(r, *(pb_template *const *)member, at); break;
    case SPB_WIRE_SET: value->as.set = read_new_set(r, *(pb_set *const *)member, at); break;
    case SPB_WIRE_SET_LIST: value->as.sets = read_set_list(r, *(pb_set_list *const *)member, at); break;
    case SPB_WIRE_EXTENSION: value->as.bytes = read_extension(r, *(ProtobufCMessage *const *)member); break;
    }
}

/* `type`: the datatype beside the value, NULL for none. Nothing there, where a message has no is_null: null. */
static void read_value(rare_source *r, const void *from, spb_message message, spb_value *value, const uint32_t *type,
                       bool is_null, const spb_place *at) {
    const ProtobufCFieldDescriptor *fields = spb_schema__messages[message]->fields;
    const unsigned first = spb_schema__value_fields[message][SPB_WIRE_INT];
    uint32_t number;
    memcpy(&number, (const char *)from + fields[first - 1].quantifier_offset, sizeof number);
    const spb_place in = {at, message, number, NOT_REPEATED};
    if (number > 0) {
        value->wire = spb_schema__fields[message][number].wire;
        read_member(r, (const char *)from + fields[number - 1].offset, value, &in);
    }
    if (message == MESSAGE_METRIC || message == MESSAGE_PROPERTY_VALUE) {
        settle_null(value, is_null);
    } else {
        value->is_null = number == 0;
    }
    spb_error why;
    if (r->status == SPB_OK && type) {
        const spb_status status = spb_value__settle(message, value, *type, &why);
        if (status != SPB_OK) {
            fail_at(r, status, number > 0 ? &in : at, false, why.text);
        }
    }
}

static void read_set(rare_source *r, const pb_set *from, spb_property_set *set, const spb_place *at) {
    if (from->n_keys != from->n_values) {
        fail_at(r, SPB_ERR_MALFORMED, at, true, "a property set with not as many values as keys");
    }
    spb_property *items = take(r, from->n_keys, sizeof *items);
    for (size_t i = 0; r->status == SPB_OK && i < from->n_keys; i++) {
        const pb_property *value = from->values[i];
        const uint32_t type = value->has_type ? value->type : SPB_UNKNOWN;
        items[i].key = spb_library__text(from->keys[i]);
        read_value(r, value, MESSAGE_PROPERTY_VALUE, &items[i].value, &type, value->has_is_null && value->is_null,
                   ITEM_AT(at, PROPERTY_SET, VALUES, i));
    }
    *set = (spb_property_set){items, from->n_keys};
}

static const spb_metadata *read_metadata(rare_source *r, const pb_metadata *from) {
    spb_metadata *metadata = take(r, 1, sizeof *metadata);
    if (metadata) {
        *metadata = (spb_metadata){.has_is_multi_part = from->has_is_multi_part != 0,
                                   .is_multi_part = from->is_multi_part != 0,
                                   .has_size = from->has_size != 0,
                                   .size = from->size,
                                   .has_seq = from->has_seq != 0,
                                   .seq = from->seq,
                                   .content_type = spb_library__text(from->content_type),
                                   .file_name = spb_library__text(from->file_name),
                                   .file_type = spb_library__text(from->file_type),
                                   .md5 = spb_library__text(from->md5),
                                   .description = spb_library__text(from->description)};
    }
    return metadata;
}

static void check_counts(rare_source *r, const pb_dataset *from, const spb_place *at) {
    if (from->n_columns != from->n_types || (from->has_num_of_columns && from->num_of_columns != from->n_columns)) {
        fail_at(r, SPB_ERR_MALFORMED, at, true, "num_of_columns, columns and types of the DataSet disagree");
    }
    for (size_t i = 0; r->status == SPB_OK && i < from->n_rows; i++) {
        if (from->rows[i]->n_elements != from->n_columns) {
            fail_at(r, SPB_ERR_MALFORMED, ITEM_AT(at, DATA_SET, ROWS, i), false,
                    "a row with not as many elements as there are columns");
        }
    }
}

static const spb_dataset *read_dataset(rare_source *r, const pb_dataset *from, const spb_place *at) {
    check_counts(r, from, at);
    spb_dataset *dataset = take(r, 1, sizeof *dataset);
    spb_str *columns = take(r, from->n_columns, sizeof *columns);
    spb_type *types = take(r, from->n_columns, sizeof *types);
    /* Each cell was counted as an element on the wire, so this product is bounded by the input. */
    spb_value *cells = r->status == SPB_OK ? take(r, from->n_rows * from->n_columns, sizeof *cells) : NULL;
    for (size_t i = 0; r->status == SPB_OK && i < from->n_columns; i++) {
        columns[i] = spb_library__text(from->columns[i]);
        types[i] = (spb_type)from->types[i];
    }
    for (size_t row = 0; r->status == SPB_OK && row < from->n_rows; row++) {
        for (size_t i = 0; r->status == SPB_OK && i < from->n_columns; i++) {
            read_value(r, from->rows[row]->elements[i], MESSAGE_DATA_SET_VALUE, &cells[row * from->n_columns + i],
                       &from->types[i], false, ITEM_AT(ITEM_AT(at, DATA_SET, ROWS, row), ROW, ELEMENTS, i));
        }
    }
    if (r->status == SPB_OK) {
        *dataset = (spb_dataset){.column_count = from->n_columns,
                                 .columns = columns,
                                 .types = types,
                                 .row_count = from->n_rows,
                                 .cells = cells};
    }
    return dataset;
}

static const spb_template *read_template(rare_source *r, const pb_template *from, const spb_place *at) {
    spb_template *tmpl = take(r, 1, sizeof *tmpl);
    spb_payload_metric *metrics = take(r, from->n_metrics, sizeof *metrics);
    spb_parameter *parameters = take(r, from->n_parameters, sizeof *parameters);
    for (size_t i = 0; r->status == SPB_OK && i < from->n_metrics; i++) {
        read_metric(r, from->metrics[i], &metrics[i], ITEM_AT(at, TEMPLATE, METRICS, i));
    }
    for (size_t i = 0; r->status == SPB_OK && i < from->n_parameters; i++) {
        const pb_parameter *each = from->parameters[i];
        const uint32_t type = each->has_type ? each->type : SPB_UNKNOWN;
        parameters[i].name = spb_library__text(each->name);
        read_value(r, each, MESSAGE_PARAMETER, &parameters[i].value, &type, false,
                   ITEM_AT(at, TEMPLATE, PARAMETERS, i));
    }
    if (r->status == SPB_OK) {
        *tmpl = (spb_template){.version = spb_library__text(from->version),
                               .template_ref = spb_library__text(from->template_ref),
                               .has_is_definition = from->has_is_definition != 0,
                               .is_definition = from->is_definition != 0,
                               .metrics = metrics,
                               .metric_count = from->n_metrics,
                               .parameters = parameters,
                               .parameter_count = from->n_parameters};
    }
    return tmpl;
}

static void read_metric(rare_source *r, const pb_metric *from, spb_payload_metric *metric, const spb_place *at) {
    *metric = (spb_payload_metric){.name = spb_library__text(from->name),
                                   .has_alias = from->has_alias != 0,
                                   .alias = from->alias,
                                   .has_timestamp = from->has_timestamp != 0,
                                   .timestamp_ms = from->timestamp,
                                   .omit_datatype = !from->has_datatype,
                                   .is_historical = from->has_is_historical && from->is_historical,
                                   .is_transient = from->has_is_transient && from->is_transient};
    if (from->metadata) {
        metric->metadata = read_metadata(r, from->metadata);
    }
    if (from->properties) {
        metric->properties = read_new_set(r, from->properties, FIELD_AT(at, METRIC, PROPERTIES));
    }
    read_value(r, from, MESSAGE_METRIC, &metric->value, from->has_datatype ? &from->datatype : NULL,
               from->has_is_null && from->is_null, at);
}

spb_status spb_rare__read(const spb_rare_reader *to, spb_bytes from, spb_payload_metric *metric) {
    rare_source r = {.to = *to, .from = from};
    void *unpacked;
    spb_status status = spb_library__unpack(&unpacked, to->arena, MESSAGE_METRIC, from);
    if (status == SPB_ERR_NO_MEMORY) {
        return spb_arena__no_room(to->arena, "the payload", to->err);
    }
    if (status != SPB_OK) {
        return spb_path__fail(to->err, status, to->wire, (size_t)(from.data - to->wire.data), "not a message");
    }
    read_metric(&r, unpacked, metric, &(spb_place){NULL, MESSAGE_METRIC, 0, NOT_REPEATED});
    return r.status;
}
