/* Metrics of rare shape, which libprotobuf-c packs and unpacks: text with NUL, places of errors, heap. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "base/arena.h"
#include "support/hex.h"
#include "support/suite.h"

#define WITH_NUL                                                                                                       \
    { "a\0b", 3 }

static void refused_to_encode(const spb_payload_metric *metric, const char *text) {
    uint8_t *bytes;
    size_t len;
    spb_error err;
    const spb_payload payload = {.metrics = metric, .metric_count = 1};
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, &err), SPB_ERR_NAME);
    ck_assert_ptr_null(bytes);
    ck_assert_str_eq(err.text, text);
}

#define REASON "holds a NUL, which metadata, DataSets, Templates and nested sets cannot be sent with"

START_TEST(text_with_a_nul_is_not_cut_when_it_is_sent) {
    const spb_str with_nul = WITH_NUL, plain = {"x", 1};
    spb_metadata metadata = {.description = with_nul};
    spb_payload_metric metric = {.name = plain, .value = spb_int32(1), .metadata = &metadata};
    refused_to_encode(&metric, "metrics[0].metadata.description: " REASON);
    metric.metadata = NULL;

    spb_value cell = spb_string_view(SPB_STRING, with_nul);
    const spb_type type = SPB_STRING;
    spb_dataset dataset = {.column_count = 1, .columns = &plain, .types = &type, .row_count = 1, .cells = &cell};
    metric.value = spb_dataset_value(&dataset);
    refused_to_encode(&metric, "metrics[0].dataset_value.rows[0].elements[0].string_value: " REASON);
    cell = spb_string("x");
    dataset.columns = &with_nul;
    refused_to_encode(&metric, "metrics[0].dataset_value.columns[0]: " REASON);

    spb_template tmpl = {.template_ref = with_nul};
    metric.value = spb_template_value(&tmpl);
    refused_to_encode(&metric, "metrics[0].template_value.template_ref: " REASON);

    const spb_property inner = {with_nul, spb_int32(1)};
    const spb_property_set set = {&inner, 1};
    const spb_property outer = {plain, spb_property_set_value(&set)};
    const spb_property_set properties = {&outer, 1};
    metric.value = spb_int32(1);
    metric.properties = &properties;
    refused_to_encode(&metric, "metrics[0].properties.values[0].propertyset_value.keys[0]: " REASON);
}
END_TEST

START_TEST(a_name_is_neither_missing_nor_empty) {
    const spb_str names[] = {{NULL, 0}, {NULL, 1}, {"", 0}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const spb_parameter parameter = {.name = names[i], .value = spb_int32(1)};
        const spb_template tmpl = {.template_ref = {"T", 1}, .parameters = &parameter, .parameter_count = 1};
        spb_payload_metric metric = {.name = {"m", 1}, .value = spb_template_value(&tmpl)};
        refused_to_encode(&metric, "metrics[0].template_value.parameters[0].name: missing or empty");
        metric = (spb_payload_metric){.name = names[i], .value = spb_int32(1)};
        refused_to_encode(&metric, "metrics[0].name: missing or empty");
        metric.metadata = &(spb_metadata){0};
        refused_to_encode(&metric, "metrics[0].name: missing or empty");
    }
}
END_TEST

/* The direct writer has a length for each text, also of a metric with rare parts. A metric with a description is one.
 */
START_TEST(text_with_a_nul_is_sent_in_all_other_places) {
    const spb_metadata metadata = {.description = {"d", 1}};
    const spb_property property = {WITH_NUL, spb_string_view(SPB_STRING, (spb_str)WITH_NUL)};
    const spb_property_set properties = {&property, 1};
    const spb_payload_metric metric = {.name = WITH_NUL,
                                       .value = spb_string_view(SPB_TEXT, (spb_str)WITH_NUL),
                                       .properties = &properties,
                                       .metadata = &metadata};
    const spb_payload payload = {.metrics = &metric, .metric_count = 1};
    uint8_t *bytes;
    size_t len;
    spb_payload *decoded;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, NULL), SPB_OK);
    ck_assert(spb_value_equal(&decoded->metrics[0].value, &metric.value));
    ck_assert(spb_str_equal(decoded->metrics[0].name, metric.name));
    ck_assert(spb_str_equal(decoded->metrics[0].metadata->description, metadata.description));
    ck_assert(spb_str_equal(decoded->metrics[0].properties->items[0].key, property.key));
    spb_payload_free(decoded);
    spb_free(bytes);
}
END_TEST

static spb_payload *decoded_hex(const char *hex) {
    spb_payload *payload;
    spb_error err;
    spb_bytes wire = hex_bytes(hex);
    ck_assert_msg(spb_payload_decode(&payload, wire, NULL, &err) == SPB_OK, "%s", err.text);
    free((void *)(uintptr_t)wire.data);
    return payload;
}

START_TEST(text_with_a_nul_is_decoded_with_all_its_bytes) {
    const spb_str with_nul = WITH_NUL;
    /* metrics[0]: alias 1, metadata { description: "a\0b" }, string_value: "a\0b", empty file_name */
    spb_payload *payload = decoded_hex("12 10 10 01 42 07 2a 00 42 03 61 00 62 7a 03 61 00 62");
    ck_assert(spb_str_equal(payload->metrics[0].metadata->description, with_nul));
    ck_assert(spb_str_equal(payload->metrics[0].metadata->file_name, (spb_str){"", 0}));
    ck_assert_ptr_null(payload->metrics[0].metadata->md5.data);
    ck_assert(spb_str_equal(payload->metrics[0].value.as.str, with_nul));
    spb_payload_free(payload);
    /* a DataSet with a column of that name, and a cell */
    payload = decoded_hex("12 19 10 01 20 10 8a 01 12 08 01 12 03 61 00 62 18 0c 22 07 0a 05 32 03 61 00 62");
    const spb_dataset *dataset = payload->metrics[0].value.as.dataset;
    ck_assert(spb_str_equal(dataset->columns[0], with_nul));
    ck_assert(spb_str_equal(dataset->cells[0].as.str, with_nul));
    spb_payload_free(payload);
}
END_TEST

/* A vendor's own fields stand in a message of which nothing is known. */
START_TEST(extensions_come_and_go_as_they_are) {
    /* template_value { parameters { name: "p", extension_value { 1: 7, 2: "ab", 3: fixed32 } }, is_definition: false }
     */
    const char *hex = "12 1c 0a 01 74 20 13 92 01 14 1a 10 0a 01 70 4a 0b 08 07 12 02 61 62 1d 01 02 03 04 28 00";
    spb_payload *payload = decoded_hex(hex);
    const spb_value *value = &payload->metrics[0].value.as.tmpl->parameters[0].value;
    ck_assert_int_eq(value->wire, SPB_WIRE_EXTENSION);
    ck_assert_uint_eq(value->as.bytes.len, 11);
    ck_assert_mem_eq(value->as.bytes.data,
                     "\x08\x07\x12\x02"
                     "ab\x1d\x01\x02\x03\x04",
                     11);
    spb_payload_free(payload);
}
END_TEST

START_TEST(an_extension_that_is_no_message_is_refused) {
    spb_payload_metric metric = {.name = {"m", 1}, .omit_datatype = true};
    metric.value.wire = SPB_WIRE_EXTENSION;
    const spb_payload payload = {.metrics = &metric, .metric_count = 1};
    const char *const bad[] = {"\x08", "\x0a\x05", "\x0b\x0c", "\x07"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t *bytes;
        size_t len;
        spb_error err;
        metric.value.as.bytes = (spb_bytes){(const uint8_t *)bad[i], strlen(bad[i])};
        ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, &err), SPB_ERR_MALFORMED);
        ck_assert_str_eq(err.text, "metrics[0].extension_value: not a message");
    }
}
END_TEST

static void refused(const char *hex, spb_status status, size_t offset, const char *text) {
    spb_payload *payload;
    spb_error err = {0};
    spb_bytes wire = hex_bytes(hex);
    ck_assert_str_eq(spb_status_name(spb_payload_decode(&payload, wire, NULL, &err)), spb_status_name(status));
    ck_assert_str_eq(err.text, text);
    ck_assert_uint_eq(err.offset, offset);
    free((void *)(uintptr_t)wire.data);
}

/* What libprotobuf-c has unpacked has no offsets any more. */
START_TEST(errors_inside_name_their_place) {
    /* A template's member. */
    refused("12 02 10 01 12 14 10 01 20 13 92 01 0d 12 02 10 02 12 07 10 03 20 01 50 ac 02", SPB_ERR_RANGE, 23,
            "metrics[1].template_value.metrics[1].int_value: int_value 300 does not fit Int8");
    /* The same, with the datatype behind the value. */
    refused("12 02 10 01 12 14 10 01 20 13 92 01 0d 12 02 10 02 12 07 10 03 50 ac 02 20 01", SPB_ERR_RANGE, 21,
            "metrics[1].template_value.metrics[1].int_value: int_value 300 does not fit Int8");
    /* A parameter; the last of two values counts. */
    refused("12 12 10 01 20 13 92 01 0b 1a 09 0a 01 70 10 0c 18 01 18 02", SPB_ERR_TYPE, 18,
            "metrics[0].template_value.parameters[0].int_value: int_value cannot carry String");
    /* A DataSet: a cell, a row, the counts, a type that no cell may have. */
    refused("12 18 10 01 20 10 8a 01 11 08 01 12 01 61 18 01 22 02 0a 00 22 04 0a 02 28 01", SPB_ERR_TYPE, 24,
            "metrics[0].dataset_value.rows[1].elements[0].boolean_value: boolean_value cannot carry Int8");
    refused("12 14 10 01 20 10 8a 01 0d 08 01 12 01 61 18 01 22 02 0a 00 22 00", SPB_ERR_MALFORMED, 20,
            "metrics[0].dataset_value.rows[1]: a row with not as many elements as there are columns");
    refused("12 0e 10 01 20 10 8a 01 07 08 02 12 01 61 18 01", SPB_ERR_MALFORMED, 8,
            "metrics[0].dataset_value: num_of_columns, columns and types of the DataSet disagree");
    refused("12 12 10 01 20 10 8a 01 0b 08 01 12 01 61 18 11 22 02 0a 00", SPB_ERR_TYPE, 18,
            "metrics[0].dataset_value.rows[0].elements[0]: a datatype that cannot stand here");
    /* Property sets in one another; and the flat part of such a set. */
    refused("12 1b 10 01 4a 17 0a 01 61 12 12 08 15 52 0e 0a 00 0a 0a 0a 01 62 12 05 08 01 20 bc 05", SPB_ERR_RANGE, 26,
            "metrics[0].properties.values[0].propertysets_value.propertyset[1].values[0].long_value: long_value 700 "
            "does not fit Int8");
    refused("12 10 10 01 4a 0c 0a 01 61 12 07 08 14 4a 03 0a 01 62", SPB_ERR_MALFORMED, 14,
            "metrics[0].properties.values[0].propertyset_value: a property set with not as many values as keys");
    refused("12 16 10 01 4a 12 0a 01 61 0a 01 62 12 04 08 14 4a 00 12 04 08 0c 18 04", SPB_ERR_TYPE, 22,
            "metrics[0].properties.values[1].int_value: int_value cannot carry String");
    /* The metric itself, which its metadata make rare. */
    refused("12 0a 10 01 20 0c 42 02 08 01 50 07", SPB_ERR_TYPE, 10,
            "metrics[0].int_value: int_value cannot carry String");
}
END_TEST

/* The arena is taken at once: what the preflight says is enough, and not many times too much. */
START_TEST(the_heap_is_counted_before_it_is_taken) {
    enum { ROWS = 2000 };
    static const spb_str columns[] = {{"name", 4}, {"count", 5}};
    static const spb_type types[] = {SPB_STRING, SPB_INT32};
    static spb_value cells[2 * ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        cells[2 * i] = spb_string("a text that libprotobuf-c copies");
        cells[2 * i + 1] = spb_int32((int32_t)i);
    }
    const spb_dataset dataset = {
        .column_count = 2, .columns = columns, .types = types, .row_count = ROWS, .cells = cells};
    const spb_payload_metric metric = {.name = {"m", 1}, .value = spb_dataset_value(&dataset)};
    const spb_payload payload = {.metrics = &metric, .metric_count = 1};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    spb_payload *decoded;
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, NULL), SPB_OK);
    const size_t used = spb_arena__used(decoded->storage);
    spb_payload_free(decoded);
    ck_assert_uint_gt(used, ROWS * (2 * sizeof(spb_value) + 2 * 64));
    ck_assert_uint_lt(used, ROWS * 800);
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, &(spb_limits){.max_heap_bytes = used}, NULL),
                     SPB_OK);
    ck_assert_uint_eq(spb_arena__used(decoded->storage), used); /* one block */
    spb_payload_free(decoded);
    ck_assert_int_eq(
        spb_payload_decode(&decoded, (spb_bytes){bytes, len}, &(spb_limits){.max_heap_bytes = used / 2}, NULL),
        SPB_ERR_LIMIT);
    spb_free(bytes);
    ck_assert_int_eq(spb_payload_encode(&payload, &(spb_limits){.max_heap_bytes = 10000}, &bytes, &len, NULL),
                     SPB_ERR_LIMIT);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("rare");
    TCase *cases = tcase_create("rare");
    tcase_add_test(cases, text_with_a_nul_is_not_cut_when_it_is_sent);
    tcase_add_test(cases, a_name_is_neither_missing_nor_empty);
    tcase_add_test(cases, text_with_a_nul_is_sent_in_all_other_places);
    tcase_add_test(cases, text_with_a_nul_is_decoded_with_all_its_bytes);
    tcase_add_test(cases, extensions_come_and_go_as_they_are);
    tcase_add_test(cases, an_extension_that_is_no_message_is_refused);
    tcase_add_test(cases, errors_inside_name_their_place);
    tcase_add_test(cases, the_heap_is_counted_before_it_is_taken);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
