/* Files that are damaged at random, 200 or SPB_DAMAGED_FILES of them: whatever is read is as it was, and there is a
 * store again. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/blocks.h"
#include "support/suite.h"
#include "support/worn_store.h"

#define PAGE 4096

static spb_error err;

static uint64_t random_state;

static size_t next_random(size_t below) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(random_state >> 33) % below;
}

/* Bits, pieces, pages, or the end of the file. */
static size_t spoil(uint8_t *bytes, size_t size) {
    size_t used = next_random(3) ? size / 4 : size; /* there is more at the beginning */
    for (size_t i = 1 + next_random(4); i > 0; i--) {
        size_t at = next_random(used), len = 1 + next_random(next_random(2) ? 3 * PAGE : 30);
        len = len < size - at ? len : size - at;
        switch (next_random(5)) {
        case 0: bytes[at] ^= (uint8_t)(1 << next_random(8)); break;
        case 1: memset(bytes + at, 0, len); break;
        case 2: return at; /* cut off */
        default:
            for (size_t j = 0; j < len; j++) {
                bytes[at + j] = (uint8_t)next_random(256);
            }
        }
    }
    return size;
}

static void spoil_file(const char *suffix) {
    size_t size;
    uint8_t *bytes = store_files_read(suffix, &size);
    if (bytes && size > 0) {
        store_files_write(suffix, bytes, spoil(bytes, size));
    }
    free(bytes);
}

/* Reads all; what can be read is as it was. Returns the samples. */
static uint64_t read_around(spb_store *store) {
    uint64_t from_id = 0, samples = 0;
    bool found = true;
    for (spb_block block; found;) {
        spb_status status = store->read(store, from_id, &block, &found, &err);
        if (status != SPB_OK) {
            ck_assert_int_eq(status, SPB_ERR_STORE);
            ck_assert_msg(block.id >= from_id, "%s", err.text);
            found = true;
        } else if (found) {
            const char *difference = blocks_differ(&block);
            ck_assert_msg(!difference, "block %llu: %s", (unsigned long long)block.id, difference);
            samples += block.samples;
        }
        from_id = block.id + 1;
    }
    return samples;
}

START_TEST(anything_may_be_wrong_with_it) {
    const char *runs = getenv("SPB_DAMAGED_FILES");
    unsigned wanted = runs ? (unsigned)strtoul(runs, NULL, 10) : 200, refused = 0;
    uint64_t samples = 0;
    make_store();
    size_t size, log_size;
    uint8_t *good = store_files_read("", &size), *log = store_files_read("-wal", &log_size);
    for (unsigned seed = 1; seed <= wanted; seed++) {
        random_state = seed;
        store_files_remove();
        store_files_write("", good, size);
        store_files_write("-wal", log, next_random(2) ? log_size : 0);
        spoil_file("");
        if (next_random(3) == 0) {
            spoil_file("-wal");
        }
        spb_store *store = NULL;
        spb_status status = spb_store_open(&store, store_path, "Plant1", "Edge1", &small_store, &err);
        if (status != SPB_OK) { /* nothing in it says that it was one of ours, or a flipped bit that it is another's */
            ck_assert_msg(status == SPB_ERR_ARGUMENT || strstr(err.text, "not a database") ||
                              strstr(err.text, "another program"),
                          "seed %u: %s", seed, err.text);
            refused++;
            continue;
        }
        samples += read_around(store);
        blocks_append(store, 1000, 1001, 100);
        ck_assert_msg(store->commit(store, &err) == SPB_OK, "seed %u: %s", seed, err.text);
        store->free(store);
        store = store_files_open(&small_store);
        read_around(store);
        store->free(store);
    }
    printf("%u damaged files: %u refused as not ours, of the others %.1f %% of the samples\n", wanted, refused,
           (double)samples * 100 / ((double)(wanted - refused) * 55 * 300));
    ck_assert_uint_le(refused, wanted / 20);
    free(good);
    free(log);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("store_spoilt");
    tcase_set_timeout(all, 600);
    tcase_add_checked_fixture(all, store_files_setup, store_files_teardown);
    tcase_add_test(all, anything_may_be_wrong_with_it);
    Suite *suite = suite_create("store_spoilt");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
