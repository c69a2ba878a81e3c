/*
 * A block in memory: encoded samples of one entity in the order in which they were taken, from the first sample until
 * its last copy is not needed any more. It is made once and stays where it is; what changes is its state, and the lists
 * that link it. In front of its metrics there is room for the head of a message, so that it is framed in place.
 *
 * Blocks come from a pool, which keeps those that are done for the next ones: in the steady state nothing is allocated.
 */
#ifndef SPB_OUTBOX_BLOCK_H
#define SPB_OUTBOX_BLOCK_H

#include <spb/store.h>

#include "base/buffer.h"
#include "base/deadlines.h"
#include "base/list.h"

struct spb_entity;

typedef enum spb_block_kind {
    SPB_BLOCK_LIVE,    /* samples for hosts that know the birth of the entity */
    SPB_BLOCK_HISTORY, /* samples for the journal */
    SPB_BLOCK_STORED,  /* a copy of what the journal holds, to be replayed */
    SPB_BLOCK_BIRTH,   /* stands in `sent` for a birth, which carried values that no block has */
    SPB_BLOCK_REPLAY   /* stands in `sent` for a message that was made of STORED blocks */
} spb_block_kind;

typedef enum spb_block_state {
    SPB_BLOCK_OPEN,     /* takes samples */
    SPB_BLOCK_READY,    /* takes no more, and waits to be sent or stored */
    SPB_BLOCK_SENT,     /* published; that the server has it is not known */
    SPB_BLOCK_SETTLING, /* the server has it, but not for long */
    SPB_BLOCK_KEPT      /* it has, and a host may ask for it again */
} spb_block_state;

/* How far into its metrics a STORED block is. */
typedef struct spb_progress {
    size_t bytes;
    uint32_t samples;   /* of these: published, */
    uint32_t gone;      /* of metrics that do not exist any more, */
    uint32_t too_large; /* and that the server does not take */
} spb_progress;

/* Room for the timestamp of a message in front of the metrics, and for its seq behind them. */
#define SPB_BLOCK_HEAD 16
#define SPB_BLOCK_TAIL 20

typedef struct spb_outbox_block {
    spb_list_link of_entity; /* in its `unstored`, `past`, or `stored` */
    spb_list_link of_live;   /* in its `live` */
    spb_list_link of_state;  /* in one list of the outbox: of those that are open, sent, settling, kept, or replayed */
    struct spb_entity *entity;
    spb_block_kind kind;
    spb_block_state state;
    bool is_due;       /* OPEN: its time is over: it leaves as soon as it may, and takes more until then */
    bool is_first;     /* LIVE: it leaves before the next birth of its entity */
    bool is_refused;   /* DURABLE: the journal does not take it, so it leaves without */
    bool is_doubtful;  /* it was published before, and may have arrived */
    bool is_accounted; /* its flush epoch knows what became of it */
    bool is_written;   /* SENT: the transport said so */
    bool is_missed;    /* STORED: a host may have missed what has arrived of it, so all of it is sent again */
    uint8_t epoch;     /* that it counts in, for spb_flushes */
    uint32_t number;   /* LIVE: of the block among all that its entity began; of the past: so many were begun before it;
                          it may wrap */
    spb_deadline timer;
    uint64_t id, last_id; /* in the journal; 0: it is not there. KEPT ones may stand for a range */
    uint64_t first_ms;    /* the timestamps of its first and last sample */
    uint64_t last_ms;
    uint64_t boot;            /* as in the public spb_block */
    int64_t shift_ms;         /* STORED: the same */
    uint64_t ordinal;         /* of the message in its connection; STORED: of the last one with some of it, or 0 */
    uint64_t at_ms;           /* monotonic: when it was written, and once the server has it, since when */
    uint64_t samples;         /* BIRTH: the values */
    size_t size;              /* SENT: the bytes that count as unconfirmed */
    uint64_t arrived_samples; /* SETTLING, KEPT: that were published of it */
    spb_progress sent;     /* STORED: how far it was sent; REPLAY: how far its last block is, if some of it is left */
    spb_progress arrived;  /* STORED: how far it has arrived, */
    spb_progress settling; /* how far at at_ms, */
    spb_progress settled;  /* and how far the settle time is over */
    spb_buffer bytes;      /* SPB_BLOCK_HEAD, then the metrics */
} spb_outbox_block;

typedef struct spb_block_pool {
    spb_list free;
    size_t free_bytes;
} spb_block_pool;

void spb_pool__clear(spb_block_pool *pool);
/* An empty block; NULL: no memory. */
spb_outbox_block *spb_pool__take(spb_block_pool *pool);
/* The block is done with; it is in no list. */
void spb_pool__give(spb_block_pool *pool, spb_outbox_block *block);
/* The memory that it takes. */
size_t spb_block__weight(const spb_outbox_block *block);

/* When a block is full. */
typedef struct spb_block_limits {
    size_t full_bytes;     /* it takes no more when it has reached this, */
    uint32_t full_samples; /* nor with so many */
    size_t most_bytes;     /* it does not become larger than this, unless by one metric alone; 0: no such limit */
} spb_block_limits;

/* Room for a sample of `len` bytes, and for a head and a tail. False: no memory. */
bool spb_block__reserve(spb_outbox_block *block, size_t len);
/* An open block takes a sample of that size and time: messages are in time order
 * (tck-id-operational-behavior-data-publish-nbirth-order). */
bool spb_block__takes(const spb_outbox_block *block, size_t len, uint64_t timestamp_ms, const spb_block_limits *limits);
/* Appends the metric, for which there is room. It is full then: true. */
bool spb_block__append(spb_outbox_block *block, spb_bytes metric, uint64_t timestamp_ms,
                       const spb_block_limits *limits);
/* The metric that was written into `bytes` from `begin` on joins the open block, which does not become full by it;
 * else it is taken away again, and false. */
bool spb_block__join(spb_outbox_block *block, size_t begin, uint64_t timestamp_ms, const spb_block_limits *limits);
/* Borrowed until the block changes. */
spb_bytes spb_block__metrics(const spb_outbox_block *block);
/* The payload of a data message: the head, the metrics, the tail; borrowed likewise. Absent: no memory. */
spb_bytes spb_block__frame(spb_outbox_block *block, uint64_t timestamp_ms, uint8_t seq);

#endif
