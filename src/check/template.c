/* Decides what is wrong with a template: a definition, or an instance as its definition explains it. */
#include <inttypes.h>
#include <string.h>

#include "check/judge.h"

/* Members are looked for one by one; what is larger than this is hardly a template. */
enum { COMPARED_MAX = 1 << 22 };

static const spb_template *as_definition(const spb_payload_metric *metric) {
    const spb_value *value = metric ? &metric->value : NULL;
    bool is_template = value && !value->is_null && value->wire == SPB_WIRE_TEMPLATE;
    return is_template && value->as.tmpl->is_definition ? value->as.tmpl : NULL;
}

/* The metric of that name, or, as some write it, below _types_/. */
static const spb_template *find_definition(const scope *node, spb_str ref) {
    static const char prefix[] = "_types_/";
    const spb_template *found = as_definition(scope_find_name(node, ref));
    for (size_t i = 0; !found && node->birth && i < node->birth->metric_count; i++) {
        spb_str name = node->birth->metrics[i].name;
        if (name.len == sizeof prefix - 1 + ref.len && memcmp(name.data, prefix, sizeof prefix - 1) == 0 &&
            memcmp(name.data + sizeof prefix - 1, ref.data, ref.len) == 0) {
            found = as_definition(&node->birth->metrics[i]);
        }
    }
    return found;
}

static bool has_member(const spb_template *tmpl, spb_str name) {
    for (size_t i = 0; i < tmpl->metric_count; i++) {
        if (spb_str_equal(tmpl->metrics[i].name, name)) {
            return true;
        }
    }
    return false;
}

static bool has_parameter(const spb_template *tmpl, spb_str name) {
    for (size_t i = 0; i < tmpl->parameter_count; i++) {
        if (spb_str_equal(tmpl->parameters[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void judge_by_definition(check *c, const judged *m, spb_str name, const spb_template *tmpl,
                                const spb_template *definition) {
    for (size_t i = 0; i < tmpl->metric_count; i++) {
        if (tmpl->metrics[i].name.data && !has_member(definition, tmpl->metrics[i].name)) {
            check__report(c, RULE_INSTANCE_MEMBERS, "member '%.*s' of '%.*s' does not stand in %.*s",
                          TEXT(tmpl->metrics[i].name), TEXT(name), TEXT(tmpl->template_ref));
        }
    }
    for (size_t i = 0; check__is_birth(m->kind) && i < definition->metric_count; i++) {
        if (!has_member(tmpl, definition->metrics[i].name)) {
            check__report(c, RULE_INSTANCE_MEMBERS_IN_BIRTH, "'%.*s' lacks the member '%.*s' of %.*s", TEXT(name),
                          TEXT(definition->metrics[i].name), TEXT(tmpl->template_ref));
        }
    }
    for (size_t i = 0; i < tmpl->parameter_count; i++) {
        if (!has_parameter(definition, tmpl->parameters[i].name)) {
            check__report(c, RULE_INSTANCE_PARAMETERS, "parameter '%.*s' of '%.*s' does not stand in %.*s",
                          TEXT(tmpl->parameters[i].name), TEXT(name), TEXT(tmpl->template_ref));
        }
    }
}

static void judge_instance(check *c, const judged *m, spb_str name, const spb_template *tmpl) {
    if (tmpl->template_ref.len == 0) {
        check__report(c, RULE_INSTANCE_REF, "'%.*s' has no template_ref", TEXT(name));
        return;
    }
    const spb_template *definition = find_definition(m->node, tmpl->template_ref);
    if (!definition && m->node->birth) {
        check__report(c, RULE_DEFINITION_MISSING, "'%.*s' refers to %.*s, which the NBIRTH does not define", TEXT(name),
                      TEXT(tmpl->template_ref));
    }
    size_t of_definition = definition ? definition->metric_count + definition->parameter_count : 0;
    size_t of_instance = tmpl->metric_count + tmpl->parameter_count;
    if (definition && (of_definition == 0 || of_instance <= COMPARED_MAX / of_definition)) {
        judge_by_definition(c, m, name, tmpl, definition);
    }
}

static void judge_definition(check *c, const judged *m, spb_str name, const spb_template *tmpl) {
    if (m->kind != SPB_KIND_NBIRTH) {
        check__report(c, RULE_DEFINITION_IN_NBIRTH, "%s with the definition '%.*s'", spb_kind_name(m->kind),
                      TEXT(name));
    }
    if (tmpl->template_ref.len > 0) {
        check__report(c, RULE_DEFINITION_REF, "the definition '%.*s' refers to %.*s", TEXT(name),
                      TEXT(tmpl->template_ref));
    }
}

static void judge_parameters(check *c, const judged *m, spb_str name, const spb_template *tmpl) {
    for (size_t i = 0; i < tmpl->parameter_count; i++) {
        const spb_parameter *parameter = &tmpl->parameters[i];
        if (parameter->name.len == 0) {
            check__report(c, RULE_PARAMETER_NAME, "a parameter of '%.*s' has no name", TEXT(name));
        }
        if (parameter->value.type == SPB_UNKNOWN && check__is_birth(m->kind)) {
            check__report(c, RULE_PARAMETER_HAS_TYPE, "parameter '%.*s' of '%.*s' has no type", TEXT(parameter->name),
                          TEXT(name));
        } else if (parameter->value.type > SPB_TEXT) {
            check__report(c, RULE_PARAMETER_TYPE, "parameter '%.*s' of '%.*s' has the type %" PRIu32,
                          TEXT(parameter->name), TEXT(name), (uint32_t)parameter->value.type);
        }
    }
}

/* How deep templates are nested is limited by the decoder. */
static void judge_members(check *c, const judged *m, spb_str name, const spb_template *tmpl) {
    for (size_t i = 0; i < tmpl->metric_count; i++) {
        const spb_payload_metric *member = &tmpl->metrics[i];
        if (member->omit_datatype && check__is_birth(m->kind)) {
            check__report(c, RULE_DATATYPE_IN_BIRTH, "member '%.*s' of '%.*s' has no datatype", TEXT(member->name),
                          TEXT(name));
        }
        if (!member->value.is_null && member->value.wire == SPB_WIRE_TEMPLATE) {
            check__template(c, m, member->name, member->value.as.tmpl);
        }
    }
}

void check__template(check *c, const judged *m, spb_str name, const spb_template *tmpl) {
    if (!tmpl->has_is_definition) {
        check__report(c, RULE_IS_DEFINITION, "'%.*s' does not say whether it is a definition", TEXT(name));
    }
    if (tmpl->is_definition) {
        judge_definition(c, m, name, tmpl);
    } else {
        judge_instance(c, m, name, tmpl);
    }
    judge_parameters(c, m, name, tmpl);
    judge_members(c, m, name, tmpl);
}
