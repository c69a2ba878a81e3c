/* Decides which call of the store is next, and what a failure of it means: the session goes on, and asks again later.
 */
#include "core/session.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRE_MS 60000

/* ---- how the store fares ---- */

void spb_session__store_failed(spb_session *session, const char *what, spb_status status, const char *reason,
                               spb_time now) {
    if (spb_journal__failed(&session->journal, now.mono_ms)) {
        spb_session__log(session, SPB_LOG_ERROR, "the store fails: %s: %s", what,
                         reason && *reason ? reason : spb_status_name(status));
    }
}

void spb_session__store_went_well(spb_session *session) {
    if (spb_journal__went_well(&session->journal)) {
        spb_session__log(session, SPB_LOG_INFO, "the store works again");
    }
}

/* ---- aliases ---- */

bool spb_session__awaits_aliases(const spb_session *session) {
    return session->table.unsaved_count > 0 && !session->journal.is_failing;
}

/* Whose alias it is, also when the metric was removed: blocks of the journal may name it. False: nobody's any more. */
static bool find_alias(const spb_table *table, uint32_t number, spb_alias *out) {
    const spb_metric *metric = spb_table__find_alias(table, number);
    if (metric) {
        *out = (spb_alias){.device_id = spb_device__id_view(metric->holder),
                           .name = spb_metric__name_view(metric),
                           .type = (spb_type)metric->type,
                           .alias = number};
        return true;
    }
    const spb_alias_entry *entry = spb_alias_map__find(&table->retired, number);
    if (entry) {
        *out = (spb_alias){.device_id = {entry->text, entry->device_len},
                           .name = {entry->text + entry->device_len, entry->name_len},
                           .type = entry->type,
                           .alias = number};
    }
    return entry != NULL;
}

/* All that are new, with copies of their names: metrics may be removed before they are written. */
static bool copy_aliases(spb_session *session, size_t *count) {
    const spb_table *table = &session->table;
    spb_alias *items = realloc(session->alias_items, table->unsaved_count * sizeof *items);
    spb_buffer *texts = &session->payload;
    if (!items) {
        return false;
    }
    session->alias_items = items;
    texts->len = 0;
    *count = 0;
    for (size_t i = 0; i < table->unsaved_count; i++) {
        spb_alias *item = &items[*count];
        if (!find_alias(table, table->unsaved[i], item)) {
            continue;
        }
        if (!spb_buffer__append(texts, item->device_id.data, item->device_id.len) ||
            !spb_buffer__append(texts, item->name.data, item->name.len)) {
            return false;
        }
        (*count)++;
    }
    const char *at = (const char *)texts->data;
    for (size_t i = 0; i < *count; i++) {
        items[i].device_id.data = items[i].device_id.len > 0 ? at : NULL;
        at += items[i].device_id.len;
        items[i].name.data = at;
        at += items[i].name.len;
    }
    return true;
}

static bool save_aliases(spb_session *session, spb_time now, spb_action *out) {
    size_t count;
    if (!copy_aliases(session, &count)) {
        spb_session__store_failed(session, "aliases", SPB_ERR_NO_MEMORY, NULL, now);
        return false;
    }
    if (count == 0) { /* all of them were removed again */
        spb_table__aliases_saved(&session->table, session->table.unsaved_count);
        return false;
    }
    *out = (spb_action){.kind = SPB_ACTION_SAVE_ALIASES};
    out->as.aliases.items = session->alias_items;
    out->as.aliases.count = count;
    session->saving_aliases = session->table.unsaved_count;
    session->journal.asked = SPB_CALL_SAVE_ALIASES;
    return true;
}

void spb_session_on_aliases_saved(spb_session *session, spb_status status, const char *reason, spb_time now) {
    if (session->journal.asked != SPB_CALL_SAVE_ALIASES) {
        return;
    }
    session->journal.asked = SPB_CALL_NONE;
    if (status == SPB_OK) {
        spb_session__store_went_well(session);
        spb_table__aliases_saved(&session->table, session->saving_aliases);
    } else {
        spb_session__store_failed(session, "aliases", status, reason, now);
    }
}

spb_status spb_session_adopt_alias(spb_session *session, const spb_alias *alias) {
    return spb_table__adopt_alias(&session->table, alias);
}

static bool is_running(const spb_session *session) {
    return session->state != SPB_SESSION_STOPPED;
}

/* ---- the bdSeq, which the store did not take before its CONNECT ---- */

static uint64_t bdseq_due_ms(const spb_session *session) {
    return session->waiting_saves > 0 || !is_running(session) ? SPB_NEVER : session->bdseq_retry_ms;
}

static bool save_bdseq(spb_session *session, spb_action *out) {
    *out = (spb_action){.kind = SPB_ACTION_SAVE_BDSEQ};
    out->as.bdseq = session->bdseq.number;
    session->waiting_saves++;
    return true;
}

/* ---- what needs no answer ---- */

static bool wants_clock(const spb_session *session) {
    const spb_journal *journal = &session->journal;
    return journal->is_used && session->is_clock_set && !session->is_clock_told && session->options.boot != 0 &&
           journal->has_boot_blocks;
}

static bool tell_clock(spb_session *session, spb_time now, spb_action *out) {
    session->is_clock_told = true;
    session->journal.has_news = true;
    spb_journal__want_commit(&session->journal, now.mono_ms);
    *out = (spb_action){.kind = SPB_ACTION_SAVE_CLOCK};
    out->as.clock.boot = session->options.boot;
    out->as.clock.offset_ms =
        session->clock_offset_ms; /* the same for values that births show and for what is stored */
    return true;
}

/* What is being replayed, was replayed and is kept for the primary host, or has arrived, is not to be counted as too
 * old by the store as well. */
static bool may_expire(const spb_session *session) {
    return session->replay.chunks[0].number == 0 && session->replay.replayed_count == 0 &&
           session->journal.confirms.count == 0;
}

static bool expire(spb_session *session, spb_time now, spb_action *out) {
    uint64_t age_ms = (uint64_t)session->options.max_sample_age_s * 1000;
    session->journal.expire_ms = now.mono_ms + EXPIRE_MS;
    if (now.wall_ms < SPB_EARLIEST_MS || session->in_journal == 0 || !may_expire(session)) {
        return false; /* a replay leaves out what is too old by itself */
    }
    session->journal.has_news = true;
    spb_journal__want_commit(&session->journal, now.mono_ms); /* which tells what was dropped */
    *out = (spb_action){.kind = SPB_ACTION_EXPIRE};
    out->as.before_ms = now.wall_ms - age_ms;
    return true;
}

/* Those that arrived, range by range; the COMMIT that makes it durable follows. */
static bool confirm(spb_session *session, spb_time now, spb_action *out) {
    spb_journal *journal = &session->journal;
    spb_range range;
    if (!spb_ranges__next(&journal->confirms, 0, &range)) {
        return false;
    }
    spb_ranges__remove(&journal->confirms, 0, range.last); /* from the beginning: needs no memory */
    spb_ranges__add(&journal->told, range.first, range.last);
    journal->has_news = true;
    spb_journal__want_commit(journal, now.mono_ms);
    *out = (spb_action){.kind = SPB_ACTION_CONFIRM};
    out->as.confirm.first_id = range.first;
    out->as.confirm.last_id = range.last;
    return true;
}

/* ---- COMMIT ---- */

static bool commit(spb_session *session, spb_action *out) {
    spb_journal *journal = &session->journal;
    journal->asked = SPB_CALL_COMMIT;
    journal->asked_id = journal->appended_id;
    journal->bytes = 0;
    journal->has_news = false;
    journal->commit_ms = journal->confirm_ms = SPB_NEVER;
    *out = (spb_action){.kind = SPB_ACTION_COMMIT};
    return true;
}

static uint64_t dropped_by_store(const spb_store_info *info) {
    return info->dropped_full + info->dropped_age + info->dropped_damage;
}

void spb_session_on_committed(spb_session *session, spb_status status, const char *reason, const spb_store_info *info,
                              spb_time now) {
    spb_journal *journal = &session->journal;
    if (journal->asked != SPB_CALL_COMMIT) {
        return;
    }
    journal->asked = SPB_CALL_NONE;
    uint64_t dropped = info ? dropped_by_store(info) - dropped_by_store(&journal->info) : 0;
    dropped = dropped < session->in_journal ? dropped : session->in_journal; /* the rest was live, and may arrive */
    session->in_journal -= dropped;
    session->dropped_by_store += dropped;
    if (info) {
        journal->info = *info;
    }
    if (status == SPB_OK) {
        journal->committed_id = journal->asked_id;
        spb_ranges__clear(&journal->told);
        spb_session__store_went_well(session);
    } else { /* it tells of what had no answer of its own, too */
        for (size_t i = 0; i < journal->told.count; i++) {
            spb_range range = spb_ranges__at(&journal->told, i);
            spb_journal__confirm(journal, range.first, range.last, now.mono_ms);
        }
        spb_ranges__clear(&journal->told);
        session->is_clock_told = false;
        journal->has_news = true;
        spb_session__store_failed(session, "commit", status, reason, now);
        spb_journal__want_commit(journal, journal->retry_ms);
    }
}

/* ---- the choice ---- */

bool spb_session__next_store(spb_session *session, spb_time now, spb_action *out) {
    spb_journal *journal = &session->journal;
    if (!session->options.has_journal || spb_journal__is_blocked(journal, now.mono_ms)) {
        return false;
    }
    if (bdseq_due_ms(session) <= now.mono_ms) {
        return save_bdseq(session, out);
    }
    if (session->table.unsaved_count > 0 && save_aliases(session, now, out)) {
        return true;
    }
    if (spb_session__next_append(session, now, out)) {
        return true;
    }
    if (!journal->is_used) { /* only aliases are saved, and there are none */
        journal->is_failing = journal->is_failing && session->table.unsaved_count > 0;
        return false;
    }
    if (spb_journal__is_blocked(journal, now.mono_ms)) {
        return false;
    }
    if (wants_clock(session)) {
        return tell_clock(session, now, out);
    }
    if (is_running(session) && journal->expire_ms <= now.mono_ms && expire(session, now, out)) {
        return true;
    }
    bool is_due = journal->confirm_ms <= now.mono_ms || journal->commit_ms <= now.mono_ms || !is_running(session);
    if (is_due && confirm(session, now, out)) {
        return true;
    }
    bool is_wanted = journal->commit_ms <= now.mono_ms || journal->is_failing;
    return (is_wanted || (!is_running(session) && journal->has_news)) && commit(session, out);
}

/* Nobody waits for anything in a session that is stopped: what can be done is done at once. */
static bool has_rest(const spb_session *session) {
    const spb_journal *journal = &session->journal;
    return !journal->is_failing && (session->table.unsaved_count > 0 || wants_clock(session) || journal->has_news ||
                                    journal->confirms.count > 0 || spb_session__append_due_ms(session) == 0);
}

uint64_t spb_session__store_due_ms(const spb_session *session) {
    const spb_journal *journal = &session->journal;
    if (!session->options.has_journal || journal->asked != SPB_CALL_NONE) {
        return SPB_NEVER;
    }
    if (!is_running(session)) {
        return has_rest(session) ? 0 : SPB_NEVER;
    }
    if (journal->is_failing) {
        return journal->retry_ms;
    }
    if (session->table.unsaved_count > 0 || wants_clock(session)) {
        return 0;
    }
    uint64_t at_ms = spb_session__append_due_ms(session), bdseq_ms = bdseq_due_ms(session);
    at_ms = bdseq_ms < at_ms ? bdseq_ms : at_ms;
    at_ms = journal->commit_ms < at_ms ? journal->commit_ms : at_ms;
    at_ms = journal->confirm_ms < at_ms ? journal->confirm_ms : at_ms;
    return journal->expire_ms < at_ms ? journal->expire_ms : at_ms;
}

/* ---- flush ---- */

/* Some of what was accepted is in the journal, and no server is known to have it. The ids of blocks say so; how many
 * samples that are is not known for sure, as a full journal may drop what a replay has in memory. */
static bool has_stored(const spb_session *session) {
    const spb_replay *replay = &session->replay;
    bool is_durable = session->level == SPB_DELIVERY_DURABLE;
    return replay->wanted.count > 0 || replay->is_incomplete || replay->deferred.count > 0 ||
           replay->chunks[0].number != 0 ||
           (is_durable && (session->stats.samples_unconfirmed > 0 || session->queues[SPB_QUEUE_READY].first));
}

uint64_t spb_session_flush(spb_session *session, spb_time now) {
    spb_session__release_all(session, now);
    while (session->queues[SPB_QUEUE_HOLD].first) {
        spb_session__close_held(session, session->queues[SPB_QUEUE_HOLD].first);
    }
    session->fences.is_wanted |= session->fences.messages > 0;
    spb_journal__want_commit(&session->journal, now.mono_ms);
    bool wants_birth = !session->journal.is_used && session->phase != SPB_PHASE_BORN && session->unsent > 0;
    return spb_flushes__close(&session->flushes, has_stored(session) ? session->journal.appended_id : 0, wants_birth);
}

spb_flush spb_session_flushed(const spb_session *session, uint64_t ticket) {
    return spb_flushes__look(&session->flushes, ticket, session->journal.committed_id);
}
