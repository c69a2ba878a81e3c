/*
 * Decides what is known of a segment without reading its blocks, and how that is found again after a restart: complete
 * segments have their sums in the file, the last one is read. When one is begun or dropped is left to the journal.
 */
#include "store/segments.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void spb_segments__clear(spb_sqlite *store) {
    free(store->segments.items);
    store->segments = (spb_store_segments){0};
    spb_ranges__clear(&store->gone);
    spb_ranges__clear(&store->fresh);
}

static spb_store_segment *add(spb_sqlite *store, spb_store_segment segment) {
    spb_store_segments *all = &store->segments;
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? all->capacity * 2 : 16;
        spb_store_segment *items = realloc(all->items, capacity * sizeof *items);
        if (!items) {
            return NULL;
        }
        all->items = items;
        all->capacity = capacity;
    }
    all->items[all->count] = segment;
    return &all->items[all->count++];
}

/* ---- counting ---- */

/* What is in first_id … last_id of its table. The length of a blob is known without reading it. */
static spb_status count(spb_sqlite *store, const spb_store_segment *segment, uint64_t first_id, uint64_t last_id,
                        spb_amount *out, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    bool has_row = false;
    *out = (spb_amount){0};
    spb_status status = spb_database__prepare_with(
        &store->database, &statement,
        "SELECT count(*), coalesce(sum(samples), 0), coalesce(sum(length(metrics)), 0) FROM block_%lld"
        " WHERE id BETWEEN ? AND ?",
        segment->number, err);
    if (status == SPB_OK) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)first_id);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)last_id);
        status = spb_database__step(&store->database, statement, &has_row, "count blocks", err);
    }
    if (status == SPB_OK && has_row) {
        *out = (spb_amount){.blocks = (uint64_t)sqlite3_column_int64(statement, 0),
                            .samples = (uint64_t)sqlite3_column_int64(statement, 1),
                            .bytes = (uint64_t)sqlite3_column_int64(statement, 2)};
    }
    sqlite3_finalize(statement);
    return status;
}

/* What is not gone: all, less what is in the gaps. */
static spb_status count_present(spb_sqlite *store, spb_store_segment *segment, spb_error *err) {
    spb_status status = SPB_OK;
    spb_amount present = segment->total;
    spb_range range;
    uint64_t from_id = segment->first_id;
    while (status == SPB_OK && spb_ranges__next(&store->gone, from_id, &range) && range.first <= segment->last_id) {
        uint64_t last_id = range.last < segment->last_id ? range.last : segment->last_id;
        spb_amount less = {0};
        status = count(store, segment, range.first, last_id, &less, err);
        spb_amount__subtract(&present, less);
        from_id = last_id + 1;
    }
    if (status == SPB_OK) {
        segment->present = present;
        segment->is_stale = false;
    }
    return status;
}

/* Those whose sums could not be counted when the disk failed. */
static void count_stale(spb_sqlite *store) {
    for (size_t i = 0; store->database.db && i < store->segments.count; i++) {
        if (store->segments.items[i].is_stale) {
            count_present(store, &store->segments.items[i], NULL);
        }
    }
}

spb_amount spb_segments__present(const spb_sqlite *store) {
    spb_amount sum = {0};
    for (size_t i = 0; i < store->segments.count; i++) {
        if (!store->segments.items[i].is_dropped) {
            spb_amount__add(&sum, store->segments.items[i].present);
        }
    }
    return sum;
}

void spb_segments__take_out(spb_sqlite *store, uint64_t first_id, uint64_t last_id) {
    count_stale(store);
    for (size_t i = 0; i < store->segments.count; i++) {
        spb_store_segment *segment = &store->segments.items[i];
        if (segment->is_dropped || segment->last_id < first_id || segment->first_id > last_id) {
            continue;
        }
        spb_amount less = segment->total;
        if (first_id > segment->first_id || last_id < segment->last_id) {
            segment->is_stale |= !store->database.db || count(store, segment, first_id, last_id, &less, NULL) != SPB_OK;
        }
        if (!segment->is_stale) {
            spb_amount__subtract(&segment->present, less);
        }
    }
}

/* ---- finding ---- */

spb_store_segment *spb_segments__find(spb_sqlite *store, uint64_t from_id) {
    for (size_t i = 0; i < store->segments.count; i++) {
        spb_store_segment *segment = &store->segments.items[i];
        if (!segment->is_dropped && segment->last_id >= from_id) {
            return segment;
        }
    }
    return NULL;
}

spb_store_segment *spb_segments__oldest(spb_sqlite *store) {
    return spb_segments__find(store, 0);
}

uint64_t spb_segments__last_id(const spb_sqlite *store) {
    return store->segments.count > 0 ? store->segments.items[store->segments.count - 1].last_id : 0;
}

spb_store_segment *spb_segments__open(spb_sqlite *store, uint64_t first_id) {
    spb_store_segments *all = &store->segments;
    spb_store_segment *last = all->count > 0 ? &all->items[all->count - 1] : NULL;
    if (last && !last->is_complete && !last->is_dropped) {
        return last;
    }
    /* While nothing is in it, its ids are none: the last one is before the first one. */
    return add(store, (spb_store_segment){
                          .number = last ? last->number + 1 : 1, .first_id = first_id, .last_id = first_id - 1});
}

bool spb_segments__drop(spb_sqlite *store, spb_store_segment *segment, spb_amount *left) {
    if (segment->last_id >= segment->first_id && !spb_ranges__add(&store->gone, segment->first_id, segment->last_id)) {
        return false;
    }
    *left = segment->present;
    segment->present = (spb_amount){0};
    segment->is_dropped = true;
    return true;
}

void spb_segments__forget(spb_sqlite *store, int64_t number) {
    spb_store_segments *all = &store->segments;
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].number == number) {
            memmove(&all->items[i], &all->items[i + 1], (all->count - i - 1) * sizeof *all->items);
            all->count--;
            return;
        }
    }
}

/* ---- times ---- */

static void note_time(const spb_sqlite *store, uint64_t *newest_ms, uint64_t boot, uint64_t first_ms,
                      uint64_t last_ms) {
    uint64_t newest = spb_boots__times(&store->boots, boot, first_ms, last_ms).newest_ms;
    *newest_ms = newest > *newest_ms ? newest : *newest_ms;
}

/* By its blocks: the clock of some of them may have become known. */
uint64_t spb_segments__newest(spb_sqlite *store, spb_store_segment *segment) {
    if (segment->newest_ms != UINT64_MAX || !store->database.db || store->boots.count == 0) {
        return segment->newest_ms;
    }
    sqlite3_stmt *statement = NULL;
    bool has_row = true;
    uint64_t newest_ms = 0;
    spb_status status = spb_database__prepare_with(
        &store->database, &statement, "SELECT boot, first_ms, last_ms FROM block_%lld", segment->number, NULL);
    while (status == SPB_OK && has_row && newest_ms < UINT64_MAX) {
        status = spb_database__step(&store->database, statement, &has_row, "read times", NULL);
        if (status == SPB_OK && has_row) {
            note_time(store, &newest_ms, (uint64_t)sqlite3_column_int64(statement, 0),
                      (uint64_t)sqlite3_column_int64(statement, 1), (uint64_t)sqlite3_column_int64(statement, 2));
        }
    }
    sqlite3_finalize(statement);
    return status == SPB_OK ? newest_ms : UINT64_MAX;
}

/* ---- tables ---- */

spb_status spb_segments__make_table(spb_sqlite *store, const spb_store_segment *segment, spb_error *err) {
    spb_status status = spb_database__execute_with(
        &store->database,
        "CREATE TABLE block_%lld (id INTEGER PRIMARY KEY, device TEXT, samples INTEGER NOT NULL,"
        " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, boot INTEGER NOT NULL, crc INTEGER NOT NULL,"
        " metrics BLOB NOT NULL)",
        segment->number, "begin a segment", err);
    sqlite3_stmt *statement = NULL;
    if (status == SPB_OK) {
        status =
            spb_database__prepare(&store->database, &statement, "INSERT INTO segment (n, first_id) VALUES (?, ?)", err);
    }
    if (status == SPB_OK) {
        sqlite3_bind_int64(statement, 1, segment->number);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)segment->first_id);
        status = spb_database__run(&store->database, statement, "begin a segment", err);
    }
    sqlite3_finalize(statement);
    return status;
}

spb_status spb_segments__complete(spb_sqlite *store, const spb_store_segment *segment, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status = spb_database__prepare(&store->database, &statement,
                                              "UPDATE segment SET last_id = ?, blocks = ?, samples = ?, bytes = ?,"
                                              " newest_ms = ? WHERE n = ?",
                                              err);
    if (status == SPB_OK) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)segment->last_id);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)segment->total.blocks);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)segment->total.samples);
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)segment->total.bytes);
        sqlite3_bind_int64(statement, 5, (sqlite3_int64)segment->newest_ms);
        sqlite3_bind_int64(statement, 6, segment->number);
        status = spb_database__run(&store->database, statement, "complete a segment", err);
    }
    sqlite3_finalize(statement);
    return status;
}

/* The highest id must be known after its table is gone; so must what is gone of others, and no more than that. */
spb_status spb_segments__drop_table(spb_sqlite *store, const spb_store_segment *segment, spb_error *err) {
    spb_status status =
        spb_database__execute_with(&store->database, "DROP TABLE block_%lld", segment->number, "drop a segment", err);
    if (status == SPB_OK) {
        status = spb_database__execute_with(&store->database, "DELETE FROM segment WHERE n = %lld", segment->number,
                                            "drop a segment", err);
    }
    if (status == SPB_OK) {
        status = spb_database__execute_with(&store->database, "UPDATE journal SET last_id = %lld WHERE last_id < %lld",
                                            (int64_t)segment->last_id, "drop a segment", err);
    }
    return status;
}

/* ---- loading ---- */

/* The last segment, whose sums are not in the file: its blocks are counted one by one, without their metrics. */
static spb_status read_open(spb_sqlite *store, spb_store_segment *segment, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    bool has_row = true;
    spb_status status = spb_database__prepare_with(
        &store->database, &statement,
        "SELECT id, samples, length(metrics), boot, first_ms, last_ms FROM block_%lld ORDER BY id", segment->number,
        err);
    segment->last_id = segment->first_id - 1;
    while (status == SPB_OK && has_row) {
        status = spb_database__step(&store->database, statement, &has_row, "count blocks", err);
        if (status == SPB_OK && has_row) {
            segment->last_id = (uint64_t)sqlite3_column_int64(statement, 0);
            spb_amount__add(&segment->total, (spb_amount){.blocks = 1,
                                                          .samples = (uint64_t)sqlite3_column_int64(statement, 1),
                                                          .bytes = (uint64_t)sqlite3_column_int64(statement, 2)});
            note_time(store, &segment->newest_ms, (uint64_t)sqlite3_column_int64(statement, 3),
                      (uint64_t)sqlite3_column_int64(statement, 4), (uint64_t)sqlite3_column_int64(statement, 5));
        }
    }
    sqlite3_finalize(statement);
    return status;
}

static spb_store_segment from_row(sqlite3_stmt *row) {
    return (spb_store_segment){.number = sqlite3_column_int64(row, 0),
                               .first_id = (uint64_t)sqlite3_column_int64(row, 1),
                               .last_id = (uint64_t)sqlite3_column_int64(row, 2),
                               .total = {.blocks = (uint64_t)sqlite3_column_int64(row, 3),
                                         .samples = (uint64_t)sqlite3_column_int64(row, 4),
                                         .bytes = (uint64_t)sqlite3_column_int64(row, 5)},
                               .newest_ms = (uint64_t)sqlite3_column_int64(row, 6),
                               .is_complete = sqlite3_column_type(row, 2) != SQLITE_NULL,
                               .is_made = true};
}

static spb_status read_segments(spb_sqlite *store, spb_error *err) {
    sqlite3_stmt *row = NULL;
    bool has_row = true;
    spb_status status = spb_database__prepare(
        &store->database, &row,
        "SELECT n, first_id, last_id, blocks, samples, bytes, newest_ms FROM segment ORDER BY n", err);
    while (status == SPB_OK && has_row) {
        status = spb_database__step(&store->database, row, &has_row, "read its segments", err);
        if (status == SPB_OK && has_row) {
            spb_store_segment *segment = add(store, from_row(row));
            if (!segment) {
                status = spb_error__no_memory(err, "the store");
            } else if (!segment->is_complete) {
                status = read_open(store, segment, err);
            }
        }
    }
    sqlite3_finalize(row);
    return status;
}

static spb_status read_gone(spb_sqlite *store, spb_error *err) {
    sqlite3_stmt *row = NULL;
    bool has_row = true;
    spb_status status = spb_database__prepare(&store->database, &row, "SELECT first_id, last_id FROM gone", err);
    while (status == SPB_OK && has_row) {
        status = spb_database__step(&store->database, row, &has_row, "read what is gone", err);
        if (status == SPB_OK && has_row) {
            sqlite3_int64 first = sqlite3_column_int64(row, 0), last = sqlite3_column_int64(row, 1);
            if (first < 0 || last < first) {
                status = spb_database__damaged(&store->database, err, "what is gone is no range");
            } else if (!spb_ranges__add(&store->gone, (uint64_t)first, (uint64_t)last)) {
                status = spb_error__no_memory(err, "the store");
            }
        }
    }
    sqlite3_finalize(row);
    return status;
}

/* In order, and nothing impossible in them. */
static spb_status check(spb_sqlite *store, spb_error *err) {
    uint64_t before = 0;
    for (size_t i = 0; i < store->segments.count; i++) {
        const spb_store_segment *segment = &store->segments.items[i];
        bool is_last = i + 1 == store->segments.count;
        if (segment->first_id <= before || segment->last_id < segment->first_id - 1 || segment->last_id > INT64_MAX ||
            (!segment->is_complete && !is_last)) {
            return spb_database__damaged(&store->database, err, "its segments are out of order");
        }
        before = segment->last_id;
    }
    return SPB_OK;
}

spb_status spb_segments__load(spb_sqlite *store, spb_error *err) {
    int64_t last_id = 0;
    spb_segments__clear(store);
    spb_status status = read_segments(store, err);
    if (status == SPB_OK) {
        status = check(store, err);
    }
    if (status == SPB_OK) {
        status = read_gone(store, err);
    }
    if (status == SPB_OK) {
        status = spb_database__number(&store->database, "SELECT last_id FROM journal WHERE id = 1", &last_id, err);
    }
    for (size_t i = 0; status == SPB_OK && i < store->segments.count; i++) {
        spb_store_segment *segment = &store->segments.items[i];
        status = count_present(store, segment, err);
        segment->is_dropped = segment->is_complete && segment->present.blocks == 0;
    }
    if (status == SPB_OK) {
        uint64_t newest = spb_segments__last_id(store);
        newest = newest > (uint64_t)last_id ? newest : (uint64_t)last_id;
        store->last_id = newest > store->last_id ? newest : store->last_id;
    }
    return status;
}
