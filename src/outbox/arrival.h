/*
 * Whether the births of a connection have arrived at the server, or are still on their way there: on a narrow link that
 * takes as long as a fence behind them takes to come back, which is many seconds after they were handed over.
 */
#ifndef SPB_OUTBOX_ARRIVAL_H
#define SPB_OUTBOX_ARRIVAL_H

#include "outbox/fence.h"

/* Zeroed: there are none. */
typedef struct spb_arrival {
    uint64_t last;       /* the ordinal of the last message of the births */
    uint64_t handed_ms;  /* when that was handed over */
    uint64_t written_ms; /* and reported as written; SPB_NEVER: it was not */
    uint64_t passed_ms;  /* when an answer showed that the link is free of them; 0: none did, */
    uint64_t took_ms;    /* and how long the fence for that was on its way */
    bool is_awaited;     /* they do not count as read yet, */
    bool is_under_way;   /* and the link may still be busy with them */
} spb_arrival;

/* All of the births were handed over, and a fence behind them is asked for, unless there was one: the last of those
 * that were to come may have been put off. is_by_time: an answer does not show what was read. */
void spb_arrival__begin(spb_arrival *arrival, spb_fences *fences, bool is_by_time, uint64_t now_ms);
/* So much was reported as written. */
void spb_arrival__written(spb_arrival *arrival, const spb_fences *fences, uint64_t now_ms);
/* A fence behind this message was answered: if that shows nothing else, the link is free of what was before it. */
void spb_arrival__passed(spb_arrival *arrival, uint64_t ordinal, uint64_t took_ms, uint64_t now_ms);
/* The messages up to this one count as read. */
void spb_arrival__read(spb_arrival *arrival, uint64_t ordinal);
/* When the births count as read, where time alone says so. SPB_NEVER: not as things are. */
uint64_t spb_arrival__believed_ms(const spb_arrival *arrival, const spb_fences *fences);
/* When other births may follow them: 0: at once; SPB_NEVER: when something happens. */
uint64_t spb_arrival__free_ms(const spb_arrival *arrival, const spb_fences *fences);

#endif
