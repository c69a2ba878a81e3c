/* Memory that is released all at once: for what lives as long as the message at hand. */
#ifndef SPB_CLI_POOL_H
#define SPB_CLI_POOL_H

#include <stddef.h>

typedef struct pool_block pool_block;

typedef struct pool {
    pool_block *blocks; /* the newest first */
} pool;

/* `count` zeroed things of `size` bytes, aligned for any of them; never NULL for a count of 0. NULL: no memory. */
void *pool_get(pool *p, size_t count, size_t size);
/* Forgets everything, and keeps a block for the next message. */
void pool_reset(pool *p);
void pool_clear(pool *p);

#endif
