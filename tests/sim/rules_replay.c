/* What is replayed: only what was read from the journal and has not arrived, in order, flagged, at its pace and behind
 * live data; and that everything has come in the end. */
#include <stdio.h>

#include "sim/sim.h"

/* What has not come after so long, besides the time that the pace of the replay takes, is not on its way any more, but
 * for the next process. */
#define PATIENCE_MS 150000

/* Without memory or disk, the session may have to read and send a chunk again, or to store things late. */
static bool is_forgetful(const sim *s) {
    return s->scenario.permille[SIM_ALLOCATION_FAILS] > 0 || s->journal.has_ever_failed;
}

/* ---- samples and messages ---- */

void sim_replay_sample(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    sim_metric *m = &s->metrics[metric];
    unsigned long long at_ms = timestamp_ms;
    uint32_t number = sim_ledger_find_shifted(s, metric, hash, timestamp_ms);
    sim_note(s, "  %s at %llu, historical, #%u", m->name, at_ms, number);
    if (s->level == SPB_DELIVERY_LIVE || number == SIM_NO_RECORD) {
        sim_fail(s, "replay", "%s at %llu was never taken", m->name, at_ms);
        return;
    }
    sim_record *record = &s->ledger.records[number];
    /* Then a chunk comes again as a whole; and by time, one cannot tell what had arrived. */
    bool is_by_time = sim_is_kept_by_time(s);
    bool was_host_away = s->host_offline_ms != SPB_NEVER || is_by_time;
    bool comes_again = record->is_reopened || record->may_come_again || record->may_be_copied || was_host_away;
    const sim_block *block = record->block < s->journal.count ? &s->journal.blocks[record->block] : NULL;
    if (record->may_be_copied || m->was_unsure) {
        comes_again = true; /* from any of its blocks */
    } else if (!block || !block->is_read) {
        sim_fail(s, "replay", "%s at %llu was not read from the journal", m->name, at_ms);
    } else if (block->is_confirmed || (record->is_confirmed && !comes_again && !is_forgetful(s))) {
        sim_fail(s, "replay", "%s at %llu has arrived before", m->name, at_ms);
    }
    uint32_t *replayed_before = &m->replayed_before[record->is_past];
    if (number < *replayed_before && !comes_again && !is_forgetful(s) && !m->was_unsure) {
        sim_fail(s, "replay", "%s at %llu comes behind newer ones", m->name, at_ms);
    }
    *replayed_before = comes_again ? *replayed_before : number + 1;
    s->way.is_replaying = true;
    s->way.replayed++;
    sim_way_send(s, number);
    sim_rules_settle_owed(s, number);
}

/* One more way to say what a token bucket says: what may leave grows with time, up to 100 ms worth. */
static void check_rate(sim *s, double *level, uint32_t per_s, size_t amount, uint64_t elapsed_ms, const char *what) {
    double most = per_s / 10.0;
    *level += (double)elapsed_ms * per_s / 1000.0;
    *level = *level > most ? most : *level;
    double wanted = (double)amount < most ? (double)amount : most;
    double slack = 1e-6 + (double)amount / 10; /* framing makes a message a little larger than it looked before */
    if (per_s > 0 && *level + slack < wanted) {
        sim_fail(s, "pace", "a replay of %zu %s, but %.1f may leave at %u/s", amount, what, *level, per_s);
    }
    *level -= (double)amount;
}

/* What was taken before the clock was set goes to the journal, where its time is put right, and is not live any more.
 */
static bool is_of_old_time(const sim *s, const sim_sample *sample) {
    return sample->timestamp_ms < SPB_EARLIEST_MS && s->now.wall_ms >= SPB_EARLIEST_MS;
}

static const sim_sample *oldest_live(const sim *s, const sim_holder *holder) {
    for (size_t i = 0; i < holder->owed_count; i++) {
        const sim_sample *owed = &holder->owed[holder->owed_first + i];
        if (!is_of_old_time(s, owed)) {
            return owed;
        }
    }
    return NULL;
}

/* Data that has waited for its window goes first. Where little may wait, it may be on its way to the journal. */
static void check_live_first(sim *s) {
    bool can_tell = s->level == SPB_DELIVERY_OUTAGE && !s->options.strict_order &&
                    s->options.batch_max_bytes >= 65536 && !is_forgetful(s);
    for (size_t i = 0; i < s->holder_count && can_tell; i++) {
        const sim_holder *holder = &s->holders[i];
        const sim_sample *oldest = oldest_live(s, holder);
        if (oldest && !oldest->is_optional && holder->is_born && !holder->has_cause && !holder->is_dying &&
            !holder->is_due && !holder->may_lose && oldest->leave_ms < s->now.mono_ms &&
            oldest->since_ms + s->options.batch_window_ms < s->now.mono_ms) {
            sim_fail(s, "live first", "a replay, but %s has waited for %llu ms", s->metrics[oldest->metric].name,
                     (unsigned long long)(s->now.mono_ms - oldest->since_ms));
        }
    }
}

void sim_replay_published(sim *s, size_t bytes) {
    sim_way *way = &s->way;
    uint64_t elapsed_ms = s->now.mono_ms - way->level_ms;
    way->level_ms = s->now.mono_ms;
    check_rate(s, &way->samples_level, s->options.replay_samples_per_s, way->publishing_count, elapsed_ms, "samples");
    check_rate(s, &way->bytes_level, s->options.replay_bytes_per_s, bytes, elapsed_ms, "bytes");
    check_live_first(s);
    if (way->publishing_count > 10000 || bytes > (256u + 128u) * 1024u) {
        sim_fail(s, "replay", "a message of %u samples, %zu bytes", way->publishing_count, bytes);
    }
}

/* ---- strict order ---- */

/* The journal has it, or will have, and it has not been sent on this link; nor is it live data, whose order is judged
 * elsewhere. */
static bool is_awaited(const sim *s, const sim_record *record, bool has_dropped) {
    bool was_sent = record->sent > 0 && s->way.is_born && record->sent_ms >= s->way.born_since_ms;
    bool waits = record->is_past && !record->was_stored && !record->is_old && record->sent == 0 && !has_dropped;
    /* Where time alone confirms, what was sent before may count as read by now. So does what an earlier process kept
     * for hosts, and was about to send once more when it was killed. */
    bool may_be_read = record->was_kept || (s->options.confirm == SPB_CONFIRM_WINDOW && record->sent > 0);
    bool is_stored = record->copies > 0 && !record->is_confirmed && !may_be_read;
    return (is_stored || waits) && !record->is_excused && !was_sent && !s->metrics[record->metric].was_unsure &&
           !sim_rules_owes(s, record->metric, record->hash, record->timestamp_ms);
}

bool sim_replay_can_be_sent(const sim *s, unsigned holder) {
    bool can_be = s->holders[holder].is_born;
    for (size_t i = 0; i < s->metric_count; i++) {
        can_be &= s->metrics[i].holder != holder || (s->metrics[i].in_birth && !s->metrics[i].is_removed);
    }
    return can_be;
}

/* No live sample goes ahead of older history of its holder, unless it has to leave before a birth or death, or the
 * history cannot be replayed yet: the journal fails, or the times are not known. */
void sim_replay_check_order(sim *s, uint32_t number) {
    const sim_record *live = &s->ledger.records[number];
    unsigned index = s->metrics[live->metric].holder;
    const sim_holder *holder = &s->holders[index];
    bool can_tell = s->options.strict_order && s->scenario.permille[SIM_ALLOCATION_FAILS] == 0 &&
                    !s->journal.is_read_failing && !s->has_unset_clocks && !s->has_packet_limits &&
                    s->options.max_sample_age_s == 0 && !live->may_be_copied && !holder->is_flushing &&
                    !holder->is_dying && !holder->is_removed && s->stop_by_ms == SPB_NEVER;
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    if (!can_tell || stats.is_store_failing || !sim_replay_can_be_sent(s, index)) {
        return;
    }
    for (uint32_t i = 0; i < number; i++) {
        const sim_record *record = &s->ledger.records[i];
        if (s->metrics[record->metric].holder == index && is_awaited(s, record, stats.samples_dropped_disk > 0)) {
            sim_fail(s, "strict", "%s at %llu (#%u) is sent ahead of the history %s at %llu (#%u)",
                     s->metrics[live->metric].name, (unsigned long long)live->timestamp_ms, number,
                     s->metrics[record->metric].name, (unsigned long long)record->timestamp_ms, i);
            return;
        }
    }
}

/* ---- the primary host ---- */

/* It is offline: what was sent shortly before, it may have missed. */
void sim_replay_host_lost(sim *s) {
    uint64_t window_ms = sim_host_window_ms(s, false);
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        sim_record *record = &s->ledger.records[i];
        const sim_metric *metric = &s->metrics[record->metric];
        record->is_owed_again |= record->sent > 0 && record->is_delivered && metric->keep == SPB_KEEP_ALL &&
                                 !record->is_excused && record->sent_ms + window_ms > s->now.mono_ms &&
                                 !is_forgetful(s);
    }
}

/* ---- in the end ---- */

/* Once the world is at rest, everything has arrived but what waits for a device that is offline. NULL: it has. */
const char *sim_replay_settled(sim *s, char *text, size_t capacity) {
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        const sim_record *record = &s->ledger.records[i];
        const sim_metric *metric = &s->metrics[record->metric];
        const sim_holder *holder = &s->holders[metric->holder];
        bool may_stay = is_forgetful(s) && s->now.mono_ms > s->calm_ms + s->calm_replay_ms + PATIENCE_MS;
        may_stay |= s->has_converged && s->options.resend_on_rebirth_ms > 0 && sim_rules_may_be_kept(s, record);
        if (record->copies > 0 && !may_stay && (holder->is_online || holder->is_removed)) {
            snprintf(text, capacity, "%s at %llu is still in the journal, in block %llu", metric->name,
                     (unsigned long long)record->timestamp_ms, (unsigned long long)s->journal.blocks[record->block].id);
            return text;
        }
        bool was_dropped = record->was_stored && s->journal.blocks[record->block].is_gone;
        if (record->is_owed_again && record->copies == 0 && !metric->is_removed && !holder->is_removed &&
            !was_dropped && s->options.max_sample_age_s == 0 && !s->journal.has_failed) {
            snprintf(text, capacity, "%s at %llu did not come again for the primary host", metric->name,
                     (unsigned long long)record->timestamp_ms);
            return text;
        }
    }
    if (s->flush_count > 0) {
        return "a flush is not done";
    }
    return sim_ledger_settled(s, text, capacity);
}
