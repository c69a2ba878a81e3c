/* Compressed payloads, made by another implementation and by ours; streams that are damaged or a trap. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "support/hex.h"
#include "support/suite.h"

/* uuid "SPBV1.0_COMPRESSED" and seq 7; the body is a zlib or gzip stream of timestamp, metric x = Int32 5, seq 7. */
#define ALGORITHM_DEFLATE "12160a09616c676f726974686d200c7a074445464c415445"
#define ALGORITHM_GZIP "12130a09616c676f726974686d200c7a04475a4950"
#define ALGORITHM_LZ4 "12120a09616c676f726974686d200c7a034c5a34"
#define HEAD "1807 221253504256312e305f434f4d50524553534544"
#define ZLIB_BODY "2a1a 789ce3b8d4d0366b8189103b176385027300ab043b0038750482"
#define GZIP_BODY "2a26 1f8b0800000000000203e3b8d4d0366b8189103b176385027300ab043b00bca8505412000000"

static spb_status decode(spb_payload **out, const char *hex, const spb_limits *limits, spb_error *err) {
    spb_bytes wire = hex_bytes(hex);
    spb_status status = spb_payload_decode(out, wire, limits, err);
    free((void *)(uintptr_t)wire.data);
    return status;
}

static void holds_x(const char *hex, spb_compression compression) {
    spb_payload *payload;
    spb_error err;
    ck_assert_msg(decode(&payload, hex, NULL, &err) == SPB_OK, "%s", err.text);
    ck_assert_int_eq(payload->compression, compression);
    ck_assert_uint_eq(payload->metric_count, 1);
    ck_assert_int_eq(spb_payload_find(payload, "x")->value.as.i64, 5);
    ck_assert(payload->has_seq && payload->seq == 7 && payload->has_timestamp);
    ck_assert(payload->uuid.data == NULL && !payload->has_body);
    spb_payload_free(payload);
}

START_TEST(compressed_payloads_are_inflated) {
    holds_x(ALGORITHM_DEFLATE HEAD ZLIB_BODY, SPB_COMPRESSION_DEFLATE);
    holds_x(HEAD ZLIB_BODY, SPB_COMPRESSION_DEFLATE);
    holds_x(ALGORITHM_GZIP HEAD GZIP_BODY, SPB_COMPRESSION_GZIP);
}
END_TEST

static void refused(const char *hex, const spb_limits *limits, spb_status status, const char *text) {
    spb_payload *payload;
    spb_error err = {0};
    ck_assert_str_eq(spb_status_name(decode(&payload, hex, limits, &err)), spb_status_name(status));
    ck_assert_ptr_null(payload);
    ck_assert_str_eq(err.text, text);
}

START_TEST(damaged_streams_are_refused) {
    refused(HEAD "2a15 789ce3b8d4d0366b8189103b176385027300ab043b", NULL, SPB_ERR_TRUNCATED,
            "body: the compressed stream is cut off");
    refused(HEAD "2a1b 789ce3b8d4d0366b8189103b176385027300ab043b003875048278", NULL, SPB_ERR_MALFORMED,
            "body: something follows the compressed stream");
    refused(ALGORITHM_GZIP HEAD ZLIB_BODY, NULL, SPB_ERR_MALFORMED,
            "body: not a compressed stream of that kind, or damaged");
    refused(ALGORITHM_LZ4 HEAD ZLIB_BODY, NULL, SPB_ERR_MALFORMED,
            "metrics[0]: the algorithm is neither GZIP nor DEFLATE");
    refused(HEAD, NULL, SPB_ERR_MALFORMED, "uuid: compressed, but there is no body");
    refused(HEAD "2a19 789ce3b8d4d0366b8189103b176385027300ab040033f3047b", NULL, SPB_ERR_TRUNCATED,
            "body: seq: the input ends in this field (byte 16 of the inflated body)");
    refused(HEAD "2a3a 789c936057120a0e700a33d4338877f6f70d08720d0e7675d192aa98f378c7950b66d98d9d02d6e2c9ad4cc50cab59ac"
                 "192c4a599a0078970f90",
            NULL, SPB_ERR_MALFORMED, "body: a compressed payload in a compressed one");
}
END_TEST

START_TEST(limits_hold_for_the_inflated_size) {
    refused(HEAD ZLIB_BODY, &(spb_limits){.max_payload_bytes = 49}, SPB_ERR_LIMIT,
            "a payload of 50 bytes, the limit max_payload_bytes is 49");
    /* 1 MB of zeros in about 1 kB. */
    uint8_t *zeros = calloc(1, 1000000);
    const spb_payload_metric metric = {.name = spb_str_from("x"), .value = spb_bytes_value(zeros, 1000000)};
    const spb_payload payload = {.metrics = &metric, .metric_count = 1, .compression = SPB_COMPRESSION_DEFLATE};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    ck_assert_uint_lt(len, 2000);
    spb_payload *decoded;
    spb_error err;
    const spb_limits small = {.max_payload_bytes = 100000}, enough = {.max_payload_bytes = 1000020};
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, &small, &err), SPB_ERR_LIMIT);
    ck_assert_str_eq(err.text, "body: inflates to more than the limit of 100000 bytes");
    const spb_limits heap = {.max_heap_bytes = 1500000};
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, &heap, &err), SPB_ERR_LIMIT);
    ck_assert_str_eq(err.text, "body: the payload needs more heap than the limit max_heap_bytes");
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, &enough, &err), SPB_OK);
    ck_assert(spb_value_equal(&decoded->metrics[0].value, &metric.value));
    spb_payload_free(decoded);
    spb_free(bytes);
    free(zeros);
}
END_TEST

START_TEST(what_we_compress_comes_back) {
    spb_payload_metric metrics[200];
    for (size_t i = 0; i < 200; i++) {
        metrics[i] = (spb_payload_metric){.name = spb_str_from("Press/Temperature"), .value = spb_double((double)i)};
    }
    spb_payload payload = {.has_seq = true, .seq = 255, .metrics = metrics, .metric_count = 200};
    uint8_t *plain, *bytes;
    size_t plain_len, len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &plain, &plain_len, NULL), SPB_OK);
    for (int i = SPB_COMPRESSION_DEFLATE; i <= SPB_COMPRESSION_GZIP; i++) {
        payload.compression = (spb_compression)i;
        ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
        ck_assert_uint_lt(len, plain_len / 2);
        spb_payload *decoded;
        ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, NULL), SPB_OK);
        ck_assert_int_eq(decoded->compression, i);
        ck_assert_uint_eq(decoded->metric_count, 200);
        ck_assert_uint_eq(decoded->seq, 255);
        ck_assert(spb_value_equal(&decoded->metrics[199].value, &metrics[199].value));
        spb_payload_free(decoded);
        spb_free(bytes);
    }
    spb_free(plain);
    payload.uuid = spb_str_from("SPBV1.0_COMPRESSED");
    spb_error err;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, &err), SPB_ERR_ARGUMENT);
    ck_assert_str_eq(err.text, "uuid: the payload is compressed already");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("compress");
    TCase *cases = tcase_create("compress");
    tcase_add_test(cases, compressed_payloads_are_inflated);
    tcase_add_test(cases, damaged_streams_are_refused);
    tcase_add_test(cases, limits_hold_for_the_inflated_size);
    tcase_add_test(cases, what_we_compress_comes_back);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
