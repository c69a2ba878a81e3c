#include "support/disk.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#define SECTOR 512
#define FILES 3 /* the database, -wal, -journal */

static const char *const suffixes[FILES] = {"", "-wal", "-journal"};

typedef struct disk_file {
    sqlite3_file base; /* first: SQLite knows no more of it */
    int index;         /* of FILES; -1: another file */
    sqlite3_file *real;
} disk_file;

/* A change of a file. */
typedef struct change {
    int file;
    disk_call kind;  /* WRITE, SYNC, TRUNCATE (also to a larger size), OPEN (of a new file), DELETE */
    uint64_t offset; /* or the new size */
    uint8_t *bytes;
    size_t len;
} change;

/* A file as it is known to be on the disk, and what was not synced yet. */
typedef struct image {
    bool exists;
    uint8_t *bytes;
    size_t size;
    size_t *pending; /* indexes of changes */
    size_t count, capacity;
} image;

static sqlite3_vfs *real_vfs;
static char watched[512];
static uint64_t sizes[FILES], limit = UINT64_MAX, peak, written;
static unsigned counts[DISK_CALLS], fail_at[DISK_CALLS];
static bool fail_for_ever[DISK_CALLS];
static bool is_recording;
static change *changes;
static size_t change_count, change_capacity, done;
static image images[FILES];

/* ---- failures ---- */

static bool fails(disk_call kind) {
    unsigned count = ++counts[kind];
    return fail_at[kind] != 0 && (count == fail_at[kind] || (fail_for_ever[kind] && count > fail_at[kind]));
}

void disk_fail(disk_call kind, unsigned n, bool for_ever) {
    counts[kind] = 0;
    fail_at[kind] = n;
    fail_for_ever[kind] = for_ever;
}

unsigned disk_count(disk_call kind) {
    return counts[kind];
}

void disk_limit(uint64_t bytes) {
    limit = bytes;
}

uint64_t disk_peak(void) {
    return peak;
}

uint64_t disk_written(void) {
    return written;
}

/* Whether a file may become that long. */
static bool grow(int file, uint64_t size) {
    uint64_t sum = 0;
    for (int i = 0; i < FILES; i++) {
        sum += i == file && size > sizes[i] ? size : sizes[i];
    }
    if (size > sizes[file] && sum > limit) {
        return false;
    }
    sizes[file] = size > sizes[file] ? size : sizes[file];
    peak = sum > peak ? sum : peak;
    return true;
}

/* ---- what changed ---- */

static void note(int file, disk_call kind, uint64_t offset, const void *bytes, size_t len) {
    if (!is_recording) {
        return;
    }
    if (change_count == change_capacity) {
        change_capacity = change_capacity ? change_capacity * 2 : 1024;
        changes = realloc(changes, change_capacity * sizeof *changes);
        ck_assert_ptr_nonnull(changes);
    }
    change *made = &changes[change_count++];
    *made = (change){.file = file, .kind = kind, .offset = offset, .len = len};
    if (len > 0) {
        made->bytes = malloc(len);
        ck_assert_ptr_nonnull(made->bytes);
        memcpy(made->bytes, bytes, len);
    }
}

static void forget_changes(void) {
    for (size_t i = 0; i < change_count; i++) {
        free(changes[i].bytes);
    }
    free(changes);
    changes = NULL;
    change_count = change_capacity = done = 0;
    for (int i = 0; i < FILES; i++) {
        free(images[i].bytes);
        free(images[i].pending);
        images[i] = (image){.exists = false};
    }
}

void disk_watch(const char *path) {
    snprintf(watched, sizeof watched, "%s", path);
    is_recording = false;
    limit = UINT64_MAX;
    peak = written = 0;
    for (int i = 0; i < DISK_CALLS; i++) {
        disk_fail((disk_call)i, 0, false);
    }
    for (int i = 0; i < FILES; i++) {
        sizes[i] = 0;
    }
    forget_changes();
}

void disk_record(void) {
    forget_changes();
    is_recording = true;
}

size_t disk_changes(void) {
    return change_count;
}

/* ---- power cuts ---- */

static uint32_t next_random(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static void resize(image *file, uint64_t size) {
    if (size > file->size) {
        file->bytes = realloc(file->bytes, size);
        ck_assert_ptr_nonnull(file->bytes);
        memset(file->bytes + file->size, 0, size - file->size);
    }
    file->size = size;
}

/* Writes the pieces of a change for which the random numbers say so; all of them without `random`. */
static void apply(image *file, const change *each, uint64_t *random) {
    if (each->kind == DISK_TRUNCATE) {
        resize(file, each->offset);
        return;
    }
    if (each->offset + each->len > file->size) {
        resize(file, each->offset + each->len);
    }
    for (size_t at = 0; at < each->len;) {
        size_t piece = SECTOR - (each->offset + at) % SECTOR;
        piece = piece < each->len - at ? piece : each->len - at;
        if (!random || next_random(random) % 2) {
            memcpy(file->bytes + each->offset + at, each->bytes + at, piece);
        }
        at += piece;
    }
}

/* What the disk is sure to have after the change. */
static void settle(size_t index) {
    const change *each = &changes[index];
    image *file = &images[each->file];
    if (each->kind == DISK_DELETE || each->kind == DISK_OPEN) {
        file->exists = each->kind == DISK_OPEN;
        file->size = 0;
        file->count = 0;
    } else if (each->kind == DISK_SYNC) {
        for (size_t i = 0; i < file->count; i++) {
            apply(file, &changes[file->pending[i]], NULL);
        }
        file->count = 0;
    } else {
        if (file->count == file->capacity) {
            file->capacity = file->capacity ? file->capacity * 2 : 64;
            file->pending = realloc(file->pending, file->capacity * sizeof *file->pending);
            ck_assert_ptr_nonnull(file->pending);
        }
        file->pending[file->count++] = index;
    }
}

static void write_image(const image *file, const char *path) {
    if (!file->exists) {
        unlink(path);
        return;
    }
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(file->bytes, 1, file->size, out), file->size);
    fclose(out);
}

/* In four of five cuts the first ones of what was not synced arrived, up to some change, perhaps torn; in the others,
 * and behind that, any of them, whole or in part. */
static void cut_file(const image *file, uint64_t *random, const char *path) {
    image cut = {.exists = file->exists, .size = file->size, .bytes = malloc(file->size + 1)};
    ck_assert_ptr_nonnull(cut.bytes);
    if (file->size > 0) {
        memcpy(cut.bytes, file->bytes, file->size);
    }
    size_t whole = next_random(random) % (file->count + 1);
    bool is_in_order = next_random(random) % 5 != 0;
    for (size_t i = 0; i < file->count; i++) {
        const change *each = &changes[file->pending[i]];
        if (is_in_order && i < whole) {
            apply(&cut, each, NULL);
        } else if (is_in_order ? i == whole : next_random(random) % 2) {
            bool is_torn = each->kind == DISK_WRITE && next_random(random) % 2;
            apply(&cut, each, is_torn ? random : NULL);
        }
    }
    write_image(&cut, path);
    free(cut.bytes);
}

void disk_cut(size_t count, uint64_t seed, const char *path) {
    uint64_t random = seed * UINT64_C(0x9e3779b97f4a7c15) + count;
    while (done < count) {
        settle(done++);
    }
    for (int i = 0; i < FILES; i++) {
        char name[600];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        cut_file(&images[i], &random, name);
    }
}

/* ---- the VFS ---- */

static disk_file *of(sqlite3_file *file) {
    return (disk_file *)file;
}

static int disk_close(sqlite3_file *file) {
    int code = of(file)->real->pMethods ? of(file)->real->pMethods->xClose(of(file)->real) : SQLITE_OK;
    free(of(file)->real);
    return code;
}

static int disk_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 offset) {
    if (of(file)->index >= 0 && fails(DISK_READ)) {
        return SQLITE_IOERR_READ;
    }
    return of(file)->real->pMethods->xRead(of(file)->real, bytes, len, offset);
}

static int disk_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset) {
    int index = of(file)->index;
    if (index >= 0) {
        if (fails(DISK_WRITE)) {
            return SQLITE_IOERR_WRITE;
        }
        if (!grow(index, (uint64_t)offset + (uint64_t)len)) {
            return SQLITE_FULL;
        }
        written += (uint64_t)len;
        note(index, DISK_WRITE, (uint64_t)offset, bytes, (size_t)len);
    }
    return of(file)->real->pMethods->xWrite(of(file)->real, bytes, len, offset);
}

/* SQLite cuts a file to a multiple of the chunk: what became of it is seen behind the real call. */
static void note_size(disk_file *file) {
    sqlite3_int64 size = 0;
    if (file->real->pMethods->xFileSize(file->real, &size) == SQLITE_OK && (uint64_t)size != sizes[file->index]) {
        grow(file->index, (uint64_t)size);
        sizes[file->index] = (uint64_t)size;
        note(file->index, DISK_TRUNCATE, (uint64_t)size, NULL, 0);
    }
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size) {
    if (of(file)->index < 0) {
        return of(file)->real->pMethods->xTruncate(of(file)->real, size);
    }
    if (fails(DISK_TRUNCATE)) {
        return SQLITE_IOERR_TRUNCATE;
    }
    int code = of(file)->real->pMethods->xTruncate(of(file)->real, size);
    note_size(of(file));
    return code;
}

static int disk_sync(sqlite3_file *file, int flags) {
    if (of(file)->index >= 0) {
        if (fails(DISK_SYNC)) {
            return SQLITE_IOERR_FSYNC;
        }
        note(of(file)->index, DISK_SYNC, 0, NULL, 0);
        return SQLITE_OK; /* the power is only cut in the images */
    }
    return of(file)->real->pMethods->xSync(of(file)->real, flags);
}

static int disk_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return of(file)->real->pMethods->xFileSize(of(file)->real, size);
}

static int disk_lock(sqlite3_file *file, int lock) {
    return of(file)->real->pMethods->xLock(of(file)->real, lock);
}

static int disk_unlock(sqlite3_file *file, int lock) {
    return of(file)->real->pMethods->xUnlock(of(file)->real, lock);
}

static int disk_check_lock(sqlite3_file *file, int *out) {
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, out);
}

static int disk_control(sqlite3_file *file, int op, void *argument) {
    if (of(file)->index < 0 || op != SQLITE_FCNTL_SIZE_HINT) {
        return of(file)->real->pMethods->xFileControl(of(file)->real, op, argument);
    }
    uint64_t size = (uint64_t) * (sqlite3_int64 *)argument, before = sizes[of(file)->index];
    if (fails(DISK_EXTEND)) {
        return SQLITE_IOERR_WRITE;
    }
    if (!grow(of(file)->index, size)) {
        return SQLITE_FULL;
    }
    sizes[of(file)->index] = before; /* the real file may stay as it is */
    int code = of(file)->real->pMethods->xFileControl(of(file)->real, op, argument);
    note_size(of(file));
    return code;
}

static int disk_sector(sqlite3_file *file) {
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int disk_traits(sqlite3_file *file) {
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

/* Version 1: no shared memory and no mapping, of which the store uses neither. */
static const sqlite3_io_methods methods = {.iVersion = 1,
                                           .xClose = disk_close,
                                           .xRead = disk_read,
                                           .xWrite = disk_write,
                                           .xTruncate = disk_truncate,
                                           .xSync = disk_sync,
                                           .xFileSize = disk_file_size,
                                           .xLock = disk_lock,
                                           .xUnlock = disk_unlock,
                                           .xCheckReservedLock = disk_check_lock,
                                           .xFileControl = disk_control,
                                           .xSectorSize = disk_sector,
                                           .xDeviceCharacteristics = disk_traits};

static int index_of(const char *path) {
    size_t len = strlen(watched);
    if (!path || len == 0 || strncmp(path, watched, len) != 0) {
        return -1;
    }
    for (int i = 0; i < FILES; i++) {
        if (strcmp(path + len, suffixes[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags) {
    (void)vfs;
    disk_file *opened = of(file);
    opened->base.pMethods = NULL;
    opened->index = index_of(path);
    if (opened->index >= 0 && fails(DISK_OPEN)) {
        return SQLITE_CANTOPEN;
    }
    bool is_new = opened->index >= 0 && access(path, F_OK) != 0;
    opened->real = calloc(1, (size_t)real_vfs->szOsFile);
    int code = opened->real ? real_vfs->xOpen(real_vfs, path, opened->real, flags, out_flags) : SQLITE_NOMEM;
    if (code != SQLITE_OK) {
        free(opened->real);
        return code;
    }
    opened->base.pMethods = &methods;
    if (opened->index >= 0) {
        bool is_unknown = is_recording && !images[opened->index].exists && sizes[opened->index] == 0;
        if (is_new || is_unknown) {
            note(opened->index, DISK_OPEN, 0, NULL, 0);
            images[opened->index].exists = true;
        }
        note_size(opened);
    }
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync_directory) {
    (void)vfs;
    int index = index_of(path);
    if (index >= 0 && fails(DISK_DELETE)) {
        return SQLITE_IOERR_DELETE;
    }
    int code = real_vfs->xDelete(real_vfs, path, sync_directory);
    if (index >= 0 && code == SQLITE_OK) {
        sizes[index] = 0;
        note(index, DISK_DELETE, 0, NULL, 0);
    }
    return code;
}

void disk_install(void) {
    static sqlite3_vfs vfs;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "spb-test-disk";
    vfs.szOsFile = sizeof(disk_file);
    vfs.xOpen = disk_open;
    vfs.xDelete = disk_delete;
    sqlite3_vfs_register(&vfs, 1);
}
