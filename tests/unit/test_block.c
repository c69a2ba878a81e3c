/* A block in memory: when it is full, and how it becomes a message where it stands. */
#include <check.h>
#include <string.h>

#include <spb/payload.h>

#include "codec/encode.h"
#include "outbox/block.h"
#include "support/suite.h"

static spb_block_pool pool;
static spb_outbox_block *block;
static const spb_block_limits limits = {.full_bytes = 1000, .full_samples = 3, .most_bytes = 0};

static void setup(void) {
    pool = (spb_block_pool){.free_bytes = 0};
    block = spb_pool__take(&pool);
    ck_assert_ptr_nonnull(block);
}

static void teardown(void) {
    spb_pool__give(&pool, block);
    spb_pool__clear(&pool);
}

static bool add(int32_t value, uint64_t timestamp_ms) {
    spb_buffer metric = {0};
    const spb_value v = spb_int32(value);
    ck_assert(spb_encode__sample(&metric, 7, timestamp_ms, false, &v));
    ck_assert(spb_block__reserve(block, metric.len));
    bool is_full = spb_block__append(block, (spb_bytes){metric.data, metric.len}, timestamp_ms, &limits);
    spb_buffer__clear(&metric);
    return is_full;
}

START_TEST(it_is_framed_where_it_stands) {
    spb_payload *payload;
    add(1, 1000);
    add(2, 1001);
    const uint8_t *metrics = spb_block__metrics(block).data;
    spb_bytes framed = spb_block__frame(block, 1700000000000, 255);
    ck_assert(framed.data < metrics && framed.data + framed.len > metrics);
    ck_assert_int_eq(spb_payload_decode(&payload, framed, NULL, NULL), SPB_OK);
    ck_assert(payload->has_seq && payload->seq == 255 && payload->timestamp_ms == 1700000000000);
    ck_assert_uint_eq(payload->metric_count, 2);
    ck_assert_uint_eq(payload->metrics[1].timestamp_ms, 1001);
    spb_payload_free(payload);
}
END_TEST

START_TEST(framing_changes_no_metric_so_that_it_can_be_framed_again) {
    add(1, 1000);
    spb_bytes before = spb_block__metrics(block);
    uint8_t copy[64];
    ck_assert_uint_le(before.len, sizeof copy);
    memcpy(copy, before.data, before.len);
    spb_block__frame(block, UINT64_MAX, 255); /* the longest head */
    spb_bytes framed = spb_block__frame(block, 1, 0);
    ck_assert_ptr_nonnull(framed.data);
    spb_bytes after = spb_block__metrics(block);
    ck_assert_uint_eq(after.len, before.len);
    ck_assert_int_eq(memcmp(after.data, copy, after.len), 0);
}
END_TEST

START_TEST(it_is_full_at_its_bytes_or_its_samples) {
    ck_assert(!add(1, 1000));
    ck_assert(!add(2, 1000));
    ck_assert(add(3, 1000));
    ck_assert_uint_eq(block->samples, 3);
}
END_TEST

START_TEST(time_does_not_go_back_in_it_and_the_server_has_its_limit) {
    ck_assert(spb_block__takes(block, 10, 1, &limits)); /* anything as the first */
    add(1, 1000);
    size_t size = spb_block__metrics(block).len;
    const spb_block_limits tight = {.full_bytes = 1000, .full_samples = 100, .most_bytes = size + 10};
    ck_assert(spb_block__takes(block, 10, 1000, &tight));
    ck_assert(!spb_block__takes(block, 10, 999, &tight));
    ck_assert(!spb_block__takes(block, 11, 1000, &tight));
}
END_TEST

START_TEST(what_cannot_join_leaves_it_as_it_was) {
    add(1, 1000);
    const spb_value v = spb_int32(2);
    size_t begin = block->bytes.len;
    ck_assert(spb_encode__sample(&block->bytes, 7, 999, false, &v));
    ck_assert(!spb_block__join(block, begin, 999, &limits)); /* an older one */
    ck_assert_uint_eq(block->bytes.len, begin);
    ck_assert(spb_encode__sample(&block->bytes, 7, 1000, false, &v));
    ck_assert(spb_block__join(block, begin, 1000, &limits));
    begin = block->bytes.len;
    ck_assert(spb_encode__sample(&block->bytes, 7, 1000, false, &v));
    ck_assert(!spb_block__join(block, begin, 1000, &limits)); /* it would be full */
    ck_assert_uint_eq(block->samples, 2);
}
END_TEST

START_TEST(a_block_that_is_given_back_is_the_next_and_knows_nothing_of_before) {
    add(1, 1000);
    block->id = 5;
    spb_outbox_block *given = block;
    spb_pool__give(&pool, block);
    block = spb_pool__take(&pool);
    ck_assert_ptr_eq(block, given);
    ck_assert(block->id == 0 && block->samples == 0 && spb_block__metrics(block).len == 0);
    ck_assert_uint_gt(block->bytes.capacity, 0); /* its memory is used again */
    ck_assert_uint_eq(pool.free_bytes, 0);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("block");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, it_is_framed_where_it_stands);
    tcase_add_test(all, framing_changes_no_metric_so_that_it_can_be_framed_again);
    tcase_add_test(all, it_is_full_at_its_bytes_or_its_samples);
    tcase_add_test(all, time_does_not_go_back_in_it_and_the_server_has_its_limit);
    tcase_add_test(all, what_cannot_join_leaves_it_as_it_was);
    tcase_add_test(all, a_block_that_is_given_back_is_the_next_and_knows_nothing_of_before);
    Suite *suite = suite_create("block");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
