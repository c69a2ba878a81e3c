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
/* The sample may be worth a message, or is wrong. If not, its time need not be exact: it is suppressed at any. */
bool spb_session__is_news(const spb_sample *sample);
/* Takes a sample that is none. So no deadline moves, and no flush is touched. */
void spb_session__suppress(spb_session *session, const spb_sample *sample, spb_time now);
/* How many messages have to be reported as published before it is worth while to tell the session; it is told at its
 * deadline all the same. */
uint32_t spb_session__reports_wanted(const spb_session *session);
/* The write callback of the definition and its user pointer. Immutable, so any thread. */
spb_write_fn spb_metric__on_write(const spb_metric *metric, void **user);

#endif
