/* What a file tells the next process of blocks that have arrived and are kept for hosts. */
#include <check.h>
#include <stdio.h>

#include "store/kept.h"
#include "support/blocks.h"
#include "support/store_files.h"
#include "support/suite.h"

static spb_store *store;
static spb_error err;

static void setup(void) {
    store_files_setup();
    store = store_files_open(NULL);
}

static void teardown(void) {
    store->free(store);
    store_files_teardown();
}

static void commit(void) {
    ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
}

static void reopen_store(void) {
    store->free(store);
    store = store_files_open(NULL);
}

START_TEST(what_is_kept_is_known_after_a_restart) {
    const uint64_t host = UINT64_MAX;
    blocks_append(store, 1, 9, 10);
    ck_assert_int_eq(store->keep(store, host, 2, 3, &err), SPB_OK);
    ck_assert_int_eq(store->keep(store, host, 5, 5, &err), SPB_OK);
    ck_assert_int_eq(store->keep(store, host, 4, 4, &err), SPB_OK);
    blocks_expect_kept(store, host, 2, 5);
    commit();
    ck_assert_uint_eq(blocks_info(store).samples, 90);
    reopen_store();
    blocks_expect_kept(store, host, 2, 5);
    ck_assert_uint_eq(blocks_info(store).kept_samples, 40);
    ck_assert_int_eq(store->keep(store, 7, 9, 9, &err), SPB_OK); /* for another one */
    commit();
    reopen_store();
    blocks_expect_kept(store, 7, 9, 9);
    ck_assert_int_eq(store->confirm(store, 9, 9, &err), SPB_OK);
    blocks_append(store, 10, 10, 10);
    commit();
    reopen_store();
    ck_assert_uint_eq(blocks_info(store).kept_samples, 0);
    ck_assert_int_eq(store->keep(store, 7, 1, 8, &err), SPB_OK);
    commit();
    ck_assert_int_eq(store->keep(store, 0, 0, 0, &err), SPB_OK);
    commit();
    reopen_store();
    ck_assert_uint_eq(blocks_read_one(store, 1).kept_for, 0);
}
END_TEST

START_TEST(of_many_ranges_the_newest_are_kept) {
    blocks_append(store, 1, 200, 1);
    for (uint64_t id = 2; id <= 200; id += 2) {
        ck_assert_int_eq(store->keep(store, 1, id, id, &err), SPB_OK);
    }
    commit();
    reopen_store();
    ck_assert_uint_eq(blocks_read_one(store, 200).kept_for, 1);
    ck_assert_uint_eq(blocks_read_one(store, 199).kept_for, 0);
    ck_assert_uint_eq(blocks_read_one(store, 2).kept_for, 0);
    ck_assert_uint_eq(blocks_info(store).kept_samples, 32);
}
END_TEST

/* Any program may have written it. */
START_TEST(what_cannot_be_kept_is_not_believed) {
    static const char *const texts[] = {"",
                                        " ",
                                        "5",
                                        "0 2-3",
                                        "5 3-2",
                                        "5 2-3 3-4",
                                        "5 2-99",
                                        "5 2-",
                                        "5 -3",
                                        "5 2-3 ",
                                        "5 2-3x",
                                        "5  2-3",
                                        "-5 2-3",
                                        "5 2_3",
                                        "99999999999999999999 2-3",
                                        "5 2-99999999999999999999",
                                        "5 0-3"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char sql[128];
        store->free(store);
        store_files_remove();
        store = store_files_open(NULL);
        blocks_append(store, 1, 9, 10);
        commit();
        store->free(store);
        snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO meta VALUES ('kept', '%s')", texts[i]);
        store_files_sql(sql);
        store = store_files_open(NULL);
        ck_assert_ptr_null(blocks_info(store).damage);
        for (uint64_t id = 1; id <= 9; id++) {
            ck_assert_msg(blocks_read_one(store, id).kept_for == 0, "'%s' was believed for %u", texts[i], (unsigned)id);
        }
        blocks_append(store, 10, 10, 1);
        commit();
    }
}
END_TEST

START_TEST(the_longest_text_has_room) {
    char text[SPB_KEPT_TEXT_BYTES];
    spb_kept kept = {.kept_for = 0}, again = {.kept_for = 0};
    for (uint64_t i = 0; i < 2 * SPB_KEPT_MOST_RANGES; i++) {
        ck_assert_int_eq(spb_kept__add(&kept, UINT64_MAX, UINT64_MAX - 1 - 10 * i, UINT64_MAX - 10 * i, &err), SPB_OK);
    }
    spb_kept__write(&kept, text);
    spb_kept__read(&again, text, UINT64_MAX);
    ck_assert_uint_eq(again.kept_for, UINT64_MAX);
    ck_assert_uint_eq(again.ids.count, SPB_KEPT_MOST_RANGES);
    ck_assert_uint_eq(spb_kept__of(&again, UINT64_MAX), UINT64_MAX);
    spb_kept__clear(&kept);
    spb_kept__clear(&again);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("store_kept");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, what_is_kept_is_known_after_a_restart);
    tcase_add_test(all, of_many_ranges_the_newest_are_kept);
    tcase_add_test(all, what_cannot_be_kept_is_not_believed);
    tcase_add_test(all, the_longest_text_has_room);
    Suite *suite = suite_create("store_kept");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
