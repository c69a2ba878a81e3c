/*
 * What became of the samples that a flush was for. Every message counts in the epoch in which it began; a flush closes
 * the epoch, and is done when each message of it, and of those before, is settled.
 */
#ifndef SPB_OUTBOX_FLUSH_H
#define SPB_OUTBOX_FLUSH_H

#include <spb/session.h>

#define SPB_MAX_EPOCHS 64

typedef struct spb_epoch {
    uint64_t number;
    uint64_t since;     /* the oldest one that was not settled when this one was closed */
    uint64_t pending;   /* messages that are not settled */
    uint64_t stored_id; /* its blocks in the journal are up to this one */
    bool has_stored;
    bool has_lost;    /* after it was closed */
    bool wants_birth; /* values of it are in no message: the next births carry them */
} spb_epoch;

typedef struct spb_flushes {
    spb_epoch epochs[SPB_MAX_EPOCHS]; /* by number % SPB_MAX_EPOCHS */
    uint64_t current;                 /* the epoch that takes new messages */
    uint64_t first;                   /* the oldest one with something pending, or the current one */
    uint64_t last_stored, last_lost;  /* epochs, of those that are forgotten */
    size_t wanting_birth;             /* epochs */
} spb_flushes;

void spb_flushes__init(spb_flushes *flushes);
/* A message begins: the epoch it counts in. */
uint8_t spb_flushes__begin(spb_flushes *flushes);
/* It has arrived; it is in the journal as block `id`; it is lost. */
void spb_flushes__confirm(spb_flushes *flushes, uint8_t epoch);
void spb_flushes__store(spb_flushes *flushes, uint8_t epoch, uint64_t id);
void spb_flushes__lose(spb_flushes *flushes, uint8_t epoch);
/* Closes the epoch: the ticket. `stored_id`: blocks up to this one, not confirmed, belong to it, too; 0: none.
 * wants_birth: values of it are in no message. */
uint64_t spb_flushes__close(spb_flushes *flushes, uint64_t stored_id, bool wants_birth);
/* An epoch whose values the births have carried that are just over; its message is pending. False: no more. */
bool spb_flushes__next_born(spb_flushes *flushes, uint8_t *epoch);
/* Those births did not arrive: the next ones carry the values. */
void spb_flushes__born_again(spb_flushes *flushes, uint8_t epoch);
/* A value that was in no message is lost. */
void spb_flushes__lose_value(spb_flushes *flushes);
/* What became of it; blocks up to committed_id are safe. */
spb_flush spb_flushes__look(const spb_flushes *flushes, uint64_t ticket, uint64_t committed_id);

#endif
