/*
 * Decides when two values are the same: by what they say, not by how they are held. Whether a difference matters
 * (deadband) is left to the change engine.
 */
#include <string.h>

#include <spb/payload.h>

#include "codec/value.h"

static bool same_number(double a, double b) {
    return a == b || (a != a && b != b);
}

static bool same_bytes(spb_bytes a, spb_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_array(const spb_value *a, const spb_value *b) {
    size_t cursor_a = 0;
    size_t cursor_b = 0;
    spb_value item_a;
    spb_value item_b;
    while (spb_array_next(a, &cursor_a, &item_a)) {
        if (!spb_array_next(b, &cursor_b, &item_b) || !spb_value_equal(&item_a, &item_b)) {
            return false;
        }
    }
    return !spb_array_next(b, &cursor_b, &item_b);
}

static bool same_dataset(const spb_dataset *a, const spb_dataset *b) {
    if (a->column_count != b->column_count || a->row_count != b->row_count) {
        return false;
    }
    for (size_t i = 0; i < a->column_count; i++) {
        if (!spb_str_equal(a->columns[i], b->columns[i]) || a->types[i] != b->types[i]) {
            return false;
        }
    }
    for (size_t i = 0; i < a->column_count * a->row_count; i++) {
        if (!spb_value_equal(&a->cells[i], &b->cells[i])) {
            return false;
        }
    }
    return true;
}

static bool same_set(const spb_property_set *a, const spb_property_set *b) {
    if (!a || !b || a->count != b->count) {
        return a == b;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!spb_str_equal(a->items[i].key, b->items[i].key) ||
            !spb_value_equal(&a->items[i].value, &b->items[i].value)) {
            return false;
        }
    }
    return true;
}

static bool same_sets(const spb_property_sets *a, const spb_property_sets *b) {
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!same_set(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}

/* A number that may be absent. */
static bool same_optional(bool has_a, uint64_t a, bool has_b, uint64_t b) {
    return has_a == has_b && (!has_a || a == b);
}

static bool same_metadata(const spb_metadata *a, const spb_metadata *b) {
    if (!a || !b) {
        return a == b;
    }
    return same_optional(a->has_is_multi_part, a->is_multi_part, b->has_is_multi_part, b->is_multi_part) &&
           same_optional(a->has_size, a->size, b->has_size, b->size) &&
           same_optional(a->has_seq, a->seq, b->has_seq, b->seq) && spb_str_equal(a->content_type, b->content_type) &&
           spb_str_equal(a->file_name, b->file_name) && spb_str_equal(a->file_type, b->file_type) &&
           spb_str_equal(a->md5, b->md5) && spb_str_equal(a->description, b->description);
}

static bool same_metric(const spb_payload_metric *a, const spb_payload_metric *b) {
    return spb_str_equal(a->name, b->name) && same_optional(a->has_alias, a->alias, b->has_alias, b->alias) &&
           same_optional(a->has_timestamp, a->timestamp_ms, b->has_timestamp, b->timestamp_ms) &&
           a->is_historical == b->is_historical && a->is_transient == b->is_transient &&
           spb_value_equal(&a->value, &b->value) && same_metadata(a->metadata, b->metadata) &&
           same_set(a->properties, b->properties);
}

static bool same_template(const spb_template *a, const spb_template *b) {
    if (!spb_str_equal(a->version, b->version) || !spb_str_equal(a->template_ref, b->template_ref) ||
        !same_optional(a->has_is_definition, a->is_definition, b->has_is_definition, b->is_definition) ||
        a->metric_count != b->metric_count || a->parameter_count != b->parameter_count) {
        return false;
    }
    for (size_t i = 0; i < a->metric_count; i++) {
        if (!same_metric(&a->metrics[i], &b->metrics[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->parameter_count; i++) {
        if (!spb_str_equal(a->parameters[i].name, b->parameters[i].name) ||
            !spb_value_equal(&a->parameters[i].value, &b->parameters[i].value)) {
            return false;
        }
    }
    return true;
}

/* Recursion ends with the values: what was decoded or copied is at most as deep as the limit. Kept apart: numbers,
 * which are compared for each sample, need no place on the stack. */
static __attribute__((noinline)) bool same_content(const spb_value *a, const spb_value *b) {
    spb_type form = spb_value__form(a);
    if (form != spb_value__form(b)) {
        return false;
    }
    switch (form) {
    case SPB_UNKNOWN: return true;
    case SPB_FLOAT: return same_number(a->as.f32, b->as.f32);
    case SPB_DOUBLE: return same_number(a->as.f64, b->as.f64);
    case SPB_BOOLEAN: return a->as.boolean == b->as.boolean;
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: return spb_str_equal(a->as.str, b->as.str);
    case SPB_BYTES:
    case SPB_FILE: return same_bytes(a->as.bytes, b->as.bytes);
    case SPB_DATASET: return same_dataset(a->as.dataset, b->as.dataset);
    case SPB_TEMPLATE: return same_template(a->as.tmpl, b->as.tmpl);
    case SPB_PROPERTY_SET: return same_set(a->as.set, b->as.set);
    case SPB_PROPERTY_SET_LIST: return same_sets(a->as.sets, b->as.sets);
    default: return spb_type_is_array(form) ? same_array(a, b) : a->as.u64 == b->as.u64;
    }
}

bool spb_value_equal(const spb_value *a, const spb_value *b) {
    if (a->type != b->type || a->is_null != b->is_null) {
        return false;
    }
    /* The usual ones, which are compared for each sample. */
    switch (a->is_null ? SPB_UNKNOWN : a->type) {
    case SPB_FLOAT: return same_number(a->as.f32, b->as.f32);
    case SPB_DOUBLE: return same_number(a->as.f64, b->as.f64);
    case SPB_BOOLEAN: return a->as.boolean == b->as.boolean;
    case SPB_INT32:
    case SPB_INT64:
    case SPB_UINT32:
    case SPB_UINT64: return a->as.u64 == b->as.u64;
    default: return same_content(a, b);
    }
}
