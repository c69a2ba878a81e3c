/* What of the journal is to be replayed, and how far it is: blocks are read in chunks, of which two are in memory at
 * most. */
#ifndef SPB_CORE_REPLAY_H
#define SPB_CORE_REPLAY_H

#include "core/chunk.h"
#include "core/pace.h"

#define SPB_MAX_CHUNKS 2
#define SPB_MAX_REPLAYED 1024

/* Blocks that the server has, and that the primary host may not have seen. */
typedef struct spb_replayed {
    spb_range ids;
    uint64_t samples;
    uint64_t at_ms;
} spb_replayed;

/* A block of which a part has arrived. */
typedef struct spb_partial {
    uint64_t id;
    size_t bytes;
    uint32_t samples;
} spb_partial;

#define SPB_MAX_PARTIALS 16

typedef struct spb_replay {
    spb_ranges wanted;                /* ids to be read, and not in a chunk */
    spb_ranges deferred;              /* to be read when a device is born, or known */
    spb_ranges doubtful;              /* that may have arrived before */
    spb_chunk chunks[SPB_MAX_CHUNKS]; /* in their order, free ones at the end */
    uint64_t last_chunk;
    bool is_incomplete;                     /* for want of memory, ids are missing in `wanted` */
    uint64_t round;                         /* counts how often what was deferred is tried again */
    uint64_t read_from;                     /* while READ is under way: from here, */
    uint64_t read_upto;                     /* and what was taken last */
    spb_partial partials[SPB_MAX_PARTIALS]; /* of connections that ended; the newest ones */
    size_t partial_count;
    bool is_cut;       /* nothing behind it was wanted */
    bool is_void;      /* the connection is over: what is read is not wanted any more */
    uint64_t retry_ms; /* after a READ that failed */
    uint64_t grace_ms; /* until then, what is unknown may be added yet */
    spb_pace pace;
    spb_replayed *replayed; /* a ring of SPB_MAX_REPLAYED, made when it is needed */
    size_t first_replayed;
    size_t replayed_count;
} spb_replay;

void spb_replay__clear(spb_replay *replay);

#endif
