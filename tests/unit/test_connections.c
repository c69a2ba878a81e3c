/* The table of connections: found in both directions, forgotten in the order of silence. */
#include <check.h>
#include <stdlib.h>

#include "capture/connections.h"
#include "support/suite.h"

static connections all;
static heap memory;

static void begin(void) {
    memory = (heap){0};
    ck_assert(connections_init(&all, 1000));
}

static void end(void) {
    while (all.newest) {
        connections_remove(&all, &memory, all.newest);
    }
    connections_clear(&all);
    ck_assert_uint_eq(memory.used, 0);
}

static segment between(uint16_t port, bool is_back) {
    capture_address client = {.family = 4, .bytes = {10, 0, 0, 1}, .port = port};
    capture_address server = {.family = 4, .bytes = {10, 0, 0, 9}, .port = 1883};
    return (segment){.from = is_back ? server : client, .to = is_back ? client : server};
}

START_TEST(a_connection_is_found_from_both_ends) {
    segment there = between(40000, false);
    segment back = between(40000, true);
    segment other = between(40001, false);
    int from;
    ck_assert_ptr_null(connections_find(&all, &there, &from));
    connection *c = connections_add(&all, &memory, &there);
    ck_assert_ptr_eq(connections_find(&all, &there, &from), c);
    ck_assert_int_eq(from, TALK_FIRST);
    ck_assert_ptr_eq(connections_find(&all, &back, &from), c);
    ck_assert_int_eq(from, TALK_SECOND);
    ck_assert_ptr_null(connections_find(&all, &other, &from));
    there.from.family = 6; /* the same bytes, but another address */
    ck_assert_ptr_null(connections_find(&all, &there, &from));
}
END_TEST

START_TEST(many_are_found_and_removed) {
    int from;
    for (uint16_t port = 1; port <= 5000; port++) {
        segment g = between(port, port % 2);
        ck_assert_ptr_nonnull(connections_add(&all, &memory, &g));
    }
    ck_assert_uint_eq(all.count, 5000);
    for (uint16_t port = 1; port <= 5000; port += 3) {
        segment g = between(port, false);
        connections_remove(&all, &memory, connections_find(&all, &g, &from));
    }
    for (uint16_t port = 1; port <= 5000; port++) {
        segment g = between(port, false);
        ck_assert((connections_find(&all, &g, &from) == NULL) == (port % 3 == 1));
    }
}
END_TEST

START_TEST(the_one_that_was_silent_for_longest_is_the_oldest) {
    connection *three[3];
    for (uint16_t i = 0; i < 3; i++) {
        segment g = between(i, false);
        three[i] = connections_add(&all, &memory, &g);
    }
    ck_assert_ptr_eq(all.oldest, three[0]);
    connections_touch(&all, three[0]);
    ck_assert_ptr_eq(all.oldest, three[1]);
    ck_assert_ptr_eq(all.newest, three[0]);
    connections_touch(&all, three[2]);
    ck_assert_ptr_eq(all.newest, three[2]);
    connections_remove(&all, &memory, three[1]);
    ck_assert_ptr_eq(all.oldest, three[0]);
    connections_remove(&all, &memory, three[2]);
    ck_assert(all.oldest == three[0] && all.newest == three[0]);
}
END_TEST

int main(void) {
    TCase *table = tcase_create("table");
    tcase_add_checked_fixture(table, begin, end);
    tcase_add_test(table, a_connection_is_found_from_both_ends);
    tcase_add_test(table, many_are_found_and_removed);
    tcase_add_test(table, the_one_that_was_silent_for_longest_is_the_oldest);
    Suite *suite = suite_create("connections");
    suite_add_tcase(suite, table);
    return suite_run(suite);
}
