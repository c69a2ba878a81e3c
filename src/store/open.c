/* Decides what is checked when a file is opened. It is not read as a whole, which could take minutes: damage among the
 * blocks is found when they are read. */
#include "store/open.h"

#include "base/error.h"

#include "store/cursor.h"
#include "store/damage.h"
#include "store/file.h"
#include "store/identity.h"
#include "store/load.h"
#include "store/repair.h"
#include "store/schema.h"
#include "store/segments.h"

static spb_status load(spb_sqlite *store, spb_error *err) {
    uint64_t damaged = 0;
    spb_status status = spb_identity__check(&store->database, err);
    if (status == SPB_OK) {
        status = spb_identity__load_clocks(&store->database, &store->boots, &damaged, err);
    }
    if (status == SPB_OK) {
        status = spb_load__segments(store, err);
    }
    return status == SPB_OK ? spb_identity__load_kept(store, err) : status;
}

static spb_status choose_sync(spb_sqlite *store, spb_error *err) {
    return store->options.sync == SPB_STORE_SYNC_FULL
               ? SPB_OK
               : spb_database__execute(&store->database, "PRAGMA synchronous = NORMAL", "set it up", err);
}

static spb_status open_file(spb_sqlite *store, spb_error *err) {
    spb_status status = spb_file__open(&store->database, store->path, err);
    if (status == SPB_OK) {
        status = spb_schema__settle(&store->database, store->group_id, store->node_id, err);
    }
    if (status == SPB_OK) {
        status = store->is_repair ? spb_repair__mark(&store->database, err) : spb_repair__forget(&store->database, err);
    }
    if (status == SPB_OK) {
        status = spb_file__use_log(&store->database, err);
    }
    if (status == SPB_OK) {
        status = choose_sync(store, err);
    }
    if (status == SPB_OK) {
        status = load(store, err);
    }
    return status == SPB_OK ? spb_room__open(&store->room, &store->database, store->options.max_bytes, err) : status;
}

spb_status spb_open__file(spb_sqlite *store, spb_error *err) {
    spb_status status = spb_file__create(store->path, err);
    if (status != SPB_OK) {
        store->database = (spb_database){.path = store->path};
        return status;
    }
    status = open_file(store, err);
    if (status == SPB_OK) {
        return SPB_OK;
    }
    if (store->database.code == SQLITE_NOTADB) {
        store->database.is_damaged = spb_file__was_ours(store->path);
    }
    if (store->database.is_damaged && store->database.db &&
        spb_schema__is_of_another(&store->database, store->group_id, store->node_id)) {
        store->database.is_damaged = false; /* it is none of ours */
    }
    spb_segments__clear(store);
    spb_file__close(&store->database, true);
    return status;
}

/* ---- to look into it ---- */

/* What cannot be read is noted, and left out. */
static void load_as_possible(spb_sqlite *store, int64_t version) {
    uint64_t bad_aliases = 0, bad_clocks = 0;
    spb_database *database = &store->database;
    if (version < 2) {
        return; /* there is no journal yet */
    }
    spb_status status = spb_identity__count_aliases(database, &bad_aliases);
    if (status == SPB_OK) {
        status = spb_identity__load_clocks(database, &store->boots, &bad_clocks, NULL);
    }
    if (status == SPB_OK && bad_aliases + bad_clocks > 0) {
        spb_database__damaged(database, NULL, "checksums of aliases or clocks are wrong");
    }
    spb_load__segments(store, NULL);
    spb_identity__load_kept(store, NULL);
    if (database->is_damaged) {
        spb_damage__note(store, "the file is damaged: %s", database->why);
    }
}

static spb_status look(spb_sqlite *store, spb_error *err) {
    int64_t version = 0;
    spb_status status = spb_file__open_to_look(&store->database, store->path, err);
    if (status == SPB_OK) {
        status = spb_schema__recognise(&store->database, &version, err);
    }
    if (status == SPB_OK && version == 0) {
        return spb_error__set(err, SPB_ERR_STORE, "store %.120s: it is empty", store->path);
    }
    if (status == SPB_OK) {
        status = spb_schema__owner(&store->database, &store->owner, err);
    }
    if (status == SPB_OK || store->database.is_damaged) {
        load_as_possible(store, version);
    }
    return status;
}

spb_status spb_open__to_look(spb_sqlite *store, spb_error *err) {
    spb_status status = look(store, err);
    return status == SPB_ERR_STORE && store->database.is_damaged && store->database.code != SQLITE_NOTADB ? SPB_OK
                                                                                                          : status;
}
