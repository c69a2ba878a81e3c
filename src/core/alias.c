/* Decides nothing but how they are found: in constant time. Which alias a metric gets is left to the table. */
#include "core/alias.h"

#include <stdlib.h>
#include <string.h>

void spb_alias_map__clear(spb_alias_map *map) {
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (spb_alias_entry *entry = map->buckets[i]; entry;) {
            spb_alias_entry *next = entry->next;
            free(entry);
            entry = next;
        }
    }
    free(map->buckets);
    *map = (spb_alias_map){0};
}

static bool grow(spb_alias_map *map) {
    if (map->count < map->bucket_count) {
        return true;
    }
    size_t count = map->bucket_count ? map->bucket_count * 2 : 64;
    spb_alias_entry **buckets = calloc(count, sizeof *buckets);
    if (!buckets) {
        return false;
    }
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (spb_alias_entry *entry = map->buckets[i]; entry;) {
            spb_alias_entry *next = entry->next;
            entry->next = buckets[entry->hash & (count - 1)];
            buckets[entry->hash & (count - 1)] = entry;
            entry = next;
        }
    }
    free(map->buckets);
    map->buckets = buckets;
    map->bucket_count = count;
    return true;
}

bool spb_alias_map__put(spb_alias_map *map, const spb_alias *alias, uint32_t hash) {
    spb_alias_entry *entry = grow(map) ? malloc(sizeof *entry + alias->device_id.len + alias->name.len) : NULL;
    if (!entry) {
        return false;
    }
    spb_alias_entry **bucket = &map->buckets[hash & (map->bucket_count - 1)];
    *entry = (spb_alias_entry){.next = *bucket,
                               .hash = hash,
                               .alias = alias->alias,
                               .device_len = (uint32_t)alias->device_id.len,
                               .name_len = (uint32_t)alias->name.len,
                               .type = alias->type};
    if (alias->device_id.len > 0) {
        memcpy(entry->text, alias->device_id.data, alias->device_id.len);
    }
    memcpy(entry->text + alias->device_id.len, alias->name.data, alias->name.len);
    *bucket = entry;
    map->count++;
    return true;
}

static bool is_of(const spb_alias_entry *entry, spb_str device_id, spb_str name) {
    return entry->device_len == device_id.len && entry->name_len == name.len &&
           (device_id.len == 0 || memcmp(entry->text, device_id.data, device_id.len) == 0) &&
           (name.len == 0 || memcmp(entry->text + device_id.len, name.data, name.len) == 0);
}

spb_alias_entry *spb_alias_map__take(spb_alias_map *map, spb_str device_id, spb_str name, spb_type type,
                                     uint32_t hash) {
    if (map->count == 0) {
        return NULL;
    }
    for (spb_alias_entry **at = &map->buckets[hash & (map->bucket_count - 1)]; *at; at = &(*at)->next) {
        spb_alias_entry *entry = *at;
        if (entry->hash == hash && entry->type == type && is_of(entry, device_id, name)) {
            *at = entry->next;
            map->count--;
            return entry;
        }
    }
    return NULL;
}

spb_alias_entry *spb_alias_map__find(const spb_alias_map *map, uint32_t alias) {
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (spb_alias_entry *entry = map->buckets[i]; entry; entry = entry->next) {
            if (entry->alias == alias) {
                return entry;
            }
        }
    }
    return NULL;
}
