/* Decides the JSON form of messages; src/cli/help/decode.txt documents it. The writing of single values is left to
 * json.c. */
#include "cli/json_message.h"

#include "cli/json.h"

static void write_as(json *j, spb_type type, const spb_value *value, const metric_view *holder);

/* `holder` explains the members of a template; NULL: nothing does. */
static void write_value(json *j, const spb_value *value, const metric_view *holder) {
    write_as(j, message_type_shown(value), value, holder);
}

static void write_str(json *j, const char *key, spb_str text) {
    if (text.data) {
        json_key(j, key);
        json_string(j, text);
    }
}

static void write_u64(json *j, const char *key, bool is_present, uint64_t number) {
    if (is_present) {
        json_key(j, key);
        json_u64(j, number);
    }
}

static void write_flag(json *j, const char *key, bool is_set) {
    if (is_set) {
        json_key(j, key);
        json_bool(j, true);
    }
}

static bool is_named(spb_type type) {
    return type > SPB_UNKNOWN && type <= SPB_DATETIME_ARRAY;
}

static void write_type(json *j, spb_type type) {
    json_key(j, "type");
    json_text(j, spb_type_name(type));
    write_u64(j, "type_number", type != SPB_UNKNOWN && !is_named(type), (uint64_t)(uint32_t)type);
}

/* The keys is_null, field and value, the first instead of the others; a value that is missing is null. */
static void write_content(json *j, const spb_value *value, const metric_view *holder) {
    bool is_declared_null = value->is_null && value->wire != SPB_WIRE_ABSENT;
    write_flag(j, "is_null", is_declared_null);
    if (!is_declared_null) {
        if (!is_named(value->type) && message_field_name(value->wire)) {
            json_key(j, "field");
            json_text(j, message_field_name(value->wire));
        }
        json_key(j, "value");
        write_value(j, value, holder);
    }
}

/* The keys type and type_number, and those of the content. */
static void write_typed(json *j, const spb_value *value, const metric_view *holder) {
    write_type(j, value->type);
    write_content(j, value, holder);
}

static void write_properties(json *j, const spb_property_set *set) {
    json_begin_object(j);
    for (size_t i = 0; set && i < set->count; i++) {
        json_key_str(j, set->items[i].key);
        json_begin_object(j);
        write_typed(j, &set->items[i].value, NULL);
        json_end_object(j);
    }
    json_end_object(j);
}

static void write_metadata(json *j, const spb_metadata *metadata) {
    json_begin_object(j);
    if (metadata->has_is_multi_part) {
        json_key(j, "is_multi_part");
        json_bool(j, metadata->is_multi_part);
    }
    write_str(j, "content_type", metadata->content_type);
    write_u64(j, "size", metadata->has_size, metadata->size);
    write_u64(j, "seq", metadata->has_seq, metadata->seq);
    write_str(j, "file_name", metadata->file_name);
    write_str(j, "file_type", metadata->file_type);
    write_str(j, "md5", metadata->md5);
    write_str(j, "description", metadata->description);
    json_end_object(j);
}

/* So that `spb encode` gives back what was on the wire, and no more. */
static void write_from_birth(json *j, const metric_view *view) {
    const spb_payload_metric *metric = view->metric;
    const bool has_name = !metric->name.data && view->name.data;
    const bool has_type = metric->omit_datatype && view->value.type != SPB_UNKNOWN;
    const bool has_unit = view->unit.data && !spb_property_find(metric->properties, "engUnit");
    if (!has_name && !has_type && !has_unit) {
        return;
    }
    json_key(j, "from_birth");
    json_begin_array(j);
    const struct {
        bool is_set;
        const char *key;
    } keys[] = {{has_name, "name"}, {has_type, "type"}, {has_unit, "unit"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i].is_set) {
            json_text(j, keys[i].key);
        }
    }
    json_end_array(j);
}

static void write_metric(json *j, const metric_view *view) {
    const spb_payload_metric *metric = view->metric;
    json_begin_object(j);
    write_str(j, "name", view->name);
    write_u64(j, "alias", metric->has_alias, metric->alias);
    write_u64(j, "timestamp", metric->has_timestamp, metric->timestamp_ms);
    write_type(j, view->value.type);
    write_str(j, "unit", view->unit);
    write_from_birth(j, view);
    write_flag(j, "is_historical", metric->is_historical);
    write_flag(j, "is_transient", metric->is_transient);
    write_content(j, &view->value, view);
    if (metric->metadata) {
        json_key(j, "metadata");
        write_metadata(j, metric->metadata);
    }
    if (metric->properties) {
        json_key(j, "properties");
        write_properties(j, metric->properties);
    }
    json_end_object(j);
}

static void write_dataset(json *j, const spb_dataset *set) {
    json_begin_object(j);
    json_key(j, "columns");
    json_begin_array(j);
    for (size_t i = 0; i < set->column_count; i++) {
        json_string(j, set->columns[i]);
    }
    json_end_array(j);
    json_key(j, "types");
    json_begin_array(j);
    for (size_t i = 0; i < set->column_count; i++) {
        json_text(j, spb_type_name(set->types[i]));
    }
    json_end_array(j);
    json_key(j, "rows");
    json_begin_array(j);
    for (size_t row = 0; row < set->row_count; row++) {
        json_begin_array(j);
        for (size_t i = 0; i < set->column_count; i++) {
            write_value(j, &set->cells[row * set->column_count + i], NULL);
        }
        json_end_array(j);
    }
    json_end_array(j);
    json_end_object(j);
}

static void write_template(json *j, const spb_template *tmpl, const metric_view *holder) {
    json_begin_object(j);
    write_str(j, "version", tmpl->version);
    write_str(j, "template_ref", tmpl->template_ref);
    if (tmpl->has_is_definition) {
        json_key(j, "is_definition");
        json_bool(j, tmpl->is_definition);
    }
    json_key(j, "metrics");
    json_begin_array(j);
    for (size_t i = 0; i < tmpl->metric_count; i++) {
        metric_view member;
        births_view_member(holder, &tmpl->metrics[i], &member);
        write_metric(j, &member);
    }
    json_end_array(j);
    json_key(j, "parameters");
    json_begin_array(j);
    for (size_t i = 0; i < tmpl->parameter_count; i++) {
        json_begin_object(j);
        write_str(j, "name", tmpl->parameters[i].name);
        write_typed(j, &tmpl->parameters[i].value, NULL);
        json_end_object(j);
    }
    json_end_array(j);
    json_end_object(j);
}

static void write_array(json *j, const spb_value *value) {
    json_begin_array(j);
    size_t cursor = 0;
    spb_value element;
    while (spb_array_next(value, &cursor, &element)) {
        write_as(j, element.is_null ? SPB_UNKNOWN : element.type, &element, NULL);
    }
    json_end_array(j);
}

static void write_property_sets(json *j, const spb_property_sets *sets) {
    json_begin_array(j);
    for (size_t i = 0; i < sets->count; i++) {
        write_properties(j, &sets->items[i]);
    }
    json_end_array(j);
}

static void write_as(json *j, spb_type type, const spb_value *value, const metric_view *holder) {
    switch (type) {
    case SPB_UNKNOWN: json_null(j); break;
    case SPB_INT8:
    case SPB_INT16:
    case SPB_INT32:
    case SPB_INT64: json_i64(j, value->as.i64); break;
    case SPB_UINT8:
    case SPB_UINT16:
    case SPB_UINT32:
    case SPB_UINT64:
    case SPB_DATETIME: json_u64(j, value->as.u64); break;
    case SPB_FLOAT: json_float(j, value->as.f32); break;
    case SPB_DOUBLE: json_double(j, value->as.f64); break;
    case SPB_BOOLEAN: json_bool(j, value->as.boolean); break;
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: json_string(j, value->as.str); break;
    case SPB_BYTES:
    case SPB_FILE: json_base64(j, value->as.bytes); break;
    case SPB_DATASET: write_dataset(j, value->as.dataset); break;
    case SPB_TEMPLATE: write_template(j, value->as.tmpl, holder); break;
    case SPB_PROPERTY_SET: write_properties(j, value->as.set); break;
    case SPB_PROPERTY_SET_LIST: write_property_sets(j, value->as.sets); break;
    default: write_array(j, value); break;
    }
}

static void write_wire(json *j, const message_wire *wire) {
    write_u64(j, "packet", true, wire->packet);
    write_u64(j, "connection", true, wire->connection);
    json_key(j, "direction");
    json_text(j, wire->is_to_client ? "to_client" : "from_client");
    write_str(j, "client", wire->client);
    write_str(j, "address", wire->address);
    write_u64(j, "qos", true, wire->qos);
    json_key(j, "retain");
    json_bool(j, wire->retain);
    write_flag(j, "is_duplicate", wire->is_duplicate);
    write_flag(j, "is_copy", wire->is_copy);
}

static void write_topic(json *j, const message *m) {
    write_str(j, "topic", m->topic_text);
    json_key(j, "kind");
    json_text(j, spb_kind_name(m->topic.kind));
    write_str(j, "group", m->topic.group_id);
    write_str(j, "node", m->topic.node_id);
    write_str(j, "device", m->topic.device_id);
    write_str(j, "host", m->topic.host_id);
}

static void write_payload(json *j, const message *m) {
    const spb_payload *payload = m->payload;
    write_u64(j, "timestamp", payload->has_timestamp, payload->timestamp_ms);
    write_u64(j, "seq", payload->has_seq, payload->seq);
    if (*m->remark) {
        json_key(j, "remark");
        json_text(j, m->remark);
    }
    if (payload->compression != SPB_COMPRESSION_NONE) {
        json_key(j, "compression");
        json_text(j, payload->compression == SPB_COMPRESSION_GZIP ? "GZIP" : "DEFLATE");
    }
    write_str(j, "uuid", payload->uuid);
    if (payload->has_body) {
        json_key(j, "body");
        json_base64(j, payload->body);
    }
    json_key(j, "metrics");
    json_begin_array(j);
    for (size_t i = 0; i < m->metric_count; i++) {
        write_metric(j, &m->metrics[i]);
    }
    json_end_array(j);
}

void json_message_write_value(out *to, const metric_view *view) {
    json j = {.to = to};
    write_value(&j, &view->value, view);
}

void json_message_write(out *to, const message *m) {
    json j = {.to = to};
    json_begin_object(&j);
    write_u64(&j, "time", m->has_time, m->time_ms);
    if (m->wire) {
        write_wire(&j, m->wire);
    }
    if (m->topic_text.data) {
        write_topic(&j, m);
    }
    if (m->payload) {
        write_payload(&j, m);
    } else {
        json_key(&j, "online");
        json_bool(&j, m->state.online);
        write_u64(&j, "timestamp", true, m->state.timestamp_ms);
    }
    json_end_object(&j);
    json_end_line(&j);
}
