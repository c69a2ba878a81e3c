/* The repair of a damaged file: interrupted at each step, and with other files at the names that it uses. */
#include <check.h>
#include <errno.h>
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
static const spb_store_options small = {.max_bytes = 1 << 20};

/* ---- an end at each step ---- */

static int step, dies_before, dies_after; /* steps that change names, from 1; 0: at none */
static bool has_no_links;

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

/* As by a kill: nothing tidies up, and valgrind does not look for leaks, as it would in an exit. */
static void die(void) {
    raise(SIGKILL);
}

static void begin_step(void) {
    if (++step == dies_before) {
        die();
    }
}

static int end_step(int result) {
    if (step == dies_after) {
        die();
    }
    return result;
}

int __wrap_rename(const char *from, const char *to) {
    begin_step();
    return end_step(__real_rename(from, to));
}

int __wrap_link(const char *from, const char *to) {
    begin_step();
    int result = has_no_links ? -1 : __real_link(from, to);
    errno = has_no_links ? EPERM : errno;
    return end_step(result);
}

int __wrap_unlink(const char *path) {
    begin_step();
    return end_step(__real_unlink(path));
}

/* ---- files ---- */

static void make(const char *suffix, int bdseq) {
    char path[200];
    spb_store *store = NULL;
    snprintf(path, sizeof path, "%s%s", store_path, suffix);
    ck_assert_msg(spb_store_open(&store, path, "Plant1", "Edge1", &small, &err) == SPB_OK, "%s", err.text);
    ck_assert_int_eq(store->save_bdseq(store, (uint8_t)bdseq, &err), SPB_OK);
    blocks_append(store, 1, 30, 100);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    ck_assert_int_eq(store->confirm(store, 5, 9, &err), SPB_OK);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    store->free(store);
}

/* A store of which the last commits are in the log alone, and whose segments are in disorder. */
static void make_damaged(void) {
    sqlite3 *db;
    store_files_remove();
    make("", 123);
    ck_assert_int_eq(sqlite3_open(store_path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    ck_assert_int_eq(sqlite3_exec(db, "UPDATE segment SET first_id = -5", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ck_assert_int_eq(store_files_count("-wal"), 1);
}

static int bdseq_of(spb_store *store) {
    uint8_t bdseq = 0;
    bool found = false;
    ck_assert_int_eq(store->load_bdseq(store, &bdseq, &found, &err), SPB_OK);
    return found ? bdseq : -1;
}

static void expect_repaired(void) {
    spb_store *store = store_files_open(&small);
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 25);
    ck_assert_int_eq(bdseq_of(store), 123);
    ck_assert_uint_eq(blocks_info(store).last_id, 30);
    store->free(store);
    store = store_files_open(&small);
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 25);
    ck_assert_ptr_null(blocks_info(store).damage);
    store->free(store);
    ck_assert_int_eq(store_files_count(".repair"), 0);
}

/* Opens the damaged file in a process that ends at that step. False: it came to an end before. */
static bool end_at(int before, int after) {
    pid_t pid = fork();
    if (pid == 0) {
        spb_store *store = NULL;
        step = 0;
        dies_before = before;
        dies_after = after;
        spb_status status = spb_store_open(&store, store_path, "Plant1", "Edge1", &small, NULL);
        if (status == SPB_OK) {
            store->free(store);
        }
        _exit(status == SPB_OK ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    bool has_died = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    ck_assert_msg(has_died || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "it could not be opened");
    return has_died;
}

START_TEST(a_repair_that_is_interrupted_is_finished_or_made_anew) {
    for (int kind = 0; kind < 4; kind++) {
        bool has_died = true;
        int steps = 0;
        has_no_links = kind / 2 > 0;
        for (int n = 1; has_died; n++) {
            make_damaged();
            has_died = kind % 2 == 0 ? end_at(n, 0) : end_at(0, n);
            expect_repaired();
            steps += has_died;
        }
        ck_assert_int_ge(steps, 4);
    }
    has_no_links = false;
}
END_TEST

/* Twice, at different steps. */
START_TEST(so_is_one_that_is_interrupted_again) {
    bool has_died = true;
    for (int n = 1; has_died; n++) {
        for (int m = 1; m <= 8; m++) {
            make_damaged();
            has_died = end_at(0, n);
            end_at(m, 0);
            expect_repaired();
        }
    }
}
END_TEST

/* ---- other files of such names ---- */

static void expect_bytes(const char *suffix, const uint8_t *bytes, size_t size) {
    size_t size_after;
    uint8_t *after = store_files_read(suffix, &size_after);
    ck_assert_msg(after && size_after == size && memcmp(after, bytes, size) == 0, "%s has changed", suffix);
    free(after);
}

/* A sound store is never removed, nor is one that somebody put beside it. */
START_TEST(a_store_beside_a_store_changes_nothing) {
    static const char *const suffixes[] = {".salvage", ".repair", ".repair-1", ".corrupt-20300101T000000Z"};
    for (int i = 0; i < 4; i++) {
        store_files_remove();
        make("", 123);
        make(suffixes[i], 50);
        size_t size;
        uint8_t *beside = store_files_read(suffixes[i], &size);
        spb_store *store = store_files_open(&small);
        ck_assert_int_eq(bdseq_of(store), 123);
        ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 25);
        ck_assert_ptr_null(blocks_info(store).damage);
        store->free(store);
        expect_bytes(suffixes[i], beside, size);
        free(beside);
    }
}
END_TEST

/* The same beside a damaged one: the repair takes another name. */
START_TEST(a_store_at_the_name_of_the_repair_stays) {
    make_damaged();
    make(".repair", 50);
    size_t size;
    uint8_t *beside = store_files_read(".repair", &size);
    spb_store *store = store_files_open(&small);
    ck_assert_int_eq(bdseq_of(store), 123);
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 25);
    store->free(store);
    expect_bytes(".repair", beside, size);
    ck_assert_int_eq(store_files_count(".repair-1"), 0);
    free(beside);
}
END_TEST

static void link_to(const char *target, const char *suffix) {
    char name[200];
    snprintf(name, sizeof name, "%s%s", store_path, suffix);
    ck_assert_int_eq(symlink(target, name), 0);
}

START_TEST(a_link_at_the_name_of_the_repair_is_not_followed) {
    static const uint8_t text[] = "the letter to grandmother";
    char target[200];
    make_damaged();
    store_files_write(".letter", text, sizeof text);
    snprintf(target, sizeof target, "%s.letter", store_path);
    link_to(target, ".repair");
    link_to("/nowhere/at/all", ".repair-1");
    spb_store *store = store_files_open(&small);
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 25);
    store->free(store);
    expect_bytes(".letter", text, sizeof text);
    ck_assert_int_eq(store_files_count(".repair"), 2);
}
END_TEST

START_TEST(it_says_so_when_all_names_are_taken) {
    make_damaged();
    link_to("/nowhere/at/all", ".repair");
    for (int i = 1; i < 10; i++) {
        char suffix[20];
        snprintf(suffix, sizeof suffix, ".repair-%d", i);
        link_to("/nowhere/at/all", suffix);
    }
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, ".repair-9"), "%s", err.text);
    spb_store *looked = NULL; /* nothing was lost */
    ck_assert_int_eq(spb_store_open_read_only(&looked, store_path, NULL, &err), SPB_OK);
    looked->free(looked);
}
END_TEST

/* A repair that is finished, for the file that is there or for another one. */
static void make_finished(const char *suffix, unsigned long long inode) {
    char sql[200];
    size_t length = strlen(store_path);
    make(suffix, 50);
    snprintf(sql, sizeof sql,
             "INSERT INTO meta VALUES ('repair', 'finished %llu 25 0'); PRAGMA wal_checkpoint(TRUNCATE)", inode);
    snprintf(store_path + length, sizeof store_path - length, "%s", suffix);
    store_files_sql(sql);
    store_path[length] = '\0';
}

static unsigned long long inode_of(const char *suffix) {
    char path[200];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", store_path, suffix);
    ck_assert_int_eq(stat(path, &info), 0);
    return info.st_ino;
}

static int open_with_repair(unsigned long long inode) {
    make_finished(".repair", inode);
    spb_store *store = store_files_open(&small);
    int bdseq = bdseq_of(store);
    store->free(store);
    return bdseq;
}

START_TEST(a_finished_repair_is_taken_for_the_file_that_it_names) {
    make("", 123);
    ck_assert_int_eq(open_with_repair(inode_of("") + 1), 123);
    ck_assert_int_gt(store_files_count(".repair"), 0);
    store_files_remove();
    make("", 123);
    ck_assert_int_eq(open_with_repair(inode_of("")), 50);
    ck_assert_int_eq(store_files_count(".repair"), 0);
}
END_TEST

START_TEST(a_repair_that_is_older_than_the_file_is_not_taken) {
    make("", 123);
    make_finished(".repair", inode_of(""));
    struct timespec future[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
    ck_assert_int_eq(utimensat(-1, store_path, future, 0), 0);
    spb_store *store = store_files_open(&small);
    ck_assert_int_eq(bdseq_of(store), 123);
    store->free(store);
}
END_TEST

/* Another user's, whatever it says. Only root can make one. */
START_TEST(a_repair_of_another_user_is_not_taken) {
    make("", 123);
    make_finished(".repair", inode_of(""));
    char name[200];
    snprintf(name, sizeof name, "%s.repair", store_path);
    if (chown(name, 65534, 65534) != 0) {
        printf("SKIPPED: a_repair_of_another_user_is_not_taken: no permission to give a file away\n");
        return;
    }
    spb_store *store = store_files_open(&small);
    ck_assert_int_eq(bdseq_of(store), 123);
    store->free(store);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("repair");
    tcase_set_timeout(all, 600);
    tcase_add_checked_fixture(all, store_files_setup, store_files_teardown);
    tcase_add_test(all, a_repair_that_is_interrupted_is_finished_or_made_anew);
    tcase_add_test(all, so_is_one_that_is_interrupted_again);
    tcase_add_test(all, a_store_beside_a_store_changes_nothing);
    tcase_add_test(all, a_store_at_the_name_of_the_repair_stays);
    tcase_add_test(all, a_link_at_the_name_of_the_repair_is_not_followed);
    tcase_add_test(all, it_says_so_when_all_names_are_taken);
    tcase_add_test(all, a_finished_repair_is_taken_for_the_file_that_it_names);
    tcase_add_test(all, a_repair_that_is_older_than_the_file_is_not_taken);
    tcase_add_test(all, a_repair_of_another_user_is_not_taken);
    Suite *suite = suite_create("store_repair");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
