/* Aliases that belong to no metric at present: of an earlier run, or of a metric that was removed. The metric of that
 * device, name and datatype gets its alias again, and no other one ever does. */
#ifndef SPB_CORE_ALIAS_H
#define SPB_CORE_ALIAS_H

#include <spb/store.h>

#include "base/buckets.h"

typedef struct spb_alias_entry {
    spb_bucket_link in_map;
    uint32_t alias;
    uint32_t device_len;
    uint32_t name_len;
    spb_type type;
    char text[]; /* the device's ID, and the name */
} spb_alias_entry;

/* By their names. */
void spb_alias_map__clear(spb_buckets *map);
/* `hash` is that of device and name. False: no memory. */
bool spb_alias_map__put(spb_buckets *map, const spb_alias *alias, uint32_t hash);
/* Whose alias it was, taken out for the caller to free; NULL: there is none. */
spb_alias_entry *spb_alias_map__take(spb_buckets *map, spb_str device_id, spb_str name, spb_type type, uint32_t hash);
/* Whose alias it is, by a look at all of them; NULL: there is none. */
spb_alias_entry *spb_alias_map__find(const spb_buckets *map, uint32_t alias);

#endif
