/* Where every accepted sample is: a check for tests, which no code of the library calls. */
#ifndef SPB_CORE_BALANCE_H
#define SPB_CORE_BALANCE_H

#include <spb/session.h>

typedef struct spb_balance {
    uint64_t in;         /* accepted, left by an earlier run, or sent once more on purpose */
    uint64_t waiting;    /* to be sent, or stored */
    uint64_t underway;   /* published and not confirmed */
    uint64_t in_journal; /* stored, and not delivered */
    uint64_t arrived;
    uint64_t dropped; /* and counted */
} spb_balance;

/* in = waiting + underway + in_journal + arrived + dropped, at any time. */
void spb_session__balance(const spb_session *session, spb_balance *out);

#endif
