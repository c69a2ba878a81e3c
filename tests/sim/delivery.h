/*
 * Store-and-forward in the simulated world: what became of each sample that was accepted (the ledger), the store's
 * journal, and what is on its way to the broker. Part of sim.h.
 */
#ifndef SIM_DELIVERY_H
#define SIM_DELIVERY_H

#include <spb/session.h>

typedef struct sim sim;
typedef struct sim_event sim_event;

/* ---- ledger.c ---- */

#define SIM_BUCKETS 4096
#define SIM_NO_RECORD UINT32_MAX

/* A sample that the application saw accepted. Metric, hash and timestamp tell it from all others. */
typedef struct sim_record {
    int metric;
    uint64_t hash;
    uint64_t timestamp_ms; /* as it was accepted */
    uint64_t boot;         /* the run of the machine whose monotonic clock that is; 0: it is of the wall clock */
    uint64_t accepted_ms;
    uint64_t sent_ms;      /* the last time */
    uint64_t confirmed_ms; /* when the session was told last */
    size_t block;          /* the index of the last one with it */
    uint32_t copies;       /* blocks with it that are not confirmed */
    uint32_t sent;         /* so many times by this process */
    bool is_delivered;     /* a broker has read it */
    bool is_confirmed;     /* and the session was told */
    bool is_doubtful;      /* a link ended while it was on its way */
    bool is_excused;       /* it was lost with its process, or counted before the end of that */
    bool is_carried;       /* a birth had it, and the application wants no more */
    bool is_old;           /* of an earlier process */
    bool is_owed_again;    /* the primary host may have missed it */
    uint32_t next;         /* of the same bucket */
} sim_record;

typedef struct sim_ledger {
    sim_record *records;
    uint32_t count, capacity;
    uint32_t buckets[SIM_BUCKETS];
} sim_ledger;

/* ---- journal.c ---- */

typedef struct sim_block {
    uint64_t id;
    unsigned holder;
    uint32_t *records;
    spb_block block; /* its metrics are a copy; device_id is that of the holder */
    bool is_committed;
    bool is_confirmed, is_confirm_committed;
    bool is_read; /* by this process */
    bool is_gone; /* dropped by the store, or never made durable */
} sim_block;

typedef struct sim_alias {
    unsigned holder;
    char name[32];
    spb_type type;
    uint32_t alias;
} sim_alias;

typedef struct sim_clock {
    uint64_t boot;
    int64_t offset_ms;
    bool is_committed;
} sim_clock;

#define SIM_MAX_ALIASES 200
#define SIM_MAX_CLOCKS 64

typedef struct sim_journal {
    sim_block *blocks;
    size_t count, capacity;
    sim_alias aliases[SIM_MAX_ALIASES];
    size_t alias_count;
    sim_clock clocks[SIM_MAX_CLOCKS];
    size_t clock_count;
    spb_store_info info;
    uint64_t max_bytes;
    bool drops_newest;
    bool is_broken;  /* until it comes back, nothing works */
    bool is_full;    /* the disk is */
    bool has_failed; /* in this process */
    bool is_failing; /* the session's last news of it is a failure */
    unsigned answers_waiting;
    uint64_t answer_ms;        /* of the last of them */
    uint64_t samples_appended; /* by this process */
} sim_journal;

/* ---- rules_way.c ---- */

/* A data message on its way. */
typedef struct sim_sent {
    uint32_t *records;
    uint32_t count;
    size_t bytes;
    bool is_replay;
} sim_sent;

#define SIM_MAX_FENCES 8

/* What was published on the present link, and what the session was told of it. */
typedef struct sim_way {
    sim_sent *messages;
    size_t count, capacity;
    size_t confirmed;             /* so many of them, */
    size_t fenced;                /* and so many stand before a fence */
    size_t marks[SIM_MAX_FENCES]; /* `count` at each fence that is not answered */
    unsigned fences;
    size_t unfenced_bytes, unconfirmed_bytes;
    uint64_t unfenced_ms; /* since then; SPB_NEVER: there is none */
    uint64_t replayed;    /* samples, by this process */
    uint64_t resent, confirmed_samples;
    double samples_level, bytes_level; /* what may be replayed now */
    uint64_t level_ms;
    uint32_t *publishing; /* the samples of the message that was pulled last */
    uint32_t publishing_count, publishing_capacity;
    bool is_replaying; /* it is of the journal */
} sim_way;

/* ---- a flush ---- */

#define SIM_MAX_FLUSHES 8

typedef struct sim_flush {
    uint64_t ticket;
    uint32_t before; /* records with a lower number */
} sim_flush;

#endif
