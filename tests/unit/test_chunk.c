/* A part of the journal in memory. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/chunk.h"
#include "support/suite.h"

static spb_chunk chunk;

static void setup(void) {
    chunk = (spb_chunk){.number = 1};
}

static void teardown(void) {
    spb_chunk__clear(&chunk);
}

static void add(uint64_t id, const char *device, const char *metrics) {
    spb_block block = {.id = id, .samples = 1, .metrics = {(const uint8_t *)metrics, strlen(metrics)}};
    block.device_id = device ? spb_str_from(device) : (spb_str){0};
    ck_assert(spb_chunk__add(&chunk, &block));
}

START_TEST(blocks_are_copied) {
    char device[] = "Press", metrics[] = "abc";
    add(5, device, metrics);
    add(6, NULL, "de");
    memset(device, 'x', 5);
    memset(metrics, 'x', 3);
    ck_assert(spb_str_equal(spb_chunk__device(&chunk, &chunk.blocks[0]), spb_str_from("Press")));
    ck_assert_ptr_null(spb_chunk__device(&chunk, &chunk.blocks[1]).data);
    ck_assert_mem_eq(spb_chunk__rest(&chunk, &chunk.blocks[0]).data, "abc", 3);
    chunk.blocks[1].sent = 1;
    ck_assert_uint_eq(spb_chunk__rest(&chunk, &chunk.blocks[1]).len, 1);
    ck_assert_mem_eq(spb_chunk__rest(&chunk, &chunk.blocks[1]).data, "e", 1);
}
END_TEST

START_TEST(it_is_sent_when_it_was_read_and_each_block_is_done) {
    add(1, NULL, "a");
    add(2, NULL, "b");
    spb_chunk__finish_block(&chunk, &chunk.blocks[1]);
    ck_assert_uint_eq(chunk.next, 0);
    spb_chunk__finish_block(&chunk, &chunk.blocks[0]);
    ck_assert_uint_eq(chunk.next, 2);
    ck_assert(!spb_chunk__is_sent(&chunk));
    chunk.is_complete = true;
    ck_assert(spb_chunk__is_sent(&chunk));
}
END_TEST

START_TEST(what_was_sent_before_the_last_confirmed_message_is_safe) {
    add(1, NULL, "abcd");
    spb_chunk_block *block = &chunk.blocks[0];
    block->sent = 2;
    block->kept = 1;
    block->last_ordinal = 7;
    spb_chunk__note_arrival(&chunk, block);
    ck_assert_uint_eq(block->safe, 0);
    chunk.confirmed_ordinal = 7;
    spb_chunk__note_arrival(&chunk, block);
    ck_assert_uint_eq(block->safe, 2);
    ck_assert_uint_eq(block->safe_kept, 1);
}
END_TEST

START_TEST(its_memory_is_used_again) {
    for (uint64_t i = 0; i < 100; i++) {
        add(i + 1, "D", "0123456789");
    }
    const void *bytes = chunk.bytes.data, *blocks = chunk.blocks;
    spb_chunk__reset(&chunk);
    ck_assert_uint_eq(chunk.number, 0);
    add(1, "D", "0123456789");
    ck_assert_ptr_eq(chunk.bytes.data, bytes);
    ck_assert_ptr_eq(chunk.blocks, blocks);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("chunk");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, blocks_are_copied);
    tcase_add_test(all, it_is_sent_when_it_was_read_and_each_block_is_done);
    tcase_add_test(all, what_was_sent_before_the_last_confirmed_message_is_safe);
    tcase_add_test(all, its_memory_is_used_again);
    Suite *suite = suite_create("chunk");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
