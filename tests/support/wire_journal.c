/* Decides how the store of a wire answers; what it stores is left to the store in memory. */
#include "support/wire_journal.h"

#include <check.h>
#include <string.h>

void wire_journal_open(wire_journal *journal, const spb_store_options *options) {
    *journal = (wire_journal){0};
    ck_assert_int_eq(spb_store_new_in_memory(&journal->store, options, NULL), SPB_OK);
}

void wire_journal_close(wire_journal *journal) {
    journal->store->free(journal->store);
}

spb_store_info wire_journal_info(const wire_journal *journal) {
    spb_store_info info;
    journal->store->info(journal->store, &info);
    return info;
}

static void read_all(wire *w, spb_store *store, uint64_t from_id) {
    wire_journal *journal = w->journal;
    spb_status status = journal->read_fails;
    for (bool is_wanted = status == SPB_OK; is_wanted;) {
        spb_block block;
        bool found;
        status = store->read(store, from_id, &block, &found, NULL);
        if (status != SPB_OK || !found) {
            break;
        }
        journal->blocks_read++;
        is_wanted = spb_session_on_block(w->session, &block, w->now);
        from_id = block.id + 1;
    }
    spb_session_on_read_done(w->session, status, status == SPB_OK ? NULL : "the disk is broken", w->now);
}

static void answer(wire *w, const spb_action *action, spb_status status) {
    const wire_journal *journal = w->journal;
    const char *reason = status == SPB_OK ? NULL : "the disk is broken";
    spb_store_info info = wire_journal_info(journal);
    switch (action->kind) {
    case SPB_ACTION_SAVE_ALIASES: spb_session_on_aliases_saved(w->session, status, reason, w->now); break;
    case SPB_ACTION_APPEND: spb_session_on_appended(w->session, action->as.block.id, status, reason, w->now); break;
    case SPB_ACTION_COMMIT: spb_session_on_committed(w->session, status, reason, &info, w->now); break;
    case SPB_ACTION_READ: read_all(w, journal->store, action->as.read_from_id); break;
    default: break;
    }
}

static uint64_t mix(uint64_t hash, const void *data, size_t len) { /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001B3);
    }
    return hash;
}

/* Of what the action points to. */
static uint64_t fingerprint(const spb_action *action) {
    uint64_t hash = 0;
    if (action->kind == SPB_ACTION_APPEND) {
        const spb_block *block = &action->as.block;
        hash = mix(mix(1, block->metrics.data, block->metrics.len), block->device_id.data, block->device_id.len);
    } else if (action->kind == SPB_ACTION_SAVE_ALIASES) {
        for (size_t i = 0; i < action->as.aliases.count; i++) {
            const spb_alias *item = &action->as.aliases.items[i];
            hash = mix(mix(hash + item->alias, item->name.data, item->name.len), item->device_id.data,
                       item->device_id.len);
        }
    }
    return hash;
}

/* What the store is asked for is done at once, but for READ; only the answer may be late. */
static spb_status call(wire_journal *journal, const spb_action *action) {
    spb_store *store = journal->store;
    switch (action->kind) {
    case SPB_ACTION_SAVE_ALIASES:
        return journal->aliases_fail != SPB_OK
                   ? journal->aliases_fail
                   : store->save_aliases(store, action->as.aliases.items, action->as.aliases.count, NULL);
    case SPB_ACTION_APPEND:
        return journal->append_fails != SPB_OK ? journal->append_fails : store->append(store, &action->as.block, NULL);
    case SPB_ACTION_COMMIT:
        journal->commits++;
        return journal->commit_fails != SPB_OK ? journal->commit_fails : store->commit(store, NULL);
    case SPB_ACTION_CONFIRM:
        return store->confirm(store, action->as.confirm.first_id, action->as.confirm.last_id, NULL);
    case SPB_ACTION_KEEP:
        return store->keep(store, action->as.keep.kept_for, action->as.keep.first_id, action->as.keep.last_id, NULL);
    case SPB_ACTION_EXPIRE: return store->expire(store, action->as.before_ms, NULL);
    case SPB_ACTION_SAVE_CLOCK:
        return store->save_clock(store, action->as.clock.boot, action->as.clock.offset_ms, NULL);
    default: return SPB_OK;
    }
}

static void serve(wire *w, const spb_action *action) {
    wire_journal *journal = w->journal;
    bool has_answer = action->kind == SPB_ACTION_SAVE_ALIASES || action->kind == SPB_ACTION_APPEND ||
                      action->kind == SPB_ACTION_COMMIT || action->kind == SPB_ACTION_READ;
    ck_assert(!journal->is_waiting);
    spb_status status = call(journal, action);
    if (has_answer && journal->is_slow) {
        journal->is_waiting = true;
        journal->waiting_status = status;
        journal->waiting = *action;
        journal->waiting_hash = fingerprint(action);
    } else if (has_answer) {
        answer(w, action, status);
    }
}

void wire_journal_answer(wire *w) {
    wire_journal *journal = w->journal;
    const spb_action *waiting = &journal->waiting;
    ck_assert(journal->is_waiting);
    ck_assert_uint_eq(fingerprint(waiting), journal->waiting_hash); /* until now the store may look at it */
    journal->is_waiting = false;
    answer(w, waiting, journal->waiting_status);
}

static void adopt(void *context, const spb_alias *alias) {
    ck_assert_int_eq(spb_session_adopt_alias(context, alias), SPB_OK);
}

void wire_open_with(wire *w, wire_journal *journal, spb_session_options *options) {
    options->has_journal = true;
    options->journal = wire_journal_info(journal);
    wire_open(w, options);
    w->store = serve;
    w->journal = journal;
    ck_assert_int_eq(journal->store->load_aliases(journal->store, adopt, w->session, NULL), SPB_OK);
}
