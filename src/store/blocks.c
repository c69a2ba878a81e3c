/* Decides how blocks lie in memory. When they come and go is left to the stores. */
#include "store/blocks.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 16
#define KEPT_CAPACITY 1024 /* what an empty list may keep for the next blocks */

void spb_amount__add(spb_amount *amount, spb_amount more) {
    amount->blocks += more.blocks;
    amount->samples += more.samples;
    amount->bytes += more.bytes;
}

void spb_amount__subtract(spb_amount *amount, spb_amount less) {
    amount->blocks -= less.blocks < amount->blocks ? less.blocks : amount->blocks;
    amount->samples -= less.samples < amount->samples ? less.samples : amount->samples;
    amount->bytes -= less.bytes < amount->bytes ? less.bytes : amount->bytes;
}

void spb_blocks__clear(spb_blocks *blocks) {
    for (size_t i = blocks->start; i < blocks->start + blocks->count; i++) {
        free(blocks->items[i].block);
    }
    free(blocks->items);
    *blocks = (spb_blocks){0};
}

size_t spb_blocks__cost(const spb_block *block) {
    return sizeof *block + block->device_id.len + block->metrics.len + sizeof(spb_blocks_item);
}

/* Leaves out what was removed. */
static void compact(spb_blocks *blocks) {
    size_t kept = 0;
    for (size_t i = blocks->start; i < blocks->start + blocks->count; i++) {
        if (blocks->items[i].block) {
            blocks->items[kept++] = blocks->items[i];
        }
    }
    blocks->start = 0;
    blocks->count = kept;
}

/* Room for one more item. Compacts once half of the room would come free, which makes it O(1) per block. */
static bool reserve(spb_blocks *blocks) {
    if (blocks->start + blocks->count < blocks->capacity) {
        return true;
    }
    if (blocks->capacity > 0 && blocks->amount.blocks <= blocks->capacity / 2) {
        compact(blocks);
        return true;
    }
    size_t capacity = blocks->capacity ? blocks->capacity * 2 : FIRST_CAPACITY;
    spb_blocks_item *items = realloc(blocks->items, capacity * sizeof *items);
    if (!items) {
        return false;
    }
    blocks->items = items;
    blocks->capacity = capacity;
    return true;
}

/* A copy in one piece of heap. NULL: no memory. */
static spb_block *copy(const spb_block *block) {
    spb_block *made = malloc(sizeof *made + block->device_id.len + block->metrics.len);
    if (!made) {
        return NULL;
    }
    *made = *block;
    uint8_t *behind = (uint8_t *)(made + 1);
    if (block->metrics.len > 0) {
        memcpy(behind, block->metrics.data, block->metrics.len);
    }
    made->metrics.data = behind;
    if (block->device_id.data) {
        memcpy(behind + block->metrics.len, block->device_id.data, block->device_id.len);
        made->device_id.data = (const char *)behind + block->metrics.len;
    }
    return made;
}

bool spb_blocks__push(spb_blocks *blocks, const spb_block *block) {
    spb_block *made = reserve(blocks) ? copy(block) : NULL;
    if (!made) {
        return false;
    }
    blocks->items[blocks->start + blocks->count++] = (spb_blocks_item){.id = block->id, .block = made};
    spb_amount__add(&blocks->amount, (spb_amount){.blocks = 1, .samples = block->samples, .bytes = block->metrics.len});
    blocks->memory += spb_blocks__cost(block);
    return true;
}

/* Index in items of the first one, removed or not, whose id is ≥ from_id; behind the last: there is none. */
static size_t search(const spb_blocks *blocks, uint64_t from_id) {
    size_t low = blocks->start, high = blocks->start + blocks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (blocks->items[middle].id < from_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const spb_block *spb_blocks__find(const spb_blocks *blocks, uint64_t from_id) {
    for (size_t i = search(blocks, from_id); i < blocks->start + blocks->count; i++) {
        if (blocks->items[i].block) {
            return blocks->items[i].block;
        }
    }
    return NULL;
}

spb_amount spb_blocks__remove(spb_blocks *blocks, uint64_t first_id, uint64_t last_id) {
    spb_amount removed = {0};
    for (size_t i = search(blocks, first_id); i < blocks->start + blocks->count && blocks->items[i].id <= last_id;
         i++) {
        spb_block *block = blocks->items[i].block;
        if (block) {
            spb_amount__add(&removed,
                            (spb_amount){.blocks = 1, .samples = block->samples, .bytes = block->metrics.len});
            blocks->memory -= spb_blocks__cost(block);
            free(block);
            blocks->items[i].block = NULL;
        }
    }
    spb_amount__subtract(&blocks->amount, removed);
    while (blocks->count > 0 && !blocks->items[blocks->start].block) {
        blocks->start++;
        blocks->count--;
    }
    if (blocks->count == 0) {
        blocks->start = 0;
        if (blocks->capacity > KEPT_CAPACITY) {
            spb_blocks__clear(blocks);
        }
    }
    return removed;
}
