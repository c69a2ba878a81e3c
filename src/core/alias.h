/* Aliases that belong to no metric at present: of an earlier run, or of a metric that was removed. The metric of that
 * device, name and datatype gets its alias again, and no other one ever does. */
#ifndef SPB_CORE_ALIAS_H
#define SPB_CORE_ALIAS_H

#include <spb/store.h>

#include "base/buckets.h"

void spb_alias_map__clear(spb_buckets *map);
/* Keeps a copy. `hash` is that of device and name. False: no memory. */
bool spb_alias_map__put(spb_buckets *map, const spb_alias *alias, uint32_t hash);
/* Takes out the alias of that device, name and datatype. 0: there is none. */
uint32_t spb_alias_map__take(spb_buckets *map, const spb_alias *wanted, uint32_t hash);
/* Whose alias it is, by a look at all of them; NULL: there is none. */
const spb_alias *spb_alias_map__find(const spb_buckets *map, uint32_t alias);

#endif
