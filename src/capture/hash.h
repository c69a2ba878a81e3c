/* A fast hash with a seed of its own in each run, so that nobody can make keys that collide on purpose. */
#ifndef SPB_CAPTURE_HASH_H
#define SPB_CAPTURE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_seed(void);
/* Chained: the seed, or the hash of what comes before. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len);

#endif
