/* Decides what SQLite may do with a file that somebody else may have written or changed. Whether its tables are ours is
 * left to shape.c, where the file lies to trust.c. */
#include "store/guard.h"

#include <stddef.h>
#include <sys/stat.h>

/* Effort is counted in these steps of SQLite's machine. */
#define STEPS 10000
#define EFFORT_OF_UNKNOWN 300      /* the list of the tables of 150,000 segments takes as much */
#define EFFORT_OF_SMALL 8          /* of 4000 */
#define BYTES_FOR_STEP 512000      /* 500 tables more: of ours each takes a page, or a part of one that is compressed */
#define EFFORT_OF_RECOGNISED 10000 /* to forget 5,000,000 ranges of ids takes as much; some seconds */

static const struct {
    int limit, value;
} limits[] = {{SQLITE_LIMIT_LENGTH, SPB_GUARD_MOST_ROW_BYTES},
              {SQLITE_LIMIT_SQL_LENGTH, 4096},
              {SQLITE_LIMIT_COLUMN, 16},
              {SQLITE_LIMIT_EXPR_DEPTH, 20},
              {SQLITE_LIMIT_COMPOUND_SELECT, 2},
              {SQLITE_LIMIT_FUNCTION_ARG, 8},
              {SQLITE_LIMIT_ATTACHED, 0},
              {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
              {SQLITE_LIMIT_VARIABLE_NUMBER, 16},
              {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
              {SQLITE_LIMIT_WORKER_THREADS, 0}};

static const struct {
    int setting, value;
} settings[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0}};

static int count(void *context) {
    spb_database *database = context;
    return ++database->effort > database->allowed;
}

/* SQLite takes the list of tables into memory, in a time that grows with the square of its length. So a file may have
 * no more of them than it has room on the disk for. */
static unsigned effort_of_list(const char *path) {
    struct stat info;
    uint64_t bytes = stat(path, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0;
    uint64_t steps = EFFORT_OF_SMALL + bytes / BYTES_FOR_STEP;
    return steps < EFFORT_OF_UNKNOWN ? (unsigned)steps : EFFORT_OF_UNKNOWN;
}

void spb_guard__allow_effort(spb_database *database, bool is_recognised) {
    database->allowed = is_recognised ? EFFORT_OF_RECOGNISED : effort_of_list(database->path);
    sqlite3_progress_handler(database->db, STEPS, count, database);
}

spb_status spb_guard__set_up(spb_database *database, spb_error *err) {
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        int code = sqlite3_db_config(database->db, settings[i].setting, settings[i].value, NULL);
        if (code != SQLITE_OK) {
            return spb_database__failed(database, code, "open it safely", err);
        }
    }
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        sqlite3_limit(database->db, limits[i].limit, limits[i].value);
    }
    spb_guard__allow_effort(database, false);
    return spb_database__execute(database,
                                 "PRAGMA cell_size_check = ON;"
                                 "PRAGMA mmap_size = 0;" /* a file that is cut short would be a signal */
                                 "PRAGMA temp_store = MEMORY;",
                                 "open it safely", err);
}
