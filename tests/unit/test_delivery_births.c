/* Births on their way: when the application is told that the node is born, and what may follow them before that. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

static void open_live(spb_confirm confirm) {
    options.confirm = confirm;
    wire_open(&w, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
}

static void open_outage(spb_confirm confirm) {
    options.confirm = confirm;
    wire_open_with(&w, &journal, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
}

static size_t births(void) {
    return wire_stats(&w).births;
}

static spb_session_state state(void) {
    return spb_session_get_state(w.session);
}

START_TEST(a_node_is_online_when_a_fence_behind_its_births_was_answered) {
    void (*const open[])(spb_confirm) = {open_live, open_outage};
    open[_i](SPB_CONFIRM_FENCE);
    wire_add_device(&w, "Press");
    w.is_deaf = true;
    spb_session_start(w.session, w.now);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(w.states, "SAVING CONNECTING SUBSCRIBING BIRTHING");
    ck_assert_ptr_nonnull(strstr(w.logs, "births handed over: G/N, bdSeq 0, 1 metrics, 1 devices"));
    ck_assert_ptr_null(strstr(w.logs, "born:"));
    wire_answer_fences(&w);
    wire_run(&w);
    ck_assert_str_eq(w.states, "SAVING CONNECTING SUBSCRIBING BIRTHING ONLINE");
    ck_assert_ptr_nonnull(strstr(w.logs, "born: G/N, bdSeq 0, 1 metrics, 1 devices"));
}
END_TEST

START_TEST(data_follows_the_births_at_once) {
    open_outage(SPB_CONFIRM_FENCE);
    w.is_deaf = true;
    wire_go_online(&w);
    update(1);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    ck_assert_int_eq(state(), SPB_SESSION_BIRTHING);
}
END_TEST

/* The fence that woke the client is behind the last birth: the one that was to follow it has gone. */
START_TEST(the_last_birth_may_have_arrived_before_all_are_handed_over) {
    options.max_in_flight = 1;
    open_live(SPB_CONFIRM_FENCE);
    spb_device *press = wire_add_device(&w, "Press");
    wire_connect_silently(&w); /* nothing is reported: the link is full with the NBIRTH */
    wire_event(&w, SPB_TRANSPORT_SUBSCRIBED, SPB_OK, NULL);
    wire_sleep(&w, 10);
    ck_assert_uint_eq(w.fences, 1);
    wire_answer_fences(&w);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_run(&w);
    ck_assert_int_eq(state(), SPB_SESSION_ONLINE);
    ck_assert_uint_eq(w.fences, 1);
}
END_TEST

/* With a link that bears nothing, it is not said at all. */
START_TEST(a_node_whose_births_do_not_arrive_is_not_online) {
    open_live(SPB_CONFIRM_FENCE);
    w.is_deaf = true;
    spb_session_start(w.session, w.now);
    wire_sleep(&w, 300000);
    ck_assert_uint_gt(births(), 4);
    ck_assert_ptr_null(strstr(w.states, "ONLINE"));
    ck_assert_ptr_null(strstr(w.logs, "born:"));
}
END_TEST

/* An answer to a fence shows nothing there. */
START_TEST(where_time_confirms_it_shows_that_births_have_arrived_too) {
    open_outage(SPB_CONFIRM_WINDOW);
    wire_go_online(&w);
    wire_sleep(&w, 59999); /* two keep-alives */
    ck_assert_int_eq(state(), SPB_SESSION_BIRTHING);
    wire_sleep(&w, 1);
    ck_assert_int_eq(state(), SPB_SESSION_ONLINE);
}
END_TEST

START_TEST(so_it_does_on_a_server_that_answers_no_fence) {
    void (*const open[])(spb_confirm) = {open_live, open_outage};
    open[_i](SPB_CONFIRM_WINDOW);
    w.is_deaf = true;
    wire_go_online(&w);
    wire_sleep(&w, 134999); /* four keep-alives and 15 s */
    ck_assert_int_eq(state(), SPB_SESSION_BIRTHING);
    wire_sleep(&w, 1);
    ck_assert_int_eq(state(), SPB_SESSION_ONLINE);
}
END_TEST

START_TEST(a_rebirth_is_announced_when_it_has_arrived) {
    open_live(SPB_CONFIRM_FENCE);
    wire_go_online(&w);
    w.is_deaf = true;
    wire_sleep(&w, 1000);
    wire_request_rebirth(&w);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(w.states, "BIRTHING");
    wire_answer_fences(&w);
    wire_run(&w);
    ck_assert_str_eq(w.states, "BIRTHING ONLINE");
}
END_TEST

/* A host asks every 3 s on a link that takes 5.5 s for the births: one is on its way, and one will follow. */
START_TEST(requests_while_births_are_on_their_way_share_the_next_ones) {
    open_live(SPB_CONFIRM_FENCE);
    w.is_deaf = true;
    wire_go_online(&w);
    for (int i = 0; i < 8; i++) {
        wire_sleep(&w, 3000);
        wire_request_rebirth(&w);
        wire_run(&w);
    }
    ck_assert_uint_eq(births(), 1);
    ck_assert_uint_eq(wire_stats(&w).rebirth_requests, 8);
    wire_answer_fences(&w);
    wire_run(&w);
    ck_assert_uint_eq(births(), 2);
    w.is_deaf = false;
    wire_answer_fences(&w);
    wire_sleep(&w, 10000);
    ck_assert_uint_eq(births(), 2);
    ck_assert_int_eq(state(), SPB_SESSION_ONLINE);
}
END_TEST

START_TEST(so_do_additions_to_the_node) {
    open_live(SPB_CONFIRM_FENCE);
    w.is_deaf = true;
    wire_go_online(&w);
    for (int i = 0; i < 8; i++) {
        char name[] = {'m', (char)('0' + i), '\0'};
        wire_add_metric(&w, NULL, name, spb_int32(i));
        wire_sleep(&w, 1000);
    }
    ck_assert_uint_eq(births(), 1);
    w.is_deaf = false;
    wire_answer_fences(&w);
    wire_sleep(&w, 1000);
    ck_assert_uint_eq(births(), 2);
}
END_TEST

/* The answer shows that the link is free, if nothing else. */
START_TEST(where_time_confirms_an_answer_lets_the_next_births_follow) {
    open_outage(SPB_CONFIRM_WINDOW);
    wire_go_online(&w);
    wire_sleep(&w, 1000);
    wire_request_rebirth(&w);
    wire_run(&w);
    ck_assert_uint_eq(births(), 2);
}
END_TEST

START_TEST(on_a_server_that_answers_no_fence_a_request_waits_for_a_keep_alive_at_most) {
    open_live(SPB_CONFIRM_WINDOW);
    w.is_deaf = true;
    wire_go_online(&w);
    wire_sleep(&w, 200000);
    wire_request_rebirth(&w);
    wire_run(&w);
    ck_assert_uint_eq(births(), 2); /* those before have arrived by now */
    wire_sleep(&w, 1000);
    wire_request_rebirth(&w);
    wire_sleep(&w, 28999);
    ck_assert_uint_eq(births(), 2);
    wire_sleep(&w, 1);
    ck_assert_uint_eq(births(), 3);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_births");
    tcase_add_checked_fixture(all, delivery_setup, delivery_teardown);
    tcase_add_loop_test(all, a_node_is_online_when_a_fence_behind_its_births_was_answered, 0, 2);
    tcase_add_test(all, data_follows_the_births_at_once);
    tcase_add_test(all, the_last_birth_may_have_arrived_before_all_are_handed_over);
    tcase_add_test(all, a_node_whose_births_do_not_arrive_is_not_online);
    tcase_add_test(all, where_time_confirms_it_shows_that_births_have_arrived_too);
    tcase_add_loop_test(all, so_it_does_on_a_server_that_answers_no_fence, 0, 2);
    tcase_add_test(all, a_rebirth_is_announced_when_it_has_arrived);
    tcase_add_test(all, requests_while_births_are_on_their_way_share_the_next_ones);
    tcase_add_test(all, so_do_additions_to_the_node);
    tcase_add_test(all, where_time_confirms_an_answer_lets_the_next_births_follow);
    tcase_add_test(all, on_a_server_that_answers_no_fence_a_request_waits_for_a_keep_alive_at_most);
    Suite *suite = suite_create("delivery_births");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
