/* Aliases that wait for their metric. */
#include <check.h>
#include <stdio.h>

#include "core/alias.h"
#include "support/suite.h"

static spb_buckets map;

static void setup(void) {
    map = (spb_buckets){0};
}

static void teardown(void) {
    spb_alias_map__clear(&map);
}

static void put(const char *device, const char *name, spb_type type, uint32_t alias, uint32_t hash) {
    spb_alias item = {.name = spb_str_from(name), .type = type, .alias = alias};
    item.device_id = device ? spb_str_from(device) : (spb_str){0};
    ck_assert(spb_alias_map__put(&map, &item, hash));
}

static uint32_t take(const char *device, const char *name, spb_type type, uint32_t hash) {
    spb_str id = device ? spb_str_from(device) : (spb_str){0};
    spb_alias wanted = {.device_id = id, .name = spb_str_from(name), .type = type};
    return spb_alias_map__take(&map, &wanted, hash);
}

START_TEST(device_name_and_datatype_make_the_metric) {
    put(NULL, "x", SPB_INT32, 1, 9); /* all in one bucket */
    put("D", "x", SPB_INT32, 2, 9);
    put("D", "x", SPB_DOUBLE, 3, 9);
    put("Dx", "", SPB_INT32, 4, 9);
    ck_assert_uint_eq(take("E", "x", SPB_INT32, 9), 0);
    ck_assert_uint_eq(take("D", "x", SPB_DOUBLE, 9), 3);
    ck_assert_uint_eq(take("D", "x", SPB_INT32, 9), 2);
    ck_assert_uint_eq(take(NULL, "x", SPB_INT32, 9), 1);
    ck_assert_uint_eq(take(NULL, "x", SPB_INT32, 9), 0); /* taken is taken */
    ck_assert_uint_eq(map.count, 1);
}
END_TEST

START_TEST(many_are_found) {
    char name[16];
    for (uint32_t i = 1; i <= 10000; i++) {
        snprintf(name, sizeof name, "m%u", (unsigned)i);
        put("D", name, SPB_INT32, i, i * 2654435761u);
    }
    ck_assert_uint_eq(spb_alias_map__find(&map, 77)->alias, 77);
    for (uint32_t i = 1; i <= 10000; i++) {
        snprintf(name, sizeof name, "m%u", (unsigned)i);
        ck_assert_uint_eq(take("D", name, SPB_INT32, i * 2654435761u), i);
    }
    ck_assert_ptr_null(spb_alias_map__find(&map, 77));
}
END_TEST

int main(void) {
    TCase *all = tcase_create("alias");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, device_name_and_datatype_make_the_metric);
    tcase_add_test(all, many_are_found);
    Suite *suite = suite_create("alias");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
