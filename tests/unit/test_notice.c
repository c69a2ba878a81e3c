/* What is told to the application. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void expect(spb_notices *notices, spb_log_level level, const char *text) {
    spb_notice notice;
    ck_assert(spb_notices__pull(notices, &notice));
    ck_assert_int_eq(notice.level, level);
    ck_assert_str_eq(notice.text, text);
}

START_TEST(of_each_flood_ten_lines_a_second_are_told_and_the_rest_is_counted) {
    static const char *const left_out[SPB_FLOODS] = {
        [SPB_FLOOD_REFUSED] = "refused in the same second: 5 more commands or STATEs",
        [SPB_FLOOD_TOO_LARGE] = "too large in the same second: 5 more messages",
        [SPB_FLOOD_JOURNAL] = "the journal was full or damaged in the same second: 5 more times",
    };
    for (spb_flood flood = 0; flood < SPB_FLOODS; flood++) {
        spb_log_level level = flood == SPB_FLOOD_REFUSED ? SPB_LOG_WARNING : SPB_LOG_ERROR;
        spb_notices notices = {0};
        ck_assert_uint_eq(spb_notices__left_out_ms(&notices), UINT64_MAX);
        for (int i = 0; i < 15; i++) {
            spb_notices__log_some(&notices, flood, 5000, "line %d\n", i);
        }
        ck_assert_uint_eq(notices.count, 10);
        ck_assert_uint_eq(spb_notices__left_out_ms(&notices), 6000);
        spb_notices__tell_left_out(&notices, 5999);
        ck_assert_uint_eq(notices.count, 10);
        for (int i = 0; i < 10; i++) {
            char line[16];
            snprintf(line, sizeof line, "line %d\\n", i);
            expect(&notices, level, line);
        }
        spb_notices__log_some(&notices, flood, 6000, "another"); /* what was left out is told ahead of it */
        expect(&notices, level, left_out[flood]);
        expect(&notices, level, "another");
        ck_assert_uint_eq(spb_notices__left_out_ms(&notices), UINT64_MAX);
    }
}
END_TEST

START_TEST(each_reason_for_dropped_samples_is_told_by_itself) {
    uint64_t counts[SPB_DROPS] = {0};
    spb_notices notices = {0};
    spb_notices__tell_drops(&notices, counts, 5000);
    ck_assert_uint_eq(notices.count, 0);
    ck_assert_uint_eq(spb_notices__drops_ms(&notices, counts), SPB_NEVER);
    for (int i = 0; i < SPB_DROPS; i++) {
        counts[i] = 7;
        ck_assert_uint_eq(spb_notices__drops_ms(&notices, counts), 0);
        spb_notices__tell_drops(&notices, counts, 5000);
        spb_notice notice;
        ck_assert(spb_notices__pull(&notices, &notice));
        ck_assert_uint_eq(strncmp(notice.text, "7 samples dropped: ", 19), 0);
        ck_assert_uint_gt(strlen(notice.text), 19);
        ck_assert_uint_eq(notices.count, 0);
        counts[i] = 8;
        ck_assert_uint_eq(spb_notices__drops_ms(&notices, counts), 65000);
        spb_notices__tell_drops(&notices, counts, 64999);
        ck_assert_uint_eq(notices.count, 0);
        spb_notices__tell_drops(&notices, counts, SPB_NEVER);
        ck_assert(spb_notices__pull(&notices, &notice));
        ck_assert_uint_eq(strncmp(notice.text, "1 more sample dropped: ", 23), 0);
    }
}
END_TEST

START_TEST(one_flood_does_not_drown_another) {
    spb_notices notices = {0};
    for (int i = 0; i < 100; i++) {
        spb_notices__log_some(&notices, SPB_FLOOD_JOURNAL, 5000, "line");
    }
    ck_assert_uint_eq(notices.count, 10);
    spb_notices__log_some(&notices, SPB_FLOOD_REFUSED, 5500, "command refused");
    ck_assert_uint_eq(notices.count, 11);
    ck_assert_uint_eq(spb_notices__left_out_ms(&notices), 6000);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("notice");
    tcase_add_test(all, notices_come_out_in_order);
    tcase_add_test(all, what_servers_and_hosts_said_is_escaped);
    tcase_add_test(all, the_oldest_log_line_makes_room);
    tcase_add_test(all, the_newest_state_is_never_lost);
    tcase_add_test(all, of_each_flood_ten_lines_a_second_are_told_and_the_rest_is_counted);
    tcase_add_test(all, each_reason_for_dropped_samples_is_told_by_itself);
    tcase_add_test(all, one_flood_does_not_drown_another);
    Suite *suite = suite_create("notice");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
