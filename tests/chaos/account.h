/*
 * The account: what the edge program owes. A file that is mapped into memory, so that what was written stays when the
 * process is killed. Each run of the program (a life) has its own page of it; the numbers of a metric go on from one to
 * the next.
 */
#ifndef CHAOS_ACCOUNT_H
#define CHAOS_ACCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CHAOS_MAX_METRICS 128
#define CHAOS_MAX_LIVES 512

/* Numbers of a metric in one life. */
typedef struct chaos_slot {
    _Atomic uint64_t first;     /* the first one of this life */
    _Atomic uint64_t attempted; /* those before it were handed to the library */
    _Atomic uint64_t accepted;  /* those before it were accepted; at most one less than attempted */
    _Atomic uint64_t flushed;   /* those before it are safe, as a flush said */
} chaos_slot;

/* Counters of the library at the end of a life; those of a killed one are somewhat older. */
typedef struct chaos_counts {
    uint64_t accepted;
    uint64_t confirmed;
    uint64_t stored;
    uint64_t replayed;
    uint64_t resent;
    uint64_t dropped_offline;
    uint64_t dropped_overflow;
    uint64_t dropped_lost;
    uint64_t dropped_choice;
    uint64_t dropped_gone;
    uint64_t dropped_disk;
    uint64_t dropped_by_store; /* of the journal: full, too old, damaged */
} chaos_counts;

typedef struct chaos_life {
    uint32_t is_ended; /* by itself: the counts are the last ones */
    chaos_counts counts;
    chaos_slot slots[CHAOS_MAX_METRICS];
} chaos_life;

typedef struct chaos_account {
    uint32_t metrics;    /* in all; set once */
    uint32_t per_holder; /* of the node, and of each device */
    _Atomic uint32_t lives;
    chaos_life life[CHAOS_MAX_LIVES];
} chaos_account;

/* Maps the file, which is made when it is not there; NULL, with errno set, on failure. */
chaos_account *chaos_account_open(const char *path);
void chaos_account_close(chaos_account *account);
/* A new life, whose numbers go on where the last one's attempts ended. */
chaos_life *chaos_account_begin(chaos_account *account);
/* The sum of all that was dropped and counted. */
uint64_t chaos_counts_dropped(const chaos_counts *counts);

#endif
