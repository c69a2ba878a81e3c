/* Decides whether a file is a store, how an older one becomes a present one, and whose it is. Which tables there are is
 * left to shape.c, what is in them to those who read and write them. */
#include "store/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#include "store/guard.h"
#include "store/shape.h"

#define APPLICATION_ID 0x53504231 /* "SPB1", in the header of each of our files */
#define VERSION 2
#define PAGE_BYTES 4096

/* The rows that are there from the beginning. */
static const char first_rows[] = "INSERT INTO identity (id) VALUES (1)";
static const char second_rows[] = "INSERT INTO journal VALUES (1, 0);"
                                  "INSERT INTO meta VALUES ('format', '" SPB_SHAPE_MARK " 2')";

static spb_status mark(spb_database *database, spb_error *err) {
    spb_status status =
        spb_database__execute_with(database, "PRAGMA application_id = %lld", APPLICATION_ID, "mark it", err);
    if (status == SPB_OK) {
        status = spb_database__execute_with(database, "PRAGMA user_version = %lld", VERSION, "mark it", err);
    }
    return status;
}

static spb_status bring_to_present(spb_database *database, spb_error *err) {
    spb_status status = spb_shape__create(database, 2, err);
    return status == SPB_OK ? spb_database__execute(database, second_rows, "create the tables", err) : status;
}

static spb_status create(spb_database *database, const char *group_id, const char *node_id, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status = spb_shape__create(database, 1, err);
    if (status == SPB_OK) {
        status = spb_database__execute(database, first_rows, "create the tables", err);
    }
    if (status == SPB_OK) {
        status = bring_to_present(database, err);
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
        status = bring_to_present(database, err);
    }
    return status == SPB_OK && version < VERSION ? mark(database, err) : status;
}

/* The version that the tables tell: 0 if they do not. A header that tells another one is damaged. */
static spb_status read_format(spb_database *database, int64_t *out, spb_error *err) {
    return spb_database__number(database,
                                "SELECT coalesce(max(cast(substr(value, 13) AS INTEGER)), 0) FROM meta"
                                " WHERE key = 'format' AND value LIKE '" SPB_SHAPE_MARK " %'",
                                out, err);
}

/* As we make all files; the room that changes are taken to need follows from it. */
static spb_status check_pages(spb_database *database, bool *are_ours, spb_error *err) {
    int64_t page_bytes = 0, auto_vacuum = 0;
    int reserved = -1;
    spb_status status = spb_database__number(database, "PRAGMA page_size", &page_bytes, err);
    if (status == SPB_OK) {
        status = spb_database__number(database, "PRAGMA auto_vacuum", &auto_vacuum, err);
    }
    sqlite3_file_control(database->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
    *are_ours = page_bytes == PAGE_BYTES && auto_vacuum == 0 && reserved <= 0;
    return status;
}

/* What the header and the tables tell. */
typedef struct looks {
    int64_t application, version; /* of the header */
    int64_t format;               /* the version that the tables tell; 0: they tell none */
    bool has_our_pages;
} looks;

static spb_status look(spb_database *database, looks *out, spb_error *err) {
    spb_status status = spb_database__number(database, "PRAGMA application_id", &out->application, err);
    if (status == SPB_OK) {
        status = spb_database__number(database, "PRAGMA user_version", &out->version, err);
    }
    if (status == SPB_OK) {
        status = spb_shape__read(database, err);
    }
    if (status == SPB_OK) {
        status = check_pages(database, &out->has_our_pages, err);
    }
    if (status == SPB_OK && database->shape.tables & SPB_SHAPE_META) {
        status = read_format(database, &out->format, err);
    }
    return status;
}

static spb_status check_looks(spb_database *database, const looks *seen, spb_error *err) {
    const spb_shape *shape = &database->shape;
    bool has_names = shape->named & SPB_SHAPE_META && shape->named & SPB_SHAPE_IDENTITY;
    if (seen->application != APPLICATION_ID && seen->format == 0) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: this is a database of another program",
                              database->path);
    }
    if (seen->format > VERSION || (seen->version > VERSION && seen->format == 0 && has_names)) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: its schema has version %lld, this libspb knows %d",
                              database->path, (long long)(seen->format > seen->version ? seen->format : seen->version),
                              VERSION);
    }
    if (shape->other[0]) {
        char what[sizeof shape->other + 32];
        sqlite3_snprintf(sizeof what, what, "it holds \"%s\", not as we make it", shape->other);
        return spb_database__damaged(database, err, what);
    }
    int64_t told = seen->format == 0 ? 1 : seen->format; /* version 1 says it in the header alone */
    if (seen->application != APPLICATION_ID || seen->version != told || !seen->has_our_pages ||
        !spb_shape__is_of_version(shape, (int)told)) {
        return spb_database__damaged(database, err, "its header and its tables do not agree");
    }
    return SPB_OK;
}

spb_status spb_schema__recognise(spb_database *database, int64_t *version, spb_error *err) {
    looks seen = {.application = 0};
    spb_status status = look(database, &seen, err);
    *version = seen.version;
    if (status != SPB_OK) {
        return status;
    }
    bool is_empty = seen.application == 0 && seen.version == 0 && database->shape.objects == 0;
    status = is_empty && seen.has_our_pages ? SPB_OK : check_looks(database, &seen, err);
    if (status == SPB_OK) {
        spb_guard__allow_effort(database, true);
    }
    return status;
}

/* The two names; on success `statement` holds them. */
static spb_status read_owner(spb_database *database, sqlite3_stmt **statement, const char **group, const char **node,
                             spb_error *err) {
    bool has_row = false;
    spb_status status = spb_shape__demand(database, SPB_SHAPE_META, err);
    if (status == SPB_OK) {
        status = spb_database__prepare(database, statement,
                                       "SELECT g.value, n.value FROM meta g, meta n "
                                       "WHERE g.key = 'group_id' AND n.key = 'node_id'",
                                       err);
    }
    if (status == SPB_OK) {
        status = spb_database__step(database, *statement, &has_row, "read its owner", err);
    }
    if (status == SPB_OK && (!has_row || sqlite3_column_type(*statement, 0) != SQLITE_TEXT ||
                             sqlite3_column_type(*statement, 1) != SQLITE_TEXT)) {
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

/* What is known of the damage stays as it is. */
bool spb_schema__is_of_another(spb_database *database, const char *group_id, const char *node_id) {
    sqlite3_stmt *statement = NULL;
    const char *group = NULL, *node = NULL;
    spb_database before = *database;
    bool is_other = database->shape.tables & SPB_SHAPE_META &&
                    read_owner(database, &statement, &group, &node, NULL) == SPB_OK &&
                    (strcmp(group, group_id) != 0 || strcmp(node, node_id) != 0);
    sqlite3_finalize(statement);
    *database = before;
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
