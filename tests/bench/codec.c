/*
 * The codec beside plain protobuf-c and memcpy, on the same messages in the same run. Both encoders begin with structs
 * that are filled and end with a heap block of bytes; both decoders begin with bytes and end with structs freed.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "sparkplug_b.pb-c.h"

#define METRICS 1000

typedef struct subject {
    const char *name;
    spb_payload payload; /* what we encode */
    uint8_t *wire;       /* what it encodes to */
    size_t len;
    size_t metric_count;        /* members of templates included */
    Spb__Pb__Payload *unpacked; /* what protobuf-c packs */
    uint8_t *copy;
} subject;

static void encode_ours(void *context) {
    subject *s = context;
    uint8_t *bytes;
    size_t len;
    if (spb_payload_encode(&s->payload, NULL, &bytes, &len, NULL) != SPB_OK) {
        bench_fail("cannot encode");
    }
    spb_free(bytes);
}

static void decode_ours(void *context) {
    subject *s = context;
    spb_payload *payload;
    if (spb_payload_decode(&payload, (spb_bytes){s->wire, s->len}, NULL, NULL) != SPB_OK) {
        bench_fail("cannot decode");
    }
    spb_payload_free(payload);
}

static void encode_theirs(void *context) {
    subject *s = context;
    uint8_t *bytes = malloc(spb__pb__payload__get_packed_size(s->unpacked));
    if (!bytes || spb__pb__payload__pack(s->unpacked, bytes) != s->len) {
        bench_fail("protobuf-c packs something else");
    }
    free(bytes);
}

static void decode_theirs(void *context) {
    subject *s = context;
    Spb__Pb__Payload *payload = spb__pb__payload__unpack(NULL, s->len, s->wire);
    if (!payload) {
        bench_fail("protobuf-c cannot unpack");
    }
    spb__pb__payload__free_unpacked(payload, NULL);
}

static void copy_bytes(void *context) {
    subject *s = context;
    memcpy(s->copy, s->wire, s->len);
    __asm__ volatile("" : : "r"(s->copy) : "memory"); /* the copy must not be dropped */
}

static double heap_of_decoded(const subject *s) {
    spb_payload *payload;
    size_t before = bench_heap_bytes();
    if (spb_payload_decode(&payload, (spb_bytes){s->wire, s->len}, NULL, NULL) != SPB_OK) {
        bench_fail("cannot decode");
    }
    size_t after = bench_heap_bytes();
    spb_payload_free(payload);
    return (double)(after - before);
}

static void report(const subject *s, const char *direction, double ns, const char *baseline, double baseline_ns,
                   bool json) {
    double count = (double)s->metric_count;
    bench_print_as(
        (bench_figure){
            .unit = "ns/metric", .value = ns / count, .baseline = baseline, .baseline_value = baseline_ns / count},
        json, "codec/%s/%s", s->name, direction);
}

/* The baseline is what comes over the wire. */
static void report_heap(const subject *s, bool json) {
    double count = (double)s->metric_count;
    bench_print_as((bench_figure){.unit = "B/metric",
                                  .value = heap_of_decoded(s) / count,
                                  .baseline = "wire",
                                  .baseline_value = (double)s->len / count},
                   json, "codec/%s/heap", s->name);
}

static void measure(subject *s, bool json) {
    if (spb_payload_encode(&s->payload, NULL, &s->wire, &s->len, NULL) != SPB_OK) {
        bench_fail("cannot encode");
    }
    s->copy = bench_allocate(s->len, 1);
    s->unpacked = spb__pb__payload__unpack(NULL, s->len, s->wire);
    uint8_t *again = bench_allocate(s->len + 64, 1);
    if (!s->unpacked || spb__pb__payload__pack(s->unpacked, again) != s->len || memcmp(again, s->wire, s->len) != 0) {
        bench_fail("protobuf-c packs other bytes");
    }
    bench_run encode[] = {{encode_ours, 0}, {encode_theirs, 0}, {copy_bytes, 0}};
    bench_measure(encode, 3, s);
    report(s, "encode", encode[0].ns, "protobuf-c pack", encode[1].ns, json);
    report(s, "encode", encode[0].ns, "memcpy", encode[2].ns, json);
    bench_run decode[] = {{decode_ours, 0}, {decode_theirs, 0}, {copy_bytes, 0}};
    bench_measure(decode, 3, s);
    report(s, "decode", decode[0].ns, "protobuf-c unpack", decode[1].ns, json);
    report(s, "decode", decode[0].ns, "memcpy", decode[2].ns, json);
    report_heap(s, json);
    spb__pb__payload__free_unpacked(s->unpacked, NULL);
    spb_free(s->wire);
    free(s->copy);
    free(again);
}

static subject subject_of(const char *name, const spb_payload_metric *metrics, size_t count, size_t metric_count) {
    return (subject){.name = name,
                     .metric_count = metric_count,
                     .payload = {.has_timestamp = true,
                                 .timestamp_ms = 1700000000000,
                                 .has_seq = true,
                                 .seq = 17,
                                 .metrics = metrics,
                                 .metric_count = count}};
}

static void bench_data(bool json) {
    spb_payload_metric *metrics = bench_allocate(METRICS, sizeof *metrics);
    for (size_t i = 0; i < METRICS; i++) {
        metrics[i] = (spb_payload_metric){.has_alias = true,
                                          .alias = i,
                                          .has_timestamp = true,
                                          .timestamp_ms = 1700000000000 + i,
                                          .omit_datatype = true,
                                          .value = spb_double(20.0 + (double)i / 7)};
    }
    subject s = subject_of("data", metrics, METRICS, METRICS);
    measure(&s, json);
    free(metrics);
}

static void bench_birth(bool json) {
    spb_payload_metric *metrics = bench_allocate(METRICS, sizeof *metrics);
    char(*names)[31] = bench_allocate(METRICS, sizeof *names);
    const spb_property properties[] = {{spb_str_from("engUnit"), spb_string("kPa")},
                                       {spb_str_from(SPB_PROPERTY_QUALITY), spb_int32(SPB_QUALITY_GOOD)}};
    const spb_property_set set = {properties, 2};
    for (size_t i = 0; i < METRICS; i++) {
        snprintf(names[i], sizeof names[i], "Line 4/Press/Hydraulics/P%05u", (unsigned)(i % METRICS));
        metrics[i] = (spb_payload_metric){.name = {names[i], 30},
                                          .has_alias = true,
                                          .alias = i,
                                          .has_timestamp = true,
                                          .timestamp_ms = 1700000000000 + i,
                                          .properties = &set,
                                          .value = spb_double(20.0 + (double)i / 7)};
    }
    subject s = subject_of("birth", metrics, METRICS, METRICS);
    measure(&s, json);
    free(names);
    free(metrics);
}

static void bench_mixed(bool json) {
    static const float curve[] = {1.5F, 2.5F, 3.5F, 4.5F, 5.5F, 6.5F, 7.5F, 8.5F};
    static const bool flags[] = {true, false, true, true, false, true, false, false, true};
    static const uint8_t blob[48] = {1, 2, 3};
    const spb_str words[] = {spb_str_from("idle"), spb_str_from("running"), spb_str_from("fault")};
    const spb_value values[] = {spb_int8(-3),
                                spb_int32(-123456),
                                spb_int64(-5000000000),
                                spb_uint16(65000),
                                spb_uint32(4000000000),
                                spb_float(1.25F),
                                spb_double(1e-3),
                                spb_boolean(true),
                                spb_string("running, door closed"),
                                spb_datetime(1700000000000),
                                spb_null(SPB_DOUBLE),
                                spb_bytes_value(blob, sizeof blob),
                                spb_float_array(curve, 8),
                                spb_boolean_array(flags, 9),
                                spb_string_array(words, 3)};
    spb_payload_metric *metrics = bench_allocate(METRICS, sizeof *metrics);
    for (size_t i = 0; i < METRICS; i++) {
        metrics[i] = (spb_payload_metric){.has_alias = true,
                                          .alias = i,
                                          .has_timestamp = true,
                                          .timestamp_ms = 1700000000000 + i,
                                          .is_historical = i % 5 == 0,
                                          .value = values[i % (sizeof values / sizeof *values)]};
    }
    subject s = subject_of("mixed", metrics, METRICS, METRICS);
    measure(&s, json);
    free(metrics);
}

static void bench_template(bool json) {
    enum { MEMBERS = 10, INSTANCES = 100 };
    static const char *names[MEMBERS] = {"Speed",  "Current", "Voltage", "Torque", "Running",
                                         "Starts", "Hours",   "State",   "Fault",  "Temperature"};
    spb_payload_metric members[MEMBERS];
    for (size_t i = 0; i < MEMBERS; i++) {
        members[i] = (spb_payload_metric){.name = spb_str_from(names[i]),
                                          .has_timestamp = true,
                                          .timestamp_ms = 1700000000000,
                                          .value = i % 2 ? spb_double(1.5 * (double)i) : spb_int32((int32_t)i)};
    }
    const spb_parameter parameters[] = {{spb_str_from("Power"), spb_float(7.5F)},
                                        {spb_str_from("Maker"), spb_string("ACME")}};
    const spb_template tmpl = {.version = spb_str_from("1.2"),
                               .template_ref = spb_str_from("Types/Motor"),
                               .metrics = members,
                               .metric_count = MEMBERS,
                               .parameters = parameters,
                               .parameter_count = 2};
    spb_payload_metric *metrics = bench_allocate(INSTANCES, sizeof *metrics);
    for (size_t i = 0; i < INSTANCES; i++) {
        metrics[i] = (spb_payload_metric){.name = spb_str_from("Line 4/Motor"),
                                          .has_timestamp = true,
                                          .timestamp_ms = 1700000000000,
                                          .value = spb_template_value(&tmpl)};
    }
    subject s = subject_of("template", metrics, INSTANCES, INSTANCES * (MEMBERS + 1));
    measure(&s, json);
    free(metrics);
}

int bench_codec(bool json) {
    bench_data(json);
    bench_birth(json);
    bench_mixed(json);
    bench_template(json);
    return 0;
}
