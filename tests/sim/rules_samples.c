/*
 * Where each sample goes. A sample that was accepted while hosts follow its metric is owed: it must be sent, once, in
 * the order of its holder. Without hosts it is the value of the next birth, or replaced by a newer one, which counts as
 * dropped offline. The counters must tell the same story:
 *
 *   accepted + caught up = confirmed + unconfirmed + dropped offline + overflow + lost + waiting + for the next birth
 *
 * What was published, or carried by a birth, is unconfirmed, and then confirmed or lost.
 * "Caught up" is the present value of a metric whose sample was dropped by overflow, sent when the queue has drained.
 */
#include <string.h>

#include "sim/sim.h"
#include "support/sample_sum.h"

/* ---- a sample leaves ---- */

static bool is_same(const sim_sample *a, const sim_sample *b) {
    return a->metric == b->metric && a->hash == b->hash && a->timestamp_ms == b->timestamp_ms &&
           a->is_past == b->is_past;
}

bool sim_rules_owes(const sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    const sim_holder *holder = &s->holders[s->metrics[metric].holder];
    sim_sample wanted = {.metric = metric, .hash = hash, .timestamp_ms = timestamp_ms};
    sim_sample past = {.metric = metric, .hash = hash, .timestamp_ms = timestamp_ms, .is_past = true};
    bool is_owed = false;
    for (size_t i = 0; i < holder->owed_count; i++) {
        const sim_sample *owed = &holder->owed[holder->owed_first + i];
        is_owed |= is_same(owed, &wanted) || is_same(owed, &past);
    }
    return is_owed;
}

static void take_owed(sim_holder *holder, size_t index) {
    sim_sample *at = &holder->owed[holder->owed_first];
    memmove(at + 1, at, index * sizeof *at);
    holder->owed_first++;
    holder->owed_count--;
}

/* What is sent besides is known from then on: when exactly, only the session knows. True: it was held. */
static bool hear_newest(sim_metric *m, const sim_sample *sent) {
    if (!m->has_rule || sent->is_past || sent->hash != m->hash || sent->timestamp_ms != m->timestamp_ms) {
        return false;
    }
    bool was_held = m->witness.is_held;
    m->is_unsent = m->is_unsent && !was_held;
    m->is_unsure = true;
    m->told_hash = m->hash;
    m->told_ms = m->timestamp_ms;
    witness_born(&m->witness);
    return was_held;
}

/* The samples that are owed come in order; those that may be sent come before the next of them, in any order. */
static bool pay(sim *s, sim_holder *holder, const sim_sample *sent) {
    sim_sample *at = &holder->owed[holder->owed_first];
    size_t optional = 0, found = holder->owed_count;
    for (; optional < holder->owed_count && at[optional].is_optional; optional++) {
        found = found == holder->owed_count && is_same(&at[optional], sent) ? optional : found;
    }
    size_t next = optional; /* or another of the same turn */
    while (next < holder->owed_count && at[next].turn != 0 && at[next].turn == at[optional].turn &&
           !is_same(&at[next], sent)) {
        next++;
    }
    bool is_next = next < holder->owed_count && !at[next].is_optional && is_same(&at[next], sent);
    if (found < optional) {
        sim_metric *m = &s->metrics[sent->metric];
        m->is_behind = m->is_behind && at[found].changes != m->changes;
        if (is_next) { /* either of the two: then the other one may follow */
            at[next].is_optional = true;
            s->counts.uncertain++;
        }
        s->counts.caught_up += !hear_newest(m, sent);
        s->is_message_paid = false;
        take_owed(holder, found);
        return true;
    }
    if (is_next) {
        s->message_turn = at[next].turn;
        s->message_cut = at[next].cut;
        s->is_message_early &= at[next].due_ms > s->now.mono_ms;
        s->message_scan = at[next].scan > s->message_scan ? at[next].scan : s->message_scan;
    }
    if (is_next && next > optional) {
        take_owed(holder, next);
        return true;
    }
    holder->owed_first += is_next ? optional + 1 : 0;
    holder->owed_count -= is_next ? optional + 1 : 0;
    return is_next;
}

/* Takes it out of what is owed, wherever it stands: it goes to the journal. When it is the newest of its metric, it may
 * be sent as well, so that hosts know the present value. */
static void remove_owed(sim *s, sim_holder *holder, size_t index) {
    sim_sample *at = &holder->owed[holder->owed_first + index];
    uint32_t number = sim_ledger_find(s, at->metric, at->hash, at->timestamp_ms);
    if (number != SIM_NO_RECORD && s->metrics[at->metric].record == number) {
        s->metrics[at->metric].is_unsure |= s->metrics[at->metric].has_rule;
        s->ledger.records[number].may_be_copied = true;
        s->ledger.records[s->metrics[at->metric].newest].may_be_copied = true;
    }
    memmove(at, at + 1, (holder->owed_count - index - 1) * sizeof *at);
    holder->owed_count--;
}

void sim_rules_settle_owed(sim *s, uint32_t record) {
    const sim_record *stored = &s->ledger.records[record];
    sim_sample sample = {.metric = stored->metric, .hash = stored->hash, .timestamp_ms = stored->timestamp_ms};
    sim_holder *holder = &s->holders[s->metrics[stored->metric].holder];
    for (size_t i = 0; i < holder->owed_count; i++) {
        if (is_same(&holder->owed[holder->owed_first + i], &sample)) {
            remove_owed(s, holder, i);
            return;
        }
    }
}

/* What is on its way to the journal need not be sent as live data, but then not behind newer data. Of a metric that is
 * unsure, what may be sent stands anywhere, and tells nothing of others. */
static void pass_stored(sim *s, sim_holder *holder, const sim_sample *sent) {
    size_t found = 0;
    while (found < holder->owed_count && !is_same(&holder->owed[holder->owed_first + found], sent)) {
        found++;
    }
    bool is_owed = found < holder->owed_count &&
                   !(holder->owed[holder->owed_first + found].is_optional && s->metrics[sent->metric].is_unsure);
    uint32_t turn = is_owed ? holder->owed[holder->owed_first + found].turn : 0;
    for (size_t i = 0, at = 0; is_owed && i < found; i++) {
        if (turn != 0 && holder->owed[holder->owed_first + at].turn == turn) {
            at++; /* in any order */
        } else {
            remove_owed(s, holder, at);
        }
    }
}

/* In any order, as often as it likes. */
static void pay_unsure(sim *s, sim_holder *holder, const sim_sample *sent) {
    s->counts.uncertain++;
    s->is_message_paid = false;
    for (size_t i = 0; i < holder->owed_count; i++) {
        if (is_same(&holder->owed[holder->owed_first + i], sent)) {
            take_owed(holder, i);
            return;
        }
    }
}

void sim_rules_sample(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms, bool is_past) {
    sim_metric *m = &s->metrics[metric];
    sim_holder *holder = &s->holders[m->holder];
    sim_sample sent = {.metric = metric, .hash = hash, .timestamp_ms = timestamp_ms, .is_past = is_past};
    sim_note(s, "  %s at %llu%s", m->name, (unsigned long long)timestamp_ms, is_past ? ", of the past" : "");
    if (s->level != SPB_DELIVERY_LIVE) {
        pass_stored(s, holder, &sent);
    }
    if (m->is_unsure) {
        pay_unsure(s, holder, &sent);
        return;
    }
    if (pay(s, holder, &sent)) {
        return;
    }
    bool was_shifted = s->level == SPB_DELIVERY_LIVE && s->has_unset_clocks;
    /* What catches up has the right time once the clock is set, though its sample was taken before. */
    uint32_t number = sim_ledger_find_shifted(s, metric, hash, timestamp_ms);
    bool is_newest = hash == m->hash && timestamp_ms == m->timestamp_ms;
    /* The value that caught up with samples that were too large: the newest, or one whose block has made room since. */
    bool was_cut = s->wire.max_packet_bytes > 0 &&
                   (is_newest || (number != SIM_NO_RECORD && s->ledger.records[number].was_stored));
    if (was_shifted || was_cut) {
        s->counts.uncertain++;
        if (number != SIM_NO_RECORD) {
            s->ledger.records[number].may_be_copied = true;
        }
        return;
    }
    bool may_catch_up = m->is_behind || (s->level != SPB_DELIVERY_LIVE && m->keep != SPB_KEEP_ALL);
    bool catches_up = may_catch_up && is_newest;
    bool is_copy = number != SIM_NO_RECORD && s->ledger.records[number].may_be_copied;
    bool can_tell = s->counts.overflowed == 0 && s->scenario.permille[SIM_ALLOCATION_FAILS] == 0;
    if (is_copy || catches_up || (s->level != SPB_DELIVERY_LIVE && !can_tell)) {
        bool was_held = hear_newest(m, &sent);
        s->counts.caught_up += !is_copy && !was_held; /* what is ahead of it is on its way to the journal */
        return;
    }
    const sim_sample *next = holder->owed_count > 0 ? &holder->owed[holder->owed_first] : NULL;
    sim_fail(s, "samples", "%s at %llu was sent, but %s at %llu comes first of %zu owed samples", m->name,
             (unsigned long long)timestamp_ms, next ? s->metrics[next->metric].name : "nothing",
             next ? (unsigned long long)next->timestamp_ms : 0, holder->owed_count);
}

static bool must_wait(const sim *s, const sim_holder *holder, int metric, uint32_t changes) {
    for (size_t k = 0; k < holder->owed_count; k++) {
        const sim_sample *owed = &holder->owed[holder->owed_first + k];
        bool is_sure = !owed->is_optional && !s->metrics[owed->metric].is_unsure;
        if (is_sure || (owed->metric == metric && owed->changes == changes)) {
            return true;
        }
    }
    return false;
}

/* The queue of the holder may have drained: then the present values of what is behind follow. */
void sim_rules_sampled(sim *s, unsigned holder) {
    for (size_t i = 0; i < s->metric_count; i++) {
        const sim_metric *m = &s->metrics[i];
        if (m->holder == holder && m->is_behind && m->in_birth &&
            !must_wait(s, &s->holders[holder], (int)i, m->changes)) {
            if (m->newest != SIM_NO_RECORD) {
                s->ledger.records[m->newest].may_be_copied = true;
            }
            sim_rules_owe(&s->holders[holder], (sim_sample){.metric = (int)i,
                                                            .hash = m->hash,
                                                            .timestamp_ms = m->timestamp_ms,
                                                            .is_optional = true,
                                                            .changes = m->changes});
        }
    }
}

void sim_rules_carried(sim *s, unsigned holder) {
    for (size_t i = 0; i < s->metric_count; i++) {
        if (s->metrics[i].holder == holder) {
            sim_metric *m = &s->metrics[i];
            s->counts.carried += m->is_unsent || m->is_unsure;
            if (m->is_unsent && s->level != SPB_DELIVERY_LIVE) {
                sim_ledger_carry(s, m);
            }
            m->is_unsent = false;
            m->is_behind |= m->is_ahead && sim_rules_has_older(s, holder);
            m->is_unsure = m->has_rule && m->is_behind;
            m->is_ahead = false;
            m->told_hash = m->hash;
            m->told_ms = m->timestamp_ms;
            witness_born(&m->witness);
        }
    }
}

/* Each may be sent, or not. */
void sim_rules_doubt_owed(sim *s, unsigned holder) {
    sim_holder *h = &s->holders[holder];
    for (size_t k = 0; k < h->owed_count; k++) {
        sim_sample *owed = &h->owed[h->owed_first + k];
        s->counts.uncertain++;
        owed->is_optional = true;
    }
}

/* What was to catch up may have been counted as lost, too. */
void sim_rules_drop_owed(sim *s, unsigned holder) {
    sim_holder *h = &s->holders[holder];
    for (size_t k = 0; k < h->owed_count; k++) {
        s->counts.uncertain += h->owed[h->owed_first + k].is_optional;
    }
    h->owed_count = 0;
}

/* What waits for a device that is gone, or may be, does not follow the next births for sure. */
static void keep_owed(sim *s, unsigned holder) {
    sim_holder *h = &s->holders[holder];
    if (!h->is_online) {
        sim_rules_drop_owed(s, holder);
    }
    if (h->may_lose || h->is_flushing) {
        sim_rules_doubt_owed(s, holder);
    }
}

/* Nobody follows any more. Samples that waited are lost, or follow the next births. */
void sim_rules_forget(sim *s, bool keeps_samples) {
    if (s->level != SPB_DELIVERY_LIVE) {
        keeps_samples = s->journal.has_failed; /* else they go to the journal */
    }
    for (size_t i = 0; i < s->holder_count; i++) {
        sim_holder *holder = &s->holders[i];
        if (keeps_samples) {
            keep_owed(s, (unsigned)i);
            if (s->level != SPB_DELIVERY_LIVE) {
                sim_rules_doubt_owed(s, (unsigned)i);
            }
        } else {
            sim_rules_drop_owed(s, (unsigned)i);
        }
        holder->is_born = holder->is_due = holder->has_cause = holder->is_dying = holder->may_lose = false;
        holder->is_flushing = false;
    }
    for (size_t i = 0; i < s->metric_count; i++) {
        s->metrics[i].in_birth = false;
        s->metrics[i].is_behind &= keeps_samples;
    }
}

/* Samples that are owed, at least and at most, and those that may be sent. */
static void count_owed(const sim *s, int64_t *sure, int64_t *all, int64_t *optional) {
    *sure = *all = *optional = 0;
    for (size_t i = 0; i < s->holder_count; i++) {
        const sim_holder *holder = &s->holders[i];
        for (size_t k = 0; k < holder->owed_count; k++) {
            bool is_sure = !holder->owed[holder->owed_first + k].is_optional;
            *all += is_sure;
            *sure += is_sure && !holder->may_lose;
            *optional += !is_sure;
        }
    }
}

static int64_t count_unsent(const sim *s) {
    int64_t count = 0;
    for (size_t i = 0; i < s->metric_count; i++) {
        count += s->metrics[i].is_unsent;
    }
    return count;
}

static void expect(sim *s, const char *what, uint64_t told, uint64_t counted) {
    if (told != counted) {
        sim_fail(s, "counters", "%s is %llu, but there were %llu", what, (unsigned long long)told,
                 (unsigned long long)counted);
    }
}

/* As <spb/session.h> has it. A journal that gave something up may have had it under way. */
static void check_sum(sim *s, const spb_stats *stats) {
    sample_sum sum = sample_sum_of(stats);
    if (stats->samples_dropped_journal == 0) {
        expect(s, "the sum of all samples", sum.now + sum.ended, sum.in);
    }
}

void sim_rules_count(sim *s) {
    s->counts.has_guessed |= sim_exception_is_unsure(s);
    const sim_counts *c = &s->counts;
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    check_sum(s, &stats);
    expect(s, "connects", stats.connects, c->connects);
    expect(s, "births", stats.births, c->births);
    expect(s, "messages_published", stats.messages_published, c->messages);
    expect(s, "bytes_published", stats.bytes_published, c->bytes);
    expect(s, "samples_accepted", stats.samples_accepted, c->accepted);
    if (!c->has_guessed) {
        expect(s, "samples_suppressed", stats.samples_suppressed, c->suppressed);
    }
    expect(s, "samples_published", stats.samples_published, c->published);
    expect(s, "rebirth_requests", stats.rebirth_requests, c->rebirth_requests);
    expect(s, "commands_accepted", stats.commands_accepted, c->writes_accepted);
    if (s->has_packet_limits || s->level != SPB_DELIVERY_LIVE) {
        return; /* only the session knows what was too large */
    }
    if (!c->has_guessed) {
        expect(s, "samples_dropped_overflow", stats.samples_dropped_overflow, c->overflowed);
    }
    if (c->uncertain == 0) {
        expect(s, "samples_dropped_offline", stats.samples_dropped_offline, c->dropped_offline);
    }
    int64_t waiting = (int64_t)(c->accepted + c->caught_up - stats.samples_confirmed - stats.samples_unconfirmed -
                                stats.samples_dropped_offline - stats.samples_dropped_overflow -
                                stats.samples_dropped_lost - stats.samples_suppressed) -
                      count_unsent(s);
    int64_t sure, all, optional, doubt = (int64_t)c->uncertain;
    count_owed(s, &sure, &all, &optional);
    if (spb_session_get_state(s->session) == SPB_SESSION_STOPPING) {
        sure = 0; /* what cannot be sent any more may have been dropped already */
    }
    if (waiting < sure - optional - doubt || waiting > all + doubt) {
        sim_fail(s, "samples",
                 "%lld neither sent nor counted as dropped, of which %lld to %lld wait "
                 "(accepted %llu, confirmed %llu, unconfirmed %llu, offline %llu, overflow %llu, lost %llu)",
                 (long long)waiting, (long long)sure, (long long)all, (unsigned long long)stats.samples_accepted,
                 (unsigned long long)stats.samples_confirmed, (unsigned long long)stats.samples_unconfirmed,
                 (unsigned long long)stats.samples_dropped_offline, (unsigned long long)stats.samples_dropped_overflow,
                 (unsigned long long)stats.samples_dropped_lost);
    }
}
