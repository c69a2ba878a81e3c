/* Files that somebody made on purpose: trees of pages that never end, and pages of other kinds than ours. The store
 * opens in the end, and takes little memory. Tables and numbers: store_hostile. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "support/altered_store.h"
#include "support/blocks.h"
#include "support/suite.h"

#define PAGE 4096

static void put(uint8_t *at, uint32_t number, int bytes) {
    for (int i = bytes; i-- > 0; number >>= 8) {
        at[i] = (uint8_t)number;
    }
}

/* A page of a table, all of whose children are the same page. */
static void make_knot(uint8_t *page, uint32_t child) {
    enum { CELLS = 300, CELL_BYTES = 5 };
    memset(page, 0, PAGE);
    page[0] = 5;
    put(page + 3, CELLS, 2);
    put(page + 5, PAGE - CELLS * CELL_BYTES, 2);
    put(page + 8, child, 4);
    for (uint32_t i = 0; i < CELLS; i++) {
        uint32_t at = PAGE - (i + 1) * CELL_BYTES;
        put(page + 12 + 2 * i, at, 2);
        put(page + at, child, 4);
        page[at + 4] = 1;
    }
}

static uint32_t root_of(const char *table) {
    sqlite3 *db;
    sqlite3_stmt *row;
    ck_assert_int_eq(sqlite3_open(store_path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?", -1, &row, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(row, 1, table, -1, SQLITE_STATIC);
    ck_assert_int_eq(sqlite3_step(row), SQLITE_ROW);
    uint32_t root = (uint32_t)sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return root;
}

/* The root of that table leads to its old content by `levels` pages, in 300 ways at each. */
static void tie(const char *table, uint32_t levels) {
    make_store();
    uint32_t root = root_of(table);
    size_t size;
    uint8_t *bytes = store_files_read("", &size);
    uint32_t pages = (uint32_t)bytes[28] << 24 | (uint32_t)bytes[29] << 16 | (uint32_t)bytes[30] << 8 | bytes[31];
    uint8_t *with = calloc(pages + levels, PAGE);
    ck_assert_ptr_nonnull(with);
    memcpy(with, bytes, (size_t)pages * PAGE);
    memcpy(with + (size_t)pages * PAGE, bytes + (size_t)(root - 1) * PAGE, PAGE);
    for (uint32_t i = 1; i < levels; i++) {
        make_knot(with + (size_t)(pages + i) * PAGE, pages + i);
    }
    make_knot(with + (size_t)(root - 1) * PAGE, pages + levels);
    put(with + 28, pages + levels, 4);
    store_files_write("", with, (size_t)(pages + levels) * PAGE);
    store_files_write("-wal", with, 0);
    free(with);
    free(bytes);
}

START_TEST(trees_that_lead_to_the_same_page_again_and_again) {
    static const char *const tables[] = {"alias",   "clock",    "segment", "gone",
                                         "journal", "identity", "block_1", "block_2"};
    for (uint32_t levels = 1; levels <= 25; levels += 6) {
        for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
            tie(tables[i], levels);
            ck_assert_msg(!pass(tables[i]).is_refused, "%s", tables[i]);
        }
    }
}
END_TEST

/* What is in it is confirmed before it is read; then it is found out by the check before it is dropped, or by SQLite.
 */
START_TEST(a_knot_in_a_segment_that_is_dropped_unread) {
    spb_error err;
    for (uint32_t levels = 1; levels <= 25; levels += 8) {
        tie("block_1", levels);
        spb_store *store = store_files_open(&small_store);
        ck_assert_int_eq(store->confirm(store, 1, 40, &err), SPB_OK);
        ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
        store->free(store);
        store = store_files_open(&small_store);
        ck_assert_uint_eq(blocks_info(store).blocks, 0);
        store->free(store);
    }
}
END_TEST

/* Others than we choose, which make the room that a change takes another one. */
START_TEST(other_kinds_of_pages) {
    static const char *const kinds[] = {
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM",
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 65536; VACUUM",
        "PRAGMA journal_mode = DELETE; PRAGMA page_size = 65536; VACUUM; PRAGMA journal_mode = WAL",
        "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = FULL; VACUUM",
        "PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = INCREMENTAL; VACUUM",
        "PRAGMA default_cache_size = 2000000000",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA journal_mode = PERSIST; UPDATE identity SET bdseq = 4",
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        make_store();
        store_files_sql(kinds[i]);
        store_ordeal_result found = pass(kinds[i]);
        ck_assert_msg(!found.is_refused && found.blocks == 35, "%s: %d blocks", kinds[i], (int)found.blocks);
    }
}
END_TEST

int main(void) {
    TCase *all = tcase_create("store_knots");
    tcase_set_timeout(all, 600);
    tcase_add_checked_fixture(all, store_files_setup, store_files_teardown);
    tcase_add_test(all, trees_that_lead_to_the_same_page_again_and_again);
    tcase_add_test(all, a_knot_in_a_segment_that_is_dropped_unread);
    tcase_add_test(all, other_kinds_of_pages);
    Suite *suite = suite_create("store_knots");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
