/*
 * Decides what goes into one transaction, and which segments give way when there is no more room. Everything in memory
 * is changed only when the transaction has succeeded; what gives way is gone in memory first.
 */
#include "store/write.h"

#include "base/error.h"

#include "store/checksum.h"
#include "store/cost.h"
#include "store/cursor.h"
#include "store/identity.h"
#include "store/segments.h"

#define MOST_DROPS 16 /* in one transaction */
#define MOST_IDLE 3

typedef struct transaction {
    spb_sqlite *store;
    uint64_t pages_left;       /* that it may still change */
    int64_t drops[MOST_DROPS]; /* tables that it dropped */
    size_t drop_count;
    spb_store_segment *segment; /* that takes blocks; NULL: none does */
    bool is_made;               /* its table was made */
    uint64_t last_id;           /* of the blocks in it */
    uint64_t fresh_last;        /* what is gone is written up to this id, */
    bool has_fresh;             /* if anything is */
    bool is_more;               /* something is left to be done */
} transaction;

static bool has_drops(const spb_sqlite *store) {
    for (size_t i = 0; i < store->segments.count; i++) {
        if (store->segments.items[i].is_dropped) {
            return true;
        }
    }
    return false;
}

static bool has_clocks(const spb_sqlite *store) {
    for (size_t i = 0; i < store->boots.count; i++) {
        if (!store->boots.items[i].is_saved) {
            return true;
        }
    }
    return false;
}

bool spb_write__is_due(const spb_sqlite *store) {
    return store->waiting.amount.blocks > 0 || store->fresh.count > 0 || has_drops(store) || has_clocks(store) ||
           !store->kept.is_saved;
}

/* ---- parts of a transaction ---- */

/* Takes `pages` from what it may change. False: they are left to the next one. */
static bool afford(transaction *now, uint64_t pages) {
    if (pages > now->pages_left) {
        now->is_more = true;
        return false;
    }
    now->pages_left -= pages;
    return true;
}

static spb_status drop_table(transaction *now, const spb_store_segment *segment, spb_error *err) {
    if (now->drop_count == MOST_DROPS || !afford(now, spb_cost__drop_pages(now->store, segment))) {
        now->is_more = true;
        return SPB_OK;
    }
    now->drops[now->drop_count++] = segment->number;
    return segment->is_made ? spb_segments__drop_table(now->store, segment, err) : SPB_OK;
}

static spb_status drop_tables(transaction *now, spb_error *err) {
    spb_status status = SPB_OK;
    for (size_t i = 0; status == SPB_OK && !now->is_more && i < now->store->segments.count; i++) {
        if (now->store->segments.items[i].is_dropped) {
            status = drop_table(now, &now->store->segments.items[i], err);
        }
    }
    return status;
}

static bool is_dropped_now(const transaction *now, int64_t number) {
    for (size_t i = 0; i < now->drop_count; i++) {
        if (now->drops[i] == number) {
            return true;
        }
    }
    return false;
}

/* The lowest id that can be in a table after this transaction; UINT64_MAX: there is no table. */
static uint64_t lowest_id(const transaction *now) {
    const spb_store_segments *segments = &now->store->segments;
    for (size_t i = 0; i < segments->count; i++) {
        if (!is_dropped_now(now, segments->items[i].number)) {
            return segments->items[i].first_id;
        }
    }
    return UINT64_MAX;
}

/* A row for each range of ids; one that has grown takes the place of those that it holds now. */
static spb_status write_gone_rows(transaction *now, sqlite3_stmt *delete, sqlite3_stmt *insert, spb_error *err) {
    spb_sqlite *store = now->store;
    spb_status status = SPB_OK;
    uint64_t pages_there = store->gone.count / SPB_COST_ROWS_IN_PAGE + SPB_COST_TABLE_PAGES, pages = 0;
    for (size_t i = 0; status == SPB_OK && i < store->fresh.count; i++) {
        spb_range fresh = spb_ranges__at(&store->fresh, i), whole;
        if (pages < pages_there && !afford(now, 1)) {
            return SPB_OK;
        }
        pages++;
        if (spb_ranges__around(&store->gone, fresh.first, &whole) && whole.last >= lowest_id(now)) {
            sqlite3_bind_int64(delete, 1, (sqlite3_int64)whole.first);
            sqlite3_bind_int64(delete, 2, (sqlite3_int64)whole.last);
            status = spb_database__run(&store->database, delete, "note what is gone", err);
            sqlite3_bind_int64(insert, 1, (sqlite3_int64)whole.first);
            sqlite3_bind_int64(insert, 2, (sqlite3_int64)whole.last);
            if (status == SPB_OK) {
                status = spb_database__run(&store->database, insert, "note what is gone", err);
            }
        }
        now->fresh_last = fresh.last;
        now->has_fresh = true;
    }
    return status;
}

static spb_status write_gone(transaction *now, spb_error *err) {
    spb_sqlite *store = now->store;
    sqlite3_stmt *delete = NULL, *insert = NULL;
    spb_status status = SPB_OK;
    if (store->fresh.count > 0) {
        status =
            spb_database__prepare(&store->database, &delete, "DELETE FROM gone WHERE first_id BETWEEN ? AND ?", err);
        if (status == SPB_OK) {
            status = spb_database__prepare(&store->database, &insert, "INSERT INTO gone VALUES (?, ?)", err);
        }
        if (status == SPB_OK) {
            status = write_gone_rows(now, delete, insert, err);
        }
    }
    sqlite3_finalize(delete);
    sqlite3_finalize(insert);
    if (status == SPB_OK && now->drop_count > 0) {
        uint64_t lowest = lowest_id(now);
        status =
            spb_database__execute_with(&store->database, "DELETE FROM gone WHERE last_id < %lld",
                                       lowest > INT64_MAX ? INT64_MAX : (int64_t)lowest, "forget what is gone", err);
    }
    return status;
}

/* ---- blocks ---- */

/* Drops the oldest segments until there is room for `pages`, if that is the policy. */
static spb_status make_room(transaction *now, uint64_t pages, spb_error *err) {
    spb_sqlite *store = now->store;
    spb_status status = SPB_OK;
    uint64_t there = spb_room__for_blocks(&store->room, &store->database);
    while (status == SPB_OK && !now->is_more && store->room.used_pages + pages > there &&
           store->options.policy == SPB_STORE_DROP_OLDEST) {
        spb_store_segment *oldest = spb_segments__oldest(store);
        spb_amount left;
        if (!oldest) {
            break;
        }
        if (!spb_segments__drop(store, oldest, &left)) {
            return spb_error__no_memory(err, "the store");
        }
        store->dropped_full += left.samples;
        status = drop_table(now, oldest, err);
        if (status == SPB_OK) {
            status = spb_room__measure(&store->room, &store->database, err);
        }
    }
    return status;
}

static spb_status insert_block(spb_sqlite *store, sqlite3_stmt *insert, const spb_block *block, spb_error *err) {
    sqlite3_bind_int64(insert, 1, (sqlite3_int64)block->id);
    if (block->device_id.data) {
        sqlite3_bind_text64(insert, 2, block->device_id.data, block->device_id.len, SQLITE_STATIC, SQLITE_UTF8);
    }
    sqlite3_bind_int64(insert, 3, block->samples);
    sqlite3_bind_int64(insert, 4, (sqlite3_int64)block->first_ms);
    sqlite3_bind_int64(insert, 5, (sqlite3_int64)block->last_ms);
    sqlite3_bind_int64(insert, 6, (sqlite3_int64)block->boot);
    sqlite3_bind_int64(insert, 7, spb_checksum__block(block));
    sqlite3_bind_blob64(insert, 8, block->metrics.data, block->metrics.len, SQLITE_STATIC);
    return spb_database__run(&store->database, insert, "append a block", err);
}

/* Up to the block that the transaction has no more room for. */
static spb_status insert_blocks(transaction *now, uint64_t until_id, spb_error *err) {
    spb_sqlite *store = now->store;
    sqlite3_stmt *insert = NULL;
    spb_status status = spb_database__prepare_with(
        &store->database, &insert, "INSERT INTO block_%lld VALUES (?, ?, ?, ?, ?, ?, ?, ?)", now->segment->number, err);
    uint64_t from_id = 0;
    for (const spb_block *block;
         status == SPB_OK && (block = spb_blocks__find(&store->waiting, from_id)) && block->id <= until_id;) {
        status = insert_block(store, insert, block, err);
        now->last_id = block->id;
        from_id = block->id + 1;
    }
    sqlite3_finalize(insert);
    return status;
}

/* How much of what waits fits into the transaction: its last id, and its pages. 0: nothing. */
static uint64_t choose_blocks(transaction *now, uint64_t *pages) {
    const spb_sqlite *store = now->store;
    uint64_t bytes = 0, last_id = 0;
    for (const spb_block *block; (block = spb_blocks__find(&store->waiting, last_id + 1));) {
        uint64_t more = (bytes + spb_cost__block_bytes(store, block)) / store->room.page_bytes + 1;
        if (more + SPB_COST_TABLE_PAGES > now->pages_left) {
            now->is_more = true;
            break;
        }
        bytes += spb_cost__block_bytes(store, block);
        *pages = more + SPB_COST_TABLE_PAGES;
        last_id = block->id;
    }
    return last_id;
}

/* What a segment will hold with the blocks up to that id. */
static void count_in(const spb_sqlite *store, spb_store_segment *segment, uint64_t until_id) {
    uint64_t from_id = 0;
    for (const spb_block *block; (block = spb_blocks__find(&store->waiting, from_id)) && block->id <= until_id;) {
        spb_amount one = {.blocks = 1, .samples = block->samples, .bytes = block->metrics.len};
        spb_amount__add(&segment->total, one);
        spb_amount__add(&segment->present, one);
        spb_times times = spb_boots__times(&store->boots, block->boot, block->first_ms, block->last_ms);
        segment->newest_ms = times.newest_ms > segment->newest_ms ? times.newest_ms : segment->newest_ms;
        segment->last_id = block->id;
        from_id = block->id + 1;
    }
}

static spb_store_segment with_blocks(const transaction *now) {
    spb_store_segment after = *now->segment;
    count_in(now->store, &after, now->last_id);
    after.is_made = true;
    after.is_complete =
        after.total.bytes + after.total.blocks * SPB_COST_BLOCK_HEAD_BYTES >= now->store->room.segment_bytes;
    return after;
}

static spb_status write_blocks(transaction *now, spb_error *err) {
    spb_sqlite *store = now->store;
    uint64_t pages = 0, until_id = choose_blocks(now, &pages);
    if (until_id == 0) {
        return SPB_OK;
    }
    bool was_more = now->is_more;
    now->is_more = false;
    now->pages_left -= pages;
    spb_status status = make_room(now, pages, err);
    if (status != SPB_OK || now->is_more) { /* no room for so many drops: they come first */
        return status;
    }
    now->is_more = was_more;
    now->segment = spb_segments__open(store, spb_blocks__find(&store->waiting, 0)->id);
    if (!now->segment) {
        return spb_error__no_memory(err, "the store");
    }
    if (!now->segment->is_made) {
        status = spb_segments__make_table(store, now->segment, err);
    }
    if (status == SPB_OK) {
        status = insert_blocks(now, until_id, err);
    }
    if (status == SPB_OK) {
        spb_store_segment after = with_blocks(now);
        status = after.is_complete ? spb_segments__complete(store, &after, err) : SPB_OK;
    }
    return status;
}

/* ---- the transaction ---- */

static void succeed(transaction *now) {
    spb_sqlite *store = now->store;
    if (now->segment) {
        *now->segment = with_blocks(now);
        spb_blocks__remove(&store->waiting, 0, now->last_id);
        spb_amount none;
        if (now->segment->is_complete && now->segment->present.blocks == 0) {
            spb_segments__drop(store, now->segment, &none);
        }
    }
    for (size_t i = 0; i < now->drop_count; i++) {
        spb_segments__forget(store, now->drops[i]);
    }
    if (now->has_fresh) {
        spb_ranges__remove(&store->fresh, 0, now->fresh_last);
    }
    for (size_t i = 0; i < store->boots.count; i++) {
        store->boots.items[i].is_saved = true;
    }
    store->kept.is_saved = true;
    uint64_t lowest = store->segments.count > 0 ? store->segments.items[0].first_id : UINT64_MAX;
    while (store->gone.count > 0 && spb_ranges__at(&store->gone, 0).last < lowest) {
        spb_ranges__remove(&store->gone, 0, spb_ranges__at(&store->gone, 0).last);
    }
}

static spb_status carry_out(transaction *now, spb_error *err) {
    spb_sqlite *store = now->store;
    spb_status status = spb_database__execute(&store->database, "BEGIN", "begin", err);
    if (status == SPB_OK) {
        status = drop_tables(now, err);
    }
    if (status == SPB_OK && now->drop_count > 0) {
        status = spb_room__measure(&store->room, &store->database, err);
    }
    if (status == SPB_OK) {
        status = write_gone(now, err);
    }
    if (status == SPB_OK && has_clocks(store)) {
        status = spb_identity__write_clocks(store, err);
    }
    if (status == SPB_OK && !store->kept.is_saved) {
        status = spb_identity__write_kept(store, err);
    }
    if (status == SPB_OK) {
        status = write_blocks(now, err);
    }
    if (status == SPB_OK) {
        status = spb_database__execute(&store->database, "COMMIT", "commit", err);
    }
    if (status == SPB_OK) {
        succeed(now);
    }
    spb_database__rollback(&store->database);
    return status;
}

/* One transaction. *is_more: another one is wanted; *has_done: this one has changed something. */
static spb_status write_some(spb_sqlite *store, bool *is_more, bool *has_done, spb_error *err) {
    spb_status status = spb_room__clear_log(&store->room, &store->database, spb_cost__wanted_pages(store), err);
    if (status != SPB_OK) {
        return status;
    }
    transaction now = {.store = store, .pages_left = spb_room__log_pages(&store->room)};
    afford(&now, SPB_COST_BASE_PAGES);
    status = carry_out(&now, err);
    *is_more = now.is_more;
    *has_done = now.drop_count > 0 || now.has_fresh || now.segment;
    spb_room__measure(&store->room, &store->database, NULL);
    return status;
}

spb_status spb_write__all(spb_sqlite *store, spb_error *err) {
    spb_status status = SPB_OK;
    unsigned idle = 0; /* transactions that did nothing: before one, the log was full, or a segment gave way */
    spb_cursor__rest(store);
    for (bool is_more = true, has_done = false; status == SPB_OK && is_more && spb_write__is_due(store);) {
        status = write_some(store, &is_more, &has_done, err);
        idle = has_done ? 0 : idle + 1;
        if (status == SPB_OK && is_more && idle > MOST_IDLE) {
            status = spb_error__set(err, SPB_ERR_STORE, "store %.120s: its log has no room for what is to be written",
                                    store->path);
        }
    }
    return status;
}
