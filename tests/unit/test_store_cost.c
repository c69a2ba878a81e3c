/* What a sample costs: bytes on the disk while it waits, and bytes written over its whole life. */
#include <check.h>
#include <stdlib.h>

#include "support/blocks.h"
#include "support/disk.h"
#include "support/store_files.h"
#include "support/suite.h"

#define SAMPLES 1000 /* in a block: doubles with alias and timestamp, 21 bytes each */

static spb_error err;

static void setup(void) {
    store_files_setup();
    disk_watch(store_path);
}

static void teardown(void) {
    disk_watch("");
    store_files_teardown();
}

static void append(spb_store *store, uint64_t first_id, uint64_t last_id, uint64_t at_once) {
    for (uint64_t id = first_id; id <= last_id; id++) {
        blocks_append(store, id, id, SAMPLES);
        if (id % at_once == 0) {
            ck_assert_int_eq(store->commit(store, &err), SPB_OK);
        }
    }
}

static void expect_cost(spb_store *store, uint64_t blocks, double most) {
    double samples = (double)blocks * SAMPLES, written = (double)disk_written();
    ck_assert_msg(written / samples <= most, "%.1f bytes written per sample", written / samples);
    double told = (double)blocks_info(store).written_bytes;
    ck_assert_msg(told > written * 0.95 && told < written * 1.25, "%.0f bytes written, %.0f told", written, told);
}

START_TEST(thirty_bytes_on_the_disk) {
    const uint64_t max_bytes = 16 << 20;
    spb_store *store = store_files_open(&(spb_store_options){.max_bytes = max_bytes});
    append(store, 1, 1600, 40); /* twice its size */
    spb_store_info info = blocks_info(store);
    ck_assert_msg((double)max_bytes / (double)info.samples <= 30, "%.1f bytes",
                  (double)max_bytes / (double)info.samples);
    expect_cost(store, 1600, 60); /* and dropping the oldest is cheap */
    store->free(store);
    ck_assert_uint_le(disk_peak(), max_bytes);
}
END_TEST

START_TEST(sixty_bytes_in_a_life) {
    spb_store *store = store_files_open(NULL);
    append(store, 1, 1000, 40); /* an outage */
    for (uint64_t id = 1; id <= 1000; id += 10) {
        ck_assert_int_eq(store->confirm(store, id, id + 9, &err), SPB_OK);
        ck_assert_int_eq(store->commit(store, &err), SPB_OK);
    }
    expect_cost(store, 1000, 60);
    ck_assert_uint_eq(blocks_info(store).blocks, 0);
    store->free(store);
}
END_TEST

/* 30,000 samples in each commit, of which each is confirmed right after. */
START_TEST(also_when_each_is_confirmed_at_once) {
    spb_store *store = store_files_open(NULL);
    for (uint64_t id = 30; id <= 3000; id += 30) {
        append(store, id - 29, id, 30);
        ck_assert_int_eq(store->confirm(store, 1, id - 15, &err), SPB_OK);
    }
    expect_cost(store, 3000, 60);
    store->free(store);
}
END_TEST

int main(void) {
    disk_install();
    TCase *all = tcase_create("cost");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, thirty_bytes_on_the_disk);
    tcase_add_test(all, sixty_bytes_in_a_life);
    tcase_add_test(all, also_when_each_is_confirmed_at_once);
    Suite *suite = suite_create("store_cost");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
