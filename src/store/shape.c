/* Decides which tables a store has, and that the list of tables in a file is that, object by object, word by word. What
 * is in the tables is left to those who read and write them. */
#include "store/shape.h"

#include <string.h>

#include <spb/value.h>

#include "base/error.h"

/*
 * Whoever changes the tables raises VERSION in schema.c and adds what the new version adds here. SQLite keeps the text
 * of these statements as it is, which makes them comparable.
 *
 * Version 2 added the journal. Its blocks are in tables block_N, one for each segment, which are dropped whole. last_id
 * and the sums of a segment are NULL while blocks are added to it. What is gone are ids of blocks that were confirmed
 * or dropped while others of their segment were not. The crc covers the other columns of its row. The view is not used:
 * it has the mark in the first page.
 */
static const struct object {
    unsigned bit;
    int version;
    const char *type, *name, *sql;
} objects[] = {
    {SPB_SHAPE_META, 1, "table", "meta", "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"},
    {SPB_SHAPE_IDENTITY, 1, "table", "identity", SPB_SHAPE_OLD_MARK " CHECK (id = 1), bdseq INTEGER)"},
    {SPB_SHAPE_ALIAS, 2, "table", "alias",
     "CREATE TABLE alias (alias INTEGER PRIMARY KEY, device TEXT, name TEXT NOT NULL, type INTEGER NOT NULL,"
     " crc INTEGER NOT NULL)"},
    {SPB_SHAPE_CLOCK, 2, "table", "clock",
     "CREATE TABLE clock (boot INTEGER PRIMARY KEY, offset_ms INTEGER NOT NULL, crc INTEGER NOT NULL)"},
    {SPB_SHAPE_SEGMENT, 2, "table", "segment",
     "CREATE TABLE segment (n INTEGER PRIMARY KEY, first_id INTEGER NOT NULL, last_id INTEGER, blocks INTEGER,"
     " samples INTEGER, bytes INTEGER, newest_ms INTEGER)"},
    {SPB_SHAPE_GONE, 2, "table", "gone", "CREATE TABLE gone (first_id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL)"},
    {SPB_SHAPE_JOURNAL, 2, "table", "journal",
     "CREATE TABLE journal (id INTEGER PRIMARY KEY CHECK (id = 1), last_id INTEGER NOT NULL)"},
    {SPB_SHAPE_ABOUT, 2, "view", "about", "CREATE VIEW about AS SELECT '" SPB_SHAPE_MARK "' AS program"},
};
static const size_t object_count = sizeof objects / sizeof *objects;

static const char block_name[] = "block_%lld";
static const char block_table[] =
    "CREATE TABLE block_%lld (id INTEGER PRIMARY KEY, device TEXT, samples INTEGER NOT NULL,"
    " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, boot INTEGER NOT NULL, crc INTEGER NOT NULL,"
    " metrics BLOB NOT NULL)";

/* ---- as we make it ---- */

spb_status spb_shape__create(spb_database *database, int version, spb_error *err) {
    spb_status status = SPB_OK;
    for (size_t i = 0; status == SPB_OK && i < object_count; i++) {
        if (objects[i].version == version) {
            status = spb_database__execute(database, objects[i].sql, "create the tables", err);
            database->shape.tables |= status == SPB_OK ? objects[i].bit : 0;
        }
    }
    return status;
}

spb_status spb_shape__create_blocks(spb_database *database, int64_t number, spb_error *err) {
    return spb_database__execute_with(database, block_table, number, "begin a segment", err);
}

/* ---- as it is ---- */

void spb_shape__clear(spb_shape *shape) {
    spb_ranges__clear(&shape->blocks);
    *shape = (spb_shape){.objects = 0};
}

/* A row of the list. */
typedef struct entry {
    spb_str type, name, table, sql;
    int64_t root;
    bool has_root; /* of its own */
} entry;

static spb_str text_of(sqlite3_stmt *row, int column) {
    const char *text = (const char *)sqlite3_column_text(row, column);
    return (spb_str){.data = text ? text : "", .len = text ? (size_t)sqlite3_column_bytes(row, column) : 0};
}

static bool is(spb_str text, const char *wanted) {
    return spb_str_equal(text, spb_str_from(wanted));
}

static bool is_object(const entry *e, const struct object *wanted) {
    bool has_right_root = strcmp(wanted->type, "table") == 0 ? e->has_root : e->root == 0;
    return is(e->type, wanted->type) && is(e->table, wanted->name) && is(e->sql, wanted->sql) && has_right_root;
}

/* The number of a table of blocks; 0: it is none. */
static int64_t block_number(const entry *e) {
    char name[32], sql[sizeof block_table + 24];
    int64_t number = 0;
    for (size_t i = strlen("block_"); i < e->name.len && i < sizeof name; i++) {
        char digit = e->name.data[i];
        if (digit < '0' || digit > '9' || number > SPB_SHAPE_MOST_NUMBER / 10) {
            return 0;
        }
        number = number * 10 + (digit - '0');
    }
    sqlite3_snprintf(sizeof name, name, block_name, (sqlite3_int64)number);
    sqlite3_snprintf(sizeof sql, sql, block_table, (sqlite3_int64)number);
    bool is_ours = is(e->name, name) && is(e->table, name) && is(e->type, "table") && is(e->sql, sql) && e->has_root;
    return is_ours ? number : 0;
}

/* False: no memory. */
static bool note_blocks(spb_shape *shape, int64_t number, bool *is_new) {
    *is_new = number > 0 && !spb_ranges__contains(&shape->blocks, (uint64_t)number);
    return !*is_new || spb_ranges__add(&shape->blocks, (uint64_t)number, (uint64_t)number);
}

/* What is there twice is there once, and another one that we did not make. */
static bool note(spb_shape *shape, const entry *e) {
    bool is_ours = false;
    shape->objects++;
    for (size_t i = 0; i < object_count; i++) {
        if (is(e->name, objects[i].name)) {
            shape->named |= objects[i].bit;
            is_ours = is_object(e, &objects[i]) && !(shape->tables & objects[i].bit);
            shape->tables |= is_ours ? objects[i].bit : 0;
        }
    }
    if (!is_ours && !note_blocks(shape, block_number(e), &is_ours)) {
        return false;
    }
    if (!is_ours && !shape->other[0]) {
        for (size_t i = 0; i < e->name.len && i + 1 < sizeof shape->other; i++) {
            shape->other[i] = e->name.data[i] > ' ' && e->name.data[i] <= '~' ? e->name.data[i] : '?';
        }
        shape->other[0] = shape->other[0] ? shape->other[0] : '?';
    }
    return true;
}

static spb_status read_row(spb_database *database, sqlite3_stmt *row, spb_ranges *roots, spb_error *err) {
    entry e = {.type = text_of(row, 0), .name = text_of(row, 1), .table = text_of(row, 2), .sql = text_of(row, 3)};
    bool is_number = spb_database__integer(row, 4, 0, INT64_MAX, &e.root);
    e.has_root = is_number && e.root > 1 && !spb_ranges__contains(roots, (uint64_t)e.root);
    bool has_memory = sqlite3_errcode(database->db) != SQLITE_NOMEM &&
                      (!e.has_root || spb_ranges__add(roots, (uint64_t)e.root, (uint64_t)e.root));
    return has_memory && note(&database->shape, &e) ? SPB_OK : spb_error__no_memory(err, "the store");
}

/* The row ids grow: a damaged tree, in which some are met again and again, would have no end. */
spb_status spb_shape__read(spb_database *database, spb_error *err) {
    sqlite3_stmt *row = NULL;
    spb_ranges roots = {.count = 0};
    bool has_row = true;
    int64_t before = INT64_MIN;
    spb_shape__clear(&database->shape);
    spb_status status = spb_database__prepare(
        database, &row, "SELECT type, name, tbl_name, sql, rootpage, rowid FROM sqlite_schema", err);
    while (status == SPB_OK && has_row) {
        status = spb_database__step(database, row, &has_row, "read its list of tables", err);
        if (status == SPB_OK && has_row && sqlite3_column_int64(row, 5) <= before) {
            status = spb_database__damaged(database, err, "its list of tables is out of order");
        } else if (status == SPB_OK && has_row) {
            before = sqlite3_column_int64(row, 5);
            status = read_row(database, row, &roots, err);
        }
    }
    sqlite3_finalize(row);
    spb_ranges__clear(&roots);
    return status;
}

bool spb_shape__is_of_version(const spb_shape *shape, int version) {
    unsigned wanted = 0;
    for (size_t i = 0; i < object_count; i++) {
        wanted |= objects[i].version <= version ? objects[i].bit : 0;
    }
    return shape->tables == wanted && !shape->other[0] && (version >= 2 || shape->blocks.count == 0);
}

spb_status spb_shape__demand(spb_database *database, unsigned table, spb_error *err) {
    const char *name = "";
    for (size_t i = 0; i < object_count; i++) {
        name = objects[i].bit == table ? objects[i].name : name;
    }
    if (database->shape.tables & table) {
        return SPB_OK;
    }
    char what[64];
    sqlite3_snprintf(sizeof what, what, "its table %s is not as it should be, or not there", name);
    return spb_database__damaged(database, err, what);
}
