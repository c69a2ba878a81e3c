/* Payloads by chance: the same bytes as protobuf-c, the same values back, and copies that are equal. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "base/arena.h"
#include "support/random_payload.h"
#include "support/reference.h"
#include "support/suite.h"

#define SEEDS 3000

/* All metrics of both, in everything that the format has. */
static bool same_metrics(const spb_payload *a, const spb_payload *b) {
    const spb_template left = {.metrics = a->metrics, .metric_count = a->metric_count};
    const spb_template right = {.metrics = b->metrics, .metric_count = b->metric_count};
    const spb_value left_value = spb_template_value(&left), right_value = spb_template_value(&right);
    return spb_value_equal(&left_value, &right_value);
}

static bool same_head(const spb_payload *a, const spb_payload *b) {
    return a->has_timestamp == b->has_timestamp && a->timestamp_ms == b->timestamp_ms && a->has_seq == b->has_seq &&
           a->seq == b->seq && spb_str_equal(a->uuid, b->uuid) && a->has_body == b->has_body &&
           a->body.len == b->body.len && (a->body.len == 0 || memcmp(a->body.data, b->body.data, a->body.len) == 0);
}

static void round_trip(const spb_payload *payload, uint64_t seed) {
    uint8_t *bytes;
    size_t len;
    spb_error err;
    const char *difference;
    spb_payload *decoded;
    unsigned long long s = seed;
    ck_assert_msg(spb_payload_encode(payload, NULL, &bytes, &len, &err) == SPB_OK, "seed %llu: %s", s, err.text);
    const spb_bytes wire = {bytes, len};
    ck_assert_msg(reference_packs_same(wire), "seed %llu: protobuf-c packs other bytes", s);
    ck_assert_msg(spb_payload_decode(&decoded, wire, NULL, &err) == SPB_OK, "seed %llu: %s", s, err.text);
    difference = reference_difference(decoded, wire);
    ck_assert_msg(!difference, "seed %llu: protobuf-c reads another %s", s, difference);
    ck_assert_msg(same_head(payload, decoded), "seed %llu: another head", s);
    ck_assert_msg(same_metrics(payload, decoded), "seed %llu: other metrics", s);
    spb_payload_free(decoded);
    spb_free(bytes);
}

START_TEST(payloads_of_every_shape_come_back) {
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        spb_arena *arena = spb_arena__new((size_t)64 << 20);
        const spb_payload payload = random_payload(arena, seed);
        round_trip(&payload, seed);
        spb_arena__free(arena);
    }
}
END_TEST

START_TEST(what_is_added_metric_by_metric_encodes_to_the_same_bytes) {
    for (uint64_t seed = 0; seed < SEEDS / 10; seed++) {
        spb_arena *arena = spb_arena__new((size_t)64 << 20);
        const spb_payload payload = random_payload(arena, seed);
        spb_payload *copy;
        ck_assert_int_eq(spb_payload_new(&copy, NULL), SPB_OK);
        for (size_t i = 0; i < payload.metric_count; i++) {
            ck_assert_int_eq(spb_payload_add_metric(copy, &payload.metrics[i], NULL), SPB_OK);
        }
        ck_assert_msg(same_metrics(&payload, copy), "seed %llu", (unsigned long long)seed);
        spb_arena__free(arena); /* the copy needs nothing of it */
        round_trip(copy, seed);
        spb_payload_free(copy);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("round_trip");
    TCase *cases = tcase_create("round_trip");
    tcase_add_test(cases, payloads_of_every_shape_come_back);
    tcase_add_test(cases, what_is_added_metric_by_metric_encodes_to_the_same_bytes);
    tcase_set_timeout(cases, 110);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
