/*
 * The way to the broker: what was published, what a fence was sent for, and what the session knows to have arrived;
 * what is replayed, in which order and how fast. Knows what the application did and what the broker read, and nothing
 * of the session's inside.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sim/sim.h"

#define FENCE_MESSAGES 100
#define FENCE_MS 1000
/* So much is at stake that a fence does not wait for longer, whatever the options say. */
#define FENCE_STAKE 4096
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
    if (record->is_past) {
        sim_fail(s, "past", "%s at %llu is sent as live data", name, (unsigned long long)record->timestamp_ms);
    }
    if (record->may_be_copied) {
        return;
    }
    /* Its block may be gone by now: a journal that is full has dropped and counted it, and then it is sent all the
     * same. */
    bool is_stored = record->was_stored && s->journal.blocks[record->block].is_committed;
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

void sim_way_send(sim *s, uint32_t number) {
    sim_record *record = &s->ledger.records[number];
    s->way.resent += record->sent > 0 && !record->may_be_copied;
    record->sent++;
    record->is_doubtful |= s->options.confirm == SPB_CONFIRM_WINDOW; /* time proves nothing */
    record->sent_ms = s->now.mono_ms;
    note_published(s, number);
}

void sim_way_live(sim *s, int metric, uint64_t hash, uint64_t timestamp_ms) {
    uint32_t number = s->level == SPB_DELIVERY_LIVE ? SIM_NO_RECORD : sim_ledger_find(s, metric, hash, timestamp_ms);
    if (number != SIM_NO_RECORD) {
        sim_note(s, "    is sample #%u", number);
        check_live(s, number);
        sim_replay_check_order(s, number);
        sim_way_send(s, number);
    }
}

static void arrive(sim *s, size_t end);

/* Without fences, time alone confirms, at the earliest after four keep-alives and 15 s. */
static void arrive_by_time(sim *s) {
    const sim_way *way = &s->way;
    uint64_t asked_ms = s->keep_alive_s * UINT64_C(1000);
    uint64_t ping_ms = asked_ms > s->wire.keep_alive_ms ? asked_ms : s->wire.keep_alive_ms;
    size_t end = way->confirmed;
    while (sim_fence_is_without(s) && end < way->count &&
           way->messages[end].sent_ms + 4 * ping_ms + 15000 <= s->now.mono_ms) {
        end++;
    }
    arrive(s, end);
}

/* A data message is complete: it is on its way, as far as the session can know. */
void sim_way_published(sim *s, size_t samples, size_t payload_bytes) {
    sim_way *way = &s->way;
    size_t bytes = payload_bytes > FRAME_BYTES ? payload_bytes - FRAME_BYTES : 0;
    if (s->level == SPB_DELIVERY_LIVE) {
        return;
    }
    arrive_by_time(s);
    if (way->unconfirmed_bytes > s->options.max_unconfirmed_bytes) {
        sim_fail(s, "memory", "%zu bytes are not confirmed, and more is published", way->unconfirmed_bytes);
    }
    if (way->is_replaying) {
        sim_replay_published(s, payload_bytes);
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
                                             .samples = samples,
                                             .bytes = bytes,
                                             .sent_ms = s->now.mono_ms,
                                             .is_replay = way->is_replaying};
    way->unfenced_ms = way->unfenced_ms == SPB_NEVER ? s->now.mono_ms : way->unfenced_ms;
    way->unfenced_bytes += bytes;
    way->unconfirmed_bytes += bytes;
}

/* ---- fences ---- */

/* How long a message may wait for its fence. */
static uint64_t fence_pause_ms(const sim *s) {
    uint64_t within_ms = s->options.fence_within_ms;
    return s->wire.unfenced >= FENCE_STAKE && within_ms > FENCE_MS ? FENCE_MS : within_ms;
}

static bool has_fence_due(const sim *s) {
    const sim_way *way = &s->way;
    size_t unfenced = way->count - way->fenced;
    return way->fences < SIM_MAX_FENCES && unfenced > 0 &&
           (unfenced >= FENCE_MESSAGES || way->unfenced_bytes >= SIM_FENCE_BYTES ||
            way->unfenced_ms + fence_pause_ms(s) <= s->now.mono_ms);
}

void sim_way_fence(sim *s, spb_fence_form form, bool is_trial) {
    sim_way *way = &s->way;
    if (way->fences >= SIM_MAX_FENCES && (!is_trial || way->fences == SIM_FENCE_ROOM)) {
        sim_fail(s, "fence", "%u are unanswered already", way->fences);
        return;
    }
    s->wire.fenced[way->fences] = s->wire.unfenced;
    s->wire.covers[way->fences] = s->wire.covered = s->wire.messages;
    way->forms[way->fences] = form;
    way->marks[way->fences++] = way->count;
    way->fenced = way->count;
    way->unfenced_bytes = 0;
    way->unfenced_ms = SPB_NEVER;
    way->has_unfenced_birth = way->has_forgotten = false;
}

/* Whether the session may send one now, besides the watch. */
bool sim_way_wants_fence(const sim *s, bool is_riding) {
    const sim_way *way = &s->way;
    if (sim_births_want_fence(s)) {
        return true;
    }
    if (s->level == SPB_DELIVERY_LIVE) {
        return way->has_flushed || way->has_forgotten;
    }
    /* One that shares the packet of a message may go in the last quarter of its time. */
    uint64_t pause_ms = fence_pause_ms(s);
    bool is_near =
        is_riding && way->unfenced_ms != SPB_NEVER && s->now.mono_ms + pause_ms / 4 >= way->unfenced_ms + pause_ms;
    bool is_end_of_chunk = false; /* for all one can know */
    for (size_t i = way->fenced; i < way->count; i++) {
        is_end_of_chunk |= way->messages[i].is_replay;
    }
    bool is_urgent = s->flush_count > 0 || is_end_of_chunk ||
                     spb_session_get_state(s->session) == SPB_SESSION_STOPPING ||
                     way->unconfirmed_bytes >= s->options.max_unconfirmed_bytes ||
                     way->unfenced_bytes + FRAME_BYTES * (way->count - way->fenced) >= SIM_LEAST_PART;
    return s->options.confirm == SPB_CONFIRM_FENCE &&
           (way->has_unfenced_birth || way->has_forgotten ||
            (way->count > way->fenced && (is_urgent || has_fence_due(s) || is_near)));
}

/* The session counts messages as read: fewer than `end`. */
static void arrive(sim *s, size_t end) {
    sim_way *way = &s->way;
    for (; way->confirmed < end; way->confirmed++) {
        sim_sent *sent = &way->messages[way->confirmed];
        sent->fenced_ms = s->now.mono_ms;
        way->unconfirmed_bytes -= sent->bytes;
        way->confirmed_samples += sent->samples;
        for (uint32_t i = 0; i < sent->count; i++) {
            sim_record *record = &s->ledger.records[sent->records[i]];
            record->is_confirmed = s->options.confirm == SPB_CONFIRM_FENCE;      /* else it proves nothing */
            record->may_come_again = s->wire.must_leave || record->is_overtaken; /* the host is away already */
            record->is_overtaken = false;
            record->confirmed_ms = sim_way_born_ms(s);
        }
        if (sent->is_replay && sent->count > 0) {
            sim_journal_arrived(s, s->ledger.records[sent->records[0]].block);
        }
    }
}

static void take_answer(sim *s) {
    sim_way *way = &s->way;
    arrive(s, way->marks[0]);
    s->wire.passed = s->wire.covers[0];
    way->fences--;
    s->wire.unanswered -= s->wire.fenced[0];
    for (unsigned i = 0; i < way->fences; i++) {
        way->marks[i] = way->marks[i + 1];
        way->forms[i] = way->forms[i + 1];
        s->wire.fenced[i] = s->wire.fenced[i + 1];
        s->wire.covers[i] = s->wire.covers[i + 1];
    }
}

/* An answer to another form may never come: what those covered is to be asked for again. */
static void forget_other_forms(sim *s, spb_fence_form form) {
    sim_way *way = &s->way;
    unsigned kept = 0;
    size_t fenced = way->confirmed;
    s->wire.covered = s->wire.passed;
    for (unsigned i = 0; i < way->fences; i++) {
        if (way->forms[i] != form) {
            s->wire.unfenced += s->wire.fenced[i];
            continue;
        }
        fenced = way->marks[i];
        way->marks[kept] = way->marks[i];
        way->forms[kept] = form;
        s->wire.covers[kept] = s->wire.covered = s->wire.covers[i];
        s->wire.fenced[kept++] = s->wire.fenced[i];
    }
    for (size_t i = fenced; i < way->fenced; i++) {
        way->unfenced_bytes += way->messages[i].bytes;
    }
    way->has_forgotten = kept < way->fences;
    way->unfenced_ms = fenced < way->fenced && way->unfenced_ms == SPB_NEVER ? s->now.mono_ms : way->unfenced_ms;
    way->fenced = fenced;
    way->fences = kept;
}

/* The oldest one of this form was answered, and with it all before it. True if there was one. */
bool sim_way_fenced(sim *s, spb_fence_form form) {
    const sim_way *way = &s->way;
    unsigned before = 0;
    while (before < way->fences && way->forms[before] != form) {
        before++;
    }
    if (before == way->fences || sim_fence_is_without(s)) {
        return false;
    }
    for (unsigned i = 0; i <= before; i++) {
        take_answer(s);
    }
    if (!s->wire.is_form_known) {
        forget_other_forms(s, form);
    }
    sim_fence_answered(s, form);
    return true;
}

uint64_t sim_way_born_ms(const sim *s) {
    return s->way.born_ms + (s->way.is_born ? s->now.mono_ms - s->way.born_since_ms : 0);
}

void sim_way_born(sim *s) {
    s->way.born_since_ms = s->way.is_born ? s->way.born_since_ms : s->now.mono_ms;
    s->way.is_born = true;
}

/* The link is over; what was not confirmed, or not for long, may have arrived, or not. A block of the journal settles
 * when the last message with some of it does, and comes again as a whole. */
static void doubt(sim *s, const sim_sent *sent, bool is_confirmed) {
    bool is_settled = is_confirmed && (s->way.has_parted || sent->fenced_ms + s->options.settle_ms <= s->now.mono_ms);
    for (uint32_t k = 0; k < sent->count && !is_settled; k++) {
        sim_record *record = &s->ledger.records[sent->records[k]];
        const sim_block *block = sent->is_replay && record->was_stored ? &s->journal.blocks[record->block] : NULL;
        record->is_doubtful = true;
        record->is_confirmed = false;
        for (uint32_t i = 0; block && i < block->block.samples; i++) {
            s->ledger.records[block->records[i]].may_come_again = true;
        }
    }
}

void sim_way_ended(sim *s) {
    sim_way *way = &s->way;
    way->born_ms = sim_way_born_ms(s);
    way->is_born = way->has_forgotten = false;
    for (size_t i = 0; i < way->count; i++) {
        doubt(s, &way->messages[i], i < way->confirmed);
        free(way->messages[i].records);
    }
    way->has_parted = false;
    if (way->count == 0 && way->fences == 0) {
        return;
    }
    way->count = way->confirmed = way->fenced = 0;
    way->fences = 0;
    way->unfenced_bytes = way->unconfirmed_bytes = 0;
    way->unfenced_ms = SPB_NEVER;
    for (size_t i = 0; i < s->metric_count; i++) {
        s->metrics[i].replayed_before[false] = s->metrics[i].replayed_before[true] = 0;
    }
}

/* A new process: nothing was sent by it, and it may replay at once. */
void sim_way_reset(sim *s) {
    sim_way_ended(s);
    s->way.unfenced_ms = SPB_NEVER;
    s->way.replayed = s->way.resent = s->way.confirmed_samples = 0;
    s->way.level_ms = s->now.mono_ms;
    s->way.samples_level = s->options.replay_samples_per_s / 10.0;
    s->way.bytes_level = s->options.replay_bytes_per_s / 10.0;
    s->way.unfenced_ms = SPB_NEVER;
    s->way.has_flushed = false;
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

/* Births may have carried some on top. */
static void check_confirmed(sim *s, const spb_stats *stats) {
    uint64_t sure = s->way.confirmed_samples;
    if (stats->samples_confirmed < sure || stats->samples_confirmed > sure + s->counts.carried) {
        sim_fail(s, "counters", "samples_confirmed is %llu, but fences have shown %llu, and births have had %llu",
                 (unsigned long long)stats->samples_confirmed, (unsigned long long)sure,
                 (unsigned long long)s->counts.carried);
    }
}

/* Who has stopped may switch the machine off. */
static void check_stopped(sim *s) {
    const sim_journal *journal = &s->journal;
    bool can_tell =
        journal->answers_waiting == 0 && !journal->has_failed && s->scenario.permille[SIM_ALLOCATION_FAILS] == 0;
    for (size_t i = 0; i < journal->count && can_tell; i++) {
        if (!journal->blocks[i].is_committed && !journal->blocks[i].is_gone) {
            sim_fail(s, "stop", "block %llu is not committed", (unsigned long long)journal->blocks[i].id);
        }
    }
}

/* An MQTT client may sleep over what it was given, and over the rest of what it wrote in part: until it is asked
 * something, or hears something. */
static void check_client_is_woken(sim *s, uint64_t deadline_ms) {
    bool is_kept = s->level != SPB_DELIVERY_LIVE && s->options.confirm == SPB_CONFIRM_FENCE;
    if (is_kept && s->wire.unfenced >= SIM_FENCE_BYTES) {
        sim_fail(s, "fence", "none for %zu bytes", s->wire.unfenced);
    }
    if (s->wire.stall_ms != 0 && deadline_ms > s->wire.stall_ms) {
        sim_fail(s, "fence", "nobody would wake the client");
    }
}

void sim_way_drained(sim *s, spb_session_state state, uint64_t deadline_ms) {
    const sim_way *way = &s->way;
    spb_stats stats;
    sim_flush_check(s);
    bool may_send = sim_births_are_out(s);
    if (may_send && way->fences < SIM_MAX_FENCES && !sim_fence_is_without(s)) {
        check_client_is_woken(s, deadline_ms);
    }
    if (s->level == SPB_DELIVERY_LIVE) {
        return;
    }
    spb_session_stats(s->session, &stats);
    if (state == SPB_SESSION_STOPPED) {
        check_stopped(s);
    }
    bool is_fencing = may_send && s->options.confirm == SPB_CONFIRM_FENCE;
    if (is_fencing && has_fence_due(s)) {
        sim_fail(s, "fence", "none for %zu messages, %zu bytes", way->count - way->fenced, way->unfenced_bytes);
    }
    if (is_fencing && way->fences < SIM_MAX_FENCES && way->unfenced_ms != SPB_NEVER &&
        deadline_ms > way->unfenced_ms + fence_pause_ms(s)) {
        sim_fail(s, "fence", "nobody would send one in time");
    }
    expect(s, "samples_stored", stats.samples_stored, s->journal.samples_appended);
    expect(s, "samples_replayed", stats.samples_replayed, way->replayed);
    if (s->options.confirm == SPB_CONFIRM_FENCE) {
        check_confirmed(s, &stats);
    }
    bool may_forget = s->scenario.permille[SIM_ALLOCATION_FAILS] > 0; /* which were on their way */
    if (stats.samples_resent < way->resent && !may_forget && s->counts.overflowed == 0 && s->counts.uncertain == 0) {
        sim_fail(s, "counters", "samples_resent is %llu, but there were %llu", (unsigned long long)stats.samples_resent,
                 (unsigned long long)way->resent);
    }
}
