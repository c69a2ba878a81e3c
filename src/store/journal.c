/*
 * Decides what the journal's functions do in memory, and when the file must follow. What is appended or confirmed waits
 * in memory until the next commit: if that fails, nothing has changed but the time. How the file follows is left to
 * write.c, what happens when it is damaged to damage.c.
 */
#include "store/journal.h"

#include "base/error.h"

#include "store/cost.h"
#include "store/cursor.h"
#include "store/damage.h"
#include "store/segments.h"
#include "store/write.h"

#define MOST_WAITING_BYTES ((size_t)4 << 20) /* more than the session lets come together between two commits */
#define MOST_READ_FAILURES 5                 /* then it is not the disk, but this place on it */

static spb_sqlite *from_base(spb_store *self) {
    return (spb_sqlite *)self;
}

/* ---- append, commit ---- */

static spb_status write_all(spb_sqlite *store, spb_error *err) {
    spb_status status = spb_damage__ready(store, err);
    if (status == SPB_OK) {
        status = spb_write__all(store, err);
    }
    if (status != SPB_OK && spb_damage__is_mended(store, err)) {
        status = spb_write__all(store, err);
    }
    return status;
}

spb_status spb_sqlite__commit(spb_store *self, spb_error *err) {
    spb_sqlite *store = from_base(self);
    return store->is_read_only ? spb_sqlite__only_to_look(store, err) : write_all(store, err);
}

static spb_status find_room(spb_sqlite *store, const spb_block *block, spb_error *err) {
    if (!spb_cost__can_hold(store, block)) {
        return spb_error__set(err, SPB_ERR_LIMIT, "store %.120s: a block of %zu bytes is too much for it", store->path,
                              block->metrics.len);
    }
    bool is_full =
        store->waiting.amount.blocks > 0 && store->waiting.memory + spb_blocks__cost(block) > MOST_WAITING_BYTES;
    bool drops = store->options.policy == SPB_STORE_DROP_OLDEST;
    if (is_full || (!drops && !spb_cost__has_room(store, block) && spb_write__is_due(store))) {
        spb_status status = write_all(store, err);
        if (status != SPB_OK) {
            return status;
        }
    }
    if (!drops && !spb_cost__has_room(store, block)) {
        return spb_error__set(err, SPB_ERR_LIMIT, "store %.100s: it is full, a block of %zu bytes is too much",
                              store->path, block->metrics.len);
    }
    return SPB_OK;
}

spb_status spb_sqlite__append(spb_store *self, const spb_block *block, spb_error *err) {
    spb_sqlite *store = from_base(self);
    if (store->is_read_only) {
        return spb_sqlite__only_to_look(store, err);
    }
    if (block->id <= store->last_id || block->id > SPB_HEADS_LAST_ID || block->samples > SPB_HEADS_MOST_SAMPLES) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "store %.100s: block %llu with %u samples comes after block %llu",
                              store->path, (unsigned long long)block->id, (unsigned)block->samples,
                              (unsigned long long)store->last_id);
    }
    spb_status status = find_room(store, block, err);
    if (status == SPB_OK && !spb_blocks__push(&store->waiting, block)) {
        status = spb_error__no_memory(err, "a block of samples");
    }
    if (status == SPB_OK) {
        store->last_id = block->id;
    }
    return status;
}

/* ---- confirm, expire ---- */

/* Complete segments of which nothing is left go with the next commit. */
static void drop_empty(spb_sqlite *store) {
    for (size_t i = 0; i < store->segments.count; i++) {
        spb_store_segment *segment = &store->segments.items[i];
        spb_amount none;
        if (spb_segments__is_empty(store, segment)) {
            spb_segments__drop(store, segment, &none); /* without memory: another time */
        }
    }
}

/* Ids of tables, none of which is gone yet. */
static bool take_out(spb_sqlite *store, uint64_t first_id, uint64_t last_id) {
    if (!spb_ranges__add(&store->fresh, first_id, last_id)) {
        return false;
    }
    spb_segments__take_out(store, first_id, last_id);
    return spb_ranges__add(&store->gone, first_id, last_id);
}

/* first_id … last_id of tables: those that are not gone yet, range by range. */
static bool take_out_rest(spb_sqlite *store, uint64_t first_id, uint64_t last_id) {
    bool has_memory = true;
    spb_range gone;
    while (has_memory && first_id <= last_id) {
        if (spb_ranges__around(&store->gone, first_id, &gone)) {
            first_id = gone.last + 1;
            continue;
        }
        uint64_t until = last_id;
        if (spb_ranges__next(&store->gone, first_id, &gone) && gone.first <= last_id) {
            until = gone.first - 1;
        }
        has_memory = take_out(store, first_id, until);
        first_id = until + 1;
    }
    return has_memory;
}

spb_status spb_sqlite__confirm(spb_store *self, uint64_t first_id, uint64_t last_id, spb_error *err) {
    spb_sqlite *store = from_base(self);
    if (store->is_read_only) {
        return spb_sqlite__only_to_look(store, err);
    }
    spb_blocks__remove(&store->waiting, first_id, last_id);
    const spb_store_segment *oldest = spb_segments__oldest(store);
    uint64_t lowest = oldest ? oldest->first_id : UINT64_MAX, highest = spb_segments__last_id(store);
    first_id = first_id < lowest ? lowest : first_id;
    last_id = last_id > highest ? highest : last_id;
    bool has_memory = first_id > last_id || take_out_rest(store, first_id, last_id);
    drop_empty(store);
    return has_memory ? SPB_OK : spb_error__no_memory(err, "what was confirmed");
}

static void expire_waiting(spb_sqlite *store, uint64_t before_ms) {
    uint64_t from_id = 0;
    for (const spb_block *block; (block = spb_blocks__find(&store->waiting, from_id));) {
        uint64_t id = block->id;
        if (spb_boots__times(&store->boots, block->boot, block->first_ms, block->last_ms).newest_ms < before_ms) {
            store->dropped_age += spb_blocks__remove(&store->waiting, id, id).samples;
        }
        from_id = id + 1;
    }
}

/* By whole segments, which costs next to nothing. */
spb_status spb_sqlite__expire(spb_store *self, uint64_t before_ms, spb_error *err) {
    spb_sqlite *store = from_base(self);
    if (store->is_read_only) {
        return spb_sqlite__only_to_look(store, err);
    }
    expire_waiting(store, before_ms);
    for (size_t i = 0; i < store->segments.count; i++) {
        spb_store_segment *segment = &store->segments.items[i];
        spb_amount left;
        if (segment->is_dropped || !segment->is_made || spb_segments__newest(store, segment) >= before_ms) {
            continue;
        }
        if (!spb_segments__drop(store, segment, &left)) {
            return spb_error__no_memory(err, "the store");
        }
        store->dropped_age += left.samples;
    }
    return SPB_OK;
}

spb_status spb_sqlite__keep(spb_store *self, uint64_t kept_for, uint64_t first_id, uint64_t last_id, spb_error *err) {
    spb_sqlite *store = from_base(self);
    return store->is_read_only ? spb_sqlite__only_to_look(store, err)
                               : spb_kept__add(&store->kept, kept_for, first_id, last_id, err);
}

spb_status spb_sqlite__save_clock(spb_store *self, uint64_t boot, int64_t offset_ms, spb_error *err) {
    spb_sqlite *store = from_base(self);
    if (store->is_read_only) {
        return spb_sqlite__only_to_look(store, err);
    }
    return spb_boots__set(&store->boots, (spb_boot){.boot = boot, .offset_ms = offset_ms})
               ? SPB_OK
               : spb_error__no_memory(err, "a clock");
}

/* ---- read ---- */

static void read_waiting(const spb_sqlite *store, uint64_t from_id, spb_block *out, bool *found) {
    const spb_block *block = spb_blocks__find(&store->waiting, from_id);
    *found = block != NULL;
    if (block) {
        *out = *block;
    }
}

/* A block with a wrong checksum is lost; the tables around it are not. */
static spb_status give_up(spb_sqlite *store, uint64_t id, spb_error *err) {
    uint64_t before = spb_segments__present(store).samples;
    if (!take_out(store, id, id)) {
        return spb_error__no_memory(err, "what is damaged");
    }
    drop_empty(store);
    store->dropped_damage += before - spb_segments__present(store).samples;
    spb_damage__note(store, "block %llu was damaged and is lost", (unsigned long long)id);
    return spb_error__set(err, SPB_ERR_STORE, "store %.120s: block %llu is damaged", store->path,
                          (unsigned long long)id);
}

/* The first block that is not gone, in the tables or of what waits. */
static spb_status find(spb_sqlite *store, uint64_t from_id, spb_block *out, bool *found, spb_error *err) {
    for (spb_range gone;;) {
        if (spb_ranges__around(&store->gone, from_id, &gone)) {
            from_id = gone.last + 1;
        }
        const spb_store_segment *segment = spb_segments__find(store, from_id);
        if (!segment || !segment->is_made) {
            read_waiting(store, from_id, out, found);
            return SPB_OK;
        }
        bool is_sound = false;
        spb_status status = spb_cursor__read(store, segment, from_id, out, found, &is_sound, err);
        if (status != SPB_OK) {
            return status;
        }
        if (!*found || out->id > segment->last_id) {
            from_id = segment->last_id + 1;
        } else if (spb_ranges__contains(&store->gone, out->id)) {
            from_id = out->id + 1;
        } else if (!is_sound) {
            return give_up(store, out->id, err);
        } else {
            return SPB_OK;
        }
    }
}

/* The disk fails again and again at one place, and elsewhere it does not: as bad as damage. */
static void count_failure(spb_sqlite *store, uint64_t from_id) {
    store->failures = store->failing_id == from_id ? store->failures + 1 : 1;
    store->failing_id = from_id;
    if (store->failures >= MOST_READ_FAILURES && store->database.code == SQLITE_IOERR) {
        store->database.is_damaged = true;
        store->failures = 0;
    }
}

spb_status spb_sqlite__read(spb_store *self, uint64_t from_id, spb_block *out, bool *found, spb_error *err) {
    spb_sqlite *store = from_base(self);
    out->id = 0;
    *found = false;
    spb_status status = spb_damage__ready(store, err);
    if (status == SPB_OK) {
        status = find(store, from_id, out, found, err);
    }
    if (status == SPB_ERR_STORE && out->id == 0) {
        count_failure(store, from_id);
        if (spb_damage__is_mended(store, err)) {
            status = find(store, from_id, out, found, err);
        } else if (store->is_read_only && store->database.is_damaged) {
            out->id = spb_damage__skip(store, from_id);
        }
    }
    if (status != SPB_OK) {
        *found = false;
        *out = (spb_block){.id = out->id};
    } else if (*found) {
        out->shift_ms = spb_boots__shift(&store->boots, out->boot);
        out->kept_for = spb_kept__of(&store->kept, out->id);
        store->failures = 0;
    }
    return status;
}

/* ---- info ---- */

/* Still the oldest one, or it is looked for again. */
static bool is_oldest_known(const spb_sqlite *store) {
    uint64_t id = store->oldest.id;
    const spb_block *waiting = spb_blocks__find(&store->waiting, id);
    return id != 0 && ((id <= spb_segments__last_id(store) && !spb_ranges__contains(&store->gone, id)) ||
                       (waiting && waiting->id == id));
}

static void find_oldest(spb_sqlite *store) {
    bool found = false;
    spb_block block = {.id = 0};
    spb_cursor__rest(store);
    if (store->database.db && !store->database.is_damaged && find(store, 0, &block, &found, NULL) != SPB_OK) {
        found = false;
    }
    store->oldest = found ? block : (spb_block){.id = 0};
    spb_cursor__rest(store);
}

void spb_sqlite__info(spb_store *self, spb_store_info *out) {
    spb_sqlite *store = from_base(self);
    spb_amount present = spb_segments__present(store);
    spb_amount__add(&present, store->waiting.amount);
    *out = (spb_store_info){.last_id = store->last_id,
                            .blocks = present.blocks,
                            .samples = present.samples,
                            .bytes = present.bytes,
                            .kept_samples = store->kept_samples,
                            .file_bytes = spb_room__disk_bytes(&store->database),
                            .written_bytes = store->written_before + store->room.written_bytes,
                            .dropped_full = store->dropped_full,
                            .dropped_age = store->dropped_age,
                            .dropped_damage = store->dropped_damage,
                            .salvaged = store->salvaged,
                            .damage = store->damage[0] ? store->damage : NULL,
                            .warning = store->warning.text[0] ? store->warning.text : NULL};
    if (present.blocks > 0 && !is_oldest_known(store)) {
        find_oldest(store);
    }
    if (present.blocks > 0 && store->oldest.id != 0) {
        const spb_block *oldest = &store->oldest;
        out->oldest_ms = spb_boots__times(&store->boots, oldest->boot, oldest->first_ms, oldest->last_ms).oldest_ms;
    }
}
