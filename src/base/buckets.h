/*
 * Hash tables through the things themselves, as base/list.h has lists. The user computes the hash of a key, and
 * compares keys. Every step is O(1) on the average, and allocates nothing but the buckets.
 */
#ifndef SPB_BASE_BUCKETS_H
#define SPB_BASE_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct spb_bucket_link {
    struct spb_bucket_link *next; /* in its bucket */
    uint32_t hash;                /* of the thing's key; it does not change while the thing is in a table */
} spb_bucket_link;

/* Zeroed: empty. */
typedef struct spb_buckets {
    spb_bucket_link **items;
    size_t capacity; /* buckets: a power of two, or 0 */
    size_t count;    /* things */
} spb_buckets;

/* The thing of that type whose `member` the link is; NULL for NULL. */
#define SPB_BUCKETED(link, type, member) ((type *)spb_buckets__thing((link), offsetof(type, member)))

void *spb_buckets__thing(spb_bucket_link *link, size_t offset);
/* Forgets all; the things are the user's. */
void spb_buckets__clear(spb_buckets *buckets);
/* Room for one more thing: the next spb_buckets__add cannot fail. False: no memory, and nothing has changed. */
bool spb_buckets__reserve(spb_buckets *buckets);
/* Adds it under its hash. */
void spb_buckets__add(spb_buckets *buckets, spb_bucket_link *link);
/* Takes it out, where it must be. */
void spb_buckets__remove(spb_buckets *buckets, spb_bucket_link *link);
/* Those of one hash: the first, and the one behind `link`. NULL: there is none. */
spb_bucket_link *spb_buckets__first(const spb_buckets *buckets, uint32_t hash);
spb_bucket_link *spb_buckets__next(const spb_bucket_link *link);
/* All of them, in no order: the one behind `link`, or the first for NULL. NULL: there are no more. */
spb_bucket_link *spb_buckets__each(const spb_buckets *buckets, const spb_bucket_link *link);

#endif
