#include "support/store_ordeal.h"

#include <stdio.h>
#include <string.h>

#define MOST_STEPS 1000000 /* no file of a test has as many blocks */

static char what[400];
static spb_error err;
static const spb_store_options small = {.max_bytes = 1 << 20};
static const uint8_t sample[] = {0x0a, 0x02, 'x', 'y'};

static const char *fail(const char *step) {
    snprintf(what, sizeof what, "%s: %s", step, err.text);
    return what;
}

static void count_alias(void *context, const spb_alias *alias) {
    if (alias->name.data) {
        ++*(int *)context;
    }
}

/* Reads to the end, around what is damaged. */
static const char *read_all(spb_store *store, uint64_t *blocks) {
    uint64_t from_id = 0;
    *blocks = 0;
    for (int step = 0; step < MOST_STEPS; step++) {
        spb_block block;
        bool found = false;
        spb_status status = store->read(store, from_id, &block, &found, &err);
        if (status != SPB_OK && block.id < from_id) {
            return fail("read without an id");
        }
        if (status == SPB_OK && !found) {
            return NULL;
        }
        if (block.id < from_id) {
            return "a block came again";
        }
        *blocks += status == SPB_OK;
        from_id = block.id + 1;
    }
    return "reading does not come to an end";
}

static const char *look(const char *path, store_ordeal_result *out) {
    spb_store *store = NULL;
    spb_store_info info;
    int aliases = 0;
    uint8_t bdseq;
    bool found;
    spb_status status = spb_store_open_read_only(&store, path, NULL, &err);
    if (status != SPB_OK) {
        return status == SPB_ERR_STORE && err.text[0] ? NULL : fail("look");
    }
    store->load_bdseq(store, &bdseq, &found, &err);
    store->load_aliases(store, count_alias, &aliases, &err);
    store->info(store, &info);
    const char *wrong = read_all(store, &out->looked_blocks);
    store->info(store, &info);
    store->free(store);
    return wrong;
}

static spb_status add(spb_store *store, uint64_t *id) {
    spb_store_info info;
    store->info(store, &info);
    *id = info.last_id + 1;
    spb_block block = {.id = *id,
                       .samples = 1,
                       .first_ms = SPB_EARLIEST_MS,
                       .last_ms = SPB_EARLIEST_MS,
                       .metrics = {.data = sample, .len = sizeof sample}};
    spb_status status = store->append(store, &block, &err);
    return status == SPB_OK ? store->commit(store, &err) : status;
}

/* The first use: what is there, and whether it works. */
static const char *use(spb_store *store, store_ordeal_result *out) {
    static const spb_alias alias = {.name = {.data = "Level", .len = 5}, .type = SPB_DOUBLE, .alias = 4000000000};
    uint8_t bdseq = 0;
    bool found = false;
    uint64_t id = 0;
    spb_store_info info;
    store->info(store, &info);
    if (store->load_bdseq(store, &bdseq, &found, &err) != SPB_OK) {
        return fail("load the bdSeq");
    }
    out->bdseq = found ? bdseq : -1;
    if (store->load_aliases(store, count_alias, &out->aliases, &err) != SPB_OK) {
        return fail("load the aliases");
    }
    const char *wrong = read_all(store, &out->blocks);
    if (wrong) {
        return wrong;
    }
    if (add(store, &id) != SPB_OK) {
        return fail("append");
    }
    if (store->save_bdseq(store, 77, &err) != SPB_OK || store->save_aliases(store, &alias, 1, &err) != SPB_OK ||
        store->save_clock(store, 5, 1000, &err) != SPB_OK) {
        return fail("save the identity");
    }
    if (store->expire(store, 1, &err) != SPB_OK || store->confirm(store, 0, id - 1, &err) != SPB_OK ||
        store->commit(store, &err) != SPB_OK) {
        return fail("confirm");
    }
    store->info(store, &info);
    out->was_damaged = info.damage != NULL;
    return add(store, &id) == SPB_OK ? NULL : fail("append again");
}

/* The second one: what was saved is there, and nothing else. */
static const char *use_again(spb_store *store) {
    uint8_t bdseq = 0;
    bool found = false;
    int aliases = 0;
    uint64_t blocks = 0;
    spb_store_info info;
    store->info(store, &info);
    if (info.damage) {
        snprintf(what, sizeof what, "it is still damaged: %s", info.damage);
        return what;
    }
    if (store->load_bdseq(store, &bdseq, &found, &err) != SPB_OK || !found || bdseq != 77) {
        return fail("the bdSeq is not what was saved");
    }
    if (store->load_aliases(store, count_alias, &aliases, &err) != SPB_OK || aliases == 0) {
        return fail("the alias that was saved is missing");
    }
    const char *wrong = read_all(store, &blocks);
    return wrong ? wrong : blocks == 2 ? NULL : "what was confirmed came back, or what was appended did not";
}

const char *store_ordeal(const char *path, store_ordeal_result *out) {
    spb_store *store = NULL;
    *out = (store_ordeal_result){.bdseq = -1};
    err.text[0] = '\0';
    const char *wrong = look(path, out);
    if (wrong) {
        return wrong;
    }
    spb_status status = spb_store_open(&store, path, "Plant1", "Edge1", &small, &err);
    out->is_refused = status != SPB_OK;
    if (out->is_refused) {
        return (status == SPB_ERR_STORE || status == SPB_ERR_ARGUMENT) && err.text[0] ? NULL : fail("open");
    }
    wrong = use(store, out);
    store->free(store);
    if (wrong) {
        return wrong;
    }
    if (spb_store_open(&store, path, "Plant1", "Edge1", &small, &err) != SPB_OK) {
        return fail("open again");
    }
    wrong = use_again(store);
    store->free(store);
    return wrong;
}
