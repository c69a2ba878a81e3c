/* What the node must know of the core's handles beyond the public headers. */
#ifndef SPB_CORE_HANDLE_H
#define SPB_CORE_HANDLE_H

#include <spb/session.h>

/* The owner of a session: the node. Set once, before there are handles. */
void spb_session__set_owner(spb_session *session, void *owner);
/* That of the session that a handle was made from. Any thread. */
void *spb_metric__owner(const spb_metric *metric);
void *spb_device__owner(const spb_device *device);
/*
 * Most samples concern their holder alone: a device, or the node for metrics of its own. The three functions that
 * follow may be called by one thread for each holder at a time, all at once, while nobody else uses the session. No
 * deadline moves, and no flush is touched. What they count is in the tally, which each thread has for itself: it must
 * be settled before the session is used for anything else.
 */
typedef struct spb_tally {
    uint64_t accepted, suppressed; /* samples */
    size_t bytes;                  /* that wait */
} spb_tally;

/* The same for metrics of one holder. Immutable, so any thread. */
uint32_t spb_metric__lane(const spb_metric *metric);
typedef enum spb_way {
    SPB_WAY_WHOLE,    /* it concerns more than its holder, or is wrong: spb_session_sample is to take it */
    SPB_WAY_SUPPRESS, /* it says nothing new */
    SPB_WAY_JOIN      /* it may join an open message */
} spb_way;

/* Until the wall clock is set, all samples take the whole way. */
spb_way spb_session__way(const spb_session *session, const spb_sample *sample);
/* Takes a sample of SPB_WAY_SUPPRESS. The clock, which here and below counts for samples of SPB_NOW alone, need not be
 * exact. */
void spb_session__suppress(const spb_sample *sample, uint64_t wall_ms, spb_tally *tally);
/* Takes one of SPB_WAY_JOIN. False: there is no message that is open and stays so, or the value does not fit its
 * datatype: the whole way is left; nothing has changed. */
bool spb_session__join(const spb_session *session, const spb_sample *sample, uint64_t wall_ms, spb_tally *tally);
/* Adds the tally to what the session has counted, and empties it. */
void spb_session__settle(spb_session *session, spb_tally *tally);

/* A STATE, LOG or BIRTH_TOO_LARGE that is next, and no other action; else as spb_session_next_action. */
bool spb_session__next_news(spb_session *session, spb_action *out);
/* A line for the log, in its turn among those of the session. */
void spb_session__log(spb_session *session, spb_log_level level, const char *text);
/* How many messages have to be reported as published before it is worth while to tell the session; it is told at its
 * deadline all the same. */
uint32_t spb_session__reports_wanted(const spb_session *session);
/* The write callback of the definition and its user pointer. Immutable, so any thread. */
spb_write_fn spb_metric__on_write(const spb_metric *metric, void **user);

#endif
