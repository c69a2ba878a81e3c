/*
 * What of the journal is to be replayed, and how far it is: blocks are read in chunks, of which two are in memory at
 * most. What the session does with it: replay.c (what is read), reel.c (what is sent), arrive.c (what has arrived).
 */
#ifndef SPB_CORE_REPLAY_H
#define SPB_CORE_REPLAY_H

#include <spb/session.h>

#include "core/chunk.h"
#include "core/pace.h"
#include "core/window.h"

#define SPB_MAX_CHUNKS 2
#define SPB_MAX_REPLAYED 1024

/* Blocks that the server has, and that the primary host may not have seen. */
typedef struct spb_replayed {
    spb_range ids;
    uint64_t samples; /* that are stored again if it was away; those of several ranges may stand with the first */
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

/* replay.c */

/* Blocks that the journal holds, and that are to be replayed. */
void spb_session__want_replay(spb_session *session, uint64_t first_id, uint64_t last_id, bool is_doubtful);
/* Before the first births of a connection: if memory was short, and it is not known what is to be replayed, then all
 * that the journal holds is. */
void spb_session__complete_replay(spb_session *session, spb_time now);
/* READ is wanted, to go on. */
bool spb_session__wants_read(const spb_session *session);
bool spb_session__next_read(spb_session *session, spb_time now, spb_action *out);
/* Blocks that waited for a birth, or for the application, are tried again. */
void spb_session__retry_deferred(spb_session *session);

/* arrive.c */

/* A message of a chunk has arrived. */
void spb_session__on_replayed(spb_session *session, const spb_record *message, spb_time now);
/* Ends the chunks of which everything has arrived. */
void spb_session__finish_chunks(spb_session *session, spb_time now);
/* The connection is over: what is under way is to be read again. */
void spb_session__forget_chunks(spb_session *session, spb_time now);
/* The primary host may not have seen what was replayed lately; it has had its time to. */
void spb_session__reopen_chunks(spb_session *session);
void spb_session__trim_replayed(spb_session *session, spb_time now);
uint64_t spb_session__trim_due_ms(const spb_session *session);
/* The beginning of the block that is safe has arrived; the rest comes in another chunk. */
void spb_session__remember_part(spb_session *session, const spb_chunk_block *block);
/* The block was read: its beginning that has arrived in an earlier connection is not sent again. */
void spb_session__skip_part(spb_session *session, spb_chunk_block *block);

/* reel.c */

/* Before more is read: blocks in memory that have to wait for older ones are to be read behind these. */
void spb_session__put_off(spb_session *session, spb_time now);
/* A message of the journal, if one may leave. */
bool spb_session__next_replay(spb_session *session, spb_time now, spb_action *out);
/* When it, or READ, is due. */
uint64_t spb_session__replay_due_ms(const spb_session *session);

#endif
