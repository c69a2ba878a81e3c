/* Decides in which blocks memory is taken from the system. */
#include "cli/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 64 << 10 };

struct pool_block {
    pool_block *next;
    size_t used, size;
    max_align_t data[];
};

static pool_block *add_block(pool *p, size_t size) {
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    pool_block *block = malloc(sizeof *block + room);
    if (block) {
        *block = (pool_block){.next = p->blocks, .size = room};
        p->blocks = block;
    }
    return block;
}

void *pool_get(pool *p, size_t count, size_t size) {
    const size_t alignment = sizeof(max_align_t);
    if (count > (SIZE_MAX - BLOCK_SIZE) / size) {
        return NULL;
    }
    size_t wanted = (count * size + alignment - 1) / alignment * alignment;
    pool_block *block = p->blocks;
    if (!block || block->size - block->used < wanted) {
        block = add_block(p, wanted);
    }
    if (!block) {
        return NULL;
    }
    void *memory = (char *)block->data + block->used;
    block->used += wanted;
    return memset(memory, 0, wanted);
}

static void free_blocks(pool_block *block) {
    while (block) {
        pool_block *next = block->next;
        free(block);
        block = next;
    }
}

void pool_reset(pool *p) {
    if (p->blocks) {
        free_blocks(p->blocks->next);
        p->blocks->next = NULL;
        p->blocks->used = 0;
    }
}

void pool_clear(pool *p) {
    free_blocks(p->blocks);
    p->blocks = NULL;
}
