/* Decides how rows are read one after the other without searching for each. Which of them are wanted is left to the
 * journal. */
#include "store/cursor.h"

#include "base/error.h"

#include "store/checksum.h"
#include "store/heads.h"

#define MOST_STEPS 64 /* to go on to a row rather than search for it */

void spb_cursor__rest(spb_sqlite *store) {
    if (store->cursor.statement) {
        sqlite3_reset(store->cursor.statement);
    }
    store->cursor.id = 0;
}

void spb_cursor__close(spb_sqlite *store) {
    sqlite3_finalize(store->cursor.statement);
    store->cursor = (spb_cursor){0};
}

spb_status spb_cursor__block(spb_database *database, sqlite3_stmt *row, spb_block *out, bool *is_sound,
                             spb_error *err) {
    bool has_device = sqlite3_column_type(row, 1) != SQLITE_NULL;
    const void *device = sqlite3_column_blob(row, 1), *metrics = sqlite3_column_blob(row, 7);
    size_t device_len = (size_t)sqlite3_column_bytes(row, 1), len = (size_t)sqlite3_column_bytes(row, 7);
    if (sqlite3_errcode(database->db) == SQLITE_NOMEM) {
        return spb_error__no_memory(err, "a block of samples");
    }
    int64_t id, samples, crc;
    bool is_in_range = spb_database__integer(row, 0, 1, SPB_HEADS_LAST_ID, &id) &&
                       spb_database__integer(row, 2, 0, SPB_HEADS_MOST_SAMPLES, &samples) &&
                       spb_database__integer(row, 6, 0, UINT32_MAX, &crc);
    *out = (spb_block){.id = (uint64_t)sqlite3_column_int64(row, 0),
                       .device_id = {.data = has_device && !device ? "" : device, .len = device_len},
                       .samples = is_in_range ? (uint32_t)samples : 0,
                       .first_ms = (uint64_t)sqlite3_column_int64(row, 3),
                       .last_ms = (uint64_t)sqlite3_column_int64(row, 4),
                       .boot = (uint64_t)sqlite3_column_int64(row, 5),
                       .metrics = {.data = metrics, .len = len}};
    *is_sound = is_in_range && (uint32_t)crc == spb_checksum__block(out);
    return SPB_OK;
}

/* A statement for that table, from from_id on. */
static spb_status search(spb_sqlite *store, const spb_store_segment *segment, uint64_t from_id, spb_error *err) {
    spb_cursor *cursor = &store->cursor;
    if (cursor->statement && cursor->number != segment->number) {
        spb_cursor__close(store);
    }
    if (!cursor->statement) {
        spb_status status = spb_database__prepare_with(
            &store->database, &cursor->statement,
            "SELECT id, device, samples, first_ms, last_ms, boot, crc, metrics FROM block_%lld NOT INDEXED"
            " WHERE id >= ? ORDER BY id",
            segment->number, err);
        if (status != SPB_OK) {
            return status;
        }
        cursor->number = segment->number;
    }
    spb_cursor__rest(store);
    sqlite3_bind_int64(cursor->statement, 1, from_id > INT64_MAX ? INT64_MAX : (sqlite3_int64)from_id);
    return SPB_OK;
}

spb_status spb_cursor__read(spb_sqlite *store, const spb_store_segment *segment, uint64_t from_id, spb_block *out,
                            bool *found, bool *is_sound, spb_error *err) {
    spb_cursor *cursor = &store->cursor;
    bool goes_on = cursor->id != 0 && cursor->number == segment->number && from_id > cursor->id &&
                   from_id - cursor->id <= MOST_STEPS;
    spb_status status = goes_on ? SPB_OK : search(store, segment, from_id, err);
    sqlite3_int64 id = goes_on ? (sqlite3_int64)cursor->id : -1;
    *found = false;
    for (bool has_row = true; status == SPB_OK && has_row && !*found;) {
        status = spb_database__step(&store->database, cursor->statement, &has_row, "read a block", err);
        sqlite3_int64 before = id;
        id = sqlite3_column_int64(cursor->statement, 0);
        if (status == SPB_OK && has_row && id <= before) { /* in a damaged tree there may be no end of them */
            status = spb_database__damaged(&store->database, err, "its blocks are out of order");
        }
        *found = status == SPB_OK && has_row && (uint64_t)id >= from_id;
    }
    if (status == SPB_OK && *found) {
        status = spb_cursor__block(&store->database, cursor->statement, out, is_sound, err);
    }
    if (status != SPB_OK || !*found) {
        spb_cursor__rest(store);
        *found = false;
        return status;
    }
    cursor->id = out->id;
    return SPB_OK;
}
