/* Decides what is wrong with the metrics of data and commands as the birth explains them. What holds in births, too, is
 * left to metric.c. */
#include <inttypes.h>

#include "check/judge.h"

#define REBIRTH "Node Control/Rebirth"

/* What the birth says of the metric. NULL: nothing, or there is no birth. */
static const spb_payload_metric *find_birth(const judged *m, const spb_payload_metric *metric, const scope **owner) {
    const spb_payload_metric *found = NULL;
    *owner = NULL;
    if (metric->name.data) {
        return scope_find_name(m->one, metric->name);
    }
    *owner = scope_find_alias(m->node, metric->alias, &found);
    return *owner == m->one ? found : NULL;
}

static void report_unknown(check *c, check_rule_number rule, const spb_payload_metric *metric, const scope *owner) {
    if (metric->name.data) {
        check__report(c, rule, "metric '%.*s' does not stand in the birth", TEXT(metric->name));
    } else if (owner && owner->ids[2].data) {
        check__report(c, rule, "alias %" PRIu64 " is one of device %.*s", metric->alias, TEXT(owner->ids[2]));
    } else {
        check__report(c, rule, "alias %" PRIu64 " %s", metric->alias,
                      owner ? "is one of the node" : "does not stand in the birth");
    }
}

static void judge_name_and_alias(check *c, const spb_payload_metric *metric, const spb_payload_metric *birth) {
    if (metric->name.data && metric->has_alias) {
        check__report(c, RULE_ALIAS_IN_DATA, "metric '%.*s' has its name beside the alias %" PRIu64, TEXT(metric->name),
                      metric->alias);
    } else if (metric->name.data && birth && birth->has_alias) {
        check__report(c, RULE_ALIAS_IN_DATA, "metric '%.*s' is sent by its name; its alias is %" PRIu64,
                      TEXT(metric->name), birth->alias);
    }
}

static void judge_value(check *c, check_rule_number rule, const spb_payload_metric *metric,
                        const spb_payload_metric *birth) {
    spb_value value = metric->value;
    spb_error why;
    if (value.is_null && value.wire == SPB_WIRE_ABSENT) {
        check__report(c, RULE_DATA_VALUE, "metric '%.*s' has neither a value nor is_null",
                      TEXT(birth ? birth->name : metric->name));
    } else if (value.is_null && value.wire != SPB_WIRE_NONE) {
        check__report(c, RULE_DATA_VALUE, "metric '%.*s' has is_null and a value",
                      TEXT(birth ? birth->name : metric->name));
    }
    bool is_declared = birth && birth->value.type >= SPB_INT8 && birth->value.type <= SPB_DATETIME_ARRAY;
    if (is_declared && !value.is_null && spb_value_resolve(&value, birth->value.type, &why) != SPB_OK) {
        check__report(c, rule, "metric '%.*s': %s", TEXT(birth->name), why.text);
    }
}

static void judge_metric(check *c, const judged *m, const spb_payload_metric *metric, check_rule_number unknown_rule,
                         check_rule_number value_rule) {
    const scope *owner;
    const spb_payload_metric *birth = find_birth(m, metric, &owner);
    if (!birth && m->one->birth) {
        report_unknown(c, unknown_rule, metric, owner);
    }
    judge_name_and_alias(c, metric, birth);
    judge_value(c, value_rule, metric, birth);
    if (!metric->omit_datatype) {
        check__report(c, RULE_DATATYPE_IN_DATA, "metric '%.*s' is sent with its datatype, %s",
                      TEXT(birth ? birth->name : metric->name), spb_type_name(metric->value.type));
    }
    check__metric(c, m, metric, birth);
}

void check__data(check *c, const judged *m) {
    const bool is_node = m->kind == SPB_KIND_NDATA;
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        judge_metric(c, m, &m->payload->metrics[i], is_node ? RULE_NODE_METRICS : RULE_DEVICE_METRICS, RULE_VALUE_TYPE);
    }
    check__time_order(c, m);
}

/* ---- commands ---- */

static void judge_rebirth_request(check *c, const judged *m, const spb_value *value) {
    session *of = m->node->session;
    if (m->kind == SPB_KIND_DCMD) {
        check__report(c, RULE_REBIRTH_REQUEST_VERB, "a DCMD with " REBIRTH);
        return;
    }
    if (value->is_null || value->wire != SPB_WIRE_BOOLEAN || !value->as.boolean) {
        check__report(c, RULE_REBIRTH_REQUEST_VALUE, "an NCMD with " REBIRTH ", which is not true");
        return;
    }
    if (!of->is_asked && m->node->is_known && m->node->is_born && c->event->has_time) {
        of->is_asked = true;
        of->has_asked_data = of->has_died = false;
        of->asked_ms = c->event->time_ms;
    }
}

void check__command(check *c, const judged *m) {
    const bool is_node = m->kind == SPB_KIND_NCMD;
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        const spb_payload_metric *metric = &m->payload->metrics[i];
        if (spb_str_equal(metric->name, spb_str_from(REBIRTH))) {
            judge_rebirth_request(c, m, &metric->value);
            if (!is_node) {
                continue;
            }
        }
        judge_metric(c, m, metric, is_node ? RULE_NCMD_NAME : RULE_DCMD_NAME,
                     is_node ? RULE_NCMD_VALUE : RULE_DCMD_VALUE);
    }
}
