/* What becomes of a sample that was accepted: owed to the hosts, held, or not worth a message, as a second opinion has
 * it; and whether the session has counted it so. */
#include <stdlib.h>

#include "sim/sim.h"

/* Until its NDEATH, a node that is being stopped may send what comes. */
static bool is_stopping(const sim *s) {
    return spb_session_get_state(s->session) == SPB_SESSION_STOPPING && s->level != SPB_DELIVERY_LIVE;
}

static bool is_live(const sim *s) {
    spb_session_state state = spb_session_get_state(s->session);
    return (state == SPB_SESSION_BIRTHING || state == SPB_SESSION_ONLINE || is_stopping(s)) && s->wire.is_born;
}

void sim_rules_owe(sim_holder *holder, sim_sample sample) {
    if (holder->owed_count == 0) {
        holder->owed_first = 0;
    }
    if (holder->owed_first + holder->owed_count == holder->owed_capacity) {
        holder->owed_capacity = holder->owed_capacity ? 2 * holder->owed_capacity : 16;
        holder->owed = realloc(holder->owed, holder->owed_capacity * sizeof *holder->owed);
        if (!holder->owed) {
            abort();
        }
    }
    holder->owed[holder->owed_first + holder->owed_count++] = sample;
}

/* Older samples wait, or may do so: they will take hosts back. */
bool sim_rules_has_older(const sim *s, unsigned holder) {
    bool has_older = s->holders[holder].owed_count > 0;
    for (size_t i = 0; i < s->metric_count; i++) {
        has_older |= s->metrics[i].holder == holder && s->metrics[i].is_unsure;
    }
    return has_older;
}

/* ---- a sample comes ---- */

/* Something that is worth a message now. */
typedef struct news {
    int metric;
    uint64_t hash, timestamp_ms;
    bool has_overflowed, is_deferred, is_urgent, is_doubtful, is_past;
    uint32_t turn;
} news;

/* The value that no birth has carried yet is replaced, or was sent. */
static void settle_unsent(sim *s, sim_metric *m) {
    s->counts.dropped_offline += m->is_unsent;
    m->is_unsent = false;
}

static void owe_news(sim *s, const news *n, bool is_optional) {
    sim_metric *m = &s->metrics[n->metric];
    sim_holder *holder = &s->holders[m->holder];
    const sim_sample *last = holder->owed_count > 0 ? &holder->owed[holder->owed_first + holder->owed_count - 1] : NULL;
    uint64_t leave_ms = s->now.mono_ms + s->options.batch_window_ms;
    holder->scan += last && n->timestamp_ms < last->timestamp_ms; /* the message before ends */
    holder->scan += n->turn != 0;                                 /* or may do so, as their order is not known */
    sim_rules_owe(holder, (sim_sample){.metric = n->metric,
                                       .hash = n->hash,
                                       .timestamp_ms = n->timestamp_ms,
                                       .since_ms = n->is_deferred ? m->due_ms : s->now.mono_ms,
                                       .due_ms = n->is_deferred ? m->due_ms : s->now.mono_ms,
                                       .leave_ms = holder->is_scanning ? SPB_NEVER
                                                   : n->is_urgent      ? s->now.mono_ms
                                                   : n->is_deferred    ? m->due_ms + s->options.batch_window_ms
                                                                       : leave_ms,
                                       .cut = holder->scan,
                                       .turn = n->turn,
                                       .scan = holder->is_scanning ? holder->scan : 0,
                                       .is_urgent = n->is_urgent,
                                       .is_past = n->is_past,
                                       .is_optional = is_optional});
    holder->scan += n->is_urgent || n->turn != 0;
}

/* A message that waits may be too large for the server. Nobody sees it go, nor that the newest values follow, of which
 * older samples may be in the journal already. */
static void note_limit(sim *s, uint32_t record) {
    if (record != SIM_NO_RECORD && s->wire.max_packet_bytes > 0) {
        s->ledger.records[record].has_unseen = true;
    }
}

static bool has_followers(const sim *s, const sim_metric *m) {
    const sim_holder *holder = &s->holders[m->holder];
    return is_live(s) && holder->is_born && holder->is_online && m->in_birth;
}

/* Whether it does, or will have any when its turn comes: until its DBIRTH, only the session knows. */
static bool may_lack_followers(const sim *s, const sim_metric *m) {
    const sim_holder *holder = &s->holders[m->holder];
    return holder->may_lose || is_stopping(s) || (holder->is_dying && s->level != SPB_DELIVERY_LIVE) ||
           s->wire.max_packet_bytes > 0;
}

static void take_news(sim *s, const news *n) {
    sim_metric *m = &s->metrics[n->metric];
    bool is_followed = has_followers(s, m);
    bool has_doubt = may_lack_followers(s, m) || n->is_doubtful || m->is_unsure;
    sim_note(s, "  %s at %llu is taken%s", m->name, (unsigned long long)n->timestamp_ms,
             n->has_overflowed ? ", and dropped"
             : is_followed     ? ""
                               : ", without followers");
    s->idle_ticks = 0; /* its message may be closed without an action, and wait for the server */
    s->counts.overflowed += n->has_overflowed;
    settle_unsent(s, m);
    note_limit(s, m->record);
    m->is_ahead = false;
    m->told_hash = n->hash;
    m->told_ms = n->timestamp_ms;
    m->is_unsure |= n->has_overflowed && m->has_rule;
    if (is_followed && has_doubt) {
        s->counts.uncertain++;
        m->is_unsent = !n->has_overflowed;
        m->is_behind |= n->has_overflowed;
        m->changes++;
        owe_news(s, n, true);
    } else if (is_followed) {
        m->is_behind = n->has_overflowed;
        m->changes += n->has_overflowed;
        if (!n->has_overflowed) {
            owe_news(s, n, false);
        }
    } else {
        m->changes++;
        m->is_unsent = true;
        m->is_unsure |= m->has_rule && spb_session_get_state(s->session) == SPB_SESSION_STOPPING;
        m->is_behind |= sim_rules_has_older(s, m->holder); /* so it may be sent once more after them */
        if (n->has_overflowed) {
            sim_fail(s, "samples", "overflow of %s, which nobody follows", m->name);
        }
    }
}

/* ---- report by exception ---- */

static void excuse(sim *s, uint32_t record) {
    if (record != SIM_NO_RECORD) {
        s->ledger.records[record].is_excused = true;
    }
}

/* The one that was held gives way to another. */
static void replace_held(sim *s, sim_metric *m) {
    s->counts.suppressed++;
    excuse(s, m->record);
    m->is_unsent = false;
}

static void hold_back(sim *s, sim_metric *m, bool is_for_later) {
    m->changes++;
    if (is_for_later) {
        settle_unsent(s, m);
        m->is_unsent = true;
        m->record = m->newest;
    } else {
        s->counts.suppressed++;
        excuse(s, m->newest);
    }
    sim_note(s, "  %s at %llu %s", m->name, (unsigned long long)m->timestamp_ms,
             is_for_later ? "is held" : "says nothing new");
}

void sim_rules_released(sim *s, int metric) {
    sim_metric *m = &s->metrics[metric];
    if (m->is_unsure) {
        s->counts.uncertain++;
        return;
    }
    m->is_unsent = false;
    take_news(s, &(news){.metric = metric,
                         .hash = m->hash,
                         .timestamp_ms = m->timestamp_ms,
                         .is_urgent = m->is_urgent,
                         .turn = s->turn});
}

/* Some of those that left since that turn were dropped; nobody knows which. That goes for those that may be sent, too.
 */
void sim_rules_overflowed(sim *s, uint64_t count, uint32_t first_turn) {
    s->counts.overflowed += count;
    for (size_t i = 0; i < s->holder_count; i++) {
        for (size_t k = 0; k < s->holders[i].owed_count; k++) {
            sim_sample *owed = &s->holders[i].owed[s->holders[i].owed_first + k];
            sim_metric *m = &s->metrics[owed->metric];
            if (owed->turn != 0 && owed->turn >= first_turn) {
                s->counts.uncertain += !owed->is_optional;
                owed->is_optional = m->is_behind = m->is_unsure = true;
                owed->changes = ++m->changes;
            }
        }
    }
}

/* What cannot be told for sure: the counters have the last word. */
static void take_unsure(sim *s, const news *n) {
    sim_metric *m = &s->metrics[n->metric];
    sim_note(s, "  %s at %llu is taken, and may be sent", m->name, (unsigned long long)n->timestamp_ms);
    s->idle_ticks = 0;
    s->counts.uncertain += 2;
    excuse(s, m->newest);
    excuse(s, m->record);
    m->changes++;
    m->record = m->newest;
    note_limit(s, m->record);
    m->is_behind = true;
    if (m->newest != SIM_NO_RECORD) {
        s->ledger.records[m->newest].may_be_copied = true;
    }
}

static witness_verdict judge(sim *s, sim_metric *m, const spb_sample *sample) {
    uint32_t quality = sample->flags & SIM_QUALITY;
    bool is_other = !spb_value_equal(&m->witness.newest, &sample->value);
    witness_verdict verdict = witness_take(&m->witness, &sample->value, sample->timestamp_ms, (uint16_t)quality,
                                           (sample->flags & SPB_SAMPLE_FORCED) != 0);
    if (m->is_unsure) {
        s->counts.has_guessed = true;
    } else if (verdict.releases_held) {
        s->turn++;
        sim_rules_released(s, (int)(m - s->metrics));
    } else if (verdict.replaces_held) {
        replace_held(s, m);
    }
    if (verdict.kind == WITNESS_HOLD || verdict.kind == WITNESS_DEFER) {
        uint64_t at_ms = sample->timestamp_ms;
        uint64_t due_ms = s->now.mono_ms + (verdict.until_ms > at_ms ? verdict.until_ms - at_ms : 0);
        s->holders[m->holder].scan += !verdict.is_running && m->due_ms <= due_ms; /* ends the wait of those before */
        m->due_ms = verdict.is_running && m->due_ms < due_ms ? m->due_ms : due_ms;
    } else if (verdict.kind == WITNESS_SEND) {
        m->due_ms = SPB_NEVER;
    }
    m->is_ahead |= is_other;
    return verdict;
}

void sim_rules_accepted(sim *s, const spb_sample *sample, int metric, const spb_stats *before) {
    sim_metric *m = &s->metrics[metric];
    spb_stats after;
    spb_session_stats(s->session, &after);
    uint64_t overflowed = after.samples_dropped_overflow - before->samples_dropped_overflow;
    if (after.samples_accepted != before->samples_accepted + 1) {
        sim_fail(s, "samples", "an update that was taken was not counted");
    }
    s->counts.accepted++;
    witness_verdict verdict = judge(s, m, sample);
    news n = {.metric = metric,
              .hash = sim_look(&sample->value, sample->flags & SIM_QUALITY),
              .timestamp_ms = sample->timestamp_ms,
              .has_overflowed = overflowed > 0 && !verdict.releases_held,
              .is_deferred = verdict.kind == WITNESS_DEFER,
              .is_urgent = m->is_urgent || (sample->flags & SPB_SAMPLE_URGENT) != 0,
              .is_doubtful = after.samples_dropped_disk != before->samples_dropped_disk,
              .turn = verdict.releases_held ? s->turn : 0};
    m->hash = n.hash;
    m->timestamp_ms = n.timestamp_ms;
    if (s->level != SPB_DELIVERY_LIVE) {
        m->newest = sim_ledger_add(s, metric, n.hash, n.timestamp_ms);
        sim_note(s, "    as sample #%u", m->newest);
    }
    if (m->is_unsure) {
        s->counts.overflowed += overflowed;
        take_unsure(s, &n);
    } else if (verdict.kind == WITNESS_DROP || verdict.kind == WITNESS_HOLD) {
        hold_back(s, m, verdict.kind == WITNESS_HOLD);
    } else {
        m->record = m->newest;
        take_news(s, &n);
    }
    if (overflowed > 0 && verdict.releases_held && !m->is_unsure) {
        sim_rules_overflowed(s, overflowed, s->turn);
    }
    if (!m->is_unsure && after.samples_suppressed - before->samples_suppressed !=
                             (uint64_t)(verdict.kind == WITNESS_DROP) + verdict.replaces_held) {
        sim_fail(s, "exception", "%s at %llu: %llu samples were suppressed instead of %d", m->name,
                 (unsigned long long)m->timestamp_ms,
                 (unsigned long long)(after.samples_suppressed - before->samples_suppressed),
                 (verdict.kind == WITNESS_DROP) + verdict.replaces_held);
    }
}

/* ---- a sample of the past ---- */

/* Along with live data, if hosts know the metric; else it is dropped. */
static void go_along(sim *s, const news *n, const spb_stats *before, const spb_stats *after) {
    sim_metric *m = &s->metrics[n->metric];
    bool is_followed = has_followers(s, m), has_doubt = may_lack_followers(s, m) || m->is_unsure;
    uint64_t offline = after->samples_dropped_offline - before->samples_dropped_offline;
    uint64_t overflowed = after->samples_dropped_overflow - before->samples_dropped_overflow;
    s->counts.overflowed += overflowed;
    s->counts.dropped_offline += offline;
    if (offline + overflowed == 0) {
        s->counts.uncertain += has_doubt;
        owe_news(s, n, has_doubt);
    }
    if (!has_doubt && offline != !is_followed) {
        sim_fail(s, "past", "%s at %llu was %s", m->name, (unsigned long long)n->timestamp_ms,
                 is_followed ? "dropped, though hosts follow it" : "kept, though no host follows it");
    }
}

/* It is sent as historical, whatever the rules say, and is nothing to hosts and births but that. */
void sim_rules_past(sim *s, const spb_sample *sample, int metric, const spb_stats *before) {
    sim_metric *m = &s->metrics[metric];
    spb_stats after;
    uint64_t timestamp_ms;
    spb_session_stats(s->session, &after);
    spb_value value = spb_session_value(s->session, m->handle, &timestamp_ms);
    news n = {.metric = metric,
              .hash = sim_look(&sample->value, sample->flags & SIM_QUALITY),
              .timestamp_ms = sample->timestamp_ms,
              .is_past = true};
    s->counts.accepted++;
    s->idle_ticks = 0;
    sim_note(s, "  %s at %llu is taken, as of the past", m->name, (unsigned long long)n.timestamp_ms);
    if (after.samples_accepted != before->samples_accepted + 1 ||
        after.samples_historical != before->samples_historical + 1 ||
        after.samples_suppressed != before->samples_suppressed) {
        sim_fail(s, "past", "%s at %llu was not counted as it should be", m->name, (unsigned long long)n.timestamp_ms);
    }
    if (timestamp_ms != m->timestamp_ms || sim_look(&value, m->witness.quality) != m->hash) {
        sim_fail(s, "past", "%s at %llu has replaced the value of %llu", m->name, (unsigned long long)n.timestamp_ms,
                 (unsigned long long)m->timestamp_ms);
    }
    if (s->level == SPB_DELIVERY_LIVE) {
        go_along(s, &n, before, &after);
    } else {
        uint32_t number = sim_ledger_add(s, metric, n.hash, n.timestamp_ms);
        s->ledger.records[number].is_past = true;
        s->holders[m->holder].scan += s->options.strict_order; /* what comes now is behind it */
        sim_note(s, "    as sample #%u", number);
    }
}
