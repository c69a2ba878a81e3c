/* What the node must know of the core's handles beyond the public headers. */
#ifndef SPB_CORE_HANDLE_H
#define SPB_CORE_HANDLE_H

#include <spb/session.h>

/* The session that a handle was made from. Immutable, so any thread. */
spb_session *spb_metric__session(const spb_metric *metric);
spb_session *spb_device__session(const spb_device *device);
/* A pointer that the owner of the session keeps there: the node. Set once, before there are handles. */
void spb_session__set_owner(spb_session *session, void *owner);
void *spb_session__owner(const spb_session *session);
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
/* The sample may be worth a message, or is wrong. If not, its time need not be exact: it is suppressed at any. */
bool spb_session__is_news(const spb_sample *sample);
/* Takes a sample that is none. */
void spb_session__suppress(const spb_session *session, const spb_sample *sample, spb_time now, spb_tally *tally);
/* Takes a sample that is news and joins an open message. False: this one concerns more, and spb_session_sample is to
 * take it; nothing has changed. */
bool spb_session__join(const spb_session *session, const spb_sample *sample, spb_time now, spb_tally *tally);
/* Adds the tally to what the session has counted, and empties it. */
void spb_session__settle(spb_session *session, spb_tally *tally);

/* A STATE or LOG that is next, and no other action; else as spb_session_next_action. */
bool spb_session__next_news(spb_session *session, spb_action *out);
/* A line for the log, in its turn among those of the session. */
void spb_session__log(spb_session *session, spb_log_level level, const char *text);
/* How many messages have to be reported as published before it is worth while to tell the session; it is told at its
 * deadline all the same. */
uint32_t spb_session__reports_wanted(const spb_session *session);
/* The write callback of the definition and its user pointer. Immutable, so any thread. */
spb_write_fn spb_metric__on_write(const spb_metric *metric, void **user);

#endif
