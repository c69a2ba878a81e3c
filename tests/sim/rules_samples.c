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
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* Until its NDEATH, a node that is being stopped may send what comes. */
static bool is_stopping(const sim *s) {
    return spb_session_get_state(s->session) == SPB_SESSION_STOPPING && s->level != SPB_DELIVERY_LIVE;
}

static bool is_live(const sim *s) {
    spb_session_state state = spb_session_get_state(s->session);
    return (state == SPB_SESSION_BIRTHING || state == SPB_SESSION_ONLINE || is_stopping(s)) && s->wire.is_born;
}

static void owe(sim_holder *holder, sim_sample sample) {
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

void sim_rules_accepted(sim *s, int metric, const spb_value *value, uint64_t timestamp_ms, const spb_stats *before) {
    sim_metric *m = &s->metrics[metric];
    sim_holder *holder = &s->holders[m->holder];
    spb_stats after;
    spb_session_stats(s->session, &after);
    bool is_followed = is_live(s) && holder->is_born && holder->is_online && m->in_birth;
    bool has_overflowed = after.samples_dropped_overflow != before->samples_dropped_overflow;
    bool has_doubt = holder->may_lose || is_stopping(s) || (holder->is_dying && s->level != SPB_DELIVERY_LIVE) ||
                     s->wire.max_packet_bytes > 0 || /* until its DBIRTH, only the session knows */
                     after.samples_dropped_disk != before->samples_dropped_disk;
    m->hash = sim_hash(value);
    m->timestamp_ms = timestamp_ms;
    sim_note(s, "  %s at %llu is taken%s", m->name, (unsigned long long)timestamp_ms,
             has_overflowed ? ", and dropped"
             : is_followed  ? ""
                            : ", without followers");
    s->idle_ticks = s->level == SPB_DELIVERY_DURABLE ? 0 : s->idle_ticks; /* its message is closed without an action */
    s->counts.accepted++;
    s->counts.dropped_offline += m->is_unsent;
    s->counts.overflowed += has_overflowed;
    sim_sample sample = {.metric = metric, .hash = m->hash, .timestamp_ms = timestamp_ms, .since_ms = s->now.mono_ms};
    if (s->level != SPB_DELIVERY_LIVE) {
        m->record = sim_ledger_add(s, metric, m->hash, timestamp_ms);
        sim_note(s, "    as sample #%u", m->record);
    }
    if (is_followed && has_doubt) {
        s->counts.uncertain++;
        m->is_unsent = !has_overflowed;
        m->is_behind |= has_overflowed;
        m->changes++;
        sample.is_optional = true;
        owe(holder, sample);
    } else if (is_followed) {
        m->is_unsent = false;
        m->is_behind = has_overflowed;
        m->changes += has_overflowed;
        if (!has_overflowed) {
            owe(holder, sample);
        }
    } else {
        m->changes++;
        m->is_unsent = true;
        m->is_behind |= holder->owed_count > 0; /* these take hosts back, so it may be sent once more after them */
        if (has_overflowed) {
            sim_fail(s, "samples", "overflow of %s, which nobody follows", m->name);
        }
    }
    if (after.samples_accepted != before->samples_accepted + 1) {
        sim_fail(s, "samples", "an update that was taken was not counted");
    }
}

static bool is_same(const sim_sample *a, const sim_sample *b) {
    return a->metric == b->metric && a->hash == b->hash && a->timestamp_ms == b->timestamp_ms;
}

static void take_owed(sim_holder *holder, size_t index) {
    sim_sample *at = &holder->owed[holder->owed_first];
    memmove(at + 1, at, index * sizeof *at);
    holder->owed_first++;
    holder->owed_count--;
}

/* The samples that are owed come in order; those that may be sent come before the next of them, in any order. */
static bool pay(sim *s, sim_holder *holder, const sim_sample *sent) {
    sim_sample *at = &holder->owed[holder->owed_first];
    size_t optional = 0, found = holder->owed_count;
    for (; optional < holder->owed_count && at[optional].is_optional; optional++) {
        found = found == holder->owed_count && is_same(&at[optional], sent) ? optional : found;
    }
    bool is_next = optional < holder->owed_count && is_same(&at[optional], sent);
    if (found < optional) {
        sim_metric *m = &s->metrics[sent->metric];
        m->is_behind = m->is_behind && at[found].changes != m->changes;
        if (is_next) { /* either of the two: then the other one may follow */
            at[optional].is_optional = true;
            s->counts.uncertain++;
        }
        s->counts.caught_up++;
        take_owed(holder, found);
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
        s->ledger.records[number].may_be_copied = true;
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

/* What is on its way to the journal need not be sent as live data, but then not behind newer data. */
static void pass_stored(sim *s, sim_holder *holder, const sim_sample *sent) {
    size_t found = 0;
    while (found < holder->owed_count && !is_same(&holder->owed[holder->owed_first + found], sent)) {
        found++;
    }
    bool is_owed = found < holder->owed_count;
    for (size_t i = 0; is_owed && i < found; i++) {
        remove_owed(s, holder, 0);
    }
}

void sim_rules_sample(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    sim_metric *m = &s->metrics[metric];
    sim_holder *holder = &s->holders[m->holder];
    sim_sample sent = {.metric = metric, .hash = hash, .timestamp_ms = timestamp_ms};
    sim_note(s, "  %s at %llu", m->name, (unsigned long long)timestamp_ms);
    if (s->level != SPB_DELIVERY_LIVE) {
        pass_stored(s, holder, &sent);
    }
    if (pay(s, holder, &sent)) {
        return;
    }
    bool was_shifted = s->level == SPB_DELIVERY_LIVE && s->has_unset_clocks;
    if (was_shifted || s->wire.max_packet_bytes > 0) { /* the value that caught up with samples that were too large */
        s->counts.uncertain++;
        return;
    }
    uint32_t number = sim_ledger_find(s, metric, hash, timestamp_ms);
    bool is_copy = number != SIM_NO_RECORD && s->ledger.records[number].may_be_copied;
    bool can_tell = s->counts.overflowed == 0 && s->scenario.permille[SIM_ALLOCATION_FAILS] == 0;
    if (is_copy || (s->level != SPB_DELIVERY_LIVE && !can_tell)) {
        s->counts.caught_up += !is_copy; /* what is ahead of it is on its way to the journal */
        return;
    }
    const sim_sample *next = holder->owed_count > 0 ? &holder->owed[holder->owed_first] : NULL;
    sim_fail(s, "samples", "%s at %llu was sent, but %s at %llu comes first of %zu owed samples", m->name,
             (unsigned long long)timestamp_ms, next ? s->metrics[next->metric].name : "nothing",
             next ? (unsigned long long)next->timestamp_ms : 0, holder->owed_count);
}

static bool must_wait(const sim_holder *holder, int metric, uint32_t changes) {
    for (size_t k = 0; k < holder->owed_count; k++) {
        const sim_sample *owed = &holder->owed[holder->owed_first + k];
        if (!owed->is_optional || (owed->metric == metric && owed->changes == changes)) {
            return true;
        }
    }
    return false;
}

/* The queue of the holder may have drained: then the present values of what is behind follow. */
void sim_rules_sampled(sim *s, unsigned holder) {
    for (size_t i = 0; i < s->metric_count; i++) {
        const sim_metric *m = &s->metrics[i];
        if (m->holder == holder && m->is_behind && m->in_birth && !must_wait(&s->holders[holder], (int)i, m->changes)) {
            if (m->record != SIM_NO_RECORD) {
                s->ledger.records[m->record].may_be_copied = true;
            }
            owe(&s->holders[holder], (sim_sample){.metric = (int)i,
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
            s->counts.carried += s->metrics[i].is_unsent;
            if (s->metrics[i].is_unsent && s->level != SPB_DELIVERY_LIVE) {
                sim_ledger_carry(s, &s->metrics[i]);
            }
            s->metrics[i].is_unsent = false;
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

void sim_rules_count(sim *s) {
    const sim_counts *c = &s->counts;
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    expect(s, "connects", stats.connects, c->connects);
    expect(s, "births", stats.births, c->births);
    expect(s, "messages_published", stats.messages_published, c->messages);
    expect(s, "bytes_published", stats.bytes_published, c->bytes);
    expect(s, "samples_accepted", stats.samples_accepted, c->accepted);
    expect(s, "samples_published", stats.samples_published, c->published);
    expect(s, "rebirth_requests", stats.rebirth_requests, c->rebirth_requests);
    expect(s, "commands_accepted", stats.commands_accepted, c->writes_accepted);
    if (s->has_packet_limits || s->level != SPB_DELIVERY_LIVE) {
        return; /* only the session knows what was too large */
    }
    expect(s, "samples_dropped_overflow", stats.samples_dropped_overflow, c->overflowed);
    if (c->uncertain == 0) {
        expect(s, "samples_dropped_offline", stats.samples_dropped_offline, c->dropped_offline);
    }
    int64_t waiting =
        (int64_t)(c->accepted + c->caught_up - stats.samples_confirmed - stats.samples_unconfirmed -
                  stats.samples_dropped_offline - stats.samples_dropped_overflow - stats.samples_dropped_lost) -
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
