/*
 * Power cuts: a store is used at random on a disk that notes each change, and what may be left of its files after any
 * of them is opened. Nothing may be damaged, and nothing that was acknowledged may be missing.
 *
 * SPB_POWER_CUTS=N wants N images instead of a few hundred, SPB_SEED=S other ones.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "support/blocks.h"
#include "support/disk.h"
#include "support/store_files.h"
#include "support/suite.h"

#define MOST_IDS 4000
#define CALLS 150 /* of one store */
#define ONE_OF 3  /* changes, on average, an image is made behind */

/* What is known to be acknowledged. */
typedef struct ledger {
    bool blocks[MOST_IDS]; /* committed, and not confirmed since; confirming may be undone, so it asks for nothing */
    uint64_t last_id;      /* committed */
    int bdseq;             /* -1: none yet */
    uint32_t aliases;      /* 1 … so many */
} ledger;

static char image[160];
static spb_error err;
static uint64_t random_state;
static ledger sure;
static uint64_t appended; /* last id */
static uint32_t samples_of[MOST_IDS];
static int bdseq_tried;
static unsigned images, lost_allowed;

static uint32_t next_random(uint32_t below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % below;
}

static void remove_all(const char *where) {
    static const char *const suffixes[] = {"", "-wal", "-journal", ".salvage"};
    for (int i = 0; i < 4; i++) {
        char name[200];
        snprintf(name, sizeof name, "%s%s", where, suffixes[i]);
        unlink(name);
    }
}

/* ---- looking at an image ---- */

static uint32_t aliases_seen;

static spb_alias make_alias(uint32_t number, char *name) {
    int len = snprintf(name, 40, "Metric %u of many", (unsigned)number);
    return (spb_alias){.name = {.data = name, .len = (size_t)len},
                       .device_id = {.data = number % 2 ? "Press" : NULL, .len = number % 2 ? 5 : 0},
                       .type = SPB_DOUBLE,
                       .alias = number};
}

static void see_alias(void *context, const spb_alias *alias) {
    char name[40];
    spb_alias wanted = make_alias(alias->alias, name);
    ck_assert_uint_eq(alias->name.len, wanted.name.len);
    ck_assert_mem_eq(alias->name.data, wanted.name.data, wanted.name.len);
    bool *seen = context;
    ck_assert_uint_lt(alias->alias, MOST_IDS);
    seen[alias->alias] = true;
    aliases_seen++;
}

static void check_identity(spb_store *store, const ledger *wanted) {
    uint8_t bdseq = 0;
    bool found = false, seen[MOST_IDS] = {false};
    ck_assert_msg(store->load_bdseq(store, &bdseq, &found, &err) == SPB_OK, "%s", err.text);
    ck_assert_msg(found ? bdseq == wanted->bdseq || bdseq == bdseq_tried : wanted->bdseq == -1,
                  "bdSeq %d, not %d or %d", found ? bdseq : -1, wanted->bdseq, bdseq_tried);
    ck_assert_msg(store->load_aliases(store, see_alias, seen, &err) == SPB_OK, "%s", err.text);
    for (uint32_t i = 1; i <= wanted->aliases; i++) {
        ck_assert_msg(seen[i], "alias %u is lost", (unsigned)i);
    }
}

static void check_blocks(spb_store *store, const ledger *wanted, bool may_lose) {
    bool seen[MOST_IDS] = {false};
    uint64_t from_id = 0;
    bool found = true;
    for (spb_block block; found;) {
        ck_assert_msg(store->read(store, from_id, &block, &found, &err) == SPB_OK, "%s", err.text);
        if (found) {
            ck_assert_uint_le(block.id, appended);
            ck_assert_uint_eq(block.samples, samples_of[block.id]);
            const char *difference = blocks_differ(&block);
            ck_assert_msg(!difference, "block %llu: %s", (unsigned long long)block.id, difference);
            seen[block.id] = true;
            from_id = block.id + 1;
        }
    }
    spb_store_info info = blocks_info(store);
    ck_assert_msg(!info.damage, "%s", info.damage);
    for (uint64_t id = 0; id <= wanted->last_id; id++) {
        lost_allowed += may_lose && wanted->blocks[id] && !seen[id];
        ck_assert_msg(may_lose || !wanted->blocks[id] || seen[id], "block %llu is lost", (unsigned long long)id);
    }
    ck_assert_msg(may_lose || info.last_id >= wanted->last_id, "last id %llu, not %llu",
                  (unsigned long long)info.last_id, (unsigned long long)wanted->last_id);
}

static void check_integrity(void) {
    sqlite3 *db;
    sqlite3_stmt *statement;
    ck_assert_int_eq(sqlite3_open(image, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    ck_assert_str_eq((const char *)sqlite3_column_text(statement, 0), "ok");
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void check_image(size_t changes, uint64_t seed, const spb_store_options *options, const ledger *wanted) {
    remove_all(image);
    disk_cut(changes, seed, image);
    spb_store *store = NULL;
    ck_assert_msg(spb_store_open(&store, image, "Plant1", "Edge1", options, &err) == SPB_OK, "%s", err.text);
    check_identity(store, wanted);
    check_blocks(store, wanted, options->sync == SPB_STORE_SYNC_NORMAL);
    if (images % 16 == 0) { /* and it can be used */
        blocks_append(store, appended + 1000, appended + 1000, 5);
        ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    }
    store->free(store);
    check_integrity();
    images++;
}

/* ---- using the store ---- */

static void append_some(spb_store *store) {
    for (uint32_t i = next_random(6); i > 0 && appended + 1 < MOST_IDS; i--) {
        appended++;
        samples_of[appended] = next_random(4) ? next_random(100) : next_random(1500);
        blocks_append(store, appended, appended, samples_of[appended]);
    }
}

static void confirm_some(spb_store *store, ledger *after) {
    uint64_t first = next_random((uint32_t)appended + 1), last = first + next_random(40);
    if (next_random(3) == 0) {
        first = 0;
    }
    ck_assert_int_eq(store->confirm(store, first, last, &err), SPB_OK);
    for (uint64_t id = first; id <= last && id < MOST_IDS; id++) {
        after->blocks[id] = false;
    }
}

/* What can be read now is there for good; what cannot gave way to it. */
static void commit_all(spb_store *store, ledger *after) {
    ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
    uint64_t ids[MOST_IDS];
    size_t count = blocks_read(store, 0, ids, MOST_IDS);
    memset(after->blocks, 0, sizeof after->blocks);
    for (size_t i = 0; i < count; i++) {
        after->blocks[ids[i]] = true;
    }
    after->last_id = count > 0 && ids[count - 1] > after->last_id ? ids[count - 1] : after->last_id;
}

static void save_some_aliases(spb_store *store, ledger *after) {
    spb_alias items[20];
    char names[20][40];
    uint32_t count = 1 + next_random(20);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = make_alias(after->aliases + i + 1, names[i]);
    }
    ck_assert_int_eq(store->save_aliases(store, items, count, &err), SPB_OK);
    after->aliases += count;
}

static spb_store *reopen(spb_store *store, const spb_store_options *options, ledger *after) {
    if (store) {
        commit_all(store, after);
        store->free(store);
    }
    return store_files_open(options);
}

static spb_store *call_one(spb_store *store, const spb_store_options *options, ledger *after) {
    uint32_t choice = next_random(100);
    if (!store || choice < 3) {
        return reopen(store, options, after);
    }
    if (choice < 50) {
        append_some(store);
    } else if (choice < 65) {
        confirm_some(store, after);
    } else if (choice < 90) {
        commit_all(store, after);
    } else if (choice < 95) {
        bdseq_tried = (int)next_random(256);
        ck_assert_int_eq(store->save_bdseq(store, (uint8_t)bdseq_tried, &err), SPB_OK);
        after->bdseq = bdseq_tried;
    } else {
        save_some_aliases(store, after);
    }
    return store;
}

/* While a call is under way, what was sure before it is, but for blocks that it drops; behind it, what it made sure. */
static void cut_in_call(size_t from, const spb_store_options *options, const ledger *before, const ledger *after) {
    ledger during = *before;
    for (int id = 0; id < MOST_IDS; id++) {
        during.blocks[id] = before->blocks[id] && after->blocks[id];
    }
    for (size_t at = from + 1; at <= disk_changes(); at++) {
        bool is_last = at == disk_changes();
        if (is_last || next_random(ONE_OF) == 0) {
            check_image(at, random_state, options, is_last ? after : &during);
        }
    }
}

static void use_one(uint64_t seed, unsigned wanted_images, const spb_store_options *options) {
    random_state = seed;
    appended = 0;
    bdseq_tried = -1;
    sure = (ledger){.bdseq = -1};
    remove_all(store_path);
    disk_watch(store_path);
    disk_record();
    spb_store *store = NULL;
    for (int i = 0; i < CALLS && images < wanted_images; i++) {
        ledger after = sure;
        size_t from = disk_changes();
        store = call_one(store, options, &after);
        cut_in_call(from, options, &sure, &after);
        sure = after;
    }
    store->free(store);
    ck_assert_uint_le(disk_peak(), options->max_bytes);
}

static uint64_t number_from(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void cut_power(const spb_store_options *options, unsigned wanted_images) {
    uint64_t seed = number_from("SPB_SEED", 1), first = seed;
    images = lost_allowed = 0;
    while (images < wanted_images) {
        use_one(seed++, wanted_images, options);
    }
    printf("%u images with sync %s, policy %s: none damaged, %u blocks lost; seeds %llu to %llu\n", images,
           options->sync == SPB_STORE_SYNC_FULL ? "full" : "normal",
           options->policy == SPB_STORE_DROP_OLDEST ? "drop oldest" : "drop newest", lost_allowed,
           (unsigned long long)first, (unsigned long long)seed - 1);
}

START_TEST(what_was_acknowledged_survives) {
    cut_power(&(spb_store_options){.max_bytes = 1 << 20}, (unsigned)number_from("SPB_POWER_CUTS", 400));
    ck_assert_uint_eq(lost_allowed, 0);
}
END_TEST

START_TEST(without_sync_nothing_is_damaged) {
    cut_power(&(spb_store_options){.max_bytes = 1 << 20, .sync = SPB_STORE_SYNC_NORMAL},
              (unsigned)number_from("SPB_POWER_CUTS", 400) / 4);
}
END_TEST

static void setup(void) {
    store_files_setup();
    snprintf(image, sizeof image, "%s/image.spb", store_directory);
}

static void teardown(void) {
    disk_watch("");
    store_files_teardown();
}

int main(void) {
    disk_install();
    TCase *all = tcase_create("power");
    tcase_set_timeout(all, 3600);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, what_was_acknowledged_survives);
    tcase_add_test(all, without_sync_nothing_is_damaged);
    Suite *suite = suite_create("store_power");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
