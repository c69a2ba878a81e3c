/* Decides how nodes, devices and their births are kept. What is judged by them is left to the rules. */
#include "check/registry.h"

#include <stdlib.h>
#include <string.h>

static bool grow(registry *s) {
    size_t capacity = s->capacity ? 2 * s->capacity : 16;
    scope **scopes = realloc(s->scopes, capacity * sizeof(*scopes));
    if (!scopes) {
        return false;
    }
    s->scopes = scopes;
    check_index by_ids, by_lower_ids;
    if (!check_index_make(&by_ids, capacity)) {
        return false;
    }
    if (!check_index_make(&by_lower_ids, capacity)) {
        check_index_clear(&by_ids);
        return false;
    }
    check_index_clear(&s->by_ids);
    check_index_clear(&s->by_lower_ids);
    s->by_ids = by_ids;
    s->by_lower_ids = by_lower_ids;
    s->capacity = capacity;
    for (size_t i = 0; i < s->count; i++) {
        check_index_put(&s->by_ids, scopes[i]->hash, i);
        uint32_t lower = CHECK_HASH_START;
        for (int part = 0; part < 3; part++) {
            lower = check_hash_lower(lower, scopes[i]->ids[part]);
        }
        check_index_put(&s->by_lower_ids, lower, i);
    }
    return true;
}

bool registry_init(registry *s) {
    *s = (registry){.count = 0};
    return grow(s);
}

void registry_clear(registry *s) {
    for (size_t i = 0; i < s->count; i++) {
        scope *one = s->scopes[i];
        (void)scope_learn(one, NULL);
        if (one->session) {
            free(one->session->aliases);
            free(one->session);
        }
        free(one);
    }
    free(s->scopes);
    check_index_clear(&s->by_ids);
    check_index_clear(&s->by_lower_ids);
    registry_clear_connections(s);
    *s = (registry){.count = 0};
}

/* ---- nodes and devices ---- */

static uint32_t hash_ids(const spb_str ids[3]) {
    uint32_t hash = CHECK_HASH_START;
    for (int i = 0; i < 3; i++) {
        hash = check_hash(hash, ids[i]);
    }
    return hash;
}

static bool same(spb_str a, spb_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static scope *find(const registry *s, const spb_str ids[3]) {
    uint32_t slot = hash_ids(ids);
    for (size_t i; (i = check_index_next(&s->by_ids, &slot)) != SIZE_MAX;) {
        scope *one = s->scopes[i];
        if (same(one->ids[0], ids[0]) && same(one->ids[1], ids[1]) && same(one->ids[2], ids[2])) {
            return one;
        }
    }
    return NULL;
}

/* Another node, or device of the same node, whose IDs differ in case only. */
static const scope *find_twin(const registry *s, const spb_str ids[3]) {
    uint32_t slot = CHECK_HASH_START;
    for (int part = 0; part < 3; part++) {
        slot = check_hash_lower(slot, ids[part]);
    }
    for (size_t i; (i = check_index_next(&s->by_lower_ids, &slot)) != SIZE_MAX;) {
        const scope *one = s->scopes[i];
        bool is_sibling = ids[2].len > 0
                              ? same(one->ids[0], ids[0]) && same(one->ids[1], ids[1])
                              : check_equal_lower(one->ids[0], ids[0]) && check_equal_lower(one->ids[1], ids[1]);
        if (is_sibling && check_equal_lower(one->ids[2], ids[2])) {
            return one;
        }
    }
    return NULL;
}

static scope *add(registry *s, const spb_str ids[3]) {
    if (s->count == s->capacity && !grow(s)) {
        return NULL;
    }
    scope *one = calloc(1, sizeof *one + ids[0].len + ids[1].len + ids[2].len + 1);
    if (!one) {
        return NULL;
    }
    one->node = one;
    uint32_t lower = CHECK_HASH_START;
    char *at = one->text;
    for (int i = 0; i < 3; i++) {
        if (ids[i].len > 0) {
            memcpy(at, ids[i].data, ids[i].len);
            one->ids[i] = (spb_str){at, ids[i].len};
            at += ids[i].len;
        }
        lower = check_hash_lower(lower, ids[i]);
    }
    one->hash = hash_ids(ids);
    check_index_put(&s->by_ids, one->hash, s->count);
    check_index_put(&s->by_lower_ids, lower, s->count);
    s->scopes[s->count++] = one;
    return one;
}

static scope *add_node(registry *s, const spb_str ids[3]) {
    session *made = calloc(1, sizeof *made);
    scope *node = made ? add(s, ids) : NULL;
    if (!node) {
        free(made);
        return NULL;
    }
    made->next_seq = -1;
    node->session = made;
    return node;
}

scope *registry_scope(registry *s, const spb_topic *topic, const scope **twin) {
    const spb_str ids[3] = {topic->group_id, topic->node_id, topic->device_id};
    const spb_str node_ids[3] = {ids[0], ids[1], {NULL, 0}};
    *twin = NULL;
    scope *one = find(s, ids);
    if (one) {
        return one;
    }
    *twin = find_twin(s, ids);
    if (topic->device_id.len == 0) {
        return add_node(s, node_ids);
    }
    scope *node = find(s, node_ids);
    node = node ? node : add_node(s, node_ids);
    one = node ? add(s, ids) : NULL;
    if (one) {
        one->node = node;
        one->next_device = node->next_device;
        node->next_device = one;
    }
    return one;
}

void registry_forget(scope *node) {
    node->is_known = node->is_born = false;
    node->session->next_seq = -1;
    node->session->is_asked = node->session->has_answered = node->session->has_past = false;
    (void)scope_learn(node, NULL);
    for (scope *device = node->next_device; device; device = device->next_device) {
        device->is_born = device->is_dead = device->awaits_birth = false;
        (void)scope_learn(device, NULL);
    }
}

/* ---- births ---- */

bool scope_learn(scope *one, spb_payload *birth) {
    spb_payload_free(one->birth);
    check_index_clear(&one->by_name);
    one->birth = NULL;
    one->generation++;
    if (!birth) {
        return true;
    }
    if (!check_index_make(&one->by_name, birth->metric_count)) {
        spb_payload_free(birth);
        return false;
    }
    one->birth = birth;
    for (size_t i = 0; i < birth->metric_count; i++) {
        spb_str name = birth->metrics[i].name;
        if (name.data && !scope_find_name(one, name)) {
            check_index_put(&one->by_name, check_hash(CHECK_HASH_START, name), i);
        }
    }
    return true;
}

const spb_payload_metric *scope_find_name(const scope *one, spb_str name) {
    uint32_t slot = check_hash(CHECK_HASH_START, name);
    for (size_t i; (i = check_index_next(&one->by_name, &slot)) != SIZE_MAX;) {
        if (spb_str_equal(one->birth->metrics[i].name, name)) {
            return &one->birth->metrics[i];
        }
    }
    return NULL;
}

/* ---- aliases ---- */

static bool is_live(const alias_entry *entry) {
    return entry->owner && entry->generation == entry->owner->generation;
}

/* The entry of the alias, or the free place where it belongs. Entries that count no more are passed over. */
static alias_entry *alias_place(const session *of, uint64_t alias) {
    size_t mask = of->alias_capacity - 1;
    size_t at = check_hash_number(alias) & mask;
    while (of->aliases[at].owner && !(of->aliases[at].alias == alias && is_live(&of->aliases[at]))) {
        at = (at + 1) & mask;
    }
    return &of->aliases[at];
}

const scope *scope_find_alias(const scope *node, uint64_t alias, const spb_payload_metric **metric) {
    const session *of = node->session;
    const alias_entry *entry = of->alias_capacity > 0 ? alias_place(of, alias) : NULL;
    if (!entry || !entry->owner || !entry->owner->birth) {
        return NULL;
    }
    *metric = &entry->owner->birth->metrics[entry->metric];
    return entry->owner;
}

/* Twice the room, or as much as before: entries that count no more are left out. */
static bool make_alias_room(session *of) {
    size_t live = 0;
    for (size_t i = 0; i < of->alias_capacity; i++) {
        live += is_live(&of->aliases[i]);
    }
    session bigger = *of;
    bigger.alias_capacity = 16;
    while (bigger.alias_capacity < 4 * (live + 1)) {
        bigger.alias_capacity *= 2;
    }
    bigger.aliases = calloc(bigger.alias_capacity, sizeof *bigger.aliases);
    if (!bigger.aliases) {
        return false;
    }
    for (size_t i = 0; i < of->alias_capacity; i++) {
        if (is_live(&of->aliases[i])) {
            *alias_place(&bigger, of->aliases[i].alias) = of->aliases[i];
        }
    }
    free(of->aliases);
    bigger.alias_count = live;
    *of = bigger;
    return true;
}

bool scope_add_alias(scope *owner, uint64_t alias, size_t index) {
    session *of = owner->node->session;
    if (2 * (of->alias_count + 1) > of->alias_capacity && !make_alias_room(of)) {
        return false;
    }
    alias_entry *entry = alias_place(of, alias);
    if (!entry->owner) {
        of->alias_count++;
        *entry = (alias_entry){alias, owner, owner->generation, index};
    }
    return true;
}
