/* Decides how connections are found, and in which order they are given up. */
#include "capture/connections.h"

#include <stdlib.h>
#include <string.h>

#include "capture/hash.h"

bool connections_init(connections *all, size_t max_count) {
    size_t size = 64;
    while (size < max_count) {
        size *= 2;
    }
    *all = (connections){.buckets = calloc(size, sizeof(connection *)), .bucket_mask = size - 1, .seed = hash_seed()};
    return all->buckets != NULL;
}

void connections_clear(connections *all) {
    free(all->buckets);
    *all = (connections){.buckets = NULL};
}

static bool is_same(const capture_address *a, const capture_address *b) {
    return a->port == b->port && a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static uint64_t hash_address(uint64_t seed, const capture_address *address) {
    return hash_bytes(seed ^ address->port, address->bytes, sizeof address->bytes);
}

/* The same in both directions. */
static connection **bucket_of(connections *all, const capture_address *a, const capture_address *b) {
    uint64_t sum = hash_address(all->seed, a) + hash_address(all->seed, b);
    return &all->buckets[sum & all->bucket_mask];
}

connection *connections_find(connections *all, const segment *g, int *from) {
    for (connection *c = *bucket_of(all, &g->from, &g->to); c; c = c->next_of_bucket) {
        const capture_address *ends = c->talk.addresses;
        for (int i = TALK_FIRST; i < TALK_SIDES; i++) {
            if (is_same(&ends[i], &g->from) && is_same(&ends[!i], &g->to)) {
                *from = i;
                return c;
            }
        }
    }
    return NULL;
}

static void link_newest(connections *all, connection *c) {
    c->newer = NULL;
    c->older = all->newest;
    *(all->newest ? &all->newest->newer : &all->oldest) = c;
    all->newest = c;
}

static void unlink_it(connections *all, connection *c) {
    *(c->newer ? &c->newer->older : &all->newest) = c->older;
    *(c->older ? &c->older->newer : &all->oldest) = c->newer;
}

connection *connections_add(connections *all, heap *h, const segment *g) {
    connection *c = heap_take(h, sizeof *c);
    if (!c) {
        return NULL;
    }
    memset(c, 0, sizeof *c);
    c->talk.addresses[TALK_FIRST] = g->from;
    c->talk.addresses[TALK_SECOND] = g->to;
    connection **bucket = bucket_of(all, &g->from, &g->to);
    c->next_of_bucket = *bucket;
    *bucket = c;
    link_newest(all, c);
    all->count++;
    return c;
}

void connections_touch(connections *all, connection *c) {
    if (all->newest != c) {
        unlink_it(all, c);
        link_newest(all, c);
    }
}

void connections_remove(connections *all, heap *h, connection *c) {
    connection **at = bucket_of(all, &c->talk.addresses[TALK_FIRST], &c->talk.addresses[TALK_SECOND]);
    while (*at != c) {
        at = &(*at)->next_of_bucket;
    }
    *at = c->next_of_bucket;
    unlink_it(all, c);
    all->count--;
    for (int i = TALK_FIRST; i < TALK_SIDES; i++) {
        stream_clear(&c->streams[i], h);
    }
    talk_clear(&c->talk, h);
    heap_give(h, c, sizeof *c);
}
