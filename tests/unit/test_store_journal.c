/* What every store of ours owes: the same tests for the one in memory and the one in a file. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/blocks.h"
#include "support/store_files.h"
#include "support/suite.h"

#define TEXT(literal)                                                                                                  \
    { .data = literal, .len = sizeof(literal) - 1 }

static spb_store *store;
static spb_error err;

static void open_memory(const spb_store_options *options) {
    ck_assert_msg(spb_store_new_in_memory(&store, options, &err) == SPB_OK, "%s", err.text);
}

static void (*open_store)(const spb_store_options *options);

static void open_sqlite(const spb_store_options *options) {
    store = store_files_open(options);
}

static void open_without_sync(const spb_store_options *options) {
    spb_store_options with = options ? *options : (spb_store_options){0};
    with.sync = SPB_STORE_SYNC_NORMAL;
    open_sqlite(&with);
}

static void setup_memory(void) {
    open_store = open_memory;
}

static void setup_sqlite(void) {
    open_store = open_sqlite;
    store_files_setup();
}

static void setup_without_sync(void) {
    open_store = open_without_sync;
    store_files_setup();
}

static void close_store(void) {
    if (store) {
        store->free(store);
        store = NULL;
    }
}

static void teardown(void) {
    close_store();
    if (open_store != open_memory) {
        store_files_teardown();
    }
}

static void commit(void) {
    ck_assert_msg(store->commit(store, &err) == SPB_OK, "%s", err.text);
}

static void confirm(uint64_t first_id, uint64_t last_id) {
    ck_assert_msg(store->confirm(store, first_id, last_id, &err) == SPB_OK, "%s", err.text);
}

/* The counters agree with what can be read. */
static void expect_balance(void) {
    spb_store_info info = blocks_info(store);
    uint64_t from_id = 0, blocks = 0, samples = 0, bytes = 0;
    bool found = true;
    for (spb_block block; found;) {
        ck_assert_int_eq(store->read(store, from_id, &block, &found, &err), SPB_OK);
        if (found) {
            blocks++;
            samples += block.samples;
            bytes += block.metrics.len;
            from_id = block.id + 1;
        }
    }
    ck_assert_uint_eq(info.blocks, blocks);
    ck_assert_uint_eq(info.samples, samples);
    ck_assert_uint_eq(info.bytes, bytes);
}

START_TEST(an_empty_journal_has_nothing) {
    open_store(NULL);
    blocks_expect(store, 1, 0);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_eq(info.last_id, 0);
    ck_assert_uint_eq(info.samples, 0);
    ck_assert_uint_eq(info.oldest_ms, 0);
    ck_assert_ptr_null(info.damage);
    confirm(0, UINT64_MAX);
    commit();
}
END_TEST

START_TEST(blocks_come_back_as_they_were) {
    open_store(NULL);
    blocks_append(store, 1, 20, 7);
    blocks_expect(store, 1, 20); /* before a commit, too */
    commit();
    blocks_append(store, 25, 29, 1); /* ids may have gaps */
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 25);
    commit();
    ck_assert_uint_eq(blocks_read(store, 0, NULL, 0), 25);
    ck_assert_uint_eq(blocks_read(store, 20, NULL, 0), 6);
    ck_assert_uint_eq(blocks_read(store, 21, NULL, 0), 5);
    ck_assert_uint_eq(blocks_read(store, 30, NULL, 0), 0);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_eq(info.last_id, 29);
    ck_assert_uint_eq(info.samples, 20 * 7 + 5);
    ck_assert_uint_eq(info.bytes, 21 * info.samples);
    ck_assert_uint_eq(info.oldest_ms, BLOCKS_FIRST_MS + 1000);
}
END_TEST

START_TEST(blocks_of_any_size_come_back) {
    static const uint32_t sizes[] = {0, 1, 10, 190, 193, 194, 195, 200, 1000, 4000};
    open_store(NULL);
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 10; i++) {
            blocks_append(store, round * 10 + i + 1, round * 10 + i + 1, sizes[i]);
        }
        commit();
    }
    blocks_expect(store, 1, 20);
    expect_balance();
}
END_TEST

START_TEST(what_is_confirmed_is_not_read_again) {
    open_store(NULL);
    blocks_append(store, 1, 10, 3);
    commit();
    blocks_append(store, 11, 20, 3);
    confirm(1, 4);
    confirm(15, 20); /* some that were committed, and some that were not */
    blocks_expect(store, 5, 14);
    expect_balance();
    confirm(7, 12);
    uint64_t ids[4];
    ck_assert_uint_eq(blocks_read(store, 0, ids, 4), 4);
    ck_assert(ids[0] == 5 && ids[1] == 6 && ids[2] == 13 && ids[3] == 14);
    commit();
    ck_assert_uint_eq(blocks_read(store, 0, ids, 4), 4);
    confirm(7, 12); /* once more changes nothing */
    expect_balance();
    confirm(0, UINT64_MAX);
    commit();
    blocks_expect(store, 1, 0);
    blocks_append(store, 21, 22, 3);
    commit();
    blocks_expect(store, 21, 22);
    ck_assert_uint_eq(blocks_info(store).last_id, 22);
}
END_TEST

START_TEST(ids_grow) {
    open_store(NULL);
    blocks_append(store, 5, 5, 1);
    spb_block same = blocks_make(5, 1), lower = blocks_make(4, 1);
    ck_assert_int_eq(store->append(store, &same, &err), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(store->append(store, &lower, &err), SPB_ERR_ARGUMENT);
    confirm(5, 5);
    ck_assert_int_eq(store->append(store, &same, &err), SPB_ERR_ARGUMENT);
    commit();
    ck_assert_int_eq(store->append(store, &same, &err), SPB_ERR_ARGUMENT);
    blocks_append(store, 6, 6, 1);
    blocks_expect(store, 6, 6);
}
END_TEST

START_TEST(the_oldest_give_way) {
    open_store(&(spb_store_options){.max_bytes = 1 << 20});
    uint64_t appended = 0;
    for (uint64_t id = 1; id <= 400; id++, appended += 500) { /* 4 MiB */
        blocks_append(store, id, id, 500);
        if (id % 4 == 0) {
            commit();
        }
    }
    spb_store_info info = blocks_info(store);
    ck_assert_uint_lt(info.bytes, 1 << 20);
    ck_assert_uint_gt(info.bytes, 1 << 18);
    ck_assert_uint_eq(info.samples + info.dropped_full, appended);
    ck_assert_uint_eq(info.last_id, 400);
    blocks_expect(store, 400 - info.blocks + 1, 400);
    ck_assert_uint_eq(info.oldest_ms, BLOCKS_FIRST_MS + 1000 * (400 - info.blocks + 1));
    expect_balance();
}
END_TEST

START_TEST(or_the_newest_are_not_taken) {
    open_store(&(spb_store_options){.max_bytes = 1 << 20, .policy = SPB_STORE_DROP_NEWEST});
    uint64_t id = 1;
    spb_status status = SPB_OK;
    for (; status == SPB_OK; id += status == SPB_OK) {
        spb_block block = blocks_make(id, 500);
        status = store->append(store, &block, &err);
        if (id % 4 == 0) {
            commit();
        }
    }
    ck_assert_int_eq(status, SPB_ERR_LIMIT);
    ck_assert_msg(strstr(err.text, "too much"), "%s", err.text);
    commit();
    blocks_expect(store, 1, id - 1);
    spb_store_info info = blocks_info(store);
    ck_assert_uint_gt(info.bytes, 1 << 18);
    ck_assert_uint_eq(info.dropped_full, 0);
    confirm(1, id / 2); /* now there is room again */
    commit();
    blocks_append(store, id, id, 500);
    commit();
    blocks_expect(store, id / 2 + 1, id);
}
END_TEST

START_TEST(a_block_that_is_too_large_is_refused) {
    for (int policy = SPB_STORE_DROP_OLDEST; policy <= SPB_STORE_DROP_NEWEST; policy++) {
        open_store(&(spb_store_options){.max_bytes = 1 << 20, .policy = (spb_store_policy)policy});
        blocks_append(store, 1, 1, 10);
        spb_block block = blocks_make(2, 60000);
        ck_assert_int_eq(store->append(store, &block, &err), SPB_ERR_LIMIT);
        blocks_append(store, 2, 2, 7800); /* 160 KiB; the id was not used up */
        commit();
        blocks_expect(store, 1, 2);
        confirm(0, 2);
        commit();
        close_store();
        if (open_store != open_memory) {
            store_files_remove();
        }
    }
}
END_TEST

START_TEST(a_twentieth_of_it_is_not_too_large) {
    static const uint64_t sizes[] = {4, 16, 64};
    for (int i = 0; i < 3; i++) {
        open_store(&(spb_store_options){.max_bytes = sizes[i] << 20});
        blocks_append(store, 1, 3, (uint32_t)((sizes[i] << 20) / 20 / 21));
        commit();
        blocks_expect(store, 1, 3);
        confirm(0, 3);
        commit();
        close_store();
        if (open_store != open_memory) {
            store_files_remove();
        }
    }
}
END_TEST

START_TEST(what_is_too_old_is_dropped) {
    open_store(NULL);
    blocks_append(store, 1, 10, 5);
    ck_assert_int_eq(store->expire(store, BLOCKS_FIRST_MS + 1000, &err), SPB_OK);
    blocks_expect(store, 1, 10);
    ck_assert_int_eq(store->expire(store, BLOCKS_FIRST_MS + 10999, &err), SPB_OK);
    blocks_append(store, 11, 11, 5);
    ck_assert_uint_le(blocks_info(store).dropped_age, 9 * 5); /* some may stay */
    expect_balance();
    ck_assert_int_eq(store->expire(store, BLOCKS_FIRST_MS + 12000, &err), SPB_OK);
    commit();
    blocks_expect(store, 12, 11);
    ck_assert_uint_eq(blocks_info(store).dropped_age, 11 * 5);
}
END_TEST

static spb_block of_boot(uint64_t id, uint64_t boot, uint64_t first_ms, uint64_t last_ms) {
    spb_block block = blocks_make(id, 2);
    block.boot = boot;
    block.first_ms = first_ms;
    block.last_ms = last_ms;
    return block;
}

static int64_t shift_of(uint64_t id) {
    return blocks_read_one(store, id).shift_ms;
}

START_TEST(a_clock_that_is_set_later_shifts_its_run) {
    const uint64_t boot = UINT64_C(0xfedcba9876543210);
    const int64_t offset = INT64_C(1760000000000);
    open_store(NULL);
    spb_block block = of_boot(1, boot, 5000, 6000);
    ck_assert_int_eq(store->append(store, &block, &err), SPB_OK);
    block = of_boot(2, 77, 7000, 8000);
    ck_assert_int_eq(store->append(store, &block, &err), SPB_OK);
    blocks_append(store, 3, 3, 1);
    ck_assert_uint_eq(blocks_info(store).oldest_ms, 0);                            /* not known yet */
    ck_assert_int_eq(store->expire(store, UINT64_C(1761000000000), &err), SPB_OK); /* drops what is known to be old */
    ck_assert_int_eq(shift_of(1), 0);
    ck_assert_int_eq(store->save_clock(store, boot, offset, &err), SPB_OK);
    ck_assert_int_eq(shift_of(1), offset);
    ck_assert_int_eq(shift_of(2), 0);
    commit();
    ck_assert_int_eq(shift_of(1), offset);
    ck_assert_int_eq(shift_of(2), 0);
    ck_assert_uint_eq(blocks_info(store).oldest_ms, 5000 + (uint64_t)offset);
    ck_assert_int_eq(store->save_clock(store, 77, offset + 1, &err), SPB_OK);
    ck_assert_int_eq(shift_of(2), offset + 1);
    ck_assert_int_eq(store->expire(store, UINT64_C(1761000000000), &err), SPB_OK);
    commit();
    blocks_expect(store, 4, 3);
    ck_assert_uint_eq(blocks_info(store).dropped_age, 5);
}
END_TEST

START_TEST(what_is_kept_says_for_whom) {
    open_store(NULL);
    blocks_append(store, 1, 9, 10);
    ck_assert_int_eq(store->keep(store, UINT64_MAX, 2, 3, &err), SPB_OK);
    ck_assert_int_eq(store->keep(store, UINT64_MAX, 5, 5, &err), SPB_OK);
    ck_assert_int_eq(store->keep(store, UINT64_MAX, 4, 4, &err), SPB_OK);
    blocks_expect_kept(store, UINT64_MAX, 2, 5);
    commit();
    blocks_expect_kept(store, UINT64_MAX, 2, 5);
    ck_assert_uint_eq(blocks_info(store).samples, 90);
    ck_assert_int_eq(store->keep(store, 7, 9, 9, &err), SPB_OK); /* for another one */
    blocks_expect_kept(store, 7, 9, 9);
    ck_assert_int_eq(store->keep(store, 0, 0, 0, &err), SPB_OK);
    blocks_expect_kept(store, 7, 10, 10);
}
END_TEST

static spb_alias seen[8];
static char seen_text[8][64];
static size_t seen_count;

static void note_alias(void *context, const spb_alias *alias) {
    ck_assert_ptr_eq(context, &seen_count);
    ck_assert_uint_lt(seen_count, 8);
    snprintf(seen_text[seen_count], sizeof seen_text[0], "%.*s|%.*s|%d|%lu", (int)alias->device_id.len,
             alias->device_id.data ? alias->device_id.data : "", (int)alias->name.len, alias->name.data,
             (int)alias->type, (unsigned long)alias->alias);
    seen[seen_count++] = *alias;
}

START_TEST(aliases_and_the_bdseq_are_kept) {
    open_store(NULL);
    uint8_t bdseq = 77;
    bool found = true;
    ck_assert_int_eq(store->load_bdseq(store, &bdseq, &found, &err), SPB_OK);
    ck_assert(!found && bdseq == 77);
    ck_assert_int_eq(store->save_bdseq(store, 200, &err), SPB_OK);
    ck_assert_int_eq(store->load_bdseq(store, &bdseq, &found, &err), SPB_OK);
    ck_assert(found && bdseq == 200);

    const spb_alias first[] = {
        {.name = TEXT("Temperature"), .type = SPB_DOUBLE, .alias = 1},
        {.device_id = TEXT("Press"), .name = TEXT("Temperature"), .type = SPB_FLOAT, .alias = UINT32_MAX}};
    const spb_alias second[] = {
        {.device_id = TEXT("Öfen"), .name = TEXT("Süd/Größe"), .type = SPB_STRING_ARRAY, .alias = 2}};
    ck_assert_int_eq(store->save_aliases(store, first, 2, &err), SPB_OK);
    ck_assert_int_eq(store->save_aliases(store, second, 1, &err), SPB_OK);
    ck_assert_int_eq(store->save_aliases(store, NULL, 0, &err), SPB_OK);
    seen_count = 0;
    ck_assert_int_eq(store->load_aliases(store, note_alias, &seen_count, &err), SPB_OK);
    ck_assert_uint_eq(seen_count, 3);
    const char *const wanted[] = {"|Temperature|10|1", "Press|Temperature|9|4294967295", "Öfen|Süd/Größe|33|2"};
    for (int i = 0; i < 3; i++) {
        bool is_there = false;
        for (int j = 0; j < 3; j++) {
            is_there |= strcmp(seen_text[j], wanted[i]) == 0;
        }
        ck_assert_msg(is_there, "%s is missing; there is %s", wanted[i], seen_text[i]);
    }
}
END_TEST

START_TEST(options_out_of_range_are_refused) {
    static const spb_store_options bad[] = {
        {.max_bytes = 1000}, {.max_bytes = UINT64_MAX}, {.policy = (spb_store_policy)2}, {.sync = (spb_store_sync)7}};
    for (int i = 0; i < 4; i++) {
        spb_store *made = (spb_store *)&err;
        ck_assert_int_eq(spb_store_new_in_memory(&made, &bad[i], &err), SPB_ERR_ARGUMENT);
        ck_assert_ptr_null(made);
    }
}
END_TEST

/* Appends, confirms and commits at random; a plain array of flags says what must be there. */
START_TEST(random_use_keeps_the_balance) {
    uint32_t random = 12345 + (uint32_t)_i;
    bool is_there[2001] = {false};
    open_store(NULL);
    uint64_t last_id = 0;
    for (int step = 0; step < 600; step++) {
        random = random * 1664525u + 1013904223u;
        uint32_t choice = random >> 24, number = (random >> 8) & 0xffff;
        if (choice < 128) {
            last_id += 1 + number % 3;
            blocks_append(store, last_id, last_id, number % 300);
            is_there[last_id] = true;
        } else if (choice < 192) {
            commit();
        } else {
            uint64_t first = number % (last_id + 5), last = first + choice % 16;
            confirm(first, last);
            for (uint64_t id = first; id <= last && id <= last_id; id++) {
                is_there[id] = false;
            }
        }
    }
    uint64_t ids[2001];
    size_t count = blocks_read(store, 0, ids, 2001), wanted = 0;
    for (uint64_t id = 0; id <= last_id; id++) {
        wanted += is_there[id];
    }
    ck_assert_uint_eq(count, wanted);
    for (size_t i = 0; i < count; i++) {
        ck_assert(is_there[ids[i]]);
    }
    expect_balance();
}
END_TEST

static void add_tests(Suite *suite, const char *name, void (*setup)(void)) {
    TCase *all = tcase_create(name);
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, an_empty_journal_has_nothing);
    tcase_add_test(all, blocks_come_back_as_they_were);
    tcase_add_test(all, blocks_of_any_size_come_back);
    tcase_add_test(all, what_is_confirmed_is_not_read_again);
    tcase_add_test(all, ids_grow);
    tcase_add_test(all, the_oldest_give_way);
    tcase_add_test(all, or_the_newest_are_not_taken);
    tcase_add_test(all, a_block_that_is_too_large_is_refused);
    tcase_add_test(all, a_twentieth_of_it_is_not_too_large);
    tcase_add_test(all, what_is_too_old_is_dropped);
    tcase_add_test(all, a_clock_that_is_set_later_shifts_its_run);
    tcase_add_test(all, what_is_kept_says_for_whom);
    tcase_add_test(all, aliases_and_the_bdseq_are_kept);
    tcase_add_test(all, options_out_of_range_are_refused);
    tcase_add_loop_test(all, random_use_keeps_the_balance, 0, 10);
    suite_add_tcase(suite, all);
}

int main(void) {
    Suite *suite = suite_create("store_journal");
    add_tests(suite, "memory", setup_memory);
    add_tests(suite, "file", setup_sqlite);
    add_tests(suite, "file, sync normal", setup_without_sync);
    return suite_run(suite);
}
