/*
 * Decides who may open a file, and how it is locked. One file, one process, one connection: the exclusive lock is taken
 * while opening and kept. What is in the file is left to others.
 */
#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#include "store/guard.h"
#include "store/shape.h"
#include "store/trust.h"

#define BUSY_TIMEOUT_MS 200                            /* another process may just be leaving */
#define STEP_BYTES 65536                               /* of a search for our marks, */
#define MOST_SEARCHED_BYTES ((sqlite3_int64)256 << 20) /* and how far it goes; our marks are in the first pages */

/*
 * A new file is made here, because SQLite would let others read it; -wal takes the mode of the file. One that exists is
 * left alone: opening and closing it would drop the locks that this process may hold on it (POSIX locks do that).
 */
bool spb_file__create_new(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 && close(fd) == 0;
}

spb_status spb_file__create(const char *path, spb_error *err) {
    if (spb_file__create_new(path)) {
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

static spb_status open_safely(spb_database *database, const char *name, int flags, spb_error *err) {
    spb_status status = spb_trust__check(database->path, err);
    if (status != SPB_OK) {
        return status;
    }
    int code = sqlite3_open_v2(name, &database->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        return spb_database__failed(database, code, "open it", err);
    }
    sqlite3_busy_timeout(database->db, BUSY_TIMEOUT_MS);
    return spb_guard__set_up(database, err);
}

/* Whoever held the lock until now may have set this file aside. */
static spb_status check_place(spb_database *database, spb_error *err) {
    int has_moved = 0;
    sqlite3_file_control(database->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    return has_moved ? spb_database__failed(database, SQLITE_BUSY, "open it", err) : SPB_OK;
}

/* The first statement that touches the file takes the lock, and locking_mode keeps it. */
spb_status spb_file__open(spb_database *database, const char *path, spb_error *err) {
    *database = (spb_database){.path = path};
    spb_status status = open_safely(database, path, SQLITE_OPEN_READWRITE, err);
    if (status == SPB_OK) {
        status = spb_database__execute(database,
                                       "PRAGMA page_size = 4096;" /* of a new one */
                                       "PRAGMA locking_mode = EXCLUSIVE;"
                                       "PRAGMA secure_delete = 0;"
                                       "PRAGMA cache_spill = OFF;" /* a transaction goes to the log once */
                                       "BEGIN EXCLUSIVE;",
                                       "lock it", err);
    }
    return status == SPB_OK ? check_place(database, err) : status;
}

/* "file:<path>?immutable=1", from malloc. */
static char *sqlite_uri(const char *path) {
    static const char hex[] = "0123456789ABCDEF";
    char *uri = malloc(strlen("file:") + 3 * strlen(path) + sizeof "?immutable=1");
    if (!uri) {
        return NULL;
    }
    char *at = uri + strlen(strcpy(uri, "file:"));
    for (const unsigned char *from = (const unsigned char *)path; *from; from++) {
        if (*from == '%' || *from == '?' || *from == '#') {
            *at++ = '%';
            *at++ = hex[*from >> 4];
            *at++ = hex[*from & 15];
        } else {
            *at++ = (char)*from;
        }
    }
    strcpy(at, "?immutable=1");
    return uri;
}

/*
 * The lock is exclusive here, too: so SQLite keeps its index of the log in memory, and makes no file for it. A journal
 * that is not a log is one of an interrupted creation; reading would roll it back, which is a change.
 */
spb_status spb_file__open_to_look(spb_database *database, const char *path, spb_error *err) {
    *database = (spb_database){.path = path};
    if (!spb_file__exists(path)) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: there is no such file", path);
    }
    bool can_write = access(path, W_OK) == 0;
    char *journal = spb_file__name(path, "-journal");
    bool is_half_made = journal && spb_file__exists(journal);
    free(journal);
    if (is_half_made) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: its edge node was interrupted and must open it first",
                              path);
    }
    char *name = can_write ? spb_file__name(path, "") : sqlite_uri(path);
    if (!name) {
        return spb_error__no_memory(err, "the store");
    }
    int flags = can_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    spb_status status = open_safely(database, name, flags, err);
    free(name);
    if (status != SPB_OK) {
        return status;
    }
    return spb_database__execute(database,
                                 "PRAGMA locking_mode = EXCLUSIVE;"
                                 "PRAGMA query_only = ON;"
                                 "SELECT 1 FROM sqlite_schema LIMIT 1;",
                                 "lock it", err);
}

/* What SQLite has rolled back by now. It removes that when it switches to the log, but not where the file says that it
 * has one already, as after damage: beside the log it would not be opened again (trust.c). */
static void remove_journal(const char *path) {
    char *journal = spb_file__name(path, "-journal");
    if (journal && unlink(journal) == 0) {
        spb_file__sync_directory(path); /* before there is anything in the log */
    }
    free(journal);
}

/* WAL can only be switched on outside of a transaction. locking_mode keeps the lock over the COMMIT before it. */
spb_status spb_file__use_log(spb_database *database, spb_error *err) {
    spb_status status = spb_database__execute(database, "COMMIT", "set it up", err);
    if (status == SPB_OK) {
        status = spb_database__execute(database,
                                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                       "PRAGMA wal_autocheckpoint = 0;",
                                       "set it up", err);
    }
    int keep = 1;
    if (status == SPB_OK) {
        sqlite3_file_control(database->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
        remove_journal(database->path);
    }
    return status;
}

void spb_file__close(spb_database *database, bool as_it_is) {
    if (database->db) {
        spb_database__rollback(database);
        sqlite3_db_config(database->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, as_it_is ? 1 : 0, NULL);
        sqlite3_close(database->db);
        database->db = NULL;
    }
    spb_shape__clear(&database->shape);
}

/* ---- traces of ours ---- */

static bool holds(const unsigned char *bytes, size_t len, const char *wanted) {
    size_t size = strlen(wanted);
    const unsigned char *end = bytes + len;
    while ((size_t)(end - bytes) >= size) {
        const unsigned char *found = memchr(bytes, wanted[0], (size_t)(end - bytes) - size + 1);
        if (!found) {
            return false;
        }
        if (memcmp(found, wanted, size) == 0) {
            return true;
        }
        bytes = found + 1;
    }
    return false;
}

static bool is_blank(const unsigned char *bytes, size_t len) {
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* In the header of version 1 and later, in the first page (the text of a table), in the page with the owner. */
static bool has_mark(const unsigned char *bytes, size_t len, bool is_first) {
    static const unsigned char application_id[] = {'S', 'P', 'B', '1'};
    return (is_first && len >= 100 && memcmp(bytes + 68, application_id, sizeof application_id) == 0) ||
           holds(bytes, len, SPB_SHAPE_MARK) || holds(bytes, len, SPB_SHAPE_OLD_MARK);
}

/* Steps through the file; a mark on the border of two steps is found by the other ones. A sparse file may claim to be
 * so large that reading its zeros takes hours: such a one is none of ours. */
static bool search(sqlite3_file *file, unsigned char *bytes) {
    sqlite3_int64 size = 0;
    if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) {
        return false;
    }
    bool blank = size <= MOST_SEARCHED_BYTES;
    for (sqlite3_int64 at = 0; at < size && at < MOST_SEARCHED_BYTES; at += STEP_BYTES) {
        int len = size - at < STEP_BYTES ? (int)(size - at) : STEP_BYTES;
        if (file->pMethods->xRead(file, bytes, len, at) != SQLITE_OK) {
            blank = false;
        } else if (has_mark(bytes, (size_t)len, at == 0)) {
            return true;
        } else {
            blank = blank && is_blank(bytes, (size_t)len);
        }
    }
    return blank; /* a power cut can leave nothing but zeros */
}

/* By SQLite's own file, which knows of the locks that this process may hold. */
bool spb_file__was_ours(const char *path) {
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    unsigned char *bytes = malloc(STEP_BYTES);
    char *full = malloc((size_t)vfs->mxPathname + 1);
    bool is_ours = false;
    if (file && bytes && full && vfs->xFullPathname(vfs, path, vfs->mxPathname, full) == SQLITE_OK) {
        if (vfs->xOpen(vfs, full, file, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, NULL) == SQLITE_OK) {
            is_ours = search(file, bytes);
        }
        if (file->pMethods) {
            file->pMethods->xClose(file);
        }
    }
    free(full);
    free(bytes);
    free(file);
    return is_ours;
}

/* ---- names ---- */

bool spb_file__exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

char *spb_file__name(const char *path, const char *suffix) {
    size_t length = strlen(path), more = strlen(suffix);
    char *name = malloc(length + more + 1);
    if (name) {
        memcpy(name, path, length);
        memcpy(name + length, suffix, more + 1);
    }
    return name;
}

char *spb_file__directory(const char *path) {
    const char *slash = strrchr(path, '/');
    char *directory = spb_file__name(slash ? path : ".", "");
    if (directory && slash) {
        directory[slash == path ? 1 : slash - path] = '\0';
    }
    return directory;
}

/* A file system that cannot promise it is none of our errors. */
void spb_file__sync_directory(const char *path) {
    char *directory = spb_file__directory(path);
    int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(directory);
}
