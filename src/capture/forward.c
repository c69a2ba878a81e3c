/*
 * Decides which messages are the same. The n-th time that a server sends a topic and payload to one subscriber, or gets
 * them from its clients together, it is the n-th message of that kind: so who is the first to carry it n times has a
 * new one, and all others carry a copy. This holds whoever was captured: publisher, one or many subscribers, or all of
 * them.
 */
#include "capture/forward.h"

#include <stdlib.h>

#include "capture/hash.h"

enum {
    SLOTS = 1 << 16,
    PROBES = 8,                  /* places where an entry may be */
    WINDOW_US = 30 * 1000 * 1000 /* a slow subscriber may lag behind so much */
};

/* A message, and how often it was seen; or how often one subscriber, or the server, got it. */
typedef struct entry {
    uint64_t key;
    uint64_t time_us; /* of the first one */
    uint32_t count;
    uint32_t round; /* of the message: an entry of a connection counts only in the same one */
} entry;

struct forward {
    uint64_t seed;
    uint32_t round;
    entry slots[SLOTS];
};

static uint64_t hash_message(const forward *f, const capture_event *e) {
    const capture_publish *p = &e->as.publish;
    uint64_t hash = hash_bytes(f->seed, e->server->bytes, sizeof e->server->bytes);
    hash = hash_bytes(hash, &e->server->port, sizeof e->server->port);
    hash = hash_bytes(hash, p->topic.data, p->topic.len);
    return hash_bytes(hash, p->payload.data, p->payload.len);
}

/* ---- the table ---- */

/* The entry of that key, or the place for it: an empty one, else the oldest. */
static entry *find(forward *f, uint64_t key) {
    entry *oldest = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        entry *slot = &f->slots[(key + i) % SLOTS];
        if (slot->key == key) {
            return slot;
        }
        if (!oldest || slot->time_us < oldest->time_us) {
            oldest = slot;
        }
    }
    *oldest = (entry){.key = key};
    return oldest;
}

forward *forward_new(void) {
    forward *f = calloc(1, sizeof *f);
    if (f) {
        f->seed = hash_seed();
    }
    return f;
}

void forward_free(forward *f) {
    free(f);
}

bool forward_is_known(forward *f, const capture_event *publish) {
    uint64_t key = hash_message(f, publish) | 1;
    entry *message = find(f, key);
    uint64_t now = publish->time_us;
    if (message->count == 0 || now > message->time_us + WINDOW_US) {
        *message = (entry){.key = key, .time_us = now, .round = ++f->round};
    }
    bool is_to_client = publish->direction == CAPTURE_TO_CLIENT;
    uint64_t numbers[] = {is_to_client ? publish->connection : 0, is_to_client};
    uint64_t own_key = hash_bytes(key, numbers, sizeof numbers) & ~UINT64_C(1);
    uint32_t round = message->round;
    uint32_t seen = message->count;
    if (publish->as.publish.is_duplicate && seen > 0) {
        return true;
    }
    entry *own = find(f, own_key);
    if (own->round != round) {
        *own = (entry){.key = own_key, .time_us = now, .round = round};
    }
    own->count++;
    if (own->count <= seen) {
        return true;
    }
    message = find(f, key); /* its place may have been taken */
    *message =
        (entry){.key = key, .time_us = message->count ? message->time_us : now, .count = own->count, .round = round};
    return false;
}
