/* Aliases in memory. */
#ifndef SPB_STORE_ALIASES_H
#define SPB_STORE_ALIASES_H

#include <stddef.h>

#include <spb/store.h>

/* Zeroed: none. */
typedef struct spb_aliases {
    spb_alias *items; /* the strings of each are one piece of heap, which `name` begins */
    size_t count;
    size_t capacity;
    uint32_t highest; /* of the numbers */
} spb_aliases;

void spb_aliases__clear(spb_aliases *aliases);
/* Copies them; one takes the place of another one with the same number. False: no memory, and nothing changed. */
bool spb_aliases__add(spb_aliases *aliases, const spb_alias *items, size_t count);

#endif
