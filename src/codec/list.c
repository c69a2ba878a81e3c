/* Decides how an array in an arena grows. */
#include "codec/list.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"

void *spb_list__grow(spb_arena *arena, const void *items, size_t count, size_t *capacity, size_t more, size_t size) {
    if (more <= *capacity - count) {
        return (void *)(uintptr_t)items;
    }
    size_t wanted = *capacity * 2 > count + more ? *capacity * 2 : count + more + 4;
    void *grown = spb_arena__calloc(arena, wanted, size);
    if (grown) {
        if (count > 0) {
            memcpy(grown, items, count * size);
        }
        *capacity = wanted;
    }
    return grown;
}

spb_status spb_list__no_room(const spb_arena *arena, const char *what, spb_error *err) {
    if (spb_arena__over_budget(arena)) {
        return spb_error__set(err, SPB_ERR_LIMIT, "%s would need more heap than the limit max_heap_bytes", what);
    }
    return spb_error__no_memory(err, what);
}
