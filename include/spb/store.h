/*
 * The store interface: what an edge node must still know after a restart. Its identity (bdSeq, aliases), and the
 * journal: samples that no server has confirmed yet.
 *
 * libspb brings two implementations: a SQLite file, and memory. Who has a database of his own implements this struct:
 * embed it as the first member of your own and hand it to spb_node_options.store. One thread at a time calls it: that
 * of spb_node_new (the functions that load, and info), then, from each spb_node_start to the end of that run, one of
 * the node's own that does nothing else, and the thread that frees the node (free). So calls may block for as long as
 * the disk takes: what depends on their result waits for it, and nothing else. None may call spb_node_flush,
 * spb_node_stop or spb_node_free.
 */
#ifndef SPB_STORE_H
#define SPB_STORE_H

#include <spb/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Samples of one node or device in the order in which they were taken: the unit of the journal. `metrics` are encoded
 * as they stand in a data message, so that a block can be sent again by framing alone.
 */
typedef struct spb_block {
    uint64_t id;       /* from 1, growing over the life of the journal; chosen by the session */
    spb_str device_id; /* absent: of the node itself */
    uint32_t samples;
    uint64_t first_ms, last_ms; /* the smallest and the largest timestamp in it */
    uint64_t boot;              /* 0, or the run of the machine in which they were taken before the wall clock was set:
                                   timestamps before SPB_EARLIEST_MS are then of its monotonic clock */
    int64_t shift_ms;  /* when it is read: what to add to such timestamps; 0 while that is not known (save_clock) */
    uint64_t kept_for; /* when it is read: it has arrived, and is kept for hosts (keep); 0: it has not */
    spb_bytes metrics;
} spb_block;

/* 2020-01-01 UTC: a wall clock that shows an earlier time has not been set. */
#define SPB_EARLIEST_MS UINT64_C(1577836800000)

/* An alias that a metric has, for ever. */
typedef struct spb_alias {
    spb_str device_id; /* absent: of the node itself */
    spb_str name;
    spb_type type; /* a metric that changes its datatype is another one */
    uint32_t alias;
} spb_alias;

/* What a journal holds, and what became of the rest. */
typedef struct spb_store_info {
    uint64_t last_id;       /* the highest id that was ever appended; 0: none */
    uint64_t blocks;        /* not confirmed, */
    uint64_t samples;       /* the samples in them, */
    uint64_t bytes;         /* the bytes of their metrics, */
    uint64_t oldest_ms;     /* and the smallest timestamp in the first of them; 0: there are none, or it was taken
                               before the clock was set */
    uint64_t kept_samples;  /* of the samples: those that had arrived, when a file was opened (see keep) */
    uint64_t file_bytes;    /* on the disk now */
    uint64_t written_bytes; /* to the disk since it was opened; a little more than it was */
    /* Samples since it was opened: */
    uint64_t dropped_full;   /* dropped for newer ones, as there was no more room (SPB_STORE_DROP_OLDEST) */
    uint64_t dropped_age;    /* dropped by `expire` */
    uint64_t dropped_damage; /* lost in a damaged file, as far as they can be counted, */
    uint64_t salvaged;       /* and those that could be read from it */
    const char *damage;  /* what was wrong with the file and what was done, for people; NULL: nothing. Borrowed until
                            the store is freed, as the next one */
    const char *warning; /* that others could read or change the file, or put another one in its place, when it was
                            opened, that its path is a symbolic link, that there is a <path>.salvage of an earlier
                            version, which is not looked at, or that the disk has less room than max_bytes; NULL:
                            nothing of that */
} spb_store_info;

typedef struct spb_store spb_store;

/*
 * The functions of the journal and the aliases may be NULL, all of them together: then the store keeps the bdSeq alone,
 * and the delivery level is LIVE.
 */
struct spb_store {
    /* ---- identity ---- */

    /* The bdSeq of the last CONNECT of this node. *found is false in a new store. SPB_ERR_STORE. */
    spb_status (*load_bdseq)(spb_store *self, uint8_t *bdseq, bool *found, spb_error *err);
    /* Returns only when the number would survive a power cut. SPB_ERR_STORE. */
    spb_status (*save_bdseq)(spb_store *self, uint8_t bdseq, spb_error *err);
    /* Hands out each alias that was saved; *alias is borrowed for the call of `each`. SPB_ERR_STORE. */
    spb_status (*load_aliases)(spb_store *self, void (*each)(void *context, const spb_alias *alias), void *context,
                               spb_error *err);
    /* Returns only when they would survive a power cut. One whose number was saved before takes its place.
     * SPB_ERR_STORE: some of them may have been saved, so save all again. */
    spb_status (*save_aliases)(spb_store *self, const spb_alias *items, size_t count, spb_error *err);

    /* ---- journal ---- */

    /*
     * Adds a block, whose id is higher than all before. It can be read at once, and survives a power cut after the next
     * commit. SPB_ERR_LIMIT: there is no room for it, and dropping others is not the policy, or would not help: a file
     * takes blocks of up to a twentieth of its max_bytes, but 160 KiB in any case, and 15 MiB at most.
     * SPB_ERR_STORE: the disk failed, or is full. SPB_ERR_NO_MEMORY. SPB_ERR_ARGUMENT: the id is not higher, or is
     * higher than 2^57, or there are more than 10,000,000 samples (both only of a file). On failure
     * nothing was added; the same id may be used again.
     */
    spb_status (*append)(spb_store *self, const spb_block *block, spb_error *err);
    /* The blocks first_id … last_id have arrived and are not read any more; ids without a block are fine. It becomes
     * durable with the next commit: until then a power cut brings them back. SPB_ERR_STORE. */
    spb_status (*confirm)(spb_store *self, uint64_t first_id, uint64_t last_id, spb_error *err);
    /* The blocks first_id … last_id have arrived, and are still read, with `kept_for`, until they are confirmed: a host
     * may have missed them. Another kept_for than in the last call takes the mark from all that have it; 0: and marks
     * none. Durable with the next commit. May be NULL: then these blocks are replayed after a restart.
     * SPB_ERR_STORE: the marks are as they were, and the next commit fails as well. SPB_ERR_NO_MEMORY: some have no
     * mark, so a restart sends them again. */
    spb_status (*keep)(spb_store *self, uint64_t kept_for, uint64_t first_id, uint64_t last_id, spb_error *err);
    /* Returns when all that was appended and confirmed would survive: a power cut, or with SPB_STORE_SYNC_NORMAL the
     * end of the process. SPB_ERR_STORE: what was appended since the last commit may be gone after a power cut; it can
     * still be read, and a later commit makes up for it. */
    spb_status (*commit)(spb_store *self, spb_error *err);
    /* The block with the lowest id ≥ from_id that is not confirmed; *found is false if there is none. *out is borrowed
     * until the next call of the store. SPB_ERR_STORE: if out->id is set, that one is damaged and lost, and one can go
     * on behind it; if it is 0, the disk failed, and may do better later. */
    spb_status (*read)(spb_store *self, uint64_t from_id, spb_block *out, bool *found, spb_error *err);
    /* Drops what is older: blocks all of whose timestamps are before before_ms. Some may stay a while, if that is much
     * cheaper. SPB_ERR_STORE. */
    spb_status (*expire)(spb_store *self, uint64_t before_ms, spb_error *err);
    /* In this run of the machine, wall clock minus monotonic clock is offset_ms: `shift_ms` of its blocks from now on.
     * Durable with the next commit. SPB_ERR_STORE. */
    spb_status (*save_clock)(spb_store *self, uint64_t boot, int64_t offset_ms, spb_error *err);
    void (*info)(spb_store *self, spb_store_info *out);

    /* Closes the store; what was appended and not committed is committed, if it can be. */
    void (*free)(spb_store *self);
};

/* What gives way when a journal has reached its size. */
typedef enum spb_store_policy {
    SPB_STORE_DROP_OLDEST, /* the oldest samples, a segment of the journal at a time */
    SPB_STORE_DROP_NEWEST  /* what is new is not taken */
} spb_store_policy;

/* What a commit survives. */
typedef enum spb_store_sync {
    SPB_STORE_SYNC_FULL,  /* a power cut */
    SPB_STORE_SYNC_NORMAL /* the end of the process; a power cut may take the last commits, and damages nothing */
} spb_store_sync;

/* Zeroed options are good defaults. */
typedef struct spb_store_options {
    /* Of the file and its log together, never exceeded, and taken from the disk when it is opened, as far as there is
     * room: a disk that is full later does not matter. A file that is larger already does not shrink, but takes no
     * more. In memory: of the blocks, with what they cost. From 1 MiB to 1 TiB; 0: 64 MiB. */
    uint64_t max_bytes;
    spb_store_policy policy;
    spb_store_sync sync;
} spb_store_options;

/*
 * Opens or creates the SQLite file `path` (mode 0600) and keeps it for this process alone until it is freed. A file
 * belongs to one edge node, named by group_id and node_id: another one is refused. A file that is damaged, or in which
 * anything is not as a store makes it, is set aside as <path>.corrupt-<time>; what can be read of it is in the new one,
 * which was made as <path>.repair, and spb_store_info tells of it. A symbolic link is followed: all of these lie beside
 * the file that it leads to. `options` may be NULL.
 * SPB_ERR_STORE: cannot be opened, is no regular file, is the database of another program, or has a newer schema; or a
 * file beside it that SQLite would use (-wal, -journal) is not one of its own. SPB_ERR_STORE_BUSY: another process has
 * it open. SPB_ERR_ARGUMENT: it belongs to another edge node, or an option is out of its range.
 * SPB_ERR_NO_MEMORY.
 */
SPB_API spb_status spb_store_open(spb_store **out, const char *path, const char *group_id, const char *node_id,
                                  const spb_store_options *options, spb_error *err);

/*
 * Opens the file of any edge node to look into it: load_bdseq, load_aliases, read and info work, all else is
 * SPB_ERR_STATE. *owner, which may be NULL, is "<group_id>/<node_id>", borrowed until the store is freed. Nothing is
 * changed, also in a damaged file. Statuses as spb_store_open.
 */
SPB_API spb_status spb_store_open_read_only(spb_store **out, const char *path, const char **owner, spb_error *err);

/* A store in memory: it survives an outage, and nothing else. `options` may be NULL. SPB_ERR_ARGUMENT,
 * SPB_ERR_NO_MEMORY. */
SPB_API spb_status spb_store_new_in_memory(spb_store **out, const spb_store_options *options, spb_error *err);

#ifdef __cplusplus
}
#endif

#endif
