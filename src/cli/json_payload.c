/* Decides which JSON makes which metric: what is on the wire, and what only the birth said. Values are left to
 * json_value.c. */
#include "cli/json_payload.h"

#define KEYS(names) (names), sizeof(names) / sizeof *(names)

static json_place member(const json_place *at, const char *key) {
    return (json_place){at, spb_str_from(key), 0};
}

static json_place element(const json_place *at, size_t index) {
    return (json_place){at, {NULL, 0}, index};
}

/* A member that need not be there. */
static bool get_u64(json_reader *r, const json_node *node, const json_place *at, const char *key, bool *is_present,
                    uint64_t *out) {
    const json_place place = member(at, key);
    *is_present = node != NULL;
    return json_get_u64(r, node, &place, UINT64_MAX, key, out);
}

static bool get_str(json_reader *r, const json_node *node, const json_place *at, const char *key, spb_str *out) {
    const json_place place = member(at, key);
    return json_get_str(r, node, &place, out);
}

static bool get_bool(json_reader *r, const json_node *node, const json_place *at, const char *key, bool *out) {
    const json_place place = member(at, key);
    return json_get_bool(r, node, &place, out);
}

/* ---- parts of a metric ---- */

static bool read_metadata(json_reader *r, const json_node *node, const json_place *up, const spb_metadata **out) {
    enum { MULTI_PART, CONTENT_TYPE, SIZE, SEQ, FILE_NAME, FILE_TYPE, MD5, DESCRIPTION, COUNT };
    static const char *const names[COUNT] = {"is_multi_part", "content_type", "size", "seq",
                                             "file_name",     "file_type",    "md5",  "description"};
    const json_node *found[COUNT];
    const json_place at = member(up, "metadata");
    if (!json_members(r, node, &at, KEYS(names), found)) {
        return false;
    }
    spb_metadata *made = pool_get(r->memory, 1, sizeof *made);
    if (!made) {
        return json_no_memory(r);
    }
    *out = made;
    made->has_is_multi_part = found[MULTI_PART] != NULL;
    spb_str *const texts[COUNT] = {[CONTENT_TYPE] = &made->content_type,
                                   [FILE_NAME] = &made->file_name,
                                   [FILE_TYPE] = &made->file_type,
                                   [MD5] = &made->md5,
                                   [DESCRIPTION] = &made->description};
    for (size_t i = 0; i < COUNT; i++) {
        if (texts[i] && !get_str(r, found[i], &at, names[i], texts[i])) {
            return false;
        }
    }
    return get_bool(r, found[MULTI_PART], &at, names[MULTI_PART], &made->is_multi_part) &&
           get_u64(r, found[SIZE], &at, names[SIZE], &made->has_size, &made->size) &&
           get_u64(r, found[SEQ], &at, names[SEQ], &made->has_seq, &made->seq);
}

static bool read_set(json_reader *r, const json_node *node, const json_place *up, const spb_property_set **out) {
    const json_place at = member(up, "properties");
    spb_property_set *set = pool_get(r->memory, 1, sizeof *set);
    if (!set) {
        return json_no_memory(r);
    }
    *out = set;
    return json_read_properties(r, node, &at, set);
}

/* What the message does not say itself. */
typedef struct from_birth {
    bool name, type, unit;
} from_birth;

static bool read_from_birth(json_reader *r, const json_node *node, const json_place *up, from_birth *out) {
    const json_place at = member(up, "from_birth");
    if (!node) {
        return true;
    }
    if (!json_is_kind(r, node, &at, JSON_ARRAY)) {
        return false;
    }
    const json_node *item = json_first(node);
    for (size_t i = 0; i < node->count; i++, item = json_behind(r->tree, item)) {
        const json_place place = element(&at, i);
        spb_str key;
        if (!json_get_str(r, item, &place, &key)) {
            return false;
        }
        bool is_name = spb_str_equal(key, spb_str_from("name"));
        bool is_type = spb_str_equal(key, spb_str_from("type"));
        bool is_unit = spb_str_equal(key, spb_str_from("unit"));
        if (!is_name && !is_type && !is_unit) {
            return json_fail(r, item, &place, SPB_ERR_NAME, "there is name, type and unit");
        }
        out->name = out->name || is_name;
        out->type = out->type || is_type;
        out->unit = out->unit || is_unit;
    }
    return true;
}

/* A unit is sent as the property engUnit, and is shown once more for people. */
static bool check_unit(json_reader *r, const json_node *unit, const json_place *up, const from_birth *birth,
                       const spb_payload_metric *metric) {
    const json_place at = member(up, "unit");
    spb_str text = {0};
    if (!json_get_str(r, unit, &at, &text)) {
        return false;
    }
    const spb_property *property = spb_property_find(metric->properties, "engUnit");
    if (unit && !birth->unit && !(property && spb_str_equal(property->value.as.str, text))) {
        return json_fail(r, unit, &at, SPB_ERR_ARGUMENT,
                         "is not sent by itself: it is the property engUnit, {\"type\": \"String\", \"value\": …}");
    }
    return true;
}

/* ---- metrics ---- */

enum {
    NAME,
    ALIAS,
    TIMESTAMP,
    TYPE,
    TYPE_NUMBER,
    UNIT,
    FROM_BIRTH,
    HISTORICAL,
    TRANSIENT,
    IS_NULL,
    FIELD,
    VALUE,
    METADATA,
    PROPERTIES,
    METRIC_KEYS
};
static const char *const metric_names[METRIC_KEYS] = {
    "name",          "alias",        "timestamp", "type",  "type_number", "unit",     "from_birth",
    "is_historical", "is_transient", "is_null",   "field", "value",       "metadata", "properties"};

static bool read_flags_and_parts(json_reader *r, const json_node **found, const json_place *at,
                                 spb_payload_metric *metric) {
    return get_u64(r, found[ALIAS], at, "alias", &metric->has_alias, &metric->alias) &&
           get_u64(r, found[TIMESTAMP], at, "timestamp", &metric->has_timestamp, &metric->timestamp_ms) &&
           get_bool(r, found[HISTORICAL], at, "is_historical", &metric->is_historical) &&
           get_bool(r, found[TRANSIENT], at, "is_transient", &metric->is_transient) &&
           (!found[METADATA] || read_metadata(r, found[METADATA], at, &metric->metadata)) &&
           (!found[PROPERTIES] || read_set(r, found[PROPERTIES], at, &metric->properties));
}

static bool read_metric(json_reader *r, const json_node *node, const json_place *at, spb_payload_metric *metric) {
    const json_node *found[METRIC_KEYS];
    from_birth birth = {false, false, false};
    if (!json_members(r, node, at, KEYS(metric_names), found) || !read_from_birth(r, found[FROM_BIRTH], at, &birth) ||
        !get_str(r, found[NAME], at, "name", &metric->name) || !read_flags_and_parts(r, found, at, metric) ||
        !check_unit(r, found[UNIT], at, &birth, metric)) {
        return false;
    }
    const json_content content = {found[TYPE], found[TYPE_NUMBER], found[IS_NULL], found[FIELD], found[VALUE]};
    if (!json_read_content(r, node, at, &content, &metric->value)) {
        return false;
    }
    metric->omit_datatype = birth.type || metric->value.type == SPB_UNKNOWN;
    if (birth.name) {
        metric->name = (spb_str){0};
    }
    if (!metric->name.data && !metric->has_alias) {
        return json_fail(r, node, at, SPB_ERR_NAME, "a metric needs a name, or an alias");
    }
    return true;
}

static bool read_metric_list(json_reader *r, const json_node *node, const json_place *at,
                             const spb_payload_metric **out, size_t *count) {
    if (!json_is_kind(r, node, at, JSON_ARRAY)) {
        return false;
    }
    spb_payload_metric *metrics = pool_get(r->memory, node->count, sizeof *metrics);
    if (!metrics) {
        return json_no_memory(r);
    }
    *out = metrics;
    *count = node->count;
    const json_node *item = json_first(node);
    for (size_t i = 0; i < node->count; i++, item = json_behind(r->tree, item)) {
        const json_place place = element(at, i);
        if (!read_metric(r, item, &place, &metrics[i])) {
            return false;
        }
    }
    return true;
}

bool json_read_metrics(json_reader *r, const json_node *node, const json_place *at, spb_payload *out) {
    return read_metric_list(r, node, at, &out->metrics, &out->metric_count);
}

/* ---- templates ---- */

static bool read_parameter(json_reader *r, const json_node *node, const json_place *at, spb_parameter *out) {
    static const char *const names[] = {"name", "type", "type_number", "is_null", "field", "value"};
    const json_node *found[6];
    return json_members(r, node, at, KEYS(names), found) && get_str(r, found[0], at, "name", &out->name) &&
           json_read_content(r, node, at, &(json_content){found[1], found[2], found[3], found[4], found[5]},
                             &out->value);
}

static bool read_parameters(json_reader *r, const json_node *node, const json_place *at, spb_template *out) {
    if (!node) {
        return true;
    }
    if (!json_is_kind(r, node, at, JSON_ARRAY)) {
        return false;
    }
    spb_parameter *parameters = pool_get(r->memory, node->count, sizeof *parameters);
    if (!parameters) {
        return json_no_memory(r);
    }
    out->parameters = parameters;
    out->parameter_count = node->count;
    const json_node *item = json_first(node);
    for (size_t i = 0; i < node->count; i++, item = json_behind(r->tree, item)) {
        const json_place place = element(at, i);
        if (!read_parameter(r, item, &place, &parameters[i])) {
            return false;
        }
    }
    return true;
}

bool json_read_template(json_reader *r, const json_node *node, const json_place *at, const spb_template **out) {
    static const char *const names[] = {"version", "template_ref", "is_definition", "metrics", "parameters"};
    const json_node *found[5];
    if (!json_members(r, node, at, KEYS(names), found)) {
        return false;
    }
    spb_template *made = pool_get(r->memory, 1, sizeof *made);
    if (!made) {
        return json_no_memory(r);
    }
    *out = made;
    made->has_is_definition = found[2] != NULL;
    const json_place metrics_place = member(at, "metrics"), parameters_place = member(at, "parameters");
    return get_str(r, found[0], at, "version", &made->version) &&
           get_str(r, found[1], at, "template_ref", &made->template_ref) &&
           get_bool(r, found[2], at, "is_definition", &made->is_definition) &&
           (!found[3] || read_metric_list(r, found[3], &metrics_place, &made->metrics, &made->metric_count)) &&
           read_parameters(r, found[4], &parameters_place, made);
}
