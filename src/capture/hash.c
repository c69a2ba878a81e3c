/* Decides how bytes become a key. */
#define _DEFAULT_SOURCE /* getentropy */
#include "capture/hash.h"

#include <string.h>
#include <unistd.h>

#define MIX_1 UINT64_C(0x9E3779B97F4A7C15)
#define MIX_2 UINT64_C(0xD6E8FEB86659FD93)

uint64_t hash_seed(void) {
    uint64_t seed;
    return getentropy(&seed, sizeof seed) == 0 ? seed : MIX_2;
}

/* The two halves of a product of 128 bits, folded. */
static uint64_t fold(uint64_t a, uint64_t b) {
    uint64_t a_low = (uint32_t)a, a_high = a >> 32;
    uint64_t b_low = (uint32_t)b, b_high = b >> 32;
    uint64_t low = a_low * b_low;
    uint64_t middle_1 = a_high * b_low + (low >> 32);
    uint64_t middle_2 = a_low * b_high + (uint32_t)middle_1;
    uint64_t high = a_high * b_high + (middle_1 >> 32) + (middle_2 >> 32);
    return high ^ (middle_2 << 32 | (uint32_t)low);
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len) {
    const uint8_t *at = bytes;
    uint64_t word;
    hash = fold(hash ^ len, MIX_1);
    for (; len >= 8; len -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = fold(hash ^ word, MIX_1) + MIX_2;
    }
    word = 0;
    if (len > 0) {
        memcpy(&word, at, len);
    }
    return fold(hash ^ word, MIX_2);
}
