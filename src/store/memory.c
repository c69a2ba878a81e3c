/*
 * Decides how a store without a disk keeps what it is given: all in memory, block by block. What is stored when is left
 * to the session.
 */
#include <stdlib.h>

#include "base/error.h"

#include "store/aliases.h"
#include "store/blocks.h"
#include "store/boots.h"
#include "store/kept.h"
#include "store/options.h"

typedef struct memory_store {
    spb_store base; /* first: a pointer to it is a pointer to the whole */
    spb_store_options options;
    bool has_bdseq;
    uint8_t bdseq;
    spb_aliases aliases;
    spb_blocks blocks;
    spb_boots boots;
    spb_kept kept;
    uint64_t last_id;
    uint64_t dropped_full, dropped_age;
} memory_store;

static memory_store *from_base(spb_store *self) {
    return (memory_store *)self;
}

/* ---- identity ---- */

static spb_status load_bdseq(spb_store *self, uint8_t *bdseq, bool *found, spb_error *err) {
    const memory_store *store = from_base(self);
    (void)err;
    *found = store->has_bdseq;
    if (store->has_bdseq) {
        *bdseq = store->bdseq;
    }
    return SPB_OK;
}

static spb_status save_bdseq(spb_store *self, uint8_t bdseq, spb_error *err) {
    memory_store *store = from_base(self);
    (void)err;
    store->bdseq = bdseq;
    store->has_bdseq = true;
    return SPB_OK;
}

static spb_status load_aliases(spb_store *self, void (*each)(void *context, const spb_alias *alias), void *context,
                               spb_error *err) {
    const memory_store *store = from_base(self);
    (void)err;
    for (size_t i = 0; i < store->aliases.count; i++) {
        each(context, &store->aliases.items[i]);
    }
    return SPB_OK;
}

static spb_status save_aliases(spb_store *self, const spb_alias *items, size_t count, spb_error *err) {
    return spb_aliases__add(&from_base(self)->aliases, items, count) ? SPB_OK : spb_error__no_memory(err, "aliases");
}

/* ---- journal ---- */

/* Makes room for `cost` bytes, if that is the policy. */
static spb_status make_room(memory_store *store, size_t cost, spb_error *err) {
    bool drops = store->options.policy == SPB_STORE_DROP_OLDEST;
    if (cost > store->options.max_bytes || (!drops && store->blocks.memory + cost > store->options.max_bytes)) {
        return spb_error__set(err, SPB_ERR_LIMIT,
                              "the store in memory has %zu of %llu bytes, a block of %zu is too much",
                              store->blocks.memory, (unsigned long long)store->options.max_bytes, cost);
    }
    while (store->blocks.memory + cost > store->options.max_bytes) {
        uint64_t oldest = spb_blocks__find(&store->blocks, 0)->id;
        store->dropped_full += spb_blocks__remove(&store->blocks, oldest, oldest).samples;
    }
    return SPB_OK;
}

static spb_status append(spb_store *self, const spb_block *block, spb_error *err) {
    memory_store *store = from_base(self);
    if (block->id <= store->last_id) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "store: block %llu comes after block %llu",
                              (unsigned long long)block->id, (unsigned long long)store->last_id);
    }
    spb_status status = make_room(store, spb_blocks__cost(block), err);
    if (status != SPB_OK) {
        return status;
    }
    if (!spb_blocks__push(&store->blocks, block)) {
        return spb_error__no_memory(err, "a block of samples");
    }
    store->last_id = block->id;
    return SPB_OK;
}

static spb_status confirm(spb_store *self, uint64_t first_id, uint64_t last_id, spb_error *err) {
    (void)err;
    spb_blocks__remove(&from_base(self)->blocks, first_id, last_id);
    return SPB_OK;
}

static spb_status keep(spb_store *self, uint64_t kept_for, uint64_t first_id, uint64_t last_id, spb_error *err) {
    return spb_kept__add(&from_base(self)->kept, kept_for, first_id, last_id, err);
}

static spb_status commit(spb_store *self, spb_error *err) {
    (void)self;
    (void)err;
    return SPB_OK;
}

static spb_status read_block(spb_store *self, uint64_t from_id, spb_block *out, bool *found, spb_error *err) {
    const memory_store *store = from_base(self);
    (void)err;
    const spb_block *block = spb_blocks__find(&store->blocks, from_id);
    *found = block != NULL;
    if (block) {
        *out = *block;
        out->shift_ms = spb_boots__shift(&store->boots, block->boot);
        out->kept_for = spb_kept__of(&store->kept, block->id);
    }
    return SPB_OK;
}

static spb_status expire(spb_store *self, uint64_t before_ms, spb_error *err) {
    memory_store *store = from_base(self);
    (void)err;
    uint64_t from_id = 0;
    for (const spb_block *block; (block = spb_blocks__find(&store->blocks, from_id));) {
        uint64_t id = block->id;
        spb_times times = spb_boots__times(&store->boots, block->boot, block->first_ms, block->last_ms);
        if (times.newest_ms < before_ms) {
            store->dropped_age += spb_blocks__remove(&store->blocks, id, id).samples;
        }
        from_id = id + 1;
    }
    return SPB_OK;
}

static spb_status save_clock(spb_store *self, uint64_t boot, int64_t offset_ms, spb_error *err) {
    return spb_boots__set(&from_base(self)->boots, (spb_boot){.boot = boot, .offset_ms = offset_ms})
               ? SPB_OK
               : spb_error__no_memory(err, "a clock");
}

static void info(spb_store *self, spb_store_info *out) {
    const memory_store *store = from_base(self);
    const spb_block *oldest = spb_blocks__find(&store->blocks, 0);
    *out = (spb_store_info){.last_id = store->last_id,
                            .blocks = store->blocks.amount.blocks,
                            .samples = store->blocks.amount.samples,
                            .bytes = store->blocks.amount.bytes,
                            .dropped_full = store->dropped_full,
                            .dropped_age = store->dropped_age};
    if (oldest) {
        out->oldest_ms = spb_boots__times(&store->boots, oldest->boot, oldest->first_ms, oldest->last_ms).oldest_ms;
    }
}

static void free_store(spb_store *self) {
    memory_store *store = from_base(self);
    if (!store) {
        return;
    }
    spb_aliases__clear(&store->aliases);
    spb_blocks__clear(&store->blocks);
    spb_boots__clear(&store->boots);
    spb_kept__clear(&store->kept);
    free(store);
}

spb_status spb_store_new_in_memory(spb_store **out, const spb_store_options *options, spb_error *err) {
    *out = NULL;
    spb_store_options resolved;
    spb_status status = spb_store__options(&resolved, options, err);
    if (status != SPB_OK) {
        return status;
    }
    memory_store *store = calloc(1, sizeof *store);
    if (!store) {
        return spb_error__no_memory(err, "the store");
    }
    store->options = resolved;
    store->base = (spb_store){.load_bdseq = load_bdseq,
                              .save_bdseq = save_bdseq,
                              .load_aliases = load_aliases,
                              .save_aliases = save_aliases,
                              .append = append,
                              .confirm = confirm,
                              .keep = keep,
                              .commit = commit,
                              .read = read_block,
                              .expire = expire,
                              .save_clock = save_clock,
                              .info = info,
                              .free = free_store};
    *out = &store->base;
    return SPB_OK;
}
