/* Decides when the store is told the identity of the node: the bdSeq that it did not take before its CONNECT, and new
 * aliases. What it is told of samples is left to the outbox. */
#include <stdlib.h>

#include "core/session.h"

/* ---- aliases ---- */

/* All that are new, with copies of their names: the store may take long, and metrics may be removed meanwhile. */
static bool copy_aliases(spb_session *session, size_t *count) {
    const spb_table *table = &session->table;
    spb_alias *items = realloc(session->alias_items, (size_t)table->unsaved.total * sizeof *items);
    spb_buffer *texts = &session->alias_texts;
    if (!items) {
        return false;
    }
    session->alias_items = items;
    texts->len = 0;
    *count = 0;
    spb_range next;
    for (uint64_t from = 0; spb_ranges__next(&table->unsaved, from, &next); from = next.first + 1) {
        spb_alias *item = &items[*count];
        if (!spb_table__whose_alias(table, (uint32_t)next.first, item)) {
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
        spb_outbox__store_failed(&session->outbox, "aliases", SPB_ERR_NO_MEMORY, NULL, now);
        return false;
    }
    if (count == 0) { /* all of them were removed again */
        spb_ranges__clear(&session->table.unsaved);
        return false;
    }
    *out = (spb_action){.kind = SPB_ACTION_SAVE_ALIASES};
    out->as.aliases.items = session->alias_items;
    out->as.aliases.count = count;
    session->saving_alias = session->table.last_alias;
    session->outbox.journal.asked = SPB_CALL_SAVE_ALIASES;
    return true;
}

void spb_session_on_aliases_saved(spb_session *session, spb_status status, const char *reason, spb_time now) {
    if (session->outbox.journal.asked != SPB_CALL_SAVE_ALIASES) {
        return;
    }
    session->outbox.journal.asked = SPB_CALL_NONE;
    if (status == SPB_OK) {
        spb_outbox__store_went_well(&session->outbox);
        spb_ranges__remove(&session->table.unsaved, 0, session->saving_alias);
        spb_buffer__clear(&session->alias_texts); /* there were as many as metrics, and will be few */
    } else {
        spb_outbox__store_failed(&session->outbox, "aliases", status, reason, now);
    }
}

spb_status spb_session_adopt_alias(spb_session *session, const spb_alias *alias) {
    return spb_table__adopt_alias(&session->table, alias);
}

/* ---- the choice ---- */

void spb_session__save_bdseq(spb_session *session, spb_action *out) {
    *out = (spb_action){.kind = SPB_ACTION_SAVE_BDSEQ};
    out->as.bdseq = session->bdseq.number;
    session->waiting_saves++;
}

static bool next_bdseq(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    bool is_waiting = session->waiting_saves > 0 || !spb_session__is_running(session);
    if (is_waiting || session->bdseq_retry_ms > now.mono_ms) {
        spb_due__by(due_ms, is_waiting ? SPB_NEVER : session->bdseq_retry_ms);
        return false;
    }
    if (out) {
        spb_session__save_bdseq(session, out);
    }
    return true;
}

bool spb_session__next_identity(spb_session *session, spb_time now, spb_action *out, uint64_t *due_ms) {
    spb_journal *journal = &session->outbox.journal;
    if (!session->options.has_journal || journal->asked != SPB_CALL_NONE) {
        return false;
    }
    if (journal->is_failing && now.mono_ms < journal->retry_ms) {
        spb_due__by(due_ms, spb_session__is_running(session) ? journal->retry_ms : SPB_NEVER);
        return false;
    }
    if (next_bdseq(session, now, out, due_ms)) {
        return true;
    }
    if (session->table.unsaved.count > 0 && (!out || save_aliases(session, now, out))) {
        return true;
    }
    if (out && !journal->is_used &&
        session->table.unsaved.count == 0) { /* only aliases are saved, and there are none */
        journal->is_failing = false;
    }
    return false;
}
