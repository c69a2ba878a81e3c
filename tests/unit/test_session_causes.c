/* Why a connection was lost: what the log says, and when. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/cause.h"
#include "support/suite.h"
#include "support/wire.h"

#define SERVER "the server does not answer any more"
#define LARGE "large messages vanish"
#define IDLE "a NAT or firewall seems to forget idle connections"
#define SLOW "the link is too slow"

static wire w;

static bool is_said(const char *words) {
    return strstr(w.logs, words) != NULL;
}

static void open_with(size_t metrics) {
    wire_open(&w, NULL); /* keep-alive 30 s */
    for (size_t i = 0; i < metrics; i++) {
        char name[] = {'m', (char)('0' + i / 10), (char)('0' + i % 10), '\0'};
        wire_add_metric(&w, NULL, name, spb_int32(0));
    }
    spb_session_start(w.session, w.now);
}

/* Until this connection is lost, and the next one has begun. */
static void outlive(void) {
    uint32_t link = w.link;
    for (int second = 0; w.link == link && second < 200; second++) {
        wire_sleep(&w, 1000);
    }
    ck_assert_uint_ne(w.link, link);
}

/* ---- large messages vanish ---- */

START_TEST(large_messages_that_vanish_are_told_of_the_second_time) {
    w.hole = 0;
    open_with(80); /* an NBIRTH of more than 1200 bytes */
    w.hole = 1201;
    wire_run(&w);
    outlive();
    ck_assert(!is_said(LARGE));
    wire_forget(&w);
    outlive();
    ck_assert(is_said(LARGE) && is_said("net.ipv4.tcp_mtu_probing") && is_said("2 times in a row"));
    ck_assert(!is_said(SERVER) && !is_said("spb fence-test"));
    wire_close(&w);
}
END_TEST

START_TEST(small_ones_that_vanish_have_another_cause) {
    open_with(1);
    wire_run(&w);
    wire_sleep(&w, 1000);
    for (int i = 0; i < 3; i++) {
        w.is_deaf = true;
        outlive();
        w.is_deaf = false;
        wire_sleep(&w, 20000); /* one fence after half a keep-alive was answered */
    }
    ck_assert(is_said(SERVER) && !is_said(LARGE) && !is_said(IDLE) && !is_said(SLOW));
    wire_close(&w);
}
END_TEST

/* A server that answers no fence at all: nobody can tell what got through. */
START_TEST(where_no_fence_is_answered_large_messages_are_not_to_blame) {
    open_with(80);
    w.deaf_forms = 7;
    wire_run(&w);
    outlive();
    outlive();
    outlive();
    ck_assert(!is_said(LARGE) && is_said("the server has answered no fence, in any form"));
    wire_close(&w);
}
END_TEST

/* ---- idle connections are forgotten ---- */

START_TEST(connections_that_die_of_silence_are_told_of_the_second_time) {
    open_with(1);
    wire_run(&w);
    for (int i = 0; i < 2; i++) {
        ck_assert(!is_said(IDLE));
        ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
        wire_sleep(&w, 10000);
        w.is_deaf = true;
        for (int second = 0; spb_session_get_state(w.session) == SPB_SESSION_ONLINE; second++) {
            ck_assert_int_lt(second, 60);
            wire_sleep(&w, 1000);
        }
        w.is_deaf = false;
        wire_sleep(&w, 2000);
    }
    ck_assert(is_said("nothing passes after 15 s of silence (2 times in a row)") && is_said(IDLE));
    wire_close(&w);
}
END_TEST

START_TEST(a_connection_that_dies_while_data_flows_does_not_die_of_silence) {
    open_with(1);
    wire_run(&w);
    spb_metric *m = spb_session_find_metric(w.session, NULL, "m00");
    for (int i = 0; i < 3; i++) {
        w.is_deaf = true;
        for (int second = 0; spb_session_get_state(w.session) == SPB_SESSION_ONLINE; second++) {
            ck_assert_int_lt(second, 60);
            wire_update(&w, m, spb_int32(i * 100 + second));
            wire_sleep(&w, 1000);
        }
        w.is_deaf = false;
        wire_sleep(&w, 2000);
    }
    ck_assert(is_said(SERVER) && !is_said(IDLE));
    wire_close(&w);
}
END_TEST

/* ---- the link is slow ---- */

/* Room for a message comes after seconds only: the other side takes something. */
START_TEST(a_link_that_takes_something_now_and_then_is_slow) {
    open_with(1);
    wire_run(&w);
    spb_metric *m = spb_session_find_metric(w.session, NULL, "m00");
    w.is_silent = true;
    for (int second = 0; second < 12; second++) {
        wire_update(&w, m, spb_int32(second + 1));
        wire_sleep(&w, 1000);
    }
    for (int i = 0; i < 3; i++) {
        wire_published(&w, 1);
        wire_sleep(&w, 5000);
    }
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_sleep(&w, 30000);
    ck_assert_int_ne(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert(is_said(SLOW) && !is_said(SERVER));
    w.is_silent = false;
    wire_close(&w);
}
END_TEST

START_TEST(births_that_take_seconds_to_arrive_are_told_of) {
    for (int i = 0; i < 2; i++) {
        open_with(1);
        w.is_deaf = true;
        wire_run(&w);
        wire_sleep(&w, i == 0 ? 4000 : 7000);
        wire_answer_fences(&w);
        wire_run(&w);
        ck_assert_int_eq(is_said("the link is slow: births of"), i == 1);
        ck_assert(i == 0 || is_said("took 7 s to arrive"));
        wire_close(&w);
    }
}
END_TEST

/* It answers the third form, after 6 s. */
START_TEST(a_server_that_answers_another_form_of_fence_is_no_slow_link) {
    open_with(1);
    w.deaf_forms = 1u << SPB_FENCE_FORM_UNSUBSCRIBE | 1u << SPB_FENCE_FORM_SUBSCRIBE;
    wire_run(&w);
    wire_sleep(&w, 7000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert(!is_said("the link is slow"));
    wire_close(&w);
}
END_TEST

/* ---- the judgement alone ---- */

static spb_cause_facts facts(size_t largest, uint64_t silent_ms) {
    return (spb_cause_facts){
        .waiting = {.largest = largest, .silent_ms = silent_ms}, .has_answered = true, .keep_alive_ms = 30000};
}

START_TEST(what_got_through_is_no_cause) {
    spb_omens omens = {0};
    spb_cause_facts large = facts(5000, 0), idle = facts(100, 20000);
    for (int i = 0; i < 2; i++) {
        spb_cause__lost(&omens, &large);
    }
    large.arrived.largest = 1300; /* on the third connection, a large one was confirmed */
    spb_cause__answered(&omens, &large);
    ck_assert_int_eq(spb_cause__lost(&omens, &large), SPB_CAUSE_SERVER);
    for (int i = 0; i < 2; i++) {
        spb_cause__lost(&omens, &idle);
    }
    idle.arrived.silent_ms = 15000;
    spb_cause__answered(&omens, &idle);
    ck_assert_int_eq(spb_cause__lost(&omens, &idle), SPB_CAUSE_SERVER);
}
END_TEST

START_TEST(another_end_in_between_is_another_cause) {
    spb_omens omens = {0};
    const spb_cause_facts large = facts(5000, 0), none = facts(100, 0);
    ck_assert_int_eq(spb_cause__lost(&omens, &large), SPB_CAUSE_SERVER);
    ck_assert_int_eq(spb_cause__lost(&omens, &none), SPB_CAUSE_SERVER);
    ck_assert_int_eq(spb_cause__lost(&omens, &large), SPB_CAUSE_SERVER);
    ck_assert_int_eq(spb_cause__lost(&omens, &large), SPB_CAUSE_LARGE);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_causes");
    tcase_add_test(all, large_messages_that_vanish_are_told_of_the_second_time);
    tcase_add_test(all, small_ones_that_vanish_have_another_cause);
    tcase_add_test(all, where_no_fence_is_answered_large_messages_are_not_to_blame);
    tcase_add_test(all, connections_that_die_of_silence_are_told_of_the_second_time);
    tcase_add_test(all, a_connection_that_dies_while_data_flows_does_not_die_of_silence);
    tcase_add_test(all, a_link_that_takes_something_now_and_then_is_slow);
    tcase_add_test(all, births_that_take_seconds_to_arrive_are_told_of);
    tcase_add_test(all, a_server_that_answers_another_form_of_fence_is_no_slow_link);
    tcase_add_test(all, what_got_through_is_no_cause);
    tcase_add_test(all, another_end_in_between_is_another_cause);
    Suite *suite = suite_create("session_causes");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
