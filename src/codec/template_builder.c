/* Decides how Templates are made member by member. What may stand in one is left to the encoder. */
#include <spb/payload.h>

#include "base/arena.h"
#include "base/error.h"
#include "codec/check.h"
#include "codec/encode.h"
#include "codec/limits.h"
#include "codec/place.h"
#include "codec/value.h"

struct spb_template_builder {
    spb_arena *arena; /* this struct, too */
    spb_template tmpl;
    size_t metric_capacity, parameter_capacity;
};

static const spb_place top = {NULL, MESSAGE_TEMPLATE, 0, NOT_REPEATED};

/* Text of the template's field `number`. */
static spb_status copy_text(spb_template_builder *builder, spb_str *out, const char *text, unsigned number,
                            spb_error *err) {
    spb_value copy;
    const spb_value value = spb_string(text);
    if (value.is_null) {
        return SPB_OK;
    }
    if (!spb_utf8__is_valid(value.as.str, NULL)) {
        const spb_place at = {&top, MESSAGE_TEMPLATE, number, NOT_REPEATED};
        return spb_place__fail(err, SPB_ERR_NAME, &at, "not UTF-8");
    }
    spb_status status = spb_value__copy_to(&copy, &value, builder->arena, err);
    if (status == SPB_OK) {
        *out = copy.as.str;
    }
    return status;
}

spb_status spb_template_builder_new(spb_template_builder **out, const char *template_ref, const char *version,
                                    spb_error *err) {
    *out = NULL;
    if (template_ref && *template_ref == '\0') {
        return spb_error__set(err, SPB_ERR_NAME, "template.template_ref: empty; a definition has none");
    }
    spb_arena *arena = spb_arena__new(spb_limits__effective(NULL).max_heap_bytes);
    spb_template_builder *builder = arena ? spb_arena__calloc(arena, 1, sizeof *builder) : NULL;
    if (!builder) {
        spb_arena__free(arena);
        return spb_error__no_memory(err, "a Template");
    }
    builder->arena = arena;
    builder->tmpl.has_is_definition = true;
    builder->tmpl.is_definition = template_ref == NULL;
    spb_status status = copy_text(builder, &builder->tmpl.template_ref, template_ref, TEMPLATE_TEMPLATE_REF, err);
    if (status == SPB_OK) {
        status = copy_text(builder, &builder->tmpl.version, version, TEMPLATE_VERSION, err);
    }
    if (status == SPB_OK) {
        *out = builder;
    } else {
        spb_arena__free(arena);
    }
    return status;
}

void spb_template_builder_free(spb_template_builder *builder) {
    if (builder) {
        spb_arena__free(builder->arena);
    }
}

const spb_template *spb_template_builder_get(const spb_template_builder *builder) {
    return &builder->tmpl;
}

static spb_status check_member(const spb_template *tmpl, const spb_payload_metric *metric, spb_error *err) {
    if (!metric->name.data) {
        return spb_error__set(err, SPB_ERR_NAME, "metric.name: a member of a Template needs one");
    }
    for (size_t i = 0; i < tmpl->metric_count; i++) {
        if (spb_str_equal(tmpl->metrics[i].name, metric->name)) {
            return spb_error__set(err, SPB_ERR_EXISTS, "metric.name: the name of member %zu again", i);
        }
    }
    return spb_encode__check_metric(metric, err);
}

spb_status spb_template_builder_add_metric(spb_template_builder *builder, const spb_payload_metric *metric,
                                           spb_error *err) {
    spb_template *tmpl = &builder->tmpl;
    spb_payload_metric copy;
    spb_status status = check_member(tmpl, metric, err);
    if (status == SPB_OK) {
        status = spb_metric__copy_to(&copy, metric, builder->arena, err);
    }
    if (status != SPB_OK) {
        return status;
    }
    spb_payload_metric *metrics = spb_arena__grow(builder->arena, tmpl->metrics, tmpl->metric_count,
                                                  &builder->metric_capacity, 1, sizeof *metrics);
    if (!metrics) {
        return spb_arena__no_room(builder->arena, "a member", err);
    }
    metrics[tmpl->metric_count++] = copy;
    tmpl->metrics = metrics;
    return SPB_OK;
}

spb_status spb_template_builder_add_parameter(spb_template_builder *builder, const char *name, const spb_value *value,
                                              spb_error *err) {
    spb_template *tmpl = &builder->tmpl;
    spb_parameter copy = {.name = spb_str_from(name), .value = *value};
    for (size_t i = 0; i < tmpl->parameter_count; i++) {
        if (spb_str_equal(tmpl->parameters[i].name, copy.name)) {
            return spb_error__set(err, SPB_ERR_EXISTS, "template.parameters[%zu].name: the name of parameter %zu again",
                                  tmpl->parameter_count, i);
        }
    }
    spb_status status = spb_encode__check_parameter(&copy, tmpl->parameter_count, err);
    if (status == SPB_OK) {
        status = copy_text(builder, &copy.name, name, TEMPLATE_PARAMETERS, err);
    }
    if (status == SPB_OK) {
        status = spb_value__copy_to(&copy.value, value, builder->arena, err);
    }
    if (status != SPB_OK) {
        return status;
    }
    spb_parameter *parameters = spb_arena__grow(builder->arena, tmpl->parameters, tmpl->parameter_count,
                                                &builder->parameter_capacity, 1, sizeof *parameters);
    if (!parameters) {
        return spb_arena__no_room(builder->arena, "a parameter", err);
    }
    parameters[tmpl->parameter_count++] = copy;
    tmpl->parameters = parameters;
    return SPB_OK;
}
