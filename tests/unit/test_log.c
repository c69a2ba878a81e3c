/* The log of a node: what is left out of a flood, and what is told of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/node.h"
#include "support/suite.h"

static spb_node node;
static unsigned lines, left_out;
static char last[600];

static void on_log(spb_log_level level, const char *text, void *user) {
    unsigned count;
    (void)level, (void)user;
    if (strstr(text, "more lines in the same second were left out") && sscanf(text, "%u", &count) == 1) {
        left_out += count;
    } else {
        lines++;
    }
    snprintf(last, sizeof last, "%s", text);
}

static void setup(void) {
    node = (spb_node){.on_log = on_log, .log_level = SPB_LOG_INFO};
    lines = left_out = 0;
    last[0] = '\0';
}

START_TEST(each_line_of_a_flood_is_told_or_counted) {
    for (int i = 0; i < 5000; i++) {
        spb_node__log(&node, SPB_LOG_WARNING, "a block of the journal is damaged");
    }
    ck_assert_uint_ge(lines, 100);
    ck_assert_uint_lt(lines, 5000);
    ck_assert_uint_lt(spb_node__log_due_ms(&node), SPB_NEVER);
    spb_node__log_dropped(&node, 0, SPB_NEVER);
    ck_assert_uint_eq(lines + left_out, 5000);
    ck_assert_uint_eq(spb_node__log_due_ms(&node), SPB_NEVER);
}
END_TEST

START_TEST(lines_that_nobody_wants_cost_nothing) {
    for (int i = 0; i < 1000; i++) {
        spb_node__log(&node, SPB_LOG_DEBUG, "a message");
    }
    spb_node__log(&node, SPB_LOG_INFO, "born");
    ck_assert_str_eq(last, "born");
    ck_assert_uint_eq(spb_node__log_due_ms(&node), SPB_NEVER);
}
END_TEST

START_TEST(a_line_is_fit_for_a_terminal) {
    spb_node__log(&node, SPB_LOG_ERROR, "a store of the application says \x1B[2J\n");
    ck_assert_str_eq(last, "a store of the application says \\x1b[2J\\n");
}
END_TEST

START_TEST(dropped_messages_are_told_once_in_a_second) {
    spb_node__log_dropped(&node, 3, 5000);
    ck_assert_str_eq(last, "3 incoming messages dropped: more than the mailbox holds");
    spb_node__log_dropped(&node, 4, 5999);
    spb_node__log_dropped(&node, 5, 5999);
    ck_assert_uint_eq(lines, 1);
    ck_assert_uint_eq(spb_node__log_due_ms(&node), 6000);
    spb_node__log_dropped(&node, 0, 6000);
    ck_assert_str_eq(last, "9 incoming messages dropped: more than the mailbox holds");
    ck_assert_uint_eq(spb_node__log_due_ms(&node), SPB_NEVER);
    spb_node__log_dropped(&node, 1, 6001);
    spb_node__log_dropped(&node, 0, SPB_NEVER); /* the run ends */
    ck_assert_str_eq(last, "1 incoming messages dropped: more than the mailbox holds");
    ck_assert_uint_eq(lines, 3);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("log");
    tcase_add_test(all, each_line_of_a_flood_is_told_or_counted);
    tcase_add_test(all, lines_that_nobody_wants_cost_nothing);
    tcase_add_test(all, a_line_is_fit_for_a_terminal);
    tcase_add_test(all, dropped_messages_are_told_once_in_a_second);
    tcase_add_checked_fixture(all, setup, NULL);
    Suite *suite = suite_create("log");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
