/* Decides which tables a store has, how an older file becomes a present one, and whose a file is. What is in the tables
 * is left to those who read and write them. */
#include "store/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define APPLICATION_ID 0x53504231 /* "SPB1", in the header of each of our files */
#define VERSION 2

/*
 * The schema of version 1. Whoever changes the tables raises VERSION, adds what the new version adds below, and a step
 * to migrate.
 */
static const char first_tables[] = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                                   "CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), bdseq INTEGER);"
                                   "INSERT INTO identity (id) VALUES (1);";

/*
 * What version 2 added: the journal. Its blocks are in tables block_N, one for each segment, which are dropped whole.
 * last_id and the sums of a segment are NULL while blocks are added to it. What is gone are ids of blocks that were
 * confirmed or dropped while others of their segment were not. The crc covers the other columns of its row.
 */
static const char second_tables[] =
    "CREATE TABLE alias (alias INTEGER PRIMARY KEY, device TEXT, name TEXT NOT NULL, type INTEGER NOT NULL,"
    " crc INTEGER NOT NULL);"
    "CREATE TABLE clock (boot INTEGER PRIMARY KEY, offset_ms INTEGER NOT NULL, crc INTEGER NOT NULL);"
    "CREATE TABLE segment (n INTEGER PRIMARY KEY, first_id INTEGER NOT NULL, last_id INTEGER, blocks INTEGER,"
    " samples INTEGER, bytes INTEGER, newest_ms INTEGER);"
    "CREATE TABLE gone (first_id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL);"
    "CREATE TABLE journal (id INTEGER PRIMARY KEY CHECK (id = 1), last_id INTEGER NOT NULL);"
    "INSERT INTO journal VALUES (1, 0);"
    "INSERT INTO meta VALUES ('format', '" SPB_SCHEMA_MARK " 2');"
    "CREATE VIEW about AS SELECT '" SPB_SCHEMA_MARK "' AS program;";

static spb_status mark(spb_database *database, spb_error *err) {
    spb_status status =
        spb_database__execute_with(database, "PRAGMA application_id = %lld", APPLICATION_ID, "mark it", err);
    if (status == SPB_OK) {
        status = spb_database__execute_with(database, "PRAGMA user_version = %lld", VERSION, "mark it", err);
    }
    return status;
}

static spb_status create(spb_database *database, const char *group_id, const char *node_id, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status = spb_database__execute(database, first_tables, "create the tables", err);
    if (status == SPB_OK) {
        status = spb_database__execute(database, second_tables, "create the tables", err);
    }
    if (status == SPB_OK) {
        status =
            spb_database__prepare(database, &statement, "INSERT INTO meta VALUES ('group_id', ?), ('node_id', ?)", err);
    }
    if (status == SPB_OK) {
        sqlite3_bind_text(statement, 1, group_id, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, node_id, -1, SQLITE_STATIC);
        status = spb_database__run(database, statement, "write its owner", err);
    }
    sqlite3_finalize(statement);
    return status == SPB_OK ? mark(database, err) : status;
}

static spb_status migrate(spb_database *database, int64_t version, spb_error *err) {
    spb_status status = SPB_OK;
    if (version == 1) {
        status = spb_database__execute(database, second_tables, "bring it to the present version", err);
    }
    return status == SPB_OK && version < VERSION ? mark(database, err) : status;
}

/* The version that the tables tell: 0 if they do not. A header that tells another one is damaged. */
static spb_status read_format(spb_database *database, int64_t *out, spb_error *err) {
    return spb_database__number(database,
                                "SELECT coalesce(max(cast(substr(value, 13) AS INTEGER)), 0) FROM meta"
                                " WHERE key = 'format' AND value LIKE '" SPB_SCHEMA_MARK " %'",
                                out, err);
}

static spb_status has_tables(spb_database *database, bool *out, spb_error *err) {
    int64_t count = 0;
    spb_status status = spb_database__number(
        database, "SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'identity')", &count, err);
    *out = count == 2;
    return status;
}

spb_status spb_schema__recognise(spb_database *database, int64_t *version, spb_error *err) {
    int64_t application = 0, objects = 0, format = 0;
    bool has_ours = false;
    spb_status status = spb_database__number(database, "PRAGMA application_id", &application, err);
    if (status == SPB_OK) {
        status = spb_database__number(database, "PRAGMA user_version", version, err);
    }
    if (status == SPB_OK) {
        status = spb_database__number(database, "SELECT count(*) FROM sqlite_schema", &objects, err);
    }
    if (status == SPB_OK) {
        status = has_tables(database, &has_ours, err);
    }
    if (status == SPB_OK && has_ours) {
        status = read_format(database, &format, err);
    }
    if (status != SPB_OK) {
        return status;
    }
    if (application == 0 && *version == 0 && objects == 0) {
        return SPB_OK;
    }
    if (application != APPLICATION_ID && format == 0) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: this is a database of another program",
                              database->path);
    }
    if (format > VERSION || (*version > VERSION && format == 0 && has_ours)) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: its schema has version %lld, this libspb knows %d",
                              database->path, (long long)(format > *version ? format : *version), VERSION);
    }
    if (application != APPLICATION_ID || !has_ours || (*version == 1) != (format == 0) ||
        (*version != 1 && *version != format)) {
        return spb_database__damaged(database, err, "its header and its tables do not agree");
    }
    return SPB_OK;
}

/* The two names; on success `statement` holds them. */
static spb_status read_owner(spb_database *database, sqlite3_stmt **statement, const char **group, const char **node,
                             spb_error *err) {
    bool has_row = false;
    spb_status status = spb_database__prepare(database, statement,
                                              "SELECT g.value, n.value FROM meta g, meta n "
                                              "WHERE g.key = 'group_id' AND n.key = 'node_id'",
                                              err);
    if (status == SPB_OK) {
        status = spb_database__step(database, *statement, &has_row, "read its owner", err);
    }
    if (status == SPB_OK && !has_row) {
        status = spb_database__damaged(database, err, "it does not say whose it is");
    }
    if (status == SPB_OK) {
        *group = (const char *)sqlite3_column_text(*statement, 0);
        *node = (const char *)sqlite3_column_text(*statement, 1);
        status = *group && *node ? SPB_OK : spb_error__no_memory(err, "the store");
    }
    return status;
}

static spb_status check_owner(spb_database *database, const char *group_id, const char *node_id, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    const char *group = NULL, *node = NULL;
    spb_status status = read_owner(database, &statement, &group, &node, err);
    if (status == SPB_OK && (strcmp(group, group_id) != 0 || strcmp(node, node_id) != 0)) {
        status = spb_error__set(err, SPB_ERR_ARGUMENT,
                                "store %.100s: it belongs to edge node %.40s/%.40s, not to %.20s/%.20s", database->path,
                                group, node, group_id, node_id);
    }
    sqlite3_finalize(statement);
    return status;
}

bool spb_schema__is_of_another(spb_database *database, const char *group_id, const char *node_id) {
    sqlite3_stmt *statement = NULL;
    const char *group = NULL, *node = NULL;
    bool is_other = read_owner(database, &statement, &group, &node, NULL) == SPB_OK &&
                    (strcmp(group, group_id) != 0 || strcmp(node, node_id) != 0);
    sqlite3_finalize(statement);
    return is_other;
}

spb_status spb_schema__owner(spb_database *database, char **owner, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    const char *group = NULL, *node = NULL;
    spb_status status = read_owner(database, &statement, &group, &node, err);
    if (status == SPB_OK) {
        size_t size = strlen(group) + strlen(node) + 2;
        *owner = malloc(size);
        if (*owner) {
            sqlite3_snprintf((int)size, *owner, "%s/%s", group, node);
        } else {
            status = spb_error__no_memory(err, "the store");
        }
    }
    sqlite3_finalize(statement);
    return status;
}

spb_status spb_schema__settle(spb_database *database, const char *group_id, const char *node_id, spb_error *err) {
    int64_t version = 0;
    spb_status status = spb_schema__recognise(database, &version, err);
    if (status != SPB_OK) {
        return status;
    }
    if (version == 0) {
        return create(database, group_id, node_id, err);
    }
    status = check_owner(database, group_id, node_id, err);
    return status == SPB_OK ? migrate(database, version, err) : status;
}
