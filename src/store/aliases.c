/* Decides how aliases lie in memory. */
#include "store/aliases.h"

#include <stdlib.h>
#include <string.h>

static void drop(spb_aliases *aliases, size_t kept) {
    while (aliases->count > kept) {
        free((void *)aliases->items[--aliases->count].name.data);
    }
}

void spb_aliases__clear(spb_aliases *aliases) {
    drop(aliases, 0);
    free(aliases->items);
    *aliases = (spb_aliases){0};
}

static bool copy(spb_alias *out, const spb_alias *alias) {
    char *text = malloc(alias->name.len + alias->device_id.len + 1);
    if (!text) {
        return false;
    }
    *out = *alias;
    if (alias->name.len > 0) {
        memcpy(text, alias->name.data, alias->name.len);
    }
    out->name.data = text;
    if (alias->device_id.data) {
        memcpy(text + alias->name.len, alias->device_id.data, alias->device_id.len);
        out->device_id.data = text + alias->name.len;
    }
    return true;
}

static bool reserve(spb_aliases *aliases, size_t more) {
    size_t wanted = aliases->count + more;
    if (wanted <= aliases->capacity) {
        return true;
    }
    size_t capacity = wanted > aliases->capacity * 2 ? wanted : aliases->capacity * 2;
    spb_alias *items = realloc(aliases->items, capacity * sizeof *items);
    if (!items) {
        return false;
    }
    aliases->items = items;
    aliases->capacity = capacity;
    return true;
}

/* Numbers grow, so most are new. */
static void drop_same(spb_aliases *aliases, size_t count, uint32_t number) {
    for (size_t i = 0; number <= aliases->highest && i < count; i++) {
        if (aliases->items[i].alias == number) {
            free((void *)aliases->items[i].name.data);
            memmove(&aliases->items[i], &aliases->items[i + 1], (aliases->count - i - 1) * sizeof *aliases->items);
            aliases->count--;
            return;
        }
    }
}

bool spb_aliases__add(spb_aliases *aliases, const spb_alias *items, size_t count) {
    size_t before = aliases->count;
    bool is_added = reserve(aliases, count);
    for (size_t i = 0; is_added && i < count; i++) {
        is_added = copy(&aliases->items[aliases->count], &items[i]);
        aliases->count += is_added;
    }
    if (!is_added) {
        drop(aliases, before);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        drop_same(aliases, aliases->count - count + i, items[i].alias);
    }
    for (size_t i = 0; i < count; i++) {
        aliases->highest = items[i].alias > aliases->highest ? items[i].alias : aliases->highest;
    }
    return true;
}
