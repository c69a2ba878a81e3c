/* Decides nothing but how they are found: in constant time. Which alias a metric gets is left to the table. */
#include "core/alias.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    spb_bucket_link in_map;
    spb_alias alias; /* its texts are in `text` */
    char text[];     /* the device's ID, and the name */
} entry;

void spb_alias_map__clear(spb_buckets *map) {
    for (spb_bucket_link *link = spb_buckets__each(map, NULL), *next; link; link = next) {
        next = spb_buckets__each(map, link);
        free(SPB_BUCKETED(link, entry, in_map));
    }
    spb_buckets__clear(map);
}

bool spb_alias_map__put(spb_buckets *map, const spb_alias *alias, uint32_t hash) {
    size_t device_len = alias->device_id.len, name_len = alias->name.len;
    entry *added = spb_buckets__reserve(map) ? malloc(sizeof *added + device_len + name_len) : NULL;
    if (!added) {
        return false;
    }
    *added = (entry){.in_map.hash = hash, .alias = *alias};
    added->alias.device_id.data = added->text;
    added->alias.name.data = added->text + device_len;
    if (device_len > 0) {
        memcpy(added->text, alias->device_id.data, device_len);
    }
    memcpy(added->text + device_len, alias->name.data, name_len);
    spb_buckets__add(map, &added->in_map);
    return true;
}

static bool is_same(spb_str a, spb_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

uint32_t spb_alias_map__take(spb_buckets *map, const spb_alias *wanted, uint32_t hash) {
    for (spb_bucket_link *link = spb_buckets__first(map, hash); link; link = spb_buckets__next(link)) {
        entry *one = SPB_BUCKETED(link, entry, in_map);
        if (one->alias.type == wanted->type && is_same(one->alias.device_id, wanted->device_id) &&
            is_same(one->alias.name, wanted->name)) {
            uint32_t alias = one->alias.alias;
            spb_buckets__remove(map, link);
            free(one);
            return alias;
        }
    }
    return 0;
}

const spb_alias *spb_alias_map__find(const spb_buckets *map, uint32_t alias) {
    for (spb_bucket_link *link = NULL; (link = spb_buckets__each(map, link));) {
        const entry *one = SPB_BUCKETED(link, entry, in_map);
        if (one->alias.alias == alias) {
            return &one->alias;
        }
    }
    return NULL;
}
