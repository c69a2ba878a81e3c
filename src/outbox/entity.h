/* What the files of the outbox share about entities and the life of blocks. */
#ifndef SPB_OUTBOX_ENTITY_H
#define SPB_OUTBOX_ENTITY_H

#include "outbox/outbox.h"

/* Puts the entity into the queues where it belongs with the blocks that it has now. */
void spb_entity__place(spb_entity *entity);
/* A new block of the entity, in no list. NULL: no memory. */
spb_outbox_block *spb_outbox__new_block(spb_outbox *outbox, spb_entity *entity, spb_block_kind kind);
/* The entity outlives its blocks, until it is let go of. */
void spb_entity__hold(spb_entity *entity);
void spb_entity__let_go(spb_entity *entity);
/* The block of `entity`, which may be NULL for one that stands for a birth or a message. */
void spb_outbox__adopt(spb_entity *entity, spb_outbox_block *block);
/* Nobody needs the block any more. */
void spb_outbox__release(spb_outbox *outbox, spb_outbox_block *block);
/* Its bytes are used outside until spb_outbox__unpin. */
void spb_outbox__pin(spb_outbox *outbox, spb_outbox_block *block);
/* It is not one of those any more that are to be sent: it was sent, or is for the journal, or is lost. */
void spb_outbox__leave_live(spb_outbox_block *block);
/* A HISTORY block leaves the memory, whatever became of it. */
void spb_outbox__end_history(spb_outbox *outbox, spb_outbox_block *block);
spb_outbox_block *spb_entity__first_live(const spb_entity *entity);
/* The journal is just asked to take it. */
bool spb_outbox__is_asked(const spb_outbox *outbox, const spb_outbox_block *block);
/* The next for the journal, once it may be stored. */
spb_outbox_block *spb_entity__next_to_store(const spb_entity *entity);

/* So many samples are not any more in the journal and yet to be delivered; returns how many of them were. */
uint64_t spb_outbox__leave_journal(spb_outbox *outbox, uint64_t samples);
/* Blocks of the journal with these ids are to be replayed. */
void spb_outbox__want(spb_outbox *outbox, uint64_t first_id, uint64_t last_id, bool is_doubtful);

#endif
