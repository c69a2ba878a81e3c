/* A part of the journal in memory, while it is replayed. */
#ifndef SPB_CORE_CHUNK_H
#define SPB_CORE_CHUNK_H

#include <spb/store.h>

#include "base/buffer.h"
#include "base/ranges.h"

#define SPB_NO_BLOCK SIZE_MAX

typedef struct spb_chunk_block {
    uint64_t id;
    size_t at; /* offset of the device's ID, with the metrics behind it */
    size_t device_len;
    size_t len;
    size_t sent; /* bytes of the metrics that were sent, or left out */
    uint64_t first_ms;
    uint64_t last_ms;
    uint64_t boot;
    int64_t shift_ms;
    uint64_t last_ordinal; /* of the last message with some of it; 0: there is none */
    size_t safe;           /* bytes that were sent before that message, and have arrived, */
    uint32_t safe_kept;    /* and the samples that were published of them */
    size_t next;           /* the next block of the same holder, or SPB_NO_BLOCK */
    /* Its samples, without the `earlier` ones, that have arrived in earlier connections: */
    uint32_t samples;
    uint32_t earlier;
    uint32_t kept;      /* published, */
    uint32_t gone;      /* of metrics that do not exist any more, */
    uint32_t too_large; /* and that the server does not take */
    bool is_done;
    bool is_deferred; /* it is not of this chunk any more */
} spb_chunk_block;

typedef struct spb_chunk {
    uint64_t number; /* 0: free */
    uint64_t round;  /* that of spb_replay, when it was read */
    spb_ranges ids;  /* that it covers; some may have no block */
    spb_buffer bytes;
    spb_chunk_block *blocks;
    size_t count;
    size_t capacity;
    size_t next;                /* the first block that is not done */
    uint32_t messages;          /* published, and not confirmed */
    uint64_t last_ordinal;      /* of the last message */
    uint64_t confirmed_ordinal; /* of the last message that is confirmed */
    uint64_t confirmed_ms;      /* and when that was */
    uint64_t confirmed;         /* samples of those that are */
    uint64_t aged;              /* samples that are too old */
    bool is_complete;           /* it was read to its end */
    bool is_spoiled;            /* for want of memory it does not know what it covers */
} spb_chunk;

void spb_chunk__clear(spb_chunk *chunk);
/* Empties it, and keeps its memory. */
void spb_chunk__reset(spb_chunk *chunk);
/* A copy of the block. False: no memory. */
bool spb_chunk__add(spb_chunk *chunk, const spb_block *block);
/* Absent: of the node. */
spb_str spb_chunk__device(const spb_chunk *chunk, const spb_chunk_block *block);
/* The metrics of it that are left. */
spb_bytes spb_chunk__rest(const spb_chunk *chunk, const spb_chunk_block *block);
/* What of the block was sent in messages that are confirmed is safe. */
void spb_chunk__note_arrival(const spb_chunk *chunk, spb_chunk_block *block);
/* The block is done with. */
void spb_chunk__finish_block(spb_chunk *chunk, spb_chunk_block *block);
/* It was read, and every block is done with. */
bool spb_chunk__is_sent(const spb_chunk *chunk);

#endif
