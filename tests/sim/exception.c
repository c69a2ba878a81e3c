/* Report by exception: which rules metrics have, what becomes of their samples and when, scans; by a second opinion
 * that is told every call. Whether it is right to send a sample is judged in rules_taken.c and rules_samples.c. */
#include "sim/sim.h"

/* So much later than it wants to the session may be called: for a timer, and at the end of the window that follows. */
#define LATE_MS 1200

/* ---- what metrics ask for ---- */

static bool is_number(spb_type type) {
    return type >= SPB_INT8 && type <= SPB_DOUBLE;
}

void sim_exception_draw(sim *s, sim_metric *metric) {
    static const uint32_t shortest_ms[] = {0, 0, 50, 500, 3000}, longest_ms[] = {0, 0, 0, 3000, 20000};
    metric->has_rule = s->has_rules && sim_below(s, 4) != 0;
    metric->rule = (witness_rule){.sends_unchanged = !metric->has_rule};
    if (!metric->has_rule) {
        return;
    }
    metric->rule.min_interval_ms = shortest_ms[sim_below(s, 5)];
    metric->rule.max_interval_ms = longest_ms[sim_below(s, 5)];
    metric->rule.keeps_all = metric->rule.min_interval_ms > 0 && sim_below(s, 2) == 0;
    uint32_t kind = sim_below(s, 4);
    if (kind == 0 && is_number(metric->type)) {

        metric->rule.deadband = metric->type < SPB_FLOAT ? 2 : 0.75;
    } else if (kind == 1 && is_number(metric->type)) {
        metric->rule.range = 20;
        metric->rule.deadband_percent = metric->type < SPB_FLOAT ? 10 : 4;
        metric->is_writable = false;
        metric->choice_seed = 0;
    } else if (kind == 2) {
        metric->rule.sends_unchanged = sim_below(s, 4) == 0;
    }
    metric->is_urgent = sim_below(s, 8) == 0;
}

void sim_exception_define(sim_metric *metric, const spb_metric_def *def, uint64_t timestamp_ms) {
    witness_end(&metric->witness);
    witness_begin(&metric->witness, &metric->rule, &def->value, timestamp_ms, SPB_SAMPLE_GOOD);
    metric->due_ms = SPB_NEVER;
    metric->is_ahead = metric->is_unsure = metric->was_unsure = metric->is_time_given = false;
    metric->told_hash = metric->hash;
    metric->told_ms = metric->timestamp_ms;
}

/* Mostly of the quality that it has. */
uint32_t sim_exception_flags(sim *s, const sim_metric *metric) {
    static const uint32_t qualities[] = {SPB_SAMPLE_GOOD, SPB_SAMPLE_BAD, SPB_SAMPLE_STALE};
    if (!s->has_rules) {
        return 0;
    }
    uint32_t flags = sim_below(s, 16) == 0 ? qualities[sim_below(s, 3)] : metric->witness.quality;
    flags |= sim_below(s, 32) == 0 ? SPB_SAMPLE_FORCED : 0;
    return flags | (sim_below(s, 32) == 0 ? SPB_SAMPLE_URGENT : 0);
}

/* ---- what is let go ---- */

static void open_turn(sim *s) {
    if (!s->is_turn_open) {
        spb_stats stats;
        spb_session_stats(s->session, &stats);
        s->overflowed_before = stats.samples_dropped_overflow;
        s->is_turn_open = true;
        s->first_turn = ++s->turn;
    }
    s->idle_ticks = 0;
}

/* Its time has come. */
static void let_go(sim *s, sim_metric *m) {
    m->due_ms = SPB_NEVER;
    s->holders[m->holder].scan++; /* those that were put off leave as well */
    open_turn(s);
    if (witness_ring(&m->witness)) {
        sim_rules_released(s, (int)(m - s->metrics));
    }
}

void sim_exception_ring(sim *s) {
    while (s->is_running) {
        sim_metric *first = NULL;
        for (size_t i = 0; i < s->metric_count; i++) {
            sim_metric *m = &s->metrics[i];
            first = !m->is_removed && m->due_ms <= s->now.mono_ms && (!first || m->due_ms < first->due_ms) ? m : first;
        }
        if (!first) {
            return;
        }
        if (s->is_turn_open && s->turn_ms != first->due_ms) { /* these come in their order */
            s->turn++;
        }
        s->turn_ms = first->due_ms;
        let_go(s, first);
    }
}

void sim_exception_release(sim *s, int metric) {
    sim_metric *m = &s->metrics[metric];
    if (!m->is_removed && m->witness.is_held && m->is_ahead) {
        let_go(s, m);
    }
}

void sim_exception_release_all(sim *s) {
    for (size_t i = 0; i < s->metric_count; i++) {
        sim_exception_release(s, (int)i);
    }
}

void sim_exception_called(sim *s) {
    if (!s->session) {
        return;
    }
    bool was_running = s->is_running;
    s->is_running = spb_session_get_state(s->session) != SPB_SESSION_STOPPED;
    if (was_running && !s->is_running) { /* what is held is stored with the rest */
        sim_exception_release_all(s);
    }
    if (!s->is_turn_open) {
        return;
    }
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    s->is_turn_open = false;
    if (stats.samples_dropped_overflow > s->overflowed_before) {
        sim_rules_overflowed(s, stats.samples_dropped_overflow - s->overflowed_before, s->first_turn);
    }
}

/* ---- the wall clock is set ---- */

void sim_exception_shift(sim *s, int index) {
    sim_metric *m = &s->metrics[index];
    uint64_t offset_ms = (uint64_t)s->clock_offset_ms;
    m->told_ms += m->told_ms < SPB_EARLIEST_MS ? offset_ms : 0;
    if (m->timestamp_ms >= SPB_EARLIEST_MS) {
        return;
    }
    m->timestamp_ms += offset_ms;
    m->witness.newest_ms += offset_ms;
    bool is_held = m->witness.is_held;
    bool has_left = !is_held && m->newest == m->record; /* then its time is put right by others */
    if (m->newest != SIM_NO_RECORD && m->has_rule && !m->is_removed && !has_left) {
        uint32_t again = sim_ledger_add(s, index, m->hash, m->timestamp_ms);
        s->ledger.records[m->newest].is_excused |= is_held;
        s->ledger.records[again].is_excused = !is_held || m->is_unsure;
        m->record = is_held ? again : m->record;
        m->newest = again;
    }
}

bool sim_exception_is_unsure(sim *s) {
    bool is_unsure = false;
    for (size_t i = 0; i < s->metric_count; i++) {
        s->metrics[i].was_unsure |= s->metrics[i].is_unsure;
        is_unsure |= s->metrics[i].is_unsure && !s->metrics[i].is_removed;
    }
    return is_unsure;
}

/* ---- scans ---- */

/* Whatever it was, no message goes on beyond it. */
void sim_exception_cut(sim *s) {
    for (size_t i = 0; i < s->holder_count; i++) {
        s->holders[i].scan++;
    }
}

/* What is held still says nothing new, and what only births are to carry is not for the journal: the flush is not for
 * them, even if they are sent after all, as those of a node that is being stopped. */
void sim_exception_flush(sim *s) {
    sim_exception_cut(s);
    for (size_t i = 0; i < s->metric_count; i++) {
        const sim_metric *m = &s->metrics[i];
        bool is_for_birth = m->is_unsent && m->keep != SPB_KEEP_ALL;
        if ((m->witness.is_held || is_for_birth) && m->record != SIM_NO_RECORD) {
            s->ledger.records[m->record].was_put_off = true;
        }
    }
}

void sim_exception_doubt(sim *s, unsigned holder) {
    for (size_t i = 0; i < s->metric_count; i++) {
        s->metrics[i].is_unsure |= s->metrics[i].holder == holder && s->metrics[i].has_rule;
    }
}

static void end_scan(sim *s, sim_holder *holder) {
    holder->is_scanning = false;
    holder->scan++;
    for (size_t i = 0; i < holder->owed_count; i++) {
        sim_sample *owed = &holder->owed[holder->owed_first + i];
        uint64_t from_ms = owed->due_ms > s->now.mono_ms ? owed->due_ms : s->now.mono_ms;
        owed->leave_ms = owed->leave_ms == SPB_NEVER ? from_ms + s->options.batch_window_ms : owed->leave_ms;
        owed->since_ms = s->now.mono_ms;
    }
    spb_session_end_scan(s->session, holder->handle, s->now);
}

static void scan(sim *s) {
    sim_holder *holder = &s->holders[sim_below(s, (uint32_t)s->holder_count)];
    if (holder->is_removed || !s->has_rules) {
        return;
    }
    sim_note(s, "  of %s, %s", holder->id, holder->is_scanning ? "ends" : "begins");
    if (holder->is_scanning) {
        end_scan(s, holder);
        return;
    }
    holder->is_scanning = true;
    holder->scan++;
    for (size_t i = 0; i < holder->owed_count; i++) { /* the open message goes on */
        holder->owed[holder->owed_first + i].leave_ms = SPB_NEVER;
    }
    spb_session_begin_scan(s->session, holder->handle);
}

void sim_exception_end_scans(sim *s) {
    for (size_t i = 0; i < s->holder_count; i++) {
        if (s->holders[i].is_scanning && !s->holders[i].is_removed) {
            end_scan(s, &s->holders[i]);
        }
    }
}

const sim_move sim_exception_moves[] = {{"a scan", 12, false, scan}, {0}};

/* ---- messages ---- */

/* Whether there is no doubt about what waits. */
static bool can_tell(const sim *s, unsigned holder) {
    bool is_behind = false;
    for (size_t i = 0; i < s->metric_count; i++) {
        is_behind |= s->metrics[i].holder == holder && (s->metrics[i].is_behind || s->metrics[i].is_unsure);
    }
    return s->level == SPB_DELIVERY_LIVE && s->wire.max_packet_bytes == 0 && !is_behind;
}

void sim_exception_begin(sim *s, unsigned holder) {
    s->message_scan = 0;
    s->is_message_early = true;
    s->is_message_paid = can_tell(s, holder);
}

void sim_exception_message(sim *s, unsigned holder, size_t count, bool is_historical) {
    const sim_holder *h = &s->holders[holder];
    const sim_sample *next = h->owed_count > 0 ? &h->owed[h->owed_first] : NULL;
    bool is_leaving = s->stop_by_ms != SPB_NEVER || s->wire.is_leaving || h->is_dying; /* nothing waits any more */
    if (is_historical || !s->is_message_paid || is_leaving) {
        return;
    }
    bool is_full = count >= s->options.batch_max_samples || s->options.batch_max_bytes < 65536;
    if (s->is_message_early && !is_full && s->message_cut == h->scan) {
        sim_fail(s, "early", "a message of %s has nothing that had to leave", h->id);
    }
    if (s->message_scan == 0 && count > s->options.batch_max_samples) {
        sim_fail(s, "batch", "a message of %zu samples", count);
    }
    if (s->message_scan == 0) {
        return;
    }
    if (h->is_scanning && s->message_scan == h->scan) {
        sim_fail(s, "scan", "a message of %s leaves before its scan is over", h->id);
    }
    if (next && !next->is_optional && next->scan == s->message_scan &&
        (next->turn == 0 || next->turn != s->message_turn)) { /* of these, one may be urgent */
        sim_fail(s, "scan", "a scan of %s is in more than one message; %s at %llu is next", h->id,
                 s->metrics[next->metric].name, (unsigned long long)next->timestamp_ms);
    }
}

/* ---- after the last action ---- */

static void check_late(sim *s, unsigned holder) {
    const sim_holder *h = &s->holders[holder];
    bool may_wait = !h->is_born || h->is_dying || h->is_due || h->may_lose || h->is_flushing || !can_tell(s, holder);
    uint64_t slack_ms = s->scenario.permille[SIM_LATE_TICK] + s->scenario.permille[SIM_BUSY] > 0 ? LATE_MS : 0;
    for (size_t i = 0; i < h->owed_count && !may_wait; i++) {
        const sim_sample *owed = &h->owed[h->owed_first + i];
        uint64_t leave_ms = owed->leave_ms == SPB_NEVER ? SPB_NEVER : owed->leave_ms + (owed->is_urgent ? 0 : slack_ms);
        if (!owed->is_optional && leave_ms < s->now.mono_ms + owed->is_urgent) {
            sim_fail(s, owed->is_urgent ? "urgent" : "late", "%s at %llu waits still, %llu ms too long",
                     s->metrics[owed->metric].name, (unsigned long long)owed->timestamp_ms,
                     (unsigned long long)(s->now.mono_ms - owed->leave_ms));
        }
    }
}

void sim_exception_drained(sim *s, uint64_t deadline_ms) {
    for (size_t i = 0; i < s->metric_count && s->is_running; i++) {
        const sim_metric *m = &s->metrics[i];
        if (!m->is_removed && !m->is_unsure && m->due_ms < deadline_ms &&
            (m->witness.is_held || m->witness.is_deferred)) {
            sim_fail(s, "held", "%s is to be sent in %llu ms, but nobody will come", m->name,
                     (unsigned long long)(m->due_ms - s->now.mono_ms));
        }
    }
    /* Without a journal, too, no more may be under way than the link has shown to carry: data waits for an answer then.
     */
    bool is_free = sim_births_are_out(s) && !s->wire.wants_birth && s->wire.in_flight < s->options.max_in_flight &&
                   (s->wire.unanswered < SIM_LEAST_WINDOW || sim_fence_is_without(s));
    for (unsigned i = 0; i < s->holder_count && is_free; i++) {
        check_late(s, i);
    }
}

/* ---- in the end ---- */

const char *sim_exception_known(const sim *s, size_t index) {
    const sim_metric *m = &s->metrics[index];
    const sim_host_metric *heard = &s->host->metrics[index];
    /* Of those with the same value, any will do. */
    bool has_told = heard->hash == m->told_hash && (m->has_rule || heard->timestamp_ms == m->told_ms);
    bool has_newest = heard->hash == m->hash && (m->has_rule || heard->timestamp_ms == m->timestamp_ms);
    if (!has_told && !has_newest && !m->is_unsure) {
        return "has an old value of";
    }
    bool has_band = m->rule.deadband > 0 || m->rule.deadband_percent > 0;
    bool is_near =
        has_band ? heard->quality == m->witness.quality && witness_is_near(&m->rule, &heard->value, &m->witness.newest)
                 : heard->hash == m->hash;
    return is_near ? NULL : "has another value of";
}
