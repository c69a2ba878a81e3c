/* Which dropped samples the log tells of, when, and with which reason. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

#define OFFLINE "newer ones took their place before there was a birth, and no journal keeps them"
#define LOST "the connection was lost, and no journal keeps them"
#define SLOW "the link is slower than the samples, or no message may be as large as they are"
#define DISK "the store takes none, and no more can wait in memory"
#define FULL "the journal is full, and newer ones took their place"
#define AGE "they were in the journal, and are too old (max_sample_age_s)"

static void go_online_live(void) {
    options.reconnect_min_ms = options.reconnect_max_ms = 3600000;
    wire_open(&w, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
}

static int count_of(const char *words) {
    int count = 0;
    for (const char *at = w.logs; (at = strstr(at, words)); at++) {
        count++;
    }
    return count;
}

START_TEST(the_first_is_told_at_once_and_the_others_once_in_a_minute) {
    go_online_live();
    wire_lose(&w);
    update(1);
    wire_run(&w);
    ck_assert_int_eq(count_of("dropped: "), 0); /* it has nothing to give way to */
    update(2);
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), 0);
    wire_run(&w);
    ck_assert_int_eq(count_of("\n1 sample dropped: " OFFLINE), 1);
    for (int i = 3; i <= 52; i++) {
        update(i);
        wire_run(&w);
    }
    wire_sleep(&w, 59000);
    ck_assert_int_eq(count_of("dropped: "), 1);
    wire_sleep(&w, 1000);
    ck_assert_int_eq(count_of("dropped: "), 2);
    ck_assert_int_eq(count_of("\n50 more samples dropped: " OFFLINE), 1);
    wire_sleep(&w, 600000);
    ck_assert_int_eq(count_of("dropped: "), 2);
}
END_TEST

START_TEST(a_stop_tells_the_rest) {
    go_online_live();
    wire_lose(&w);
    for (int i = 1; i <= 4; i++) {
        update(i);
        wire_run(&w);
    }
    ck_assert_int_eq(count_of("\n1 sample dropped: " OFFLINE), 1);
    spb_session_stop(w.session, 0, w.now);
    wire_run(&w);
    ck_assert_int_eq(count_of("\n2 more samples dropped: " OFFLINE "\nstopped"), 1);
}
END_TEST

/* Nobody would ever ask a session that has stopped for more. */
START_TEST(a_session_that_has_stopped_has_no_deadline_for_it) {
    go_online_live();
    spb_session_stop(w.session, 1000, w.now);
    wire_sleep(&w, 1000);
    update(1);
    update(2);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, 1);
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), SPB_NEVER);
    wire_run(&w);
    ck_assert_int_eq(count_of("dropped: "), 0);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_int_eq(count_of("1 sample dropped: " OFFLINE), 1);
}
END_TEST

START_TEST(what_a_lost_connection_takes_along_is_told) {
    go_online_live();
    update(1);
    update(2);
    update(3);
    wire_lose(&w);
    ck_assert_int_eq(count_of("3 samples dropped: " LOST), 1);
    ck_assert_int_eq(count_of("dropped: "), 1);
}
END_TEST

START_TEST(what_a_slow_link_cannot_carry_is_told) {
    options.batch_max_bytes = 100;
    options.max_in_flight = 1;
    options.max_waiting_bytes = 65536;
    go_online_live();
    w.is_silent = true;
    for (int i = 1; i <= 10000; i++) {
        update(i);
        wire_run(&w);
    }
    ck_assert_int_eq(count_of("1 sample dropped: " SLOW), 1);
    ck_assert_int_eq(count_of("dropped: "), 1);
}
END_TEST

START_TEST(what_the_store_does_not_take_is_told) {
    options.store_window_ms = 0;
    go_online();
    wire_lose(&w);
    journal.append_fails = SPB_ERR_LIMIT;
    update(1);
    wire_run(&w);
    ck_assert_int_eq(count_of("1 sample dropped: " DISK), 1);
    ck_assert_int_eq(count_of("dropped: "), 1);
}
END_TEST

START_TEST(what_gives_way_in_a_full_store_is_told) {
    static char text[20000];
    spb_store_options small = {.max_bytes = 1 << 20};
    wire_journal_close(&journal);
    wire_journal_open(&journal, &small);
    options.reconnect_min_ms = options.reconnect_max_ms = 3600000;
    go_online();
    spb_metric *big = wire_add_metric(&w, NULL, "big", spb_string(""));
    wire_lose(&w);
    for (int i = 0; i < 200; i++) {
        memset(text, '0' + i % 64, sizeof text - 1);
        wire_update(&w, big, spb_string(text));
        wire_sleep(&w, 100);
    }
    ck_assert_uint_gt(wire_stats(&w).journal.dropped_full, 0);
    ck_assert_int_ge(count_of("dropped: " FULL), 1);
    ck_assert_int_eq(count_of("dropped: " FULL), count_of("dropped: "));
    wire_close(&w);
    wire_open_with(&w, &journal, &options); /* an earlier run has told of them */
    wire_go_online(&w);
    wire_sleep(&w, 1000);
    ck_assert_int_eq(count_of("dropped: " FULL), 0);
}
END_TEST

START_TEST(what_is_too_old_is_told) {
    options.max_sample_age_s = 60;
    go_online();
    wire_lose(&w);
    wire_event(&w, SPB_TRANSPORT_CONNECT_FAILED, SPB_ERR_CONNECT, "dead");
    update(1);
    w.is_silent = true;
    wire_sleep(&w, 200000);
    ck_assert_int_eq(count_of("1 sample dropped: " AGE), 1);
}
END_TEST

START_TEST(what_is_not_to_be_kept_is_no_news) {
    go_online();
    spb_metric_def def = {.name = "last", .value = spb_int32(0), .keep = SPB_KEEP_LAST};
    spb_metric *last = wire_add(&w, NULL, def);
    wire_sleep(&w, 1000);
    wire_lose(&w);
    wire_update(&w, last, spb_int32(1));
    wire_update(&w, last, spb_int32(2));
    wire_run(&w);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_choice, 1);
    ck_assert_int_eq(count_of("dropped: "), 0);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_drops");
    tcase_add_checked_fixture(all, delivery_setup, delivery_teardown);
    tcase_add_test(all, the_first_is_told_at_once_and_the_others_once_in_a_minute);
    tcase_add_test(all, a_stop_tells_the_rest);
    tcase_add_test(all, a_session_that_has_stopped_has_no_deadline_for_it);
    tcase_add_test(all, what_a_lost_connection_takes_along_is_told);
    tcase_add_test(all, what_a_slow_link_cannot_carry_is_told);
    tcase_add_test(all, what_the_store_does_not_take_is_told);
    tcase_add_test(all, what_gives_way_in_a_full_store_is_told);
    tcase_add_test(all, what_is_too_old_is_told);
    tcase_add_test(all, what_is_not_to_be_kept_is_no_news);
    Suite *suite = suite_create("delivery_drops");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
