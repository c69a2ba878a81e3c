/* What encoding refuses, and in which words; the shapes that vectors do not have. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "support/hex.h"
#include "support/suite.h"

static spb_str str(const char *text) {
    return spb_str_from(text);
}

static void refused(const spb_payload *payload, const spb_limits *limits, spb_status status, const char *text) {
    uint8_t *bytes = (uint8_t *)1;
    size_t len = 1;
    spb_error err = {0};
    ck_assert_str_eq(spb_status_name(spb_payload_encode(payload, limits, &bytes, &len, &err)), spb_status_name(status));
    ck_assert_ptr_null(bytes);
    ck_assert_uint_eq(len, 0);
    ck_assert_str_eq(err.text, text);
    ck_assert_int_eq(err.status, status);
}

static void refused_metric(spb_payload_metric metric, spb_status status, const char *text) {
    if (!metric.name.data) {
        metric.name = str("m");
    }
    refused(&(spb_payload){.metrics = &metric, .metric_count = 1}, NULL, status, text);
}

static void refused_value(spb_value value, spb_status status, const char *text) {
    refused_metric((spb_payload_metric){.value = value}, status, text);
}

/* Encodes to these bytes, and they decode to the same value. */
static void encodes_to(spb_value value, const char *field_hex) {
    const spb_payload_metric metric = {.has_alias = true, .alias = 1, .value = value};
    const spb_payload payload = {.metrics = &metric, .metric_count = 1};
    uint8_t *bytes;
    size_t len;
    spb_error err;
    ck_assert_msg(spb_payload_encode(&payload, NULL, &bytes, &len, &err) == SPB_OK, "%s", err.text);
    spb_bytes field = hex_bytes(field_hex);
    ck_assert_uint_eq(len, 6 + field.len);
    ck_assert_mem_eq(bytes + 6, field.data, field.len);
    free((void *)(uintptr_t)field.data);
    spb_payload *decoded;
    ck_assert_msg(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, &err) == SPB_OK, "%s", err.text);
    ck_assert(spb_value_equal(&decoded->metrics[0].value, &value));
    spb_payload_free(decoded);
    spb_free(bytes);
}

START_TEST(an_empty_payload_is_no_bytes) {
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&(spb_payload){0}, NULL, &bytes, &len, NULL), SPB_OK);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(len, 0);
    spb_payload *decoded;
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){NULL, 0}, NULL, NULL), SPB_OK);
    ck_assert_uint_eq(decoded->metric_count, 0);
    spb_payload_free(decoded);
    spb_free(bytes);
    spb_payload_free(NULL);
    spb_free(NULL);
}
END_TEST

START_TEST(a_payload_has_a_seq_that_fits) {
    refused(&(spb_payload){.has_seq = true, .seq = 256}, NULL, SPB_ERR_RANGE, "seq: above 255");
    refused(&(spb_payload){.metric_count = 1}, NULL, SPB_ERR_ARGUMENT, "payload: a count without items");
    refused(&(spb_payload){.uuid = {"\xff", 1}}, NULL, SPB_ERR_NAME, "uuid: not UTF-8");
}
END_TEST

START_TEST(a_metric_has_a_name_a_datatype_and_a_value) {
    refused_metric((spb_payload_metric){.name = {"", 0}, .value = spb_int32(1)}, SPB_ERR_NAME,
                   "metrics[0].name: missing or empty");
    refused_metric((spb_payload_metric){.name = {"\xc3", 1}, .value = spb_int32(1)}, SPB_ERR_NAME,
                   "metrics[0].name: not UTF-8");
    refused_value((spb_value){0}, SPB_ERR_TYPE, "metrics[0].datatype: missing, and omit_datatype is not set");
    refused_metric((spb_payload_metric){.omit_datatype = true}, SPB_ERR_TYPE, "metrics[0]: neither a value nor null");
    refused_value((spb_value){.type = (spb_type)99}, SPB_ERR_TYPE, "metrics[0]: neither a value nor null");
    refused_value(spb_null(SPB_PROPERTY_SET), SPB_ERR_TYPE, "metrics[0]: a datatype that cannot stand here");
    refused_metric((spb_payload_metric){.value = spb_int32(1), .metadata = &(spb_metadata){.md5 = {"\xff", 1}}},
                   SPB_ERR_NAME, "metrics[0].metadata.md5: not UTF-8");
}
END_TEST

/* Numbers out of range reach us only when somebody fills the struct by hand. */
START_TEST(a_value_fits_its_datatype) {
    const struct {
        spb_value value;
        spb_status status;
    } wrong[] = {
        {{.type = SPB_INT8, .as.i64 = 128}, SPB_ERR_RANGE},
        {{.type = SPB_INT32, .as.i64 = -2147483649}, SPB_ERR_RANGE},
        {{.type = SPB_UINT16, .as.u64 = 65536}, SPB_ERR_RANGE},
        {{.type = SPB_UINT32, .as.u64 = 1ULL << 32}, SPB_ERR_RANGE},
        {{.type = SPB_STRING, .as.str = {"\xff", 1}}, SPB_ERR_NAME},
        {{.type = SPB_INT16_ARRAY, .is_packed = true, .as.bytes = {(const uint8_t *)"abc", 3}}, SPB_ERR_MALFORMED}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const spb_payload_metric metric = {.name = str("m"), .value = wrong[i].value};
        uint8_t *bytes;
        size_t len;
        spb_error err;
        spb_status status =
            spb_payload_encode(&(spb_payload){.metrics = &metric, .metric_count = 1}, NULL, &bytes, &len, &err);
        ck_assert_str_eq(spb_status_name(status), spb_status_name(wrong[i].status));
        ck_assert_msg(strncmp(err.text, "metrics[0]", 10) == 0, "%s", err.text);
    }
}
END_TEST

START_TEST(datasets_are_rectangular_and_of_their_columns_types) {
    const spb_str columns[] = {str("a"), str("b")};
    const spb_type types[] = {SPB_INT8, SPB_STRING};
    spb_value cells[] = {spb_int8(-1), spb_string("x"), spb_null(SPB_INT8), spb_null(SPB_STRING)};
    spb_dataset dataset = {2, columns, types, 2, cells};
    encodes_to(spb_dataset_value(&dataset), "8a01 21 0802 120161 120162 1801 180c"
                                            "220d 0a06 08ffffffff0f 0a03 320178 2204 0a00 0a00");
    cells[3] = spb_int32(1);
    refused_value(spb_dataset_value(&dataset), SPB_ERR_TYPE,
                  "metrics[0].dataset_value.rows[1].elements[1]: not of its column's datatype");
    const spb_type wrong[] = {SPB_INT8, SPB_DATASET};
    dataset.types = wrong;
    refused_value(spb_dataset_value(&dataset), SPB_ERR_TYPE,
                  "metrics[0].dataset_value.types[1]: a datatype that cannot stand here");
    dataset.types = NULL;
    refused_value(spb_dataset_value(&dataset), SPB_ERR_ARGUMENT, "metrics[0].dataset_value: a count without items");
    dataset = (spb_dataset){2, columns, types, SIZE_MAX, cells};
    refused_value(spb_dataset_value(&dataset), SPB_ERR_LIMIT,
                  "metrics[0].dataset_value: more cells than the limit max_metrics");
}
END_TEST

START_TEST(templates_are_definitions_or_name_one) {
    const spb_payload_metric members[] = {{.name = str("rpm"), .value = spb_uint16(5)}};
    const spb_parameter parameters[] = {{str("p"), spb_boolean(true)}, {str("q"), spb_null(SPB_INT32)}};
    spb_template tmpl = {.version = str("1"),
                         .is_definition = true,
                         .has_is_definition = true,
                         .metrics = members,
                         .metric_count = 1,
                         .parameters = parameters,
                         .parameter_count = 2};
    encodes_to(spb_template_value(&tmpl), "9201 20 0a0131 1209 0a0372706d 2006 5005"
                                          "1a07 0a0170 100b 3801 1a05 0a0171 1003 2801");
    tmpl.template_ref = str("Motor");
    refused_value(spb_template_value(&tmpl), SPB_ERR_NAME,
                  "metrics[0].template_value.template_ref: a definition refers to no other template");
    tmpl.is_definition = false;
    tmpl.parameter_count = 0;
    encodes_to(spb_template_value(&tmpl), "9201 17 0a0131 1209 0a0372706d 2006 5005 22054d6f746f72 2800");
    tmpl.template_ref = (spb_str){0};
    refused_value(spb_template_value(&tmpl), SPB_ERR_NAME,
                  "metrics[0].template_value.template_ref: an instance must name its definition");
}
END_TEST

START_TEST(properties_have_keys_and_may_nest) {
    const spb_property inner[] = {{str("a"), spb_int8(-1)}};
    const spb_property_set sets[] = {{inner, 1}, {NULL, 0}};
    const spb_property_sets list = {sets, 2};
    const spb_property outer[] = {{str("s"), spb_property_set_value(&sets[0])},
                                  {str("l"), spb_property_sets_value(&list)},
                                  {str("n"), spb_null(SPB_DOUBLE)}};
    spb_property_set set = {outer, 3};
    const spb_payload_metric metric = {.has_alias = true, .alias = 1, .properties = &set, .value = spb_boolean(false)};
    const spb_payload payload = {.metrics = &metric, .metric_count = 1};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    spb_bytes wanted = hex_bytes("1241 1001 200b 4a39 0a0173 0a016c 0a016e"
                                 "1211 0814 4a0d 0a0161 1208 0801 18ffffffff0f"
                                 "1215 0815 5211 0a0d 0a0161 1208 0801 18ffffffff0f 0a00 1204 080a 1001 7000");
    ck_assert_uint_eq(len, wanted.len);
    ck_assert_mem_eq(bytes, wanted.data, len);
    spb_payload *decoded;
    ck_assert_int_eq(spb_payload_decode(&decoded, wanted, NULL, NULL), SPB_OK);
    const spb_value got = spb_property_set_value(decoded->metrics[0].properties);
    const spb_value had = spb_property_set_value(&set);
    ck_assert(spb_value_equal(&got, &had));
    spb_payload_free(decoded);
    free((void *)(uintptr_t)wanted.data);
    spb_free(bytes);

    const spb_property wrong[] = {{str("q"), spb_bytes_value("x", 1)}};
    set = (spb_property_set){wrong, 1};
    refused_metric(metric, SPB_ERR_TYPE, "metrics[0].properties.values[0]: a datatype that cannot stand here");
    const spb_property nameless[] = {{{0}, spb_int8(1)}};
    set = (spb_property_set){nameless, 1};
    refused_metric(metric, SPB_ERR_NAME, "metrics[0].properties.keys[0]: missing");
    const spb_property garbled[] = {{str("a"), spb_int8(1)}, {{"\xc3", 1}, spb_int8(1)}};
    set = (spb_property_set){garbled, 2};
    refused_metric(metric, SPB_ERR_NAME, "metrics[0].properties.keys[1]: not UTF-8");
}
END_TEST

START_TEST(limits_hold_for_encoding_too) {
    spb_property_set sets[34];
    spb_property properties[34];
    properties[0] = (spb_property){str("k"), spb_int8(1)};
    sets[0] = (spb_property_set){&properties[0], 1};
    for (size_t i = 1; i < 34; i++) {
        properties[i] = (spb_property){str("k"), spb_property_set_value(&sets[i - 1])};
        sets[i] = (spb_property_set){&properties[i], 1};
    }
    spb_payload_metric metric = {.name = str("m"), .value = spb_string("hello"), .properties = &sets[15]};
    const spb_payload payload = {.metrics = &metric, .metric_count = 1};
    const spb_limits deepest = {.max_depth = 32};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK); /* 16 levels */
    spb_free(bytes);
    metric.properties = &sets[16];
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_ERR_LIMIT);
    metric.properties = &sets[31];
    ck_assert_int_eq(spb_payload_encode(&payload, &deepest, &bytes, &len, NULL), SPB_OK); /* 32 levels */
    spb_payload *decoded;
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, NULL, NULL), SPB_ERR_LIMIT);
    ck_assert_int_eq(spb_payload_decode(&decoded, (spb_bytes){bytes, len}, &deepest, NULL), SPB_OK);
    spb_payload_free(decoded);
    spb_free(bytes);
    metric.properties = &sets[32];
    spb_error err;
    ck_assert_int_eq(spb_payload_encode(&payload, &(spb_limits){.max_depth = 99}, &bytes, &len, &err), SPB_ERR_LIMIT);
    ck_assert_msg(strncmp(err.text, "metrics[0].properties.values[0].propertyset_value.", 50) == 0, "%s", err.text);

    metric.properties = NULL;
    refused(&payload, &(spb_limits){.max_string_bytes = 4}, SPB_ERR_LIMIT,
            "metrics[0].string_value: longer than the limit max_string_bytes");
    refused(&payload, &(spb_limits){.max_payload_bytes = 10}, SPB_ERR_LIMIT,
            "metrics[0]: the payload becomes longer than the limit max_payload_bytes");
    const spb_payload_metric two[] = {metric, metric};
    refused(&(spb_payload){.metrics = two, .metric_count = 2}, &(spb_limits){.max_metrics = 1}, SPB_ERR_LIMIT,
            "payload: more metrics, members, properties and cells than the limit max_metrics");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("encode");
    TCase *cases = tcase_create("encode");
    tcase_add_test(cases, an_empty_payload_is_no_bytes);
    tcase_add_test(cases, a_payload_has_a_seq_that_fits);
    tcase_add_test(cases, a_metric_has_a_name_a_datatype_and_a_value);
    tcase_add_test(cases, a_value_fits_its_datatype);
    tcase_add_test(cases, datasets_are_rectangular_and_of_their_columns_types);
    tcase_add_test(cases, templates_are_definitions_or_name_one);
    tcase_add_test(cases, properties_have_keys_and_may_nest);
    tcase_add_test(cases, limits_hold_for_encoding_too);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
