/* Decides nothing but the order of time. */
#include "base/deadlines.h"

#include <stdlib.h>

void *spb_deadlines__thing(spb_deadline *place, size_t offset) {
    return place ? (char *)place - offset : NULL;
}

void spb_deadlines__clear(spb_deadlines *heap) {
    free(heap->items);
    *heap = (spb_deadlines){0};
}

bool spb_deadlines__reserve(spb_deadlines *heap, size_t count) {
    if (count <= heap->capacity) {
        return true;
    }
    size_t capacity = heap->capacity * 2 > count ? heap->capacity * 2 : count > 16 ? count : 16;
    spb_deadline_item *items = capacity < UINT32_MAX ? realloc(heap->items, capacity * sizeof *items) : NULL;
    if (!items) {
        return false;
    }
    heap->items = items;
    heap->capacity = capacity;
    return true;
}

static void put(spb_deadlines *heap, size_t index, spb_deadline_item item) {
    heap->items[index] = item;
    *item.place = (spb_deadline)(index + 1);
}

/* The hole at `index` moves up, or down, until `item` fits into it. */
static void settle(spb_deadlines *heap, size_t index, spb_deadline_item item) {
    spb_deadline_item *items = heap->items;
    for (; index > 0 && items[(index - 1) / 2].at_ms > item.at_ms; index = (index - 1) / 2) {
        put(heap, index, items[(index - 1) / 2]);
    }
    for (size_t child; (child = 2 * index + 1) < heap->count; index = child) {
        child += child + 1 < heap->count && items[child + 1].at_ms < items[child].at_ms;
        if (items[child].at_ms >= item.at_ms) {
            break;
        }
        put(heap, index, items[child]);
    }
    put(heap, index, item);
}

bool spb_deadlines__set(spb_deadlines *heap, spb_deadline *place, uint64_t at_ms) {
    if (*place == 0 && !spb_deadlines__reserve(heap, heap->count + 1)) {
        return false;
    }
    size_t index = *place ? *place - 1 : heap->count++;
    settle(heap, index, (spb_deadline_item){.at_ms = at_ms, .place = place});
    return true;
}

void spb_deadlines__cancel(spb_deadlines *heap, spb_deadline *place) {
    if (*place == 0) {
        return;
    }
    size_t index = *place - 1;
    *place = 0;
    heap->count--;
    if (index < heap->count) {
        settle(heap, index, heap->items[heap->count]);
    }
}

uint64_t spb_deadlines__at_ms(const spb_deadlines *heap, const spb_deadline *place) {
    return *place ? heap->items[*place - 1].at_ms : UINT64_MAX;
}

uint64_t spb_deadlines__next_ms(const spb_deadlines *heap) {
    return heap->count > 0 ? heap->items[0].at_ms : UINT64_MAX;
}

spb_deadline *spb_deadlines__ring(spb_deadlines *heap, uint64_t now_ms) {
    if (heap->count == 0 || heap->items[0].at_ms > now_ms) {
        return NULL;
    }
    spb_deadline *place = heap->items[0].place;
    spb_deadlines__cancel(heap, place);
    return place;
}
