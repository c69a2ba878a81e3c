/* Payloads against the golden vectors and real traffic, both ways; searching and freeing. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "base/buffer.h"
#include "codec/encode.h"
#include "support/hex.h"
#include "support/suite.h"
#include "support/vectors.h"

/* A payload of one metric: name "x", that datatype, and the field given in hex. */
static spb_bytes payload_around(spb_type type, const char *field_hex) {
    static uint8_t wire[512];
    spb_bytes field = hex_bytes(field_hex);
    const uint8_t head[] = {0x12, (uint8_t)(5 + field.len), 0x0a, 1, 'x', 0x20, (uint8_t)type};
    ck_assert_uint_lt(field.len, 122);
    memcpy(wire, head, sizeof head);
    memcpy(wire + sizeof head, field.data, field.len);
    free((void *)(uintptr_t)field.data);
    return (spb_bytes){wire, sizeof head + field.len};
}

static void check_encodes_to(const spb_payload *payload, spb_bytes wanted, const char *what) {
    uint8_t *bytes;
    size_t len;
    spb_error err;
    ck_assert_msg(spb_payload_encode(payload, NULL, &bytes, &len, &err) == SPB_OK, "%s: %s", what, err.text);
    ck_assert_msg(len == wanted.len && memcmp(bytes, wanted.data, len) == 0, "%s: other bytes", what);
    spb_free(bytes);
}

START_TEST(vectors_encode_to_their_canonical_form) {
    vectors all = vectors_load();
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.items[i];
        const spb_payload_metric metric = {.name = spb_str_from("x"), .value = v->value};
        const spb_payload payload = {.metrics = &metric, .metric_count = 1};
        check_encodes_to(&payload, payload_around(v->value.type, v->wire), v->text);
    }
    vectors_free(&all);
}
END_TEST

static void check_decodes_to(const vector *v, const char *wire_hex) {
    spb_payload *payload;
    spb_error err;
    spb_bytes wire = payload_around(v->value.type, wire_hex);
    ck_assert_msg(spb_payload_decode(&payload, wire, NULL, &err) == SPB_OK, "%s: %s", v->text, err.text);
    ck_assert_uint_eq(payload->metric_count, 1);
    const spb_value *got = &payload->metrics[0].value;
    ck_assert_int_eq(got->type, v->value.type);
    ck_assert_int_eq(got->is_null, v->value.is_null);
    ck_assert_msg(spb_value_equal(got, &v->value), "%s %s: another value", spb_type_name(got->type), v->text);
    if (!got->is_null) {
        ck_assert_int_ne(got->wire, SPB_WIRE_NONE);
    }
    spb_payload_free(payload);
}

START_TEST(vectors_decode_in_every_accepted_form) {
    vectors all = vectors_load();
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.items[i];
        check_decodes_to(v, v->wire);
        for (size_t j = 0; v->also[j]; j++) {
            check_decodes_to(v, v->also[j]);
        }
    }
    vectors_free(&all);
}
END_TEST

/* A data message has no datatype: the value of a birth is known to the receiver. */
START_TEST(vectors_resolve_without_a_datatype) {
    vectors all = vectors_load();
    for (size_t i = 0; i < all.count; i++) {
        const vector *v = &all.items[i];
        spb_bytes field = hex_bytes(v->wire);
        uint8_t wire[256] = {0x12, (uint8_t)(2 + field.len), 0x10, 7};
        memcpy(wire + 4, field.data, field.len);
        spb_payload *payload;
        ck_assert_int_eq(spb_payload_decode(&payload, (spb_bytes){wire, 4 + field.len}, NULL, NULL), SPB_OK);
        ck_assert(payload->metrics[0].omit_datatype);
        spb_value value = payload->metrics[0].value;
        ck_assert_int_eq(value.type, SPB_UNKNOWN);
        check_encodes_to(payload, (spb_bytes){wire, 4 + field.len}, v->text);
        ck_assert_int_eq(spb_value_resolve(&value, v->value.type, NULL), SPB_OK);
        ck_assert_msg(spb_value_equal(&value, &v->value), "%s", v->text);
        spb_payload_free(payload);
        free((void *)(uintptr_t)field.data);
    }
    vectors_free(&all);
}
END_TEST

/* tests/data/js-edge.tsv: time, topic, hex. The one line that is no payload is the JSON of the host's STATE. */
static size_t for_each_captured(void (*use)(const spb_payload *payload, spb_bytes wire, const char *topic)) {
    static char line[1 << 16];
    size_t count = 0;
    FILE *file = fopen(TEST_DATA_DIR "/js-edge.tsv", "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *topic = strchr(line, '\t') + 1;
        char *hex = strchr(topic, '\t');
        *hex++ = '\0';
        if (strstr(topic, "/STATE/")) {
            continue;
        }
        spb_payload *payload;
        spb_error err;
        spb_bytes wire = hex_bytes(hex);
        ck_assert_msg(spb_payload_decode(&payload, wire, NULL, &err) == SPB_OK, "%s: %s", topic, err.text);
        use(payload, wire, topic);
        spb_payload_free(payload);
        free((void *)(uintptr_t)wire.data);
        count++;
    }
    fclose(file);
    return count;
}

static void check_captured_bytes(const spb_payload *payload, spb_bytes wire, const char *topic) {
    check_encodes_to(payload, wire, topic);
}

START_TEST(captured_traffic_decodes_and_encodes_to_the_same_bytes) {
    ck_assert_uint_eq(for_each_captured(check_captured_bytes), 53);
}
END_TEST

static void check_captured_values(const spb_payload *payload, spb_bytes wire, const char *topic) {
    (void)wire;
    if (!strstr(topic, "/NBIRTH/") && !strstr(topic, "/DBIRTH/")) {
        return;
    }
    const struct {
        const char *name;
        spb_value value;
    } wanted[] = {{"Negative32", spb_int32(-123456)},
                  {"Negative64", spb_int64(-5000000000)},
                  {"I8", spb_int8(-1)},
                  {"U32", spb_uint32(4000000000)},
                  {"Properties/Firmware", spb_string("4.2.1-ß")}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const spb_payload_metric *metric = spb_payload_find(payload, wanted[i].name);
        ck_assert_msg(!metric || spb_value_equal(&metric->value, &wanted[i].value), "%s", wanted[i].name);
    }
    const spb_payload_metric *temperature = spb_payload_find(payload, "Temperature");
    if (temperature) {
        const spb_property *unit = spb_property_find(temperature->properties, "engUnit");
        ck_assert_ptr_nonnull(unit);
        ck_assert(spb_str_equal(unit->value.as.str, spb_str_from("°C")));
    }
    const spb_payload_metric *motor = spb_payload_find(payload, "Motors/M1");
    if (motor) {
        ck_assert_int_eq(motor->value.type, SPB_TEMPLATE);
        ck_assert_uint_gt(motor->value.as.tmpl->metric_count, 0);
    }
    const spb_payload_metric *recipe = spb_payload_find(payload, "Recipe");
    if (recipe) {
        ck_assert_int_eq(recipe->value.type, SPB_DATASET);
        ck_assert_uint_gt(recipe->value.as.dataset->row_count, 0);
    }
}

START_TEST(captured_births_say_what_the_node_meant) {
    for_each_captured(check_captured_values);
}
END_TEST

START_TEST(search_finds_the_first_of_that_name_or_nothing) {
    const spb_payload_metric metrics[] = {{.has_alias = true, .alias = 1},
                                          {.name = spb_str_from("a"), .value = spb_int32(1)},
                                          {.name = spb_str_from("a"), .value = spb_int32(2)}};
    const spb_payload payload = {.metrics = metrics, .metric_count = 3};
    ck_assert_ptr_eq(spb_payload_find(&payload, "a"), &metrics[1]);
    ck_assert_ptr_null(spb_payload_find(&payload, "b"));
    ck_assert_ptr_null(spb_payload_find(&payload, NULL));
    ck_assert_ptr_null(spb_property_find(NULL, "a"));
}
END_TEST

START_TEST(parts_appended_to_a_buffer_are_a_payload) {
    spb_buffer out;
    spb_buffer__init(&out);
    const spb_payload_metric metric = {.has_alias = true, .alias = 3, .omit_datatype = true, .value = spb_double(1.5)};
    ck_assert_int_eq(spb_encode__timestamp(&out, 1486144502122), SPB_OK);
    ck_assert_int_eq(spb_encode__metric(&out, &metric, NULL), SPB_OK);
    ck_assert_int_eq(spb_encode__seq(&out, 0), SPB_OK);
    const spb_payload payload = {
        .has_timestamp = true, .timestamp_ms = 1486144502122, .has_seq = true, .metrics = &metric, .metric_count = 1};
    check_encodes_to(&payload, (spb_bytes){out.data, out.len}, "parts");

    size_t before = out.len;
    const spb_payload_metric nameless = {.value = spb_double(1.5)};
    spb_error err;
    ck_assert_int_eq(spb_encode__metric(&out, &nameless, &err), SPB_ERR_NAME);
    ck_assert_str_eq(err.text, "metric.name: missing or empty");
    ck_assert_uint_eq(out.len, before);
    spb_buffer__clear(&out);
}
END_TEST

static const spb_value *samples(size_t *count) {
    static spb_value values[16];
    const spb_value made[] = {spb_int8(-128),          spb_int16(-1),    spb_int32(INT32_MIN),   spb_int64(INT64_MIN),
                              spb_uint8(255),          spb_uint16(0),    spb_uint32(UINT32_MAX), spb_uint64(UINT64_MAX),
                              spb_float(1.5F),         spb_double(-0.0), spb_boolean(true),      spb_boolean(false),
                              spb_datetime(UINT64_MAX)};
    memcpy(values, made, sizeof made);
    *count = sizeof made / sizeof *made;
    return values;
}

START_TEST(a_usual_sample_has_the_same_bytes_on_the_short_way) {
    static const uint64_t aliases[] = {1, 127, 128, UINT64_MAX};
    size_t count;
    const spb_value *values = samples(&count);
    for (size_t i = 0; i < count * 4 * 2; i++) {
        spb_payload_metric metric = {.has_alias = true,
                                     .alias = aliases[i / 2 % 4],
                                     .has_timestamp = true,
                                     .timestamp_ms = i % 3 ? UINT64_MAX - i : i,
                                     .omit_datatype = true,
                                     .is_transient = i % 2 == 1,
                                     .value = values[i / 8]};
        spb_buffer wanted, got;
        spb_buffer__init(&wanted);
        spb_buffer__init(&got);
        ck_assert_int_eq(spb_encode__metric(&wanted, &metric, NULL), SPB_OK);
        ck_assert(spb_encode__sample(&got, metric.alias, metric.timestamp_ms, metric.is_transient, &metric.value));
        ck_assert_uint_eq(got.len, wanted.len);
        ck_assert_mem_eq(got.data, wanted.data, wanted.len);
        spb_buffer__clear(&wanted);
        spb_buffer__clear(&got);
    }
}
END_TEST

START_TEST(other_samples_do_not_go_the_short_way) {
    const float curve[] = {1};
    const spb_value values[] = {spb_null(SPB_DOUBLE),
                                spb_string("a"),
                                spb_bytes_value("a", 1),
                                spb_float_array(curve, 1),
                                {.type = SPB_INT8, .as.i64 = 128},
                                {.type = SPB_UINT32, .as.u64 = UINT64_C(1) << 32},
                                {.type = SPB_UNKNOWN, .wire = SPB_WIRE_INT}};
    spb_buffer out;
    spb_buffer__init(&out);
    ck_assert(spb_buffer__append(&out, "x", 1));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        ck_assert(!spb_encode__sample(&out, 1, 2, false, &values[i]));
        ck_assert_uint_eq(out.len, 1);
    }
    spb_buffer__clear(&out);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("payload");
    TCase *cases = tcase_create("payload");
    tcase_add_test(cases, vectors_encode_to_their_canonical_form);
    tcase_add_test(cases, vectors_decode_in_every_accepted_form);
    tcase_add_test(cases, vectors_resolve_without_a_datatype);
    tcase_add_test(cases, captured_traffic_decodes_and_encodes_to_the_same_bytes);
    tcase_add_test(cases, captured_births_say_what_the_node_meant);
    tcase_add_test(cases, search_finds_the_first_of_that_name_or_nothing);
    tcase_add_test(cases, parts_appended_to_a_buffer_are_a_payload);
    tcase_add_test(cases, a_usual_sample_has_the_same_bytes_on_the_short_way);
    tcase_add_test(cases, other_samples_do_not_go_the_short_way);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
