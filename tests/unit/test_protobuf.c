/* Payloads as structs of a program's own protobuf-c code, and back; and its unpack for input from outside. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/protobuf.h>

#include "base/arena.h"
#include "support/hex.h"
#include "support/random_payload.h"
#include "support/suite.h"
#include "tahu.pb-c.h"

typedef Org__Eclipse__Tahu__Protobuf__Payload pb_payload;
#define DESCRIPTOR (&org__eclipse__tahu__protobuf__payload__descriptor)

static void free_theirs(ProtobufCMessage *message) {
    org__eclipse__tahu__protobuf__payload__free_unpacked((pb_payload *)message, NULL);
}

START_TEST(payloads_become_their_structs_and_come_back) {
    size_t converted = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        spb_arena *arena = spb_arena__new((size_t)64 << 20);
        spb_payload payload = random_payload(arena, seed);
        ProtobufCMessage *theirs;
        spb_payload *back;
        uint8_t *bytes, *again;
        size_t len, again_len;
        spb_error err;
        ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
        spb_status status = spb_protobuf_from_payload(&theirs, DESCRIPTOR, &payload, NULL, &err);
        if (memchr(bytes, '\0', len) && status == SPB_ERR_MALFORMED) { /* plain text may hold a NUL */
            ck_assert_ptr_nonnull(strstr(err.text, "holds a NUL"));
            ck_assert_ptr_null(theirs);
        } else {
            ck_assert_msg(status == SPB_OK, "seed %d: %s", (int)seed, err.text);
            ck_assert_uint_eq(((pb_payload *)theirs)->n_metrics, payload.metric_count);
            ck_assert_int_eq(spb_protobuf_to_payload(&back, theirs, NULL, &err), SPB_OK);
            ck_assert_int_eq(spb_payload_encode(back, NULL, &again, &again_len, NULL), SPB_OK);
            ck_assert_uint_eq(again_len, len);
            ck_assert_mem_eq(again, bytes, len);
            spb_free(again);
            spb_payload_free(back);
            free_theirs(theirs);
            converted++;
        }
        spb_free(bytes);
        spb_arena__free(arena);
    }
    ck_assert_uint_gt(converted, 100);
}
END_TEST

START_TEST(their_structs_are_judged_like_any_payload) {
    pb_payload payload = ORG__ECLIPSE__TAHU__PROTOBUF__PAYLOAD__INIT;
    Org__Eclipse__Tahu__Protobuf__Payload__Metric metric = ORG__ECLIPSE__TAHU__PROTOBUF__PAYLOAD__METRIC__INIT;
    Org__Eclipse__Tahu__Protobuf__Payload__Metric *metrics[] = {&metric};
    metric.name = (char *)(uintptr_t) "m";
    metric.has_datatype = true;
    metric.datatype = SPB_INT8;
    metric.value_case = ORG__ECLIPSE__TAHU__PROTOBUF__PAYLOAD__METRIC__VALUE_INT_VALUE;
    metric.int_value = 200;
    payload.metrics = metrics;
    payload.n_metrics = 1;
    spb_payload *ours;
    spb_error err;
    ck_assert_int_eq(spb_protobuf_to_payload(&ours, &payload.base, NULL, &err), SPB_OK);
    ck_assert_int_eq(ours->metrics[0].value.as.i64, -56);
    spb_payload_free(ours);
    metric.int_value = 300;
    ck_assert_int_eq(spb_protobuf_to_payload(&ours, &payload.base, NULL, &err), SPB_ERR_RANGE);
    ck_assert_ptr_null(ours);
    ck_assert_str_eq(err.text, "metrics[0].int_value: int_value 300 does not fit Int8");
    ck_assert_int_eq(spb_protobuf_to_payload(&ours, &metric.base, NULL, &err), SPB_ERR_ARGUMENT);
    ck_assert_str_eq(err.text, "org.eclipse.tahu.protobuf.Payload.Metric differs from Payload of Sparkplug B");
}
END_TEST

static void refused(spb_bytes wire, const spb_limits *limits, spb_status status, size_t offset, const char *text) {
    ProtobufCMessage *theirs = (ProtobufCMessage *)1;
    spb_error err = {0};
    ck_assert_str_eq(spb_status_name(spb_protobuf_unpack(&theirs, DESCRIPTOR, wire, limits, &err)),
                     spb_status_name(status));
    ck_assert_ptr_null(theirs);
    ck_assert_str_eq(err.text, text);
    ck_assert_uint_eq(err.offset, offset);
}

START_TEST(hostile_input_is_bounded) {
    /* 406 bytes of templates in one another overflow a stack of 128 KiB in protobuf-c alone. */
    uint8_t deep[400];
    size_t at = sizeof deep;
    while (at > 11) {
        const size_t inner = sizeof deep - at;
        const uint8_t head[] = {0x12, (uint8_t)((inner + 7) | 0x80), (uint8_t)((inner + 7) >> 7), 0x10, 1, 0x92,
                                0x01, (uint8_t)(inner | 0x80),       (uint8_t)(inner >> 7)};
        at -= sizeof head;
        memcpy(deep + at, head, sizeof head);
        deep[at + 1] = (uint8_t)((inner + 6) | 0x80);
        deep[at + 2] = (uint8_t)((inner + 6) >> 7);
    }
    spb_error err;
    ProtobufCMessage *theirs;
    const spb_bytes templates = {deep + at, sizeof deep - at};
    ck_assert_int_eq(spb_protobuf_unpack(&theirs, DESCRIPTOR, templates, NULL, &err), SPB_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "nested deeper than the limit max_depth"));

    const size_t count = 100000;
    uint8_t *bytes = malloc(4 * count);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + 4 * i, "\x12\x02\x10\x01", 4);
    }
    refused((spb_bytes){bytes, 4 * count}, &(spb_limits){.max_heap_bytes = 10 << 20}, SPB_ERR_LIMIT, SPB_NO_OFFSET,
            "the payload needs more heap than the limit max_heap_bytes");
    ck_assert_int_eq(spb_protobuf_unpack(&theirs, DESCRIPTOR, (spb_bytes){bytes, 4 * count}, NULL, &err), SPB_OK);
    free_theirs(theirs);
    free(bytes);
}
END_TEST

/* What the struct cannot hold is not cut. */
START_TEST(text_with_a_nul_is_refused) {
    spb_bytes wire = hex_bytes("12 05 0a 03 61 00 62");
    refused(wire, NULL, SPB_ERR_MALFORMED, 5, "metrics[0].name: holds a NUL, where protobuf-c would cut it");
    free((void *)(uintptr_t)wire.data);
    wire = hex_bytes("22 01 61 12 03 0a 01 62"); /* an empty one and others are fine */
    ProtobufCMessage *theirs;
    ck_assert_int_eq(spb_protobuf_unpack(&theirs, DESCRIPTOR, wire, NULL, NULL), SPB_OK);
    ck_assert_str_eq(((pb_payload *)theirs)->uuid, "a");
    free_theirs(theirs);
    ck_assert_int_eq(spb_protobuf_unpack(&theirs, DESCRIPTOR, (spb_bytes){NULL, 0}, NULL, NULL), SPB_OK);
    ck_assert_uint_eq(((pb_payload *)theirs)->n_metrics, 0);
    free_theirs(theirs);
    free((void *)(uintptr_t)wire.data);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("protobuf");
    TCase *cases = tcase_create("protobuf");
    tcase_add_test(cases, payloads_become_their_structs_and_come_back);
    tcase_add_test(cases, their_structs_are_judged_like_any_payload);
    tcase_add_test(cases, hostile_input_is_bounded);
    tcase_add_test(cases, text_with_a_nul_is_refused);
    tcase_set_timeout(cases, 60);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
