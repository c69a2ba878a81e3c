/* Decides what the timestamps of a block mean in wall time. Who shifts them when they are sent is left to the session.
 */
#include "store/boots.h"

#include <stdlib.h>

void spb_boots__clear(spb_boots *boots) {
    free(boots->items);
    *boots = (spb_boots){0};
}

bool spb_boots__set(spb_boots *boots, uint64_t boot, int64_t offset_ms) {
    for (size_t i = 0; i < boots->count; i++) {
        if (boots->items[i].boot == boot) {
            boots->items[i] = (spb_boot){.boot = boot, .offset_ms = offset_ms};
            return true;
        }
    }
    if (boots->count == boots->capacity) {
        size_t capacity = boots->capacity ? boots->capacity * 2 : 4;
        spb_boot *items = realloc(boots->items, capacity * sizeof *items);
        if (!items) {
            return false;
        }
        boots->items = items;
        boots->capacity = capacity;
    }
    boots->items[boots->count++] = (spb_boot){.boot = boot, .offset_ms = offset_ms};
    return true;
}

int64_t spb_boots__shift(const spb_boots *boots, uint64_t boot) {
    for (size_t i = boots->count; boot != 0 && i-- > 0;) {
        if (boots->items[i].boot == boot) {
            return boots->items[i].offset_ms;
        }
    }
    return 0;
}

spb_times spb_boots__times(const spb_boots *boots, uint64_t boot, uint64_t first_ms, uint64_t last_ms) {
    if (boot == 0 || first_ms >= SPB_EARLIEST_MS) {
        return (spb_times){.oldest_ms = first_ms, .newest_ms = last_ms};
    }
    int64_t shift = spb_boots__shift(boots, boot);
    if (shift <= 0) {
        return (spb_times){.oldest_ms = 0, .newest_ms = UINT64_MAX};
    }
    /* Where both kinds of timestamps are in it, the newest of those that are shifted is not known. */
    return (spb_times){.oldest_ms = first_ms + (uint64_t)shift,
                       .newest_ms = last_ms < SPB_EARLIEST_MS ? last_ms + (uint64_t)shift : UINT64_MAX};
}
