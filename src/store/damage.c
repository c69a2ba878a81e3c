/*
 * Decides what becomes of a damaged file: a new one is made beside it, with what can be read, and takes its place when
 * all is in it. The damaged one is set aside and never changed, except for a header without which SQLite would not read
 * it. How the two files change places is left to repair.c.
 */
#include "store/damage.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "store/cursor.h"
#include "store/file.h"
#include "store/guard.h"
#include "store/open.h"
#include "store/repair.h"
#include "store/rescue.h"
#include "store/schema.h"
#include "store/segments.h"
#include "store/shape.h"

void spb_damage__note(spb_sqlite *store, const char *format, ...) {
    va_list args;
    va_start(args, format);
    spb_escape__format(store->damage, sizeof store->damage, format, args);
    va_end(args);
}

/* ---- the damaged file ---- */

/*
 * What is the same in each of our headers, for a file that SQLite does not know as a database any more. The two numbers
 * at 24 and 92 are made to differ: then it counts the pages by the size of the file. The id at 68 is left out, so that
 * whoever finds the file, if the repair is not finished, knows it as damaged.
 */
static bool repair_header(const char *path) {
    static const unsigned char magic[] = "SQLite format 3";
    static const unsigned char formats[] = {0x10, 0x00, 2, 2, 0, 64, 32, 32};
    unsigned char header[100];
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool is_done = fd >= 0 && pread(fd, header, sizeof header, 0) == (ssize_t)sizeof header;
    if (is_done) {
        memcpy(header, magic, sizeof magic);
        memcpy(header + 16, formats, sizeof formats);
        memcpy(header + 92, header + 24, 4);
        header[92] ^= 1;
        memcpy(header + 44, "\0\0\0\4", 4);
        memcpy(header + 52, "\0\0\0\0\0\0\0\1", 8); /* no auto_vacuum; UTF-8 */
        memcpy(header + 68, "\0\0\0\0", 4);
        is_done = pwrite(fd, header, sizeof header, 0) == (ssize_t)sizeof header;
    }
    if (fd >= 0) {
        close(fd);
    }
    return is_done;
}

/* Opens and locks it, and looks at its tables. What cannot be opened at all is left closed; that is no error, unless it
 * may do later. */
static spb_status open_damaged(spb_database *damaged, const char *path, spb_error *err) {
    spb_status status = spb_file__open(damaged, path, err);
    if (status != SPB_OK && damaged->code == SQLITE_NOTADB) {
        spb_file__close(damaged, true);
        status = repair_header(path) ? spb_file__open(damaged, path, err) : SPB_ERR_STORE;
    }
    if (status == SPB_ERR_STORE && damaged->is_damaged) {
        spb_file__close(damaged, true);
        return SPB_OK;
    }
    if (status == SPB_OK) {
        spb_shape__read(damaged, NULL); /* as far as it goes: what is not as we make it is not read */
        spb_guard__allow_effort(damaged, true);
    }
    return status;
}

/* Its header may have been too damaged to tell before. */
static spb_status check_owner(const spb_sqlite *store, spb_database *damaged, spb_error *err) {
    bool is_of_another = damaged->db && spb_schema__is_of_another(damaged, store->group_id, store->node_id);
    return is_of_another ? spb_error__set(err, SPB_ERR_ARGUMENT,
                                          "store %.120s: it is damaged, and belongs to another edge node", store->path)
                         : SPB_OK;
}

/* ---- a new file in its place ---- */

/* What is kept in memory while the file is changed for another one. */
typedef struct legacy {
    spb_salvage_tables tables; /* of the damaged file, as they were known */
    spb_ranges gone;
    uint64_t samples; /* that were not gone */
    spb_blocks waiting;
} legacy;

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

/* What waits in the store again; all else of `old` is given back. */
static void take_back(spb_sqlite *store, legacy *old) {
    spb_blocks__clear(&store->waiting);
    store->waiting = old->waiting;
    spb_ranges__clear(&old->gone);
    free(old->tables.items);
}

/* The store, while its path is that of the repair. On success the repair is finished, and closed. */
static spb_status fill_repair(spb_sqlite *store, const char *path, spb_database *damaged, legacy *old,
                              spb_repair_account *account, spb_error *err) {
    uint64_t salvaged_before = store->salvaged;
    spb_status status = spb_open__file(store, err);
    account->lost = old->samples; /* unless it can be read */
    if (status == SPB_OK && damaged->db) {
        account->lost = 0;
        status = spb_rescue__all(store, damaged, &old->tables, &old->gone, &account->lost, err);
    }
    account->salvaged = store->salvaged - salvaged_before;
    store->salvaged = salvaged_before;
    if (status == SPB_OK) {
        status = spb_repair__finish(&store->database, path, *account, err);
    }
    spb_cursor__close(store);
    spb_segments__clear(store);
    spb_file__close(&store->database, true);
    return status;
}

/* Beside the damaged file; *name, from malloc, is that of the repair. */
static spb_status make_repair(spb_sqlite *store, char **name, spb_database *damaged, legacy *old,
                              spb_repair_account *account, spb_error *err) {
    char *path = store->path;
    spb_status status = spb_repair__begin(name, store, path, err);
    if (status != SPB_OK) {
        return status;
    }
    store->path = *name;
    store->is_repair = true;
    status = fill_repair(store, path, damaged, old, account, err);
    store->path = path;
    store->is_repair = false;
    store->database.path = path;
    if (status != SPB_OK) {
        spb_repair__remove(*name);
    }
    return status;
}

/* The store, without a file for the moment, goes on with the one that is in place now. */
static spb_status go_on(spb_sqlite *store, const char *why, const char *aside, spb_repair_account account,
                        spb_error *err) {
    spb_damage__note(store,
                     "the file was damaged (%s) and is set aside as %s; %llu samples could be read from it, "
                     "%llu are known to be lost",
                     why, aside ? aside : "another file", (unsigned long long)account.salvaged,
                     (unsigned long long)account.lost);
    store->salvaged += account.salvaged;
    store->dropped_damage += account.lost;
    return spb_open__file(store, err);
}

spb_status spb_damage__mend(spb_sqlite *store, const char *why, spb_error *err) {
    char reason[sizeof store->database.why], *name = NULL, *aside = NULL;
    snprintf(reason, sizeof reason, "%s", why);
    legacy old = {.tables = {0}};
    spb_repair_account account = {0};
    spb_database damaged = {.path = store->path};
    let_go(store, &old);
    spb_status status = open_damaged(&damaged, store->path, err);
    if (status == SPB_OK) {
        status = check_owner(store, &damaged, err);
    }
    if (status == SPB_OK) {
        status = make_repair(store, &name, &damaged, &old, &account, err);
    }
    if (status == SPB_OK) {
        status = spb_repair__put_in_place(name, store->path, &aside, err);
    }
    spb_file__close(&damaged, true);
    if (status == SPB_OK) {
        status = go_on(store, reason, aside, account, err);
    }
    take_back(store, &old);
    free(name);
    free(aside);
    return status;
}

/* ---- when ---- */

static spb_status resume(spb_sqlite *store, spb_error *err) {
    bool is_done = false;
    spb_repair_account account = {0};
    char *aside = NULL;
    spb_status status = spb_repair__resume(store, &is_done, &account, &aside, err);
    if (status == SPB_OK && is_done) {
        status = go_on(store, "its repair was finished in an earlier run", aside, account, err);
    }
    free(aside);
    return status;
}

spb_status spb_damage__ready(spb_sqlite *store, spb_error *err) {
    if (store->is_read_only) {
        return SPB_OK;
    }
    spb_status status = SPB_OK;
    if (!store->database.db) {
        status = resume(store, err);
        if (status == SPB_OK && !store->database.db) {
            status = spb_open__file(store, err);
        }
    }
    bool is_usable = status == SPB_OK && !store->database.is_damaged;
    bool is_mendable = (status == SPB_OK || status == SPB_ERR_STORE) && store->database.is_damaged;
    return is_usable || !is_mendable ? status : spb_damage__mend(store, store->database.why, err);
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
        good = step <= segment->last_id - bad ? bad + step : segment->last_id + 1;
    }
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
