/* Damaged files: set aside, read as far as they can be, and told of; whatever is wrong, there is a store again. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/blocks.h"
#include "support/suite.h"
#include "support/worn_store.h"

#define PAGE 4096

static spb_error err;

static void count_alias(void *context, const spb_alias *alias) {
    ck_assert_uint_ge(alias->alias, 1);
    ++*(int *)context;
}

static int count_aliases(spb_store *store) {
    int count = 0;
    ck_assert_int_eq(store->load_aliases(store, count_alias, &count, &err), SPB_OK);
    return count;
}

static int bdseq_of(spb_store *store) {
    uint8_t bdseq = 0;
    bool found;
    ck_assert_msg(store->load_bdseq(store, &bdseq, &found, &err) == SPB_OK, "%s", err.text);
    return found ? bdseq : -1;
}

/* Overwrites a part of the file, as `with` has it. */
static void overwrite(size_t offset, const void *with, size_t len) {
    size_t size;
    uint8_t *bytes = store_files_read("", &size);
    ck_assert_uint_le(offset + len, size);
    memcpy(bytes + offset, with, len);
    store_files_write("", bytes, size);
    free(bytes);
}

static void expect_set_aside(spb_store *store, int files) {
    spb_store_info info = blocks_info(store);
    ck_assert_ptr_nonnull(info.damage);
    ck_assert_msg(strstr(info.damage, ".corrupt-20"), "%s", info.damage);
    ck_assert_int_eq(store_files_count(".corrupt-"), 2 * files); /* each with its log */
    ck_assert_int_eq(store_files_count(".repair"), 0);
}

/* It works as any other one, also after a restart. */
static void expect_good(spb_store *store, uint64_t next_id) {
    uint64_t before = blocks_read(store, 0, NULL, 0);
    ck_assert_uint_eq(blocks_info(store).blocks, before);
    blocks_append(store, next_id, next_id + 2, 100);
    ck_assert_int_eq(store->save_bdseq(store, 9, &err), SPB_OK);
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    store->free(store);
    store = store_files_open(&small_store);
    ck_assert_ptr_null(blocks_info(store).damage);
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), before + 3);
    ck_assert_int_eq(bdseq_of(store), 9);
    store->free(store);
}

START_TEST(a_damaged_header_costs_nothing) {
    make_store();
    uint8_t zeros[100] = {0};
    size_t size, aside_size;
    overwrite(0, zeros, sizeof zeros);
    uint8_t *log = store_files_read("-wal", &size);
    store_files_write("-wal", log, 0); /* it has a header of its own in it, and would bring this one back */
    free(log);
    spb_store *store = store_files_open(&small_store);
    expect_set_aside(store, 1);
    ck_assert_int_eq(bdseq_of(store), 123);
    ck_assert_int_eq(count_aliases(store), 2);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_eq(info.blocks, 55);
    ck_assert_uint_eq(info.salvaged, 55 * 300);
    ck_assert_uint_eq(info.dropped_damage, 0);
    ck_assert_uint_eq(info.last_id, 60);
    uint8_t *aside = store_files_read("", &aside_size);
    free(aside);
    expect_good(store, 61);
}
END_TEST

START_TEST(damaged_blocks_are_lost_and_counted_and_the_others_are_not) {
    make_store();
    size_t size;
    uint8_t *bytes = store_files_read("", &size);
    spb_block victim = blocks_make(40, 300);
    size_t at = 0; /* the metrics of block 40 begin in a page of the table, and go on in others */
    while (at + 64 < size && memcmp(bytes + at, victim.metrics.data + 1000, 64) != 0) {
        at++;
    }
    ck_assert_uint_lt(at + 64, size);
    bytes[at + 10] ^= 4; /* a single bit */
    store_files_write("", bytes, size);
    free(bytes);

    spb_store *store = store_files_open(&small_store);
    ck_assert_ptr_null(blocks_info(store).damage); /* not known yet */
    spb_block block;
    bool found;
    ck_assert_int_eq(store->read(store, 40, &block, &found, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, "block 40"), "%s", err.text);
    ck_assert_uint_eq(block.id, 40);
    ck_assert(!found);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_eq(info.dropped_damage, 300);
    ck_assert_ptr_nonnull(info.damage);
    ck_assert_uint_eq(info.blocks, 54);
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 54); /* it is not tried again */
    ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    store->free(store);
    store = store_files_open(&small_store);
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 54);
    expect_good(store, 61);
}
END_TEST

/* What this process knows, and the file does not yet, outlives the file: what waits, and what was confirmed. */
START_TEST(damage_at_run_time_takes_nothing_that_waits) {
    make_store();
    store_files_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    size_t size;
    uint8_t *bytes = store_files_read("", &size);
    uint8_t garbage[PAGE];
    memset(garbage, 0xa5, sizeof garbage);
    spb_block victim = blocks_make(20, 300);
    size_t at = 0; /* the metrics end in the page of the table, with those of its neighbours */
    while (at + 32 < size && memcmp(bytes + at, victim.metrics.data, 32) != 0) {
        at++;
    }
    free(bytes);
    ck_assert_uint_lt(at + 32, size);
    overwrite(at / PAGE * PAGE, garbage, sizeof garbage);
    spb_store *store = store_files_open(&small_store);
    ck_assert_ptr_null(blocks_info(store).damage);
    ck_assert_int_eq(store->confirm(store, 50, 52, &err), SPB_OK);
    blocks_append(store, 61, 63, 300);
    uint64_t ids[64];
    size_t count = blocks_read(store, 0, ids, 64);
    expect_set_aside(store, 1);
    ck_assert_uint_lt(count, 55);
    ck_assert_uint_gt(count, 40);
    for (size_t i = 0; i < count; i++) {
        ck_assert(ids[i] < 50 || ids[i] > 52);
    }
    ck_assert(ids[count - 3] == 61 && ids[count - 2] == 62 && ids[count - 1] == 63);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_eq(info.blocks, count);
    ck_assert_uint_eq(info.dropped_damage, (55 - count) * 300); /* 3 are confirmed, 3 are new */
    ck_assert_uint_eq(info.last_id, 63);
    expect_good(store, 64);
}
END_TEST

/* Every page of the tables of blocks is damaged once, while the store is used; the log holds none of them. */
START_TEST(a_damaged_page_costs_what_is_in_it) {
    make_store();
    store_files_sql("PRAGMA wal_checkpoint(TRUNCATE)");
    size_t size;
    uint8_t *good = store_files_read("", &size);
    size_t worst = 0;
    for (size_t page = 8; page < size / PAGE && page < 110; page++) {
        store_files_remove();
        uint8_t *bad = malloc(size);
        ck_assert_ptr_nonnull(bad);
        memcpy(bad, good, size);
        memset(bad + page * PAGE, 0xa5, PAGE);
        store_files_write("", bad, size);
        free(bad);
        spb_store *store = store_files_open(&small_store);
        uint64_t from_id = 0, blocks = 0;
        bool found = true;
        for (spb_block block; found;) {
            spb_status status = store->read(store, from_id, &block, &found, &err);
            ck_assert(status == SPB_OK || (status == SPB_ERR_STORE && block.id >= from_id));
            if (status == SPB_OK && found) {
                ck_assert_ptr_null(blocks_differ(&block));
                blocks++;
            }
            found |= status != SPB_OK;
            from_id = block.id + 1;
        }
        ck_assert_int_eq(bdseq_of(store), 123);
        ck_assert_int_eq(count_aliases(store), 2);
        spb_store_info info = blocks_info(store);
        ck_assert_uint_eq(info.blocks, blocks);
        ck_assert_msg(blocks == 55 || info.damage, "%d blocks, and no word of it", (int)blocks);
        ck_assert_uint_eq(info.last_id, 60);
        worst = 55 - blocks > worst ? (size_t)(55 - blocks) : worst;
        store->free(store);
    }
    free(good);
    ck_assert_uint_gt(worst, 0);
    ck_assert_uint_le(worst, 30); /* the root of a segment */
}
END_TEST

START_TEST(a_damaged_identity_is_made_anew) {
    static const char *const damages[] = {"UPDATE identity SET bdseq = 256",
                                          "DELETE FROM identity",
                                          "DROP TABLE identity",
                                          "DELETE FROM meta",
                                          "DROP TABLE meta",
                                          "DROP TABLE segment",
                                          "DROP TABLE gone",
                                          "DROP TABLE journal",
                                          "DROP TABLE clock",
                                          "UPDATE alias SET alias = 7 WHERE alias = 1",
                                          "UPDATE segment SET first_id = 99",
                                          "PRAGMA user_version = 1",
                                          "PRAGMA application_id = 77"};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        store_files_remove();
        make_store();
        store_files_sql(damages[i]);
        spb_store *store = store_files_open(&small_store);
        expect_set_aside(store, 1);
        uint64_t blocks = blocks_read(store, 0, NULL, 0);
        ck_assert_msg(blocks == 55 || (blocks == 60 && strstr(damages[i], "gone")), "%s: %d blocks", damages[i],
                      (int)blocks);
        ck_assert_msg(bdseq_of(store) == (i < 3 ? -1 : 123), "%s: bdSeq %d", damages[i], bdseq_of(store));
        ck_assert_int_eq(count_aliases(store), strstr(damages[i], "alias") ? 1 : 2);
        expect_good(store, 61);
    }
}
END_TEST

START_TEST(a_file_of_zeros_is_set_aside) {
    uint8_t *zeros = calloc(1, 100000);
    ck_assert_ptr_nonnull(zeros);
    store_files_write("", zeros, 100000);
    free(zeros);
    spb_store *store = store_files_open(&small_store);
    ck_assert_ptr_nonnull(blocks_info(store).damage);
    ck_assert_int_ge(store_files_count(".corrupt-"), 1);
    ck_assert_int_eq(bdseq_of(store), -1);
    expect_good(store, 1);
}
END_TEST

/* It takes no room on the disk, and hours to read. */
START_TEST(a_file_of_terabytes_of_zeros_is_refused) {
    store_files_remove();
    store_files_write("", (const uint8_t *)"", 0);
    if (truncate(store_path, (off_t)4 << 40) != 0) {
        printf("SKIPPED: a_file_of_terabytes_of_zeros_is_refused: the file system has no such files\n");
        return;
    }
    spb_store *store = NULL;
    ck_assert_int_eq(spb_store_open(&store, store_path, "Plant1", "Edge1", NULL, &err), SPB_ERR_STORE);
    ck_assert_msg(strstr(err.text, "not a database"), "%s", err.text);
    ck_assert_int_eq(store_files_count(".corrupt-"), 0);
}
END_TEST

/* Whatever else is wrong with it, the file of another edge node is not touched. */
START_TEST(a_damaged_file_of_another_node_is_left_alone) {
    make_store();
    store_files_sql("UPDATE identity SET bdseq = 300");
    size_t size, size_after;
    uint8_t *before = store_files_read("", &size);
    spb_store *store = NULL;
    ck_assert_int_ne(spb_store_open(&store, store_path, "Plant1", "Edge2", &small_store, &err), SPB_OK);
    ck_assert_ptr_null(store);
    uint8_t *after = store_files_read("", &size_after);
    ck_assert_uint_eq(size_after, size);
    ck_assert_mem_eq(after, before, size);
    ck_assert_int_eq(store_files_count(".corrupt-"), 0);
    free(before);
    free(after);
}
END_TEST

START_TEST(version_1_becomes_the_present_one) {
    store_files_sql("PRAGMA journal_mode = WAL;"
                    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                    "CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), bdseq INTEGER);"
                    "INSERT INTO identity VALUES (1, 17);"
                    "INSERT INTO meta VALUES ('group_id', 'Plant1'), ('node_id', 'Edge1');"
                    "PRAGMA application_id = 0x53504231; PRAGMA user_version = 1;");
    spb_store *store = store_files_open(&small_store);
    ck_assert_ptr_null(blocks_info(store).damage);
    ck_assert_int_eq(bdseq_of(store), 17);
    expect_good(store, 1);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("store_damage");
    tcase_set_timeout(all, 600);
    tcase_add_checked_fixture(all, store_files_setup, store_files_teardown);
    tcase_add_test(all, a_damaged_header_costs_nothing);
    tcase_add_test(all, damaged_blocks_are_lost_and_counted_and_the_others_are_not);
    tcase_add_test(all, damage_at_run_time_takes_nothing_that_waits);
    tcase_add_test(all, a_damaged_page_costs_what_is_in_it);
    tcase_add_test(all, a_damaged_identity_is_made_anew);
    tcase_add_test(all, a_file_of_zeros_is_set_aside);
    tcase_add_test(all, a_file_of_terabytes_of_zeros_is_refused);
    tcase_add_test(all, a_damaged_file_of_another_node_is_left_alone);
    tcase_add_test(all, version_1_becomes_the_present_one);
    Suite *suite = suite_create("store_damage");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
