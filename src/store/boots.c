/* Decides what the timestamps of a block mean in wall time. Who shifts them when they are sent is left to the session.
 */
#include "store/boots.h"

#include <stdlib.h>
#include <string.h>

void spb_boots__clear(spb_boots *boots) {
    free(boots->items);
    *boots = (spb_boots){0};
}

/* Where the run is, or would be. They lie in the order of a file, in which the number of a run has a sign. */
static size_t find(const spb_boots *boots, uint64_t boot) {
    size_t low = 0, high = boots->count;
    if (high > 0 && (int64_t)boots->items[high - 1].boot < (int64_t)boot) {
        return high; /* while a file is read */
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((int64_t)boots->items[middle].boot < (int64_t)boot) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const spb_boots *boots, size_t at, uint64_t boot) {
    return at < boots->count && boots->items[at].boot == boot;
}

bool spb_boots__set(spb_boots *boots, spb_boot boot) {
    size_t at = find(boots, boot.boot);
    if (is_at(boots, at, boot.boot)) {
        boots->items[at] = boot;
        return true;
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
    memmove(&boots->items[at + 1], &boots->items[at], (boots->count - at) * sizeof *boots->items);
    boots->items[at] = boot;
    boots->count++;
    return true;
}

int64_t spb_boots__shift(const spb_boots *boots, uint64_t boot) {
    size_t at = find(boots, boot);
    return boot != 0 && is_at(boots, at, boot) ? boots->items[at].offset_ms : 0;
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
