/*
 * The ledger: each sample that the application saw accepted at a delivery level with a journal, and what became of it.
 * In the end it was read by a broker, or is in the journal, or the session has counted it as dropped; or it was lost
 * with its process, which OUTAGE allows, and DURABLE for what was not committed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

static uint32_t *bucket(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    uint64_t key =
        (hash ^ timestamp_ms * UINT64_C(0x9e3779b97f4a7c15)) + (uint64_t)metric * UINT64_C(0xbf58476d1ce4e5b9);
    return &s->ledger.buckets[(key >> 20) % SIM_BUCKETS];
}

uint32_t sim_ledger_find(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    const sim_ledger *ledger = &s->ledger;
    uint32_t at = *bucket(s, metric, hash, timestamp_ms);
    while (at > 0) {
        const sim_record *record = &ledger->records[at - 1];
        if (record->metric == metric && record->hash == hash && record->timestamp_ms == timestamp_ms) {
            return at - 1;
        }
        at = record->next;
    }
    return SIM_NO_RECORD;
}

static bool is_awaited(const sim *s, uint32_t number) {
    const sim_record *record = number != SIM_NO_RECORD ? &s->ledger.records[number] : NULL;
    bool was_sent = record && record->sent > 0 && s->way.is_born && record->sent_ms >= s->way.born_since_ms;
    return record && ((record->copies > 0 && !record->is_confirmed && !was_sent) || record->is_owed_again);
}

/* The monotonic times of the machine's runs in which the clock was not set became others when that was known; the
 * journal may not know it of this run yet. They may meet those of other samples: then it is the first that has not come
 * yet. */
uint32_t sim_ledger_find_shifted(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    uint32_t found = sim_ledger_find(s, metric, hash, timestamp_ms);
    const sim_clock own = {.boot = s->options.boot, .offset_ms = s->clock_offset_ms};
    for (size_t i = 0; i <= s->journal.clock_count; i++) {
        const sim_clock *clock = i < s->journal.clock_count ? &s->journal.clocks[i] : &own;
        uint64_t before_ms = timestamp_ms - (uint64_t)clock->offset_ms;
        uint32_t other = before_ms < SPB_EARLIEST_MS ? sim_ledger_find(s, metric, hash, before_ms) : SIM_NO_RECORD;
        bool is_of_boot = other != SIM_NO_RECORD && s->ledger.records[other].boot == clock->boot;
        bool is_next = is_awaited(s, other) && (!is_awaited(s, found) || other < found);
        found = is_of_boot && (found == SIM_NO_RECORD || is_next) ? other : found;
    }
    return found;
}

bool sim_ledger_has(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    return sim_ledger_find_shifted(s, metric, hash, timestamp_ms) != SIM_NO_RECORD;
}

uint32_t sim_ledger_add(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    sim_ledger *ledger = &s->ledger;
    if (ledger->count == ledger->capacity) {
        ledger->capacity = ledger->capacity ? 2 * ledger->capacity : 256;
        ledger->records = realloc(ledger->records, ledger->capacity * sizeof *ledger->records);
        if (!ledger->records) {
            abort();
        }
    }
    uint32_t *first = bucket(s, metric, hash, timestamp_ms);
    ledger->records[ledger->count] = (sim_record){.metric = metric,
                                                  .hash = hash,
                                                  .timestamp_ms = timestamp_ms,
                                                  .boot = timestamp_ms < SPB_EARLIEST_MS ? s->options.boot : 0,
                                                  .accepted_ms = s->now.mono_ms,
                                                  .next = *first};
    *first = ++ledger->count;
    return ledger->count - 1;
}

/* The present value of a metric that keeps no more than that: the next birth will have it. */
static bool is_for_birth(const sim *s, uint32_t number) {
    const sim_metric *metric = &s->metrics[s->ledger.records[number].metric];
    return (metric->keep != SPB_KEEP_ALL || metric->witness.is_held) && metric->record == number && metric->is_unsent &&
           !metric->is_removed;
}

bool sim_ledger_is_gone(const sim *s, uint32_t number) {
    const sim_record *record = &s->ledger.records[number];
    return !record->is_delivered && record->copies == 0 && !record->is_excused && !record->is_carried &&
           !is_for_birth(s, number);
}

static uint64_t count_gone(const sim *s) {
    uint64_t gone = 0;
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        gone += sim_ledger_is_gone(s, i);
    }
    return gone;
}

/* Samples that arrived, as data or in a birth, though the session may have counted them as dropped: it could not know.
 * And those that need not have been stored, but were, so that a full journal has counted them. */
static uint64_t count_doubtful(const sim *s) {
    uint64_t doubtful = s->counts.caught_up; /* as for those that were dropped at first */
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        const sim_record *record = &s->ledger.records[i];
        bool had_doubt = record->is_doubtful || record->may_come_again || record->may_be_copied;
        bool was_dropped = record->was_stored && s->journal.blocks[record->block].is_gone;
        doubtful +=
            record->drops > 1 ? record->drops - 1 : 0; /* it was stored again for a host, and did not fit again */
        doubtful += (had_doubt && record->is_delivered) || record->is_carried || (record->is_excused && was_dropped);
    }
    return doubtful;
}

uint64_t sim_ledger_dropped(const sim *s) {
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    const spb_store_info *journal = &s->journal.info;
    return stats.samples_dropped_offline + stats.samples_dropped_overflow + stats.samples_dropped_lost +
           stats.samples_dropped_age + stats.samples_dropped_choice + stats.samples_dropped_gone +
           stats.samples_dropped_disk + journal->dropped_full + journal->dropped_age;
}

/* For people who read the trace of a run in which it does not come out right. */
void sim_ledger_note(sim *s) {
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        const sim_record *record = &s->ledger.records[i];
        if (sim_ledger_is_gone(s, i)) {
            sim_note(s, "  gone: #%u %s at %llu, sent %u times%s%s%s", i, s->metrics[record->metric].name,
                     (unsigned long long)record->timestamp_ms, record->sent, record->was_stored ? ", was stored" : "",
                     s->metrics[record->metric].keep == SPB_KEEP_ALL ? "" : ", not to be kept",
                     s->metrics[record->metric].is_removed ? ", removed" : "");
        }
    }
    sim_note(s,
             "  dropped: offline %llu, overflow %llu, lost %llu, choice %llu, gone %llu, disk %llu, full %llu, "
             "age %llu + %llu",
             (unsigned long long)stats.samples_dropped_offline, (unsigned long long)stats.samples_dropped_overflow,
             (unsigned long long)stats.samples_dropped_lost, (unsigned long long)stats.samples_dropped_choice,
             (unsigned long long)stats.samples_dropped_gone, (unsigned long long)stats.samples_dropped_disk,
             (unsigned long long)s->journal.info.dropped_full, (unsigned long long)s->journal.info.dropped_age,
             (unsigned long long)stats.samples_dropped_age);
}

/* When the session has counted something as dropped since the last look. */
void sim_ledger_watch(sim *s) {
    uint64_t dropped = s->trace ? sim_ledger_dropped(s) : 0;
    if (dropped > s->ledger.noted_dropped) {
        sim_note(s, "  (%llu samples were counted as dropped)",
                 (unsigned long long)(dropped - s->ledger.noted_dropped));
    }
    s->ledger.noted_dropped = dropped;
}

/* The balance, in a world that has come to rest: nothing waits in the session's memory. NULL: it is right. */
const char *sim_ledger_settled(sim *s, char *text, size_t capacity) {
    uint64_t gone = count_gone(s), dropped = sim_ledger_dropped(s);
    if (gone > dropped) {
        for (uint32_t i = 0; i < s->ledger.count; i++) {
            const sim_record *record = &s->ledger.records[i];
            if (sim_ledger_is_gone(s, i)) {
                snprintf(text, capacity,
                         "%llu samples vanished, the first is %s at %llu (record %u); %llu were counted as dropped",
                         (unsigned long long)gone, s->metrics[record->metric].name,
                         (unsigned long long)record->timestamp_ms, i, (unsigned long long)dropped);
                return text;
            }
        }
    }
    /* What fails twice, or is too old and was under way, may be counted twice. */
    spb_stats stats;
    spb_session_stats(s->session, &stats);
    bool can_tell = stats.samples_dropped_gone == 0 && !s->journal.has_ever_failed &&
                    s->scenario.permille[SIM_ALLOCATION_FAILS] == 0 && s->counts.overflowed == 0 &&
                    !s->counts.has_guessed && s->options.max_sample_age_s == 0;
    if (can_tell && dropped > gone + count_doubtful(s)) {
        snprintf(text, capacity, "%llu samples were counted as dropped, but %llu are missing",
                 (unsigned long long)dropped, (unsigned long long)gone);
        return text;
    }
    return NULL;
}

/* The process is dead: what no broker has read and no disk holds is lost. */
void sim_ledger_bury(sim *s) {
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        sim_record *record = &s->ledger.records[i];
        record->was_kept = record->copies > 0 && s->journal.blocks[record->block].kept_for != 0;
        record->is_excused |= !record->is_delivered && (record->copies == 0 || record->was_kept);
        record->is_doubtful |=
            (record->sent > 0 && !record->is_confirmed) || (record->is_delivered && record->copies > 0);
        record->is_old = true;
        record->is_owed_again = false;
        record->is_confirmed = record->is_confirmed && (record->copies == 0 || record->was_kept);
        record->sent = 0;
        record->drops = 0;
    }
}

/* A birth shows the present value of a metric that keeps no other. */
void sim_ledger_carry(sim *s, const sim_metric *metric) {
    if ((metric->keep != SPB_KEEP_ALL || metric->witness.is_held) && metric->record != SIM_NO_RECORD) {
        s->ledger.records[metric->record].is_carried = true;
    }
}

void sim_ledger_clear(sim *s) {
    free(s->ledger.records);
    s->ledger = (sim_ledger){0};
}
