/* A set of numbers as sorted ranges: no two of them touch. Made for ids that come and go mostly in order. */
#ifndef SPB_BASE_RANGES_H
#define SPB_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct spb_range {
    uint64_t first, last; /* both belong to it */
} spb_range;

/* Zeroed: the empty set. How many ranges there are is the caller's matter. */
typedef struct spb_ranges {
    spb_range *items;
    size_t start;    /* index of the first range; those before it were removed */
    size_t count;    /* ranges */
    size_t capacity; /* of items */
    uint64_t total;  /* numbers in the set; a set of all 2^64 numbers would overflow it */
} spb_ranges;

void spb_ranges__clear(spb_ranges *ranges);
/* Adds first … last. At the end this takes O(1), elsewhere O(ranges behind it). False: no memory, and nothing changed.
 */
bool spb_ranges__add(spb_ranges *ranges, uint64_t first, uint64_t last);
/* Removes first … last. From the beginning this takes O(log n) and no memory. False: no memory, and nothing changed. */
bool spb_ranges__remove(spb_ranges *ranges, uint64_t first, uint64_t last);
bool spb_ranges__contains(const spb_ranges *ranges, uint64_t number);
/* The range that holds `number`, all of it. False: none does. */
bool spb_ranges__around(const spb_ranges *ranges, uint64_t number, spb_range *out);
/* The first range at or after `from`; it begins at `from` if that lies within. False: there is none. */
bool spb_ranges__next(const spb_ranges *ranges, uint64_t from, spb_range *out);
/* How many numbers of first … last are in the set. */
uint64_t spb_ranges__count(const spb_ranges *ranges, uint64_t first, uint64_t last);
/* The range of that index, 0 … ranges->count - 1. */
spb_range spb_ranges__at(const spb_ranges *ranges, size_t index);

#endif
