/* The way of a sample in spb_metric_update, for tests that have a session of their own. */
#ifndef TESTS_SUPPORT_SHORT_WAY_H
#define TESTS_SUPPORT_SHORT_WAY_H

#include "core/handle.h"

/* The short way, if the sample may take it, else the whole one; *joined, which may be NULL, counts those that joined a
 * message. Statuses of spb_session_sample. */
static inline spb_status short_way_sample(spb_session *session, const spb_sample *sample, spb_time now,
                                          uint64_t *joined) {
    spb_tally tally = {0};
    spb_way way = spb_session__way(session, sample);
    bool is_taken = way == SPB_WAY_SUPPRESS;
    if (is_taken) {
        spb_session__suppress(sample, now.wall_ms, &tally);
    } else if (way == SPB_WAY_JOIN) {
        is_taken = spb_session__join(session, sample, now.wall_ms, &tally);
    }
    if (joined) {
        *joined += tally.accepted - tally.suppressed;
    }
    spb_session__settle(session, &tally);
    return is_taken ? SPB_OK : spb_session_sample(session, sample, now);
}

#endif
