/* Processes: one that is killed while it writes, and one that only looks into the file. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/blocks.h"
#include "support/store_files.h"
#include "support/suite.h"

static spb_error err;
static const spb_store_options small = {.max_bytes = 2 << 20};

/* ---- killed ---- */

/* Appends, commits and confirms until it is killed; tells of each commit through the pipe when it has returned. */
static void write_until_killed(int told) {
    spb_store *store;
    if (spb_store_open(&store, store_path, "Plant1", "Edge1", &small, NULL) != SPB_OK) {
        _exit(1);
    }
    spb_store_info info;
    store->info(store, &info);
    for (uint64_t id = info.last_id + 1;; id++) {
        spb_block block = blocks_make(id, 50 + (uint32_t)(id % 100));
        if (store->append(store, &block, NULL) != SPB_OK) {
            _exit(2);
        }
        if (id % 3 == 0) {
            if (store->save_bdseq(store, (uint8_t)(id / 3), NULL) != SPB_OK || store->commit(store, NULL) != SPB_OK) {
                _exit(3);
            }
            if (write(told, &id, sizeof id) != (ssize_t)sizeof id) {
                _exit(4);
            }
        }
    }
}

START_TEST(what_a_killed_process_committed_is_there) {
    uint32_t random = 99;
    uint64_t last_told = 0;
    for (int round = 0; round < 30; round++) {
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(ends[0]);
            write_until_killed(ends[1]);
        }
        close(ends[1]);
        random = random * 1664525u + 1013904223u;
        uint64_t id = 0;
        for (uint32_t commits = 1 + (random >> 24) % 40; commits > 0; commits--) { /* then in the middle of anything */
            ck_assert_int_eq(read(ends[0], &id, sizeof id), sizeof id);
        }
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        while (read(ends[0], &id, sizeof id) == (ssize_t)sizeof id) { /* what it told before it died */
        }
        int status;
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        close(ends[0]);
        ck_assert_uint_gt(id, last_told);
        last_told = id;

        spb_store *store = store_files_open(&small);
        spb_store_info info = blocks_info(store);
        ck_assert_ptr_null(info.damage);
        ck_assert_uint_ge(info.last_id, last_told);
        uint8_t bdseq = 0;
        bool found = false;
        ck_assert_int_eq(store->load_bdseq(store, &bdseq, &found, &err), SPB_OK);
        ck_assert(found && (bdseq == (uint8_t)(last_told / 3) || bdseq == (uint8_t)(last_told / 3 + 1)));
        blocks_expect(store, info.last_id - info.blocks + 1, info.last_id);
        store->free(store);
    }
}
END_TEST

/* ---- looked into ---- */

static void make_store(void) {
    spb_store *store = store_files_open(&small);
    ck_assert_int_eq(store->save_bdseq(store, 55, &err), SPB_OK);
    blocks_append(store, 1, 50, 100);
    ck_assert_int_eq(store->confirm(store, 1, 3, &err), SPB_OK);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    ck_assert_int_eq(store->confirm(store, 4, 5, &err), SPB_OK);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    store->free(store);
}

static void expect_look(uint64_t first_id, uint64_t last_id) {
    size_t size[2], size_after[2];
    uint8_t *before[2] = {store_files_read("", &size[0]), store_files_read("-wal", &size[1])};
    spb_store *store = NULL;
    const char *owner = NULL;
    ck_assert_msg(spb_store_open_read_only(&store, store_path, &owner, &err) == SPB_OK, "%s", err.text);
    ck_assert_str_eq(owner, "Plant1/Edge1");
    uint8_t bdseq = 0;
    bool found = false;
    ck_assert_int_eq(store->load_bdseq(store, &bdseq, &found, &err), SPB_OK);
    ck_assert(found && bdseq == 55);
    blocks_expect(store, first_id, last_id);
    ck_assert_ptr_null(blocks_info(store).damage);
    store->free(store);
    uint8_t *after[2] = {store_files_read("", &size_after[0]), store_files_read("-wal", &size_after[1])};
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(size_after[i], size[i]);
        ck_assert(size[i] == 0 || memcmp(before[i], after[i], size[i]) == 0);
        free(before[i]);
        free(after[i]);
    }
}

START_TEST(a_closed_file_can_be_looked_into) {
    make_store();
    expect_look(6, 50);
    char log[140];
    snprintf(log, sizeof log, "%s-wal", store_path);
    ck_assert_int_eq(unlink(log), 0);
    expect_look(6, 50);
}
END_TEST

START_TEST(so_can_one_whose_process_was_killed) {
    pid_t pid = fork();
    if (pid == 0) {
        make_store();
        spb_store *store = store_files_open(&small);
        blocks_append(store, 51, 60, 100);
        store->commit(store, NULL);
        raise(SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_look(6, 60); /* all of the last commit is in the log alone */
}
END_TEST

START_TEST(one_in_use_is_busy) {
    spb_store *store = store_files_open(&small), *second = NULL;
    ck_assert_int_eq(spb_store_open_read_only(&second, store_path, NULL, &err), SPB_ERR_STORE_BUSY);
    ck_assert_ptr_null(second);
    ck_assert_msg(strstr(err.text, "has it open"), "%s", err.text);
    store->free(store);
    ck_assert_int_eq(spb_store_open_read_only(&second, store_path, NULL, &err), SPB_OK);
    ck_assert_int_eq(spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err), SPB_ERR_STORE_BUSY);
    second->free(second);
}
END_TEST

START_TEST(looking_changes_nothing) {
    make_store();
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open_read_only(&store, store_path, NULL, &err), SPB_OK);
    spb_block block = blocks_make(100, 1);
    ck_assert_int_eq(store->append(store, &block, &err), SPB_ERR_STATE);
    ck_assert_int_eq(store->confirm(store, 1, 100, &err), SPB_ERR_STATE);
    ck_assert_int_eq(store->commit(store, &err), SPB_ERR_STATE);
    ck_assert_int_eq(store->expire(store, UINT64_MAX, &err), SPB_ERR_STATE);
    ck_assert_int_eq(store->save_clock(store, 1, 1, &err), SPB_ERR_STATE);
    ck_assert_int_eq(store->save_bdseq(store, 1, &err), SPB_ERR_STATE);
    ck_assert_int_eq(store->save_aliases(store, NULL, 0, &err), SPB_ERR_STATE);
    store->free(store);
    expect_look(6, 50);
}
END_TEST

START_TEST(what_is_no_store_cannot_be_looked_into) {
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open_read_only(&store, store_path, NULL, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, "no such file"), "%s", err.text);
    store_files_write("", (const uint8_t *)"", 0);
    ck_assert_int_eq(spb_store_open_read_only(&store, store_path, NULL, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, "empty"), "%s", err.text);
    store_files_sql("CREATE TABLE recipes (name TEXT)");
    ck_assert_int_eq(spb_store_open_read_only(&store, store_path, NULL, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, "another program"), "%s", err.text);
    ck_assert_ptr_null(store);
}
END_TEST

/* Blocks that cannot be read are told one by one, and the others are read. */
START_TEST(a_damaged_file_can_be_looked_into) {
    make_store();
    size_t size;
    uint8_t *good = store_files_read("", &size);
    unsigned with_errors = 0;
    for (size_t page = 8; page < 60; page++) {
        uint8_t *bad = malloc(size);
        ck_assert_ptr_nonnull(bad);
        memcpy(bad, good, size);
        memset(bad + page * 4096, 0x5a, 4096);
        store_files_remove();
        store_files_write("", bad, size);
        free(bad);
        spb_store *store = NULL;
        ck_assert_msg(spb_store_open_read_only(&store, store_path, NULL, &err) == SPB_OK, "%s", err.text);
        uint64_t from_id = 0;
        bool found = true, has_error = false;
        for (spb_block block; found;) {
            spb_status status = store->read(store, from_id, &block, &found, &err);
            ck_assert(status == SPB_OK || (status == SPB_ERR_STORE && block.id >= from_id));
            ck_assert(status != SPB_OK || !found || !blocks_differ(&block));
            has_error |= status != SPB_OK;
            found |= status != SPB_OK;
            from_id = block.id + 1;
        }
        with_errors += has_error || blocks_info(store).damage;
        store->free(store);
        size_t size_after;
        uint8_t *after = store_files_read("", &size_after);
        ck_assert_uint_eq(size_after, size);
        ck_assert(memcmp(after, good, page * 4096) == 0);
        free(after);
        ck_assert_int_eq(store_files_count(".corrupt-"), 0);
    }
    ck_assert_uint_gt(with_errors, 20);
    free(good);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("process");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, store_files_setup, store_files_teardown);
    tcase_add_test(all, what_a_killed_process_committed_is_there);
    tcase_add_test(all, a_closed_file_can_be_looked_into);
    tcase_add_test(all, so_can_one_whose_process_was_killed);
    tcase_add_test(all, one_in_use_is_busy);
    tcase_add_test(all, looking_changes_nothing);
    tcase_add_test(all, what_is_no_store_cannot_be_looked_into);
    tcase_add_test(all, a_damaged_file_can_be_looked_into);
    Suite *suite = suite_create("store_process");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
