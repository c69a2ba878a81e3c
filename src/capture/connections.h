/* The TCP connections of a capture, by their addresses; the one that was silent for longest makes room for a new one.
 */
#ifndef SPB_CAPTURE_CONNECTIONS_H
#define SPB_CAPTURE_CONNECTIONS_H

#include "capture/talk.h"

typedef struct connection {
    talk talk;
    stream streams[TALK_SIDES]; /* [i]: what talk.addresses[i] sends */
    stamp at;                   /* of the last packet */
    struct connection *next_of_bucket;
    struct connection *newer, *older; /* by the last packet */
} connection;

typedef struct connections {
    connection **buckets;
    size_t bucket_mask;
    size_t count;
    uint64_t seed;
    connection *newest, *oldest;
} connections;

/* False: no memory. */
bool connections_init(connections *all, size_t max_count);
/* Frees the table; the connections must have been removed. */
void connections_clear(connections *all);
/* NULL: there is none between these two. *from: which of its two sides the segment comes from. */
connection *connections_find(connections *all, const segment *g, int *from);
/* An empty one; segment->from is its first side. NULL: no memory. */
connection *connections_add(connections *all, heap *h, const segment *g);
/* It is now the newest. */
void connections_touch(connections *all, connection *c);
void connections_remove(connections *all, heap *h, connection *c);

#endif
