/*
 * The outbox: the way of a sample from its encoding to the proof that the server has it. Pure: it does no I/O and reads
 * no clock; the session tells it what happened and asks what is next.
 *
 *     sample → the entity's OPEN block → READY → SENT → SETTLING → gone
 *                   DURABLE: → in the journal before SENT
 *     no birth to follow: a HISTORY block, READY → in the journal → STORED block → SENT in messages of the replay
 *     connection lost: SENT and SETTLING → HISTORY, READY, perhaps a duplicate
 *
 * A block (block.h) is in one state, and moves between lists; its bytes do not. These are the rules:
 *
 * - What an entity sends, it sends in the order of its blocks. A live block may leave when it is closed or its time is
 *   over, when what is under way is below its limits, and at the level DURABLE when it is committed.
 * - A block may be stored when it is the first of its entity that is neither stored nor safe with the server: so the
 *   journal has the samples of each metric in their order.
 * - Samples of the past are HISTORY blocks in a list of their own, and may be stored at once.
 * - In strict order, live blocks wait until the history before them was sent, as far as it can be; but not those that
 *   leave before a birth or death, which the history would not follow.
 * - All that is historical comes from the journal, by ids, oldest first; what belongs to an entity that is not
 *   born waits.
 *
 * Functions that return an action, or a block to be sent, have two forms in one: with `out` they do it; without, they
 * change nothing, and true says that there is something to do now. When they return false, *due_ms was lowered to the
 * moment at which to ask again. So "what is next" and "when" cannot disagree.
 *
 * All of it belongs to one session and its thread, but for what join says.
 */
#ifndef SPB_OUTBOX_OUTBOX_H
#define SPB_OUTBOX_OUTBOX_H

#include "outbox/state.h"

/* ---- the outbox ---- (outbox.c) */

/* `options`, `stats` and `notices` are the session's and outlive the outbox. */
void spb_outbox__init(spb_outbox *outbox, const spb_session_options *options, spb_delivery level, spb_stats *stats,
                      spb_notices *notices, const spb_outbox_metrics *metrics);
void spb_outbox__clear(spb_outbox *outbox);
/* In blocks that are neither sent nor in the journal. It looks at all of them. */
uint64_t spb_outbox__waiting_samples(const spb_outbox *outbox);
/* The next action is asked for: what the last one pointed to is not in use any more, unless it is an APPEND, whose
 * block stays until the answer. */
void spb_outbox__unpin(spb_outbox *outbox);
/* Open blocks whose time is over become due, and what was confirmed long enough ago is let go of. */
void spb_outbox__advance(spb_outbox *outbox, spb_time now);
/* When there is something for it to do. In a session that is stopped, open blocks have no deadline. */
uint64_t spb_outbox__advance_ms(const spb_outbox *outbox, bool is_running);

/* ---- entities ---- (entity.c) */

/* The entity of that ID that nobody owns; found, or made. NULL: no memory. It ends when nobody comes to own it and it
 * has no blocks; see spb_entity__end. */
spb_entity *spb_outbox__stranger(spb_outbox *outbox, spb_str id);
/* The owner has it from now on: also one that belongs to another, which is about to leave it. */
void spb_outbox__attach(spb_entity *entity, void *owner);
/* The owner leaves it. If nobody else has it, what is live is lost, or for the journal. (outbox.c) */
void spb_outbox__detach(spb_entity *entity, const void *owner);
/* Frees the entity if nobody needs it. */
void spb_entity__end(spb_entity *entity);
bool spb_entity__is_node(const spb_entity *entity);
spb_str spb_entity__id(const spb_entity *entity);

/* ---- samples come in ---- (open.c) */

/* How large the open live block of the entity may become. most_bytes is what the server takes; 0: any. */
spb_block_limits spb_outbox__limits(const spb_entity *entity, size_t most_bytes);
/* More than may wait, of the entity or of all, with so many bytes more; but one sample may always wait, else nothing
 * would lead to the journal, or to the newest values being sent once more. `unsettled`: bytes that the entity counts
 * already, and the outbox does not yet. */
bool spb_outbox__is_over(const spb_entity *entity, size_t more, size_t unsettled);
/* The same for samples of the journal. */
bool spb_outbox__is_history_over(const spb_entity *entity, size_t more);
/* Room for one encoded sample, which the next call of add_live, add_history or add_past cannot fail to take. False: no
 * memory. */
bool spb_outbox__reserve(spb_outbox *outbox, spb_entity *entity, size_t bytes);
/* A sample that hosts will follow. A patient one goes along with the next that is not. */
void spb_outbox__add_live(spb_entity *entity, spb_bytes metric, uint64_t timestamp_ms, bool is_patient,
                          const spb_block_limits *limits, spb_time now);
/* A number as a sample. */
typedef struct spb_outbox_number {
    uint64_t alias, timestamp_ms;
    const spb_value *value;
    bool is_transient;
} spb_outbox_number;

/* Hosts will follow it, too: it joins the open live block of the entity, and nothing else changes: neither a deadline
 * nor what waits of all entities, of which `unsettled` bytes are not counted yet. The bytes that it takes; 0: it
 * cannot. */
size_t spb_outbox__join(spb_entity *entity, const spb_outbox_number *number, size_t most_bytes, size_t unsettled);
/* A sample that nobody follows; and one of the past, which has no order with others that are not. */
void spb_outbox__add_history(spb_entity *entity, spb_bytes metric, uint64_t timestamp_ms, spb_time now);
void spb_outbox__add_past(spb_entity *entity, spb_bytes metric, uint64_t timestamp_ms, spb_time now);
/* The open block takes no more, and may leave. */
void spb_outbox__close_live(spb_entity *entity);
void spb_outbox__close_history(spb_entity *entity);
/* All of all entities. */
void spb_outbox__close_all(spb_outbox *outbox);
void spb_outbox__close_all_history(spb_outbox *outbox);
/* At the level DURABLE, something waits for the open block, which waits for the journal: it takes no more. */
void spb_outbox__hurry(spb_entity *entity);
/* Between the two, the open block is not closed by time, and its window begins at the end. */
void spb_outbox__begin_scan(spb_entity *entity);
void spb_outbox__end_scan(spb_entity *entity, spb_time now);
/* The time of those that were patient has come: the block leaves, or at the end of the scan. */
void spb_outbox__end_patience(spb_entity *entity);
/* Some wait for that. */
bool spb_entity__has_patient(const spb_entity *entity);
/* What waits now leaves before any birth. */
void spb_outbox__send_first(spb_entity *entity);

/* ---- what may leave ---- (live.c) */

/* The live block that leaves next; NULL: none now, until something happens. `entity`: of that one alone, or NULL. */
spb_outbox_block *spb_outbox__next_live(const spb_outbox *outbox, const spb_entity *entity);
/* In strict order: the entity has live blocks, which wait for history. */
bool spb_outbox__awaits_history(const spb_entity *entity);
/* The block is in a message of so many bytes, topic included, that the transport takes now. Its bytes stay until
 * spb_outbox__unpin. */
void spb_outbox__sent(spb_outbox *outbox, spb_outbox_block *block, size_t message_bytes, spb_time now);
/* It is in none, as the server does not take it. */
void spb_outbox__drop_too_large(spb_outbox *outbox, spb_outbox_block *block, spb_time now);
/* A birth or death leaves in a message of so many bytes. A birth carries so many values that no block has; false: no
 * memory, and nothing has changed. */
bool spb_outbox__keep_birth(spb_outbox *outbox, uint64_t values);
void spb_outbox__sent_other(spb_outbox *outbox, size_t message_bytes, bool counts, spb_time now);
/* The link is slower than the samples: the entity's oldest live block may make room, by going to the journal instead.
 * NULL: it cannot. */
spb_outbox_block *spb_outbox__can_make_room(spb_entity *entity);
/* A live block is for the journal instead, in its place. */
void spb_outbox__make_history(spb_outbox *outbox, spb_outbox_block *block);

/* ---- what became of it ---- (confirm.c) */

/* Published messages were written; a fence of this form was answered. */
void spb_outbox__written(spb_outbox *outbox, uint32_t count, spb_time now);
void spb_outbox__fenced(spb_outbox *outbox, spb_fence_form form, spb_time now);
/* A fence, if one is due; its filter is the session's to fill in. is_last: nothing else leaves now. is_followed: a
 * message leaves next, in whose packet it may be. */
bool spb_outbox__next_fence(spb_outbox *outbox, bool is_last, bool is_followed, spb_time now, uint32_t link,
                            spb_action *out);
bool spb_outbox__has_unconfirmed(const spb_outbox *outbox);
/* A look at what the link has carried, if that is due. */
bool spb_outbox__next_look(spb_outbox *outbox, spb_time now, uint32_t link, spb_action *out);
/* Time shows what the server has read, as its answers do not. */
bool spb_outbox__is_by_time(const spb_outbox *outbox);
/* The births of this connection were handed over: a fence follows them, and a flush may wait for what they carried. */
void spb_outbox__births_over(spb_outbox *outbox, spb_time now);
/* The connection is over. What is not confirmed goes to the journal, or is lost; or it has arrived, as far as one can
 * know, if the connection ended in good order. */
void spb_outbox__lost(spb_outbox *outbox, bool in_order, spb_time now);
/* The primary host was away: what it may have missed of what was confirmed is to be replayed. */
void spb_outbox__host_was_away(spb_outbox *outbox, spb_time now);
/* It is there, and has been since its STATE of that time; 0: its STATE does not say. SPB_NO_HOST: there is none. */
#define SPB_NO_HOST 1
void spb_outbox__host_is_there(spb_outbox *outbox, uint64_t since_ms, spb_time now);
/* A host asked for a rebirth: it may have missed some of what was confirmed (option resend_on_rebirth_ms). */
void spb_outbox__resend(spb_outbox *outbox, spb_time now);
/* Hosts do not follow the entity any more: what waits goes to the journal, or is lost. */
void spb_outbox__shelve(spb_entity *entity);

/* ---- births ---- (replay.c) */

/* The first NBIRTH of a connection leaves. */
void spb_outbox__before_births(spb_outbox *outbox, spb_time now);
/* The entity was born, or born again; or died. */
void spb_outbox__born(spb_entity *entity);
void spb_outbox__died(spb_entity *entity);
/* What waited for its owner, or for the clock, is tried again. */
void spb_outbox__retry_deferred(spb_outbox *outbox);

/* ---- the journal ---- (store.c, append.c, replay.c) */

/* The next call of the store. may_append: it knows all aliases. */
bool spb_outbox__next_store(spb_outbox *outbox, bool may_append, bool is_running, spb_time now, spb_action *out,
                            uint64_t *due_ms);
/* A call of the store failed, or went well: tells, if that is news. */
void spb_outbox__store_failed(spb_outbox *outbox, const char *what, spb_status status, const char *reason,
                              spb_time now);
void spb_outbox__store_went_well(spb_outbox *outbox);
void spb_outbox__appended(spb_outbox *outbox, uint64_t id, spb_status status, const char *reason, bool is_running,
                          spb_time now);
void spb_outbox__committed(spb_outbox *outbox, spb_status status, const char *reason, const spb_store_info *info,
                           spb_time now);
/* Some of the journal is to be replayed, and nothing is in its way but time. */
bool spb_outbox__has_backlog(const spb_outbox *outbox);
/* READ, when the replay has room. */
bool spb_outbox__next_read(spb_outbox *outbox, spb_time now, spb_action *out, uint64_t *due_ms);
/* A block that was read; `entity` is its entity, if that has an owner. False: no more are wanted. */
bool spb_outbox__on_block(spb_outbox *outbox, spb_entity *entity, const spb_block *block, spb_time now);
void spb_outbox__read_done(spb_outbox *outbox, spb_status status, const char *reason, spb_time now);

/* ---- the replay ---- (history.c) */

/* A message of the journal while it is made. */
typedef struct spb_replay_message {
    spb_entity *entity;
    size_t most_bytes; /* that its metrics may have; but one metric alone may have more, */
    size_t hard_bytes; /* up to what the server takes; 0: any size */
    size_t bytes;      /* that they have */
    uint32_t samples;
    uint32_t resent;                 /* of them: they may have arrived before */
    uint64_t last_ms;                /* the newest timestamp */
    const spb_outbox_block *partial; /* the last block, if some of it is left; or NULL */
    bool is_full;
} spb_replay_message;

/* How large the metrics of one message may be. */
size_t spb_outbox__most_replay_bytes(const spb_outbox *outbox);
/* The entity whose message of the journal is next; NULL: none may leave now. Without is_query, what has to wait for a
 * birth is put aside on the way. */
spb_entity *spb_outbox__next_replay(spb_outbox *outbox, bool is_query, spb_time now, uint64_t *due_ms);
/* Appends the metrics of the entity's next message to `out`. With no samples there is nothing to send: ask for the next
 * one. SPB_ERR_NO_MEMORY. */
spb_status spb_outbox__fill(spb_outbox *outbox, spb_replay_message *message, spb_buffer *out, spb_time now);
/* The message leaves, with such a payload. SPB_ERR_NO_MEMORY. (live.c) */
spb_status spb_outbox__replayed(spb_outbox *outbox, const spb_replay_message *message, size_t payload_bytes,
                                size_t message_bytes, spb_time now);

/* ---- what was dropped ---- (drops.c) */

/* What earlier runs have dropped is not told. */
void spb_outbox__begin_drops(spb_outbox *outbox);
/* See spb_notices__tell_drops, _drops_ms. */
void spb_outbox__tell_drops(spb_outbox *outbox, uint64_t now_ms);
uint64_t spb_outbox__drops_ms(const spb_outbox *outbox);

/* ---- flush ---- (store.c) */

/* Everything that was accepted is to be safe soon: the ticket. */
uint64_t spb_outbox__flush(spb_outbox *outbox, bool wants_birth, spb_time now);

#endif
