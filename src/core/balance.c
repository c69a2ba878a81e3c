/* Decides nothing: it adds up, by looking at every sample, what the session's counters must say. */
#include "core/balance.h"

#include "core/session.h"

static uint64_t in_batch(const spb_batch *batch) {
    uint64_t samples = 0;
    for (size_t i = 0; i < batch->count; i++) {
        samples += spb_batch__segment(batch, i)->samples;
    }
    return samples;
}

static uint64_t in_window(const spb_window *window, bool is_spill) {
    uint64_t samples = 0;
    for (size_t i = 0; i < window->count; i++) {
        const spb_record *record = spb_window__at(window, i);
        samples += is_spill || record->kind == SPB_RECORD_WAITING ? record->samples : 0;
    }
    return samples;
}

/* A block that is all that is left of its message. */
static uint64_t being_written(const spb_session *session) {
    const spb_appending *a = &session->appending;
    bool is_alone = session->journal.asked == SPB_CALL_APPEND && !a->holder && !a->is_of_spill;
    return is_alone ? (uint64_t)a->samples + a->unwanted : 0;
}

void spb_session__balance(const spb_session *session, spb_balance *out) {
    const spb_stats *s = &session->stats;
    *out = (spb_balance){.in = s->samples_accepted + session->stored_before + session->repeated,
                         .underway = s->samples_unconfirmed,
                         .in_journal = session->in_journal,
                         .arrived = s->samples_confirmed - session->reopened};
    out->waiting = session->unsent + in_window(&session->spill, true) + in_window(&session->window, false) +
                   being_written(session);
    for (const spb_device *holder = session->table.node; holder; holder = holder->next) {
        out->waiting += in_batch(&holder->batch) + in_batch(&holder->held);
    }
    for (const spb_device *dying = session->queues[SPB_QUEUE_DEATH].first; dying;
         dying = dying->links[SPB_QUEUE_DEATH].next) {
        out->waiting += dying->is_removed ? in_batch(&dying->batch) + in_batch(&dying->held) : 0;
    }
    out->dropped = s->samples_dropped_offline + s->samples_dropped_overflow + s->samples_dropped_lost +
                   s->samples_dropped_choice + s->samples_dropped_gone + s->samples_dropped_age +
                   s->samples_dropped_disk + session->dropped_by_store;
}
