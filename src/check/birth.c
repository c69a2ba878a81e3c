/* Decides what is wrong with the metrics of a birth: names, aliases, datatypes, values. What holds in data, too, is
 * left to metric.c. */
#include <inttypes.h>

#include "check/judge.h"

#define REBIRTH "Node Control/Rebirth"

static void judge_name(check *c, const judged *m, const spb_payload_metric *metric) {
    if (!metric->name.data) {
        check__report(c, RULE_ALIAS_IN_BIRTH, "alias %" PRIu64 " without a name", metric->alias);
    } else if (scope_find_name(m->one, metric->name) != metric) {
        check__report(c, RULE_METRIC_TWICE, "metric '%.*s' stands here twice", TEXT(metric->name));
    }
}

static void judge_alias(check *c, const judged *m, size_t index) {
    const spb_payload_metric *metric = &m->payload->metrics[index], *other;
    if (!metric->has_alias) {
        return;
    }
    const scope *owner = scope_find_alias(m->node, metric->alias, &other);
    if (owner) {
        check__report(c, RULE_ALIAS_UNIQUE, "alias %" PRIu64 " of '%.*s' is that of '%.*s'%s%.*s", metric->alias,
                      TEXT(metric->name), TEXT(other->name),
                      owner == m->one      ? ""
                      : owner->ids[2].data ? " of device "
                                           : " of the node",
                      TEXT(owner == m->one ? (spb_str){0} : owner->ids[2]));
    } else if (!scope_add_alias(m->one, metric->alias, index)) {
        c->is_out_of_memory = true;
    }
}

static void judge_value(check *c, const judged *m, const spb_payload_metric *metric) {
    const check_rule_number rule = m->kind == SPB_KIND_NBIRTH ? RULE_NBIRTH_VALUE : RULE_DBIRTH_VALUE;
    const spb_value *value = &metric->value;
    if (metric->omit_datatype) {
        check__report(c, RULE_DATATYPE_IN_BIRTH, "metric '%.*s' has no datatype", TEXT(metric->name));
    } else if (value->type < SPB_INT8 || value->type > SPB_DATETIME_ARRAY) {
        check__report(c, RULE_DATATYPE_VALUE, "metric '%.*s' has the datatype %" PRIu32, TEXT(metric->name),
                      (uint32_t)value->type);
    }
    if (value->is_null && value->wire == SPB_WIRE_ABSENT) {
        check__report(c, rule, "metric '%.*s' has neither a value nor is_null", TEXT(metric->name));
    } else if (value->is_null && value->wire != SPB_WIRE_NONE) {
        check__report(c, rule, "metric '%.*s' has is_null and a value", TEXT(metric->name));
    }
}

/* Names that differ in case only: each is held against those before it. */
static void judge_case(check *c, const spb_payload *birth) {
    check_index names;
    if (!check_index_make(&names, birth->metric_count)) {
        c->is_out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < birth->metric_count; i++) {
        spb_str name = birth->metrics[i].name;
        uint32_t hash = check_hash_lower(CHECK_HASH_START, name), slot = hash;
        for (size_t j; (j = check_index_next(&names, &slot)) != SIZE_MAX;) {
            spb_str other = birth->metrics[j].name;
            if (check_equal_lower(name, other) && !spb_str_equal(name, other)) {
                check__report(c, RULE_METRIC_CASE, "metrics '%.*s' and '%.*s'", TEXT(other), TEXT(name));
                break;
            }
        }
        check_index_put(&names, hash, i);
    }
    check_index_clear(&names);
}

static void judge_rebirth_metric(check *c, const judged *m) {
    const spb_payload_metric *metric = scope_find_name(m->one, spb_str_from(REBIRTH));
    if (!metric) {
        check__report(c, RULE_REBIRTH_METRIC, "NBIRTH without " REBIRTH);
        return;
    }
    if (metric->has_alias) {
        check__report(c, RULE_REBIRTH_ALIAS, REBIRTH " has the alias %" PRIu64, metric->alias);
    }
    if (metric->value.type != SPB_BOOLEAN) {
        check__report(c, RULE_REBIRTH_TYPE, REBIRTH " is of type %s", spb_type_name(metric->value.type));
    } else if (metric->value.is_null || metric->value.as.boolean) {
        check__report(c, RULE_REBIRTH_VALUE, REBIRTH " is %s", metric->value.is_null ? "null" : "true");
    }
}

void check__birth(check *c, const judged *m) {
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        const spb_payload_metric *metric = &m->payload->metrics[i];
        judge_name(c, m, metric);
        judge_alias(c, m, i);
        judge_value(c, m, metric);
        check__metric(c, m, metric, NULL);
    }
    judge_case(c, m->payload);
    check__time_order(c, m);
    if (m->kind == SPB_KIND_NBIRTH) {
        judge_rebirth_metric(c, m);
    }
}
