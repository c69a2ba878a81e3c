/* Where a store's file lies: who else can get at it is told, and what somebody put beside it is not believed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "support/blocks.h"
#include "support/store_files.h"
#include "support/suite.h"

static spb_error err;
static const spb_store_options small = {.max_bytes = 1 << 20};

static void make_store(void) {
    store_files_remove();
    spb_store *store = store_files_open(&small);
    ck_assert_int_eq(store->save_bdseq(store, 123, &err), SPB_OK);
    blocks_append(store, 1, 10, 100);
    store->free(store);
}

/* The warning of a store that is opened for use, and of one that is looked into; "": none. */
static const char *warning_of(const char *path, bool is_to_write) {
    static char text[300];
    spb_store *store = NULL;
    spb_status status = is_to_write ? spb_store_open(&store, path, "Plant1", "Edge1", &small, &err)
                                    : spb_store_open_read_only(&store, path, NULL, &err);
    ck_assert_msg(status == SPB_OK, "%s", err.text);
    spb_store_info info = blocks_info(store);
    snprintf(text, sizeof text, "%s", info.warning ? info.warning : "");
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 10);
    store->free(store);
    return text;
}

static void expect_warning(const char *path, const char *words) {
    for (int to_write = 0; to_write <= 1; to_write++) {
        const char *text = warning_of(path, to_write);
        ck_assert_msg(words[0] ? strstr(text, words) && strstr(text, path) : text[0] == '\0', "%s", text);
    }
}

START_TEST(a_file_that_others_can_change_or_read) {
    static const struct {
        unsigned mode;
        const char *words;
    } modes[] = {{0600, ""},
                 {0640, ""},
                 {0666, "others can change it (mode 0666)"},
                 {0660, "others can change it (mode 0660)"},
                 {0602, "others can change it (mode 0602)"},
                 {0644, "others can read it (mode 0644)"}};
    make_store();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(chmod(store_path, modes[i].mode), 0);
        expect_warning(store_path, modes[i].words);
    }
}
END_TEST

START_TEST(a_directory_in_which_everybody_can_put_files) {
    make_store();
    ck_assert_int_eq(chmod(store_directory, 0777), 0);
    expect_warning(store_path, "everybody can put another file in its place");
    ck_assert_int_eq(chmod(store_directory, 01777), 0);
    expect_warning(store_path, "");
}
END_TEST

static void expect_untouched(const char *suffix, const char *content) {
    size_t size;
    uint8_t *bytes = store_files_read(suffix, &size);
    ck_assert(bytes && size == strlen(content) && memcmp(bytes, content, size) == 0);
    free(bytes);
}

/* It may hold samples of a repair that an earlier version did not finish, or be anything else. */
START_TEST(a_file_that_earlier_versions_would_have_taken_is_told) {
    static const char content[] = "the letter to grandmother";
    make_store();
    store_files_write(".salvage", (const uint8_t *)content, strlen(content));
    expect_warning(store_path, "a file of this name with .salvage is not looked at");
    expect_untouched(".salvage", content);
}
END_TEST

/* What lies beside the link is not looked at: the file itself has its log, and is set aside, where it is. */
START_TEST(a_symbolic_link_is_followed_and_told) {
    char link[200], directory[200], log[210];
    make_store();
    snprintf(directory, sizeof directory, "%s/d", store_directory);
    snprintf(link, sizeof link, "%s/d/link.spb", store_directory);
    snprintf(log, sizeof log, "%s-wal", link);
    ck_assert_int_eq(mkdir(directory, 0700), 0);
    ck_assert_int_eq(symlink(store_path, link), 0);
    expect_warning(link, "symbolic link to ");
    ck_assert_ptr_nonnull(strstr(warning_of(link, true), store_path));
    store_files_sql("UPDATE identity SET bdseq = 999");
    expect_warning(link, "symbolic link to "); /* and is repaired */
    struct stat info;
    ck_assert_int_eq(lstat(link, &info), 0);
    ck_assert(S_ISLNK(info.st_mode));
    ck_assert_int_ne(lstat(log, &info), 0);
    ck_assert_int_gt(store_files_count(".corrupt-"), 0);
    unlink(link);
    rmdir(directory);
}
END_TEST

static void expect_refusal(const char *path, const char *words) {
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open(&store, path, "Plant1", "Edge1", &small, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, words), "%s", err.text);
    ck_assert_int_eq(spb_store_open_read_only(&store, path, NULL, &err), SPB_ERR_STORE);
    ck_assert_ptr_null(store);
}

START_TEST(what_is_no_file_is_refused) {
    char path[200];
    snprintf(path, sizeof path, "%s.link", store_path);
    ck_assert_int_eq(symlink("/nowhere/at/all", path), 0);
    expect_refusal(path, "cannot be followed");
    snprintf(path, sizeof path, "%s.fifo", store_path);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_refusal(path, "not a regular file");
    expect_refusal("/dev/zero", "not a regular file");
}
END_TEST

/* SQLite would write to it, or believe it. */
START_TEST(a_file_beside_it_that_is_none_of_its_own_is_refused) {
    static const char content[] = "the letter to grandmother";
    static const char *const suffixes[] = {"-journal", "-wal", "-shm"};
    char target[200], name[200];
    for (int i = 0; i < 6; i++) {
        make_store();
        store_files_write(".letter", (const uint8_t *)content, strlen(content));
        snprintf(target, sizeof target, "%s.letter", store_path);
        snprintf(name, sizeof name, "%s%s", store_path, suffixes[i / 2]);
        unlink(name);
        ck_assert_int_eq(i % 2 == 0 ? symlink(target, name) : link(target, name), 0);
        expect_refusal(store_path, i % 2 == 0 ? "is not a regular file" : "has another name");
        ck_assert_ptr_nonnull(strstr(err.text, suffixes[i / 2]) ? err.text : strstr(err.text, "interrupted"));
        expect_untouched(".letter", content);
    }
}
END_TEST

START_TEST(a_file_of_another_user_beside_it_is_refused) {
    char name[200];
    make_store();
    snprintf(name, sizeof name, "%s-wal", store_path);
    if (chown(name, 65534, 65534) != 0) {
        printf("SKIPPED: a_file_of_another_user_beside_it_is_refused: no permission to give a file away\n");
        return;
    }
    expect_refusal(store_path, "belongs to another user");
    ck_assert_int_eq(chown(store_path, 65534, 65534), 0); /* all of it is his: then it is only told */
    ck_assert_ptr_nonnull(strstr(warning_of(store_path, true), "belongs to another user"));
}
END_TEST

/* The journal of another database would be rolled back into the store. */
START_TEST(a_journal_beside_a_log_is_refused) {
    make_store();
    store_files_write("-journal", (const uint8_t *)"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, "journal that is not its own"), "%s", err.text);
    char name[200];
    snprintf(name, sizeof name, "%s-journal", store_path);
    unlink(name);
    expect_warning(store_path, "");
}
END_TEST

static size_t put_number(uint8_t *to, size_t number) {
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(number >> (24 - 8 * i));
    }
    return 4;
}

/* Nothing is to be rolled back, but the journal says that it is part of a larger one: SQLite opens the file of that
 * name, and deletes it when no journal that it lists is left. */
static size_t journal_of_many(uint8_t *out, const char *name) {
    static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    enum { SECTOR = 512, PAGE = 4096, LOCK_PAGE = 0x40000000 / PAGE + 1 };
    size_t at = SECTOR, sum = 0;
    memset(out, 0, SECTOR);
    memcpy(out, magic, sizeof magic);
    put_number(out + 20, SECTOR);
    put_number(out + 24, PAGE);
    at += put_number(out + at, LOCK_PAGE);
    for (const char *c = name; *c; c++) {
        sum += (size_t)*c;
        out[at++] = (uint8_t)*c;
    }
    at += put_number(out + at, strlen(name));
    at += put_number(out + at, sum);
    memcpy(out + at, magic, sizeof magic);
    return at + sizeof magic;
}

/* Found by fuzzing: SQLite rolls nothing of these back, or all of it, and leaves them where they are, as the file says
 * that it has a log. The next start took them for those of another store. */
START_TEST(a_journal_that_was_rolled_back_is_in_nobodys_way) {
    static const uint8_t magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    static const uint8_t page_sizes[][2] = {{0x10, 0x01}, {0x10, 0x00}};
    for (int i = 0; i < 4; i++) {
        uint8_t journal[8192] = {0};
        char log[200];
        make_store();
        store_files_sql("PRAGMA wal_checkpoint(TRUNCATE)");
        snprintf(log, sizeof log, "%s-wal", store_path);
        unlink(log);
        if (i < 2) {
            size_t size;
            free(store_files_read("", &size));
            memcpy(journal, magic, sizeof magic); /* no pages; the file keeps its size; sectors of 512 bytes */
            journal[18] = (uint8_t)(size / 4096 >> 8);
            journal[19] = (uint8_t)(size / 4096);
            journal[22] = 2;
            memcpy(journal + 26, page_sizes[i], 2);
        } else if (i == 2) {
            memcpy(journal, "no journal", 10);
        }
        store_files_write("-journal", journal, sizeof journal);
        for (int start = 0; start < 3; start++) {
            spb_store *store = NULL;
            spb_status status = spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err);
            ck_assert_msg(status == SPB_OK, "journal %d, start %d: %s", i, start, err.text);
            ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), (size_t)(10 + start));
            blocks_append(store, (uint64_t)(11 + start), (uint64_t)(11 + start), 100);
            ck_assert_int_eq(store->commit(store, &err), SPB_OK);
            store->free(store);
        }
    }
}
END_TEST

START_TEST(a_journal_that_names_another_file_is_refused) {
    static const char content[] = "the letter to grandmother";
    char letter[200], name[200];
    uint8_t journal[1024];
    make_store();
    store_files_write(".letter", (const uint8_t *)content, strlen(content));
    snprintf(letter, sizeof letter, "%s.letter", store_path);
    size_t size = journal_of_many(journal, letter);
    snprintf(name, sizeof name, "%s-wal", store_path);
    store_files_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    unlink(name);
    store_files_write("-journal", journal, size);
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, "-journal names another file"), "%s", err.text);
    expect_untouched(".letter", content);
    snprintf(name, sizeof name, "%s-journal", store_path);
    unlink(name);
    expect_warning(store_path, "");
}
END_TEST

/* The log of another store that holds all of its pages; from malloc. SQLite takes it for that of any file. */
static uint8_t *log_of_another(const char *group_id, const char *node_id, size_t *size) {
    char path[200];
    spb_store *other = NULL;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s.other", store_path);
    ck_assert_int_eq(spb_store_open(&other, path, group_id, node_id, &small, &err), SPB_OK);
    blocks_append(other, 1, 3, 100);
    other->free(other);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    ck_assert_int_eq(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE); VACUUM", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    return store_files_read(".other-wal", size);
}

static void expect_bytes(const char *suffix, const uint8_t *bytes, size_t size) {
    size_t size_now;
    uint8_t *now = store_files_read(suffix, &size_now);
    ck_assert(now && size_now == size && memcmp(now, bytes, size) == 0);
    free(now);
}

/* The owner that it speaks of is another one, so nothing of it gets into the file; without it, all is there again. */
START_TEST(a_log_of_another_store_is_refused_and_changes_nothing) {
    size_t size, log_size;
    char name[200];
    make_store();
    store_files_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    uint8_t *file = store_files_read("", &size), *log = log_of_another("Plant2", "Edge9", &log_size);
    ck_assert_uint_gt(log_size, 10 * 4096);
    store_files_write("-wal", log, log_size);
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open(&store, store_path, "Plant1", "Edge1", &small, &err), SPB_ERR_ARGUMENT);
    ck_assert_msg(strstr(err.text, "Plant2/Edge9"), "%s", err.text);
    expect_bytes("", file, size);
    expect_bytes("-wal", log, log_size);
    snprintf(name, sizeof name, "%s-wal", store_path);
    ck_assert_int_eq(unlink(name), 0);
    expect_warning(store_path, "");
    free(file);
    free(log);
}
END_TEST

/* As SECURITY.md says: nothing in the log tells it from the store's own. */
START_TEST(a_log_of_another_store_of_that_node_takes_the_place_of_what_is_there) {
    size_t log_size;
    make_store();
    spb_store *store = store_files_open(&small);
    uint64_t first_id = blocks_info(store).last_id + 1;
    blocks_append(store, first_id, first_id + 9, 100);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    store->free(store);
    store_files_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    uint8_t *log = log_of_another("Plant1", "Edge1", &log_size);
    store_files_write("-wal", log, log_size);
    free(log);
    store = store_files_open(&small);
    ck_assert_uint_eq(blocks_info(store).last_id, 3);
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 3);
    store->free(store);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("trust");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, store_files_setup, store_files_teardown);
    tcase_add_test(all, a_file_that_others_can_change_or_read);
    tcase_add_test(all, a_directory_in_which_everybody_can_put_files);
    tcase_add_test(all, a_file_that_earlier_versions_would_have_taken_is_told);
    tcase_add_test(all, a_symbolic_link_is_followed_and_told);
    tcase_add_test(all, what_is_no_file_is_refused);
    tcase_add_test(all, a_file_beside_it_that_is_none_of_its_own_is_refused);
    tcase_add_test(all, a_file_of_another_user_beside_it_is_refused);
    tcase_add_test(all, a_journal_beside_a_log_is_refused);
    tcase_add_test(all, a_journal_that_was_rolled_back_is_in_nobodys_way);
    tcase_add_test(all, a_journal_that_names_another_file_is_refused);
    tcase_add_test(all, a_log_of_another_store_is_refused_and_changes_nothing);
    tcase_add_test(all, a_log_of_another_store_of_that_node_takes_the_place_of_what_is_there);
    Suite *suite = suite_create("store_trust");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
