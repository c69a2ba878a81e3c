/* The way of a sample in spb_metric_update, for tests that have a session of their own. */
#ifndef TESTS_SUPPORT_SHORT_WAY_H
#define TESTS_SUPPORT_SHORT_WAY_H

#include "core/handle.h"

/* The short way, if the sample may take it, else the whole one; *joined, which may be NULL, counts those that joined a
 * message. Statuses of spb_session_sample. */
static inline spb_status short_way_sample(spb_session *session, const spb_sample *sample, spb_time now,
                                          uint64_t *joined) {
    spb_tally tally = {0};
    bool is_taken = true;
    if (!spb_session__is_news(sample)) {
        spb_session__suppress(session, sample, now, &tally);
    } else {
        is_taken = spb_session__join(session, sample, now, &tally);
    }
    if (joined) {
        *joined += tally.accepted - tally.suppressed;
    }
    spb_session__settle(session, &tally);
    return is_taken ? SPB_OK : spb_session_sample(session, sample, now);
}

#endif
