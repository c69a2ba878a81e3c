/* Decides what a message changes in the table. How the table looks is left to watch_screen.c. */
#include "cli/watch_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/text_value.h"

/* A node or device, by its births_number. */
typedef struct life {
    char *source;
    bool is_online;
    bool is_told;        /* as unknown */
    bool has_gap;        /* messages may be missing since the last one */
    size_t node;         /* its node's number */
    uint32_t generation; /* counts births */
    size_t rows, fresh;  /* of its metrics; of them, those that the last birth had */
} life;

struct watch_table {
    filter *wanted;
    watch_listener listener;
    births *known;
    life *lives;
    size_t life_count, life_capacity;
    watch_rows rows;
    uint64_t version;
    out scratch; /* where text is made */
};

/* ---- text ---- */

/* What was written to the scratch, cut to `size` with its NUL between two characters. */
static void take_text(watch_table *t, char *to, size_t size) {
    spb_str from = {t->scratch.data, t->scratch.len};
    size_t len = 0, at = 0;
    while (at < from.len && (spb_utf8__next(from, &at), at < size)) {
        len = at;
    }
    bool is_cut = len < from.len;
    memcpy(to, from.data, len);
    to[len] = '\0';
    if (is_cut && len >= 3) { /* … has three bytes */
        do {
            len--;
        } while (len + 3 >= size || (to[len] & 0xC0) == 0x80);
        strcpy(to + len, "…");
    }
    t->scratch.len = 0;
}

static char *copy_text(watch_table *t) {
    char *copy = malloc(t->scratch.len + 1);
    if (copy) {
        memcpy(copy, t->scratch.data, t->scratch.len);
        copy[t->scratch.len] = '\0';
    }
    t->scratch.len = 0;
    return copy;
}

static char *make_source(watch_table *t, const spb_topic *topic) {
    (void)text_escaped(&t->scratch, topic->group_id);
    out_char(&t->scratch, '/');
    (void)text_escaped(&t->scratch, topic->node_id);
    if (topic->device_id.data) {
        out_char(&t->scratch, '/');
        (void)text_escaped(&t->scratch, topic->device_id);
    }
    return copy_text(t);
}

static const char *quality_of(const metric_view *view) {
    const spb_property *own = spb_property_find(view->metric->properties, SPB_PROPERTY_QUALITY);
    if (!own && view->birth) {
        own = spb_property_find(view->birth->properties, SPB_PROPERTY_QUALITY);
    }
    if (!own || own->value.type != SPB_INT32 || own->value.is_null) {
        return "";
    }
    switch (own->value.as.i64) {
    case SPB_QUALITY_BAD: return "BAD";
    case SPB_QUALITY_GOOD: return "GOOD";
    case SPB_QUALITY_STALE: return "STALE";
    default: return "?";
    }
}

/* ---- lives ---- */

static life *find_life(watch_table *t, birth_scope *scope, const spb_topic *topic) {
    size_t number = births_number(scope);
    if (number >= t->life_capacity) {
        size_t capacity = 2 * number + 16;
        life *lives = realloc(t->lives, capacity * sizeof *lives);
        if (!lives) {
            return NULL;
        }
        memset(lives + t->life_capacity, 0, (capacity - t->life_capacity) * sizeof *lives);
        t->lives = lives;
        t->life_capacity = capacity;
    }
    life *one = &t->lives[number];
    t->life_count = number >= t->life_count ? number + 1 : t->life_count;
    if (!one->source) {
        one->node = births_number(births_node(scope));
        one->source = make_source(t, topic);
    }
    return one->source ? one : NULL;
}

static void set_online(watch_table *t, life *one, bool is_online, uint64_t time_ms) {
    bool is_news = one->is_online != is_online;
    one->is_online = is_online;
    if (is_news && t->listener.on_life) {
        t->listener.on_life(one->source, is_online, time_ms, t->listener.user);
    }
}

/* The values of a node and its devices, or of a device alone, are what they were. */
static void mark_stale(watch_table *t, size_t number) {
    for (size_t i = 0; i < t->rows.count; i++) {
        watch_row *row = t->rows.items[i];
        row->is_stale = row->is_stale || row->scope == number || t->lives[row->scope].node == number;
    }
    t->version++;
}

static void end(watch_table *t, size_t number, uint64_t time_ms) {
    mark_stale(t, number);
    for (size_t i = 0; i < t->life_count; i++) {
        if (t->lives[i].source && (i == number || t->lives[i].node == number)) {
            set_online(t, &t->lives[i], false, time_ms);
        }
    }
}

/* ---- rows ---- */

static void put_value(watch_table *t, watch_row *row, const metric_view *view) {
    (void)text_value(&t->scratch, &view->value);
    if (view->unit.len > 0 && !view->value.is_null) {
        out_char(&t->scratch, ' ');
        (void)text_escaped(&t->scratch, view->unit);
    }
    take_text(t, row->value, sizeof row->value);
    row->quality = quality_of(view);
}

static bool set_value(watch_table *t, size_t scope, const metric_view *view, uint64_t time_ms) {
    life *one = &t->lives[scope];
    char metric[WATCH_METRIC_SIZE];
    bool is_new;
    (void)text_escaped(&t->scratch, view->name);
    take_text(t, metric, sizeof metric);
    watch_row *row = watch_rows_get(&t->rows, scope, one->source, metric, &is_new);
    if (!row) {
        return false;
    }
    one->rows += is_new;
    one->fresh += is_new || row->generation != one->generation;
    put_value(t, row, view);
    row->time_ms = time_ms;
    row->is_stale = false;
    row->generation = one->generation;
    t->version++;
    if (t->listener.on_value) {
        t->listener.on_value(row, t->listener.user);
    }
    return true;
}

/* ---- messages ---- */

static void tell_unknown(watch_table *t, birth_scope *scope, const spb_topic *topic) {
    life *node = &t->lives[births_number(births_node(scope))];
    if (node->is_told) {
        return;
    }
    node->is_told = true;
    if (t->listener.on_unknown) {
        spb_topic of_node = *topic;
        of_node.device_id = (spb_str){NULL, 0};
        t->listener.on_unknown(&of_node, t->listener.user);
    }
}

/* Each metric that has a name; historical ones are not the newest. */
static bool set_values(watch_table *t, birth_scope *scope, const spb_topic *topic, const spb_payload *payload,
                       uint64_t time_ms) {
    size_t number = births_number(scope);
    for (size_t i = 0; i < payload->metric_count; i++) {
        metric_view view;
        spb_error err;
        spb_status status = births_view(scope, &payload->metrics[i], &view, &err);
        if (!view.birth) {
            tell_unknown(t, scope, topic);
        }
        bool is_wanted = filter_metrics(t->wanted, &view, 1) == 1;
        if (status != SPB_OK || !view.name.data || payload->metrics[i].is_historical || !is_wanted) {
            continue;
        }
        if (!set_value(t, number, &view, time_ms)) {
            return false;
        }
    }
    return true;
}

static bool take_birth(watch_table *t, birth_scope *scope, const spb_topic *topic, spb_payload *payload,
                       uint64_t time_ms) {
    size_t number = births_number(scope);
    if (!births_learn(scope, payload)) {
        return false;
    }
    life *one = &t->lives[number];
    one->generation++;
    one->fresh = 0;
    one->is_told = one->has_gap = false;
    set_online(t, one, true, time_ms);
    if (!set_values(t, scope, topic, payload, time_ms)) {
        return false;
    }
    if (one->fresh == one->rows) {
        return true;
    }
    one->rows = one->fresh;
    return watch_rows_drop(&t->rows, number, one->generation);
}

/* Not known any more: what an alias means may have changed. */
static void forget(watch_table *t, birth_scope *node) {
    births_forget(node);
    mark_stale(t, births_number(node));
}

static bool take_payload(watch_table *t, const spb_topic *topic, spb_payload *payload, uint64_t time_ms) {
    birth_scope *scope = births_scope(t->known, topic);
    spb_topic of_node = *topic;
    of_node.device_id = (spb_str){NULL, 0};
    /* The node first, as the numbers of devices lead to it. */
    bool has_lives = scope && find_life(t, births_node(scope), &of_node) && find_life(t, scope, topic);
    if (!has_lives) {
        spb_payload_free(payload);
        return false;
    }
    char remark[64];
    births_remark(scope, topic, payload, remark, sizeof remark);
    life *node = &t->lives[births_number(births_node(scope))];
    if (node->has_gap && births_missing(scope) > 0) {
        forget(t, births_node(scope));
        node->is_told = false;
    }
    node->has_gap = false;
    bool is_fine = true;
    switch (topic->kind) {
    case SPB_KIND_NBIRTH:
    case SPB_KIND_DBIRTH: return take_birth(t, scope, topic, payload, time_ms);
    case SPB_KIND_NDATA:
    case SPB_KIND_DDATA: is_fine = set_values(t, scope, topic, payload, time_ms); break;
    case SPB_KIND_NDEATH:
        if (*remark == '\0') { /* not that of an earlier session */
            end(t, births_number(scope), time_ms);
        }
        break;
    case SPB_KIND_DDEATH: end(t, births_number(scope), time_ms); break;
    default: break;
    }
    spb_payload_free(payload);
    return is_fine;
}

static void tell_bad(watch_table *t, spb_str topic, const spb_error *why) {
    char whole[512];
    if (t->listener.on_bad) {
        int len = (int)(topic.len < 200 ? topic.len : 200);
        snprintf(whole, sizeof whole, "%.*s: %s", len, topic.data, why->text);
        t->listener.on_bad(whole, t->listener.user);
    }
}

bool watch_table_message(watch_table *t, spb_str topic_text, spb_bytes bytes, uint64_t time_ms) {
    spb_topic topic;
    spb_payload *payload;
    spb_error err;
    if (spb_topic_parse(&topic, topic_text, &err) != SPB_OK) {
        tell_bad(t, topic_text, &err);
        return true;
    }
    if (topic.kind == SPB_KIND_STATE || topic.kind == SPB_KIND_NCMD || topic.kind == SPB_KIND_DCMD ||
        !filter_takes_node(t->wanted, &topic)) {
        return true;
    }
    if (spb_payload_decode(&payload, bytes, NULL, &err) != SPB_OK) {
        tell_bad(t, topic_text, &err);
        return err.status != SPB_ERR_NO_MEMORY;
    }
    return take_payload(t, &topic, payload, time_ms);
}

void watch_table_gap(watch_table *t) {
    for (size_t i = 0; i < t->life_count; i++) {
        t->lives[i].has_gap = true;
    }
}

/* ---- the table ---- */

watch_table *watch_table_new(filter *wanted, const watch_listener *listener) {
    watch_table *t = calloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    t->wanted = wanted;
    t->listener = *listener;
    t->known = births_new();
    out_init(&t->scratch, -1);
    if (!watch_rows_init(&t->rows) || !t->known) {
        watch_table_free(t);
        return NULL;
    }
    return t;
}

void watch_table_free(watch_table *t) {
    if (!t) {
        return;
    }
    for (size_t i = 0; i < t->life_count; i++) {
        free(t->lives[i].source);
    }
    births_free(t->known);
    free(t->lives);
    watch_rows_clear(&t->rows);
    free(t);
}

size_t watch_table_count(const watch_table *t) {
    return t->rows.count;
}

const watch_row *watch_table_row(const watch_table *t, size_t i) {
    return t->rows.items[i];
}

uint64_t watch_table_version(const watch_table *t) {
    return t->version;
}

void watch_table_nodes(const watch_table *t, size_t *known, size_t *online) {
    *known = *online = 0;
    for (size_t i = 0; i < t->life_count; i++) {
        bool is_node = t->lives[i].source && t->lives[i].node == i;
        *known += is_node;
        *online += is_node && t->lives[i].is_online;
    }
}

bool watch_table_is_unknown(const watch_table *t, const spb_topic *node) {
    const birth_scope *scope = births_scope(t->known, node);
    return !scope || !births_is_known(scope);
}
