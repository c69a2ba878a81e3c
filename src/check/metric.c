/* Decides what is wrong with a metric wherever it stands: its timestamp, properties, DataSet. Templates are left to
 * template.c. */
#include <inttypes.h>

#include "check/judge.h"

static void judge_quality(check *c, const spb_property *property) {
    const spb_value *value = &property->value;
    if (value->type != SPB_INT32) {
        check__report(c, RULE_QUALITY_TYPE, "Quality is of type %s", spb_type_name(value->type));
    } else if (!value->is_null && value->as.i64 != SPB_QUALITY_BAD && value->as.i64 != SPB_QUALITY_GOOD &&
               value->as.i64 != SPB_QUALITY_STALE) {
        check__report(c, RULE_QUALITY_VALUE, "Quality is %" PRId64, value->as.i64);
    }
}

/* How deep sets are nested is limited by the decoder. */
static void judge_set(check *c, const judged *m, const spb_property_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        const spb_property *property = &set->items[i];
        const spb_value *value = &property->value;
        bool is_set = value->type == SPB_PROPERTY_SET || value->type == SPB_PROPERTY_SET_LIST;
        if (value->type == SPB_UNKNOWN && check__is_birth(m->kind)) {
            check__report(c, RULE_PROPERTY_HAS_TYPE, "property '%.*s' has no type", TEXT(property->key));
        } else if (value->type > SPB_TEXT && !is_set) {
            check__report(c, RULE_PROPERTY_TYPE, "property '%.*s' has the type %" PRIu32, TEXT(property->key),
                          (uint32_t)value->type);
        }
        if (spb_str_equal(property->key, spb_str_from(SPB_PROPERTY_QUALITY))) {
            judge_quality(c, property);
        }
        if (value->is_null) {
            continue;
        }
        if (value->wire == SPB_WIRE_SET) {
            judge_set(c, m, value->as.set);
        } else if (value->wire == SPB_WIRE_SET_LIST) {
            for (size_t j = 0; j < value->as.sets->count; j++) {
                judge_set(c, m, &value->as.sets->items[j]);
            }
        }
    }
}

static void judge_dataset(check *c, spb_str name, const spb_dataset *set) {
    for (size_t i = 0; i < set->column_count; i++) {
        if (set->types[i] < SPB_INT8 || set->types[i] > SPB_TEXT) {
            check__report(c, RULE_DATASET_TYPES, "column '%.*s' of '%.*s' has the type %" PRIu32, TEXT(set->columns[i]),
                          TEXT(name), (uint32_t)set->types[i]);
        }
    }
}

void check__metric(check *c, const judged *m, const spb_payload_metric *metric, const spb_payload_metric *birth) {
    const spb_str name = birth ? birth->name : metric->name;
    const spb_value *value = &metric->value;
    if (!metric->has_timestamp && !check__is_command(m->kind)) {
        check__report(c, RULE_METRIC_TIMESTAMP, "metric '%.*s' has no timestamp", TEXT(name));
    }
    if (metric->properties) {
        judge_set(c, m, metric->properties);
    }
    if (value->is_null) {
        return;
    }
    if (value->wire == SPB_WIRE_DATASET) {
        judge_dataset(c, name, value->as.dataset);
    } else if (value->wire == SPB_WIRE_TEMPLATE) {
        check__template(c, m, name, value->as.tmpl);
    }
}

void check__time_order(check *c, const judged *m) {
    const bool is_node = m->kind == SPB_KIND_NBIRTH || m->kind == SPB_KIND_NDATA;
    uint64_t last_ms = 0;
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        const spb_payload_metric *metric = &m->payload->metrics[i];
        if (!metric->has_timestamp || metric->is_historical) {
            continue;
        }
        if (metric->timestamp_ms < last_ms) {
            check__report(c, is_node ? RULE_NODE_TIME_ORDER : RULE_DEVICE_TIME_ORDER,
                          "metric %zu of the message is %" PRIu64 " ms older than the one before it", i + 1,
                          last_ms - metric->timestamp_ms);
        }
        last_ms = metric->timestamp_ms;
    }
}
