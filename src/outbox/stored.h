/* STORED blocks in memory, from when they were read until they have arrived. */
#ifndef SPB_OUTBOX_STORED_H
#define SPB_OUTBOX_STORED_H

#include "outbox/outbox.h"

/* The metrics of one message have no more. */
#define SPB_REPLAY_MAX_BYTES ((size_t)256 * 1024)

/* The timestamp as it will be sent. (history.c) */
uint64_t spb_outbox__put_right(uint64_t timestamp_ms, int64_t shift_ms);
/* A message of the replay has arrived. */
void spb_outbox__replay_arrived(spb_outbox *outbox, const spb_outbox_block *message, spb_time now);
/* The last message that has arrived, with all before it. */
uint64_t spb_outbox__arrived_ordinal(const spb_outbox *outbox);
/* The connection is over, in which the messages up to that one have arrived: what did not, or not long ago, is to be
 * sent again. */
void spb_outbox__replay_lost(spb_outbox *outbox, uint64_t arrived_ordinal, spb_time now);
/* A host may have missed what has arrived of blocks that are not finished: those are sent again as a whole. */
void spb_outbox__replay_missed(spb_outbox *outbox);
/* Older ones may have come to be wanted: then what is in memory, and was not begun to be sent, is read again, behind
 * them. */
void spb_outbox__replay_in_order(spb_outbox *outbox);
/* Some of what is in memory is newer than that block. */
bool spb_outbox__is_newer_in_memory(const spb_outbox *outbox, uint64_t id);
/* Blocks that were done with are in the journal and to be sent again: so say the counters. */
void spb_outbox__count_again(spb_outbox *outbox, const spb_outbox_block *block);
/* A connection ended with a message of the replay under way, whose metrics have so many bytes. */
void spb_outbox__replay_broke(spb_outbox *outbox, size_t bytes);
/* All of the STORED block was sent on this connection, or had to be left out; else so many samples are left. */
bool spb_block__is_replayed(const spb_outbox_block *block);
uint32_t spb_stored__rest(const spb_outbox_block *block);
/* What of the entity was not begun to be sent is read again when it may be: each metric is replayed in order. */
void spb_stored__hold_back(spb_outbox *outbox, spb_entity *entity);
/* Its device was removed, and did not come back: what is left of the entity's blocks will not be sent. */
void spb_stored__give_up(spb_outbox *outbox, spb_entity *entity, spb_time now);
/* The block was confirmed: it settles. (confirm.c) */
void spb_outbox__confirmed(spb_outbox *outbox, spb_outbox_block *block, spb_time now);
/* A block that was read had arrived in an earlier run, and the host of that time is still there: it is kept again, in
 * memory as ids alone, and not sent. False: no memory. */
bool spb_outbox__is_kept(const spb_outbox *outbox, const spb_block *block);
bool spb_outbox__keep(spb_outbox *outbox, spb_entity *entity, const spb_block *block, spb_time now);
/* Blocks in front of the entity's list of which nothing is under way any more are done with. */
void spb_outbox__finish_stored(spb_outbox *outbox, spb_entity *entity, uint64_t arrived_ordinal, spb_time now);

#endif
