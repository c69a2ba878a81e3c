/* Decides how payloads are searched and released. */
#include <spb/payload.h>

#include <stdlib.h>

#include "base/arena.h"

void spb_payload_free(spb_payload *payload) {
    if (payload) {
        spb_arena__free(payload->storage);
    }
}

void spb_free(void *memory) {
    free(memory);
}

const spb_payload_metric *spb_payload_find(const spb_payload *payload, const char *name) {
    spb_str wanted = spb_str_from(name);
    for (size_t i = 0; wanted.data && i < payload->metric_count; i++) {
        if (spb_str_equal(payload->metrics[i].name, wanted)) {
            return &payload->metrics[i];
        }
    }
    return NULL;
}

const spb_property *spb_property_find(const spb_property_set *set, const char *key) {
    for (size_t i = 0; set && i < set->count; i++) {
        if (spb_str_equal(set->items[i].key, spb_str_from(key))) {
            return &set->items[i];
        }
    }
    return NULL;
}
