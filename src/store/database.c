/* Decides how a failure of SQLite is told, and which failures mean that a file is damaged. What follows is left to the
 * callers. */
#include "store/database.h"

#include "base/error.h"

/* Our statements are right, so a failure of another kind than these shows that the file is not as we left it. */
static bool means_damage(int code) {
    switch (code) {
    case SQLITE_ERROR:      /* a table of ours is not there, or is not as we made it */
    case SQLITE_INTERRUPT:  /* a call took more effort than a sound file can ask for, see guard.c */
    case SQLITE_TOOBIG:     /* a value is larger than any that we write */
    case SQLITE_CONSTRAINT: /* a row of that id is there, though the id is higher than all that were known */
    case SQLITE_MISMATCH:   /* an id is no integer */
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return true;
    default: return false;
    }
}

static void note_damage(spb_database *database, const char *why) {
    database->is_damaged = true;
    if (why == database->why) {
        return;
    }
    sqlite3_snprintf(sizeof database->why, database->why, "%s", why);
}

spb_status spb_database__failed(spb_database *database, int code, const char *what, spb_error *err) {
    const char *words = database->db ? sqlite3_errmsg(database->db) : sqlite3_errstr(code);
    database->code = code & 0xff;
    if (means_damage(database->code)) {
        note_damage(database, words);
    }
    switch (database->code) {
    case SQLITE_NOMEM: return spb_error__no_memory(err, "the store");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return spb_error__set(err, SPB_ERR_STORE_BUSY, "store %.120s: another process, or this one, has it open",
                              database->path);
    case SQLITE_NOTADB:
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: this is not a database: %s", database->path, words);
    case SQLITE_READONLY:
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: it, or its directory, cannot be written: %s",
                              database->path, words);
    default: return spb_error__set(err, SPB_ERR_STORE, "store %.120s: cannot %s: %s", database->path, what, words);
    }
}

spb_status spb_database__damaged(spb_database *database, spb_error *err, const char *what) {
    database->code = SQLITE_CORRUPT;
    note_damage(database, what);
    return spb_error__set(err, SPB_ERR_STORE, "store %.120s: it is damaged: %s", database->path, what);
}

spb_status spb_database__execute(spb_database *database, const char *sql, const char *what, spb_error *err) {
    database->effort = 0;
    int code = sqlite3_exec(database->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SPB_OK : spb_database__failed(database, code, what, err);
}

spb_status spb_database__execute_with(spb_database *database, const char *sql, int64_t number, const char *what,
                                      spb_error *err) {
    char text[512];
    sqlite3_snprintf(sizeof text, text, sql, (sqlite3_int64)number, (sqlite3_int64)number);
    return spb_database__execute(database, text, what, err);
}

spb_status spb_database__prepare(spb_database *database, sqlite3_stmt **out, const char *sql, spb_error *err) {
    database->effort = 0;
    int code = sqlite3_prepare_v2(database->db, sql, -1, out, NULL);
    return code == SQLITE_OK ? SPB_OK : spb_database__failed(database, code, "prepare a statement", err);
}

spb_status spb_database__prepare_with(spb_database *database, sqlite3_stmt **out, const char *sql, int64_t number,
                                      spb_error *err) {
    char text[512];
    sqlite3_snprintf(sizeof text, text, sql, (sqlite3_int64)number, (sqlite3_int64)number);
    return spb_database__prepare(database, out, text, err);
}

spb_status spb_database__run(spb_database *database, sqlite3_stmt *statement, const char *what, spb_error *err) {
    database->effort = 0;
    int code = sqlite3_step(statement);
    spb_status status = code == SQLITE_DONE ? SPB_OK : spb_database__failed(database, code, what, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status;
}

spb_status spb_database__step(spb_database *database, sqlite3_stmt *statement, bool *has_row, const char *what,
                              spb_error *err) {
    database->effort = 0;
    int code = sqlite3_step(statement);
    *has_row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? SPB_OK : spb_database__failed(database, code, what, err);
}

spb_status spb_database__number(spb_database *database, const char *sql, int64_t *out, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    bool has_row = false;
    spb_status status = spb_database__prepare(database, &statement, sql, err);
    if (status == SPB_OK) {
        status = spb_database__step(database, statement, &has_row, "read", err);
    }
    if (status == SPB_OK) {
        if (has_row) {
            *out = sqlite3_column_int64(statement, 0);
        } else {
            status = spb_database__damaged(database, err, "a row is missing");
        }
    }
    sqlite3_finalize(statement);
    return status;
}

bool spb_database__integer(sqlite3_stmt *row, int column, int64_t least, int64_t most, int64_t *out) {
    *out = sqlite3_column_int64(row, column);
    return sqlite3_column_type(row, column) == SQLITE_INTEGER && *out >= least && *out <= most;
}

void spb_database__rollback(spb_database *database) {
    if (database->db && !sqlite3_get_autocommit(database->db)) {
        sqlite3_exec(database->db, "ROLLBACK", NULL, NULL, NULL);
    }
}
