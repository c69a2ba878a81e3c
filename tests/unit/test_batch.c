/* Samples that wait, cut into messages. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/batch.h"
#include "support/suite.h"

static bool add(spb_batch *batch, const char *text, uint64_t timestamp_ms, size_t max_bytes) {
    spb_buffer metric = {.data = (uint8_t *)text, .len = strlen(text), .capacity = strlen(text)};
    ck_assert(spb_batch__reserve(batch, metric.len));
    return spb_batch__append(batch, &metric, timestamp_ms,
                             &(spb_batch_limits){.full_bytes = max_bytes, .full_samples = UINT32_MAX});
}

static void take(spb_batch *batch, const char *wanted, uint32_t wanted_samples) {
    spb_bytes front = spb_batch__metrics(batch, 0);
    ck_assert_uint_eq(front.len, strlen(wanted));
    ck_assert_mem_eq(front.data, wanted, front.len);
    ck_assert_uint_eq(spb_batch__segment(batch, 0)->samples, wanted_samples);
    spb_batch__pop(batch);
}

START_TEST(samples_share_a_message_until_it_has_its_size) {
    spb_batch batch = {0};
    ck_assert(add(&batch, "aaa", 1, 6));
    ck_assert(!add(&batch, "bbb", 1, 6));
    ck_assert(add(&batch, "ccc", 1, 6));
    ck_assert_uint_eq(spb_batch__size(&batch), 9);
    take(&batch, "aaabbb", 2);
    take(&batch, "ccc", 1);
    ck_assert(spb_batch__is_empty(&batch));
    spb_batch__clear(&batch);
}
END_TEST

START_TEST(an_older_sample_begins_a_new_message) {
    spb_batch batch = {0};
    add(&batch, "a", 5, 100);
    ck_assert(!add(&batch, "b", 5, 100));
    ck_assert(add(&batch, "c", 4, 100));
    ck_assert(!add(&batch, "d", 9, 100));
    take(&batch, "ab", 2);
    take(&batch, "cd", 2);
    spb_batch__clear(&batch);
}
END_TEST

START_TEST(what_is_dropped_is_counted) {
    spb_batch batch = {0};
    for (int i = 0; i < 100; i++) {
        add(&batch, "abc", 1, 10);
    }
    spb_batch__pop(&batch); /* four of them */
    ck_assert_uint_eq(spb_batch__drop(&batch), 96);
    ck_assert(spb_batch__is_empty(&batch));
    ck_assert_uint_eq(spb_batch__drop(&batch), 0);
    spb_batch__clear(&batch);
}
END_TEST

START_TEST(a_batch_that_never_empties_does_not_grow) {
    spb_batch batch = {0};
    for (int i = 0; i < 10; i++) {
        add(&batch, "abcdefgh", 1, 8);
    }
    for (int i = 0; i < 10000; i++) {
        add(&batch, i % 2 ? "ABCDEFGH" : "12345678", 1, 8);
        take(&batch, i < 10 ? "abcdefgh" : i % 2 ? "ABCDEFGH" : "12345678", 1);
    }
    ck_assert_uint_eq(spb_batch__size(&batch), 80);
    ck_assert_uint_lt(batch.bytes.capacity, 1000);
    ck_assert_uint_lt(batch.capacity, 100);
    spb_batch__clear(&batch);
}
END_TEST

START_TEST(the_steady_state_allocates_nothing) {
    spb_batch batch = {0};
    add(&batch, "abcdefgh", 1, 100);
    take(&batch, "abcdefgh", 1);
    const uint8_t *bytes = batch.bytes.data;
    const spb_segment *segments = batch.segments;
    for (int i = 0; i < 100; i++) {
        add(&batch, "abcdefgh", 1, 100);
        take(&batch, "abcdefgh", 1);
    }
    ck_assert_ptr_eq(batch.bytes.data, bytes);
    ck_assert_ptr_eq(batch.segments, segments);
    spb_batch__clear(&batch);
}
END_TEST

START_TEST(the_memory_of_a_burst_is_given_back) {
    spb_batch batch = {0};
    char big[1001];
    memset(big, 'x', 1000);
    big[1000] = '\0';
    for (int i = 0; i < 1000; i++) {
        add(&batch, big, 1, 100);
    }
    spb_batch__drop(&batch);
    ck_assert_uint_le(batch.bytes.capacity, 128 * 1024);
    spb_batch__clear(&batch);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("batch");
    tcase_add_test(all, samples_share_a_message_until_it_has_its_size);
    tcase_add_test(all, an_older_sample_begins_a_new_message);
    tcase_add_test(all, what_is_dropped_is_counted);
    tcase_add_test(all, a_batch_that_never_empties_does_not_grow);
    tcase_add_test(all, the_steady_state_allocates_nothing);
    tcase_add_test(all, the_memory_of_a_burst_is_given_back);
    Suite *suite = suite_create("batch");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
