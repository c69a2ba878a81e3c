/* Decides what a block can look like in a file that anybody may have written. The order of the ids is checked, too: in
 * a damaged tree the same rows can come again and again, without an end. */
#include "store/heads.h"

#include <string.h>

spb_status spb_heads__open(spb_heads *heads, spb_database *database, int64_t number, spb_error *err) {
    *heads = (spb_heads){.database = database};
    return spb_database__prepare_with(database, &heads->rows,
                                      "SELECT id, samples, length(metrics), boot, first_ms, last_ms"
                                      " FROM block_%lld NOT INDEXED WHERE id BETWEEN ? AND ? ORDER BY id",
                                      number, err);
}

void spb_heads__seek(spb_heads *heads, uint64_t first_id, uint64_t last_id) {
    sqlite3_reset(heads->rows);
    heads->before = first_id > 0 ? first_id - 1 : 0;
    sqlite3_int64 first = first_id > INT64_MAX ? INT64_MAX : (sqlite3_int64)first_id;
    sqlite3_bind_int64(heads->rows, 1, first > 0 ? first : INT64_MIN); /* to see those that are none */
    sqlite3_bind_int64(heads->rows, 2, last_id > INT64_MAX ? INT64_MAX : (sqlite3_int64)last_id);
}

spb_status spb_heads__next(spb_heads *heads, spb_head *out, bool *found, spb_error *err) {
    sqlite3_stmt *row = heads->rows;
    spb_status status = spb_database__step(heads->database, row, found, "read blocks", err);
    if (status != SPB_OK || !*found) {
        return status;
    }
    int64_t id, samples, bytes;
    if (!spb_database__integer(row, 0, 1, SPB_HEADS_LAST_ID, &id) || (uint64_t)id <= heads->before ||
        !spb_database__integer(row, 1, 0, SPB_HEADS_MOST_SAMPLES, &samples) ||
        !spb_database__integer(row, 2, 0, INT32_MAX, &bytes)) {
        *found = false;
        return spb_database__damaged(heads->database, err, "its blocks are out of order");
    }
    *out = (spb_head){.id = (uint64_t)id,
                      .samples = (uint64_t)samples,
                      .bytes = (uint64_t)bytes,
                      .boot = (uint64_t)sqlite3_column_int64(row, 3),
                      .first_ms = (uint64_t)sqlite3_column_int64(row, 4),
                      .last_ms = (uint64_t)sqlite3_column_int64(row, 5)};
    heads->before = out->id;
    return SPB_OK;
}

void spb_heads__close(spb_heads *heads) {
    sqlite3_finalize(heads->rows);
    heads->rows = NULL;
}

spb_status spb_heads__count(spb_heads *heads, uint64_t first_id, uint64_t last_id, spb_amount *out, spb_error *err) {
    spb_head head = {0}; /* gcc with -O3 does not see that it is set when something is found */
    bool found = true;
    spb_status status = SPB_OK;
    *out = (spb_amount){0};
    spb_heads__seek(heads, first_id, last_id);
    while (status == SPB_OK && found) {
        status = spb_heads__next(heads, &head, &found, err);
        if (status == SPB_OK && found) {
            spb_amount__add(out, (spb_amount){.blocks = 1, .samples = head.samples, .bytes = head.bytes});
        }
    }
    return status;
}

/* Going through it first shows that it is not too deep: SQLite's own check would call itself once for each level. */
spb_status spb_heads__check(spb_database *database, int64_t number, spb_amount *out, spb_error *err) {
    spb_heads heads;
    sqlite3_stmt *row = NULL;
    bool has_row = false;
    spb_status status = spb_heads__open(&heads, database, number, err);
    if (status == SPB_OK) {
        status = spb_heads__count(&heads, 0, INT64_MAX, out, err);
    }
    spb_heads__close(&heads);
    if (status == SPB_OK) {
        status = spb_database__prepare_with(database, &row, "PRAGMA quick_check(block_%lld)", number, err);
    }
    if (status == SPB_OK) {
        status = spb_database__step(database, row, &has_row, "check a segment", err);
    }
    if (status == SPB_OK && (!has_row || strcmp((const char *)sqlite3_column_text(row, 0), "ok") != 0)) {
        status = spb_database__damaged(database, err, "the pages of a segment are in disorder");
    }
    sqlite3_finalize(row);
    return status;
}
