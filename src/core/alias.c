/* Decides nothing but how they are found: in constant time. Which alias a metric gets is left to the table. */
#include "core/alias.h"

#include <stdlib.h>
#include <string.h>

void spb_alias_map__clear(spb_buckets *map) {
    for (spb_bucket_link *link = spb_buckets__each(map, NULL), *next; link; link = next) {
        next = spb_buckets__each(map, link);
        free(SPB_BUCKETED(link, spb_alias_entry, in_map));
    }
    spb_buckets__clear(map);
}

bool spb_alias_map__put(spb_buckets *map, const spb_alias *alias, uint32_t hash) {
    spb_alias_entry *entry =
        spb_buckets__reserve(map) ? malloc(sizeof *entry + alias->device_id.len + alias->name.len) : NULL;
    if (!entry) {
        return false;
    }
    *entry = (spb_alias_entry){.in_map.hash = hash,
                               .alias = alias->alias,
                               .device_len = (uint32_t)alias->device_id.len,
                               .name_len = (uint32_t)alias->name.len,
                               .type = alias->type};
    if (alias->device_id.len > 0) {
        memcpy(entry->text, alias->device_id.data, alias->device_id.len);
    }
    memcpy(entry->text + alias->device_id.len, alias->name.data, alias->name.len);
    spb_buckets__add(map, &entry->in_map);
    return true;
}

static bool is_of(const spb_alias_entry *entry, spb_str device_id, spb_str name) {
    return entry->device_len == device_id.len && entry->name_len == name.len &&
           (device_id.len == 0 || memcmp(entry->text, device_id.data, device_id.len) == 0) &&
           (name.len == 0 || memcmp(entry->text + device_id.len, name.data, name.len) == 0);
}

spb_alias_entry *spb_alias_map__take(spb_buckets *map, spb_str device_id, spb_str name, spb_type type, uint32_t hash) {
    for (spb_bucket_link *link = spb_buckets__first(map, hash); link; link = spb_buckets__next(link)) {
        spb_alias_entry *entry = SPB_BUCKETED(link, spb_alias_entry, in_map);
        if (entry->type == type && is_of(entry, device_id, name)) {
            spb_buckets__remove(map, link);
            return entry;
        }
    }
    return NULL;
}

spb_alias_entry *spb_alias_map__find(const spb_buckets *map, uint32_t alias) {
    for (spb_bucket_link *link = NULL; (link = spb_buckets__each(map, link));) {
        spb_alias_entry *entry = SPB_BUCKETED(link, spb_alias_entry, in_map);
        if (entry->alias == alias) {
            return entry;
        }
    }
    return NULL;
}
