/*
 * Decides what becomes of a damaged file: it is set aside and never changed again, except for a header without which
 * SQLite would not read it; a new one takes its place, with what can be read. While that is done, the old one is called
 * <path>.salvage: whoever finds such a file begins anew.
 */
#include "store/damage.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "store/cursor.h"
#include "store/file.h"
#include "store/open.h"
#include "store/rescue.h"
#include "store/schema.h"
#include "store/segments.h"

#define MOST_ASIDE 1000 /* files of one second */

void spb_damage__note(spb_sqlite *store, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(store->damage, sizeof store->damage, format, args);
    va_end(args);
}

/* ---- the damaged file ---- */

/*
 * What is the same in each of our headers, for a file that SQLite does not know as a database any more. The two numbers
 * at 24 and 92 are made to differ: then it counts the pages by the size of the file.
 */
static bool repair_header(const char *path) {
    static const unsigned char magic[] = "SQLite format 3";
    static const unsigned char formats[] = {0x10, 0x00, 2, 2, 0, 64, 32, 32};
    unsigned char header[100];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool is_done = fd >= 0 && pread(fd, header, sizeof header, 0) == (ssize_t)sizeof header;
    if (is_done) {
        memcpy(header, magic, sizeof magic);
        memcpy(header + 16, formats, sizeof formats);
        memcpy(header + 92, header + 24, 4);
        header[92] ^= 1;
        memcpy(header + 44, "\0\0\0\4", 4);
        memcpy(header + 56, "\0\0\0\1", 4);
        is_done = pwrite(fd, header, sizeof header, 0) == (ssize_t)sizeof header;
    }
    if (fd >= 0) {
        close(fd);
    }
    return is_done;
}

static bool open_damaged(spb_database *damaged, const char *path) {
    spb_status status = spb_file__open(damaged, path, NULL);
    if (status != SPB_OK && damaged->code == SQLITE_NOTADB) {
        spb_file__close(damaged, true);
        if (repair_header(path)) {
            status = spb_file__open(damaged, path, NULL);
        }
    }
    return status == SPB_OK;
}

/* <path>.corrupt-<time>, a name that is not taken. From malloc. */
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
        if (!name || !spb_file__exists(name)) {
            return name;
        }
        free(name);
    }
    return NULL;
}

static void remove_file(const char *path) {
    static const char *const suffixes[] = {"-journal", "-wal", ""};
    for (int i = 0; i < 3; i++) {
        char *name = spb_file__name(path, suffixes[i]);
        if (name) {
            unlink(name);
        }
        free(name);
    }
}

/* ---- a new file in its place ---- */

/* What is kept in memory while the file is changed for another one. */
typedef struct legacy {
    spb_salvage_tables tables; /* of the damaged file, as they were known */
    spb_ranges gone;
    uint64_t samples; /* that were not gone */
    spb_blocks waiting;
} legacy;

static spb_status take_from(spb_sqlite *store, const char *damaged_path, legacy *old, uint64_t *lost, spb_error *err) {
    spb_database damaged = {.path = damaged_path};
    spb_status status = SPB_OK;
    *lost = old->samples; /* unless it can be read */
    if (open_damaged(&damaged, damaged_path) && !spb_schema__is_of_another(&damaged, store->group_id, store->node_id)) {
        *lost = 0;
        status = spb_rescue__all(store, &damaged, &old->tables, &old->gone, lost, err);
    }
    spb_file__close(&damaged, true);
    return status;
}

/* The damaged file, called damaged_path now, gets its last name. */
static spb_status put_aside(spb_sqlite *store, const char *damaged_path, const char *why, uint64_t salvaged,
                            uint64_t lost, spb_error *err) {
    char *aside = name_aside(store->path);
    if (!aside) {
        return spb_error__no_memory(err, "the store");
    }
    spb_status status = spb_file__rename(damaged_path, aside, err);
    if (status == SPB_OK) {
        spb_damage__note(store,
                         "the file was damaged (%s) and is set aside as %s; %llu samples could be read from it, "
                         "%llu are known to be lost",
                         why, aside, (unsigned long long)salvaged, (unsigned long long)lost);
        store->dropped_damage += lost;
    }
    free(aside);
    return status;
}

/* Makes a new file; `old` is given back but for what waits, which waits in the store again. */
static spb_status take_over(spb_sqlite *store, const char *damaged_path, const char *why, legacy *old, spb_error *err) {
    uint64_t salvaged = store->salvaged, lost = 0;
    remove_file(store->path); /* of an attempt that was interrupted */
    spb_segments__clear(store);
    store->waiting = (spb_blocks){0};
    spb_status status = spb_open__file(store, err);
    if (status == SPB_OK) {
        status = take_from(store, damaged_path, old, &lost, err);
    }
    if (status == SPB_OK) {
        status = put_aside(store, damaged_path, why, store->salvaged - salvaged, lost, err);
    }
    if (status != SPB_OK) {
        store->salvaged = salvaged;
        spb_cursor__close(store);
        spb_segments__clear(store);
        spb_file__close(&store->database, true);
    }
    spb_blocks__clear(&store->waiting);
    store->waiting = old->waiting;
    spb_ranges__clear(&old->gone);
    free(old->tables.items);
    return status;
}

static spb_status take_over_as(spb_sqlite *store, const char *why, legacy *old, bool is_there, spb_error *err) {
    char *damaged_path = spb_file__name(store->path, ".salvage");
    spb_status status = damaged_path ? SPB_OK : spb_error__no_memory(err, "the store");
    if (status == SPB_OK && !is_there) {
        status = spb_file__rename(store->path, damaged_path, err);
    }
    if (status == SPB_OK) {
        status = take_over(store, damaged_path, why, old, err);
    } else {
        store->waiting = old->waiting;
        spb_ranges__clear(&old->gone);
        free(old->tables.items);
    }
    free(damaged_path);
    return status;
}

/* What is known of the file goes to `old`; the store is left without it. */
static void let_go(spb_sqlite *store, legacy *old) {
    for (size_t i = 0; i < store->segments.count; i++) {
        const spb_store_segment *segment = &store->segments.items[i];
        if (segment->is_made && !segment->is_dropped) {
            spb_salvage__add_table(&old->tables, (spb_salvage_table){.number = segment->number,
                                                                     .first_id = segment->first_id,
                                                                     .last_id = segment->last_id,
                                                                     .samples = segment->total.samples});
        }
    }
    old->samples = spb_segments__present(store).samples;
    old->gone = store->gone;
    store->gone = (spb_ranges){0};
    old->waiting = store->waiting;
    store->waiting = (spb_blocks){0};
    store->written_before += store->room.written_bytes;
    store->room.written_bytes = 0;
    spb_cursor__close(store);
    spb_segments__clear(store);
    spb_file__close(&store->database, true);
}

spb_status spb_damage__mend(spb_sqlite *store, const char *why, spb_error *err) {
    char reason[sizeof store->database.why];
    snprintf(reason, sizeof reason, "%s", why);
    legacy old = {.tables = {0}};
    let_go(store, &old);
    return take_over_as(store, reason, &old, false, err);
}

/* ---- when ---- */

/* One that is being made anew by another process is locked by it. */
static bool is_busy(spb_sqlite *store, spb_error *err) {
    spb_database database = {.path = store->path};
    bool is_held = spb_file__exists(store->path) && spb_file__open(&database, store->path, err) == SPB_ERR_STORE_BUSY;
    spb_file__close(&database, true);
    return is_held;
}

spb_status spb_damage__resume(spb_sqlite *store, spb_error *err) {
    static const char *const suffixes[] = {".salvage", ".salvage-wal", "-wal"};
    char *names[3];
    bool is_there[3] = {false};
    for (int i = 0; i < 3; i++) {
        names[i] = spb_file__name(store->path, suffixes[i]);
        is_there[i] = names[i] && spb_file__exists(names[i]);
    }
    spb_status status = names[0] && names[1] && names[2] ? SPB_OK : spb_error__no_memory(err, "the store");
    if (status == SPB_OK && is_there[0]) {
        legacy old = {.waiting = store->waiting};
        status = is_busy(store, err) ? SPB_ERR_STORE_BUSY
                                     : take_over_as(store, "that was not finished in an earlier run", &old, true, err);
    } else if (status == SPB_OK && is_there[1] && !is_there[2]) {
        rename(names[1], names[2]); /* it was interrupted between the log and the file */
    }
    for (int i = 0; i < 3; i++) {
        free(names[i]);
    }
    return status;
}

spb_status spb_damage__ready(spb_sqlite *store, spb_error *err) {
    if (store->is_read_only) {
        return SPB_OK;
    }
    if (!store->database.db) {
        spb_status status = spb_damage__resume(store, err);
        return status == SPB_OK && !store->database.db ? spb_open__file(store, err) : status;
    }
    return store->database.is_damaged ? spb_damage__mend(store, store->database.why, err) : SPB_OK;
}

bool spb_damage__is_mended(spb_sqlite *store, spb_error *err) {
    return !store->is_read_only && store->database.is_damaged && store->database.db &&
           spb_damage__mend(store, store->database.why, err) == SPB_OK;
}

/* ---- for those who only look ---- */

static bool can_read_from(spb_sqlite *store, const spb_store_segment *segment, uint64_t id) {
    spb_block block;
    bool found, is_sound;
    return spb_cursor__read(store, segment, id, &block, &found, &is_sound, NULL) == SPB_OK;
}

/* In steps that grow, then back in halves. */
uint64_t spb_damage__skip(spb_sqlite *store, uint64_t from_id) {
    const spb_store_segment *segment = spb_segments__find(store, from_id);
    if (!segment) {
        return from_id;
    }
    uint64_t bad = from_id > segment->first_id ? from_id : segment->first_id, good = bad + 1, step = 1;
    while (good <= segment->last_id && !can_read_from(store, segment, good)) {
        bad = good;
        step *= 2;
        good = bad + step;
    }
    good = good <= segment->last_id ? good : segment->last_id + 1;
    while (good - bad > 1) {
        uint64_t middle = bad + (good - bad) / 2;
        if (can_read_from(store, segment, middle)) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    spb_cursor__rest(store);
    return bad;
}
