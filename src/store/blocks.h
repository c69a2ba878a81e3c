/* Blocks in memory, in the order of their ids. */
#ifndef SPB_STORE_BLOCKS_H
#define SPB_STORE_BLOCKS_H

#include <stddef.h>

#include <spb/store.h>

/* How much there is of something. */
typedef struct spb_amount {
    uint64_t blocks;
    uint64_t samples;
    uint64_t bytes; /* of the metrics */
} spb_amount;

void spb_amount__add(spb_amount *amount, spb_amount more);
void spb_amount__subtract(spb_amount *amount, spb_amount less); /* not below 0 */

typedef struct spb_blocks_item {
    uint64_t id;
    spb_block *block; /* its strings lie behind it; NULL: it was removed */
} spb_blocks_item;

/* Zeroed: empty. */
typedef struct spb_blocks {
    spb_blocks_item *items;
    size_t start;    /* index of the first one */
    size_t count;    /* items, with those that were removed in between */
    size_t capacity; /* of items */
    spb_amount amount;
    size_t memory; /* bytes of heap for the blocks */
} spb_blocks;

void spb_blocks__clear(spb_blocks *blocks);
/* Heap that this block takes. */
size_t spb_blocks__cost(const spb_block *block);
/* Copies a block whose id is higher than all before. False: no memory, and nothing changed. */
bool spb_blocks__push(spb_blocks *blocks, const spb_block *block);
/* The block with the lowest id ≥ from_id, borrowed until it is removed; NULL: there is none. */
const spb_block *spb_blocks__find(const spb_blocks *blocks, uint64_t from_id);
/* Removes the blocks first_id … last_id; what there was of them. */
spb_amount spb_blocks__remove(spb_blocks *blocks, uint64_t first_id, uint64_t last_id);

#endif
