/*
 * The store's journal, aliases and clocks. It may be slow, fail, be full, and come back. What was not committed when
 * the process ends is gone, or not: a commit may have been under way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

/* ---- what is in it ---- */

static bool is_there(const sim_block *block) {
    return !block->is_gone && !block->is_confirmed;
}

static void count_copies(sim *s, const sim_block *block, int change) {
    for (uint32_t i = 0; i < block->block.samples; i++) {
        s->ledger.records[block->records[i]].copies += (uint32_t)change;
    }
}

static void drop(sim *s, sim_block *block) {
    for (uint32_t i = 0; i < block->block.samples; i++) { /* the store does not know which have arrived */
        s->ledger.records[block->records[i]].is_doubtful = true;
        s->ledger.records[block->records[i]].drops++;
    }
    count_copies(s, block, -1);
    block->is_gone = true;
}

void sim_journal_info(const sim *s, spb_store_info *out) {
    const sim_journal *journal = &s->journal;
    *out = journal->info;
    out->blocks = out->samples = out->bytes = out->oldest_ms = 0;
    for (size_t i = 0; i < journal->count; i++) {
        const spb_block *block = &journal->blocks[i].block;
        if (is_there(&journal->blocks[i])) {
            out->blocks++;
            out->samples += block->samples;
            out->bytes += block->metrics.len;
            out->oldest_ms = out->oldest_ms == 0 || block->first_ms < out->oldest_ms ? block->first_ms : out->oldest_ms;
        }
    }
}

/* ---- answers ---- */

static spb_status status_of(const sim *s, bool fails) {
    return fails || s->journal.is_broken ? SPB_ERR_STORE : SPB_OK;
}

static void answer(sim *s, void (*happen)(sim *s, sim_event *event), uint64_t id, spb_status status) {
    sim_journal *journal = &s->journal;
    bool is_slow = sim_happens(s, SIM_STORE_SLOW);
    if (!is_slow && !journal->is_apart && journal->answers_waiting == 0) {
        sim_event now = {.id = id, .status = status};
        journal->answers_waiting++;
        happen(s, &now);
        return;
    }
    uint64_t at_ms = s->now.mono_ms + (is_slow ? sim_below(s, 1500) : journal->is_apart ? sim_below(s, 2) : 0);
    journal->answer_ms = at_ms > journal->answer_ms ? at_ms : journal->answer_ms; /* one thing after the other */
    sim_event *event = sim_later(s, journal->answer_ms - s->now.mono_ms, happen);
    event->id = id;
    event->status = status;
    event->of_process = true;
    journal->answer = event;
    journal->answers_waiting++;
}

void sim_journal_ask(sim *s, const spb_action *action) {
    s->journal.given = *action;
    s->journal.given_hash = sim_fingerprint(action);
}

/* The store may have looked at it until now. */
static void check_given(sim *s) {
    if (s->journal.given_hash != 0 && sim_fingerprint(&s->journal.given) != s->journal.given_hash) {
        sim_fail(s, "actions", "what the store was given was changed before it had answered");
    }
    s->journal.given_hash = 0;
}

void sim_journal_hurry(sim *s) {
    sim_event *event = s->journal.answer;
    if (event && !event->is_void && s->journal.is_apart) {
        event->is_void = true; /* in its place on the calendar */
        event->happen(s, event);
    }
}

static const char *reason_of(spb_status status) {
    return status == SPB_OK ? NULL : "simulated";
}

static void told(sim *s, spb_status status) {
    check_given(s);
    s->journal.answer = NULL;
    s->journal.answers_waiting--;
    s->journal.is_failing = status != SPB_OK;
    s->journal.has_failed |= status != SPB_OK;
    s->journal.has_ever_failed |= status != SPB_OK;
}

/* ---- append ---- */

static spb_status make_room(sim *s, size_t bytes) {
    spb_store_info info;
    sim_journal_info(s, &info);
    if (bytes > s->journal.max_bytes || (info.bytes + bytes > s->journal.max_bytes && s->journal.drops_newest)) {
        return SPB_ERR_LIMIT;
    }
    for (size_t i = 0; i < s->journal.count && info.bytes + bytes > s->journal.max_bytes; i++) {
        sim_block *oldest = &s->journal.blocks[i];
        if (is_there(oldest)) {
            info.bytes -= oldest->block.metrics.len;
            s->journal.info.dropped_full += oldest->block.samples;
            drop(s, oldest);
        }
    }
    return SPB_OK;
}

static void take(sim *s, const spb_block *block, unsigned holder, uint32_t *records) {
    sim_journal *journal = &s->journal;
    if (journal->count == journal->capacity) {
        journal->capacity = journal->capacity ? 2 * journal->capacity : 64;
        journal->blocks = realloc(journal->blocks, journal->capacity * sizeof *journal->blocks);
    }
    uint8_t *metrics = malloc(block->metrics.len + 1);
    if (!journal->blocks || !metrics) {
        abort();
    }
    memcpy(metrics, block->metrics.data, block->metrics.len);
    sim_block *taken = &journal->blocks[journal->count++];
    *taken = (sim_block){.id = block->id, .holder = holder, .records = records, .block = *block};
    taken->block.metrics.data = metrics;
    journal->info.last_id = block->id;
    journal->samples_asked = block->samples;
    count_copies(s, taken, 1);
    for (uint32_t i = 0; i < block->samples; i++) {
        sim_record *record = &s->ledger.records[records[i]];
        record->block = journal->count - 1;
        record->was_stored = true;
        sim_note(s, "    #%u %s", records[i], s->metrics[record->metric].name);
        if (s->level == SPB_DELIVERY_OUTAGE) {
            sim_rules_settle_owed(s, records[i]);
        }
    }
}

static void appended(sim *s, sim_event *event) {
    told(s, event->status);
    s->journal.samples_appended += event->status == SPB_OK ? s->journal.samples_asked : 0;
    sim_note(s, "< block %llu is appended%s", (unsigned long long)event->id, event->status == SPB_OK ? "" : ", failed");
    sim_enter(s);
    spb_session_on_appended(s->session, event->id, event->status, reason_of(event->status), s->now);
    sim_leave(s);
}

void sim_journal_append(sim *s, const spb_block *block) {
    unsigned holder = 0;
    uint32_t *records = sim_rules_append(s, block, &holder);
    spb_status status = status_of(s, s->journal.is_full || sim_happens(s, SIM_APPEND_FAILS));
    status = status == SPB_OK ? make_room(s, block->metrics.len) : status;
    sim_note(s, "> APPEND %llu of %s, %u samples%s", (unsigned long long)block->id, s->holders[holder].id,
             (unsigned)block->samples, status == SPB_OK ? "" : ", fails");
    if (status == SPB_OK && records) {
        take(s, block, holder, records);
    } else {
        free(records);
    }
    answer(s, appended, block->id, status);
}

/* ---- commit, confirm ---- */

static void committed(sim *s, sim_event *event) {
    spb_store_info info;
    told(s, event->status);
    sim_journal_info(s, &info);
    sim_note(s, "< committed%s", event->status == SPB_OK ? "" : ", failed");
    sim_enter(s);
    spb_session_on_committed(s->session, event->status, reason_of(event->status), &info, s->now);
    sim_leave(s);
}

static void make_durable(sim *s) {
    sim_journal *journal = &s->journal;
    for (size_t i = 0; i < journal->count; i++) {
        journal->blocks[i].is_committed = true;
        journal->blocks[i].is_confirm_committed = journal->blocks[i].is_confirmed;
        journal->blocks[i].kept_for_committed = journal->blocks[i].kept_for;
    }
    for (size_t i = 0; i < journal->clock_count; i++) {
        journal->clocks[i].is_committed = true;
    }
}

void sim_journal_commit(sim *s) {
    spb_status status = status_of(s, sim_happens(s, SIM_COMMIT_FAILS) || s->journal.is_confirm_lost);
    s->journal.is_confirm_lost = false;
    sim_note(s, "> COMMIT%s", status == SPB_OK ? "" : ", fails");
    if (status == SPB_OK) {
        make_durable(s);
    }
    answer(s, committed, 0, status);
}

void sim_journal_confirm(sim *s, uint64_t first_id, uint64_t last_id) {
    sim_note(s, "> CONFIRM %llu to %llu", (unsigned long long)first_id, (unsigned long long)last_id);
    sim_rules_confirm(s, first_id, last_id);
    if (s->journal.is_broken) { /* the next commit tells */
        s->journal.has_failed = s->journal.is_confirm_lost = true;
        return;
    }
    for (size_t i = 0; i < s->journal.count; i++) {
        sim_block *block = &s->journal.blocks[i];
        if (block->id >= first_id && block->id <= last_id && is_there(block)) {
            block->is_confirmed = true;
            count_copies(s, block, -1);
        }
    }
}

void sim_journal_keep(sim *s, const spb_action *action) {
    uint64_t kept_for = action->as.keep.kept_for, first_id = action->as.keep.first_id,
             last_id = action->as.keep.last_id;
    sim_note(s, "> KEEP %llu to %llu for %llu", (unsigned long long)first_id, (unsigned long long)last_id,
             (unsigned long long)kept_for);
    sim_rules_keep(s, kept_for, first_id, last_id);
    for (size_t i = 0; i < s->journal.count && !s->journal.is_broken; i++) {
        sim_block *block = &s->journal.blocks[i];
        bool is_meant = kept_for != 0 && block->id >= first_id && block->id <= last_id;
        block->kept_for = is_meant ? kept_for : block->kept_for == kept_for ? kept_for : 0;
    }
}

void sim_journal_expire(sim *s, uint64_t before_ms) {
    sim_note(s, "> EXPIRE before %llu", (unsigned long long)before_ms);
    for (size_t i = 0; i < s->journal.count && !s->journal.is_broken; i++) {
        sim_block *block = &s->journal.blocks[i];
        if (is_there(block) && block->block.last_ms < before_ms && block->block.boot == 0) {
            s->journal.info.dropped_age += block->block.samples;
            drop(s, block);
        }
    }
}

/* ---- read ---- */

static int64_t shift_of(const sim *s, uint64_t boot) {
    for (size_t i = 0; i < s->journal.clock_count; i++) {
        if (s->journal.clocks[i].boot == boot && boot != 0) {
            return s->journal.clocks[i].offset_ms;
        }
    }
    return 0;
}

/* The session counts it as dropped, and does not keep it. */
static bool is_too_old(const sim *s, const sim_block *block) {
    uint64_t age_ms = s->options.max_sample_age_s * UINT64_C(1000);
    return age_ms > 0 && block->block.last_ms + age_ms < s->now.wall_ms;
}

/* Others are put aside as ids, for what it is that they wait for, or may be there already. */
static bool is_for_memory(const sim *s, const sim_block *block) {
    return !block->is_read && !is_too_old(s, block) && block->kept_for == 0 && !s->has_unset_clocks &&
           sim_replay_can_be_sent(s, block->holder);
}

/* Between two blocks, the disk may be slow. */
static bool goes_on_later(sim *s) {
    return s->journal.is_apart && sim_below(s, 8) == 0;
}

static void hand_out(sim *s, sim_event *event) {
    spb_status status = event->status;
    size_t bytes = 0;
    s->journal.answer = NULL;
    s->journal.answers_waiting--;
    s->journal.has_failed |= status != SPB_OK;
    s->journal.reads++;
    bool is_wanted = status == SPB_OK;
    for (size_t i = 0; i < s->journal.count && is_wanted; i++) {
        sim_block *block = &s->journal.blocks[i];
        if (block->id < event->id || !is_there(block)) {
            continue;
        }
        if (block->kept_for != 0 && !block->is_read) {
            sim_rules_kept(s, block);
        }
        bytes += is_for_memory(s, block) ? block->block.metrics.len : 0;
        block->is_read = true;
        block->read = s->journal.reads;
        sim_note(s, "< block %llu of %s is read", (unsigned long long)block->id, s->holders[block->holder].id);
        spb_block copy = block->block;
        copy.shift_ms = shift_of(s, copy.boot);
        copy.kept_for = block->kept_for;
        copy.device_id = block->holder > 0 ? spb_str_from(s->holders[block->holder].id) : (spb_str){0};
        sim_enter(s);
        is_wanted = spb_session_on_block(s->session, &copy, s->now);
        sim_leave(s);
        if (is_wanted && goes_on_later(s)) {
            sim_rules_read(s, bytes);
            answer(s, hand_out, block->id + 1, SPB_OK);
            return;
        }
    }
    sim_rules_read(s, bytes);
    s->journal.is_read_failing = status != SPB_OK;
    sim_note(s, "< read%s", status == SPB_OK ? "" : ", failed");
    sim_enter(s);
    spb_session_on_read_done(s->session, status, reason_of(status), s->now);
    sim_leave(s);
}

void sim_journal_read(sim *s, uint64_t from_id) {
    sim_note(s, "> READ from %llu", (unsigned long long)from_id);
    answer(s, hand_out, from_id, status_of(s, sim_happens(s, SIM_READ_FAILS)));
}

/* What is read at once is kept at once for the primary host: as long as what arrived last of it. */
void sim_journal_arrived(sim *s, size_t block) {
    for (size_t i = 0; i < s->journal.count; i++) {
        if (s->journal.blocks[i].read == s->journal.blocks[block].read) {
            s->journal.blocks[i].arrived_ms = sim_way_born_ms(s);
        }
    }
}

/* ---- aliases, clocks ---- */

static void aliases_saved(sim *s, sim_event *event) {
    check_given(s);
    s->journal.answer = NULL;
    s->journal.answers_waiting--;
    s->journal.has_failed |= event->status != SPB_OK;
    sim_note(s, "< the aliases are saved%s", event->status == SPB_OK ? "" : ", failed");
    sim_enter(s);
    spb_session_on_aliases_saved(s->session, event->status, reason_of(event->status), s->now);
    sim_leave(s);
}

void sim_journal_save_aliases(sim *s, const spb_alias *items, size_t count) {
    spb_status status = status_of(s, sim_happens(s, SIM_SAVE_FAILS));
    sim_note(s, "> SAVE %zu aliases%s", count, status == SPB_OK ? "" : ", fails");
    for (size_t i = 0; i < count; i++) {
        sim_alias alias = {.type = items[i].type, .alias = items[i].alias};
        if (!sim_rules_alias(s, &items[i], &alias.holder) || status != SPB_OK) {
            continue;
        }
        if (s->journal.alias_count == SIM_MAX_ALIASES || items[i].name.len >= sizeof alias.name) {
            abort();
        }
        memcpy(alias.name, items[i].name.data, items[i].name.len);
        s->journal.aliases[s->journal.alias_count++] = alias;
    }
    answer(s, aliases_saved, 0, status);
}

void sim_journal_save_clock(sim *s, uint64_t boot, int64_t offset_ms) {
    sim_journal *journal = &s->journal;
    sim_note(s, "> SAVE_CLOCK of boot %llu: %lld", (unsigned long long)boot, (long long)offset_ms);
    sim_rules_clock(s, boot, offset_ms);
    if (journal->is_broken || journal->clock_count == SIM_MAX_CLOCKS) {
        return;
    }
    size_t i = 0;
    while (i < journal->clock_count && journal->clocks[i].boot != boot) {
        i++;
    }
    journal->clock_count = i == journal->clock_count ? i + 1 : journal->clock_count;
    journal->clocks[i] = (sim_clock){.boot = boot, .offset_ms = offset_ms};
}

/* ---- the process ends ---- */

/* A prefix of what was appended since the last commit stays, mostly none of it; and all or nothing of the rest. */
void sim_journal_die(sim *s) {
    sim_journal *journal = &s->journal;
    size_t pending = 0;
    for (size_t i = 0; i < journal->count; i++) {
        pending += !journal->blocks[i].is_committed && !journal->blocks[i].is_gone;
    }
    bool stays = sim_below(s, 4) == 0;
    size_t kept = stays ? sim_below(s, (uint32_t)pending + 1) : 0;
    bool are_confirms_kept = stays && kept == pending;
    for (size_t i = 0; i < journal->count; i++) {
        sim_block *block = &journal->blocks[i];
        if (!block->is_committed && !block->is_gone) {
            if (kept > 0) {
                kept--;
            } else if (block->is_confirmed) {
                block->is_gone = true;
            } else {
                drop(s, block);
            }
        }
        if (block->is_confirmed && !block->is_confirm_committed && !block->is_gone && !are_confirms_kept) {
            block->is_confirmed = false;
            count_copies(s, block, 1);
        }
        block->is_committed = true;
        block->is_confirm_committed = block->is_confirmed;
        block->kept_for = are_confirms_kept ? block->kept_for : block->kept_for_committed;
        block->kept_for_committed = block->kept_for;
        block->is_read = false;
    }
    journal->is_confirm_lost = journal->is_failing = journal->is_read_failing = journal->has_failed =
        journal->is_broken = journal->is_full = false;
    journal->answer = NULL;
    journal->given_hash = 0;
    journal->answers_waiting = 0;
    journal->answer_ms = journal->samples_appended = 0;
}

/* A new process opens it; ids go on behind those that were there. */
void sim_journal_open(sim *s) {
    spb_store_info *info = &s->journal.info;
    info->dropped_full = info->dropped_age = info->last_id = 0;
    for (size_t i = 0; i < s->journal.count; i++) {
        const sim_block *block = &s->journal.blocks[i];
        info->last_id = !block->is_gone && block->id > info->last_id ? block->id : info->last_id;
    }
    s->options.has_journal = s->has_journal;
    sim_journal_info(s, &s->options.journal);
}

/* What earlier runs have given; before there are metrics. */
void sim_journal_adopt(sim *s) {
    for (size_t i = 0; i < s->journal.alias_count && !s->has_failed; i++) {
        const sim_alias *saved = &s->journal.aliases[i];
        spb_alias alias = {.name = spb_str_from(saved->name), .type = saved->type, .alias = saved->alias};
        if (saved->holder > 0) {
            alias.device_id = spb_str_from(s->holders[saved->holder].id);
        }
        spb_status status;
        bool is_short;
        do {
            sim_enter(s);
            status = spb_session_adopt_alias(s->session, &alias);
            is_short = sim_leave(s);
        } while (status == SPB_ERR_NO_MEMORY && is_short);
        if (status != SPB_OK) {
            sim_fail(s, "call", "adopt_alias %u of %s: %s", (unsigned)alias.alias, saved->name,
                     spb_status_name(status));
        }
    }
}

void sim_journal_clear(sim *s) {
    for (size_t i = 0; i < s->journal.count; i++) {
        free(s->journal.blocks[i].records);
        free((void *)(uintptr_t)s->journal.blocks[i].block.metrics.data);
    }
    free(s->journal.blocks);
    s->journal = (sim_journal){0};
}

/* ---- moves ---- */

static void break_down(sim *s) {
    s->journal.is_broken = s->has_journal;
}

static void fill_up(sim *s) {
    s->journal.is_full = s->has_journal;
}

void sim_journal_mend(sim *s) {
    s->journal.is_broken = s->journal.is_full = false;
}

const sim_move sim_journal_moves[] = {{"the disk breaks", 1, false, break_down},
                                      {"the disk is full", 1, false, fill_up},
                                      {"the disk is well again", 6, false, sim_journal_mend},
                                      {0}};
