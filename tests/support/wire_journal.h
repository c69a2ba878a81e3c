/*
 * The store of a wire: a real one in memory, which answers at once, or when the test says, and fails as it says. It may
 * outlive a session, as a file does.
 */
#ifndef TESTS_SUPPORT_WIRE_JOURNAL_H
#define TESTS_SUPPORT_WIRE_JOURNAL_H

#include "support/wire.h"

typedef struct wire_journal {
    spb_store *store;
    spb_status append_fails, commit_fails, read_fails, aliases_fail; /* SPB_OK: they do not */
    bool is_slow;                                                    /* answers wait for wire_journal_answer */
    bool is_waiting;
    spb_status waiting_status;
    spb_action waiting;    /* the one without an answer, */
    uint64_t waiting_hash; /* and what it pointed to */
    uint64_t commits;
    uint64_t blocks_read;
} wire_journal;

/* `options` may be NULL. */
void wire_journal_open(wire_journal *journal, const spb_store_options *options);
void wire_journal_close(wire_journal *journal);
/* A wire whose session has this journal, and its aliases; `options` are changed to say so. */
void wire_open_with(wire *w, wire_journal *journal, spb_session_options *options);
/* The answer that waits is given. */
void wire_journal_answer(wire *w);
/* What it holds. */
spb_store_info wire_journal_info(const wire_journal *journal);

#endif
