/*
 * Decides how bdSeq, aliases and clocks stand in the file, and that the first two are safe from a power cut when they
 * are saved, whatever the journal does with its commits. What they mean is left to the session.
 */
#include "store/identity.h"

#include "base/error.h"

#include "store/checksum.h"
#include "store/cost.h"
#include "store/segments.h"
#include "store/shape.h"

#define ALIAS_BYTES 24 /* of a row, beside its texts */

/* ---- transactions of their own ---- */

static spb_status begin(spb_sqlite *store, uint64_t pages, spb_error *err) {
    spb_status status = spb_room__clear_log(&store->room, &store->database, pages, err);
    if (status == SPB_OK && store->options.sync == SPB_STORE_SYNC_NORMAL) {
        status = spb_database__execute(&store->database, "PRAGMA synchronous = FULL", "begin", err);
    }
    return status == SPB_OK ? spb_database__execute(&store->database, "BEGIN", "begin", err) : status;
}

static spb_status end(spb_sqlite *store, spb_status status, spb_error *err) {
    if (status == SPB_OK) {
        status = spb_database__execute(&store->database, "COMMIT", "commit", err);
    }
    spb_database__rollback(&store->database);
    if (store->options.sync == SPB_STORE_SYNC_NORMAL) {
        sqlite3_exec(store->database.db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    }
    spb_room__measure(&store->room, &store->database, NULL);
    return status;
}

/* ---- the bdSeq ---- */

spb_status spb_identity__load_bdseq(spb_database *database, uint8_t *bdseq, bool *found, spb_error *err) {
    int64_t number = -1;
    *found = false;
    spb_status status = spb_shape__demand(database, SPB_SHAPE_IDENTITY, err);
    if (status == SPB_OK) {
        status = spb_database__number(database, "SELECT coalesce(bdseq, -1) FROM identity NOT INDEXED WHERE id = 1",
                                      &number, err);
    }
    if (status == SPB_OK && (number < -1 || number > UINT8_MAX)) {
        return spb_database__damaged(database, err, "the bdSeq in it is none");
    }
    if (status == SPB_OK && number >= 0) {
        *bdseq = (uint8_t)number;
        *found = true;
    }
    return status;
}

spb_status spb_identity__save_bdseq(spb_sqlite *store, uint8_t bdseq, spb_error *err) {
    spb_status status = begin(store, SPB_COST_BASE_PAGES, err);
    if (status == SPB_OK) {
        status = spb_database__execute_with(&store->database, "UPDATE identity SET bdseq = %lld WHERE id = 1", bdseq,
                                            "save the bdSeq", err);
    }
    if (status == SPB_OK && sqlite3_changes(store->database.db) != 1) {
        status = spb_database__damaged(&store->database, err, "the row of the bdSeq is missing");
    }
    return end(store, status, err);
}

/* ---- aliases ---- */

static spb_str text_of(sqlite3_stmt *row, int column) {
    bool is_absent = sqlite3_column_type(row, column) == SQLITE_NULL;
    const void *data = is_absent ? NULL : sqlite3_column_blob(row, column);
    return (spb_str){.data = data || is_absent ? data : "", .len = (size_t)sqlite3_column_bytes(row, column)};
}

static void bind_text(sqlite3_stmt *statement, int index, spb_str text) {
    if (text.data) {
        sqlite3_bind_text64(statement, index, text.data, text.len, SQLITE_STATIC, SQLITE_UTF8);
    } else {
        sqlite3_bind_null(statement, index);
    }
}

/* False: that cannot be. */
static bool read_alias(sqlite3_stmt *row, spb_alias *out) {
    int64_t alias, type, crc;
    bool is_in_range = spb_database__integer(row, 0, 0, UINT32_MAX, &alias) &&
                       spb_database__integer(row, 3, SPB_UNKNOWN, SPB_DATETIME_ARRAY, &type) &&
                       spb_database__integer(row, 4, 0, UINT32_MAX, &crc);
    if (!is_in_range) {
        return false;
    }
    *out = (spb_alias){
        .alias = (uint32_t)alias, .device_id = text_of(row, 1), .name = text_of(row, 2), .type = (spb_type)type};
    return spb_checksum__alias(out) == (uint32_t)crc;
}

spb_status spb_identity__load_aliases(spb_database *database, void (*each)(void *context, const spb_alias *alias),
                                      void *context, uint64_t *damaged, spb_error *err) {
    sqlite3_stmt *row = NULL;
    bool has_row = true;
    uint64_t bad = 0;
    sqlite3_int64 before = INT64_MIN;
    spb_status status = spb_shape__demand(database, SPB_SHAPE_ALIAS, err);
    if (status == SPB_OK) {
        status = spb_database__prepare(
            database, &row, "SELECT alias, device, name, type, crc FROM alias NOT INDEXED ORDER BY alias", err);
    }
    while (status == SPB_OK && has_row) {
        status = spb_database__step(database, row, &has_row, "read the aliases", err);
        if (status != SPB_OK || !has_row) {
            break;
        }
        spb_alias alias;
        bool is_sound = read_alias(row, &alias);
        if (sqlite3_errcode(database->db) == SQLITE_NOMEM) {
            status = spb_error__no_memory(err, "the aliases");
        } else if (sqlite3_column_int64(row, 0) <= before) { /* in a damaged tree there may be no end of them */
            status = spb_database__damaged(database, err, "its aliases are out of order");
        } else if (is_sound) {
            each(context, &alias);
        } else {
            bad++;
        }
        before = sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    if (damaged) {
        *damaged = bad;
    } else if (status == SPB_OK && bad > 0) {
        status = spb_database__damaged(database, err, "an alias in it is none, or its checksum is wrong");
    }
    return status;
}

static void ignore(void *context, const spb_alias *alias) {
    (void)context;
    (void)alias;
}

spb_status spb_identity__count_aliases(spb_database *database, uint64_t *damaged) {
    return spb_identity__load_aliases(database, ignore, NULL, damaged, NULL);
}

static uint64_t alias_pages(const spb_sqlite *store, const spb_alias *items, size_t count) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += spb_room__row_bytes(&store->room, ALIAS_BYTES + items[i].device_id.len + items[i].name.len);
    }
    return bytes / store->room.page_bytes + 1;
}

/* As many as one transaction may change pages for. */
static spb_status insert_aliases(spb_sqlite *store, const spb_alias *items, size_t count, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status =
        spb_database__prepare(&store->database, &statement, "INSERT OR REPLACE INTO alias VALUES (?, ?, ?, ?, ?)", err);
    for (size_t i = 0; status == SPB_OK && i < count; i++) {
        sqlite3_bind_int64(statement, 1, items[i].alias);
        bind_text(statement, 2, items[i].device_id);
        bind_text(statement, 3, items[i].name);
        sqlite3_bind_int(statement, 4, (int)items[i].type);
        sqlite3_bind_int64(statement, 5, spb_checksum__alias(&items[i]));
        status = spb_database__run(&store->database, statement, "save aliases", err);
    }
    sqlite3_finalize(statement);
    return status;
}

spb_status spb_identity__save_aliases(spb_sqlite *store, const spb_alias *items, size_t count, spb_error *err) {
    spb_status status = SPB_OK;
    uint64_t most = spb_room__transaction_pages(&store->room) - SPB_COST_BASE_PAGES;
    while (status == SPB_OK && count > 0) {
        size_t some = count;
        while (some > 1 && alias_pages(store, items, some) > most) {
            some = (some + 1) / 2;
        }
        status = begin(store, SPB_COST_BASE_PAGES + alias_pages(store, items, some), err);
        if (status == SPB_OK) {
            status = insert_aliases(store, items, some, err);
        }
        status = end(store, status, err);
        items += some;
        count -= some;
    }
    return status;
}

/* ---- clocks ---- */

/* False: that cannot be. */
static bool read_clock(sqlite3_stmt *row, spb_boot *out) {
    int64_t boot, offset_ms = 0, crc;
    bool is_in_range = spb_database__integer(row, 0, INT64_MIN, INT64_MAX, &boot) &&
                       spb_database__integer(row, 1, INT64_MIN, INT64_MAX, &offset_ms) &&
                       spb_database__integer(row, 2, 0, UINT32_MAX, &crc);
    *out = (spb_boot){.boot = (uint64_t)boot, .offset_ms = is_in_range ? offset_ms : 0, .is_saved = true};
    return is_in_range && spb_checksum__clock(out->boot, out->offset_ms) == (uint32_t)crc;
}

spb_status spb_identity__load_clocks(spb_database *database, spb_boots *boots, uint64_t *damaged, spb_error *err) {
    sqlite3_stmt *row = NULL;
    bool has_row = true, is_first = true;
    sqlite3_int64 before = 0;
    *damaged = 0;
    spb_status status = spb_shape__demand(database, SPB_SHAPE_CLOCK, err);
    if (status == SPB_OK) {
        status = spb_database__prepare(database, &row,
                                       "SELECT boot, offset_ms, crc FROM clock NOT INDEXED ORDER BY boot", err);
    }
    while (status == SPB_OK && has_row) {
        status = spb_database__step(database, row, &has_row, "read the clocks", err);
        if (status != SPB_OK || !has_row) {
            break;
        }
        spb_boot boot;
        bool is_sound = read_clock(row, &boot);
        if (!is_first && sqlite3_column_int64(row, 0) <= before) { /* in a damaged tree there may be no end of them */
            status = spb_database__damaged(database, err, "its clocks are out of order");
        } else if (!is_sound) {
            ++*damaged;
        } else if (!spb_boots__set(boots, boot)) {
            status = spb_error__no_memory(err, "the clocks");
        }
        before = sqlite3_column_int64(row, 0);
        is_first = false;
    }
    sqlite3_finalize(row);
    return status;
}

spb_status spb_identity__write_clocks(spb_sqlite *store, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status =
        spb_database__prepare(&store->database, &statement, "INSERT OR REPLACE INTO clock VALUES (?, ?, ?)", err);
    for (size_t i = 0; status == SPB_OK && i < store->boots.count; i++) {
        spb_boot boot = store->boots.items[i];
        if (boot.is_saved) {
            continue;
        }
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)boot.boot);
        sqlite3_bind_int64(statement, 2, boot.offset_ms);
        sqlite3_bind_int64(statement, 3, spb_checksum__clock(boot.boot, boot.offset_ms));
        status = spb_database__run(&store->database, statement, "save a clock", err);
    }
    sqlite3_finalize(statement);
    return status;
}

/* ---- what is kept ---- */

spb_status spb_identity__load_kept(spb_sqlite *store, spb_error *err) {
    sqlite3_stmt *row = NULL;
    bool has_row = false;
    if (store->kept.kept_for != 0) { /* the file is a new one */
        store->kept.is_saved = false;
        return SPB_OK;
    }
    spb_status status = spb_shape__demand(&store->database, SPB_SHAPE_META, err);
    if (status == SPB_OK) {
        status = spb_database__prepare(&store->database, &row,
                                       "SELECT value FROM meta NOT INDEXED WHERE key = 'kept' AND length(value) < 2048",
                                       err);
    }
    if (status == SPB_OK) {
        status = spb_database__step(&store->database, row, &has_row, "read what is kept", err);
    }
    const char *text = has_row ? (const char *)sqlite3_column_text(row, 0) : NULL;
    store->kept.is_saved = true;
    if (text) {
        spb_kept__read(&store->kept, text, store->last_id);
    }
    for (size_t i = 0; i < store->gone.count; i++) {
        spb_range gone = spb_ranges__at(&store->gone, i);
        spb_ranges__remove(&store->kept.ids, gone.first, gone.last);
    }
    sqlite3_finalize(row);
    store->kept_samples = spb_segments__count(store, &store->kept.ids);
    return status;
}

spb_status spb_identity__write_kept(spb_sqlite *store, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    char text[SPB_KEPT_TEXT_BYTES];
    spb_kept__write(&store->kept, text);
    spb_status status =
        spb_database__prepare(&store->database, &statement, "INSERT OR REPLACE INTO meta VALUES ('kept', ?)", err);
    if (status == SPB_OK) {
        sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
        status = spb_database__run(&store->database, statement, "note what is kept", err);
    }
    sqlite3_finalize(statement);
    return status;
}

spb_status spb_identity__check(spb_database *database, spb_error *err) {
    uint8_t bdseq;
    bool found;
    spb_boots boots = {0};
    uint64_t damaged = 0;
    spb_status status = spb_identity__load_bdseq(database, &bdseq, &found, err);
    if (status == SPB_OK) {
        status = spb_identity__load_aliases(database, ignore, NULL, NULL, err);
    }
    if (status == SPB_OK) {
        status = spb_identity__load_clocks(database, &boots, &damaged, err);
    }
    if (status == SPB_OK && damaged > 0) {
        status = spb_database__damaged(database, err, "the checksum of a clock is wrong");
    }
    spb_boots__clear(&boots);
    return status;
}
