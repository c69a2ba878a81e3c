/* An arena: many small allocations, freed together, within a budget of bytes. */
#ifndef SPB_BASE_ARENA_H
#define SPB_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include <spb/status.h>

typedef struct spb_arena spb_arena;

/* An arena whose blocks may take up to budget_bytes of heap, its own head included. NULL: no memory, or no budget. */
spb_arena *spb_arena__new(size_t budget_bytes);
void spb_arena__free(spb_arena *arena);
/* Makes sure that allocations of together `size` bytes (each rounded up to the alignment of max_align_t) come from one
 * block. False as with an allocation that gives NULL. */
bool spb_arena__reserve(spb_arena *arena, size_t size);
/* `size` bytes aligned for any type, not initialised; NULL when there is no memory or the budget is used up. A size of
 * 0 gives a valid pointer. */
void *spb_arena__alloc(spb_arena *arena, size_t size);
/* Zeroed memory for `count` items; NULL also when the product overflows. */
void *spb_arena__calloc(spb_arena *arena, size_t count, size_t size);
/* A growing array: room for `more` items behind `count` in an array of *capacity. The array itself, or a larger copy,
 * which leaves the old one to the arena; it grows by doubling, so the copies take no more than the items. NULL as with
 * spb_arena__alloc. */
void *spb_arena__grow(spb_arena *arena, const void *items, size_t count, size_t *capacity, size_t more, size_t size);
/* What the last NULL means: SPB_ERR_LIMIT or SPB_ERR_NO_MEMORY, with the error filled; `what` was wanted. */
spb_status spb_arena__no_room(const spb_arena *arena, const char *what, spb_error *err);
/* True when the last NULL came from the budget and not from the system. */
bool spb_arena__over_budget(const spb_arena *arena);
/* Heap bytes held. */
size_t spb_arena__used(const spb_arena *arena);

#endif
