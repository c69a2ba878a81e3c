/* Framing encoded metrics again: the same bytes as decoding, changing and encoding would give. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "codec/encode.h"
#include "codec/reframe.h"
#include "support/hex.h"
#include "support/random_payload.h"
#include "support/suite.h"

#define SEEDS 3000

static spb_bytes view(const spb_buffer *buffer) {
    return (spb_bytes){buffer->data, buffer->len};
}

static void encode(spb_buffer *out, const spb_payload_metric *metric) {
    ck_assert_int_eq(spb_encode__metric(out, metric, NULL), SPB_OK);
}

/* Keeps metrics by their alias, or the last byte of their name, as both sides can tell. */
static bool keep_half(void *context, uint64_t alias, spb_str name) {
    (void)context;
    ck_assert((alias != 0) != (name.data != NULL));
    return (alias ? alias : (uint64_t)name.data[name.len - 1]) % 2 == 0;
}

static bool is_kept(const spb_payload_metric *metric) {
    bool by_alias = metric->has_alias && metric->alias != 0;
    return keep_half(NULL, by_alias ? metric->alias : 0, by_alias ? (spb_str){0} : metric->name);
}

START_TEST(framing_gives_the_same_bytes_as_encoding) {
    const uint64_t before_ms = UINT64_C(1) << 32, shift_ms = 86400000;
    spb_buffer metrics = {0}, wanted = {0}, half = {0}, out = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        spb_arena *arena = spb_arena__new((size_t)64 << 20);
        const spb_payload payload = random_payload(arena, seed);
        metrics.len = wanted.len = half.len = out.len = 0;
        uint32_t kept, dropped, wanted_kept = 0;
        for (size_t i = 0; i < payload.metric_count; i++) {
            spb_payload_metric metric = payload.metrics[i];
            encode(&metrics, &metric);
            if (is_kept(&metric)) {
                encode(&half, &metric);
                metric.is_historical = true;
                metric.timestamp_ms += metric.timestamp_ms < before_ms ? shift_ms : 0;
                encode(&wanted, &metric);
                wanted_kept++;
            }
        }
        ck_assert_int_eq(
            spb_reframe__historical(&out, view(&metrics), shift_ms, before_ms, keep_half, NULL, &kept, &dropped),
            SPB_OK);
        ck_assert_msg(out.len == wanted.len && (out.len == 0 || memcmp(out.data, wanted.data, out.len) == 0),
                      "seed %u: other bytes", (unsigned)seed);
        ck_assert_uint_eq(kept, wanted_kept);
        ck_assert_uint_eq(dropped, payload.metric_count - wanted_kept);
        out.len = 0;
        ck_assert_int_eq(spb_reframe__filter(&out, view(&metrics), keep_half, NULL, &kept, &dropped), SPB_OK);
        ck_assert_msg(out.len == half.len && (out.len == 0 || memcmp(out.data, half.data, out.len) == 0),
                      "seed %u: filtered to other bytes", (unsigned)seed);
        ck_assert_uint_eq(kept, wanted_kept);
        spb_arena__free(arena);
    }
    spb_buffer__clear(&metrics);
    spb_buffer__clear(&wanted);
    spb_buffer__clear(&half);
    spb_buffer__clear(&out);
}
END_TEST

START_TEST(framing_twice_changes_nothing_more) {
    spb_buffer metrics = {0}, once = {0}, twice = {0};
    for (uint64_t seed = 0; seed < SEEDS / 10; seed++) {
        spb_arena *arena = spb_arena__new((size_t)64 << 20);
        const spb_payload payload = random_payload(arena, seed);
        metrics.len = once.len = twice.len = 0;
        uint32_t kept, dropped;
        for (size_t i = 0; i < payload.metric_count; i++) {
            encode(&metrics, &payload.metrics[i]);
        }
        spb_reframe__historical(&once, view(&metrics), 0, 0, NULL, NULL, &kept, &dropped);
        ck_assert_uint_eq(kept, payload.metric_count);
        ck_assert_uint_eq(dropped, 0);
        spb_reframe__historical(&twice, view(&once), 0, 0, NULL, NULL, &kept, &dropped);
        ck_assert(once.len == twice.len && (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
        spb_arena__free(arena);
    }
    spb_buffer__clear(&metrics);
    spb_buffer__clear(&once);
    spb_buffer__clear(&twice);
}
END_TEST

/* One metric with alias 1, and timestamp 1000; where its time goes. */
static uint64_t moved_to(uint64_t timestamp_ms, int64_t shift_ms, uint64_t before_ms) {
    spb_buffer metric = {0}, out = {0};
    spb_payload_metric of = {.has_alias = true, .alias = 1, .has_timestamp = true, .value = spb_int32(7)};
    uint32_t kept, dropped;
    of.timestamp_ms = timestamp_ms;
    encode(&metric, &of);
    ck_assert_int_eq(spb_reframe__historical(&out, view(&metric), shift_ms, before_ms, NULL, NULL, &kept, &dropped),
                     SPB_OK);
    spb_payload *payload;
    ck_assert_int_eq(spb_payload_decode(&payload, view(&out), NULL, NULL), SPB_OK);
    ck_assert(payload->metrics[0].is_historical);
    uint64_t moved_ms = payload->metrics[0].timestamp_ms;
    spb_payload_free(payload);
    spb_buffer__clear(&metric);
    spb_buffer__clear(&out);
    return moved_ms;
}

START_TEST(only_early_timestamps_move_and_none_wraps) {
    ck_assert_uint_eq(moved_to(1000, 500, 1001), 1500);
    ck_assert_uint_eq(moved_to(1001, 500, 1001), 1001);
    ck_assert_uint_eq(moved_to(1000, 500, 0), 1000);
    ck_assert_uint_eq(moved_to(1000, -400, 1001), 600);
    ck_assert_uint_eq(moved_to(1000, -1001, 1001), 0);
    ck_assert_uint_eq(moved_to(1000, INT64_MIN, 1001), 0);
    ck_assert_uint_eq(moved_to(UINT64_MAX - 5, 10, UINT64_MAX), UINT64_MAX);
    ck_assert_uint_eq(moved_to(1000, INT64_C(1700000000000), 1001), UINT64_C(1700000001000)); /* a longer number */
}
END_TEST

static spb_status reframe_hex(const char *text, const char *wanted) {
    spb_bytes metrics = hex_bytes(text), expected = hex_bytes(wanted);
    spb_buffer out = {0};
    uint32_t kept = 9, dropped = 9;
    ck_assert(spb_buffer__append(&out, "before", 6));
    spb_status status = spb_reframe__historical(&out, metrics, 0, 0, NULL, NULL, &kept, &dropped);
    ck_assert_msg(out.len == 6 + expected.len && memcmp(out.data, "before", 6) == 0, "%s", text);
    ck_assert_msg(expected.len == 0 || memcmp(out.data + 6, expected.data, expected.len) == 0, "%s", text);
    ck_assert(status == SPB_OK || (kept == 0 && dropped == 0));
    spb_buffer__clear(&out);
    free((void *)metrics.data);
    free((void *)expected.data);
    return status;
}

START_TEST(the_flag_stands_between_its_neighbours) {
    ck_assert_int_eq(reframe_hex("", ""), SPB_OK);
    ck_assert_int_eq(reframe_hex("1204 1001 5005", "1206 1001 2801 5005"), SPB_OK);           /* before the value */
    ck_assert_int_eq(reframe_hex("1206 1001 3001 3801", "1208 1001 2801 3001 3801"), SPB_OK); /* before transient */
    ck_assert_int_eq(reframe_hex("1206 1001 2800 5005", "1206 1001 2801 5005"), SPB_OK);      /* in its own place */
    ck_assert_int_eq(reframe_hex("1207 1001 a80000 5005", "1206 1001 2801 5005"), SPB_OK);    /* with a long tag */
    ck_assert_int_eq(reframe_hex("1203 0a0161", "1205 0a0161 2801"), SPB_OK);                 /* at the end */
}
END_TEST

START_TEST(what_is_malformed_leaves_nothing_behind) {
    static const char *const texts[] = {
        "12",                            /* no length */
        "1205 1001 5005",                /* longer than the input */
        "1204 1001 5005 0a",             /* another field behind it */
        "1204 1001 5080",                /* a number that does not end */
        "1202 5005",                     /* neither alias nor name */
        "1204 1000 5005",                /* alias 0 is none */
        "1203 0a0261",                   /* a name that does not end */
        "1204 0a01 6110",                /* a tag without a number */
        "1206 1001 1001 5005",           /* a field twice */
        "1206 5005 1001 1805",           /* fields in disorder */
        "1205 0800 1001 18",             /* a name that is a number */
        "1207 1001 1a01 61 5005",        /* a timestamp that is text */
        "1207 1001 2a01 61 5005",        /* a flag that is text */
        "1205 1001 6d0000",              /* a fixed number that does not end */
        "1204 1001 5005 1204 1001 5080", /* the second one */
        "120b 1001 18ffffffffffffffffff 7f",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_msg(reframe_hex(texts[i], "") == SPB_ERR_MALFORMED, "%s", texts[i]);
    }
}
END_TEST

static void encode_at(spb_buffer *out, uint64_t timestamp_ms) {
    encode(out, &(spb_payload_metric){.alias = 300,
                                      .has_alias = true,
                                      .timestamp_ms = timestamp_ms,
                                      .has_timestamp = true,
                                      .omit_datatype = true,
                                      .value = spb_int32(1)});
}

START_TEST(the_span_is_that_of_the_timestamps) {
    spb_buffer metrics = {0};
    uint64_t first_ms = 1, last_ms = 1;
    ck_assert_int_eq(spb_reframe__span(view(&metrics), &first_ms, &last_ms), SPB_ERR_MALFORMED);
    encode_at(&metrics, 700);
    encode_at(&metrics, 900);
    encode_at(&metrics, 500);
    ck_assert_int_eq(spb_reframe__span(view(&metrics), &first_ms, &last_ms), SPB_OK);
    ck_assert_uint_eq(first_ms, 500);
    ck_assert_uint_eq(last_ms, 900);
    metrics.len--;
    ck_assert_int_eq(spb_reframe__span(view(&metrics), &first_ms, &last_ms), SPB_ERR_MALFORMED);
    spb_buffer__clear(&metrics);
}
END_TEST

START_TEST(a_cut_falls_between_metrics) {
    spb_buffer metrics = {0};
    encode_at(&metrics, 700);
    size_t one = metrics.len;
    for (int i = 0; i < 9; i++) {
        encode_at(&metrics, 700);
    }
    ck_assert_uint_eq(spb_reframe__cut(view(&metrics), SIZE_MAX, SIZE_MAX, 0), 10 * one);
    ck_assert_uint_eq(spb_reframe__cut(view(&metrics), SIZE_MAX, 3, 0), 3 * one);
    ck_assert_uint_eq(spb_reframe__cut(view(&metrics), 4 * one, SIZE_MAX, 0), 4 * one);
    ck_assert_uint_eq(spb_reframe__cut(view(&metrics), 4 * one, SIZE_MAX, 1), 3 * one);
    ck_assert_uint_eq(spb_reframe__cut(view(&metrics), one - 1, SIZE_MAX, 0), 0);
    metrics.len--; /* what is malformed is for others to judge */
    ck_assert_uint_eq(spb_reframe__cut(view(&metrics), SIZE_MAX, SIZE_MAX, 0), 10 * one - 1);
    spb_buffer__clear(&metrics);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("reframe");
    tcase_add_test(all, framing_gives_the_same_bytes_as_encoding);
    tcase_add_test(all, framing_twice_changes_nothing_more);
    tcase_add_test(all, only_early_timestamps_move_and_none_wraps);
    tcase_add_test(all, the_flag_stands_between_its_neighbours);
    tcase_add_test(all, what_is_malformed_leaves_nothing_behind);
    tcase_set_timeout(all, 110);
    tcase_add_test(all, the_span_is_that_of_the_timestamps);
    tcase_add_test(all, a_cut_falls_between_metrics);
    Suite *suite = suite_create("reframe");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
