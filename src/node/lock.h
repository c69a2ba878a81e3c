/*
 * The lock of a node. Whoever changes anything has the whole of it. A sample that concerns nobody but its holder takes
 * only the lane of that holder: threads with different devices do not wait for each other.
 *
 * A lane is given back before the whole is asked for. What samples have counted in the lanes is settled when the whole
 * is taken, so that nobody ever sees a session without it.
 */
#ifndef SPB_NODE_LOCK_H
#define SPB_NODE_LOCK_H

#include <pthread.h>

#include <spb/session.h>

#include "core/handle.h"

#define SPB_LANES 8 /* a power of two */

typedef struct spb_lane {
    pthread_mutex_t lock;
    spb_tally tally; /* of samples since the whole was taken last */
    char apart[64];  /* from the next lane, for the caches' sake */
} spb_lane;

typedef struct spb_lock {
    pthread_mutex_t whole; /* taken first */
    spb_lane lanes[SPB_LANES];
    spb_session *session; /* may still be NULL; then nobody has a lane */
} spb_lock;

/* SPB_ERR_SYSTEM. */
spb_status spb_lock__init(spb_lock *lock, spb_error *err);
void spb_lock__clear(spb_lock *lock);

void spb_lock__take(spb_lock *lock);
void spb_lock__give(spb_lock *lock);
/* Gives the whole back while it waits for a signal; see spb_clock__wait. */
bool spb_lock__wait(spb_lock *lock, pthread_cond_t *cond, uint64_t deadline_ms);

spb_lane *spb_lock__take_lane(spb_lock *lock, const spb_metric *metric);
void spb_lock__give_lane(spb_lane *lane);

#endif
