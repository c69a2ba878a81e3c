/*
 * Decides how much the file and its log may grow, and takes that from the disk in advance: a disk that is full later
 * does not stop the store. Which blocks give way is left to the journal.
 */
#include "store/room.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "base/error.h"

#define MIB (UINT64_C(1) << 20)
#define LEAST_LOG_BYTES (UINT64_C(256) << 10)
#define MOST_LOG_BYTES (16 * MIB)
#define LEAST_SEGMENT_BYTES (UINT64_C(128) << 10)
#define MOST_SEGMENT_BYTES (8 * MIB)
#define MOST_CHUNK_BYTES (UINT64_C(1) << 30) /* SQLite takes an int */
#define STEP_BYTES 65536
#define LOG_HEAD_BYTES 32
#define FRAME_HEAD_BYTES 24
#define LEAST_FRAMES 32
#define SPARE_FRAMES 8      /* of the log, beside what a transaction is said to change */
#define LEAST_KEPT_PAGES 12 /* of the file, not for blocks */
#define MOST_KEPT_PAGES 4096

static uint64_t clamp(uint64_t number, uint64_t least, uint64_t most) {
    return number < least ? least : number > most ? most : number;
}

/* Of that many pages of the file, those that are not for blocks. */
static uint64_t kept_pages(uint64_t pages) {
    return clamp(pages / 32, LEAST_KEPT_PAGES, MOST_KEPT_PAGES);
}

/* The log is as large as a disk of there_bytes can bear; the file may still grow if there is more one day. */
static void share_out(spb_room *room, uint64_t max_bytes, uint64_t there_bytes, uint64_t page_bytes) {
    uint64_t bytes = there_bytes < max_bytes ? there_bytes : max_bytes;
    uint64_t log_bytes = clamp(bytes / 16 + LEAST_LOG_BYTES / 4, LEAST_LOG_BYTES, MOST_LOG_BYTES);
    uint64_t file_pages = (max_bytes - log_bytes) / page_bytes;
    *room = (spb_room){.page_bytes = page_bytes,
                       .file_pages = file_pages,
                       .block_pages = file_pages - kept_pages(file_pages),
                       .log_frames = (log_bytes - LOG_HEAD_BYTES) / (page_bytes + FRAME_HEAD_BYTES)};
}

/* ---- taking room from the disk ---- */

static sqlite3_file *file_of(spb_database *database, int control) {
    sqlite3_file *file = NULL;
    sqlite3_file_control(database->db, "main", control, &file);
    return file && file->pMethods ? file : NULL;
}

static uint64_t size_of(sqlite3_file *file) {
    sqlite3_int64 size = 0;
    return file && file->pMethods->xFileSize(file, &size) == SQLITE_OK ? (uint64_t)size : 0;
}

/* What the disk has room for, with what is taken already. */
static uint64_t bytes_there(spb_database *database) {
    struct statvfs disk;
    return statvfs(database->path, &disk) == 0
               ? (uint64_t)disk.f_bavail * disk.f_frsize + spb_room__disk_bytes(database)
               : UINT64_MAX;
}

/* SQLite cuts a file only to a multiple of the chunk, so a checkpoint gives nothing back. */
static void set_chunk(sqlite3_file *file, uint64_t bytes) {
    int chunk = (int)bytes;
    if (bytes > 0 && bytes <= MOST_CHUNK_BYTES) {
        file->pMethods->xFileControl(file, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
    }
}

/* Where the file system cannot do it better, or has not enough room: by writing, as far as it goes. */
static void write_zeros(sqlite3_file *file, uint64_t bytes) {
    static const unsigned char zeros[STEP_BYTES];
    for (uint64_t at = size_of(file); at < bytes;) {
        uint64_t len = bytes - at < STEP_BYTES ? bytes - at : STEP_BYTES;
        if (file->pMethods->xWrite(file, zeros, (int)len, (sqlite3_int64)at) != SQLITE_OK) {
            return;
        }
        at += len;
    }
}

/*
 * Makes the file `bytes` long, with room on the disk behind each of them, or as long as the disk has room for. A log
 * tells how long the file is, so the disk must know that before: if a power cut made it shorter, SQLite would take it
 * for damaged.
 */
static spb_status take(spb_database *database, sqlite3_file *file, uint64_t bytes, uint64_t chunk_bytes,
                       spb_error *err) {
    if (!file) {
        return SPB_OK;
    }
    set_chunk(file, chunk_bytes);
    if (size_of(file) >= bytes) {
        return SPB_OK;
    }
    sqlite3_int64 size = (sqlite3_int64)bytes;
    if (file->pMethods->xFileControl(file, SQLITE_FCNTL_SIZE_HINT, &size) != SQLITE_OK) {
        write_zeros(file, bytes);
        set_chunk(file, size_of(file) < bytes ? size_of(file) : chunk_bytes);
    }
    int code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    return code == SQLITE_OK ? SPB_OK : spb_database__failed(database, code, "extend it", err);
}

/* Of the file, what the disk has given. */
static uint64_t pages_there(const spb_room *room) {
    return room->disk_pages < room->file_pages ? room->disk_pages : room->file_pages;
}

/* A file of more than a chunk is some chunks of one size. Segments follow the room there is: the oldest one must be
 * able to give way without taking all the others along. */
static spb_status take_file(spb_room *room, spb_database *database, spb_error *err) {
    sqlite3_file *file = file_of(database, SQLITE_FCNTL_FILE_POINTER);
    uint64_t bytes = room->file_pages * room->page_bytes;
    uint64_t chunks = (bytes + MOST_CHUNK_BYTES - 1) / MOST_CHUNK_BYTES;
    uint64_t chunk_bytes = room->file_pages / chunks * room->page_bytes;
    spb_status status = take(database, file, chunk_bytes * chunks, chunk_bytes, err);
    room->disk_pages = size_of(file) / room->page_bytes;
    room->segment_bytes = clamp(pages_there(room) * room->page_bytes / 32, LEAST_SEGMENT_BYTES, MOST_SEGMENT_BYTES);
    return status;
}

/* If the disk has not enough room, smaller transactions do with less of it, down to some point. */
static spb_status take_log(spb_room *room, spb_database *database, spb_error *err) {
    sqlite3_file *file = file_of(database, SQLITE_FCNTL_JOURNAL_POINTER);
    uint64_t frame_bytes = room->page_bytes + FRAME_HEAD_BYTES;
    uint64_t bytes = LOG_HEAD_BYTES + room->log_frames * frame_bytes;
    spb_status status = take(database, file, bytes, bytes, err);
    uint64_t frames = size_of(file) / frame_bytes;
    if (frames < room->log_frames && frames >= LEAST_FRAMES) {
        room->log_frames = frames;
    }
    return status;
}

/* ---- the log ---- */

/* Called by SQLite after each commit. */
static int note_frames(void *context, sqlite3 *db, const char *name, int frames) {
    spb_room *room = context;
    (void)db;
    (void)name;
    uint64_t before = (uint64_t)frames > room->frames ? room->frames : 0; /* the log began anew */
    room->written_bytes += ((uint64_t)frames - before) * (room->page_bytes + FRAME_HEAD_BYTES);
    room->frames = (uint64_t)frames;
    return SQLITE_OK;
}

static spb_status checkpoint(spb_room *room, spb_database *database, int mode, spb_error *err) {
    int frames = 0, copied = 0;
    int code = sqlite3_wal_checkpoint_v2(database->db, "main", mode, &frames, &copied);
    if (code != SQLITE_OK) {
        return spb_database__failed(database, code, "bring its log into the file", err);
    }
    room->written_bytes += room->frames * room->page_bytes; /* at most: a page may be in the log more than once */
    room->frames = 0;                                       /* the next transaction begins at the front */
    return frames == copied
               ? SPB_OK
               : spb_error__set(err, SPB_ERR_STORE, "store %.120s: its log is held by a reader", database->path);
}

spb_status spb_room__clear_log(spb_room *room, spb_database *database, uint64_t pages, spb_error *err) {
    if (room->frames + pages + SPARE_FRAMES <= room->log_frames || room->frames == 0) {
        return SPB_OK;
    }
    return checkpoint(room, database, SQLITE_CHECKPOINT_PASSIVE, err);
}

/* ---- the interface ---- */

spb_status spb_room__open(spb_room *room, spb_database *database, uint64_t max_bytes, spb_error *err) {
    int64_t page_bytes = 0;
    spb_status status = spb_database__number(database, "PRAGMA page_size", &page_bytes, err);
    if (status != SPB_OK) {
        return status;
    }
    share_out(room, max_bytes, bytes_there(database), (uint64_t)page_bytes);
    status = spb_database__execute_with(database, "PRAGMA max_page_count = %lld", (int64_t)room->file_pages,
                                        "limit its size", err);
    if (status != SPB_OK) {
        return status;
    }
    sqlite3_file *log = file_of(database, SQLITE_FCNTL_JOURNAL_POINTER);
    bool is_too_long = size_of(log) > LOG_HEAD_BYTES + room->log_frames * (room->page_bytes + FRAME_HEAD_BYTES);
    status = checkpoint(room, database, is_too_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, err);
    if (status != SPB_OK) {
        return status;
    }
    sqlite3_wal_hook(database->db, note_frames, room);
    status = take_log(room, database, err);
    if (status == SPB_OK) {
        status = take_file(room, database, err);
    }
    return status == SPB_OK ? spb_room__measure(room, database, err) : status;
}

uint64_t spb_room__for_blocks(spb_room *room, spb_database *database) {
    if (database->db && room->disk_pages < room->file_pages && room->growth_tried != room->used_pages) {
        take_file(room, database, NULL);
        room->growth_tried = room->used_pages;
    }
    uint64_t pages = pages_there(room), kept = kept_pages(pages);
    return pages > kept ? pages - kept : 0;
}

/* The rest of a row that does not fit into its page goes to pages of its own; two pages of a table hold more than one.
 */
uint64_t spb_room__row_bytes(const spb_room *room, uint64_t payload_bytes) {
    uint64_t usable = room->page_bytes, most = usable - 35, least = (usable - 12) * 32 / 255 - 23;
    uint64_t local = payload_bytes, beyond = 0;
    if (payload_bytes > most) {
        uint64_t surplus = least + (payload_bytes - least) % (usable - 4);
        local = surplus <= most ? surplus : least;
        beyond = (payload_bytes - local + usable - 5) / (usable - 4);
    }
    return beyond * usable + 2 * (local + 24);
}

uint64_t spb_room__transaction_pages(const spb_room *room) {
    return room->log_frames - SPARE_FRAMES;
}

uint64_t spb_room__log_pages(const spb_room *room) {
    uint64_t taken = room->frames + SPARE_FRAMES;
    return room->log_frames > taken ? room->log_frames - taken : 0;
}

spb_status spb_room__measure(spb_room *room, spb_database *database, spb_error *err) {
    int64_t pages = 0, free_pages = 0;
    spb_status status = spb_database__number(database, "PRAGMA page_count", &pages, err);
    if (status == SPB_OK) {
        status = spb_database__number(database, "PRAGMA freelist_count", &free_pages, err);
    }
    if (status == SPB_OK) {
        room->used_pages = (uint64_t)(pages > free_pages ? pages - free_pages : 0);
    }
    return status;
}

uint64_t spb_room__disk_bytes(spb_database *database) {
    if (!database->db) {
        return 0;
    }
    return size_of(file_of(database, SQLITE_FCNTL_FILE_POINTER)) +
           size_of(file_of(database, SQLITE_FCNTL_JOURNAL_POINTER));
}

void spb_room__warn(const spb_room *room, const spb_database *database, spb_error *warning) {
    if (room->disk_pages + room->file_pages / 32 >= room->file_pages) { /* chunks may leave a few over */
        return;
    }
    char others[sizeof warning->text];
    snprintf(others, sizeof others, "%s", warning->text);
    spb_error__set(
        warning, warning->status,
        "store %.80s: the disk has room for %llu KiB of samples, and not for the %llu that it may have%s%.200s",
        database->path, (unsigned long long)(pages_there(room) * room->page_bytes / 1024),
        (unsigned long long)(room->file_pages * room->page_bytes / 1024), others[0] ? "; " : "", others);
}
