/* Files that somebody made on purpose: whatever tables and numbers stand in them, the store opens in the end, runs
 * nothing of it, and takes little memory. Pages: store_knots. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "support/altered_store.h"
#include "support/blocks.h"
#include "support/suite.h"

/* ---- tables ---- */

#define ENDLESS "(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)"

typedef struct alteration {
    const char *sql;
    bool is_refused;
    int blocks; /* of 35; -1: any number */
} alteration;

/* In each of them, what is as we make it is kept. */
static const alteration alterations[] = {
    {"DROP TABLE alias; CREATE VIEW alias AS SELECT x AS alias, NULL AS device, 'a' AS name, 1 AS type, 1 AS crc "
     "FROM " ENDLESS,
     false, 35},
    {"DROP TABLE clock; CREATE VIEW clock AS SELECT x AS boot, 1 AS offset_ms, 1 AS crc FROM " ENDLESS, false, 35},
    {"DROP TABLE gone; CREATE VIEW gone AS SELECT x AS first_id, x AS last_id FROM " ENDLESS, false, 40},
    {"DROP TABLE segment; CREATE VIEW segment AS SELECT x AS n, x AS first_id, NULL AS last_id, 1 AS blocks, 1 AS "
     "samples, 1 AS bytes, 1 AS newest_ms FROM " ENDLESS,
     false, 35},
    {"DROP TABLE journal; CREATE VIEW journal AS SELECT x AS id, x AS last_id FROM " ENDLESS, false, 35},
    {"DROP TABLE identity; CREATE VIEW identity AS SELECT x AS id, 200 AS bdseq FROM " ENDLESS, false, 35},
    {"CREATE VIEW v AS SELECT x FROM " ENDLESS, false, 35},
    {"DROP VIEW about; CREATE VIEW about AS SELECT 'libspb store' AS program, 1", false, 35},
    {"DROP TABLE block_1; CREATE VIEW block_1 AS SELECT x AS id, NULL AS device, 1 AS samples, 1 AS first_ms, 1 AS "
     "last_ms, 0 AS boot, 1 AS crc, zeroblob(1000000000) AS metrics FROM " ENDLESS,
     false, -1},
    {"CREATE TRIGGER t AFTER UPDATE ON identity BEGIN UPDATE identity SET bdseq = 1; END", false, 35},
    {"CREATE TRIGGER t AFTER INSERT ON block_2 BEGIN DELETE FROM block_2; END", false, 35},
    {"CREATE TRIGGER t BEFORE DELETE ON gone BEGIN SELECT zeroblob(1000000000); END", false, 35},
    {"CREATE INDEX i ON alias (hex(zeroblob(alias)))", false, 35},
    {"CREATE INDEX i ON block_1 (crc)", false, 35},
    {"CREATE UNIQUE INDEX i ON segment (newest_ms) WHERE newest_ms > 0", false, 35},
    {"DROP TABLE alias; CREATE TABLE alias (alias INTEGER PRIMARY KEY, device TEXT, name TEXT AS "
     "(zeroblob(1000000000)),"
     " type INTEGER, crc INTEGER); INSERT INTO alias VALUES (1, NULL, 1, 1)",
     false, 35},
    {"DROP TABLE gone; CREATE TABLE gone (first_id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL, "
     "x TEXT DEFAULT (zeroblob(1000000000)))",
     false, 40},
    {"DROP TABLE clock; CREATE TABLE clock (boot INTEGER PRIMARY KEY, offset_ms INTEGER NOT NULL CHECK "
     "(length(zeroblob(900000000)) > 1), crc INTEGER NOT NULL)",
     false, 35},
    {"DROP TABLE alias; CREATE TABLE alias (alias INTEGER PRIMARY KEY, device TEXT, name TEXT NOT NULL, "
     "type INTEGER NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID; INSERT INTO alias VALUES ('x', 1, 1, 1, 1)",
     false, 35},
    {"DROP TABLE alias; CREATE TABLE alias (alias INTEGER PRIMARY KEY, device TEXT COLLATE nocase, name TEXT NOT NULL, "
     "type INTEGER NOT NULL, crc INTEGER NOT NULL)",
     false, 35},
    {"DROP TABLE alias; CREATE VIRTUAL TABLE alias USING rtree(alias, device, name)", false, 35},
    {"DROP TABLE gone; CREATE VIRTUAL TABLE gone USING fts4(first_id, last_id)", false, 40},
    {"DROP TABLE meta; CREATE VIRTUAL TABLE meta USING fts4(key, value)", false, 35},
    {"ANALYZE", false, 35},
    {"CREATE TABLE recipes (name TEXT)", false, 35},
    {"CREATE TABLE \"a\x1b[31m\nb\" (name TEXT)", false, 35},
    {"CREATE TABLE \"block_01\" (id INTEGER PRIMARY KEY)", false, 35},
    {"CREATE TABLE block_99999999999999999999 (id INTEGER PRIMARY KEY)", false, 35},
    {"ALTER TABLE alias ADD COLUMN x", false, 35},
    {"ALTER TABLE block_1 RENAME TO block_7", false, -1},
    {"ALTER TABLE segment RENAME TO segments", false, 35},
    {"DROP TABLE block_2", false, -1},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name "
     "= "
     "'block_1') WHERE name = 'block_2'",
     false, -1},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 1 WHERE name = 'block_2'", false, -1},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 1000000 WHERE name = 'gone'", false, -1},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 'x' WHERE name = 'block_1'", false, -1},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE nonsense' WHERE name = 'gone'", false,
     -1},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = NULL WHERE name = 'gone'", false, -1},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET tbl_name = 'x' WHERE name = 'gone'", false, -1},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = 'index' WHERE name = 'gone'", false, -1},
    {"PRAGMA writable_schema = ON; DELETE FROM sqlite_schema", false, -1},
    {"PRAGMA user_version = 0", false, 35},
    {"PRAGMA user_version = -1", false, 35},
    {"PRAGMA user_version = 1", false, 35},
    {"PRAGMA user_version = 3", false, 35},
    {"UPDATE meta SET value = 'libspb store 99' WHERE key = 'format'", true, -1},
    {"UPDATE meta SET value = 'libspb store -2' WHERE key = 'format'", false, 35},
    {"DELETE FROM meta WHERE key = 'format'", false, 35},
    {"UPDATE meta SET value = 'Edge2' WHERE key = 'node_id'", true, -1},
    {"UPDATE meta SET value = x'456467653100' WHERE key = 'node_id'", false, 35},
    {"INSERT INTO meta VALUES ('repair', 'unfinished')", false, 35},
    {"INSERT INTO meta VALUES ('repair', 'finished 1 2 3')", false, 35},
};

static void alter(const alteration *a) {
    sqlite3 *db;
    make_store();
    ck_assert_int_eq(sqlite3_open(store_path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    ck_assert_msg(sqlite3_exec(db, a->sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", a->sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

START_TEST(tables_that_are_not_ours) {
    for (size_t i = 0; i < sizeof alterations / sizeof *alterations; i++) {
        const alteration *a = &alterations[i];
        alter(a);
        store_ordeal_result found = pass(a->sql);
        ck_assert_msg(found.is_refused == a->is_refused, "%s: refused: %d", a->sql, found.is_refused);
        bool is_sound = a->is_refused || strstr(a->sql, "'repair'");
        ck_assert_msg(found.was_damaged == !is_sound, "%s: damaged: %d", a->sql, found.was_damaged);
        ck_assert_msg(a->blocks < 0 || (int)found.blocks == a->blocks, "%s: %d blocks", a->sql, (int)found.blocks);
    }
}
END_TEST

/* SQLite would need a second for these, and a quarter of an hour for fifteen times as many, in a file of 20 MB: it
 * gives up before. */
START_TEST(a_list_of_tables_that_is_too_long) {
    sqlite3 *db;
    make_store();
    ck_assert_int_eq(sqlite3_open(store_path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    ck_assert_int_eq(
        sqlite3_exec(db,
                     "PRAGMA writable_schema = ON; WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                     "FROM c WHERE x < 20000) INSERT INTO sqlite_schema SELECT 'view', 'v' || x, 'v' || x, "
                     "0, 'CREATE VIEW v' || x || ' AS SELECT 1' FROM c",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    store_ordeal_result found = pass("20000 views");
    ck_assert(!found.is_refused && found.was_damaged);
    ck_assert_uint_eq(found.looked_blocks, 0);
    ck_assert_uint_eq(found.blocks, 0);
}
END_TEST

/* ---- numbers ---- */

static const char *const odd_numbers[] = {"-9223372036854775807 - 1",
                                          "-5",
                                          "-1",
                                          "0",
                                          "1",
                                          "2",
                                          "9",
                                          "256",
                                          "65536",
                                          "4294967296",
                                          "4294967297",
                                          "9007199254740993",
                                          "36028797018963968",
                                          "72057594037927936",
                                          "4611686018427387904",
                                          "9223372036854775806",
                                          "9223372036854775807",
                                          "1e300",
                                          "-1.5",
                                          "'x'",
                                          "'7'",
                                          "x'07'",
                                          "NULL",
                                          "zeroblob(300000)"};

static const char *const odd_places[] = {
    "UPDATE OR IGNORE identity SET bdseq = %s",
    "UPDATE OR IGNORE alias SET alias = %s WHERE alias = 2",
    "UPDATE OR IGNORE alias SET type = %s",
    "UPDATE OR IGNORE alias SET crc = %s",
    "UPDATE OR IGNORE alias SET name = %s",
    "UPDATE OR IGNORE alias SET device = %s",
    "UPDATE OR IGNORE clock SET boot = %s",
    "UPDATE OR IGNORE clock SET offset_ms = %s",
    "UPDATE OR IGNORE clock SET crc = %s",
    "UPDATE OR IGNORE journal SET last_id = %s",
    "UPDATE OR IGNORE gone SET first_id = %s",
    "UPDATE OR IGNORE gone SET last_id = %s",
    "INSERT OR IGNORE INTO gone VALUES (%s, 9223372036854775807)",
    "INSERT OR IGNORE INTO gone VALUES (-1, %s)",
    "UPDATE OR IGNORE segment SET n = %s WHERE n = 1",
    "UPDATE OR IGNORE segment SET n = %s WHERE n = (SELECT max(n) FROM segment)",
    "UPDATE OR IGNORE segment SET first_id = %s WHERE n = 1",
    "UPDATE OR IGNORE segment SET first_id = %s WHERE n = 2",
    "UPDATE OR IGNORE segment SET last_id = %s WHERE n = 1",
    "UPDATE OR IGNORE segment SET last_id = %s WHERE n = 2",
    "UPDATE OR IGNORE segment SET blocks = %s",
    "UPDATE OR IGNORE segment SET samples = %s",
    "UPDATE OR IGNORE segment SET bytes = %s",
    "UPDATE OR IGNORE segment SET newest_ms = %s",
    "INSERT OR IGNORE INTO segment VALUES (%s, 1, -5, 1, 1, 1, 1)",
    "INSERT OR IGNORE INTO segment VALUES (3, %s, 9223372036854775807, 1, 1, 1, 1)",
    "INSERT OR IGNORE INTO segment VALUES (3, 100, %s, 1, 1, 1, 1)",
    "UPDATE OR IGNORE block_1 SET id = %s WHERE id = 3",
    "UPDATE OR IGNORE block_2 SET id = %s WHERE id = (SELECT max(id) FROM block_2)",
    "UPDATE OR IGNORE block_2 SET samples = %s",
    "UPDATE OR IGNORE block_1 SET samples = %s WHERE id = 3",
    "UPDATE OR IGNORE block_1 SET first_ms = %s WHERE id = 3",
    "UPDATE OR IGNORE block_1 SET last_ms = %s WHERE id = 3",
    "UPDATE OR IGNORE block_1 SET boot = %s WHERE id = 3",
    "UPDATE OR IGNORE block_1 SET crc = %s WHERE id = 3",
    "UPDATE OR IGNORE block_1 SET device = %s WHERE id = 3",
    "UPDATE OR IGNORE block_2 SET metrics = %s",
};

/* False: that is not possible. */
static bool run(const char *sql) {
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(store_path, &db), SQLITE_OK);
    bool has_run = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(db);
    return has_run;
}

START_TEST(numbers_out_of_range) {
    int made = 0;
    make_store();
    size_t size;
    uint8_t *good = store_files_read("", &size);
    for (size_t i = 0; i < sizeof odd_places / sizeof *odd_places; i++) {
        for (size_t j = 0; j < sizeof odd_numbers / sizeof *odd_numbers; j++) {
            char sql[200];
            sqlite3_snprintf(sizeof sql, sql, odd_places[i], odd_numbers[j]);
            store_files_remove();
            store_files_write("", good, size);
            if (!run(sql)) {
                continue; /* SQLite does not write such a row */
            }
            store_ordeal_result found = pass(sql);
            made++;
            ck_assert_msg(!found.is_refused && found.blocks >= 20, "%s: %d blocks", sql, (int)found.blocks);
        }
    }
    ck_assert_int_gt(made, 700);
    free(good);
}
END_TEST

/* As it was found by fuzzing: the tool doubled its steps until they were 0. */
START_TEST(a_segment_that_ends_before_it_begins) {
    spb_store *store = store_files_open(&small_store);
    store->free(store);
    store_files_sql("INSERT INTO segment VALUES (1, 1, -5, 1, 1, 1, 1)");
    ck_assert(!pass("-5").is_refused);
}
END_TEST

/* Valid checksums, and an alias that is another one when it is cut to 32 bits. */
START_TEST(an_alias_beyond_32_bits) {
    make_store();
    store_files_sql("UPDATE alias SET alias = alias + 4294967296");
    store_ordeal_result found = pass("alias");
    ck_assert_int_eq(found.aliases, 0);
    ck_assert_uint_eq(found.blocks, 35);
}
END_TEST

/* A number that says that all ids are used up costs nothing but itself. */
START_TEST(a_last_id_that_leaves_no_other) {
    make_store();
    store_files_sql("UPDATE journal SET last_id = 9223372036854775807");
    spb_store *store = store_files_open(&small_store);
    ck_assert_uint_eq(blocks_info(store).last_id, 40);
    ck_assert_uint_eq(blocks_info(store).dropped_damage, 0);
    store->free(store);
    make_store();
    store_files_sql("UPDATE journal SET last_id = 36028797018963968"); /* the highest one that is believed */
    ck_assert(!pass("2^55").was_damaged);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("store_hostile");
    tcase_set_timeout(all, 600);
    tcase_add_checked_fixture(all, store_files_setup, store_files_teardown);
    tcase_add_test(all, tables_that_are_not_ours);
    tcase_add_test(all, a_list_of_tables_that_is_too_long);
    tcase_add_test(all, numbers_out_of_range);
    tcase_add_test(all, a_segment_that_ends_before_it_begins);
    tcase_add_test(all, an_alias_beyond_32_bits);
    tcase_add_test(all, a_last_id_that_leaves_no_other);
    Suite *suite = suite_create("store_hostile");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
