/* Flushes: what the session says of them, and whether that is so. */
#include "sim/sim.h"

/* When there are too many, the newest takes the place of the one before, whose samples it is for, too: so that it is
 * known for how long the session has a flush to work for. */
void sim_flush_begin(sim *s, uint64_t ticket) {
    s->flush_count -= s->flush_count == SIM_MAX_FLUSHES;
    s->flushes[s->flush_count++] = (sim_flush){.ticket = ticket, .before = s->ledger.count};
}

static uint64_t count_gone(const sim *s, const sim_flush *flush) {
    uint64_t gone = 0;
    for (uint32_t i = 0; i < flush->before; i++) {
        gone += sim_ledger_is_gone(s, i) && !s->ledger.records[i].was_put_off;
    }
    return gone;
}

static bool has_repeated(const sim *s) {
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    return stats.samples_repeated > 0;
}

/* Nothing of it vanished; all of it arrived, or is safe. */
static void check_flushed(sim *s, const sim_flush *flush, spb_flush how) {
    uint64_t dropped = sim_ledger_dropped(s);
    uint64_t gone = count_gone(s, flush), again = 0;
    sim_note(s, "  a flush is done: %d", (int)how);
    if (gone > dropped) {
        sim_ledger_note(s);
        sim_fail(s, "flush", "done, but %llu samples are nowhere, and %llu were counted", (unsigned long long)gone,
                 (unsigned long long)dropped);
    }
    bool may_guess = s->scenario.permille[SIM_ALLOCATION_FAILS] > 0; /* without memory to note that births had them */
    if (how == SPB_FLUSH_LOST && dropped == 0 && !may_guess) {
        sim_fail(s, "flush", "something was lost, but nothing was counted");
    }
    for (uint32_t i = 0; i < flush->before; i++) {
        const sim_record *record = &s->ledger.records[i];
        bool is_believed = how == SPB_FLUSH_CONFIRMED && s->options.confirm == SPB_CONFIRM_WINDOW;
        if (record->is_excused || record->was_put_off || record->copies == 0 || record->is_delivered ||
            how == SPB_FLUSH_LOST || is_believed || sim_rules_counted(s, record)) {
            continue;
        }
        /* Of two copies, the first will do. */
        bool is_committed = s->journal.blocks[record->block].is_committed || record->copies > 1;
        bool is_of_before = record->is_old && how == SPB_FLUSH_CONFIRMED; /* an earlier process has stored it */
        /* It was dropped for want of room before the flush, and its value, the newest, was taken once more behind it:
         * while a disk is slow, that may not be committed yet when the flush is done. */
        bool is_again = how == SPB_FLUSH_STORED && !is_committed && has_repeated(s);
        again += is_again;
        if (is_again && gone + again <= dropped) {
            continue;
        }
        if (!is_of_before && (how == SPB_FLUSH_CONFIRMED || !is_committed)) {
            sim_fail(s, "flush", "%s, but %s at %llu is not", how == SPB_FLUSH_CONFIRMED ? "confirmed" : "stored",
                     s->metrics[record->metric].name, (unsigned long long)record->timestamp_ms);
        }
    }
}

void sim_flush_check(sim *s) {
    unsigned left = 0;
    for (unsigned i = 0; i < s->flush_count; i++) {
        spb_flush how = spb_session_flushed(s->session, s->flushes[i].ticket);
        if (how == SPB_FLUSH_PENDING) {
            s->flushes[left++] = s->flushes[i];
        } else {
            check_flushed(s, &s->flushes[i], how);
        }
    }
    s->flush_count = left;
}
