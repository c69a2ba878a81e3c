/*
 * Decides which call of the store is next, and what a failure of it means: the session goes on, and asks again later.
 * The order is: what is to be appended, then what has no answer of its own, then the commit that makes all of it safe.
 * On a slow disk there is always more to be appended: so a commit that is late goes ahead of it, as does a read.
 */
#include "outbox/append.h"
#include "outbox/entity.h"

#define EXPIRE_MS 60000
/* A commit that has been due for so long waits for no further block, nor does a READ. */
#define LATE_MS 1000

/* ---- how the store fares ---- */

void spb_outbox__store_failed(spb_outbox *outbox, const char *what, spb_status status, const char *reason,
                              spb_time now) {
    if (spb_journal__failed(&outbox->journal, now.mono_ms)) {
        spb_notices__log(outbox->notices, SPB_LOG_ERROR, "the store fails: %s: %s", what,
                         reason && *reason ? reason : spb_status_name(status));
    }
}

void spb_outbox__store_went_well(spb_outbox *outbox) {
    if (spb_journal__went_well(&outbox->journal)) {
        spb_notices__log(outbox->notices, SPB_LOG_INFO, "the store works again");
    }
}

/* ---- what needs no answer ---- */

static bool wants_clock(const spb_outbox *outbox) {
    return outbox->is_clock_set && !outbox->is_clock_told && outbox->options->boot != 0 &&
           outbox->journal.has_boot_blocks;
}

static void tell_clock(spb_outbox *outbox, spb_time now, spb_action *out) {
    outbox->is_clock_told = true;
    outbox->journal.has_news = true;
    spb_journal__want_commit(&outbox->journal, now.mono_ms);
    *out = (spb_action){.kind = SPB_ACTION_SAVE_CLOCK};
    out->as.clock.boot = outbox->options->boot;
    out->as.clock.offset_ms = outbox->clock_offset_ms; /* the same for values that births show and for what is stored */
}

/* What is being replayed, is kept for hosts, or has arrived, is not to be counted as too old by the store as well. */
static bool may_expire(const spb_outbox *outbox, spb_time now) {
    return now.wall_ms >= SPB_EARLIEST_MS && outbox->stats->samples_in_journal > 0 && !outbox->replay.blocks.first &&
           !outbox->settling.first && !outbox->kept.first && outbox->journal.confirms.count == 0;
}

static bool expire(spb_outbox *outbox, spb_time now, spb_action *out) {
    uint64_t age_ms = (uint64_t)outbox->options->max_sample_age_s * 1000;
    outbox->journal.expire_ms = now.mono_ms + EXPIRE_MS;
    if (!may_expire(outbox, now)) {
        return false; /* a replay leaves out what is too old by itself */
    }
    outbox->journal.has_news = true;
    spb_journal__want_commit(&outbox->journal, now.mono_ms); /* which tells what was dropped */
    *out = (spb_action){.kind = SPB_ACTION_EXPIRE};
    out->as.before_ms = now.wall_ms - age_ms;
    return true;
}

/* Those that arrived, range by range; the COMMIT that makes it durable follows. */
static void confirm(spb_outbox *outbox, spb_time now, spb_action *out) {
    spb_journal *journal = &outbox->journal;
    spb_range range;
    spb_ranges__next(&journal->confirms, 0, &range);
    spb_ranges__remove(&journal->confirms, 0, range.last); /* from the beginning: needs no memory */
    spb_ranges__add(&journal->told, range.first, range.last);
    journal->has_news = true;
    spb_journal__want_commit(journal, now.mono_ms);
    *out = (spb_action){.kind = SPB_ACTION_CONFIRM};
    out->as.confirm.first_id = range.first;
    out->as.confirm.last_id = range.last;
}

/* Nothing depends on it soon: it goes along with a COMMIT, and one follows when the session has stopped. */
static bool wants_keep(const spb_journal *journal) {
    return journal->forgets_kept || journal->keeps.count > 0;
}

static void keep(spb_journal *journal, spb_action *out) {
    spb_range range = {0};
    *out = (spb_action){.kind = SPB_ACTION_KEEP};
    if (!journal->forgets_kept) {
        spb_ranges__next(&journal->keeps, 0, &range);
        spb_ranges__remove(&journal->keeps, 0, range.last);
        out->as.keep.kept_for = journal->kept_for;
        out->as.keep.first_id = range.first;
        out->as.keep.last_id = range.last;
    }
    journal->has_forgotten |= journal->forgets_kept;
    journal->forgets_kept = false;
    journal->has_news = true;
}

/* ---- COMMIT ---- */

static void commit(spb_outbox *outbox, spb_action *out) {
    spb_journal *journal = &outbox->journal;
    journal->asked = SPB_CALL_COMMIT;
    journal->asked_id = journal->appended_id;
    journal->bytes = 0;
    journal->has_news = false;
    journal->commit_ms = journal->confirm_ms = SPB_NEVER;
    *out = (spb_action){.kind = SPB_ACTION_COMMIT};
}

static uint64_t dropped_by_store(const spb_store_info *info) {
    return info->dropped_full + info->dropped_age + info->dropped_damage;
}

void spb_outbox__committed(spb_outbox *outbox, spb_status status, const char *reason, const spb_store_info *info,
                           spb_time now) {
    spb_journal *journal = &outbox->journal;
    if (journal->asked != SPB_CALL_COMMIT) {
        return;
    }
    journal->asked = SPB_CALL_NONE;
    uint64_t dropped = info ? dropped_by_store(info) - dropped_by_store(&journal->info) : 0;
    /* What is more than that was live, and may arrive. */
    outbox->stats->samples_dropped_journal += spb_outbox__leave_journal(outbox, dropped);
    if (info) {
        journal->info = *info;
    }
    if (status == SPB_OK) {
        journal->committed_id = journal->asked_id;
        spb_ranges__clear(&journal->told);
        journal->has_forgotten = false;
        spb_outbox__store_went_well(outbox);
        return;
    }
    for (size_t i = 0; i < journal->told.count; i++) { /* it tells of what had no answer of its own, too */
        spb_range range = spb_ranges__at(&journal->told, i);
        spb_journal__confirm(journal, range.first, range.last, now.mono_ms);
    }
    spb_ranges__clear(&journal->told);
    journal->forgets_kept |= journal->has_forgotten;
    outbox->is_clock_told = false;
    journal->has_news = true;
    spb_outbox__store_failed(outbox, "commit", status, reason, now);
    spb_journal__want_commit(journal, journal->retry_ms);
}

/* ---- the choice ---- */

static bool is_commit_late(const spb_journal *journal, spb_time now) {
    return now.mono_ms >= LATE_MS && journal->commit_ms <= now.mono_ms - LATE_MS;
}

static bool next_late_read(spb_outbox *outbox, spb_time now, spb_action *out) {
    spb_journal *journal = &outbox->journal;
    uint64_t due_ms = SPB_NEVER;
    if (!spb_outbox__next_read(outbox, now, NULL, &due_ms)) {
        journal->read_ms = SPB_NEVER;
        return false;
    }
    journal->read_ms = journal->read_ms == SPB_NEVER ? now.mono_ms + LATE_MS : journal->read_ms;
    return journal->read_ms <= now.mono_ms && spb_outbox__next_read(outbox, now, out, &due_ms);
}

/* In a session that is stopped, nobody waits for anything: what can be done is done at once. */
static bool next_silent(spb_outbox *outbox, bool is_running, spb_time now, spb_action *out) {
    spb_journal *journal = &outbox->journal;
    if (wants_clock(outbox)) {
        if (out) {
            tell_clock(outbox, now, out);
        }
        return true;
    }
    if (is_running && journal->expire_ms <= now.mono_ms && (!out || expire(outbox, now, out))) {
        return true;
    }
    bool is_due = journal->confirm_ms <= now.mono_ms || journal->commit_ms <= now.mono_ms || !is_running;
    if (is_due && journal->confirms.count > 0) {
        if (out) {
            confirm(outbox, now, out);
        }
        return true;
    }
    if (is_due && wants_keep(journal)) {
        if (out) {
            keep(journal, out);
        }
        return true;
    }
    return false;
}

bool spb_outbox__next_store(spb_outbox *outbox, bool may_append, bool is_running, spb_time now, spb_action *out,
                            uint64_t *due_ms) {
    spb_journal *journal = &outbox->journal;
    if (!journal->is_used || journal->asked != SPB_CALL_NONE) {
        return false;
    }
    if (journal->is_failing && now.mono_ms < journal->retry_ms) {
        spb_due__by(due_ms, is_running ? journal->retry_ms : SPB_NEVER);
        return false;
    }
    if (out && next_late_read(outbox, now, out)) { /* else it is found where READ has its place: in the session */
        return true;
    }
    bool is_late = is_running && is_commit_late(journal, now);
    if ((may_append && !is_late && spb_outbox__next_append(outbox, now, out)) ||
        next_silent(outbox, is_running, now, out)) {
        return true;
    }
    if (journal->commit_ms <= now.mono_ms || journal->is_failing || (!is_running && journal->has_news)) {
        if (out) {
            commit(outbox, out);
        }
        return true;
    }
    if (is_running) {
        spb_due__by(due_ms, journal->confirms.count > 0 ? journal->confirm_ms : SPB_NEVER);
        spb_due__by(due_ms, journal->commit_ms);
        spb_due__by(due_ms, journal->expire_ms);
    }
    return false;
}

/* ---- flush ---- */

static bool has_deferred(const spb_list *entities) {
    const spb_list_link *link = entities->first;
    while (link && SPB_LINKED((spb_list_link *)link, spb_entity, of_outbox)->deferred.count == 0) {
        link = link->next;
    }
    return link != NULL;
}

/* Some of what was accepted is in the journal, and no server is known to have it. */
static bool has_stored(const spb_outbox *outbox) {
    bool is_durable = outbox->level == SPB_DELIVERY_DURABLE;
    return outbox->replay.wanted.count > 0 || outbox->replay.is_incomplete || outbox->replay.blocks.first ||
           has_deferred(&outbox->entities) || has_deferred(&outbox->strangers) ||
           (is_durable && (outbox->stats->samples_unconfirmed > 0 || outbox->ready.first));
}

uint64_t spb_outbox__flush(spb_outbox *outbox, bool wants_birth, spb_time now) {
    spb_outbox__close_all_history(outbox);
    outbox->fences.is_wanted |= outbox->fences.messages > 0;
    spb_journal__want_commit(&outbox->journal, now.mono_ms);
    return spb_flushes__close(&outbox->flushes, has_stored(outbox) ? outbox->journal.appended_id : 0, wants_birth);
}
