/* What hostile or damaged input gets: a status, a place, and no more stack or heap than allowed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "support/hex.h"
#include "support/suite.h"

static void refused(spb_bytes wire, const spb_limits *limits, spb_status status, size_t offset, const char *text) {
    spb_payload *payload = (spb_payload *)1;
    spb_error err = {0};
    ck_assert_str_eq(spb_status_name(spb_payload_decode(&payload, wire, limits, &err)), spb_status_name(status));
    ck_assert_ptr_null(payload);
    ck_assert_int_eq(err.status, status);
    ck_assert_str_eq(err.text, text);
    ck_assert_uint_eq(err.offset, offset);
}

static void refused_hex(const char *hex, spb_status status, size_t offset, const char *text) {
    spb_bytes wire = hex_bytes(hex);
    refused(wire, NULL, status, offset, text);
    free((void *)(uintptr_t)wire.data);
}

START_TEST(damage_is_named_with_its_place) {
    /* At the top. */
    refused_hex("08", SPB_ERR_TRUNCATED, 0, "timestamp: the input ends in this field");
    refused_hex("08 80", SPB_ERR_TRUNCATED, 0, "timestamp: the input ends in this field");
    refused_hex("08 ffffffffffffffffffff01", SPB_ERR_MALFORMED, 0, "timestamp: a varint is longer than 64 bits");
    refused_hex("22 808080808000", SPB_ERR_MALFORMED, 0, "uuid: a length that is longer than it may be");
    refused_hex("08 ffffffffffffffffff02", SPB_ERR_MALFORMED, 0, "timestamp: a varint is longer than 64 bits");
    refused_hex("18 01 00 00", SPB_ERR_MALFORMED, 2, "payload: not a field number");
    refused_hex("0a 01 41", SPB_ERR_MALFORMED, 0, "timestamp: the field has the wrong wire type");
    refused_hex("10 01", SPB_ERR_MALFORMED, 0, "metrics[0]: the field has the wrong wire type");
    refused_hex("0b 0c", SPB_ERR_MALFORMED, 0, "timestamp: the field has the wrong wire type");
    refused_hex("33 34", SPB_ERR_MALFORMED, 0, "field_6: a wire type that Sparkplug does not use");
    refused_hex("12 05 0a 01 78", SPB_ERR_TRUNCATED, 0, "metrics[0]: the input ends in this field");
    /* In a metric. */
    refused_hex("12 00", SPB_ERR_MALFORMED, 1, "metrics[0]: a metric with neither name nor alias");
    refused_hex("12 02 10 01 12 02 18 01", SPB_ERR_MALFORMED, 7,
                "metrics[1].timestamp: a metric with neither name nor alias");
    refused_hex("12 02 10 01 12 04 0a 02 61 ff", SPB_ERR_MALFORMED, 9, "metrics[1].name: not UTF-8");
    refused_hex("12 04 0a 03 61 62 18 01", SPB_ERR_MALFORMED, 2,
                "metrics[0].name: the field reaches beyond the end of its message");
    refused_hex("12 04 10 01 69 00", SPB_ERR_TRUNCATED, 4, "metrics[0].double_value: the input ends in this field");
    refused_hex("12 06 10 01 42 00 42 00", SPB_ERR_MALFORMED, 6,
                "metrics[0].metadata: a field that may stand once stands here twice");
    refused_hex("12 06 10 01 20 14 50 01", SPB_ERR_TYPE, 6, "metrics[0].int_value: a datatype that cannot stand here");
    refused_hex("12 07 10 01 20 01 50 80 02", SPB_ERR_RANGE, 6,
                "metrics[0].int_value: int_value 256 does not fit Int8");
    refused_hex("12 06 10 01 20 0c 50 01", SPB_ERR_TYPE, 6, "metrics[0].int_value: int_value cannot carry String");
    refused_hex("12 0a 10 01 20 17 82 01 03 00 00 00", SPB_ERR_MALFORMED, 6,
                "metrics[0].bytes_value: Int16Array of 3 bytes, not a multiple of 2");
    /* Counts that disagree. */
    refused_hex("12 07 10 01 4a 03 0a 01 61", SPB_ERR_MALFORMED, 5,
                "metrics[0].properties: a property set with not as many values as keys");
    refused_hex("12 07 10 01 8a 01 02 08 01", SPB_ERR_MALFORMED, 6,
                "metrics[0].dataset_value: num_of_columns, columns and types of the DataSet disagree");
    refused_hex("12 0e 10 01 8a 01 09 08 01 12 01 61 18 03 22 00", SPB_ERR_MALFORMED, 14,
                "metrics[0].dataset_value.rows[0]: a row with not as many elements as there are columns");
}
END_TEST

START_TEST(the_path_leads_into_nested_things) {
    /* metrics[1].template_value.metrics[2].datatype is not a varint */
    refused_hex("12 02 10 00 12 13 10 01 92 01 0e 12 02 10 02 12 02 10 03 12 04 10 04 22 00", SPB_ERR_MALFORMED, 23,
                "metrics[1].template_value.metrics[2].datatype: the field has the wrong wire type");
    refused_hex("12 0f 10 01 4a 0b 0a 01 61 12 06 08 14 4a 02 0a 01", SPB_ERR_TRUNCATED, 15,
                "metrics[0].properties.values[0].propertyset_value.keys[0]: the input ends in this field");
}
END_TEST

/* A later schema, or a vendor, may add fields. */
START_TEST(unknown_fields_are_skipped_when_they_are_whole) {
    spb_bytes wire =
        hex_bytes("32 03 ff ff ff 38 05 12 0f 10 01 a0 01 07 f9 07 00 00 00 00 00 00 00 00 a5 06 01 02 03 04");
    spb_payload *payload;
    ck_assert_int_eq(spb_payload_decode(&payload, wire, NULL, NULL), SPB_OK);
    ck_assert_uint_eq(payload->metric_count, 1);
    ck_assert_uint_eq(payload->metrics[0].alias, 1);
    spb_payload_free(payload);
    wire.len--;
    refused(wire, NULL, SPB_ERR_TRUNCATED, 24, "field_100: the input ends in this field");
    free((void *)(uintptr_t)wire.data);
}
END_TEST

/* A metric in a template in a metric …, from the inside out. */
static spb_bytes nested_templates(size_t wanted_len) {
    uint8_t *end = malloc(wanted_len + 64), *p = end + wanted_len + 64;
    uint8_t *buffer = end;
    end = p;
    size_t len = 0;
    while (len < wanted_len) {
        uint8_t head[16], *h = head;
        size_t value = len;
        *h++ = 0x10; /* alias 1 */
        *h++ = 1;
        *h++ = 0x92; /* template_value */
        *h++ = 0x01;
        for (; value >= 0x80; value >>= 7) {
            *h++ = (uint8_t)(value | 0x80);
        }
        *h++ = (uint8_t)value;
        size_t metric_len = len + (size_t)(h - head);
        uint8_t outer[8], *o = outer;
        *o++ = 0x12; /* metrics, of the payload and of a template alike */
        for (value = metric_len; value >= 0x80; value >>= 7) {
            *o++ = (uint8_t)(value | 0x80);
        }
        *o++ = (uint8_t)value;
        p -= h - head;
        memcpy(p, head, (size_t)(h - head));
        p -= o - outer;
        memcpy(p, outer, (size_t)(o - outer));
        len = (size_t)(end - p);
    }
    memmove(buffer, p, len);
    return (spb_bytes){buffer, len};
}

START_TEST(nesting_ends_at_the_limit) {
    spb_bytes wire = nested_templates(34550);
    spb_error err;
    spb_payload *payload;
    ck_assert_int_eq(spb_payload_decode(&payload, wire, NULL, &err), SPB_ERR_LIMIT);
    ck_assert_ptr_null(payload);
    ck_assert_msg(strstr(err.text, "...: nested deeper than the limit max_depth") != NULL, "%s", err.text);
    ck_assert_msg(strncmp(err.text, "metrics[0].template_value.metrics[0].template_value", 51) == 0, "%s", err.text);
    free((void *)(uintptr_t)wire.data);

    for (size_t depth = 1; depth <= 40; depth++) {
        const spb_limits limits = {.max_depth = depth};
        wire = nested_templates(8 * depth); /* some number of levels, of 6 to 9 bytes */
        size_t levels = 0;
        for (size_t i = 0; i + 1 < wire.len; i++) {
            levels += wire.data[i] == 0x92 && wire.data[i + 1] == 0x01;
        }
        bool fits = levels <= depth && levels <= 32;
        ck_assert_int_eq(spb_payload_decode(&payload, wire, &limits, &err), fits ? SPB_OK : SPB_ERR_LIMIT);
        spb_payload_free(payload);
        free((void *)(uintptr_t)wire.data);
    }
}
END_TEST

START_TEST(two_megabytes_of_empty_metrics_are_refused) {
    size_t len = 2 * 1024 * 1024;
    uint8_t *bytes = malloc(len);
    for (size_t i = 0; i < len; i += 2) {
        bytes[i] = 0x12;
        bytes[i + 1] = 0;
    }
    refused((spb_bytes){bytes, len}, NULL, SPB_ERR_MALFORMED, 1, "metrics[0]: a metric with neither name nor alias");
    free(bytes);
}
END_TEST

START_TEST(heap_stays_within_its_limit) {
    const size_t count = 500000; /* 2 MB that become 40 MB of structs */
    uint8_t *bytes = malloc(4 * count);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + 4 * i, "\x12\x02\x10\x01", 4);
    }
    const spb_bytes wire = {bytes, 4 * count};
    spb_payload *payload;
    spb_error err;
    const spb_limits small = {.max_heap_bytes = 20 << 20};
    ck_assert_int_eq(spb_payload_decode(&payload, wire, &small, &err), SPB_ERR_LIMIT);
    ck_assert_str_eq(err.text, "the payload needs more heap than the limit max_heap_bytes");
    const spb_limits few = {.max_metrics = count - 1};
    ck_assert_int_eq(spb_payload_decode(&payload, wire, &few, &err), SPB_ERR_LIMIT);
    ck_assert_uint_eq(err.offset, 4 * (count - 1));
    const spb_limits enough = {.max_heap_bytes = 50 << 20, .max_metrics = count};
    ck_assert_int_eq(spb_payload_decode(&payload, wire, &enough, &err), SPB_OK);
    ck_assert_uint_eq(payload->metric_count, count);
    spb_payload_free(payload);
    free(bytes);
}
END_TEST

START_TEST(each_limit_is_kept) {
    spb_bytes wire = hex_bytes("12 07 0a 05 68 65 6c 6c 6f");
    refused(wire, &(spb_limits){.max_string_bytes = 4}, SPB_ERR_LIMIT, 2,
            "metrics[0].name: longer than the limit max_string_bytes");
    refused(wire, &(spb_limits){.max_payload_bytes = 8}, SPB_ERR_LIMIT, SPB_NO_OFFSET,
            "a payload of 9 bytes, the limit max_payload_bytes is 8");
    refused(wire, &(spb_limits){.max_heap_bytes = 10}, SPB_ERR_LIMIT, SPB_NO_OFFSET,
            "the payload needs more heap than the limit max_heap_bytes");
    spb_payload *payload;
    const spb_limits exact = {.max_string_bytes = 5, .max_payload_bytes = 9, .max_metrics = 1};
    ck_assert_int_eq(spb_payload_decode(&payload, wire, &exact, NULL), SPB_OK);
    spb_payload_free(payload);
    free((void *)(uintptr_t)wire.data);
}
END_TEST

/* Calls `use` with each captured payload, in a block of exactly its size. */
static void for_each_captured(void (*use)(uint8_t *bytes, size_t len)) {
    static char line[1 << 16];
    FILE *file = fopen(TEST_DATA_DIR "/js-edge.tsv", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        spb_bytes wire = hex_bytes(strrchr(line, '\t') + 1);
        use((uint8_t *)(uintptr_t)wire.data, wire.len);
        free((void *)(uintptr_t)wire.data);
    }
    fclose(file);
}

/* Whatever comes: an answer that is consistent in itself. */
static void survives(const uint8_t *bytes, size_t len) {
    spb_payload *payload;
    spb_error err = {.status = SPB_OK};
    spb_status status = spb_payload_decode(&payload, (spb_bytes){bytes, len}, NULL, &err);
    ck_assert_int_eq(err.status, status);
    ck_assert_int_eq(payload != NULL, status == SPB_OK);
    ck_assert(status == SPB_OK || (err.text[0] != '\0' && err.offset <= len));
    uint8_t *again;
    size_t again_len;
    if (payload && spb_payload_encode(payload, NULL, &again, &again_len, NULL) == SPB_OK) {
        spb_payload *second;
        ck_assert_int_eq(spb_payload_decode(&second, (spb_bytes){again, again_len}, NULL, NULL), SPB_OK);
        spb_payload_free(second);
        spb_free(again);
    }
    spb_payload_free(payload);
}

static void cut_everywhere(uint8_t *bytes, size_t len) {
    for (size_t cut = 0; cut < len; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        memcpy(exact, bytes, cut);
        survives(exact, cut);
        free(exact);
    }
}

static void flip_everywhere(uint8_t *bytes, size_t len) {
    static const uint8_t flips[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
    for (size_t i = 0; i < len; i++) {
        for (size_t j = 0; j < sizeof flips; j++) {
            bytes[i] ^= flips[j];
            survives(bytes, len);
            bytes[i] ^= flips[j];
        }
    }
}

START_TEST(every_truncation_is_survived) {
    for_each_captured(cut_everywhere);
}
END_TEST

START_TEST(every_flipped_bit_is_survived) {
    for_each_captured(flip_everywhere);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("preflight");
    TCase *cases = tcase_create("preflight");
    tcase_add_test(cases, damage_is_named_with_its_place);
    tcase_add_test(cases, the_path_leads_into_nested_things);
    tcase_add_test(cases, unknown_fields_are_skipped_when_they_are_whole);
    tcase_add_test(cases, nesting_ends_at_the_limit);
    tcase_add_test(cases, two_megabytes_of_empty_metrics_are_refused);
    tcase_add_test(cases, heap_stays_within_its_limit);
    tcase_add_test(cases, each_limit_is_kept);
    tcase_add_test(cases, every_truncation_is_survived);
    tcase_add_test(cases, every_flipped_bit_is_survived);
    tcase_set_timeout(cases, 60);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
