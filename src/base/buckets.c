/* Decides how many buckets there are: one for each thing, at least. How keys become hashes is left to the users. */
#include "base/buckets.h"

#include <stdlib.h>

#define FIRST_CAPACITY 16

void *spb_buckets__thing(spb_bucket_link *link, size_t offset) {
    return link ? (char *)link - offset : NULL;
}

void spb_buckets__clear(spb_buckets *buckets) {
    free(buckets->items);
    *buckets = (spb_buckets){0};
}

static spb_bucket_link **bucket_of(const spb_buckets *buckets, uint32_t hash) {
    return &buckets->items[hash & (buckets->capacity - 1)];
}

void spb_buckets__add(spb_buckets *buckets, spb_bucket_link *link) {
    spb_bucket_link **bucket = bucket_of(buckets, link->hash);
    link->next = *bucket;
    *bucket = link;
    buckets->count++;
}

bool spb_buckets__reserve(spb_buckets *buckets) {
    if (buckets->count < buckets->capacity) {
        return true;
    }
    spb_buckets grown = {.capacity = buckets->capacity ? buckets->capacity * 2 : FIRST_CAPACITY};
    grown.items = calloc(grown.capacity, sizeof *grown.items);
    if (!grown.items) {
        return false;
    }
    for (spb_bucket_link *link = spb_buckets__each(buckets, NULL), *next; link; link = next) {
        next = spb_buckets__each(buckets, link);
        spb_buckets__add(&grown, link);
    }
    free(buckets->items);
    *buckets = grown;
    return true;
}

void spb_buckets__remove(spb_buckets *buckets, spb_bucket_link *link) {
    spb_bucket_link **at = bucket_of(buckets, link->hash);
    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    link->next = NULL;
    buckets->count--;
}

/* The first of that hash from `link` on. */
static spb_bucket_link *find(spb_bucket_link *link, uint32_t hash) {
    while (link && link->hash != hash) {
        link = link->next;
    }
    return link;
}

spb_bucket_link *spb_buckets__first(const spb_buckets *buckets, uint32_t hash) {
    return buckets->capacity > 0 ? find(*bucket_of(buckets, hash), hash) : NULL;
}

spb_bucket_link *spb_buckets__next(const spb_bucket_link *link) {
    return find(link->next, link->hash);
}

spb_bucket_link *spb_buckets__each(const spb_buckets *buckets, const spb_bucket_link *link) {
    if (link && link->next) {
        return link->next;
    }
    size_t index = link ? (link->hash & (buckets->capacity - 1)) + 1 : 0;
    while (index < buckets->capacity && !buckets->items[index]) {
        index++;
    }
    return index < buckets->capacity ? buckets->items[index] : NULL;
}
