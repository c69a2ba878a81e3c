/* Lists through the things themselves. */
#include <check.h>

#include "base/list.h"
#include "support/suite.h"

typedef struct thing {
    int number;
    spb_list_link link, other;
} thing;

static thing things[4];
static spb_list list;

static void setup(void) {
    list = (spb_list){0};
    for (int i = 0; i < 4; i++) {
        things[i] = (thing){.number = i};
    }
}

/* The numbers from the first to the last, and back. */
static void is(int count, const int *numbers) {
    int i = 0;
    for (spb_list_link *link = list.first; link; link = link->next) {
        ck_assert_int_lt(i, count);
        ck_assert_int_eq(SPB_LINKED(link, thing, link)->number, numbers[i++]);
    }
    ck_assert_int_eq(i, count);
    for (spb_list_link *link = list.last; link; link = link->previous) {
        ck_assert_int_eq(SPB_LINKED(link, thing, link)->number, numbers[--i]);
    }
    ck_assert_int_eq(i, 0);
}

#define IS(...) is(sizeof((int[]){__VA_ARGS__}) / sizeof(int), (int[]){__VA_ARGS__})

START_TEST(what_is_pushed_stands_at_the_end_or_at_the_front) {
    spb_list__push(&list, &things[0].link);
    spb_list__push(&list, &things[1].link);
    spb_list__push_front(&list, &things[2].link);
    IS(2, 0, 1);
}
END_TEST

START_TEST(a_link_is_in_one_list_at_most) {
    spb_list another = {0};
    spb_list__push(&list, &things[0].link);
    spb_list__push(&another, &things[0].link);
    spb_list__push_front(&list, &things[0].link);
    IS(0);
    ck_assert_ptr_null(another.first);
    spb_list__push(&another, &things[0].other);
    ck_assert_ptr_eq(SPB_LINKED(another.first, thing, other), &things[0]);
}
END_TEST

START_TEST(it_can_be_taken_out_from_anywhere) {
    for (int i = 0; i < 4; i++) {
        spb_list__push(&list, &things[i].link);
    }
    spb_list__remove(&things[1].link);
    IS(0, 2, 3);
    spb_list__remove(&things[0].link);
    IS(2, 3);
    spb_list__remove(&things[3].link);
    spb_list__remove(&things[3].link); /* which is in none */
    IS(2);
    spb_list__set(&list, &things[2].link, false);
    ck_assert(!list.first && !list.last && !things[2].link.list);
    spb_list__set(&list, &things[2].link, true);
    IS(2);
}
END_TEST

START_TEST(no_link_is_of_no_thing) {
    ck_assert_ptr_null(SPB_LINKED(list.first, thing, other));
}
END_TEST

int main(void) {
    TCase *all = tcase_create("list");
    tcase_add_checked_fixture(all, setup, NULL);
    tcase_add_test(all, what_is_pushed_stands_at_the_end_or_at_the_front);
    tcase_add_test(all, a_link_is_in_one_list_at_most);
    tcase_add_test(all, it_can_be_taken_out_from_anywhere);
    tcase_add_test(all, no_link_is_of_no_thing);
    Suite *suite = suite_create("list");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
