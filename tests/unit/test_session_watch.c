/* The watch over a connection: fences, and when the server counts as gone. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;

/* Since the births. */
static void expect_fences(uint32_t unsubscribe, uint32_t subscribe, uint32_t both) {
    ck_assert_uint_eq(w.fences_of[SPB_FENCE_FORM_UNSUBSCRIBE], unsubscribe);
    ck_assert_uint_eq(w.fences_of[SPB_FENCE_FORM_SUBSCRIBE], subscribe);
    ck_assert_uint_eq(w.fences_of[SPB_FENCE_FORM_BOTH], both);
}

START_TEST(a_quiet_link_is_asked_every_half_keep_alive) {
    wire_open(&w, NULL); /* keep-alive 30 s */
    wire_go_online(&w);
    wire_sleep(&w, 14999);
    ck_assert_uint_eq(w.fences, 0);
    wire_sleep(&w, 1);
    ck_assert_uint_eq(w.fences, 1);
    wire_sleep(&w, 45000);
    ck_assert_uint_eq(w.fences, 4);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

/* A link that dies right after an answer: noticed after 1.5 keep-alives, closed so that the server's will tells hosts,
 * and made anew. */
START_TEST(a_link_without_answers_is_given_up_in_one_and_a_half_keep_alives) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    wire_sleep(&w, 15000);
    ck_assert_uint_eq(w.fences, 1);
    w.is_deaf = true;
    wire_sleep(&w, 44999);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_sleep(&w, 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    ck_assert_str_eq(w.ledger, "CLOSE");
    ck_assert_uint_eq(w.fences, 2); /* no other form: this one was right */
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 1);
    ck_assert_ptr_nonnull(strstr(w.logs, "connection lost: the server does not answer any more; next attempt in "));
    w.is_deaf = false;
    wire_sleep(&w, 1250);
    ck_assert_str_eq(w.ledger, "CLOSE, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0");
    wire_close(&w);
}
END_TEST

/* So that both share a packet; when nothing leaves, the fence waits for its time. */
START_TEST(a_fence_that_is_due_soon_leaves_right_ahead_of_a_message) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    wire_sleep(&w, 11250); /* three quarters of half a keep-alive */
    ck_assert_uint_eq(w.fences, 0);
    wire_update(&w, x, spb_int32(1));
    w.now.mono_ms += 100; /* the batch window */
    w.now.wall_ms += 100;
    ck_assert(wire_step(&w));
    ck_assert(w.last.kind == SPB_ACTION_FENCE && w.last.as.fence.is_followed);
    ck_assert(wire_step(&w));
    ck_assert_int_eq(w.last.kind, SPB_ACTION_PUBLISH);
    wire_run(&w);
    ck_assert_uint_eq(w.fences, 1);
    wire_close(&w);
}
END_TEST

/* Dead on the way out only: commands still come, and the system takes what is written. */
START_TEST(messages_and_written_bytes_prove_nothing) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_deaf = true;
    for (int second = 0; second < 42; second++) { /* the fence went along with a message after 12 s */
        wire_update(&w, x, spb_int32(second));
        wire_command(&w, NULL, &(spb_payload_metric){.name = spb_str_from("x"), .value = spb_int32(1)});
        wire_sleep(&w, 1000);
    }
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert_uint_eq(w.unanswered, 0);
    wire_sleep(&w, 200);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_close(&w);
}
END_TEST

/* A narrow link takes long for a large birth: as long as it carries some of it, its server is not given up. */
START_TEST(what_the_link_carries_is_life) {
    wire_open(&w, NULL); /* keep-alive 30 s */
    static char long_text[200001];
    memset(long_text, 'x', sizeof long_text - 1);
    wire_add_metric(&w, NULL, "text", spb_string(long_text));
    w.is_deaf = true;
    w.carried = 1000;
    w.left = 200000;
    spb_session_start(w.session, w.now);
    wire_run(&w);
    for (int second = 0; second < 150; second++) {
        w.carried += 1000;
        wire_sleep(&w, 1000);
    }
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_BIRTHING);
    wire_sleep(&w, 29000); /* it does not move any more */
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 0);
    wire_sleep(&w, 3000);
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 1);
    wire_close(&w);
}
END_TEST

/* The system of a server that hangs goes on for a while: what was sent before the fence is all that counts. */
START_TEST(what_is_carried_behind_the_fence_is_not) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    w.carried = 1000;
    w.is_deaf = true;
    wire_sleep(&w, 15000);
    ck_assert_uint_eq(w.fences, 1);
    for (int second = 0; second < 35; second++) {
        w.carried += 100;
        wire_sleep(&w, 1000);
    }
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 1);
    wire_close(&w);
}
END_TEST

/* Nobody sees what the link carries, but its server is known to answer: a birth that is not answered within a
 * keep-alive is given more time on the next connection, until it is through in time. */
START_TEST(the_keep_alive_grows_for_a_birth_that_took_longer) {
    wire_open(&w, NULL);
    wire_add_metric(&w, NULL, "x", spb_int32(1));
    wire_go_online(&w);
    wire_sleep(&w, 15000);
    wire_lose(&w);
    w.is_deaf = true;
    wire_sleep(&w, 49000);
    ck_assert_ptr_nonnull(
        strstr(w.logs, "longer than the keep-alive of 30 s: the next connection asks for one of 120 s"));
    ck_assert_uint_eq(w.keep_alive_s, 120);
    wire_sleep(&w, 100000); /* the server is not given up sooner now */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_BIRTHING);
    w.is_deaf = false;
    wire_event(&w, SPB_TRANSPORT_FENCED, SPB_OK, NULL);
    wire_lose(&w);
    wire_sleep(&w, 16000);
    ck_assert_uint_eq(w.keep_alive_s, 120); /* it was slow again */
    wire_lose(&w);
    wire_sleep(&w, 16000);
    ck_assert_uint_eq(w.keep_alive_s, 30);
    wire_close(&w);
}
END_TEST

START_TEST(a_fence_is_sent_on_a_full_link_too) {
    spb_session_options options = wire_options();
    options.max_in_flight = 1;
    options.batch_window_ms = 0;
    wire_open(&w, &options);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 10);
    ck_assert_uint_eq(w.fences, 1);
    wire_sleep(&w, 30000);
    ck_assert_uint_eq(w.fences, 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_close(&w);
}
END_TEST

START_TEST(a_late_answer_is_an_answer) {
    wire_open(&w, NULL);
    w.is_deaf = true;
    wire_go_online(&w);
    wire_sleep(&w, 29999);
    w.is_deaf = false;
    expect_fences(0, 1, 1); /* the one behind the births was the first */
    for (unsigned form = 0; form < SPB_FENCE_FORMS; form++) {
        wire_fenced(&w, (spb_fence_form)form);
    }
    wire_sleep(&w, 14999);
    expect_fences(0, 1, 1);
    wire_sleep(&w, 1);
    expect_fences(1, 1, 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

/* ---- servers that do not answer every form ---- */

#define UNSUBSCRIBE (1u << SPB_FENCE_FORM_UNSUBSCRIBE)
#define SUBSCRIBE (1u << SPB_FENCE_FORM_SUBSCRIBE)
#define BOTH (1u << SPB_FENCE_FORM_BOTH)

static void go_online_on(uint8_t deaf_forms, spb_confirm confirm) {
    spb_session_options options = wire_options();
    options.confirm = confirm;
    wire_open(&w, &options); /* keep-alive 30 s */
    w.deaf_forms = deaf_forms;
    wire_go_online(&w);
}

START_TEST(a_server_that_answers_a_repeated_subscribe_is_asked_so) {
    go_online_on(UNSUBSCRIBE, SPB_CONFIRM_FENCE);
    wire_sleep(&w, 2999);
    expect_fences(0, 0, 0);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_BIRTHING);
    wire_sleep(&w, 1);
    expect_fences(0, 1, 0);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_sleep(&w, 150000);
    expect_fences(0, 11, 0);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

START_TEST(a_server_that_answers_only_what_changes_something_is_asked_so) {
    go_online_on(UNSUBSCRIBE | SUBSCRIBE, SPB_CONFIRM_FENCE);
    wire_sleep(&w, 150000);
    expect_fences(0, 1, 10);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

START_TEST(the_next_connection_begins_with_what_the_server_has_answered) {
    go_online_on(UNSUBSCRIBE, SPB_CONFIRM_FENCE);
    wire_sleep(&w, 30000);
    expect_fences(0, 2, 0);
    wire_lose(&w);
    wire_sleep(&w, 1250); /* the wait, with its jitter */
    expect_fences(0, 3, 0);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

/* Another server stands at this address, or another version of it. */
START_TEST(a_form_that_is_not_answered_any_more_is_not_the_first_for_ever) {
    go_online_on(UNSUBSCRIBE, SPB_CONFIRM_FENCE);
    wire_sleep(&w, 30000);
    w.deaf_forms = SUBSCRIBE;
    wire_lose(&w);
    wire_sleep(&w, 1250);
    expect_fences(0, 3, 0);
    wire_sleep(&w, 3000);
    expect_fences(1, 3, 0);
    wire_lose(&w);
    wire_sleep(&w, 2500);
    expect_fences(2, 3, 0);
    wire_close(&w);
}
END_TEST

START_TEST(a_server_that_answers_no_form_is_given_up_and_the_log_says_why) {
    go_online_on(UNSUBSCRIBE | SUBSCRIBE | BOTH, SPB_CONFIRM_FENCE);
    wire_sleep(&w, 29999);
    expect_fences(0, 1, 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_BIRTHING);
    wire_sleep(&w, 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    ck_assert_ptr_nonnull(strstr(w.logs, "the server has answered no fence, in any form; if it never does, see spb "
                                         "fence-test: confirm = window does without; next attempt in "));
    wire_close(&w);
}
END_TEST

START_TEST(with_time_alone_it_is_not) {
    go_online_on(UNSUBSCRIBE | SUBSCRIBE | BOTH, SPB_CONFIRM_WINDOW);
    wire_sleep(&w, 134999); /* four keep-alives and 15 s */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_BIRTHING);
    wire_sleep(&w, 600000);
    expect_fences(0, 1, 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert_ptr_nonnull(strstr(w.logs, "the server answers no fence, in any form (see spb fence-test)"));
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 0);
    wire_close(&w);
}
END_TEST

START_TEST(one_that_has_answered_is_given_up_with_time_alone_too) {
    go_online_on(0, SPB_CONFIRM_WINDOW);
    wire_sleep(&w, 15000);
    w.is_deaf = true;
    wire_sleep(&w, 45000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_sleep(&w, 1250); /* and on the next connection, once: it may have changed */
    wire_sleep(&w, 30000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_sleep(&w, 2500);
    wire_sleep(&w, 520000); /* four of the keep-alive that grew, as the birth seemed to be slow, and 15 s */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

START_TEST(an_answer_that_nobody_waits_for_proves_nothing) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    wire_sleep(&w, 14000);
    wire_event(&w, SPB_TRANSPORT_FENCED, SPB_OK, NULL);
    wire_sleep(&w, 1000);
    ck_assert_uint_eq(w.fences, 1);
    wire_close(&w);
}
END_TEST

START_TEST(the_keep_alive_of_the_server_counts) {
    wire_open(&w, NULL);
    w.welcome.keep_alive_s = 4;
    wire_go_online(&w);
    w.is_deaf = true;
    wire_sleep(&w, 5999);
    expect_fences(1, 0, 0);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_sleep(&w, 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_close(&w);
}
END_TEST

START_TEST(a_link_that_dies_while_waiting_for_the_host_is_noticed) {
    spb_session_options options = wire_options();
    options.primary_host_id = "H";
    wire_open(&w, &options);
    w.state_topic = "spBv1.0/STATE/H";
    w.is_deaf = true;
    spb_session_start(w.session, w.now);
    wire_sleep(&w, 45000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, CLOSE");
    wire_close(&w);
}
END_TEST

START_TEST(a_stopping_session_asks_nothing) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    w.is_silent = true;
    spb_session_stop(w.session, 60000, w.now);
    wire_sleep(&w, 59999);
    ck_assert_uint_eq(w.fences, 0);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPING);
    wire_close(&w);
}
END_TEST

/* At the level LIVE, too, a flush has an end. */
START_TEST(a_flush_ends_with_time_alone) {
    for (int i = 0; i < 2; i++) {
        bool is_answered = i == 0;
        go_online_on(is_answered ? 0 : UNSUBSCRIBE | SUBSCRIBE | BOTH, SPB_CONFIRM_WINDOW);
        spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
        wire_sleep(&w, 60000); /* it is known by now what the server answers */
        wire_update(&w, x, spb_int32(1));
        uint64_t ticket = spb_session_flush(w.session, w.now);
        wire_sleep(&w, is_answered ? 0 : 134999); /* four keep-alives and 15 s */
        ck_assert_int_eq(spb_session_flushed(w.session, ticket), is_answered ? SPB_FLUSH_CONFIRMED : SPB_FLUSH_PENDING);
        wire_sleep(&w, is_answered ? 0 : 1);
        ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_CONFIRMED);
        wire_close(&w);
    }
}
END_TEST

/* At the level LIVE, what was sent within a second counts as one, and not what was sent long before. */
START_TEST(each_sample_has_its_time) {
    go_online_on(UNSUBSCRIBE | SUBSCRIBE | BOTH, SPB_CONFIRM_WINDOW);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_sleep(&w, 60000);
    for (int i = 1; i <= 4; i++) { /* one each 50 s: the first is read when the next two may not be */
        wire_update(&w, x, spb_int32(i));
        wire_sleep(&w, 50000);
        ck_assert_uint_le(wire_stats(&w).samples_confirmed, i < 3 ? 0 : (unsigned)i - 2);
    }
    wire_sleep(&w, 135000);
    ck_assert_uint_ge(wire_stats(&w).samples_confirmed, 3);
    wire_close(&w);
}
END_TEST

/* More than may be under way without an answer, where there are none. */
START_TEST(data_flows_on_without_answers) {
    static char text[50000];
    memset(text, 'x', sizeof text - 1);
    go_online_on(UNSUBSCRIBE | SUBSCRIBE | BOTH, SPB_CONFIRM_WINDOW);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_string(""));
    wire_sleep(&w, 60000);
    for (int i = 0; i < 200; i++) {
        text[0] = (char)('a' + i % 2);
        wire_update(&w, x, spb_string(text));
        wire_sleep(&w, 1000);
    }
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_published, 200);
    ck_assert_uint_ge(stats.samples_confirmed, 60);
    ck_assert_uint_le(stats.samples_unconfirmed, 140);
    wire_close(&w);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_watch");
    tcase_add_test(all, a_quiet_link_is_asked_every_half_keep_alive);
    tcase_add_test(all, a_link_without_answers_is_given_up_in_one_and_a_half_keep_alives);
    tcase_add_test(all, a_fence_that_is_due_soon_leaves_right_ahead_of_a_message);
    tcase_add_test(all, messages_and_written_bytes_prove_nothing);
    tcase_add_test(all, what_the_link_carries_is_life);
    tcase_add_test(all, what_is_carried_behind_the_fence_is_not);
    tcase_add_test(all, the_keep_alive_grows_for_a_birth_that_took_longer);
    tcase_add_test(all, a_fence_is_sent_on_a_full_link_too);
    tcase_add_test(all, a_late_answer_is_an_answer);
    tcase_add_test(all, an_answer_that_nobody_waits_for_proves_nothing);
    tcase_add_test(all, the_keep_alive_of_the_server_counts);
    tcase_add_test(all, a_link_that_dies_while_waiting_for_the_host_is_noticed);
    tcase_add_test(all, a_stopping_session_asks_nothing);
    tcase_add_test(all, a_server_that_answers_a_repeated_subscribe_is_asked_so);
    tcase_add_test(all, a_server_that_answers_only_what_changes_something_is_asked_so);
    tcase_add_test(all, the_next_connection_begins_with_what_the_server_has_answered);
    tcase_add_test(all, a_form_that_is_not_answered_any_more_is_not_the_first_for_ever);
    tcase_add_test(all, a_server_that_answers_no_form_is_given_up_and_the_log_says_why);
    tcase_add_test(all, with_time_alone_it_is_not);
    tcase_add_test(all, one_that_has_answered_is_given_up_with_time_alone_too);
    tcase_add_test(all, a_flush_ends_with_time_alone);
    tcase_add_test(all, each_sample_has_its_time);
    tcase_add_test(all, data_flows_on_without_answers);
    Suite *suite = suite_create("session_watch");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
