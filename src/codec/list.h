/* A growing array in an arena: what builders put their items into. */
#ifndef SPB_CODEC_LIST_H
#define SPB_CODEC_LIST_H

#include <spb/status.h>

#include "base/arena.h"

/* Room for `more` items behind `count` in an array of *capacity: the array itself, or a larger copy, which leaves the
 * old one to the arena. NULL as with spb_arena__alloc. Grows by doubling, so the copies take no more than the items. */
void *spb_list__grow(spb_arena *arena, const void *items, size_t count, size_t *capacity, size_t more, size_t size);

/* What a NULL from that or from spb_arena__alloc means: SPB_ERR_LIMIT or SPB_ERR_NO_MEMORY, with the error filled. */
spb_status spb_list__no_room(const spb_arena *arena, const char *what, spb_error *err);

#endif
