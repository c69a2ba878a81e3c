/*
 * What went over a connection between one fence and the next, as far as it tells why the next one is not answered: how
 * large its messages were, and for how long nothing went before them.
 */
#ifndef SPB_OUTBOX_TRAIL_H
#define SPB_OUTBOX_TRAIL_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed: nothing went. */
typedef struct spb_trail {
    size_t largest;     /* bytes of the largest message */
    uint64_t silent_ms; /* the longest time in which nothing went either way, before something was sent */
} spb_trail;

static inline void spb_trail__join(spb_trail *to, const spb_trail *with) {
    to->largest = with->largest > to->largest ? with->largest : to->largest;
    to->silent_ms = with->silent_ms > to->silent_ms ? with->silent_ms : to->silent_ms;
}

#endif
