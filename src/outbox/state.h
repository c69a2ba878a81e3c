/* What an outbox and its entities are made of. What they do: outbox.h. Others read here, and change nothing. */
#ifndef SPB_OUTBOX_STATE_H
#define SPB_OUTBOX_STATE_H

#include <spb/session.h>

#include "outbox/arrival.h"
#include "outbox/block.h"
#include "outbox/fence.h"
#include "outbox/flush.h"
#include "outbox/journal.h"
#include "outbox/notice.h"
#include "outbox/pace.h"

typedef struct spb_outbox spb_outbox;

/*
 * The node or a device, as the outbox sees it. It lives as long as it has blocks or an owner: when a device is removed,
 * its blocks stay, and a device of that ID that is added later goes on behind them.
 */
typedef struct spb_entity {
    spb_outbox *outbox;
    void *owner;             /* the device; NULL: it was removed, or has never been there */
    spb_list_link of_outbox; /* in `entities`, or in `strangers` while there is no owner */
    spb_list live;           /* LIVE blocks that are not sent, in order */
    spb_list unstored; /* LIVE and HISTORY ones that the journal does not have and the server, for all that is known,
                          neither; in order: none is stored before those ahead of it */
    spb_list past;     /* HISTORY blocks of samples of the past, in order: they have no order with others */
    spb_list stored;   /* STORED ones, in order */
    spb_list_link in_ready;         /* its first live block may leave */
    spb_list_link in_trying;        /* DURABLE: its first live block would, if it were stored */
    spb_list_link in_storable;      /* its first block of `past`, or of `unstored`, is for the journal */
    spb_list_link in_first;         /* some of its live blocks leave before any birth */
    spb_outbox_block *open;         /* the LIVE block that takes samples, and is the last of `live`; or NULL */
    spb_outbox_block *open_history; /* the HISTORY block that does, */
    spb_outbox_block *open_past;    /* and the last one of `past`, likewise */
    spb_ranges deferred;            /* ids in the journal that wait until it may be replayed */
    size_t live_bytes;              /* of metrics, in live */
    size_t blocks;                  /* of any kind */
    uint32_t begun;                 /* LIVE blocks, so far */
    uint32_t histories;             /* HISTORY blocks, which are in unstored */
    uint32_t first_count;           /* live blocks that leave before any birth */
    bool is_born;                   /* hosts know it */
    bool is_held_back;              /* it is born, but some of its metrics are not: no replay before its next birth */
    bool is_scanning;               /* `open` is not closed by time */
    bool is_patient;                /* `open` holds only samples that make nothing leave */
    uint32_t id_len;
    char id[]; /* ends in NUL; empty: the node */
} spb_entity;

/* What hosts know of a metric of the journal. */
typedef enum spb_metric_known {
    SPB_METRIC_GONE,   /* it does not exist, or belongs to another entity */
    SPB_METRIC_UNBORN, /* its birth is due */
    SPB_METRIC_BORN
} spb_metric_known;

/* What the outbox asks of the one who knows the metrics, during its own calls. `alias` 0: it has none, and that name;
 * else the name is absent. */
typedef struct spb_outbox_metrics {
    void *context;
    spb_metric_known (*known)(void *context, const spb_entity *entity, uint64_t alias, spb_str name);
    bool (*is_kept)(void *context, const spb_entity *entity, uint64_t alias, spb_str name); /* as spb_keep says */
} spb_outbox_metrics;

/* What is replayed: see replay.c (reading), history.c (sending) and stored.c (arriving). */
typedef struct spb_replay {
    spb_ranges wanted;   /* ids to be read, and not in memory */
    spb_ranges doubtful; /* ids that may have arrived before */
    spb_list blocks;     /* STORED ones, in the order in which they were read */
    spb_list_link *next; /* the first of these that may have something to send; NULL: none */
    size_t bytes;        /* of their metrics */
    bool is_incomplete;  /* for want of memory, ids are missing in `wanted` */
    bool is_cut;         /* while READ is under way: nothing more was taken */
    uint64_t read_from;  /* the same: ids before it were handed out, or are not there */
    uint64_t retry_ms;   /* when READ may be tried again */
    uint64_t grace_ms;   /* until then, what nobody knows may be added yet; 0: it is over */
    spb_pace pace;
    size_t most_bytes;   /* of the metrics of one message: what the link was seen to bear */
    uint32_t bad_losses; /* connections that ended with a large message under way, one after the other */
} spb_replay;

struct spb_outbox {
    const spb_session_options *options;
    spb_outbox_metrics metrics;
    spb_notices *notices;
    spb_stats *stats;        /* those of the session */
    spb_delivery level;      /* LIVE, OUTAGE or DURABLE */
    bool has_host;           /* there is a primary host */
    bool may_replay;         /* the births are out, and no host waits for others */
    bool may_release;        /* what was kept for the primary host may go: it is not away */
    bool has_unkept;         /* there are, or were, metrics whose samples are not all stored */
    bool is_clock_set;       /* the wall clock was seen to show the time, or nobody asked */
    bool is_clock_told;      /* to the journal */
    int64_t clock_offset_ms; /* wall clock minus monotonic clock, when it was first seen to be set */

    spb_list entities, strangers;
    size_t entity_count;
    spb_list ready, trying, storable, first; /* of entities */
    spb_list open_live, open_history;        /* blocks, in the order in which they were begun, */
    spb_deadlines opens;                     /* and when they are to be closed */
    spb_block_pool pool;
    spb_outbox_block *spare;  /* room was reserved in it for a sample that begins a block; or NULL */
    spb_outbox_block *pinned; /* its bytes and its entity are in use outside, until the next action is asked for */
    bool is_pinned_done;      /* it is given back then */

    spb_fences fences;
    spb_arrival births;        /* of this connection */
    spb_list sent;             /* what is not confirmed, in the order of its messages */
    spb_list_link *unwritten;  /* the first of these that was not reported as written; NULL: none */
    spb_list settling;         /* what was confirmed less than settle_ms ago, in that order, */
    spb_list kept;             /* and before, and is kept for hosts */
    size_t unconfirmed_bytes;  /* of metrics in `sent` */
    size_t kept_bytes;         /* of memory, in settling and kept */
    uint64_t resend_ms;        /* when what was confirmed may be sent again for a rebirth request */
    bool has_host_gap;         /* the primary host was away: what is kept is for the journal */
    size_t waiting_bytes;      /* of metrics, in all live blocks that are not sent, */
    size_t history_bytes;      /* and in all HISTORY ones, */
    size_t open_history_bytes; /* and in those of them that are open */

    spb_outbox_block
        *appending; /* while journal.asked is SPB_CALL_APPEND; its bytes and its entity are in use outside */
    struct {
        uint64_t id;
        size_t bytes;
        uint32_t samples, unwanted; /* in the block that was asked for, and left out of it */
    } append;
    spb_journal journal;
    spb_replay replay;
    spb_flushes flushes;
    spb_buffer filtered; /* the metrics of the block that was asked for, until the answer, if some were left out */
};

#endif
