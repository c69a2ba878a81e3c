/* Decides how rows are found. What stands in them is left to watch_table.c. */
#include "cli/watch_rows.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_row(size_t scope, const char *metric) {
    uint32_t hash = UINT32_C(0x811C9DC5) ^ (uint32_t)scope; /* FNV-1a */
    for (; *metric; metric++) {
        hash = (hash ^ (unsigned char)*metric) * 0x01000193u;
    }
    return hash;
}

static bool index_rows(watch_rows *rows) {
    size_t size = 64;
    while (size < 2 * rows->capacity) {
        size *= 2;
    }
    uint32_t *slots = calloc(size, sizeof *slots);
    if (!slots) {
        return false;
    }
    free(rows->slots);
    rows->slots = slots;
    rows->slot_mask = size - 1;
    for (size_t i = 0; i < rows->count; i++) {
        size_t slot = rows->items[i]->hash & rows->slot_mask;
        while (slots[slot] != 0) {
            slot = (slot + 1) & rows->slot_mask;
        }
        slots[slot] = (uint32_t)i + 1;
    }
    return true;
}

bool watch_rows_init(watch_rows *rows) {
    *rows = (watch_rows){.count = 0};
    return index_rows(rows);
}

static void free_row(watch_row *row) {
    free(row->metric);
    free(row);
}

void watch_rows_clear(watch_rows *rows) {
    for (size_t i = 0; i < rows->count; i++) {
        free_row(rows->items[i]);
    }
    free(rows->items);
    free(rows->slots);
    *rows = (watch_rows){.count = 0};
}

static bool make_room(watch_rows *rows) {
    if (rows->count < rows->capacity) {
        return true;
    }
    size_t capacity = 2 * rows->capacity + 64;
    watch_row **items = realloc(rows->items, capacity * sizeof(*items));
    if (!items) {
        return false;
    }
    rows->items = items;
    rows->capacity = capacity;
    return index_rows(rows);
}

/* Where the row is, or would be. */
static size_t find_slot(const watch_rows *rows, size_t scope, uint32_t hash, const char *metric) {
    size_t slot = hash & rows->slot_mask;
    for (; rows->slots[slot] != 0; slot = (slot + 1) & rows->slot_mask) {
        const watch_row *row = rows->items[rows->slots[slot] - 1];
        if (row->hash == hash && row->scope == scope && strcmp(row->metric, metric) == 0) {
            break;
        }
    }
    return slot;
}

watch_row *watch_rows_get(watch_rows *rows, size_t scope, const char *source, const char *metric, bool *is_new) {
    const uint32_t hash = hash_row(scope, metric);
    if (!make_room(rows)) {
        return NULL;
    }
    size_t slot = find_slot(rows, scope, hash, metric);
    *is_new = rows->slots[slot] == 0;
    if (!*is_new) {
        return rows->items[rows->slots[slot] - 1];
    }
    watch_row *row = calloc(1, sizeof *row);
    char *copy = malloc(strlen(metric) + 1);
    if (!row || !copy) {
        free(row);
        free(copy);
        return NULL;
    }
    *row = (watch_row){.source = source, .metric = strcpy(copy, metric), .quality = "", .scope = scope, .hash = hash};
    rows->slots[slot] = (uint32_t)rows->count + 1;
    rows->items[rows->count++] = row;
    return row;
}

bool watch_rows_drop(watch_rows *rows, size_t scope, uint32_t generation) {
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
        watch_row *row = rows->items[i];
        if (row->scope == scope && row->generation != generation) {
            free_row(row);
        } else {
            rows->items[kept++] = row;
        }
    }
    rows->count = kept;
    return index_rows(rows);
}
