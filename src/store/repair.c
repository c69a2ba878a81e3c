/*
 * Decides which files beside a store are repairs of it. Nothing is believed for its name: a repair says in a table what
 * it is for, belongs to this user alone, and is newer than the damaged file. Whatever it is, a file that does not say
 * so is neither taken nor removed.
 */
#include "store/repair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#include "store/file.h"
#include "store/schema.h"
#include "store/shape.h"
#include "store/trust.h"

#define MOST_NAMES 10   /* that others may have taken */
#define MOST_ASIDE 1000 /* files of one second */

static const char *const suffixes[] = {"-journal", "-wal", ""};

/* ---- names ---- */

/* <path>.repair, <path>.repair-1 … from malloc. */
static char *name_repair(const char *path, int index) {
    char suffix[32];
    snprintf(suffix, sizeof suffix, index == 0 ? ".repair" : ".repair-%d", index);
    return spb_file__name(path, suffix);
}

static bool is_taken(const char *path) {
    bool is_there = false;
    for (int i = 0; i < 3; i++) {
        char *name = spb_file__name(path, suffixes[i]);
        is_there |= !name || spb_file__exists(name);
        free(name);
    }
    return is_there;
}

/* <path>.corrupt-<time>, a name that is not taken, from malloc. NULL: no memory. */
static char *name_aside(const char *path) {
    char stamp[32] = "", suffix[64];
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) {
        strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc);
    }
    for (int i = 0; i < MOST_ASIDE; i++) {
        snprintf(suffix, sizeof suffix, i == 0 ? ".corrupt-%s" : ".corrupt-%s-%d", stamp, i);
        char *name = spb_file__name(path, suffix);
        if (!name || !is_taken(name)) {
            return name;
        }
        free(name);
    }
    return NULL;
}

void spb_repair__remove(const char *name) {
    for (int i = 0; i < 3; i++) {
        char *file = spb_file__name(name, suffixes[i]);
        if (file) {
            unlink(file);
        }
        free(file);
    }
}

/* ---- what a repair says of itself ---- */

typedef enum kind {
    OTHER, /* no repair of this edge node, or nobody can tell */
    EMPTY, /* one that was just begun, or nothing at all */
    UNFINISHED,
    FINISHED
} kind;

typedef struct claim {
    kind kind;
    uint64_t inode; /* of the file that it is for, */
    spb_repair_account account;
} claim;

spb_status spb_repair__mark(spb_database *database, spb_error *err) {
    return spb_database__execute(database, "INSERT INTO meta VALUES ('repair', 'unfinished')", "begin a repair", err);
}

spb_status spb_repair__forget(spb_database *database, spb_error *err) {
    return spb_database__execute(database, "DELETE FROM meta WHERE key = 'repair'", "end a repair", err);
}

static claim read_claim(spb_database *database) {
    claim out = {.kind = OTHER};
    sqlite3_stmt *row = NULL;
    bool has_row = false;
    spb_status status = spb_database__prepare(database, &row, "SELECT value FROM meta WHERE key = 'repair'", NULL);
    if (status == SPB_OK) {
        status = spb_database__step(database, row, &has_row, "read", NULL);
    }
    const char *text = status == SPB_OK && has_row ? (const char *)sqlite3_column_text(row, 0) : NULL;
    unsigned long long inode = 0, salvaged = 0, lost = 0;
    if (text && strcmp(text, "unfinished") == 0) {
        out.kind = UNFINISHED;
    } else if (text && sscanf(text, "finished %llu %llu %llu", &inode, &salvaged, &lost) == 3) {
        out = (claim){.kind = FINISHED, .inode = inode, .account = {.salvaged = salvaged, .lost = lost}};
    }
    sqlite3_finalize(row);
    return out;
}

/* Opens and locks it, if it is ours to open. Only SPB_ERR_STORE_BUSY and SPB_ERR_NO_MEMORY are errors. */
static spb_status inspect(const spb_sqlite *store, const char *name, spb_database *repair, claim *out, spb_error *err) {
    int64_t version = 0;
    *repair = (spb_database){.path = name};
    *out = (claim){.kind = OTHER};
    if (!spb_trust__is_private(name)) {
        return SPB_OK;
    }
    spb_status status = spb_file__open(repair, name, err);
    if (status == SPB_OK) {
        status = spb_schema__recognise(repair, &version, err);
    }
    if (status == SPB_OK && version == 0) {
        out->kind = EMPTY;
    } else if (status == SPB_OK && !spb_schema__is_of_another(repair, store->group_id, store->node_id)) {
        *out = read_claim(repair);
    }
    return status == SPB_ERR_STORE_BUSY || status == SPB_ERR_NO_MEMORY ? status : SPB_OK;
}

/* ---- making one ---- */

/* Whether the name is free, or made free. */
static spb_status free_name(const spb_sqlite *store, const char *name, bool *is_free, spb_error *err) {
    spb_database left;
    claim said;
    *is_free = !is_taken(name);
    if (*is_free) {
        return SPB_OK;
    }
    spb_status status = inspect(store, name, &left, &said, err);
    if (status == SPB_OK && said.kind != OTHER) {
        spb_repair__remove(name);
        *is_free = !is_taken(name);
    }
    spb_file__close(&left, true);
    return status;
}

spb_status spb_repair__begin(char **name, const spb_sqlite *store, const char *path, spb_error *err) {
    for (int i = 0; i < MOST_NAMES; i++) {
        bool is_free = false;
        *name = name_repair(path, i);
        spb_status status = *name ? free_name(store, *name, &is_free, err) : spb_error__no_memory(err, "the store");
        if (status == SPB_OK && is_free && spb_file__create_new(*name)) {
            return SPB_OK;
        }
        if (status == SPB_OK && is_free && errno != EEXIST) {
            status = spb_error__set(err, SPB_ERR_STORE, "store %.120s: cannot be created: %s", *name, strerror(errno));
        }
        free(*name);
        *name = NULL;
        if (status != SPB_OK) {
            return status;
        }
    }
    return spb_error__set(
        err, SPB_ERR_STORE,
        "store %.120s: it is damaged, and all names for a repair, from .repair to .repair-%d, are taken", path,
        MOST_NAMES - 1);
}

/* Its log is empty then, and not needed. */
static spb_status seal(spb_database *repair, spb_error *err) {
    int frames = 0, copied = 0;
    spb_database__rollback(repair);
    spb_status status = spb_database__execute(repair, "PRAGMA synchronous = FULL", "finish a repair", err);
    if (status == SPB_OK) {
        int code = sqlite3_wal_checkpoint_v2(repair->db, "main", SQLITE_CHECKPOINT_TRUNCATE, &frames, &copied);
        status = code == SQLITE_OK ? SPB_OK : spb_database__failed(repair, code, "finish a repair", err);
    }
    char *log = spb_file__name(repair->path, "-wal");
    spb_file__close(repair, true);
    if (status == SPB_OK && log) {
        unlink(log);
    }
    free(log);
    return status;
}

spb_status spb_repair__finish(spb_database *repair, const char *path, spb_repair_account account, spb_error *err) {
    struct stat damaged;
    char sql[200];
    if (stat(path, &damaged) != 0) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: it went away during its repair: %s", path,
                              strerror(errno));
    }
    sqlite3_snprintf(sizeof sql, sql, "UPDATE meta SET value = 'finished %llu %llu %llu' WHERE key = 'repair'",
                     (sqlite3_uint64)damaged.st_ino, (sqlite3_uint64)account.salvaged, (sqlite3_uint64)account.lost);
    spb_status status = spb_database__execute(repair, "PRAGMA synchronous = FULL", "finish a repair", err);
    if (status == SPB_OK) {
        status = spb_database__execute(repair, sql, "finish a repair", err);
    }
    return status == SPB_OK ? seal(repair, err) : status;
}

/* ---- putting it in place ---- */

static spb_status rename_one(const char *from, const char *to, spb_error *err) {
    return rename(from, to) == 0 ? SPB_OK
                                 : spb_error__set(err, SPB_ERR_STORE, "store %.80s: cannot be renamed to %.80s: %s",
                                                  from, to, strerror(errno));
}

static spb_status move_beside(const char *path, const char *aside, const char *suffix, spb_error *err) {
    char *from = spb_file__name(path, suffix), *to = spb_file__name(aside, suffix);
    spb_status status = from && to ? SPB_OK : spb_error__no_memory(err, "the store");
    if (status == SPB_OK && spb_file__exists(from)) {
        status = rename_one(from, to, err);
    }
    free(from);
    free(to);
    return status;
}

/* A second name first, so that there is a file at `path` all the time; where there is no such thing, the only name. */
static spb_status move_aside(const char *path, const char *aside, spb_error *err) {
    return link(path, aside) == 0 ? SPB_OK : rename_one(path, aside, err);
}

/* The log goes first: SQLite would take it for that of the new file. What was done is on the disk before the next. */
spb_status spb_repair__put_in_place(const char *name, const char *path, char **aside, spb_error *err) {
    *aside = name_aside(path);
    if (!*aside) {
        return spb_error__no_memory(err, "the store");
    }
    spb_status status = move_beside(path, *aside, "-journal", err);
    if (status == SPB_OK) {
        status = move_beside(path, *aside, "-wal", err);
    }
    spb_file__sync_directory(path);
    bool is_there = spb_file__exists(path);
    if (status == SPB_OK && is_there) {
        status = move_aside(path, *aside, err);
        spb_file__sync_directory(path);
    }
    if (status == SPB_OK) {
        status = rename_one(name, path, err);
        spb_file__sync_directory(path);
    }
    if (status != SPB_OK || !is_there) {
        free(*aside);
        *aside = NULL;
    }
    return status;
}

/* ---- going on after an interruption ---- */

static bool is_newer(const struct stat *a, const struct stat *b) {
    return a->st_mtim.tv_sec > b->st_mtim.tv_sec ||
           (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec >= b->st_mtim.tv_nsec);
}

/* Nobody wrote to the damaged file since. If there is none, the repair is all there is. */
static bool is_for(const char *name, const char *path, uint64_t inode) {
    struct stat repair, damaged, log_info;
    char *log = spb_file__name(path, "-wal");
    bool is_right = log && stat(name, &repair) == 0;
    if (is_right && lstat(path, &damaged) == 0) {
        is_right = damaged.st_ino == inode && is_newer(&repair, &damaged);
    }
    if (is_right && lstat(log, &log_info) == 0 && log_info.st_size > 0) { /* opening the file makes an empty one */
        is_right = is_newer(&repair, &log_info);
    }
    free(log);
    return is_right;
}

/* With the damaged file locked, if there is one, so that no other process uses it or repairs it at the same time. */
static spb_status take(const char *name, const char *path, spb_database *repair, char **aside, spb_error *err) {
    spb_database damaged = {.path = path};
    spb_status status = SPB_OK;
    if (spb_file__exists(path) && spb_file__open(&damaged, path, err) == SPB_ERR_STORE_BUSY) {
        status = SPB_ERR_STORE_BUSY;
    }
    if (status == SPB_OK) {
        status = seal(repair, err);
    }
    if (status == SPB_OK) {
        status = spb_repair__put_in_place(name, path, aside, err);
    }
    spb_file__close(&damaged, true);
    return status;
}

static spb_status resume_one(const spb_sqlite *store, const char *name, bool *is_done, spb_repair_account *account,
                             char **aside, spb_error *err) {
    spb_database repair;
    claim said;
    spb_status status = inspect(store, name, &repair, &said, err);
    if (status == SPB_OK && said.kind == FINISHED && is_for(name, store->path, said.inode)) {
        status = take(name, store->path, &repair, aside, err);
        *account = said.account;
        *is_done = status == SPB_OK;
    }
    spb_file__close(&repair, true);
    return status;
}

spb_status spb_repair__resume(const spb_sqlite *store, bool *is_done, spb_repair_account *account, char **aside,
                              spb_error *err) {
    spb_status status = SPB_OK;
    *is_done = false;
    *aside = NULL;
    for (int i = 0; status == SPB_OK && !*is_done && i < MOST_NAMES; i++) {
        char *name = name_repair(store->path, i);
        if (!name) {
            status = spb_error__no_memory(err, "the store");
        } else if (spb_file__exists(name)) {
            status = resume_one(store, name, is_done, account, aside, err);
        }
        free(name);
    }
    return status;
}
