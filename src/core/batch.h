/*
 * Samples of one holder that wait to be sent, or to be stored: encoded metrics, in order, cut into messages. A message
 * ends when it has reached its size, when it is closed, and before a sample that is older than the one ahead of it.
 */
#ifndef SPB_CORE_BATCH_H
#define SPB_CORE_BATCH_H

#include <spb/value.h>

#include "base/buffer.h"

/* One message of a batch. */
typedef struct spb_segment {
    size_t end;        /* offset in bytes.data behind its last metric */
    uint64_t first_ms; /* the timestamps of its first and last sample */
    uint64_t last_ms;
    uint64_t id;   /* its block in the journal; 0: none */
    uint64_t boot; /* as in spb_block */
    uint32_t samples;
    uint32_t number; /* of the message among all that its batch began; it may wrap */
    uint8_t epoch;   /* that it counts in, for spb_flushes */
} spb_segment;

typedef struct spb_batch_limits {
    size_t full_bytes;     /* a message that has reached this takes no more, */
    uint32_t full_samples; /* nor one with so many */
    size_t most_bytes;     /* no message becomes larger than this, unless by one metric alone; 0: no such limit */
} spb_batch_limits;

typedef struct spb_batch {
    spb_buffer bytes;
    size_t start; /* offset of the first message */
    spb_segment *segments;
    size_t first;    /* index of the first message */
    size_t count;    /* messages */
    size_t tried;    /* the first of them, which the journal took or refused */
    size_t capacity; /* of segments */
    size_t *total;   /* what waits in all batches that have this sum in common; NULL: nobody asks */
    uint32_t begun;  /* messages, so far */
    bool is_open;    /* the last message takes more */
} spb_batch;

void spb_batch__clear(spb_batch *batch);
/* Room for one more sample of `len` bytes; false when there is no memory. */
bool spb_batch__reserve(spb_batch *batch, size_t len);
/* Appends an encoded metric; room was reserved. True when a new message begins with it. */
bool spb_batch__append(spb_batch *batch, const spb_buffer *metric, uint64_t timestamp_ms,
                       const spb_batch_limits *limits);
/* The metric that was written into `bytes` from `begin` on, its end, joins the last message, which is open, and which
 * stays so: else it is taken away again, and false. The sum of what waits is left to the caller. */
bool spb_batch__join(spb_batch *batch, size_t begin, uint64_t timestamp_ms, const spb_batch_limits *limits);
bool spb_batch__is_empty(const spb_batch *batch);
/* Bytes that wait. */
size_t spb_batch__size(const spb_batch *batch);
/* Messages that take no more. */
size_t spb_batch__closed(const spb_batch *batch);
/* The message of that index, counted from the first, 0 … count - 1; borrowed until the batch changes. */
spb_segment *spb_batch__segment(const spb_batch *batch, size_t index);
/* Its metrics, borrowed likewise. */
spb_bytes spb_batch__metrics(const spb_batch *batch, size_t index);
/* The last message takes no more. */
void spb_batch__close(spb_batch *batch);
/* Removes the first message. */
void spb_batch__pop(spb_batch *batch);
/* Moves the first message of `from` to the end of `to`, where it stands closed behind a closed one. False: no memory,
 * and nothing has moved. */
bool spb_batch__move_front(spb_batch *to, spb_batch *from);
/* Exchanges what waits in the two; each keeps its sum, and goes on with its own numbers. */
void spb_batch__swap(spb_batch *a, spb_batch *b);
/* Removes everything; returns how many samples that were. */
uint64_t spb_batch__drop(spb_batch *batch);

#endif
