/*
 * Decides what is known of a segment without reading its blocks. How that is found again after a restart is left to
 * load.c, when one is begun or dropped to the journal.
 */
#include "store/segments.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#include "store/heads.h"
#include "store/shape.h"

void spb_segments__clear(spb_sqlite *store) {
    free(store->segments.items);
    store->segments = (spb_store_segments){0};
    spb_ranges__clear(&store->gone);
    spb_ranges__clear(&store->fresh);
}

spb_store_segment *spb_segments__add(spb_sqlite *store, spb_store_segment segment) {
    spb_store_segments *all = &store->segments;
    if (all->count == all->capacity) {
        size_t capacity = all->capacity ? all->capacity * 2 : 16;
        spb_store_segment *items = realloc(all->items, capacity * sizeof *items);
        if (!items) {
            return NULL;
        }
        all->items = items;
        all->capacity = capacity;
    }
    all->items[all->count] = segment;
    return &all->items[all->count++];
}

/* ---- counting ---- */

/* What is not gone: all, less what is in the gaps. */
spb_status spb_segments__count_present(spb_sqlite *store, spb_store_segment *segment, spb_error *err) {
    spb_heads heads = {.rows = NULL};
    spb_status status = SPB_OK;
    spb_amount present = segment->total;
    spb_range range;
    uint64_t from_id = segment->first_id;
    while (status == SPB_OK && spb_ranges__next(&store->gone, from_id, &range) && range.first <= segment->last_id) {
        uint64_t last_id = range.last < segment->last_id ? range.last : segment->last_id;
        spb_amount less = segment->total;
        if (range.first > segment->first_id || last_id < segment->last_id) {
            status = heads.rows ? SPB_OK : spb_heads__open(&heads, &store->database, segment->number, err);
            status = status == SPB_OK ? spb_heads__count(&heads, range.first, last_id, &less, err) : status;
        }
        spb_amount__subtract(&present, less);
        from_id = last_id + 1;
    }
    spb_heads__close(&heads);
    if (status == SPB_OK) {
        segment->present = present;
        segment->is_stale = false;
    }
    return status;
}

/* Those whose sums could not be counted when the disk failed. */
static void count_stale(spb_sqlite *store) {
    for (size_t i = 0; store->database.db && i < store->segments.count; i++) {
        if (store->segments.items[i].is_stale) {
            spb_segments__count_present(store, &store->segments.items[i], NULL);
        }
    }
}

spb_amount spb_segments__present(const spb_sqlite *store) {
    spb_amount sum = {0};
    for (size_t i = 0; i < store->segments.count; i++) {
        if (!store->segments.items[i].is_dropped) {
            spb_amount__add(&sum, store->segments.items[i].present);
        }
    }
    return sum;
}

/* first_id … last_id are a part of the segment. */
static spb_status count_part(spb_sqlite *store, const spb_store_segment *segment, uint64_t first_id, uint64_t last_id,
                             spb_amount *out) {
    spb_heads heads;
    spb_status status = spb_heads__open(&heads, &store->database, segment->number, NULL);
    if (status == SPB_OK) {
        status = spb_heads__count(&heads, first_id, last_id, out, NULL);
    }
    spb_heads__close(&heads);
    return status;
}

uint64_t spb_segments__count(spb_sqlite *store, const spb_ranges *ids) {
    uint64_t samples = 0;
    for (size_t i = 0; i < store->segments.count; i++) {
        const spb_store_segment *segment = &store->segments.items[i];
        spb_range range;
        uint64_t id = segment->first_id;
        while (spb_ranges__next(ids, id, &range) && range.first <= segment->last_id) {
            spb_amount part = {0};
            uint64_t last_id = range.last < segment->last_id ? range.last : segment->last_id;
            count_part(store, segment, range.first, last_id, &part);
            samples += part.samples;
            id = last_id + 1;
        }
    }
    return samples;
}

void spb_segments__take_out(spb_sqlite *store, uint64_t first_id, uint64_t last_id) {
    count_stale(store);
    for (size_t i = 0; i < store->segments.count; i++) {
        spb_store_segment *segment = &store->segments.items[i];
        if (segment->is_dropped || segment->last_id < first_id || segment->first_id > last_id) {
            continue;
        }
        spb_amount less = segment->total;
        if (first_id > segment->first_id || last_id < segment->last_id) {
            segment->is_stale |= !store->database.db || count_part(store, segment, first_id, last_id, &less) != SPB_OK;
        }
        if (!segment->is_stale) {
            spb_amount__subtract(&segment->present, less);
        }
    }
}

/* ---- finding ---- */

spb_store_segment *spb_segments__find(spb_sqlite *store, uint64_t from_id) {
    for (size_t i = 0; i < store->segments.count; i++) {
        spb_store_segment *segment = &store->segments.items[i];
        if (!segment->is_dropped && segment->last_id >= from_id) {
            return segment;
        }
    }
    return NULL;
}

spb_store_segment *spb_segments__oldest(spb_sqlite *store) {
    return spb_segments__find(store, 0);
}

uint64_t spb_segments__last_id(const spb_sqlite *store) {
    return store->segments.count > 0 ? store->segments.items[store->segments.count - 1].last_id : 0;
}

spb_store_segment *spb_segments__open(spb_sqlite *store, uint64_t first_id) {
    spb_store_segments *all = &store->segments;
    spb_store_segment *last = all->count > 0 ? &all->items[all->count - 1] : NULL;
    if (last && !last->is_complete && !last->is_dropped) {
        return last;
    }
    /* While nothing is in it, its ids are none: the last one is before the first one. */
    return spb_segments__add(
        store,
        (spb_store_segment){.number = last ? last->number + 1 : 1, .first_id = first_id, .last_id = first_id - 1});
}

bool spb_segments__is_empty(spb_sqlite *store, spb_store_segment *segment) {
    spb_amount all;
    if (!segment->is_complete || segment->is_dropped || segment->is_stale || segment->present.blocks > 0) {
        return false;
    }
    if (segment->is_unchecked) {
        if (spb_heads__check(&store->database, segment->number, &all, NULL) != SPB_OK) {
            return false;
        }
        if (all.blocks != segment->total.blocks) {
            spb_database__damaged(&store->database, NULL, "a segment has other blocks than it should have");
            return false;
        }
        segment->is_unchecked = false;
    }
    return true;
}

bool spb_segments__drop(spb_sqlite *store, spb_store_segment *segment, spb_amount *left) {
    if (segment->last_id >= segment->first_id && !spb_ranges__add(&store->gone, segment->first_id, segment->last_id)) {
        return false;
    }
    *left = segment->present;
    segment->present = (spb_amount){0};
    segment->is_dropped = true;
    return true;
}

void spb_segments__forget(spb_sqlite *store, int64_t number) {
    spb_store_segments *all = &store->segments;
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].number == number) {
            memmove(&all->items[i], &all->items[i + 1], (all->count - i - 1) * sizeof *all->items);
            all->count--;
            return;
        }
    }
}

/* ---- times ---- */

uint64_t spb_segments__later(const spb_sqlite *store, uint64_t newest_ms, const spb_head *head) {
    uint64_t newest = spb_boots__times(&store->boots, head->boot, head->first_ms, head->last_ms).newest_ms;
    return newest > newest_ms ? newest : newest_ms;
}

/* By its blocks: the clock of some of them may have become known. */
uint64_t spb_segments__newest(spb_sqlite *store, spb_store_segment *segment) {
    if (segment->newest_ms != UINT64_MAX || !store->database.db || store->boots.count == 0) {
        return segment->newest_ms;
    }
    spb_heads heads;
    spb_head head;
    bool found = true;
    uint64_t newest_ms = 0;
    spb_status status = spb_heads__open(&heads, &store->database, segment->number, NULL);
    if (status == SPB_OK) {
        spb_heads__seek(&heads, 0, INT64_MAX);
    }
    while (status == SPB_OK && found && newest_ms < UINT64_MAX) {
        status = spb_heads__next(&heads, &head, &found, NULL);
        if (status == SPB_OK && found) {
            newest_ms = spb_segments__later(store, newest_ms, &head);
        }
    }
    spb_heads__close(&heads);
    return status == SPB_OK ? newest_ms : UINT64_MAX;
}

/* ---- tables ---- */

spb_status spb_segments__make_table(spb_sqlite *store, const spb_store_segment *segment, spb_error *err) {
    spb_status status = spb_shape__create_blocks(&store->database, segment->number, err);
    sqlite3_stmt *statement = NULL;
    if (status == SPB_OK) {
        status =
            spb_database__prepare(&store->database, &statement, "INSERT INTO segment (n, first_id) VALUES (?, ?)", err);
    }
    if (status == SPB_OK) {
        sqlite3_bind_int64(statement, 1, segment->number);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)segment->first_id);
        status = spb_database__run(&store->database, statement, "begin a segment", err);
    }
    sqlite3_finalize(statement);
    return status;
}

spb_status spb_segments__complete(spb_sqlite *store, const spb_store_segment *segment, spb_error *err) {
    sqlite3_stmt *statement = NULL;
    spb_status status = spb_database__prepare(&store->database, &statement,
                                              "UPDATE segment SET last_id = ?, blocks = ?, samples = ?, bytes = ?,"
                                              " newest_ms = ? WHERE n = ?",
                                              err);
    if (status == SPB_OK) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)segment->last_id);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)segment->total.blocks);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)segment->total.samples);
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)segment->total.bytes);
        sqlite3_bind_int64(statement, 5, (sqlite3_int64)segment->newest_ms);
        sqlite3_bind_int64(statement, 6, segment->number);
        status = spb_database__run(&store->database, statement, "complete a segment", err);
    }
    sqlite3_finalize(statement);
    return status;
}

/* The highest id must be known after its table is gone; so must what is gone of others, and no more than that. */
spb_status spb_segments__drop_table(spb_sqlite *store, const spb_store_segment *segment, spb_error *err) {
    spb_amount all;
    spb_status status = segment->is_unchecked ? spb_heads__check(&store->database, segment->number, &all, err) : SPB_OK;
    if (status == SPB_OK) {
        status = spb_database__execute_with(&store->database, "DROP TABLE block_%lld", segment->number,
                                            "drop a segment", err);
    }
    if (status == SPB_OK) {
        status = spb_database__execute_with(&store->database, "DELETE FROM segment WHERE n = %lld", segment->number,
                                            "drop a segment", err);
    }
    if (status == SPB_OK) {
        int64_t last_id = (int64_t)segment->last_id;
        last_id = last_id < SPB_HEADS_LAST_ID_TOLD ? last_id : SPB_HEADS_LAST_ID_TOLD;
        status = spb_database__execute_with(&store->database, "UPDATE journal SET last_id = %lld WHERE last_id < %lld",
                                            last_id, "drop a segment", err);
    }
    return status;
}
