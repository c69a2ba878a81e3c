/* Decides what the parts of a value are, and their names. */
#include "cli/unfold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "cli/message.h"
#include "cli/number.h"

/* ---- memory ---- */

static bool reserve(unfold *u) {
    if (u->count < u->capacity) {
        return true;
    }
    size_t capacity = u->capacity ? 2 * u->capacity : 64;
    metric_view *views = realloc(u->views, capacity * sizeof *views);
    u->views = views ? views : u->views;
    spb_payload_metric *metrics = realloc(u->metrics, capacity * sizeof *metrics);
    u->metrics = metrics ? metrics : u->metrics;
    u->has_failed = u->has_failed || !views || !metrics;
    u->capacity = views && metrics ? capacity : u->capacity;
    return views && metrics;
}

/* ---- parts ---- */

/* `whole`: whose part it is; its flags, time and properties hold for the part, too. */
static void add_part(unfold *u, const metric_view *whole, const metric_view *part) {
    u->is_too_much = u->is_too_much || u->count == UNFOLD_MAX_PARTS;
    if (u->has_failed || u->is_too_much || !reserve(u)) {
        return;
    }
    const spb_payload_metric *from = whole->metric;
    spb_payload_metric *metric = &u->metrics[u->count];
    *metric = (spb_payload_metric){.name = part->name,
                                   .timestamp_ms = from->timestamp_ms,
                                   .has_timestamp = from->has_timestamp,
                                   .is_historical = from->is_historical,
                                   .is_transient = from->is_transient,
                                   .value = part->value,
                                   .properties = from->properties};
    if (whole == part) {
        *metric = *from;
    } else if (part->metric) { /* a member has its own */
        metric->timestamp_ms = part->metric->has_timestamp ? part->metric->timestamp_ms : from->timestamp_ms;
        metric->has_timestamp = from->has_timestamp || part->metric->has_timestamp;
        metric->properties = part->metric->properties ? part->metric->properties : from->properties;
    }
    u->views[u->count++] = *part;
}

/* name + middle + end */
static spb_str join(unfold *u, spb_str name, const char *middle, spb_str end) {
    size_t middle_len = strlen(middle);
    size_t len = name.len + middle_len + end.len;
    char *text = pool_get(&u->names, len, 1);
    if (!text) {
        u->has_failed = true;
        return (spb_str){NULL, 0};
    }
    if (name.len > 0) {
        memcpy(text, name.data, name.len);
    }
    memcpy(text + name.len, middle, middle_len);
    if (end.len > 0) {
        memcpy(text + name.len + middle_len, end.data, end.len);
    }
    return (spb_str){text, len};
}

static spb_str join_index(unfold *u, spb_str name, size_t index, const char *dot, spb_str end) {
    char middle[NUMBER_SIZE + 4] = "[";
    size_t len = 1 + number_u64(middle + 1, index);
    snprintf(middle + len, sizeof middle - len, "]%s", dot);
    return join(u, name, middle, end);
}

static bool goes_on(const unfold *u) {
    return !u->has_failed && !u->is_too_much;
}

static void add_elements(unfold *u, const metric_view *whole) {
    const spb_str nothing = {NULL, 0};
    size_t cursor = 0;
    size_t index = 0;
    spb_value element;
    while (goes_on(u) && spb_array_next(&whole->value, &cursor, &element)) {
        metric_view part = {
            .name = join_index(u, whole->name, index++, "", nothing), .unit = whole->unit, .value = element};
        add_part(u, whole, &part);
    }
}

static void add_cells(unfold *u, const metric_view *whole) {
    const spb_dataset *set = whole->value.as.dataset;
    size_t count = set->row_count * set->column_count;
    for (size_t i = 0; i < count && goes_on(u); i++) {
        size_t column = i % set->column_count;
        metric_view part = {.name = join_index(u, whole->name, i / set->column_count, ".", set->columns[column]),
                            .value = set->cells[i]};
        part.value.type = part.value.is_null ? set->types[column] : part.value.type;
        add_part(u, whole, &part);
    }
}

static void add_metric(unfold *u, const metric_view *whole, const metric_view *view);

static void add_members(unfold *u, const metric_view *whole, const metric_view *view) {
    const spb_template *tmpl = view->value.as.tmpl;
    for (size_t i = 0; i < tmpl->metric_count && goes_on(u); i++) {
        metric_view member;
        births_view_member(view, &tmpl->metrics[i], &member);
        member.name = join(u, view->name, "/", member.name);
        add_metric(u, whole, &member);
    }
    for (size_t i = 0; i < tmpl->parameter_count && goes_on(u); i++) {
        metric_view parameter = {.name = join(u, view->name, "/", tmpl->parameters[i].name),
                                 .value = tmpl->parameters[i].value};
        add_part(u, whole, &parameter);
    }
}

static void add_metric(unfold *u, const metric_view *whole, const metric_view *view) {
    spb_type type = message_type_shown(&view->value);
    size_t before = u->count;
    if (spb_type_is_array(type)) {
        metric_view array = *view;
        array.metric = whole->metric;
        add_elements(u, &array);
    } else if (type == SPB_DATASET) {
        metric_view set = *view;
        set.metric = whole->metric;
        add_cells(u, &set);
    } else if (type == SPB_TEMPLATE) {
        add_members(u, whole, view);
    }
    if (u->count == before) {
        add_part(u, whole, view);
    }
}

spb_status unfold_metrics(unfold *u, const metric_view *views, size_t count, spb_error *err) {
    u->count = 0;
    u->is_too_much = false;
    pool_reset(&u->names);
    for (size_t i = 0; i < count && goes_on(u); i++) {
        add_metric(u, &views[i], &views[i]);
    }
    for (size_t i = 0; i < u->count; i++) {
        u->views[i].metric = &u->metrics[i];
    }
    if (u->has_failed) {
        u->has_failed = false;
        error_set(err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory for the parts of the metrics");
        return SPB_ERR_NO_MEMORY;
    }
    if (u->is_too_much) {
        error_set(err, SPB_ERR_LIMIT, SPB_NO_OFFSET,
                  "the metrics have more than 100,000 parts, so they are shown whole");
        return SPB_ERR_LIMIT;
    }
    return SPB_OK;
}

void unfold_clear(unfold *u) {
    pool_clear(&u->names);
    free(u->views);
    free(u->metrics);
    *u = (unfold){.views = NULL};
}
