/* Why a server does not answer any more, in words that say what can be done about it. */
#ifndef SPB_CORE_CAUSE_H
#define SPB_CORE_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outbox/trail.h"

typedef enum spb_cause {
    SPB_CAUSE_SERVER, /* nothing tells more: it is dead, or the way to it is */
    SPB_CAUSE_SLOW,   /* the link carries what is sent, but takes too long */
    SPB_CAUSE_LARGE,  /* large messages vanish, small ones get through */
    SPB_CAUSE_IDLE    /* something on the way forgets connections on which nothing goes for a while */
} spb_cause;

/* What one server is remembered for, over its connections. */
typedef struct spb_omens {
    uint32_t large; /* lost connections in a row on which no large message got through, and one was under way */
    uint32_t idle;  /* and that were lost with what was sent after a silence */
} spb_omens;

/* A connection on which something waits for an answer, or that was lost. */
typedef struct spb_cause_facts {
    spb_trail arrived;  /* what answers have shown to get through, */
    spb_trail waiting;  /* and what went since */
    bool is_carrying;   /* something that was sent meanwhile had to wait for room, and got it */
    bool has_answered;  /* a fence, on this connection or an earlier one: else what vanished cannot be told */
    uint64_t waited_ms; /* for an answer */
    uint64_t keep_alive_ms;
} spb_cause_facts;

/* Something was answered. */
void spb_cause__answered(spb_omens *omens, const spb_cause_facts *facts);
/* The connection was lost: counts it, and judges. Not before a second one in a row ends the same way is one a cause. */
spb_cause spb_cause__lost(spb_omens *omens, const spb_cause_facts *facts);
/* The words, to follow "connection lost: ". */
void spb_cause__write(spb_cause cause, const spb_omens *omens, const spb_cause_facts *facts, char *to, size_t size);

#endif
