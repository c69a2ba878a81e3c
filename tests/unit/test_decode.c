/* What decoding makes of things that are unusual and allowed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "support/hex.h"
#include "support/suite.h"

static spb_payload *decoded(const char *hex) {
    spb_bytes wire = hex_bytes(hex);
    spb_payload *payload;
    spb_error err;
    ck_assert_msg(spb_payload_decode(&payload, wire, NULL, &err) == SPB_OK, "%s", err.text);
    free((void *)(uintptr_t)wire.data); /* it need not outlive the call */
    return payload;
}

/* Decodes, and encodes to the same bytes again. */
static spb_payload *decoded_both_ways(const char *hex) {
    spb_payload *payload = decoded(hex);
    spb_bytes wire = hex_bytes(hex);
    uint8_t *bytes;
    size_t len;
    spb_error err;
    ck_assert_msg(spb_payload_encode(payload, NULL, &bytes, &len, &err) == SPB_OK, "%s", err.text);
    ck_assert_uint_eq(len, wire.len);
    ck_assert_mem_eq(bytes, wire.data, len);
    spb_free(bytes);
    free((void *)(uintptr_t)wire.data);
    return payload;
}

START_TEST(a_value_without_datatype_keeps_its_field) {
    spb_payload *payload = decoded_both_ways("12 04 10 01 50 05");
    const spb_payload_metric *metric = payload->metrics;
    ck_assert(metric->omit_datatype && metric->has_alias && metric->alias == 1 && !metric->name.data);
    ck_assert_int_eq(metric->value.type, SPB_UNKNOWN);
    ck_assert_int_eq(metric->value.wire, SPB_WIRE_INT);
    ck_assert_uint_eq(metric->value.as.u64, 5);
    spb_payload_free(payload);
}
END_TEST

START_TEST(a_datatype_of_a_later_schema_is_kept_with_its_number) {
    spb_payload *payload = decoded_both_ways("12 06 10 01 20 63 58 05");
    ck_assert_int_eq(payload->metrics[0].value.type, 99);
    ck_assert_int_eq(payload->metrics[0].value.wire, SPB_WIRE_LONG);
    ck_assert_uint_eq(payload->metrics[0].value.as.u64, 5);
    spb_payload_free(payload);
}
END_TEST

START_TEST(a_vendors_extension_is_kept_undecoded) {
    spb_payload *payload = decoded_both_ways("12 07 10 01 9a 01 02 08 05");
    const spb_value *value = &payload->metrics[0].value;
    ck_assert_int_eq(value->wire, SPB_WIRE_EXTENSION);
    ck_assert_uint_eq(value->as.bytes.len, 2);
    ck_assert_mem_eq(value->as.bytes.data, "\x08\x05", 2);
    spb_payload_free(payload);
}
END_TEST

/* Neither a value nor is_null: some senders drop what they cannot encode. It must be told from a zero. */
START_TEST(a_missing_value_is_visible) {
    spb_payload *payload = decoded_both_ways("12 05 0a 01 78 20 03");
    ck_assert(payload->metrics[0].value.is_null);
    ck_assert_int_eq(payload->metrics[0].value.type, SPB_INT32);
    ck_assert_int_eq(payload->metrics[0].value.wire, SPB_WIRE_ABSENT);
    spb_payload_free(payload);
}
END_TEST

START_TEST(null_wins_over_a_value) {
    spb_payload *payload = decoded("12 09 0a 01 78 20 03 38 01 50 05");
    ck_assert(payload->metrics[0].value.is_null);
    ck_assert_int_eq(payload->metrics[0].value.type, SPB_INT32);
    ck_assert_int_eq(payload->metrics[0].value.wire, SPB_WIRE_INT); /* that there was one */
    spb_payload_free(payload);
}
END_TEST

START_TEST(fields_may_come_in_any_order) {
    spb_payload *payload = decoded("18 07 12 0a 50 ff 01 20 01 18 09 0a 01 78 08 05");
    ck_assert(payload->has_seq && payload->seq == 7 && payload->has_timestamp && payload->timestamp_ms == 5);
    ck_assert_int_eq(payload->metrics[0].value.as.i64, -1);
    ck_assert_uint_eq(payload->metrics[0].timestamp_ms, 9);
    spb_payload_free(payload);
}
END_TEST

START_TEST(the_last_of_several_values_counts) {
    spb_payload *payload = decoded("12 0b 0a 01 78 50 01 7a 02 68 69 58 07");
    ck_assert_int_eq(payload->metrics[0].value.wire, SPB_WIRE_LONG);
    ck_assert_uint_eq(payload->metrics[0].value.as.u64, 7);
    spb_payload_free(payload);
}
END_TEST

/* Rows before the columns, the types packed: protobuf allows both. */
START_TEST(a_dataset_may_stand_in_any_order) {
    spb_payload *payload = decoded("121c0a017820108a011422060a0208050a0008021201611201621a02030b");
    const spb_dataset *dataset = payload->metrics[0].value.as.dataset;
    ck_assert_uint_eq(dataset->column_count, 2);
    ck_assert_uint_eq(dataset->row_count, 1);
    ck_assert(spb_str_equal(dataset->columns[1], spb_str_from("b")));
    ck_assert(dataset->types[0] == SPB_INT32 && dataset->types[1] == SPB_BOOLEAN);
    ck_assert_int_eq(dataset->cells[0].as.i64, 5);
    ck_assert(dataset->cells[1].is_null && dataset->cells[1].type == SPB_BOOLEAN);
    spb_payload_free(payload);
}
END_TEST

START_TEST(metadata_tells_what_is_there) {
    spb_payload *payload = decoded_both_ways("12 14 0a 01 78 20 12 42 09 08 00 18 e8 07 2a 02 61 62 82 01 01 ff");
    const spb_metadata *metadata = payload->metrics[0].metadata;
    ck_assert(metadata->has_is_multi_part && !metadata->is_multi_part && metadata->has_size && !metadata->has_seq);
    ck_assert_uint_eq(metadata->size, 1000);
    ck_assert(spb_str_equal(metadata->file_name, spb_str_from("ab")));
    ck_assert_ptr_null(metadata->md5.data);
    ck_assert_int_eq(payload->metrics[0].value.type, SPB_FILE);
    spb_payload_free(payload);
}
END_TEST

START_TEST(uuid_and_body_are_handed_on) {
    spb_payload *payload = decoded_both_ways("22 02 69 64 2a 03 01 02 03");
    ck_assert(spb_str_equal(payload->uuid, spb_str_from("id")));
    ck_assert(payload->has_body && payload->body.len == 3);
    ck_assert_int_eq(payload->compression, SPB_COMPRESSION_NONE);
    spb_payload_free(payload);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("decode");
    TCase *cases = tcase_create("decode");
    tcase_add_test(cases, a_value_without_datatype_keeps_its_field);
    tcase_add_test(cases, a_datatype_of_a_later_schema_is_kept_with_its_number);
    tcase_add_test(cases, a_vendors_extension_is_kept_undecoded);
    tcase_add_test(cases, a_missing_value_is_visible);
    tcase_add_test(cases, null_wins_over_a_value);
    tcase_add_test(cases, fields_may_come_in_any_order);
    tcase_add_test(cases, the_last_of_several_values_counts);
    tcase_add_test(cases, a_dataset_may_stand_in_any_order);
    tcase_add_test(cases, metadata_tells_what_is_there);
    tcase_add_test(cases, uuid_and_body_are_handed_on);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
