/* Decides what becomes of each record: topic, payload, births, what is reported and what counts as wrong. Reading is
 * left to feed.c, what is wanted to filter.c, the forms of output to output.c. */
#include "cli/decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"

bool decode_init(decoder *d, report *to, output *shown, filter *wanted, later *again, bool is_unfolding) {
    *d = (decoder){.to = to, .shown = shown, .wanted = wanted, .again = again, .is_unfolding = is_unfolding};
    d->known = births_new();
    return d->known != NULL;
}

void decode_clear(decoder *d) {
    births_free(d->known);
    unfold_clear(&d->parts);
    free(d->views);
}

/* ---- reports ---- */

/* Once per node or device: what its births should have told. */
static void report_unknown(decoder *d, place at, const spb_topic *topic, const metric_view *view, bool has_birth) {
    spb_error err = {.status = SPB_ERR_NOT_FOUND, .offset = SPB_NO_OFFSET};
    char source[128];
    bool has_device = topic->device_id.data != NULL;
    snprintf(source, sizeof source, "%.*s/%.*s%s%.*s", (int)topic->group_id.len, topic->group_id.data,
             (int)topic->node_id.len, topic->node_id.data, has_device ? "/" : "", (int)topic->device_id.len,
             has_device ? topic->device_id.data : "");
    if (!has_birth) {
        snprintf(err.text, sizeof err.text, "%s: no birth was seen, so not all names and datatypes are known", source);
    } else if (!view->name.data) {
        snprintf(err.text, sizeof err.text, "%s: alias %llu is not in the birth", source,
                 (unsigned long long)view->metric->alias);
    } else {
        snprintf(err.text, sizeof err.text, "%s: metric '%.*s' has no datatype in the birth", source,
                 (int)(view->name.len < 64 ? view->name.len : 64), view->name.data);
    }
    report_wrong(d->to, at, &err, "");
}

static void report_misfit(decoder *d, place at, const metric_view *view, spb_error *err) {
    spb_error whole = {.status = err->status, .offset = SPB_NO_OFFSET};
    snprintf(whole.text, sizeof whole.text, "metric '%.*s': %.150s", (int)(view->name.len < 64 ? view->name.len : 64),
             view->name.data ? view->name.data : "", err->text);
    report_wrong(d->to, at, &whole, "");
}

/* Each time in a text; in a capture, where all kinds of things go by, the first time, and at the end how often. */
static void note_other_topic(decoder *d, const feed_record *record) {
    spb_error err = {.status = SPB_ERR_NAME, .offset = SPB_NO_OFFSET};
    d->other_topics += record->wire != NULL;
    if (d->other_topics <= 1) {
        snprintf(err.text, sizeof err.text, "skipped, not a topic of Sparkplug: %.*s",
                 (int)(record->topic.len < 128 ? record->topic.len : 128), record->topic.data);
        report_note(d->to, record->at, &err, "");
    }
}

void decode_end(decoder *d) {
    if (d->other_topics > 1) {
        spb_error err = {.status = SPB_OK, .offset = SPB_NO_OFFSET};
        snprintf(err.text, sizeof err.text, "%" PRIu64 " messages with other topics were skipped", d->other_topics);
        report_note(d->to, (place){0, 0}, &err, "");
    }
}

/* ---- metrics ---- */

static bool reserve_views(decoder *d, size_t count) {
    if (count > d->view_capacity) {
        metric_view *views = realloc(d->views, count * sizeof *views);
        if (!views) {
            return false;
        }
        d->views = views;
        d->view_capacity = count;
    }
    return true;
}

static bool is_unknown(const metric_view *view) {
    return !view->name.data || view->value.type == SPB_UNKNOWN;
}

/* `scope` NULL: a payload alone, of which nothing can be known. */
static void view_metrics(decoder *d, place at, const message *m, birth_scope *scope) {
    for (size_t i = 0; i < m->payload->metric_count; i++) {
        metric_view *view = &d->views[i];
        spb_error err;
        if (births_view(scope, &m->payload->metrics[i], view, &err) != SPB_OK) {
            report_misfit(d, at, view, &err);
        } else if (scope && is_unknown(view) && births_first_complaint(scope)) {
            report_unknown(d, at, &m->topic, view, births_is_known(scope) || births_has_later(scope));
        }
    }
}

/* Without a birth, the rest of the file may have one. True if that explains something. */
static bool look_ahead(decoder *d, const message *m, birth_scope *scope) {
    bool needs_birth = false;
    for (size_t i = 0; i < m->payload->metric_count && !needs_birth; i++) {
        const spb_payload_metric *metric = &m->payload->metrics[i];
        needs_birth = !metric->name.data || metric->value.type == SPB_UNKNOWN;
    }
    if (!scope || !needs_birth || births_is_known(scope)) {
        return false;
    }
    later_find(d->again, d->known);
    return births_has_later(scope);
}

static void add_remark(char *remark, size_t capacity, const char *more) {
    size_t used = strlen(remark);
    snprintf(remark + used, capacity - used, "%s%s", used > 0 ? ", " : "", more);
}

/* Fills in m->metrics: those that are wanted, or their parts. False: no memory, or nothing is wanted. */
static bool prepare_metrics(decoder *d, place at, message *m, birth_scope *scope) {
    if (!reserve_views(d, m->payload->metric_count)) {
        report_no_memory(d->to, at);
        return false;
    }
    view_metrics(d, at, m, scope);
    m->metrics = d->views;
    if (filter_is_of_metrics(d->wanted)) {
        m->metric_count = filter_metrics(d->wanted, d->views, m->metric_count);
        if (m->metric_count == 0) {
            return false;
        }
    }
    spb_error err;
    if (d->is_unfolding && unfold_metrics(&d->parts, d->views, m->metric_count, &err) == SPB_OK) {
        m->metrics = d->parts.views;
        m->metric_count = d->parts.count;
    } else if (d->is_unfolding) {
        report_wrong(d->to, at, &err, "");
    }
    return true;
}

/* ---- messages ---- */

static void show(decoder *d, const feed_record *record, const message *m, birth_scope *scope) {
    if (!output_message(d->shown, m, scope, record->payload.len)) {
        report_no_memory(d->to, record->at);
    }
}

static bool is_birth(const message *m) {
    return m->topic_text.data && (m->topic.kind == SPB_KIND_NBIRTH || m->topic.kind == SPB_KIND_DBIRTH);
}

static void show_payload(decoder *d, const feed_record *record, message *m, birth_scope *scope) {
    char remark[96] = "";
    if (scope) {
        births_remark(scope, &m->topic, m->payload, remark, sizeof remark);
    }
    if (!filter_takes_message(d->wanted, m)) {
        return;
    }
    m->remark = remark;
    m->metric_count = m->payload->metric_count;
    bool needs_views = !output_is_sums(d->shown) || filter_is_of_metrics(d->wanted) || d->is_unfolding;
    if (needs_views && look_ahead(d, m, scope)) {
        add_remark(remark, sizeof remark, "named by a later birth");
    }
    if (!needs_views || prepare_metrics(d, record->at, m, scope)) {
        show(d, record, m, scope);
    }
}

static void decode_payload(decoder *d, const feed_record *record, message *m) {
    birth_scope *scope = m->topic_text.data ? births_scope(d->known, &m->topic) : NULL;
    if (m->topic_text.data && !scope) {
        report_no_memory(d->to, record->at);
        return;
    }
    spb_payload *payload = NULL;
    spb_error err;
    if (spb_payload_decode(&payload, record->payload, NULL, &err) != SPB_OK) {
        report_wrong(d->to, record->at, &err, " of the payload");
        if (is_birth(m)) {
            births_forget(scope);
        }
        return;
    }
    m->payload = payload;
    if (!is_birth(m)) {
        show_payload(d, record, m, scope);
        spb_payload_free(payload);
    } else if (births_learn(scope, payload)) {
        show_payload(d, record, m, scope);
    } else {
        report_no_memory(d->to, record->at);
    }
}

static void decode_state(decoder *d, const feed_record *record, message *m) {
    spb_error err;
    if (!filter_takes_message(d->wanted, m)) {
        return;
    }
    if (spb_host_state_parse(&m->state, record->payload, &err) == SPB_OK) {
        show(d, record, m, NULL);
    } else {
        report_wrong(d->to, record->at, &err, " of the payload");
    }
}

static bool is_of_sparkplug(spb_str topic) {
    static const char prefix[] = SPB_NAMESPACE "/";
    return topic.len >= sizeof prefix - 1 && memcmp(topic.data, prefix, sizeof prefix - 1) == 0;
}

void decode_record(void *user, const feed_record *record) {
    decoder *d = user;
    message m = {.has_time = record->has_time,
                 .time_ms = record->time_ms,
                 .wire = record->wire,
                 .topic_text = record->topic,
                 .remark = ""};
    spb_error err;
    if (!record->topic.data) {
        decode_payload(d, record, &m);
    } else if (!is_of_sparkplug(record->topic)) {
        note_other_topic(d, record);
    } else if (spb_topic_parse(&m.topic, record->topic, &err) != SPB_OK) {
        report_wrong(d->to, record->at, &err, " of the topic");
    } else if (m.topic.kind == SPB_KIND_STATE) {
        decode_state(d, record, &m);
    } else if (filter_takes_node(d->wanted, &m.topic)) {
        decode_payload(d, record, &m);
    }
}
