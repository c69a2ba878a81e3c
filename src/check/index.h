/* A table from hashes to numbers of things that the caller keeps in an array. */
#ifndef SPB_CHECK_INDEX_H
#define SPB_CHECK_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include <spb/value.h>

/* At least twice as many slots as things; a slot holds the number of a thing + 1, or 0. */
typedef struct check_index {
    uint32_t *slots;
    size_t mask;
} check_index;

#define CHECK_HASH_START UINT32_C(0x811C9DC5) /* FNV-1a */

uint32_t check_hash(uint32_t hash, spb_str text);
/* The same for texts that differ in the case of ASCII letters only. */
uint32_t check_hash_lower(uint32_t hash, spb_str text);
bool check_equal_lower(spb_str a, spb_str b);
uint32_t check_hash_number(uint64_t number);

/* Room for `count` things; false: no memory. */
bool check_index_make(check_index *index, size_t count);
void check_index_clear(check_index *index);
void check_index_put(check_index *index, uint32_t hash, size_t thing);
/* The things that may have this hash: start with *slot = hash; SIZE_MAX behind the last one. */
static inline size_t check_index_next(const check_index *index, uint32_t *slot) {
    if (!index->slots) {
        return SIZE_MAX;
    }
    uint32_t found = index->slots[*slot & index->mask];
    (*slot)++;
    return found == 0 ? SIZE_MAX : found - 1;
}

#endif
