/* Decides the columns of metrics, and which ones are short enough for the line of their message. How a single value
 * looks is left to text_value.c. */
#include "cli/text_metrics.h"

#include <string.h>

#include "cli/number.h"

enum { INDENT = 16, MAX_NAME_WIDTH = 40, MAX_INLINE_METRICS = 4, MAX_INLINE_COLUMNS = 64, NEAR_MS = 1000 };

/* What the lines of a group of metrics share. */
typedef struct columns {
    size_t indent;
    size_t name_width;
    size_t type_width;
    bool with_alias;            /* births say which alias is whose */
    const spb_payload *payload; /* a sample's own time is shown beside its */
} columns;

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* `to` NULL: only measures. */
static size_t put_name(out *to, const metric_view *view) {
    if (view->name.data) {
        return text_escaped(to, view->name);
    }
    if (!view->metric->has_alias) {
        return text_escaped(to, spb_str_from("(no name)"));
    }
    size_t taken = text_escaped(to, spb_str_from("alias "));
    return taken + text_u64(to, view->metric->alias);
}

static size_t put_value_and_unit(out *to, const metric_view *view) {
    size_t taken = text_value(to, &view->value);
    if (view->unit.len > 0 && !view->value.is_null) {
        taken += text_escaped(to, (spb_str){" ", 1});
        taken += text_escaped(to, view->unit);
    }
    return taken;
}

/* Samples of one message are often some milliseconds apart; that is not worth a note. JSON tells all. */
static bool has_own_timestamp(const spb_payload_metric *metric, const spb_payload *payload) {
    uint64_t a = metric->timestamp_ms;
    uint64_t b = payload->timestamp_ms;
    bool is_near = payload->has_timestamp && (a > b ? a - b : b - a) < NEAR_MS;
    return metric->has_timestamp && (metric->is_historical || !is_near);
}

/* Without the date where it is the payload's. */
static void put_own_timestamp(const text *t, uint64_t unix_ms, const spb_payload *payload) {
    char own[NUMBER_SIZE];
    char of_payload[NUMBER_SIZE];
    size_t len = number_datetime(own, unix_ms);
    bool is_same_day = payload->has_timestamp && len == NUMBER_DATETIME_LEN &&
                       number_datetime(of_payload, payload->timestamp_ms) == len &&
                       memcmp(own, of_payload, NUMBER_DATE_LEN) == 0;
    out_bytes(t->to, is_same_day ? own + NUMBER_TIME_AT : own, is_same_day ? (size_t)NUMBER_TIME_LEN : len);
}

static void put_note(const text *t, bool *is_open, const char *note) {
    out_text(t->to, *is_open ? ", " : "  (");
    out_text(t->to, note);
    *is_open = true;
}

static void put_notes(const text *t, const spb_payload_metric *metric, const columns *c) {
    bool is_open = false;
    text_paint(t, TEXT_DIM);
    if (c->with_alias && metric->has_alias && metric->name.data) {
        put_note(t, &is_open, "alias ");
        out_u64(t->to, metric->alias);
    }
    if (metric->is_historical) {
        put_note(t, &is_open, "historical");
    }
    if (metric->is_transient) {
        put_note(t, &is_open, "transient");
    }
    if (has_own_timestamp(metric, c->payload)) {
        put_note(t, &is_open, "at ");
        put_own_timestamp(t, metric->timestamp_ms, c->payload);
    }
    out_text(t->to, is_open ? ")" : "");
    text_paint(t, TEXT_PLAIN);
}

static void put_meta(const text *t, const char **separator, const char *key, spb_str value) {
    if (value.data) {
        out_text(t->to, *separator);
        out_text(t->to, key);
        out_text(t->to, " \"");
        (void)text_escaped(t->to, value);
        out_char(t->to, '"');
        *separator = ", ";
    }
}

static void put_meta_u64(const text *t, const char **separator, const char *key, bool is_present, uint64_t value) {
    if (is_present) {
        out_text(t->to, *separator);
        out_text(t->to, key);
        out_char(t->to, ' ');
        out_u64(t->to, value);
        *separator = ", ";
    }
}

static void put_metadata(const text *t, const spb_metadata *metadata) {
    const char *separator = "  ";
    put_meta(t, &separator, "file", metadata->file_name);
    put_meta(t, &separator, "file type", metadata->file_type);
    put_meta(t, &separator, "content type", metadata->content_type);
    put_meta_u64(t, &separator, "size", metadata->has_size, metadata->size);
    put_meta_u64(t, &separator, "part", metadata->has_seq, metadata->seq);
    put_meta(t, &separator, "MD5", metadata->md5);
    put_meta(t, &separator, "description", metadata->description);
    if (metadata->is_multi_part) {
        out_text(t->to, separator);
        out_text(t->to, "one of several parts");
    }
}

static void put_template(const text *t, const metric_view *view, const columns *c);

static void put_name_and_type(const text *t, const columns *c, const metric_view *view) {
    text_spaces(t, c->indent);
    text_paint(t, TEXT_NAME);
    size_t taken = put_name(t->to, view);
    text_paint(t, TEXT_PLAIN);
    text_pad(t, taken, c->name_width);
    const char *type = spb_type_name(view->value.type);
    out_text(t->to, "  ");
    text_paint(t, TEXT_DIM);
    out_text(t->to, type);
    text_paint(t, TEXT_PLAIN);
    text_pad(t, strlen(type), c->type_width);
    out_text(t->to, "  ");
}

static void put_metric(const text *t, const columns *c, const metric_view *view) {
    spb_type type = message_type_shown(&view->value);
    put_name_and_type(t, c, view);
    if (type == SPB_DATASET) {
        out_u64(t->to, view->value.as.dataset->row_count);
        out_text(t->to, view->value.as.dataset->row_count == 1 ? " row" : " rows");
    } else if (type == SPB_TEMPLATE) {
        const spb_template *tmpl = view->value.as.tmpl;
        out_text(t->to, tmpl->is_definition ? "definition" : "of ");
        (void)text_escaped(t->to, tmpl->template_ref);
        out_text(t->to, tmpl->version.len > 0 ? ", version " : "");
        (void)text_escaped(t->to, tmpl->version);
    } else {
        (void)put_value_and_unit(t->to, view);
    }
    if (text_properties(NULL, view->metric->properties, "engUnit") > 0) {
        out_text(t->to, "  ");
        (void)text_properties(t->to, view->metric->properties, "engUnit");
    }
    if (view->metric->metadata) {
        put_metadata(t, view->metric->metadata);
    }
    put_notes(t, view->metric, c);
    out_char(t->to, '\n');
    if (type == SPB_DATASET) {
        text_dataset(t, view->value.as.dataset, c->indent + 2);
    } else if (type == SPB_TEMPLATE) {
        put_template(t, view, c);
    }
}

static void widen(columns *c, const metric_view *view) {
    size_t name = put_name(NULL, view);
    c->name_width = larger(c->name_width, name < MAX_NAME_WIDTH ? name : MAX_NAME_WIDTH);
    c->type_width = larger(c->type_width, strlen(spb_type_name(view->value.type)));
}

/* A parameter of a template, as if it were a member. */
static metric_view view_parameter(const spb_parameter *parameter, spb_payload_metric *metric) {
    *metric = (spb_payload_metric){.name = parameter->name, .value = parameter->value};
    return (metric_view){.metric = metric, .name = metric->name, .value = metric->value};
}

/* Its members, then its parameters. */
static void put_template(const text *t, const metric_view *view, const columns *c) {
    const spb_template *tmpl = view->value.as.tmpl;
    columns inner = {.indent = c->indent + 2, .with_alias = c->with_alias, .payload = c->payload};
    spb_payload_metric metric;
    metric_view member;
    for (size_t i = 0; i < tmpl->metric_count; i++) {
        births_view_member(view, &tmpl->metrics[i], &member);
        widen(&inner, &member);
    }
    for (size_t i = 0; i < tmpl->parameter_count; i++) {
        member = view_parameter(&tmpl->parameters[i], &metric);
        widen(&inner, &member);
    }
    for (size_t i = 0; i < tmpl->metric_count; i++) {
        births_view_member(view, &tmpl->metrics[i], &member);
        put_metric(t, &inner, &member);
    }
    for (size_t i = 0; i < tmpl->parameter_count; i++) {
        member = view_parameter(&tmpl->parameters[i], &metric);
        put_name_and_type(t, &inner, &member);
        (void)text_value(t->to, &member.value);
        text_paint(t, TEXT_DIM);
        out_text(t->to, "  (parameter)\n");
        text_paint(t, TEXT_PLAIN);
    }
}

void text_metrics_below(const text *t, const message *m, bool is_birth) {
    columns c = {.indent = INDENT, .with_alias = is_birth, .payload = m->payload};
    for (size_t i = 0; i < m->metric_count; i++) {
        widen(&c, &m->metrics[i]);
    }
    for (size_t i = 0; i < m->metric_count; i++) {
        put_metric(t, &c, &m->metrics[i]);
    }
}

bool text_metrics_fit_inline(const message *m) {
    size_t columns_taken = 0;
    if (m->metric_count > MAX_INLINE_METRICS) {
        return false;
    }
    for (size_t i = 0; i < m->metric_count; i++) {
        const metric_view *view = &m->metrics[i];
        const spb_payload_metric *metric = view->metric;
        if (!text_is_inline(&view->value) || metric->properties || metric->metadata || metric->is_historical ||
            metric->is_transient || has_own_timestamp(metric, m->payload)) {
            return false;
        }
        columns_taken += put_name(NULL, view) + put_value_and_unit(NULL, view) + 4;
    }
    return columns_taken <= MAX_INLINE_COLUMNS;
}

void text_metrics_inline(const text *t, const message *m) {
    for (size_t i = 0; i < m->metric_count; i++) {
        out_text(t->to, i > 0 ? "   " : "  ");
        text_paint(t, TEXT_NAME);
        (void)put_name(t->to, &m->metrics[i]);
        text_paint(t, TEXT_PLAIN);
        out_char(t->to, ' ');
        (void)put_value_and_unit(t->to, &m->metrics[i]);
    }
}
