/* A connection to one SQLite file, with errors that tell of it. */
#ifndef SPB_STORE_DATABASE_H
#define SPB_STORE_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include <spb/status.h>

#include "base/ranges.h"

/* What is in the file, by its list of tables (see shape.h). */
typedef struct spb_shape {
    uint64_t objects;  /* all that the list has */
    unsigned named;    /* SPB_SHAPE_…: those whose name it has, */
    unsigned tables;   /* and those that are as we make them */
    spb_ranges blocks; /* numbers of the tables of blocks that are as we make them */
    char other[64];    /* the name of something that we did not make; "": there is nothing else */
} spb_shape;

typedef struct spb_database {
    sqlite3 *db;      /* NULL: closed */
    const char *path; /* borrowed */
    int code;         /* SQLite's of the last failure */
    bool is_damaged;  /* a failure showed that the file is */
    char why[96];     /* then: SQLite's words, or ours */
    spb_shape shape;  /* when it was last looked at */
    unsigned effort;  /* that the present call of SQLite has taken, see guard.c, */
    unsigned allowed; /* and may take */
} spb_database;

/* Notes the failure of a call of SQLite and tells of it: with the path and SQLite's own words. */
spb_status spb_database__failed(spb_database *database, int code, const char *what, spb_error *err);
/* Notes that the file is damaged, as something is in it that we did not write. */
spb_status spb_database__damaged(spb_database *database, spb_error *err, const char *what);
spb_status spb_database__execute(spb_database *database, const char *sql, const char *what, spb_error *err);
/* The same for SQL with one number in it, as for printf's %lld: a table's name, or a value of a PRAGMA. */
spb_status spb_database__execute_with(spb_database *database, const char *sql, int64_t number, const char *what,
                                      spb_error *err);
/* *out is NULL on failure. */
spb_status spb_database__prepare(spb_database *database, sqlite3_stmt **out, const char *sql, spb_error *err);
spb_status spb_database__prepare_with(spb_database *database, sqlite3_stmt **out, const char *sql, int64_t number,
                                      spb_error *err);
/* Runs a statement that gives no rows, and resets it. */
spb_status spb_database__run(spb_database *database, sqlite3_stmt *statement, const char *what, spb_error *err);
/* One step. *has_row is false at the end. */
spb_status spb_database__step(spb_database *database, sqlite3_stmt *statement, bool *has_row, const char *what,
                              spb_error *err);
/* The number that a PRAGMA or SELECT of one row gives. */
spb_status spb_database__number(spb_database *database, const char *sql, int64_t *out, spb_error *err);
/* The integer of a column, if it is one from `least` to `most`; a file that others wrote holds anything. */
bool spb_database__integer(sqlite3_stmt *row, int column, int64_t least, int64_t most, int64_t *out);
/* Ends an open transaction without its changes. */
void spb_database__rollback(spb_database *database);

#endif
