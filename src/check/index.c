/* Decides where a thing stands in a table. What is equal is left to the callers. */
#include "check/index.h"

#include <stdlib.h>

static unsigned char lower(unsigned char c) {
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

uint32_t check_hash(uint32_t hash, spb_str text) {
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.data[i]) * 0x01000193u;
    }
    return hash ^ (uint32_t)text.len;
}

uint32_t check_hash_lower(uint32_t hash, spb_str text) {
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ lower((unsigned char)text.data[i])) * 0x01000193u;
    }
    return hash ^ (uint32_t)text.len;
}

bool check_equal_lower(spb_str a, spb_str b) {
    size_t i = 0;
    while (i < a.len && i < b.len && lower((unsigned char)a.data[i]) == lower((unsigned char)b.data[i])) {
        i++;
    }
    return i == a.len && i == b.len;
}

uint32_t check_hash_number(uint64_t number) {
    return (uint32_t)((number * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

bool check_index_make(check_index *index, size_t count) {
    size_t size = 8;
    while (size < 2 * count) {
        size *= 2;
    }
    *index = (check_index){calloc(size, sizeof *index->slots), size - 1};
    return index->slots != NULL;
}

void check_index_clear(check_index *index) {
    free(index->slots);
    *index = (check_index){0};
}

void check_index_put(check_index *index, uint32_t hash, size_t thing) {
    size_t slot = hash & index->mask;
    while (index->slots[slot] != 0) {
        slot = (slot + 1) & index->mask;
    }
    index->slots[slot] = (uint32_t)thing + 1;
}
