/*
 * Decides what time a sample gets while the wall clock was not set, as on a machine without a battery for it: that of
 * the monotonic clock, and the run of the machine with it, so that the journal can put it right later. And whether
 * births wait for it.
 */
#include <stdio.h>

#include "core/session.h"

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
    spb_entity *entity = holder->entity;
    spb_outbox__close_history(entity);
    if (!entity->live.first) {
        return;
    }
    if (session->outbox.journal.is_used && entity->first_count == 0 && !holder->in_deaths.list) {
        spb_outbox__shelve(entity);
        holder->has_dropped = false;
    } else {
        spb_session__settle_samples(session, holder); /* ahead of the birth with the right time */
    }
}

/* Nothing tells of a clock that is set: one has to look. */
#define LOOK_MS 1000

bool spb_session__await_clock(spb_session *session, spb_time now) {
    char text[96];
    uint32_t wait_s = session->options.clock_wait_s;
    session->awaits_clock = wait_s > 0 && !session->outbox.is_clock_set;
    if (session->awaits_clock) {
        snprintf(text, sizeof text, "the wall clock is not set: waiting for it, at most %u s (clock_wait_s)",
                 (unsigned)wait_s);
        session->timer_ms = now.mono_ms + wait_s * UINT64_C(1000);
        session->clock_look_ms = now.mono_ms + LOOK_MS;
        spb_session__enter(session, SPB_SESSION_WAITING, text);
        spb_notices__log(&session->notices, SPB_LOG_WARNING, "%s", text);
    }
    return session->awaits_clock;
}

void spb_session__end_clock_wait(spb_session *session) {
    session->awaits_clock = false;
    if (!session->outbox.is_clock_set) {
        spb_notices__log(&session->notices, SPB_LOG_WARNING,
                         "the wall clock was not set within %u s (clock_wait_s): births and data carry the time since "
                         "the machine was started",
                         (unsigned)session->options.clock_wait_s);
    }
}

void spb_session__see_clock(spb_session *session, spb_time now) {
    if (session->outbox.is_clock_set) {
        return;
    }
    session->clock_look_ms = now.mono_ms + LOOK_MS;
    if (now.wall_ms < SPB_EARLIEST_MS) {
        session->was_clock_unset = true;
        return;
    }
    session->outbox.is_clock_set = true;
    session->timer_ms = session->awaits_clock ? now.mono_ms : session->timer_ms;
    if (!session->was_clock_unset) {
        return;
    }
    session->outbox.clock_offset_ms = (int64_t)(now.wall_ms - now.mono_ms);
    for (spb_device *holder = session->table.node; holder; holder = holder->next) {
        shift_values(holder, session->outbox.clock_offset_ms);
        end_old_time(session, holder);
    }
    spb_outbox__retry_deferred(&session->outbox);
    spb_session_rebirth(session, now);
    spb_notices__log(&session->notices, SPB_LOG_INFO, "the wall clock is set");
}
