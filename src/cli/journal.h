/*
 * The journal in a store file, block by block, each as a data message that text.c and json_message.c can show: metrics
 * with the names and datatypes of their aliases, historical, and with the wall clock's time as far as it is known.
 */
#ifndef SPB_CLI_JOURNAL_H
#define SPB_CLI_JOURNAL_H

#include <spb/store.h>

#include "cli/message.h"

typedef struct journal {
    spb_store *store;
    const char *owner;          /* "<group>/<node>" */
    bool has_owner;             /* else it is "unknown/unknown" */
    spb_str group_id, node_id;  /* its parts */
    births *known;              /* what the aliases tell */
    size_t alias_count;         /* of them */
    spb_status status;          /* while they are loaded: what went wrong */
    struct journal_part *parts; /* likewise: what they are made into */
    size_t part_count;
    uint64_t next_id;            /* of the block to read next */
    spb_payload *payload;        /* of the block at hand, */
    spb_payload shown;           /* and as it is shown, */
    spb_payload_metric *metrics; /* with these metrics */
    metric_view *views;
    size_t capacity; /* of both */
    char topic[2048];
    uint64_t exported; /* blocks, for journal_tsv.c */
} journal;

typedef struct journal_block {
    spb_block block; /* as it is stored */
    message message;
    size_t unknown; /* metrics whose alias has no name or datatype in the store */
    size_t misfits; /* metrics whose value does not have the datatype of their alias */
} journal_block;

typedef enum journal_status {
    JOURNAL_BLOCK, /* *out is filled; borrowed until the next call */
    JOURNAL_BAD,   /* a block cannot be read: err says why, out->block.id which; the next call goes on behind it */
    JOURNAL_END,
    JOURNAL_FAILED /* no memory, or nothing more can be read: err says why */
} journal_status;

/* Statuses of spb_store_open_read_only. Whatever comes out, journal_close is due. */
spb_status journal_open(journal *self, const char *path, spb_error *err);
void journal_close(journal *self);
journal_status journal_next(journal *self, journal_block *out, spb_error *err);
/* The time of a stored timestamp by the wall clock, as far as the store knows it. */
uint64_t journal_wall_ms(const spb_block *block, uint64_t stored_ms);

#endif
