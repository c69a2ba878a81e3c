/*
 * Decides how an arena takes memory from the system: blocks that grow, each counted against the budget before it is
 * asked for. What is built in it is left to its users.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define FIRST_BLOCK_BYTES 1024
#define LARGEST_STEP_BYTES (1024 * 1024)

/* A block is this head and the memory behind it. */
typedef struct block {
    struct block *next;
    alignas(max_align_t) unsigned char memory[];
} block;

struct spb_arena {
    block *blocks;       /* newest first */
    unsigned char *free; /* the unused rest of the newest block */
    size_t free_bytes;
    size_t next_bytes; /* size of the next block, unless more is wanted at once */
    size_t used_bytes;
    size_t budget_bytes;
    bool over_budget;
};

spb_arena *spb_arena__new(size_t budget_bytes) {
    if (budget_bytes < sizeof(spb_arena)) {
        return NULL;
    }
    spb_arena *arena = malloc(sizeof *arena);
    if (arena) {
        *arena =
            (spb_arena){.next_bytes = FIRST_BLOCK_BYTES, .used_bytes = sizeof *arena, .budget_bytes = budget_bytes};
    }
    return arena;
}

void spb_arena__free(spb_arena *arena) {
    if (!arena) {
        return;
    }
    for (block *each = arena->blocks; each;) {
        block *next = each->next;
        free(each);
        each = next;
    }
    free(arena);
}

/* A block of `wanted` bytes, or when the budget is too small for that of `size`, becomes the newest one. What is left
 * of the block before it is given up. */
static bool grow(spb_arena *arena, size_t size, size_t wanted) {
    size_t left = arena->budget_bytes - arena->used_bytes;
    arena->over_budget = left < sizeof(block) || size > left - sizeof(block);
    if (arena->over_budget) {
        return false;
    }
    size_t bytes = wanted > size && wanted <= left - sizeof(block) ? wanted : size;
    block *added = malloc(sizeof *added + bytes);
    if (!added) {
        return false;
    }
    added->next = arena->blocks;
    arena->blocks = added;
    arena->free = added->memory;
    arena->free_bytes = bytes;
    arena->used_bytes += sizeof *added + bytes;
    return true;
}

bool spb_arena__reserve(spb_arena *arena, size_t size) {
    return size <= arena->free_bytes || grow(arena, size, size);
}

void *spb_arena__alloc(spb_arena *arena, size_t size) {
    const size_t unit = alignof(max_align_t);
    if (size > SIZE_MAX - unit) {
        arena->over_budget = true;
        return NULL;
    }
    size_t rounded = (size + unit - 1) / unit * unit;
    if (rounded == 0) {
        rounded = unit;
    }
    if (rounded > arena->free_bytes) {
        if (!grow(arena, rounded, arena->next_bytes)) {
            return NULL;
        }
        if (arena->next_bytes < LARGEST_STEP_BYTES) {
            arena->next_bytes *= 2;
        }
    }
    void *memory = arena->free;
    arena->free += rounded;
    arena->free_bytes -= rounded;
    return memory;
}

void *spb_arena__calloc(spb_arena *arena, size_t count, size_t size) {
    if (size > 0 && count > SIZE_MAX / size) {
        arena->over_budget = true;
        return NULL;
    }
    void *memory = spb_arena__alloc(arena, count * size);
    if (memory) {
        memset(memory, 0, count * size);
    }
    return memory;
}

void *spb_arena__grow(spb_arena *arena, const void *items, size_t count, size_t *capacity, size_t more, size_t size) {
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

spb_status spb_arena__no_room(const spb_arena *arena, const char *what, spb_error *err) {
    if (spb_arena__over_budget(arena)) {
        return spb_error__set(err, SPB_ERR_LIMIT, "%s would need more heap than the limit max_heap_bytes", what);
    }
    return spb_error__no_memory(err, what);
}

bool spb_arena__over_budget(const spb_arena *arena) {
    return arena->over_budget;
}

size_t spb_arena__used(const spb_arena *arena) {
    return arena->used_bytes;
}
