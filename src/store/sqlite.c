/*
 * Decides what the store's file looks like, who may open it, and when a number is durable. What is stored when is left
 * to the session.
 *
 * One file, one process, one connection: the exclusive lock is taken while opening and kept. WAL with synchronous FULL:
 * a commit has reached the disk when it returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include <spb/store.h>

#include "base/error.h"

#define APPLICATION_ID 0x53504231 /* "SPB1", in the header of each of our files */
#define SCHEMA_VERSION 1
#define BUSY_TIMEOUT_MS 200 /* another process may just be leaving */

/* The whole schema. Whoever changes it raises SCHEMA_VERSION and adds the step from the version before. */
static const char schema[] = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                             "CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), bdseq INTEGER);"
                             "INSERT INTO identity (id) VALUES (1);";

typedef struct sqlite_store {
    spb_store base; /* first: a pointer to it is a pointer to the whole */
    sqlite3 *db;
    sqlite3_stmt *load;
    sqlite3_stmt *save;
    char *path;
} sqlite_store;

static sqlite_store *from_base(spb_store *self) {
    return (sqlite_store *)self;
}

/* The failure of a call of SQLite, told with the path and SQLite's own words. */
static spb_status sqlite_failed(const sqlite_store *store, int code, const char *what, spb_error *err) {
    switch (code & 0xff) {
    case SQLITE_NOMEM: return spb_error__no_memory(err, "the store");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return spb_error__set(err, SPB_ERR_STORE_BUSY, "store %.120s: another process, or this one, has it open",
                              store->path);
    case SQLITE_NOTADB:
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: this is not a database: %s", store->path,
                              sqlite3_errmsg(store->db));
    case SQLITE_READONLY:
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: it, or its directory, cannot be written: %s",
                              store->path, sqlite3_errmsg(store->db));
    default:
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: cannot %s: %s", store->path, what,
                              sqlite3_errmsg(store->db));
    }
}

static spb_status execute(sqlite_store *store, const char *sql, const char *what, spb_error *err) {
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SPB_OK : sqlite_failed(store, code, what, err);
}

static spb_status prepare(sqlite_store *store, sqlite3_stmt **out, const char *sql, spb_error *err) {
    int code = sqlite3_prepare_v2(store->db, sql, -1, out, NULL);
    return code == SQLITE_OK ? SPB_OK : sqlite_failed(store, code, "prepare a statement", err);
}

/* The number that a PRAGMA or SELECT of one row gives. */
static spb_status query_number(sqlite_store *store, const char *sql, sqlite3_int64 *out, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status = prepare(store, &statement, sql, err);
    if (status == SPB_OK) {
        int code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            *out = sqlite3_column_int64(statement, 0);
        } else {
            status = sqlite_failed(store, code, "read", err);
        }
    }
    sqlite3_finalize(statement);
    return status;
}

/* ---- opening ---- */

/*
 * A new file is made here, because SQLite would let others read it; -wal takes the mode of the file. One that exists is
 * left alone: opening and closing it would drop the locks that this process may hold on it (POSIX locks do that).
 */
static spb_status create_file(const char *path, spb_error *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
        return SPB_OK;
    }
    if (errno != EEXIST) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: cannot be created: %s", path, strerror(errno));
    }
    if (access(path, W_OK) != 0) { /* SQLite would open it for reading, and then say nothing useful */
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: cannot be written: %s", path, strerror(errno));
    }
    return SPB_OK;
}

/* The first statement that touches the file takes the lock, and locking_mode keeps it. */
static spb_status configure(sqlite_store *store, spb_error *err) {
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    return execute(store,
                   "PRAGMA locking_mode = EXCLUSIVE;"
                   "PRAGMA trusted_schema = OFF;"
                   "PRAGMA secure_delete = 0;"
                   "PRAGMA temp_store = MEMORY;"
                   "BEGIN EXCLUSIVE;",
                   "lock it", err);
}

static spb_status write_identity(sqlite_store *store, const char *group_id, const char *node_id, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status = execute(store, schema, "create the tables", err);
    if (status == SPB_OK) {
        status = prepare(store, &statement, "INSERT INTO meta VALUES ('group_id', ?), ('node_id', ?)", err);
    }
    if (status == SPB_OK) {
        sqlite3_bind_text(statement, 1, group_id, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, node_id, -1, SQLITE_STATIC);
        int code = sqlite3_step(statement);
        status = code == SQLITE_DONE ? SPB_OK : sqlite_failed(store, code, "write its owner", err);
    }
    sqlite3_finalize(statement);
    if (status == SPB_OK) {
        char *marks =
            sqlite3_mprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, SCHEMA_VERSION);
        status = marks ? execute(store, marks, "mark it", err) : spb_error__no_memory(err, "the store");
        sqlite3_free(marks);
    }
    return status;
}

static spb_status check_owner(sqlite_store *store, const char *group_id, const char *node_id, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status = prepare(store, &statement,
                                "SELECT g.value, n.value FROM meta g, meta n "
                                "WHERE g.key = 'group_id' AND n.key = 'node_id'",
                                err);
    if (status == SPB_OK) {
        int code = sqlite3_step(statement);
        const char *group = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
        const char *node = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 1) : NULL;
        if (code == SQLITE_DONE) {
            status = spb_error__set(err, SPB_ERR_STORE, "store %.120s: it does not say whose it is", store->path);
        } else if (code != SQLITE_ROW) {
            status = sqlite_failed(store, code, "read its owner", err);
        } else if (!group || !node) {
            status = spb_error__no_memory(err, "the store");
        } else if (strcmp(group, group_id) != 0 || strcmp(node, node_id) != 0) {
            status = spb_error__set(err, SPB_ERR_ARGUMENT,
                                    "store %.100s: it belongs to edge node %.40s/%.40s, not to %.20s/%.20s",
                                    store->path, group, node, group_id, node_id);
        }
    }
    sqlite3_finalize(statement);
    return status;
}

/* Under the exclusive lock, in one transaction: a new file becomes a store, or an old one is recognised. */
static spb_status recognise(sqlite_store *store, const char *group_id, const char *node_id, spb_error *err) {
    sqlite3_int64 application = 0, version = 0, objects = 0;
    spb_status status = query_number(store, "PRAGMA application_id", &application, err);
    if (status == SPB_OK) {
        status = query_number(store, "PRAGMA user_version", &version, err);
    }
    if (status == SPB_OK) {
        status = query_number(store, "SELECT count(*) FROM sqlite_schema", &objects, err);
    }
    if (status != SPB_OK) {
        return status;
    }
    if (application == 0 && version == 0 && objects == 0) {
        return write_identity(store, group_id, node_id, err);
    }
    if (application != APPLICATION_ID) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: this is a database of another program", store->path);
    }
    if (version != SCHEMA_VERSION) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: its schema has version %lld, this libspb knows %d",
                              store->path, (long long)version, SCHEMA_VERSION);
    }
    return check_owner(store, group_id, node_id, err);
}

/* WAL can only be switched on outside of a transaction. locking_mode keeps the lock over the COMMIT before it. */
static spb_status make_durable(sqlite_store *store, spb_error *err) {
    spb_status status =
        execute(store, "COMMIT; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", "set it up", err);
    if (status == SPB_OK) {
        status = prepare(store, &store->load, "SELECT bdseq FROM identity WHERE id = 1", err);
    }
    if (status == SPB_OK) {
        status = prepare(store, &store->save, "UPDATE identity SET bdseq = ? WHERE id = 1", err);
    }
    return status;
}

/* ---- the interface ---- */

static spb_status sqlite_load_bdseq(spb_store *self, uint8_t *bdseq, bool *found, spb_error *err) {
    sqlite_store *store = from_base(self);
    spb_status status = SPB_OK;
    *found = false;
    int code = sqlite3_step(store->load);
    if (code != SQLITE_ROW) {
        status = code == SQLITE_DONE
                     ? spb_error__set(err, SPB_ERR_STORE, "store %.120s: the row of the bdSeq is missing", store->path)
                     : sqlite_failed(store, code, "read the bdSeq", err);
    } else if (sqlite3_column_type(store->load, 0) != SQLITE_NULL) {
        sqlite3_int64 number = sqlite3_column_int64(store->load, 0);
        if (number < 0 || number > UINT8_MAX) {
            status = spb_error__set(err, SPB_ERR_STORE, "store %.120s: the bdSeq in it is %lld", store->path,
                                    (long long)number);
        } else {
            *bdseq = (uint8_t)number;
            *found = true;
        }
    }
    sqlite3_reset(store->load);
    return status;
}

static spb_status sqlite_save_bdseq(spb_store *self, uint8_t bdseq, spb_error *err) {
    sqlite_store *store = from_base(self);
    sqlite3_bind_int(store->save, 1, bdseq);
    int code = sqlite3_step(store->save);
    spb_status status = code == SQLITE_DONE ? SPB_OK : sqlite_failed(store, code, "save the bdSeq", err);
    sqlite3_reset(store->save);
    return status;
}

static void sqlite_free(spb_store *self) {
    sqlite_store *store = from_base(self);
    if (!store) {
        return;
    }
    sqlite3_finalize(store->load);
    sqlite3_finalize(store->save);
    sqlite3_close(store->db);
    free(store->path);
    free(store);
}

spb_status spb_store_open(spb_store **out, const char *path, const char *group_id, const char *node_id,
                          const spb_store_options *options, spb_error *err) {
    (void)options;
    *out = NULL;
    spb_status status = create_file(path, err);
    if (status != SPB_OK) {
        return status;
    }
    sqlite_store *store = calloc(1, sizeof *store);
    char *path_copy = strdup(path);
    if (!store || !path_copy) {
        free(store);
        free(path_copy);
        return spb_error__no_memory(err, "the store");
    }
    store->base = (spb_store){.load_bdseq = sqlite_load_bdseq, .save_bdseq = sqlite_save_bdseq, .free = sqlite_free};
    store->path = path_copy;
    int code = sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    status = code == SQLITE_OK ? configure(store, err) : sqlite_failed(store, code, "open it", err);
    if (status == SPB_OK) {
        status = recognise(store, group_id, node_id, err);
    }
    if (status == SPB_OK) {
        status = make_durable(store, err);
    }
    if (status != SPB_OK) {
        sqlite_free(&store->base); /* rolls back: a failed open leaves the file as it was */
        return status;
    }
    *out = &store->base;
    return SPB_OK;
}
