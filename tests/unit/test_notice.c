/* What is told to the application. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "outbox/notice.h"
#include "support/suite.h"

START_TEST(notices_come_out_in_order) {
    spb_notices notices = {0};
    spb_notice notice;
    spb_notices__state(&notices, SPB_SESSION_ONLINE, NULL);
    spb_notices__log(&notices, SPB_LOG_WARNING, "line %d", 1);
    ck_assert(spb_notices__pull(&notices, &notice));
    ck_assert(notice.is_state && notice.state == SPB_SESSION_ONLINE && notice.text[0] == '\0');
    ck_assert(spb_notices__pull(&notices, &notice));
    ck_assert_int_eq(notice.level, SPB_LOG_WARNING);
    ck_assert_str_eq(notice.text, "line 1");
    ck_assert(!spb_notices__pull(&notices, &notice));
}
END_TEST

START_TEST(what_servers_and_hosts_said_is_escaped) {
    spb_notices notices = {0};
    spb_notice notice;
    spb_notices__state(&notices, SPB_SESSION_WAITING, "refused: \x1B]0;x\a");
    spb_notices__log(&notices, SPB_LOG_WARNING, "command refused: %s", "a\nb");
    ck_assert(spb_notices__pull(&notices, &notice));
    ck_assert_str_eq(notice.text, "refused: \\x1b]0;x\\x07");
    ck_assert(spb_notices__pull(&notices, &notice));
    ck_assert_str_eq(notice.text, "command refused: a\\nb");
}
END_TEST

START_TEST(the_oldest_log_line_makes_room) {
    spb_notices notices = {0};
    spb_notice notice;
    spb_notices__state(&notices, SPB_SESSION_WAITING, "why");
    for (int i = 0; i < 1000; i++) {
        spb_notices__log(&notices, SPB_LOG_WARNING, "line %d", i);
    }
    ck_assert(spb_notices__pull(&notices, &notice));
    ck_assert(notice.is_state);
    ck_assert_str_eq(notice.text, "why");
    for (int i = 1000 - SPB_NOTICE_CAPACITY + 1; i < 1000; i++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "line %d", i);
        ck_assert(spb_notices__pull(&notices, &notice));
        ck_assert_str_eq(notice.text, wanted);
    }
    ck_assert(!spb_notices__pull(&notices, &notice));
}
END_TEST

START_TEST(the_newest_state_is_never_lost) {
    spb_notices notices = {0};
    spb_notice notice = {0};
    for (int i = 0; i < 100; i++) {
        spb_notices__state(&notices, i % 2 ? SPB_SESSION_STOPPED : SPB_SESSION_SAVING, NULL);
    }
    int count = 0;
    while (spb_notices__pull(&notices, &notice)) {
        count++;
    }
    ck_assert_int_eq(count, SPB_NOTICE_CAPACITY);
    ck_assert_int_eq(notice.state, SPB_SESSION_STOPPED);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("notice");
    tcase_add_test(all, notices_come_out_in_order);
    tcase_add_test(all, what_servers_and_hosts_said_is_escaped);
    tcase_add_test(all, the_oldest_log_line_makes_room);
    tcase_add_test(all, the_newest_state_is_never_lost);
    Suite *suite = suite_create("notice");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
