/* Decides what of a damaged file comes into the new one, and in which order: the identity first. How the damaged one is
 * read is left to salvage.c. */
#include "store/rescue.h"

#include "base/error.h"

#include "store/aliases.h"
#include "store/cost.h"
#include "store/heads.h"
#include "store/identity.h"
#include "store/load.h"
#include "store/write.h"

#define MOST_FAILURES 200000            /* attempts to read a place; more would take minutes */
#define AT_ONCE_BYTES ((size_t)1 << 20) /* salvaged blocks between two commits */

/* ---- the identity ---- */

typedef struct alias_copy {
    spb_aliases aliases;
    bool has_failed;
} alias_copy;

static void copy_alias(void *context, const spb_alias *alias) {
    alias_copy *copy = context;
    copy->has_failed |= !spb_aliases__add(&copy->aliases, alias, 1);
}

static spb_status rescue_identity(spb_sqlite *store, spb_database *damaged, spb_error *err) {
    uint8_t bdseq;
    bool found = false;
    uint64_t bad = 0;
    spb_status status = SPB_OK;
    if (spb_identity__load_bdseq(damaged, &bdseq, &found, NULL) == SPB_OK && found) {
        status = spb_identity__save_bdseq(store, bdseq, err);
    }
    alias_copy copy = {.has_failed = false};
    spb_identity__load_aliases(damaged, copy_alias, &copy, &bad, NULL); /* as far as it goes */
    if (status == SPB_OK) {
        status = copy.has_failed ? spb_error__no_memory(err, "the aliases")
                                 : spb_identity__save_aliases(store, copy.aliases.items, copy.aliases.count, err);
    }
    spb_aliases__clear(&copy.aliases);
    spb_identity__load_clocks(damaged, &store->boots, &bad, NULL);
    for (size_t i = 0; i < store->boots.count; i++) {
        store->boots.items[i].is_saved = false;
    }
    return status;
}

/* ---- the blocks ---- */

typedef struct block_copy {
    spb_sqlite *store;
    uint64_t samples;
    uint64_t last_id;
    spb_status status; /* of the new file */
    spb_error *err;
} block_copy;

static bool copy_block(void *context, const spb_block *block) {
    block_copy *copy = context;
    spb_sqlite *store = copy->store;
    if (block->id <= copy->last_id || !spb_cost__can_hold(store, block)) {
        return true;
    }
    if (store->options.policy == SPB_STORE_DROP_NEWEST && !spb_cost__has_room(store, block)) {
        return true;
    }
    if (!spb_blocks__push(&store->waiting, block)) {
        copy->status = spb_error__no_memory(copy->err, "a block of samples");
        return false;
    }
    copy->samples += block->samples;
    copy->last_id = block->id;
    if (store->waiting.memory >= AT_ONCE_BYTES) {
        copy->status = spb_write__all(store, copy->err);
    }
    return copy->status == SPB_OK;
}

/* The highest id is kept, so that none is used twice. */
static spb_status keep_last_id(spb_sqlite *store, spb_database *damaged, uint64_t highest, spb_error *err) {
    int64_t last_id = 0;
    spb_load__last_id(damaged, &last_id, NULL);
    highest = (uint64_t)last_id > highest ? (uint64_t)last_id : highest;
    store->last_id = highest > store->last_id ? highest : store->last_id;
    int64_t told = store->last_id < SPB_HEADS_LAST_ID_TOLD ? (int64_t)store->last_id : SPB_HEADS_LAST_ID_TOLD;
    return spb_database__execute_with(&store->database, "UPDATE journal SET last_id = max(last_id, %lld)", told,
                                      "keep its last id", err);
}

static spb_status rescue_blocks(spb_sqlite *store, spb_database *damaged, spb_salvage_tables *tables, spb_ranges *gone,
                                uint64_t *lost, spb_error *err) {
    block_copy copy = {.store = store, .err = err};
    if (!spb_salvage__find_tables(damaged, tables)) {
        return spb_error__no_memory(err, "the store");
    }
    spb_salvage__find_gone(damaged, tables, gone);
    unsigned may_fail = MOST_FAILURES;
    for (size_t i = 0; copy.status == SPB_OK && i < tables->count; i++) {
        *lost += spb_salvage__table(damaged, &tables->items[i], gone, &may_fail,
                                    (spb_salvage_sink){.context = &copy, .take = copy_block});
    }
    if (copy.status == SPB_OK) {
        copy.status = spb_write__all(store, err);
    }
    if (copy.status == SPB_OK) {
        copy.status = keep_last_id(store, damaged, copy.last_id, err);
    }
    store->salvaged += copy.samples;
    return copy.status;
}

spb_status spb_rescue__all(spb_sqlite *store, spb_database *damaged, spb_salvage_tables *tables, spb_ranges *gone,
                           uint64_t *lost, spb_error *err) {
    spb_status status = rescue_identity(store, damaged, err);
    return status == SPB_OK ? rescue_blocks(store, damaged, tables, gone, lost, err) : status;
}
