/* Decides how the parts of a store in a file make up an spb_store, and what happens when a call fails. Each part has a
 * file of its own. */
#include "store/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#include "store/cursor.h"
#include "store/damage.h"
#include "store/file.h"
#include "store/identity.h"
#include "store/journal.h"
#include "store/open.h"
#include "store/options.h"
#include "store/segments.h"
#include "store/trust.h"
#include "store/write.h"

static spb_sqlite *from_base(spb_store *self) {
    return (spb_sqlite *)self;
}

spb_status spb_sqlite__only_to_look(const spb_sqlite *store, spb_error *err) {
    return spb_error__set(err, SPB_ERR_STATE, "store %.120s: it was opened only to look into it", store->path);
}

/* ---- identity ---- */

static spb_status load_bdseq(spb_store *self, uint8_t *bdseq, bool *found, spb_error *err) {
    spb_sqlite *store = from_base(self);
    *found = false;
    spb_cursor__rest(store);
    spb_status status = spb_damage__ready(store, err);
    if (status == SPB_OK) {
        status = spb_identity__load_bdseq(&store->database, bdseq, found, err);
    }
    if (status != SPB_OK && spb_damage__is_mended(store, err)) {
        status = spb_identity__load_bdseq(&store->database, bdseq, found, err);
    }
    return status;
}

static spb_status save_bdseq(spb_store *self, uint8_t bdseq, spb_error *err) {
    spb_sqlite *store = from_base(self);
    if (store->is_read_only) {
        return spb_sqlite__only_to_look(store, err);
    }
    spb_cursor__rest(store);
    spb_status status = spb_damage__ready(store, err);
    if (status == SPB_OK) {
        status = spb_identity__save_bdseq(store, bdseq, err);
    }
    if (status != SPB_OK && spb_damage__is_mended(store, err)) {
        status = spb_identity__save_bdseq(store, bdseq, err);
    }
    return status;
}

static spb_status load_aliases(spb_store *self, void (*each)(void *context, const spb_alias *alias), void *context,
                               spb_error *err) {
    spb_sqlite *store = from_base(self);
    uint64_t damaged = 0;
    spb_cursor__rest(store);
    spb_status status = spb_damage__ready(store, err);
    return status == SPB_OK ? spb_identity__load_aliases(&store->database, each, context, &damaged, err) : status;
}

/* Samples give way to aliases: without those they are worth little. */
static spb_status save_with_room(spb_sqlite *store, const spb_alias *items, size_t count, spb_error *err) {
    spb_status status = spb_identity__save_aliases(store, items, count, err);
    while (status != SPB_OK && store->database.code == SQLITE_FULL && store->options.policy == SPB_STORE_DROP_OLDEST) {
        spb_store_segment *oldest = spb_segments__oldest(store);
        spb_amount left;
        if (!oldest || !oldest->is_made || !spb_segments__drop(store, oldest, &left)) {
            break;
        }
        store->dropped_full += left.samples;
        status = spb_write__all(store, err);
        if (status == SPB_OK) {
            status = spb_identity__save_aliases(store, items, count, err);
        }
    }
    return status;
}

static spb_status save_aliases(spb_store *self, const spb_alias *items, size_t count, spb_error *err) {
    spb_sqlite *store = from_base(self);
    if (store->is_read_only) {
        return spb_sqlite__only_to_look(store, err);
    }
    spb_cursor__rest(store);
    spb_status status = spb_damage__ready(store, err);
    if (status == SPB_OK) {
        status = save_with_room(store, items, count, err);
    }
    if (status != SPB_OK && spb_damage__is_mended(store, err)) {
        status = save_with_room(store, items, count, err);
    }
    return status;
}

/* ---- opening and closing ---- */

static void free_store(spb_store *self) {
    spb_sqlite *store = from_base(self);
    if (!store) {
        return;
    }
    if (!store->is_read_only && store->database.db) {
        spb_sqlite__commit(self, NULL);
    }
    spb_cursor__close(store);
    spb_file__close(&store->database, store->is_read_only || store->database.is_damaged);
    spb_segments__clear(store);
    spb_blocks__clear(&store->waiting);
    spb_boots__clear(&store->boots);
    spb_kept__clear(&store->kept);
    free(store->path);
    free(store->group_id);
    free(store->node_id);
    free(store->owner);
    free(store);
}

static const spb_store functions = {.load_bdseq = load_bdseq,
                                    .save_bdseq = save_bdseq,
                                    .load_aliases = load_aliases,
                                    .save_aliases = save_aliases,
                                    .append = spb_sqlite__append,
                                    .confirm = spb_sqlite__confirm,
                                    .keep = spb_sqlite__keep,
                                    .commit = spb_sqlite__commit,
                                    .read = spb_sqlite__read,
                                    .expire = spb_sqlite__expire,
                                    .save_clock = spb_sqlite__save_clock,
                                    .info = spb_sqlite__info,
                                    .free = free_store};

/* NULL: no memory. */
static spb_sqlite *make(const char *group_id, const char *node_id) {
    spb_sqlite *store = calloc(1, sizeof *store);
    if (!store) {
        return NULL;
    }
    store->base = functions;
    store->is_read_only = !group_id;
    store->group_id = group_id ? strdup(group_id) : NULL;
    store->node_id = node_id ? strdup(node_id) : NULL;
    if ((group_id && !store->group_id) || (node_id && !store->node_id)) {
        free_store(&store->base);
        return NULL;
    }
    return store;
}

static spb_status open_store(spb_sqlite *store, const char *path, spb_error *err) {
    spb_status status = spb_trust__resolve(&store->path, path, !store->is_read_only, &store->warning, err);
    if (status != SPB_OK) {
        return status;
    }
    store->database.path = store->path;
    if (store->is_read_only) {
        return spb_open__to_look(store, err);
    }
    status = spb_damage__ready(store, err);
    if (status == SPB_OK) {
        spb_room__warn(&store->room, &store->database, &store->warning);
    }
    return status;
}

spb_status spb_store_open(spb_store **out, const char *path, const char *group_id, const char *node_id,
                          const spb_store_options *options, spb_error *err) {
    *out = NULL;
    spb_store_options resolved;
    spb_status status = spb_store__options(&resolved, options, err);
    if (status != SPB_OK) {
        return status;
    }
    spb_sqlite *store = make(group_id, node_id);
    if (!store) {
        return spb_error__no_memory(err, "the store");
    }
    store->options = resolved;
    status = open_store(store, path, err);
    if (status != SPB_OK) {
        free_store(&store->base); /* a failed open leaves the file as it was */
        return status;
    }
    *out = &store->base;
    return SPB_OK;
}

spb_status spb_store_open_read_only(spb_store **out, const char *path, const char **owner, spb_error *err) {
    *out = NULL;
    spb_sqlite *store = make(NULL, NULL);
    if (!store) {
        return spb_error__no_memory(err, "the store");
    }
    spb_status status = open_store(store, path, err);
    if (status != SPB_OK) {
        free_store(&store->base);
        return status;
    }
    if (owner) {
        *owner = store->owner ? store->owner : "";
    }
    *out = &store->base;
    return SPB_OK;
}
