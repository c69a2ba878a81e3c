/*
 * Decides what time a sample gets while the wall clock was not set, as on a machine without a battery for it: that of
 * the monotonic clock, and the run of the machine with it, so that the journal can put it right later.
 */
#include "core/session.h"

uint64_t spb_session__stamp(const spb_session *session, spb_time now) {
    return session->is_clock_set ? now.wall_ms : now.mono_ms;
}

uint64_t spb_session__boot(const spb_session *session) {
    return session->is_clock_set ? 0 : session->options.boot;
}

/* The values that births carry get the right time. */
static void shift_values(const spb_device *holder, int64_t offset_ms) {
    for (spb_metric *metric = holder->first_metric; metric; metric = metric->next_of_holder) {
        if (metric->timestamp_ms < SPB_EARLIEST_MS) {
            metric->timestamp_ms = (uint64_t)((int64_t)metric->timestamp_ms + offset_ms);
        }
    }
}

/* What waits was taken before. With a journal it goes there, where its time is put right. */
static void end_old_time(spb_session *session, spb_device *holder) {
    spb_session__close_held(session, holder);
    if (spb_batch__is_empty(&holder->batch)) {
        return;
    }
    if (session->journal.is_used && holder->flush_count == 0 && !holder->links[SPB_QUEUE_DEATH].is_in) {
        spb_session__shelve(session, holder);
    } else {
        spb_session__settle_samples(session, holder); /* ahead of the birth with the right time */
    }
}

void spb_session__see_clock(spb_session *session, spb_time now) {
    if (session->is_clock_set) {
        return;
    }
    if (now.wall_ms < SPB_EARLIEST_MS) {
        session->was_clock_unset = true;
        return;
    }
    session->is_clock_set = true;
    if (!session->was_clock_unset) {
        return;
    }
    session->clock_offset_ms = (int64_t)(now.wall_ms - now.mono_ms);
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        shift_values(holder, session->clock_offset_ms);
        end_old_time(session, holder);
    }
    spb_session__retry_deferred(session);
    spb_session_rebirth(session, now);
    spb_session__log(session, SPB_LOG_INFO, "the wall clock is set");
}
