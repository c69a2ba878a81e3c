/* Decides what a file is believed of its segments: complete ones have their sums in it, the last one is read. Anything
 * may stand there, so each number is checked before it is used. */
#include "store/load.h"

#include "base/error.h"

#include "store/cursor.h"
#include "store/heads.h"
#include "store/segments.h"
#include "store/shape.h"

/* In one segment, which is complete when it has some MiB (see room.c). */
#define MOST_BYTES (INT64_C(1) << 26)
#define MOST_BLOCKS (INT64_C(1) << 22)
#define MOST_SAMPLES (INT64_C(1) << 53)
#define USUAL_LAST_ID (UINT64_C(1) << 48) /* years of a million blocks a second; a higher one needs a proof */

/* The last segment, whose sums are not in the file: its blocks are counted one by one, without their metrics. */
static spb_status read_open(spb_sqlite *store, spb_store_segment *segment, spb_error *err) {
    spb_heads heads;
    spb_head head;
    bool found = true;
    spb_status status = spb_heads__open(&heads, &store->database, segment->number, err);
    segment->last_id = segment->first_id - 1;
    if (status == SPB_OK) {
        spb_heads__seek(&heads, 0, INT64_MAX);
    }
    while (status == SPB_OK && found) {
        status = spb_heads__next(&heads, &head, &found, err);
        if (status == SPB_OK && found && (head.id < segment->first_id || head.id > SPB_HEADS_LAST_ID_IN_FILE)) {
            status = spb_database__damaged(&store->database, err, "a block has an id that its segment cannot have");
        } else if (status == SPB_OK && found) {
            segment->last_id = head.id;
            spb_amount__add(&segment->total, (spb_amount){.blocks = 1, .samples = head.samples, .bytes = head.bytes});
            segment->newest_ms = spb_segments__later(store, segment->newest_ms, &head);
        }
    }
    spb_heads__close(&heads);
    return status;
}

/* False: that cannot be. The sums of one that is not complete are not there. */
static bool read_row(sqlite3_stmt *row, spb_store_segment *out) {
    int64_t number = 0, first_id = 0, last_id = 0, blocks = 0, samples = 0, bytes = 0;
    bool is_complete = sqlite3_column_type(row, 2) != SQLITE_NULL;
    bool is_sound = spb_database__integer(row, 0, 1, SPB_SHAPE_MOST_NUMBER, &number) &&
                    spb_database__integer(row, 1, 1, SPB_HEADS_LAST_ID_IN_FILE, &first_id);
    if (is_sound && is_complete) {
        is_sound = spb_database__integer(row, 2, first_id, SPB_HEADS_LAST_ID_IN_FILE, &last_id) &&
                   spb_database__integer(row, 3, 1, MOST_BLOCKS, &blocks) && blocks <= last_id - first_id + 1 &&
                   spb_database__integer(row, 4, 0, MOST_SAMPLES, &samples) &&
                   spb_database__integer(row, 5, 0, MOST_BYTES, &bytes) &&
                   sqlite3_column_type(row, 6) == SQLITE_INTEGER;
    }
    *out = (spb_store_segment){
        .number = number,
        .first_id = (uint64_t)first_id,
        .last_id = (uint64_t)last_id,
        .total = {.blocks = (uint64_t)blocks, .samples = (uint64_t)samples, .bytes = (uint64_t)bytes},
        .newest_ms = is_complete ? (uint64_t)sqlite3_column_int64(row, 6) : 0,
        .is_complete = is_complete,
        .is_made = true,
        .is_unchecked = true};
    return is_sound;
}

/* It comes behind all others, which are complete, and its table is there. */
static bool fits(const spb_sqlite *store, const spb_store_segment *segment) {
    const spb_store_segments *all = &store->segments;
    const spb_store_segment *before = all->count > 0 ? &all->items[all->count - 1] : NULL;
    return spb_ranges__contains(&store->database.shape.blocks, (uint64_t)segment->number) &&
           (!before ||
            (before->is_complete && segment->number > before->number && segment->first_id > before->last_id));
}

/* Whether its last block is there, and none is outside of it. If the disk fails, that is not known yet. */
static bool has_edges(spb_sqlite *store, const spb_store_segment *segment) {
    spb_heads heads;
    spb_amount before = {0}, last = {0};
    spb_status status = spb_heads__open(&heads, &store->database, segment->number, NULL);
    if (status == SPB_OK) {
        status = spb_heads__count(&heads, 0, segment->first_id - 1, &before, NULL);
    }
    if (status == SPB_OK) {
        status = spb_heads__count(&heads, segment->last_id, INT64_MAX, &last, NULL);
    }
    spb_heads__close(&heads);
    return status == SPB_OK ? before.blocks == 0 && last.blocks == 1 : !store->database.is_damaged;
}

static spb_status take_row(spb_sqlite *store, sqlite3_stmt *row, spb_error *err) {
    spb_store_segment segment;
    if (!read_row(row, &segment) || !fits(store, &segment) || (segment.is_complete && !has_edges(store, &segment))) {
        return spb_database__damaged(&store->database, err, "its segments are out of order");
    }
    spb_status status = segment.is_complete ? SPB_OK : read_open(store, &segment, err);
    if ((status == SPB_OK || segment.total.blocks > 0) && !spb_segments__add(store, segment)) {
        status = spb_error__no_memory(err, "the store");
    }
    return status;
}

/* Who only looks into the file leaves out what cannot be; else it is an error. */
static bool is_left_out(const spb_sqlite *store, spb_status status) {
    return status == SPB_ERR_STORE && store->is_read_only && store->database.is_damaged;
}

static spb_status read_segments(spb_sqlite *store, spb_error *err) {
    sqlite3_stmt *row = NULL;
    bool has_row = true;
    int64_t before = 0;
    spb_status status = spb_shape__demand(&store->database, SPB_SHAPE_SEGMENT, err);
    if (status == SPB_OK) {
        status = spb_database__prepare(&store->database, &row,
                                       "SELECT n, first_id, last_id, blocks, samples, bytes, newest_ms"
                                       " FROM segment NOT INDEXED ORDER BY n",
                                       err);
    }
    while (status == SPB_OK && has_row) {
        status = spb_database__step(&store->database, row, &has_row, "read its segments", err);
        if (status == SPB_OK && has_row) {
            int64_t number = sqlite3_column_int64(row, 0);
            bool is_later = number > before; /* in a damaged tree, the same ones can come again and again */
            before = number;
            status = take_row(store, row, err);
            if (is_later && is_left_out(store, status)) {
                status = SPB_OK;
            }
        }
    }
    sqlite3_finalize(row);
    return status;
}

/* Whoever believed one that is too high could store nothing more. */
spb_status spb_load__last_id(spb_database *database, int64_t *out, spb_error *err) {
    int64_t last_id = 0;
    spb_status status = spb_shape__demand(database, SPB_SHAPE_JOURNAL, err);
    if (status == SPB_OK) {
        status = spb_database__number(database, "SELECT last_id FROM journal NOT INDEXED WHERE id = 1", &last_id, err);
    }
    if (status == SPB_OK && (last_id < 0 || last_id > SPB_HEADS_LAST_ID_TOLD)) {
        status = spb_database__damaged(database, err, "the last id in it is none");
    }
    *out = status == SPB_OK ? last_id : 0;
    return status;
}

/* Whether the last block is as it was written, if its id is an unusual one: those that come next lie behind it. */
static spb_status check_last(spb_sqlite *store, spb_error *err) {
    uint64_t last_id = spb_segments__last_id(store);
    spb_block block;
    bool found = false, is_sound = false;
    if (last_id <= USUAL_LAST_ID) {
        return SPB_OK;
    }
    const spb_store_segment *last = &store->segments.items[store->segments.count - 1];
    spb_status status = spb_cursor__read(store, last, last_id, &block, &found, &is_sound, err);
    spb_cursor__close(store);
    return status == SPB_OK && !is_sound ? spb_database__damaged(&store->database, err, "its last block is damaged")
                                         : status;
}

static spb_status read_last_id(spb_sqlite *store, spb_error *err) {
    int64_t last_id = 0;
    spb_status status = spb_load__last_id(&store->database, &last_id, err);
    uint64_t newest = spb_segments__last_id(store);
    newest = newest > (uint64_t)last_id ? newest : (uint64_t)last_id;
    store->last_id = newest > store->last_id ? newest : store->last_id;
    return status;
}

/* Of ids that were given already: else those that come next would be gone, too. */
static spb_status read_gone(spb_sqlite *store, spb_error *err) {
    sqlite3_stmt *row = NULL;
    bool has_row = true;
    int64_t first, last, before = 0, highest = (int64_t)store->last_id;
    spb_status status = spb_shape__demand(&store->database, SPB_SHAPE_GONE, err);
    if (status == SPB_OK) {
        status = spb_database__prepare(&store->database, &row,
                                       "SELECT first_id, last_id FROM gone NOT INDEXED ORDER BY first_id", err);
    }
    while (status == SPB_OK && has_row) {
        status = spb_database__step(&store->database, row, &has_row, "read what is gone", err);
        if (status == SPB_OK && has_row) {
            if (!spb_database__integer(row, 0, before + 1, highest, &first) ||
                !spb_database__integer(row, 1, first, highest, &last)) {
                status = spb_database__damaged(&store->database, err, "what is gone is no range");
            } else if (!spb_ranges__add(&store->gone, (uint64_t)first, (uint64_t)last)) {
                status = spb_error__no_memory(err, "the store");
            }
            before = last;
        }
    }
    sqlite3_finalize(row);
    return status;
}

static spb_status count_all(spb_sqlite *store, spb_error *err) {
    spb_status status = SPB_OK;
    for (size_t i = 0; status == SPB_OK && i < store->segments.count; i++) {
        spb_store_segment *segment = &store->segments.items[i];
        status = spb_segments__count_present(store, segment, err);
        if (is_left_out(store, status)) {
            segment->present = segment->total;
            status = SPB_OK;
        } else if (status == SPB_OK && !store->is_read_only) {
            segment->is_dropped = spb_segments__is_empty(store, segment);
            status =
                store->database.is_damaged ? spb_database__damaged(&store->database, err, store->database.why) : SPB_OK;
        }
    }
    return status;
}

/* Each step goes on with what the last one left; who only looks takes all of them, whatever is wrong. */
spb_status spb_load__segments(spb_sqlite *store, spb_error *err) {
    spb_segments__clear(store);
    spb_status status = read_segments(store, err);
    if (status == SPB_OK && store->segments.count < store->database.shape.blocks.total) {
        status = spb_database__damaged(&store->database, err, "it has tables of no segment");
    }
    if (status == SPB_OK) {
        status = check_last(store, err);
    }
    if (status == SPB_OK || is_left_out(store, status)) {
        status = read_last_id(store, err);
    }
    if (status == SPB_OK || is_left_out(store, status)) {
        status = read_gone(store, err);
    }
    if (status == SPB_OK || is_left_out(store, status)) {
        status = count_all(store, err);
    }
    return status;
}
