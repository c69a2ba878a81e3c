/* Payloads, DataSets and Templates made step by step: copies, checks, and nothing half-added. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spb/payload.h>

#include "support/suite.h"

static void is_error(spb_status got, spb_status wanted, const spb_error *err, const char *text) {
    ck_assert_str_eq(spb_status_name(got), spb_status_name(wanted));
    ck_assert_str_eq(err->text, text);
}

START_TEST(a_payload_keeps_copies_of_its_metrics) {
    spb_payload *payload;
    ck_assert_int_eq(spb_payload_new(&payload, NULL), SPB_OK);
    for (int i = 0; i < 1000; i++) {
        char name[16], text[16];
        snprintf(name, sizeof name, "m%d", i);
        snprintf(text, sizeof text, "v%d", i);
        const spb_property property = {spb_str_from("engUnit"), spb_string(text)};
        const spb_property_set set = {&property, 1};
        const spb_payload_metric metric = {.name = spb_str_from(name), .value = spb_string(text), .properties = &set};
        ck_assert_int_eq(spb_payload_add_metric(payload, &metric, NULL), SPB_OK);
        memset(name, '?', sizeof name); /* all of it was copied */
        memset(text, '?', sizeof text);
    }
    ck_assert_uint_eq(payload->metric_count, 1000);
    const spb_payload_metric *found = spb_payload_find(payload, "m789");
    ck_assert_ptr_eq(found, &payload->metrics[789]);
    ck_assert(spb_str_equal(found->value.as.str, spb_str_from("v789")));
    ck_assert(spb_str_equal(spb_property_find(found->properties, "engUnit")->value.as.str, spb_str_from("v789")));
    spb_payload_free(payload);
}
END_TEST

START_TEST(a_metric_that_cannot_be_sent_is_not_added) {
    spb_payload *payload;
    spb_error err;
    ck_assert_int_eq(spb_payload_new(&payload, NULL), SPB_OK);
    const spb_payload_metric good = {.name = spb_str_from("a"), .value = spb_int8(1)};
    const spb_payload_metric nameless = {.value = spb_int8(1)};
    const spb_payload_metric wrong = {.name = spb_str_from("b"), .value = {.type = SPB_INT8, .as.i64 = 128}};
    ck_assert_int_eq(spb_payload_add_metric(payload, &good, NULL), SPB_OK);
    is_error(spb_payload_add_metric(payload, &nameless, &err), SPB_ERR_NAME, &err, "metric.name: missing or empty");
    is_error(spb_payload_add_metric(payload, &wrong, &err), SPB_ERR_RANGE, &err, "metric: 128 does not fit Int8");
    ck_assert_uint_eq(payload->metric_count, 1);
    spb_payload own = {0};
    is_error(spb_payload_add_metric(&own, &good, &err), SPB_ERR_STATE, &err,
             "metric: the payload was not made by spb_payload_new");
    spb_payload_free(payload);
}
END_TEST

START_TEST(a_decoded_payload_can_grow) {
    const uint8_t wire[] = {0x12, 7, 0x0a, 1, 'x', 0x20, 3, 0x50, 5};
    spb_payload *payload;
    ck_assert_int_eq(spb_payload_decode(&payload, (spb_bytes){wire, sizeof wire}, NULL, NULL), SPB_OK);
    const spb_payload_metric more = {.name = spb_str_from("y"), .value = spb_double(1)};
    ck_assert_int_eq(spb_payload_add_metric(payload, &more, NULL), SPB_OK);
    ck_assert_uint_eq(payload->metric_count, 2);
    ck_assert_int_eq(spb_payload_find(payload, "x")->value.as.i64, 5);
    ck_assert_ptr_nonnull(spb_payload_find(payload, "y"));
    spb_payload_free(payload);
}
END_TEST

START_TEST(a_dataset_is_built_by_columns_and_rows) {
    spb_dataset_builder *builder;
    spb_error err;
    ck_assert_int_eq(spb_dataset_builder_new(&builder, NULL), SPB_OK);
    ck_assert_int_eq(spb_dataset_builder_add_column(builder, "Step", SPB_INT32, NULL), SPB_OK);
    ck_assert_int_eq(spb_dataset_builder_add_column(builder, "Name", SPB_STRING, NULL), SPB_OK);
    is_error(spb_dataset_builder_add_column(builder, "Step", SPB_INT8, &err), SPB_ERR_EXISTS, &err,
             "dataset.columns[2]: the name of column 0 again");
    is_error(spb_dataset_builder_add_column(builder, "", SPB_INT8, &err), SPB_ERR_NAME, &err,
             "dataset.columns[2]: missing or empty");
    is_error(spb_dataset_builder_add_column(builder, "T", SPB_TEMPLATE, &err), SPB_ERR_TYPE, &err,
             "dataset.types[2]: a datatype that cannot stand here");
    for (int i = 0; i < 100; i++) {
        char text[16];
        snprintf(text, sizeof text, "row %d", i);
        const spb_value cells[] = {spb_int32(i), i % 2 ? spb_string(text) : spb_null(SPB_STRING)};
        ck_assert_int_eq(spb_dataset_builder_add_row(builder, cells, 2, NULL), SPB_OK);
        memset(text, '?', sizeof text);
    }
    const spb_value wrong[] = {spb_int32(1), spb_int32(2)};
    is_error(spb_dataset_builder_add_row(builder, wrong, 2, &err), SPB_ERR_TYPE, &err,
             "dataset.rows[100].elements[1]: not of its column's datatype");
    is_error(spb_dataset_builder_add_row(builder, wrong, 1, &err), SPB_ERR_ARGUMENT, &err,
             "dataset.rows[100]: 1 cells for 2 columns");
    is_error(spb_dataset_builder_add_column(builder, "Late", SPB_INT8, &err), SPB_ERR_STATE, &err,
             "dataset: a column after the first row");
    const spb_dataset *dataset = spb_dataset_builder_get(builder);
    ck_assert_uint_eq(dataset->column_count, 2);
    ck_assert_uint_eq(dataset->row_count, 100);
    ck_assert(spb_str_equal(dataset->cells[199].as.str, spb_str_from("row 99")));
    ck_assert(dataset->cells[197 - 1].as.i64 == 98 && dataset->cells[197].is_null);
    spb_dataset_builder_free(builder);
    spb_dataset_builder_free(NULL);
}
END_TEST

START_TEST(a_template_is_built_by_members_and_parameters) {
    spb_template_builder *builder;
    spb_error err;
    is_error(spb_template_builder_new(&builder, "", NULL, &err), SPB_ERR_NAME, &err,
             "template.template_ref: empty; a definition has none");
    ck_assert_ptr_null(builder);
    is_error(spb_template_builder_new(&builder, "\xff", NULL, &err), SPB_ERR_NAME, &err,
             "template.template_ref: not UTF-8");
    ck_assert_int_eq(spb_template_builder_new(&builder, NULL, "1.0", NULL), SPB_OK);
    ck_assert(spb_template_builder_get(builder)->is_definition);
    spb_template_builder_free(builder);

    ck_assert_int_eq(spb_template_builder_new(&builder, "Types/Motor", "1.0", NULL), SPB_OK);
    const spb_payload_metric member = {.name = spb_str_from("rpm"), .value = spb_uint16(5)};
    const spb_payload_metric nameless = {.has_alias = true, .alias = 1, .value = spb_uint16(5)};
    ck_assert_int_eq(spb_template_builder_add_metric(builder, &member, NULL), SPB_OK);
    is_error(spb_template_builder_add_metric(builder, &member, &err), SPB_ERR_EXISTS, &err,
             "metric.name: the name of member 0 again");
    is_error(spb_template_builder_add_metric(builder, &nameless, &err), SPB_ERR_NAME, &err,
             "metric.name: a member of a Template needs one");
    const spb_value power = spb_float(7.5F), blob = spb_bytes_value("x", 1);
    ck_assert_int_eq(spb_template_builder_add_parameter(builder, "Power", &power, NULL), SPB_OK);
    is_error(spb_template_builder_add_parameter(builder, "Power", &power, &err), SPB_ERR_EXISTS, &err,
             "template.parameters[1].name: the name of parameter 0 again");
    is_error(spb_template_builder_add_parameter(builder, "Blob", &blob, &err), SPB_ERR_TYPE, &err,
             "template.parameters[1]: a datatype that cannot stand here");
    is_error(spb_template_builder_add_parameter(builder, NULL, &power, &err), SPB_ERR_NAME, &err,
             "template.parameters[1].name: missing or empty");
    const spb_template *tmpl = spb_template_builder_get(builder);
    ck_assert_uint_eq(tmpl->metric_count, 1);
    ck_assert_uint_eq(tmpl->parameter_count, 1);

    const spb_payload_metric metric = {.name = spb_str_from("M1"), .value = spb_template_value(tmpl)};
    spb_payload *payload;
    ck_assert_int_eq(spb_payload_new(&payload, NULL), SPB_OK);
    ck_assert_int_eq(spb_payload_add_metric(payload, &metric, NULL), SPB_OK);
    spb_template_builder_free(builder);
    ck_assert(spb_str_equal(payload->metrics[0].value.as.tmpl->template_ref, spb_str_from("Types/Motor")));
    spb_payload_free(payload);
    spb_template_builder_free(NULL);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("builders");
    TCase *cases = tcase_create("builders");
    tcase_add_test(cases, a_payload_keeps_copies_of_its_metrics);
    tcase_add_test(cases, a_metric_that_cannot_be_sent_is_not_added);
    tcase_add_test(cases, a_decoded_payload_can_grow);
    tcase_add_test(cases, a_dataset_is_built_by_columns_and_rows);
    tcase_add_test(cases, a_template_is_built_by_members_and_parameters);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
