/* The SQLite store: what survives, who may open it, and each way in which it cannot be opened. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "support/blocks.h"
#include "support/store_files.h"
#include "support/suite.h"

static spb_error err;

static spb_store *open_store(void) {
    return store_files_open(NULL);
}

/* Opening fails with that status; the text names the path and holds `words`. */
static void expect_refusal(const char *where, spb_status status, const char *words) {
    spb_store *store = (spb_store *)&err;
    ck_assert_int_eq(spb_store_open(&store, where, "Plant1", "Edge1", NULL, &err), status);
    ck_assert_ptr_null(store);
    ck_assert_int_eq(err.status, status);
    ck_assert_msg(strstr(err.text, where) && strstr(err.text, words), "%s", err.text);
}

static void expect_bdseq(spb_store *store, int wanted) {
    uint8_t bdseq = 77;
    bool found = false;
    ck_assert_int_eq(store->load_bdseq(store, &bdseq, &found, &err), SPB_OK);
    ck_assert(found);
    ck_assert_uint_eq(bdseq, wanted);
}

static void write_text(const char *text) {
    store_files_write("", (const uint8_t *)text, strlen(text));
}

START_TEST(a_new_store_knows_no_bdseq) {
    spb_store *store = open_store();
    uint8_t bdseq = 77;
    bool found = true;
    ck_assert_int_eq(store->load_bdseq(store, &bdseq, &found, &err), SPB_OK);
    ck_assert(!found);
    ck_assert_uint_eq(bdseq, 77);
    store->free(store);
}
END_TEST

START_TEST(numbers_come_back) {
    spb_store *store = open_store();
    for (int i = 0; i <= 255; i++) {
        ck_assert_int_eq(store->save_bdseq(store, (uint8_t)i, &err), SPB_OK);
        expect_bdseq(store, i);
    }
    ck_assert_int_eq(store->save_bdseq(store, 0, &err), SPB_OK);
    ck_assert_int_eq(store->save_bdseq(store, 42, &err), SPB_OK);
    store->free(store);
    store = open_store();
    expect_bdseq(store, 42);
    store->free(store);
}
END_TEST

START_TEST(a_saved_number_survives_a_kill) {
    pid_t pid = fork();
    if (pid == 0) {
        spb_store *store;
        if (spb_store_open(&store, store_path, "Plant1", "Edge1", NULL, NULL) != SPB_OK ||
            store->save_bdseq(store, 7, NULL) != SPB_OK || store->save_bdseq(store, 200, NULL) != SPB_OK) {
            _exit(1);
        }
        raise(SIGKILL);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    spb_store *store = open_store();
    expect_bdseq(store, 200);
    store->free(store);
}
END_TEST

/* Opens the store in another process, which ends with the status. */
static int status_in_another_process(void) {
    pid_t pid = fork();
    if (pid == 0) {
        spb_store *store;
        spb_status got = spb_store_open(&store, store_path, "Plant1", "Edge1", NULL, NULL);
        if (got == SPB_OK) {
            store->free(store);
        }
        _exit(-got);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

START_TEST(one_at_a_time) {
    for (int round = 0; round < 2; round++) { /* a new file, and one that exists */
        spb_store *store = open_store();
        ck_assert_int_eq(status_in_another_process(), SPB_ERR_STORE_BUSY);
        expect_refusal(store_path, SPB_ERR_STORE_BUSY, "has it open");
        ck_assert_int_eq(status_in_another_process(), SPB_ERR_STORE_BUSY); /* the attempt above took no lock away */
        ck_assert_int_eq(store->save_bdseq(store, 9, &err), SPB_OK);
        ck_assert_int_eq(status_in_another_process(), SPB_ERR_STORE_BUSY);
        store->free(store);
        ck_assert_int_eq(status_in_another_process(), SPB_OK);
    }
}
END_TEST

START_TEST(only_the_owner_may_read) {
    mode_t old = umask(0);
    spb_store *store = open_store();
    ck_assert_int_eq(store->save_bdseq(store, 1, &err), SPB_OK);
    umask(old);
    DIR *listing = opendir(store_directory);
    int files = 0;
    for (struct dirent *entry; (entry = readdir(listing));) {
        struct stat info;
        if (entry->d_name[0] != '.') {
            ck_assert_int_eq(fstatat(dirfd(listing), entry->d_name, &info, 0), 0);
            ck_assert_msg((info.st_mode & 0777) == 0600, "%s: %o", entry->d_name, (unsigned)info.st_mode);
            files++;
        }
    }
    closedir(listing);
    ck_assert_int_eq(files, 2); /* the file and its -wal */
    store->free(store);
}
END_TEST

START_TEST(what_is_no_store_is_refused) {
    char missing[200];
    snprintf(missing, sizeof missing, "%s/no/node.spb", store_directory);
    expect_refusal(missing, SPB_ERR_STORE, "No such file or directory");
    expect_refusal(store_directory, SPB_ERR_STORE, "not a regular file");

    const char text[] = "This is a letter to grandmother and not a database; it must be longer than a header is.";
    write_text(text);
    expect_refusal(store_path, SPB_ERR_STORE, "not a database");
    char back[sizeof text] = "";
    FILE *file = fopen(store_path, "r");
    ck_assert_uint_eq(fread(back, 1, sizeof back, file), strlen(text));
    fclose(file);
    ck_assert_mem_eq(back, text, strlen(text));
}
END_TEST

START_TEST(a_smaller_size_holds_from_then_on) {
    spb_store *store = store_files_open(&(spb_store_options){.max_bytes = 4 << 20});
    blocks_append(store, 1, 250, 500);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    uint64_t file_bytes = blocks_info(store).file_bytes;
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 250);
    store->free(store);
    store = store_files_open(&(spb_store_options){.max_bytes = 1 << 20});
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 250);
    blocks_append(store, 251, 252, 500);
    ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_lt(info.bytes, 1 << 20);
    ck_assert_uint_le(info.file_bytes, file_bytes);
    blocks_expect(store, 253 - info.blocks, 252);
    store->free(store);
    store = store_files_open(&(spb_store_options){.max_bytes = 8 << 20}); /* and a larger one */
    blocks_append(store, 253, 700, 500);
    ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
    blocks_expect(store, 253 - info.blocks, 700);
    store->free(store);
}
END_TEST

START_TEST(other_databases_are_refused) {
    store_files_sql("CREATE TABLE recipes (name TEXT)");
    expect_refusal(store_path, SPB_ERR_STORE, "another program");
    store_files_sql("DROP TABLE recipes; PRAGMA application_id = 5");
    expect_refusal(store_path, SPB_ERR_STORE, "another program");
}
END_TEST

START_TEST(a_newer_schema_is_refused) {
    spb_store *store = open_store();
    store->free(store);
    store_files_sql("PRAGMA user_version = 99; UPDATE meta SET value = 'libspb store 99' WHERE key = 'format'");
    expect_refusal(store_path, SPB_ERR_STORE, "version 99");
}
END_TEST

START_TEST(another_edge_node_is_refused) {
    spb_store *store = open_store();
    ck_assert_int_eq(store->save_bdseq(store, 5, &err), SPB_OK);
    store->free(store);
    static const char *const others[][2] = {{"Plant1", "Edge2"}, {"Plant2", "Edge1"}};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(spb_store_open(&store, store_path, others[i][0], others[i][1], NULL, &err), SPB_ERR_ARGUMENT);
        ck_assert_ptr_null(store);
        ck_assert_ptr_nonnull(strstr(err.text, store_path));
        ck_assert_ptr_nonnull(strstr(err.text, "Plant1/Edge1"));
        ck_assert_ptr_nonnull(strstr(err.text, others[i][1]));
    }
    store = open_store();
    expect_bdseq(store, 5);
    store->free(store);
}
END_TEST

/* In a child, because root may write everywhere and has to give that up. */
START_TEST(a_file_that_cannot_be_written_is_refused) {
    spb_store *store = open_store();
    store->free(store);
    ck_assert_int_eq(chmod(store_path, 0444), 0);
    ck_assert_int_eq(chmod(store_directory, 0755), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && setuid(65534) != 0) {
            _exit(100);
        }
        spb_status status = spb_store_open(&store, store_path, "Plant1", "Edge1", NULL, &err);
        _exit(status == SPB_ERR_STORE && strstr(err.text, store_path) && strstr(err.text, "cannot be written") ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

/* ---- SQLite's memory, to fail on demand ---- */

static sqlite3_mem_methods real_memory;
static long allocations_left = -1; /* -1: unlimited */

static bool may_allocate(void) {
    if (allocations_left > 0) {
        allocations_left--;
    }
    return allocations_left != 0;
}

static void *fail_malloc(int size) {
    return may_allocate() ? real_memory.xMalloc(size) : NULL;
}

static void *fail_realloc(void *memory, int size) {
    return may_allocate() ? real_memory.xRealloc(memory, size) : NULL;
}

START_TEST(no_memory_is_survived) {
    spb_status status = SPB_ERR_NO_MEMORY;
    spb_store *store = NULL;
    int failures = 0;
    for (long count = 1; status != SPB_OK; count++, failures++) {
        allocations_left = count;
        status = spb_store_open(&store, store_path, "Plant1", "Edge1", NULL, &err);
        if (status == SPB_OK) {
            status = store->save_bdseq(store, 11, &err);
            if (status != SPB_OK) {
                store->free(store);
            }
        }
        allocations_left = -1;
        ck_assert_msg(status == SPB_OK || status == SPB_ERR_NO_MEMORY, "%ld: %s", count, err.text);
    }
    ck_assert_int_gt(failures, 10);
    expect_bdseq(store, 11);
    store->free(store);
}
END_TEST

static Suite *store_suite(void) {
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("sqlite");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, store_files_setup, store_files_teardown);
    tcase_add_test(tests, a_new_store_knows_no_bdseq);
    tcase_add_test(tests, numbers_come_back);
    tcase_add_test(tests, a_saved_number_survives_a_kill);
    tcase_add_test(tests, one_at_a_time);
    tcase_add_test(tests, only_the_owner_may_read);
    tcase_add_test(tests, what_is_no_store_is_refused);
    tcase_add_test(tests, a_smaller_size_holds_from_then_on);
    tcase_add_test(tests, other_databases_are_refused);
    tcase_add_test(tests, a_newer_schema_is_refused);
    tcase_add_test(tests, another_edge_node_is_refused);
    tcase_add_test(tests, a_file_that_cannot_be_written_is_refused);
    tcase_add_test(tests, no_memory_is_survived);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
    sqlite3_mem_methods failing = real_memory;
    failing.xMalloc = fail_malloc;
    failing.xRealloc = fail_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);

    return suite_run(store_suite());
}
