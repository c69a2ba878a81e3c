/*
 * A disk for tests: a VFS between SQLite and the real one, for the files of one store. It can fail, be full, note each
 * change, and tell what would be left of the files after a power cut. Files are real ones; others pass untouched.
 */
#ifndef SPB_TEST_DISK_H
#define SPB_TEST_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum disk_call {
    DISK_READ,
    DISK_WRITE,
    DISK_SYNC,
    DISK_TRUNCATE,
    DISK_OPEN,
    DISK_DELETE,
    DISK_EXTEND, /* SQLITE_FCNTL_SIZE_HINT */
    DISK_CALLS
} disk_call;

/* Becomes the default VFS, for files whose path begins with `path`. Once in a process. */
void disk_install(void);
/* From now on these are the files: `path`, and what SQLite adds to it. Forgets everything else that was set. */
void disk_watch(const char *path);

/* ---- failures ---- */

/* The n-th call of that kind from now on fails with an I/O error, and with `for_ever` all after it; n = 0: none does.
 */
void disk_fail(disk_call kind, unsigned n, bool for_ever);
/* How many calls of that kind there were since. */
unsigned disk_count(disk_call kind);
/* The files together may have so many bytes; beyond them the disk is full. UINT64_MAX: no limit. */
void disk_limit(uint64_t bytes);
/* The most that the files together had, and what was written to them, since disk_watch. */
uint64_t disk_peak(void);
uint64_t disk_written(void);

/* ---- power cuts ---- */

/* Notes all changes from now on, to files that do not exist yet. */
void disk_record(void);
/* How many changes were noted. */
size_t disk_changes(void);
/*
 * Writes to `path`, and the same with -wal and -journal, what the files may look like if the power is cut when the
 * first `changes` changes were made: everything that was synced, and of the rest any part, in pieces of 512 bytes, as
 * the seed has it. Must not go back behind the changes of an earlier call.
 */
void disk_cut(size_t changes, uint64_t seed, const char *path);

#endif
