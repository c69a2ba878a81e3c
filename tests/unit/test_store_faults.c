/*
 * A disk that fails, or is full, and memory that runs out: at the n-th call, for growing n until none fails any more.
 * The store may refuse, but must not crash, leak, or lose what it took.
 *
 * SPB_EVERY_FAULT=1 wants each n, where otherwise the steps grow.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "support/blocks.h"
#include "support/disk.h"
#include "support/failing_heap.h"
#include "support/store_files.h"
#include "support/suite.h"

#define MIB ((uint64_t)1 << 20)

static spb_error err;
static const spb_store_options small = {.max_bytes = 1 << 20};

static void setup(void) {
    store_files_setup();
    blocks_make(1, 2000); /* takes the test's own memory */
}

static void teardown(void) {
    disk_watch("");
    store_files_teardown();
}

/* ---- a use of all functions ---- */

#define LAST_ID 48 /* 370 KB: the cap has room for them, the log has not */

/* What became of the calls of one use. */
typedef struct outcome {
    bool taken[LAST_ID + 1];
    bool is_confirmed[LAST_ID + 1];
    int bdseq; /* the last one that was saved; -1: none */
    int tried; /* the last one that was not */
    bool aliases;
    unsigned failures;
    spb_status unclear; /* SPB_OK: all failures had a status that is documented, and a text */
} outcome;

/* Counts failures, and notes one that is not told clearly. Nothing of Check is called here: it takes memory. */
static bool worked(outcome *out, spb_status status) {
    bool is_clear = status == SPB_ERR_STORE || status == SPB_ERR_NO_MEMORY;
    out->failures += status != SPB_OK;
    if (status != SPB_OK && (!is_clear || err.text[0] == '\0')) {
        out->unclear = status;
    }
    err.text[0] = '\0';
    return status == SPB_OK;
}

static void save_identity(spb_store *store, outcome *out, int bdseq) {
    out->tried = bdseq;
    if (worked(out, store->save_bdseq(store, (uint8_t)bdseq, &err))) {
        out->bdseq = bdseq;
    }
    static const spb_alias aliases[] = {{.name = {.data = "Temperature", .len = 11}, .type = SPB_DOUBLE, .alias = 1},
                                        {.name = {.data = "Pressure", .len = 8}, .type = SPB_FLOAT, .alias = 2}};
    out->aliases |= worked(out, store->save_aliases(store, aliases, 2, &err));
}

static void use(spb_store *store, outcome *out) {
    save_identity(store, out, 7);
    for (uint64_t id = 1; id <= LAST_ID; id++) {
        spb_block block = blocks_make(id, 120 + (uint32_t)id * 10); /* its memory was taken before */
        out->taken[id] = worked(out, store->append(store, &block, &err));
        if (id % 5 == 0) {
            worked(out, store->commit(store, &err));
        }
        if (id % 12 == 0 && worked(out, store->confirm(store, id - 8, id - 5, &err))) {
            for (uint64_t gone = id - 8; gone <= id - 5; gone++) {
                out->is_confirmed[gone] = true;
            }
        }
    }
    worked(out, store->save_clock(store, 5, 1760000000000, &err));
    worked(out, store->expire(store, BLOCKS_FIRST_MS, &err));
    spb_block block;
    bool found;
    worked(out, store->read(store, 0, &block, &found, &err));
    worked(out, store->commit(store, &err));
    save_identity(store, out, 8);
}

static void count_alias(void *context, const spb_alias *alias) {
    ck_assert(alias->alias == 1 || alias->alias == 2);
    ++*(int *)context;
}

/* All that was taken and not confirmed is there; with `exactly`, nothing that was confirmed. */
static void expect_all(spb_store *store, const outcome *out, bool exactly) {
    uint64_t ids[LAST_ID + 1];
    bool is_there[LAST_ID + 1] = {false};
    size_t count = blocks_read(store, 0, ids, LAST_ID + 1);
    for (size_t i = 0; i < count; i++) {
        is_there[ids[i]] = true;
    }
    for (int id = 1; id <= LAST_ID; id++) {
        bool is_wanted = out->taken[id] && !out->is_confirmed[id];
        ck_assert_msg(is_there[id] || !is_wanted, "block %d is lost", id);
        ck_assert_msg(!is_there[id] || is_wanted || !exactly, "block %d is there", id);
    }
    ck_assert_str_eq(spb_status_name(out->unclear), "SPB_OK");
    uint8_t bdseq = 0;
    bool found;
    int aliases = 0;
    ck_assert_int_eq(store->load_bdseq(store, &bdseq, &found, &err), SPB_OK);
    ck_assert(found ? bdseq == out->bdseq || bdseq == out->tried : out->bdseq == -1);
    ck_assert_int_eq(store->load_aliases(store, count_alias, &aliases, &err), SPB_OK);
    ck_assert(!out->aliases || aliases == 2);
    ck_assert_ptr_null(blocks_info(store).damage);
}

/* The disk has recovered: the store makes up for what failed, and has all of it after a restart. */
static void expect_recovery(spb_store *store, const outcome *out) {
    ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
    expect_all(store, out, true);
    store->free(store);
    store = store_files_open(&small);
    expect_all(store, out, true);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_eq(info.blocks, blocks_read(store, 0, NULL, 0));
    store->free(store);
}

/* One fault; false when the use went through without it. */
static bool fail_once(disk_call kind, unsigned n, bool for_ever) {
    store_files_remove();
    disk_watch(store_path);
    disk_fail(kind, n, for_ever);
    outcome out = {.bdseq = -1, .tried = -1};
    spb_store *store = NULL;
    bool is_open = worked(&out, spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err));
    if (is_open) {
        use(store, &out);
    }
    bool has_failed = disk_count(kind) >= n;
    disk_fail(kind, 0, false);
    if (!is_open) {
        store = store_files_open(&small);
    }
    expect_recovery(store, &out);
    return has_failed;
}

static long next_n(long n) {
    return getenv("SPB_EVERY_FAULT") || n < 10 ? n + 1 : n + n / 5;
}

static void fail_each(disk_call kind, unsigned at_least) {
    for (int for_ever = 0; for_ever <= 1; for_ever++) {
        unsigned n = 1;
        while (fail_once(kind, n, for_ever)) {
            n = (unsigned)next_n(n);
        }
        ck_assert_uint_gt(n, at_least);
    }
}

START_TEST(a_write_that_fails) {
    fail_each(DISK_WRITE, 60);
}
END_TEST

START_TEST(a_sync_that_fails) {
    fail_each(DISK_SYNC, 12);
}
END_TEST

START_TEST(a_truncation_that_fails) {
    fail_each(DISK_TRUNCATE, 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened) {
    fail_each(DISK_OPEN, 2);
}
END_TEST

START_TEST(a_file_that_cannot_be_extended) {
    fail_each(DISK_EXTEND, 2);
}
END_TEST

START_TEST(a_file_that_cannot_be_deleted) {
    fail_each(DISK_DELETE, 0);
}
END_TEST

START_TEST(a_read_that_fails) {
    fail_each(DISK_READ, 3);
}
END_TEST

/* ---- no memory ---- */

static sqlite3_mem_methods real_memory;
static long allocation, fails_at = -1;

static bool may_allocate(void) {
    return ++allocation != fails_at;
}

static void *fail_malloc(int size) {
    return may_allocate() ? real_memory.xMalloc(size) : NULL;
}

static void *fail_realloc(void *memory, int size) {
    return may_allocate() ? real_memory.xRealloc(memory, size) : NULL;
}

/* The n-th allocation of SQLite, or of ours, fails. False when the use went through without. */
static bool run_out_once(long n, bool is_ours) {
    store_files_remove();
    disk_watch(store_path);
    outcome out = {.bdseq = -1, .tried = -1};
    spb_store *store = NULL;
    allocation = 0;
    fails_at = is_ours ? -1 : n;
    failing_heap_fail_at(is_ours ? (size_t)n : 0);
    bool is_open = worked(&out, spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err));
    if (is_open) {
        use(store, &out);
    }
    bool has_failed = is_ours ? failing_heap_count() >= (size_t)n : allocation >= n;
    fails_at = -1;
    failing_heap_fail_at(0);
    if (!is_open) {
        store = store_files_open(&small);
    }
    /* What was confirmed may not be noted for want of memory; then it comes again. */
    ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
    expect_all(store, &out, false);
    store->free(store);
    store = store_files_open(&small);
    expect_all(store, &out, false);
    store->free(store);
    return has_failed;
}

START_TEST(memory_of_sqlite_that_runs_out) {
    long n = 1;
    while (run_out_once(n, false)) {
        n = next_n(n);
    }
    ck_assert_int_gt(n, 300);
}
END_TEST

START_TEST(memory_of_ours_that_runs_out) {
    long n = 1;
    while (run_out_once(n, true)) {
        n = next_n(n);
    }
    ck_assert_int_gt(n, 50);
}
END_TEST

static bool run_out_in_memory(size_t n) {
    outcome out = {.bdseq = -1, .tried = -1};
    spb_store *store = NULL;
    failing_heap_fail_at(n);
    if (worked(&out, spb_store_new_in_memory(&store, &small, &err))) {
        use(store, &out);
    }
    bool has_failed = failing_heap_count() >= n;
    long held = failing_heap_held();
    failing_heap_fail_at(0);
    if (store) {
        expect_all(store, &out, true);
        failing_heap_fail_at(0);
        store->free(store);
        held += failing_heap_held();
    }
    ck_assert_int_eq(held, 0);
    return has_failed;
}

START_TEST(the_store_in_memory_runs_out_too) {
    long n = 1;
    while (run_out_in_memory((size_t)n)) {
        n = next_n(n);
    }
    ck_assert_int_gt(n, LAST_ID / 2);
}
END_TEST

/* ---- a full disk ---- */

/* Laps of a journal that is at its cap, on a disk that has nothing left. */
static void go_round(spb_store *store, uint64_t first_id, uint64_t last_id) {
    for (uint64_t id = first_id; id <= last_id; id++) {
        blocks_append(store, id, id, 500);
        if (id % 3 == 0) {
            ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
        }
        if (id % 50 == 0) {
            ck_assert_msg(store->save_bdseq(store, (uint8_t)id, &err) == SPB_OK, "%s", err.text);
        }
    }
}

START_TEST(a_disk_that_fills_up_behind_it_does_not_stop_it) {
    disk_watch(store_path);
    spb_store *store = store_files_open(&small);
    disk_limit(disk_peak()); /* others have taken the rest */
    go_round(store, 1, 600); /* 6 MiB */
    spb_store_info info = blocks_info(store);
    blocks_expect(store, 600 - info.blocks + 1, 600);
    store->free(store);
    store = store_files_open(&small); /* a restart takes no more either */
    go_round(store, 601, 700);
    info = blocks_info(store);
    blocks_expect(store, 700 - info.blocks + 1, 700);
    store->free(store);
    ck_assert_uint_le(disk_peak(), MIB);
}
END_TEST

/* On a disk with little room: it takes what it gets, drops by its policy, and grows when there is more. */
START_TEST(a_disk_that_was_full_before_gives_less) {
    disk_watch(store_path);
    disk_limit(600 * 1024);
    spb_store *store = store_files_open(&small);
    go_round(store, 1, 300);
    spb_store_info info = blocks_info(store);
    uint64_t before = info.blocks;
    ck_assert_uint_gt(before, 5);
    ck_assert_uint_eq(info.samples + info.dropped_full, 300 * 500);
    blocks_expect(store, 300 - info.blocks + 1, 300);
    disk_limit(UINT64_MAX);
    go_round(store, 301, 600);
    info = blocks_info(store);
    ck_assert_uint_gt(info.blocks, before + 10);
    blocks_expect(store, 600 - info.blocks + 1, 600);
    store->free(store);
    ck_assert_uint_le(disk_peak(), MIB);
}
END_TEST

START_TEST(a_disk_without_any_room_is_an_error_until_there_is_some) {
    disk_watch(store_path);
    disk_limit(20 * 1024);
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, store_path) && strstr(err.text, "full"), "%s", err.text);
    disk_limit(UINT64_MAX);
    store = store_files_open(&small);
    go_round(store, 1, 3);
    blocks_expect(store, 1, 3);
    store->free(store);
}
END_TEST

/* The disk has really given what the file and its log will need. */
START_TEST(the_room_is_taken_when_it_is_opened) {
    spb_store *store = store_files_open(&small);
    char log[140];
    snprintf(log, sizeof log, "%s-wal", store_path);
    struct stat file_info, log_info;
    ck_assert_int_eq(stat(store_path, &file_info), 0);
    ck_assert_int_eq(stat(log, &log_info), 0);
    ck_assert_uint_ge((uint64_t)file_info.st_blocks * 512, (uint64_t)file_info.st_size);
    ck_assert_uint_ge((uint64_t)log_info.st_blocks * 512, (uint64_t)log_info.st_size);
    uint64_t together = (uint64_t)file_info.st_size + (uint64_t)log_info.st_size;
    ck_assert_uint_le(together, MIB);
    ck_assert_uint_gt(together, MIB - 16 * 1024);
    ck_assert_uint_eq(blocks_info(store).file_bytes, together);
    store->free(store);
}
END_TEST

/* A file system of 4 MiB of which not a byte is free. Only root can have one; the others have the test's disk above. */
START_TEST(a_real_disk_that_is_full) {
    if (mount("tmpfs", store_directory, "tmpfs", 0, "size=4m") != 0) {
        printf("SKIPPED: a_real_disk_that_is_full: no permission to mount a file system\n");
        return;
    }
    spb_store *store = store_files_open(&small);
    char filler[140];
    snprintf(filler, sizeof filler, "%s/filler", store_directory);
    FILE *file = fopen(filler, "wb");
    static const char page[4096];
    while (fwrite(page, 1, sizeof page, file) == sizeof page && fflush(file) == 0) {
    }
    fclose(file);
    go_round(store, 1, 399);
    spb_store_info info = blocks_info(store);
    blocks_expect(store, 399 - info.blocks + 1, 399);
    store->free(store);
    store = store_files_open(&small);
    blocks_expect(store, 399 - info.blocks + 1, 399);
    store->free(store);
    ck_assert_int_eq(umount(store_directory), 0);
}
END_TEST

/* Far less than max_bytes: the log and the segments are as small as the disk. */
START_TEST(a_small_disk_holds_what_it_has_room_for) {
    if (mount("tmpfs", store_directory, "tmpfs", 0, "size=6m") != 0) {
        printf("SKIPPED: a_small_disk_holds_what_it_has_room_for: no permission to mount a file system\n");
        return;
    }
    static const spb_store_options usual = {.max_bytes = 64 * MIB};
    spb_store *store = store_files_open(&usual);
    go_round(store, 1, 1500);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_gt(info.bytes, 4 * MIB);
    ck_assert_msg(info.warning && strstr(info.warning, "the disk has room for"), "%s", info.warning);
    ck_assert_uint_eq(info.samples + info.dropped_full, 1500 * 500);
    blocks_expect(store, 1500 - info.blocks + 1, 1500);
    store->free(store);
    ck_assert_int_eq(umount(store_directory), 0);
}
END_TEST

int main(void) {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    sqlite3_mem_methods failing = real_memory;
    failing.xMalloc = fail_malloc;
    failing.xRealloc = fail_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
    disk_install();
    TCase *all = tcase_create("faults");
    tcase_set_timeout(all, 600);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_write_that_fails);
    tcase_add_test(all, a_sync_that_fails);
    tcase_add_test(all, a_truncation_that_fails);
    tcase_add_test(all, a_file_that_cannot_be_opened);
    tcase_add_test(all, a_file_that_cannot_be_extended);
    tcase_add_test(all, a_file_that_cannot_be_deleted);
    tcase_add_test(all, a_read_that_fails);
    tcase_add_test(all, memory_of_sqlite_that_runs_out);
    tcase_add_test(all, memory_of_ours_that_runs_out);
    tcase_add_test(all, the_store_in_memory_runs_out_too);
    tcase_add_test(all, a_disk_that_fills_up_behind_it_does_not_stop_it);
    tcase_add_test(all, a_disk_that_was_full_before_gives_less);
    tcase_add_test(all, a_disk_without_any_room_is_an_error_until_there_is_some);
    tcase_add_test(all, the_room_is_taken_when_it_is_opened);
    tcase_add_test(all, a_real_disk_that_is_full);
    tcase_add_test(all, a_small_disk_holds_what_it_has_room_for);
    Suite *suite = suite_create("store_faults");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
