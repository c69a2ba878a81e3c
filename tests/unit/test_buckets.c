/* Things are found by the hash of their key, however many there are. */
#include <check.h>

#include "base/buckets.h"
#include "support/suite.h"

enum { MANY = 1000 };

typedef struct thing {
    int number;
    spb_bucket_link link;
} thing;

static spb_buckets table;
static thing things[MANY];

static void setup(void) {
    table = (spb_buckets){0};
}

static void teardown(void) {
    spb_buckets__clear(&table);
}

static void add(int number, uint32_t hash) {
    things[number] = (thing){.number = number, .link.hash = hash};
    ck_assert(spb_buckets__reserve(&table));
    spb_buckets__add(&table, &things[number].link);
}

static int number_of(spb_bucket_link *link) {
    return link ? SPB_BUCKETED(link, thing, link)->number : -1;
}

START_TEST(an_empty_table_has_nothing) {
    ck_assert_ptr_null(spb_buckets__first(&table, 0));
    ck_assert_ptr_null(spb_buckets__each(&table, NULL));
    ck_assert_ptr_null(SPB_BUCKETED(spb_buckets__first(&table, 7), thing, link));
}
END_TEST

START_TEST(those_of_one_hash_are_told_from_others_in_the_bucket) {
    add(0, 5);
    add(1, 5 + (1u << 20)); /* in the same bucket */
    add(2, 5);
    spb_bucket_link *first = spb_buckets__first(&table, 5), *second = spb_buckets__next(first);
    ck_assert_int_eq(number_of(first) + number_of(second), 2);
    ck_assert_ptr_null(spb_buckets__next(second));
    ck_assert_int_eq(number_of(spb_buckets__first(&table, 5 + (1u << 20))), 1);
    ck_assert_ptr_null(spb_buckets__first(&table, 5 + (1u << 21)));
}
END_TEST

START_TEST(what_is_taken_out_is_gone_and_the_others_stay) {
    add(0, 5);
    add(1, 5);
    add(2, 5);
    spb_buckets__remove(&table, &things[1].link);
    ck_assert_uint_eq(table.count, 2);
    spb_bucket_link *first = spb_buckets__first(&table, 5);
    ck_assert_int_eq(number_of(first) + number_of(spb_buckets__next(first)), 2);
    spb_buckets__remove(&table, &things[0].link);
    spb_buckets__remove(&table, &things[2].link);
    ck_assert_ptr_null(spb_buckets__first(&table, 5));
    ck_assert_uint_eq(table.count, 0);
}
END_TEST

START_TEST(many_are_found_and_each_is_met_once) {
    bool is_met[MANY] = {false};
    size_t count = 0;
    for (int i = 0; i < MANY; i++) {
        add(i, (uint32_t)i * 2654435761u);
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(number_of(spb_buckets__first(&table, things[i].link.hash)), i);
    }
    for (spb_bucket_link *link = NULL; (link = spb_buckets__each(&table, link)); count++) {
        ck_assert(!is_met[number_of(link)]);
        is_met[number_of(link)] = true;
    }
    ck_assert_uint_eq(count, MANY);
    ck_assert_uint_ge(table.capacity, MANY);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("buckets");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, an_empty_table_has_nothing);
    tcase_add_test(all, those_of_one_hash_are_told_from_others_in_the_bucket);
    tcase_add_test(all, what_is_taken_out_is_gone_and_the_others_stay);
    tcase_add_test(all, many_are_found_and_each_is_met_once);
    Suite *suite = suite_create("buckets");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
