/* Devices and metrics are found, in their thousands. */
#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/table.h"
#include "support/suite.h"

static spb_metric *add_metric(spb_table *table, spb_device *holder, const char *name, spb_value value) {
    spb_metric *metric;
    spb_error err;
    spb_metric_def def = {.name = name, .value = value};
    ck_assert_msg(spb_metric__new(&metric, &def, 5, &err) == SPB_OK, "%s", err.text);
    ck_assert_msg(spb_table__add_metric(table, holder, metric, &err) == SPB_OK, "%s", err.text);
    return metric;
}

static spb_device *add_device(spb_table *table, const char *id) {
    spb_device *device;
    ck_assert_int_eq(spb_table__add_device(table, &device, spb_str_from(id), NULL), SPB_OK);
    return device;
}

START_TEST(a_name_belongs_to_its_holder) {
    spb_table table;
    ck_assert_int_eq(spb_table__init(&table, NULL, false, NULL), SPB_OK);
    spb_device *a = add_device(&table, "a"), *b = add_device(&table, "b");
    spb_metric *of_node = add_metric(&table, table.node, "x", spb_int32(0));
    spb_metric *of_a = add_metric(&table, a, "x", spb_int32(1));
    ck_assert_ptr_eq(spb_table__find_metric(&table, table.node, spb_str_from("x")), of_node);
    ck_assert_ptr_eq(spb_table__find_metric(&table, a, spb_str_from("x")), of_a);
    ck_assert_ptr_null(spb_table__find_metric(&table, b, spb_str_from("x")));
    ck_assert_ptr_null(spb_metric_device(of_node));
    ck_assert_ptr_eq(spb_metric_device(of_a), a);
    ck_assert_uint_ne(spb_metric_alias(of_node), spb_metric_alias(of_a));
    spb_table__clear(&table);
}
END_TEST

START_TEST(what_is_taken_is_refused_and_nothing_changes) {
    spb_table table;
    spb_device *again;
    spb_metric *metric;
    spb_error err;
    spb_metric_def def = {.name = "x", .type = SPB_INT32};
    spb_table__init(&table, NULL, false, NULL);
    spb_device *press = add_device(&table, "Press");
    spb_metric *first = add_metric(&table, press, "x", spb_int32(0));
    ck_assert_int_eq(spb_table__add_device(&table, &again, spb_str_from("Press"), &err), SPB_ERR_EXISTS);
    ck_assert_ptr_null(again);
    ck_assert_str_eq(err.text, "device Press exists already");
    ck_assert_int_eq(spb_metric__new(&metric, &def, 0, NULL), SPB_OK);
    ck_assert_int_eq(spb_table__add_metric(&table, press, metric, &err), SPB_ERR_EXISTS);
    ck_assert_str_eq(err.text, "metric Press/x exists already");
    spb_metric__free(metric);
    ck_assert_ptr_eq(spb_table__find_metric(&table, press, spb_str_from("x")), first);
    ck_assert_uint_eq(table.metrics.count, 1);
    spb_table__clear(&table);
}
END_TEST

START_TEST(aliases_count_from_1_and_lead_back) {
    spb_table table;
    spb_table__init(&table, NULL, false, NULL);
    spb_metric *one = add_metric(&table, table.node, "one", spb_int32(0));
    spb_metric *two = add_metric(&table, add_device(&table, "d"), "two", spb_int32(0));
    ck_assert_uint_eq(spb_metric_alias(one), 1);
    ck_assert_uint_eq(spb_metric_alias(two), 2);
    ck_assert_ptr_eq(spb_table__find_alias(&table, 2), two);
    ck_assert_ptr_null(spb_table__find_alias(&table, 0));
    ck_assert_ptr_null(spb_table__find_alias(&table, 3));
    ck_assert_ptr_null(spb_table__find_alias(&table, UINT64_MAX));
    spb_table__clear(&table);
}
END_TEST

START_TEST(without_aliases_there_are_none) {
    spb_table table;
    spb_table__init(&table, NULL, true, NULL);
    ck_assert_uint_eq(spb_metric_alias(add_metric(&table, table.node, "x", spb_int32(0))), 0);
    ck_assert_ptr_null(spb_table__find_alias(&table, 1));
    spb_table__clear(&table);
}
END_TEST

/* Heap of this thread's arena; 0 under an allocator that does not tell. */
static size_t heap_in_use(void) {
    return mallinfo2().uordblks;
}

START_TEST(a_hundred_thousand_metrics_are_found_and_are_small) {
    enum { DEVICES = 1000, METRICS = 100 };
    static spb_metric *handles[DEVICES][METRICS];
    static spb_device *devices[DEVICES];
    char name[64];
    spb_table table;
    size_t before = heap_in_use();
    spb_table__init(&table, NULL, false, NULL);
    for (int d = 0; d < DEVICES; d++) {
        snprintf(name, sizeof name, "device %d", d);
        devices[d] = add_device(&table, name);
        for (int m = 0; m < METRICS; m++) {
            snprintf(name, sizeof name, "Line/Section/Measurement %06d", m);
            handles[d][m] = add_metric(&table, devices[d], name, spb_double(m));
        }
    }
    size_t bytes_per_metric = (heap_in_use() - before) / (DEVICES * METRICS);
    ck_assert_uint_le(bytes_per_metric, 300);
    for (int d = 0; d < DEVICES; d++) {
        for (int m = 0; m < METRICS; m++) {
            snprintf(name, sizeof name, "Line/Section/Measurement %06d", m);
            ck_assert_ptr_eq(spb_table__find_metric(&table, devices[d], spb_str_from(name)), handles[d][m]);
            ck_assert_ptr_eq(spb_table__find_alias(&table, spb_metric_alias(handles[d][m])), handles[d][m]);
        }
    }
    /* No bucket is long: the hash spreads names that differ in their last digits only. */
    size_t longest = 0;
    for (size_t i = 0; i < table.metrics.capacity; i++) {
        size_t len = 0;
        for (const spb_bucket_link *link = table.metrics.items[i]; link; link = link->next) {
            len++;
        }
        longest = len > longest ? len : longest;
    }
    ck_assert_uint_le(longest, 12);
    spb_table__clear(&table);
}
END_TEST

START_TEST(a_text_value_reuses_its_memory) {
    spb_metric *metric;
    spb_metric_def def = {.name = "x", .value = spb_string("a text of some length")};
    ck_assert_int_eq(spb_metric__new(&metric, &def, 0, NULL), SPB_OK);
    const void *storage = metric->storage;
    spb_value values[] = {spb_string("short"), spb_string(""), spb_null(SPB_STRING),
                          spb_string("as long as before, no")};
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(spb_metric__set(metric, &values[i], i, NULL), SPB_OK);
        ck_assert(spb_value_equal(&metric->value, &values[i]));
        ck_assert_ptr_eq(metric->storage, storage);
    }
    /* its own value, and a part of it */
    spb_value own = metric->value;
    own.as.str.data += 3;
    own.as.str.len = 4;
    ck_assert_int_eq(spb_metric__set(metric, &own, 9, NULL), SPB_OK);
    ck_assert(spb_str_equal(metric->value.as.str, spb_str_from("long")));
    spb_metric__free(metric);
}
END_TEST

START_TEST(values_of_all_forms_are_kept) {
    const int16_t numbers[] = {-1, 2};
    const spb_str texts[] = {{"a", 1}, {"bc", 2}};
    const spb_str column = {"c", 1};
    const spb_type type = SPB_INT32;
    const spb_value cell = spb_int32(7);
    const spb_dataset dataset = {.column_count = 1, .columns = &column, .types = &type, .row_count = 1, .cells = &cell};
    const spb_value values[] = {spb_boolean(true),           spb_text("text"),           spb_bytes_value("\0\1", 2),
                                spb_int16_array(numbers, 2), spb_string_array(texts, 2), spb_dataset_value(&dataset)};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        spb_metric *metric;
        spb_error err;
        spb_metric_def def = {.name = "x", .value = values[i]};
        ck_assert_msg(spb_metric__new(&metric, &def, 0, &err) == SPB_OK, "%s", err.text);
        spb_value null = spb_null(values[i].type);
        ck_assert_int_eq(spb_metric__set(metric, &null, 1, NULL), SPB_OK);
        ck_assert_int_eq(spb_metric__set(metric, &values[i], 1, NULL), SPB_OK);
        ck_assert_int_eq(spb_metric__set(metric, &values[i], 1, NULL), SPB_OK);
        ck_assert(spb_value_equal(&metric->value, &values[i]));
        spb_metric__free(metric);
    }
}
END_TEST

static const struct {
    spb_metric_def def;
    spb_status status;
} wrong[] = {
    {{.type = SPB_INT32}, SPB_ERR_NAME},
    {{.name = "", .type = SPB_INT32}, SPB_ERR_NAME},
    {{.name = "\xff", .type = SPB_INT32}, SPB_ERR_NAME},
    {{.name = "x"}, SPB_ERR_ARGUMENT},
    {{.name = "x", .type = (spb_type)35}, SPB_ERR_TYPE},
    {{.name = "x", .type = SPB_PROPERTY_SET}, SPB_ERR_TYPE},
    {{.name = "x", .type = SPB_DOUBLE, .value = {.type = SPB_INT32}}, SPB_ERR_TYPE},
    {{.name = "x", .value = {.type = SPB_INT8, .as.i64 = 128}}, SPB_ERR_RANGE},
    {{.name = "x", .type = SPB_DOUBLE, .min = 2, .max = 1}, SPB_ERR_ARGUMENT},
    {{.name = "x", .type = SPB_STRING, .max = 1}, SPB_ERR_ARGUMENT},
    {{.name = "x", .type = SPB_DOUBLE, .description = "\xff"}, SPB_ERR_NAME},
};

START_TEST(a_wrong_definition_is_refused) {
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        spb_metric *metric;
        spb_error err = {0};
        ck_assert_int_eq(spb_metric__new(&metric, &wrong[i].def, 0, &err), wrong[i].status);
        ck_assert_ptr_null(metric);
        ck_assert_int_eq(err.status, wrong[i].status);
    }
}
END_TEST

int main(void) {
    TCase *all = tcase_create("table");
    tcase_add_test(all, a_name_belongs_to_its_holder);
    tcase_add_test(all, what_is_taken_is_refused_and_nothing_changes);
    tcase_add_test(all, aliases_count_from_1_and_lead_back);
    tcase_add_test(all, without_aliases_there_are_none);
    tcase_add_test(all, a_hundred_thousand_metrics_are_found_and_are_small);
    tcase_add_test(all, a_text_value_reuses_its_memory);
    tcase_add_test(all, values_of_all_forms_are_kept);
    tcase_add_test(all, a_wrong_definition_is_refused);
    Suite *suite = suite_create("table");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
