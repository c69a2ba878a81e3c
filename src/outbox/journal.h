/* What the session knows of its journal: which id is next, what is committed, what is to be confirmed, and whether it
 * works at all. */
#ifndef SPB_OUTBOX_JOURNAL_H
#define SPB_OUTBOX_JOURNAL_H

#include <spb/session.h>

#include "base/ranges.h"

typedef enum spb_store_call {
    SPB_CALL_NONE,
    SPB_CALL_SAVE_ALIASES,
    SPB_CALL_APPEND,
    SPB_CALL_COMMIT,
    SPB_CALL_READ
} spb_store_call;

typedef struct spb_journal {
    bool is_used;          /* there is one, and the level is OUTAGE or DURABLE */
    spb_store_call asked;  /* the call that is not answered */
    uint64_t appended_id;  /* the last one that was taken; the next block has the next id */
    uint64_t committed_id; /* all up to this one is safe */
    uint64_t asked_id;     /* of the COMMIT under way: up to here */
    size_t bytes;          /* appended, and not committed */
    bool has_news;         /* something was appended or confirmed since the last COMMIT */
    bool has_boot_blocks;  /* that were taken before the clock was set */
    uint64_t commit_ms;    /* when the next COMMIT is due; SPB_NEVER: not now */
    spb_ranges confirms;   /* to be told */
    uint64_t confirm_ms;   /* when, at the latest */
    spb_ranges keeps;      /* to be told: they have arrived, and are kept for hosts, */
    uint64_t kept_for;     /* while that host was there, by its STATE; 0: nobody could tell later */
    bool forgets_kept;     /* the store is to be told that none is kept; */
    bool has_forgotten;    /* it was, since the last COMMIT */
    spb_ranges told;       /* since the last COMMIT: if that fails, they are told again */
    uint64_t read_ms;      /* when the READ that is possible is late; SPB_NEVER: none is possible, or was noticed */
    bool is_full;          /* the last block was not taken */
    uint64_t full_ms;      /* when live data is to be tried again */
    bool is_failing;
    uint64_t retry_ms; /* while it is failing */
    uint32_t wait_ms;
    uint64_t expire_ms;  /* when old samples are to be dropped; SPB_NEVER: they are kept */
    spb_store_info info; /* of the last COMMIT */
} spb_journal;

void spb_journal__init(spb_journal *journal, const spb_store_info *info, bool is_used, bool expires);
void spb_journal__clear(spb_journal *journal);
/* Live data need not wait for it. */
bool spb_journal__cannot_take(const spb_journal *journal);
/* A block was taken; it is to be committed within wait_ms. */
void spb_journal__appended(spb_journal *journal, uint64_t id, size_t bytes, uint32_t wait_ms, uint64_t now_ms);
/* Blocks have arrived, or are not wanted. False: no memory; they stay in the journal. */
bool spb_journal__confirm(spb_journal *journal, uint64_t first_id, uint64_t last_id, uint64_t now_ms);
/* They have arrived, and are kept. Without memory they are sent again after a restart. */
void spb_journal__keep(spb_journal *journal, uint64_t first_id, uint64_t last_id);
/* A restart sends again what has been kept until now. */
void spb_journal__forget_kept(spb_journal *journal, uint64_t now_ms);
/* The same; and from now on, what is kept is kept for this one. */
void spb_journal__keep_for(spb_journal *journal, uint64_t kept_for, uint64_t now_ms);
/* As soon as nothing more is to be appended. */
void spb_journal__want_commit(spb_journal *journal, uint64_t now_ms);
/* A call failed, or went well. True: that is news. */
bool spb_journal__failed(spb_journal *journal, uint64_t now_ms);
bool spb_journal__went_well(spb_journal *journal);

#endif
