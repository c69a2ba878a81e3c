/*
 * Decides which template definitions a node has, and that every instance is true to one of them. Definitions are
 * metrics of the node that stand in its NBIRTH alone (tck-id-payloads-template-definition-nbirth-only).
 */
#include <stdio.h>

#include "codec/limits.h"
#include "codec/value.h"
#include "core/session.h"

static spb_metric *find_definition(const spb_session *session, spb_str name) {
    spb_metric *metric = spb_table__find_metric(&session->table, session->table.node, name);
    return metric && metric->is_definition ? metric : NULL;
}

/* Members usually come in the order of the definition, so that the first look finds them. */
static const spb_payload_metric *find_member(const spb_template *tmpl, spb_str name, size_t likely) {
    if (likely < tmpl->metric_count && spb_str_equal(tmpl->metrics[likely].name, name)) {
        return &tmpl->metrics[likely];
    }
    for (size_t i = 0; i < tmpl->metric_count; i++) {
        if (spb_str_equal(tmpl->metrics[i].name, name)) {
            return &tmpl->metrics[i];
        }
    }
    return NULL;
}

static const spb_parameter *find_parameter(const spb_template *tmpl, spb_str name) {
    for (size_t i = 0; i < tmpl->parameter_count; i++) {
        if (spb_str_equal(tmpl->parameters[i].name, name)) {
            return &tmpl->parameters[i];
        }
    }
    return NULL;
}

static int shown(spb_str text) {
    return text.len < 80 ? (int)text.len : 80;
}

static spb_status not_in(spb_status status, const char *what, spb_str name, spb_str where, spb_error *err) {
    return spb_error__set(err, status, "%s %.*s, of template %.*s", what, shown(name), name.data ? name.data : "",
                          shown(where), where.data);
}

/* A value is what the next birth will hold, so it has all members (tck-id-payloads-template-instance-members-birth) and
 * no other (tck-id-payloads-template-instance-members, tck-id-payloads-template-instance-parameters). */
static spb_status check_parts(const spb_template *instance, const spb_template *definition, spb_error *err) {
    for (size_t i = 0; i < instance->metric_count; i++) {
        const spb_payload_metric *member = &instance->metrics[i];
        const spb_payload_metric *defined = find_member(definition, member->name, i);
        if (!defined) {
            return not_in(SPB_ERR_NOT_FOUND, "no such member:", member->name, instance->template_ref, err);
        }
        if (member->value.type != defined->value.type || member->omit_datatype) {
            return not_in(SPB_ERR_TYPE, "another datatype:", member->name, instance->template_ref, err);
        }
    }
    for (size_t i = 0; i < definition->metric_count; i++) {
        if (!find_member(instance, definition->metrics[i].name, i)) {
            return not_in(SPB_ERR_ARGUMENT, "missing member:", definition->metrics[i].name, instance->template_ref,
                          err);
        }
    }
    if (instance->metric_count != definition->metric_count) { /* each is there, and none is unknown */
        return not_in(SPB_ERR_EXISTS, "a member stands twice in", (spb_str){"an instance", 11}, instance->template_ref,
                      err);
    }
    for (size_t i = 0; i < instance->parameter_count; i++) {
        const spb_parameter *parameter = &instance->parameters[i];
        const spb_parameter *defined = find_parameter(definition, parameter->name);
        if (!defined) {
            return not_in(SPB_ERR_NOT_FOUND, "no such parameter:", parameter->name, instance->template_ref, err);
        }
        if (parameter->value.type != defined->value.type) {
            return not_in(SPB_ERR_TYPE, "another datatype:", parameter->name, instance->template_ref, err);
        }
    }
    return SPB_OK;
}

static const spb_template *template_of(const spb_value *value) {
    return value->type == SPB_TEMPLATE && !value->is_null ? value->as.tmpl : NULL;
}

static spb_status check_members(const spb_session *session, const spb_template *tmpl, unsigned depth, spb_error *err);

static spb_status check_instance(const spb_session *session, const spb_template *instance, unsigned depth,
                                 spb_error *err) {
    if (instance->is_definition) {
        return spb_error__set(err, SPB_ERR_TYPE, "a template definition is not a value of a metric");
    }
    if (depth > SPB_DEFAULT_DEPTH) {
        return spb_error__set(err, SPB_ERR_LIMIT, "templates nested deeper than %d", SPB_DEFAULT_DEPTH);
    }
    const spb_metric *definition = find_definition(session, instance->template_ref);
    if (!definition) {
        return spb_error__set(err, SPB_ERR_NOT_FOUND, "template %.*s is not defined", shown(instance->template_ref),
                              instance->template_ref.data ? instance->template_ref.data : "");
    }
    spb_status status = check_parts(instance, definition->value.as.tmpl, err);
    return status == SPB_OK ? check_members(session, instance, depth + 1, err) : status;
}

static spb_status check_members(const spb_session *session, const spb_template *tmpl, unsigned depth, spb_error *err) {
    spb_status status = SPB_OK;
    for (size_t i = 0; i < tmpl->metric_count && status == SPB_OK; i++) {
        const spb_template *member = template_of(&tmpl->metrics[i].value);
        status = member ? check_instance(session, member, depth, err) : SPB_OK;
    }
    return status;
}

spb_status spb_session__check_template(const spb_session *session, const spb_value *value, spb_error *err) {
    const spb_template *instance = template_of(value);
    return instance ? check_instance(session, instance, 1, err) : SPB_OK;
}

/* The parts of a definition have names (tck-id-payloads-name-requirement) and datatypes (…-metric-datatype-req,
 * …-template-parameter-type-req), each name once. */
static spb_status check_definition(const spb_template *definition, spb_str name, spb_error *err) {
    for (size_t i = 0; i < definition->metric_count; i++) {
        const spb_payload_metric *member = &definition->metrics[i];
        if (!member->name.data || member->name.len == 0) {
            return spb_error__set(err, SPB_ERR_NAME, "template %.*s: member %zu has no name", shown(name), name.data,
                                  i);
        }
        if (!spb_type__is_known(member->value.type) || member->omit_datatype) {
            return not_in(SPB_ERR_TYPE, "no datatype: member", member->name, name, err);
        }
        if (find_member(definition, member->name, 0) != member) {
            return not_in(SPB_ERR_EXISTS, "twice a member:", member->name, name, err);
        }
    }
    for (size_t i = 0; i < definition->parameter_count; i++) {
        const spb_parameter *parameter = &definition->parameters[i];
        if (!spb_type__is_known(parameter->value.type)) {
            return not_in(SPB_ERR_TYPE, "no datatype: parameter", parameter->name, name, err);
        }
    }
    return SPB_OK;
}

spb_status spb_session_add_template(spb_session *session, const char *name, const spb_template *definition,
                                    spb_time now, spb_error *err) {
    spb_metric *metric;
    if (!definition || !definition->is_definition || definition->template_ref.data) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "template %s: a definition has is_definition and no template_ref",
                              name ? name : "");
    }
    spb_status status = check_definition(definition, spb_str_from(name ? name : ""), err);
    if (status == SPB_OK) {
        status = check_members(session, definition, 1, err);
    }
    spb_metric_def def = {.name = name, .value = spb_template_value(definition)};
    return status == SPB_OK ? spb_session__add(session, &metric, session->table.node, &def, true, now, err) : status;
}

/* Whether a value is, or holds, an instance of that name. The depth was checked when it came. */
static bool refers_to(const spb_template *tmpl, spb_str name) {
    bool found = spb_str_equal(tmpl->template_ref, name);
    for (size_t i = 0; i < tmpl->metric_count && !found; i++) {
        const spb_template *member = template_of(&tmpl->metrics[i].value);
        found = member && refers_to(member, name);
    }
    return found;
}

static const spb_metric *find_user(const spb_session *session, spb_str name) {
    for (const spb_device *holder = session->table.node; holder; holder = holder->next) {
        for (const spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
            const spb_template *tmpl = template_of(&metric->value);
            if (tmpl && refers_to(tmpl, name)) {
                return metric;
            }
        }
    }
    return NULL;
}

spb_status spb_session_remove_template(spb_session *session, const char *name, spb_time now, spb_error *err) {
    spb_metric *definition = find_definition(session, spb_str_from(name));
    if (!definition) {
        return spb_error__set(err, SPB_ERR_NOT_FOUND, "template %s is not defined", name);
    }
    const spb_metric *user = find_user(session, spb_str_from(name));
    if (user) {
        return spb_error__set(err, SPB_ERR_STATE, "template %s is in use: by metric %s%s%s", name, user->holder->id,
                              spb_device__is_node(user->holder) ? "" : "/", user->name);
    }
    spb_session__remove_metric(session, definition, now);
    return SPB_OK;
}
