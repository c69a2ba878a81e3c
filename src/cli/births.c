/* Decides which birth explains a metric, and what is odd in the life of a node. What is done about it is left to
 * cmd_decode.c. */
#include "cli/births.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At least twice as many slots as things in it; a slot holds the index of a thing + 1, or 0. */
typedef struct index_table {
    uint32_t *slots;
    size_t mask;
} index_table;

/* A birth, and where its metrics are. */
typedef struct birth_index {
    spb_payload *birth; /* NULL: not known */
    index_table by_name;
    index_table by_alias;
} birth_index;

struct birth_scope {
    birth_scope *node;        /* itself if it is a node */
    birth_scope *next_device; /* of a node: its devices; of a device: the next one of the node */
    birth_index known;
    birth_index later; /* explains what comes before the first birth */
    size_t number;
    bool has_complained;
    bool is_dead;
    int next_seq;     /* of a node; −1: not known */
    unsigned missing; /* of a node, before the last message */
    uint32_t hash;
    size_t id_len[3];
    char ids[]; /* group, node, device, one behind the other */
};

struct births {
    birth_scope **scopes;
    size_t count, capacity;
    index_table by_ids;
};

/* ---- hashing ---- */

#define HASH_START UINT32_C(0x811C9DC5) /* FNV-1a */

static uint32_t hash_bytes(uint32_t hash, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * 0x01000193u;
    }
    return hash;
}

static uint32_t hash_alias(uint64_t alias) {
    return (uint32_t)((alias * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

static bool make_table(index_table *table, size_t count) {
    size_t size = 8;
    while (size < 2 * count) {
        size *= 2;
    }
    *table = (index_table){calloc(size, sizeof *table->slots), size - 1};
    return table->slots != NULL;
}

static void add_slot(index_table *table, size_t hash, size_t index) {
    size_t slot = hash & table->mask;
    while (table->slots[slot] != 0) {
        slot = (slot + 1) & table->mask;
    }
    table->slots[slot] = (uint32_t)index + 1;
}

/* ---- scopes ---- */

static bool has_ids(const birth_scope *scope, const spb_str ids[3]) {
    const char *at = scope->ids;
    for (int i = 0; i < 3; i++) {
        if (scope->id_len[i] != ids[i].len || (ids[i].len > 0 && memcmp(at, ids[i].data, ids[i].len) != 0)) {
            return false;
        }
        at += ids[i].len;
    }
    return true;
}

static uint32_t hash_ids(const spb_str ids[3]) {
    uint32_t hash = HASH_START;
    for (int i = 0; i < 3; i++) {
        hash = hash_bytes(hash, ids[i].data, ids[i].len) ^ (uint32_t)ids[i].len;
    }
    return hash;
}

static bool grow(births *all) {
    size_t capacity = all->capacity ? 2 * all->capacity : 16;
    birth_scope **scopes = realloc(all->scopes, capacity * sizeof(*scopes));
    if (!scopes) {
        return false;
    }
    all->scopes = scopes;
    index_table table;
    if (!make_table(&table, capacity)) {
        return false;
    }
    for (size_t i = 0; i < all->count; i++) {
        add_slot(&table, scopes[i]->hash, i);
    }
    free(all->by_ids.slots);
    all->by_ids = table;
    all->capacity = capacity;
    return true;
}

births *births_new(void) {
    births *all = calloc(1, sizeof *all);
    if (all && !grow(all)) {
        births_free(all);
        return NULL;
    }
    return all;
}

static birth_scope *add_scope(births *all, const spb_str ids[3]) {
    if (all->count == all->capacity && !grow(all)) {
        return NULL;
    }
    birth_scope *scope = calloc(1, sizeof *scope + ids[0].len + ids[1].len + ids[2].len);
    if (!scope) {
        return NULL;
    }
    char *at = scope->ids;
    for (int i = 0; i < 3; i++) {
        if (ids[i].len > 0) {
            memcpy(at, ids[i].data, ids[i].len);
        }
        scope->id_len[i] = ids[i].len;
        at += ids[i].len;
    }
    scope->node = scope;
    scope->next_seq = -1;
    scope->number = all->count;
    scope->hash = hash_ids(ids);
    add_slot(&all->by_ids, scope->hash, all->count);
    all->scopes[all->count++] = scope;
    return scope;
}

static birth_scope *find_scope(births *all, const spb_str ids[3]) {
    for (size_t slot = hash_ids(ids) & all->by_ids.mask; all->by_ids.slots[slot] != 0;
         slot = (slot + 1) & all->by_ids.mask) {
        birth_scope *scope = all->scopes[all->by_ids.slots[slot] - 1];
        if (has_ids(scope, ids)) {
            return scope;
        }
    }
    return NULL;
}

birth_scope *births_scope(births *all, const spb_topic *topic) {
    spb_str ids[3] = {topic->group_id, topic->node_id, topic->device_id};
    birth_scope *scope = find_scope(all, ids);
    if (scope || topic->device_id.len == 0) {
        return scope ? scope : add_scope(all, ids);
    }
    spb_str node_ids[3] = {ids[0], ids[1], {NULL, 0}};
    birth_scope *node = find_scope(all, node_ids);
    node = node ? node : add_scope(all, node_ids);
    scope = node ? add_scope(all, ids) : NULL;
    if (scope) {
        scope->node = node;
        scope->next_device = node->next_device;
        node->next_device = scope;
    }
    return scope;
}

/* ---- births ---- */

static void drop(birth_index *index) {
    spb_payload_free(index->birth);
    free(index->by_name.slots);
    free(index->by_alias.slots);
    *index = (birth_index){.birth = NULL};
}

static void forget_one(birth_scope *scope) {
    drop(&scope->known);
    scope->has_complained = false;
}

void births_forget(birth_scope *scope) {
    bool is_node = scope->node == scope;
    forget_one(scope);
    for (birth_scope *device = is_node ? scope->next_device : NULL; device; device = device->next_device) {
        forget_one(device);
    }
}

void births_free(births *all) {
    if (all) {
        for (size_t i = 0; i < all->count; i++) {
            forget_one(all->scopes[i]);
            drop(&all->scopes[i]->later);
            free(all->scopes[i]);
        }
        free(all->scopes);
        free(all->by_ids.slots);
        free(all);
    }
}

static const spb_payload_metric *find_name(const birth_index *index, spb_str name) {
    size_t slot = hash_bytes(HASH_START, name.data, name.len) & index->by_name.mask;
    for (; index->by_name.slots[slot] != 0; slot = (slot + 1) & index->by_name.mask) {
        const spb_payload_metric *metric = &index->birth->metrics[index->by_name.slots[slot] - 1];
        if (spb_str_equal(metric->name, name)) {
            return metric;
        }
    }
    return NULL;
}

static const spb_payload_metric *find_alias(const birth_index *index, uint64_t alias) {
    size_t slot = hash_alias(alias) & index->by_alias.mask;
    for (; index->by_alias.slots[slot] != 0; slot = (slot + 1) & index->by_alias.mask) {
        const spb_payload_metric *metric = &index->birth->metrics[index->by_alias.slots[slot] - 1];
        if (metric->alias == alias) {
            return metric;
        }
    }
    return NULL;
}

static bool make_index(birth_index *index, spb_payload *birth) {
    index->birth = birth;
    if (!make_table(&index->by_name, birth->metric_count) || !make_table(&index->by_alias, birth->metric_count)) {
        drop(index);
        return false;
    }
    for (size_t i = 0; i < birth->metric_count; i++) {
        const spb_payload_metric *metric = &birth->metrics[i];
        if (metric->name.data && !find_name(index, metric->name)) {
            add_slot(&index->by_name, hash_bytes(HASH_START, metric->name.data, metric->name.len), i);
        }
        if (metric->has_alias && !find_alias(index, metric->alias)) {
            add_slot(&index->by_alias, hash_alias(metric->alias), i);
        }
    }
    return true;
}

bool births_learn(birth_scope *scope, spb_payload *birth) {
    births_forget(scope);
    drop(&scope->later);
    return make_index(&scope->known, birth);
}

bool births_learn_later(birth_scope *scope, spb_payload *birth) {
    if (scope->later.birth) {
        spb_payload_free(birth);
        return true;
    }
    return make_index(&scope->later, birth);
}

bool births_has_later(const birth_scope *scope) {
    return scope->later.birth != NULL;
}

bool births_is_known(const birth_scope *scope) {
    return scope->known.birth != NULL;
}

birth_scope *births_node(birth_scope *scope) {
    return scope->node;
}

size_t births_number(const birth_scope *scope) {
    return scope->number;
}

bool births_first_complaint(birth_scope *scope) {
    bool is_first = !scope->has_complained;
    scope->has_complained = true;
    return is_first;
}

/* ---- views ---- */

static spb_status explain(metric_view *view, const spb_payload_metric *metric, const spb_payload_metric *birth,
                          spb_error *err) {
    *view = (metric_view){.metric = metric, .birth = birth, .name = metric->name, .value = metric->value};
    const spb_property *unit = spb_property_find(metric->properties, "engUnit");
    if (birth) {
        view->name = metric->name.data ? metric->name : birth->name;
        unit = unit ? unit : spb_property_find(birth->properties, "engUnit");
    }
    if (unit && unit->value.wire == SPB_WIRE_STRING && !unit->value.is_null) {
        view->unit = unit->value.as.str;
    }
    if (birth && view->value.type == SPB_UNKNOWN && birth->value.type != SPB_UNKNOWN) {
        return spb_value_resolve(&view->value, birth->value.type, err);
    }
    return SPB_OK;
}

spb_status births_view(const birth_scope *scope, const spb_payload_metric *metric, metric_view *view, spb_error *err) {
    const spb_payload_metric *birth = NULL;
    const birth_index *index = !scope ? NULL : scope->known.birth ? &scope->known : &scope->later;
    if (index && index->birth && metric->name.data) {
        birth = find_name(index, metric->name);
    } else if (index && index->birth && metric->has_alias) {
        birth = find_alias(index, metric->alias);
    }
    return explain(view, metric, birth, err);
}

static bool is_same_member(const spb_payload_metric *birth, const spb_payload_metric *member) {
    return member->name.data ? spb_str_equal(birth->name, member->name)
                             : member->has_alias && birth->has_alias && birth->alias == member->alias;
}

void births_view_member(const metric_view *parent, const spb_payload_metric *member, metric_view *view) {
    const spb_value *whole = parent && parent->birth ? &parent->birth->value : NULL;
    const spb_payload_metric *birth = NULL;
    if (whole && whole->type == SPB_TEMPLATE && !whole->is_null && whole->as.tmpl) {
        for (size_t i = 0; i < whole->as.tmpl->metric_count && !birth; i++) {
            const spb_payload_metric *candidate = &whole->as.tmpl->metrics[i];
            birth = is_same_member(candidate, member) ? candidate : NULL;
        }
    }
    spb_error err;
    (void)explain(view, member, birth, &err);
}

/* ---- the life of a node ---- */

static bool has_seq(spb_kind kind) {
    return kind == SPB_KIND_NBIRTH || kind == SPB_KIND_NDATA || kind == SPB_KIND_DBIRTH || kind == SPB_KIND_DDATA ||
           kind == SPB_KIND_DDEATH;
}

static void remark_seq(birth_scope *node, spb_kind kind, const spb_payload *payload, char *remark, size_t capacity) {
    int expected = kind == SPB_KIND_NBIRTH ? 0 : node->next_seq;
    if (!payload->has_seq) {
        snprintf(remark, capacity, "without seq");
        return;
    }
    if (expected >= 0 && payload->seq != (uint64_t)expected) {
        snprintf(remark, capacity, "seq %d expected", expected);
        node->missing = kind == SPB_KIND_NBIRTH ? 0 : (unsigned)(payload->seq - (uint64_t)expected) & 255;
    }
    node->next_seq = (int)((payload->seq + 1) % 256);
}

/* A will may arrive late: it then has the bdSeq of an earlier session and ends nothing. */
static bool is_of_earlier_session(const birth_scope *node, const spb_payload *death, char *remark, size_t capacity) {
    const spb_payload_metric *theirs = spb_payload_find(death, "bdSeq");
    const spb_payload_metric *ours = node->known.birth ? spb_payload_find(node->known.birth, "bdSeq") : NULL;
    if (!ours || !theirs || ours->value.is_null || theirs->value.is_null ||
        ours->value.as.u64 == theirs->value.as.u64) {
        return false;
    }
    snprintf(remark, capacity, "bdSeq %llu expected", (unsigned long long)ours->value.as.u64);
    return true;
}

unsigned births_missing(const birth_scope *scope) {
    return scope->node->missing;
}

void births_remark(birth_scope *scope, const spb_topic *topic, const spb_payload *payload, char *remark,
                   size_t capacity) {
    spb_kind kind = topic->kind;
    *remark = '\0';
    scope->node->missing = 0;
    if (kind == SPB_KIND_NDEATH && is_of_earlier_session(scope, payload, remark, capacity)) {
        return;
    }
    if (has_seq(kind)) {
        remark_seq(scope->node, kind, payload, remark, capacity);
    }
    bool is_data = kind == SPB_KIND_NDATA || kind == SPB_KIND_DDATA;
    if (is_data && (scope->is_dead || scope->node->is_dead)) {
        size_t used = strlen(remark);
        snprintf(remark + used, capacity - used, "%safter %s", used > 0 ? ", " : "",
                 scope->node->is_dead ? "NDEATH" : "DDEATH");
    }
    if (kind == SPB_KIND_NBIRTH || kind == SPB_KIND_DBIRTH) {
        scope->is_dead = false;
    } else if (kind == SPB_KIND_NDEATH || kind == SPB_KIND_DDEATH) {
        scope->is_dead = true;
    }
    if (kind == SPB_KIND_NDEATH) {
        scope->next_seq = -1;
    }
}
