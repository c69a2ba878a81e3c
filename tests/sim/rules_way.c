/*
 * The way to the broker: what was published, what a fence was sent for, and what the session knows to have arrived;
 * what is replayed, in which order and how fast. Knows what the application did and what the broker read, and nothing
 * of the session's inside.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

#define FENCE_MESSAGES 100
#define FENCE_BYTES ((size_t)64 * 1024)
#define FENCE_MS 1000
/* What a payload has besides its metrics. */
#define FRAME_BYTES 12

/* ---- messages on their way ---- */

static void note_published(sim *s, uint32_t number) {
    sim_way *way = &s->way;
    if (way->publishing_count == way->publishing_capacity) {
        way->publishing_capacity = way->publishing_capacity ? 2 * way->publishing_capacity : 64;
        way->publishing = realloc(way->publishing, way->publishing_capacity * sizeof *way->publishing);
        if (!way->publishing) {
            abort();
        }
    }
    way->publishing[way->publishing_count++] = number;
}

static uint32_t *copy_numbers(const uint32_t *numbers, uint32_t count) {
    uint32_t *copy = malloc((count + 1) * sizeof *copy);
    if (!copy) {
        abort();
    }
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = numbers[i];
    }
    return copy;
}

/* On the way to the broker: what it will have read. */
void sim_way_carry(const sim *s, sim_event *event) {
    event->records = copy_numbers(s->way.publishing, s->way.publishing_count);
    event->record_count = s->way.publishing_count;
}

void sim_way_delivered(sim *s, const sim_event *event) {
    for (uint32_t i = 0; i < event->record_count; i++) {
        sim_record *record = &s->ledger.records[event->records[i]];
        record->is_delivered = true;
        record->is_owed_again = false;
    }
}

/* A message begins; a birth or a death has no samples. */
void sim_way_begin(sim *s) {
    s->way.publishing_count = 0;
    s->way.is_replaying = false;
}

static void check_live(sim *s, uint32_t number) {
    const sim_record *record = &s->ledger.records[number];
    const char *name = s->metrics[record->metric].name;
    bool is_stored = record->copies > 0 && s->journal.blocks[record->block].is_committed;
    bool may_fail = s->journal.has_failed || s->scenario.permille[SIM_ALLOCATION_FAILS] > 0;
    if (s->level == SPB_DELIVERY_DURABLE && !is_stored && !may_fail) {
        sim_fail(s, "durable", "%s at %llu is published before it is committed", name,
                 (unsigned long long)record->timestamp_ms);
    }
    if (s->level == SPB_DELIVERY_OUTAGE && record->copies > 0) {
        sim_fail(s, "journal", "%s at %llu is published as live data, but it is stored", name,
                 (unsigned long long)record->timestamp_ms);
    }
    if (record->sent > 0 && s->counts.overflowed == 0 && s->counts.uncertain == 0) {
        sim_fail(s, "twice", "%s at %llu is published as live data again", name,
                 (unsigned long long)record->timestamp_ms);
    }
}

static void send_record(sim *s, uint32_t number) {
    sim_record *record = &s->ledger.records[number];
    s->way.resent += record->sent > 0;
    record->sent++;
    record->sent_ms = s->now.mono_ms;
    note_published(s, number);
}

void sim_way_live(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    uint32_t number = s->level == SPB_DELIVERY_LIVE ? SIM_NO_RECORD : sim_ledger_find(s, metric, hash, timestamp_ms);
    if (number != SIM_NO_RECORD) {
        check_live(s, number);
        send_record(s, number);
    }
}

/* ---- the replay ---- */

void sim_way_replayed(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    sim_metric *m = &s->metrics[metric];
    unsigned long long at_ms = timestamp_ms;
    uint32_t number = sim_ledger_find_shifted(s, metric, hash, timestamp_ms);
    sim_note(s, "  %s at %llu, historical", m->name, at_ms);
    if (s->level == SPB_DELIVERY_LIVE || number == SIM_NO_RECORD) {
        sim_fail(s, "replay", "%s at %llu was never taken", m->name, at_ms);
        return;
    }
    sim_record *record = &s->ledger.records[number];
    const sim_block *block = record->block < s->journal.count ? &s->journal.blocks[record->block] : NULL;
    if (!block || !block->is_read) {
        sim_fail(s, "replay", "%s at %llu was not read from the journal", m->name, at_ms);
    } else if (block->is_confirmed || record->is_confirmed) {
        sim_fail(s, "replay", "%s at %llu has arrived before", m->name, at_ms);
    }
    if (number < m->replayed_before && !s->journal.has_failed) {
        sim_fail(s, "replay", "%s at %llu comes behind newer ones", m->name, at_ms);
    }
    m->replayed_before = number + 1;
    s->way.is_replaying = true;
    s->way.replayed++;
    send_record(s, number);
    sim_rules_settle_owed(s, number);
}

/* One more way to say what a token bucket says: what may leave grows with time, up to 100 ms worth. */
static void check_rate(sim *s, double *level, uint32_t per_s, size_t amount, uint64_t elapsed_ms, const char *what) {
    double most = per_s / 10.0;
    *level += (double)elapsed_ms * per_s / 1000.0;
    *level = *level > most ? most : *level;
    double wanted = (double)amount < most ? (double)amount : most;
    if (per_s > 0 && *level + 1e-6 < wanted) {
        sim_fail(s, "pace", "a replay of %zu %s, but %.1f may leave at %u/s", amount, what, *level, per_s);
    }
    *level -= (double)amount;
}

/* Data that has waited for its window goes first. */
static void check_live_first(sim *s) {
    for (size_t i = 0; i < s->holder_count && s->level == SPB_DELIVERY_OUTAGE; i++) {
        const sim_holder *holder = &s->holders[i];
        const sim_sample *oldest = holder->owed_count > 0 ? &holder->owed[holder->owed_first] : NULL;
        if (oldest && !oldest->is_optional && holder->is_born && !holder->is_due && !holder->may_lose &&
            oldest->since_ms + s->options.batch_window_ms < s->now.mono_ms) {
            sim_fail(s, "live first", "a replay, but %s has waited for %llu ms", s->metrics[oldest->metric].name,
                     (unsigned long long)(s->now.mono_ms - oldest->since_ms));
        }
    }
}

static void check_replay(sim *s, size_t bytes) {
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

/* A data message is complete: it is on its way, as far as the session can know. */
void sim_way_published(sim *s, size_t payload_bytes) {
    sim_way *way = &s->way;
    size_t bytes = payload_bytes > FRAME_BYTES ? payload_bytes - FRAME_BYTES : 0;
    if (s->level == SPB_DELIVERY_LIVE) {
        return;
    }
    if (way->unconfirmed_bytes > s->options.max_unconfirmed_bytes) {
        sim_fail(s, "memory", "%zu bytes are not confirmed, and more is published", way->unconfirmed_bytes);
    }
    if (way->is_replaying) {
        check_replay(s, payload_bytes);
    }
    if (way->count == way->capacity) {
        way->capacity = way->capacity ? 2 * way->capacity : 64;
        way->messages = realloc(way->messages, way->capacity * sizeof *way->messages);
        if (!way->messages) {
            abort();
        }
    }
    way->messages[way->count++] = (sim_sent){.records = copy_numbers(way->publishing, way->publishing_count),
                                             .count = way->publishing_count,
                                             .bytes = bytes,
                                             .is_replay = way->is_replaying};
    way->unfenced_ms = way->unfenced_ms == SPB_NEVER ? s->now.mono_ms : way->unfenced_ms;
    way->unfenced_bytes += bytes;
    way->unconfirmed_bytes += bytes;
}

/* ---- fences ---- */

static bool has_fence_due(const sim *s) {
    const sim_way *way = &s->way;
    size_t unfenced = way->count - way->fenced;
    return way->fences < SIM_MAX_FENCES && unfenced > 0 &&
           (unfenced >= FENCE_MESSAGES || way->unfenced_bytes >= FENCE_BYTES ||
            way->unfenced_ms + FENCE_MS <= s->now.mono_ms);
}

void sim_way_fence(sim *s) {
    sim_way *way = &s->way;
    if (way->fences == SIM_MAX_FENCES) {
        sim_fail(s, "fence", "%u are unanswered already", way->fences);
        return;
    }
    way->marks[way->fences++] = way->count;
    way->fenced = way->count;
    way->unfenced_bytes = 0;
    way->unfenced_ms = SPB_NEVER;
}

/* Whether the session may send one now, besides the watch. */
bool sim_way_wants_fence(const sim *s) {
    const sim_way *way = &s->way;
    bool is_urgent = s->flush_count > 0 || spb_session_get_state(s->session) == SPB_SESSION_STOPPING ||
                     way->unconfirmed_bytes >= s->options.max_unconfirmed_bytes;
    return way->count > way->fenced && s->options.confirm == SPB_CONFIRM_FENCE && (is_urgent || has_fence_due(s));
}

/* The oldest one was answered. True if there was one. */
bool sim_way_fenced(sim *s) {
    sim_way *way = &s->way;
    if (way->fences == 0) {
        return false;
    }
    for (; way->confirmed < way->marks[0]; way->confirmed++) {
        const sim_sent *sent = &way->messages[way->confirmed];
        way->unconfirmed_bytes -= sent->bytes;
        way->confirmed_samples += sent->count;
        for (uint32_t i = 0; i < sent->count; i++) {
            sim_record *record = &s->ledger.records[sent->records[i]];
            record->is_confirmed = true;
            record->confirmed_ms = s->now.mono_ms;
        }
    }
    way->fences--;
    for (unsigned i = 0; i < way->fences; i++) {
        way->marks[i] = way->marks[i + 1];
    }
    return true;
}

/* The link is over; what was not confirmed may have arrived, or not. */
void sim_way_ended(sim *s) {
    sim_way *way = &s->way;
    if (way->count == 0 && way->fences == 0) {
        return;
    }
    for (size_t i = 0; i < way->count; i++) {
        for (uint32_t k = 0; i >= way->confirmed && k < way->messages[i].count; k++) {
            s->ledger.records[way->messages[i].records[k]].is_doubtful = true;
        }
        free(way->messages[i].records);
    }
    way->count = way->confirmed = way->fenced = 0;
    way->fences = 0;
    way->unfenced_bytes = way->unconfirmed_bytes = 0;
    way->unfenced_ms = SPB_NEVER;
    for (size_t i = 0; i < s->metric_count; i++) {
        s->metrics[i].replayed_before = 0;
    }
}

/* A new process: nothing was sent by it, and it may replay at once. */
void sim_way_reset(sim *s) {
    sim_way_ended(s);
    s->way.replayed = s->way.resent = s->way.confirmed_samples = 0;
    s->way.level_ms = s->now.mono_ms;
    s->way.samples_level = s->options.replay_samples_per_s / 10.0;
    s->way.bytes_level = s->options.replay_bytes_per_s / 10.0;
    s->flush_count = 0;
}

void sim_way_clear(sim *s) {
    sim_way_ended(s);
    free(s->way.messages);
    free(s->way.publishing);
    s->way = (sim_way){0};
}

/* ---- after the last action ---- */

static void expect(sim *s, const char *what, uint64_t told, uint64_t counted) {
    if (told != counted) {
        sim_fail(s, "counters", "%s is %llu, but there were %llu", what, (unsigned long long)told,
                 (unsigned long long)counted);
    }
}

void sim_way_drained(sim *s, spb_session_state state, uint64_t deadline_ms) {
    const sim_way *way = &s->way;
    spb_stats stats;
    if (s->level == SPB_DELIVERY_LIVE) {
        return;
    }
    spb_session_stats(s->session, &stats);
    bool is_fencing = state == SPB_SESSION_ONLINE && s->options.confirm == SPB_CONFIRM_FENCE;
    if (is_fencing && has_fence_due(s)) {
        sim_fail(s, "fence", "none for %zu messages, %zu bytes", way->count - way->fenced, way->unfenced_bytes);
    }
    if (is_fencing && way->fences < SIM_MAX_FENCES && way->unfenced_ms != SPB_NEVER &&
        deadline_ms > way->unfenced_ms + FENCE_MS) {
        sim_fail(s, "fence", "nobody would send one in time");
    }
    expect(s, "samples_stored", stats.samples_stored, s->journal.samples_appended);
    expect(s, "samples_replayed", stats.samples_replayed, way->replayed);
    if (s->options.confirm == SPB_CONFIRM_FENCE) {
        expect(s, "samples_confirmed", stats.samples_confirmed, way->confirmed_samples);
    }
    if (stats.samples_resent < way->resent && s->counts.overflowed == 0 && s->counts.uncertain == 0) {
        sim_fail(s, "counters", "samples_resent is %llu, but there were %llu", (unsigned long long)stats.samples_resent,
                 (unsigned long long)way->resent);
    }
    sim_flush_check(s);
}

/* ---- the primary host ---- */

/* It is offline: what was sent shortly before, it may have missed. */
void sim_way_host_lost(sim *s) {
    uint64_t window_ms = sim_host_window_ms(s, false);
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        sim_record *record = &s->ledger.records[i];
        const sim_metric *metric = &s->metrics[record->metric];
        record->is_owed_again |= record->sent > 0 && record->is_delivered && metric->keep == SPB_KEEP_ALL &&
                                 record->sent_ms + window_ms > s->now.mono_ms && !s->journal.has_failed;
    }
}

/* ---- in the end ---- */

/* Once the world is at rest, everything has arrived but what waits for a device that is offline. NULL: it has. */
const char *sim_way_settled(sim *s, char *text, size_t capacity) {
    for (uint32_t i = 0; i < s->ledger.count; i++) {
        const sim_record *record = &s->ledger.records[i];
        const sim_metric *metric = &s->metrics[record->metric];
        const sim_holder *holder = &s->holders[metric->holder];
        if (record->copies > 0 && (holder->is_online || holder->is_removed)) {
            snprintf(text, capacity, "%s at %llu is still in the journal, in block %llu", metric->name,
                     (unsigned long long)record->timestamp_ms, (unsigned long long)s->journal.blocks[record->block].id);
            return text;
        }
        if (record->is_owed_again && record->copies == 0 && !metric->is_removed && !s->journal.has_failed) {
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

/* ---- flushes ---- */

void sim_flush_begin(sim *s, uint64_t ticket) {
    if (s->flush_count < SIM_MAX_FLUSHES) {
        s->flushes[s->flush_count++] = (sim_flush){.ticket = ticket, .before = s->ledger.count};
    }
}

/* Nothing of it vanished; all of it arrived, or is safe. */
static void check_flushed(sim *s, const sim_flush *flush, spb_flush how) {
    uint64_t dropped = sim_ledger_dropped(s);
    uint64_t gone = sim_ledger_gone(s, flush->before);
    sim_note(s, "  a flush is done: %d", (int)how);
    if (gone > dropped) {
        sim_fail(s, "flush", "done, but %llu samples are nowhere, and %llu were counted", (unsigned long long)gone,
                 (unsigned long long)dropped);
    }
    if (how == SPB_FLUSH_LOST && dropped == 0) {
        sim_fail(s, "flush", "something was lost, but nothing was counted");
    }
    for (uint32_t i = 0; i < flush->before; i++) {
        const sim_record *record = &s->ledger.records[i];
        if (record->copies == 0 || record->is_delivered || how == SPB_FLUSH_LOST) {
            continue;
        }
        bool is_committed = s->journal.blocks[record->block].is_committed;
        bool is_of_before = record->is_old && how == SPB_FLUSH_CONFIRMED; /* an earlier process has stored it */
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
