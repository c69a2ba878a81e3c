/* The life of a session: start, failures, waits, stop. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;

/* Takes a silent session to the state in which that action was pulled and waits for its answer. */
static void pull_until(spb_action_kind kind) {
    while (wire_step(&w)) {
        if (w.last.kind == kind) {
            return;
        }
    }
    ck_abort_msg("the action never came");
}

START_TEST(a_session_saves_connects_subscribes_and_is_born) {
    wire_open(&w, NULL);
    wire_add_device(&w, "Press");
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1");
    ck_assert_str_eq(w.states, "SAVING CONNECTING SUBSCRIBING BIRTHING ONLINE");
    ck_assert_str_eq(
        w.logs, "connected to mqtt://127.0.0.1:1883 as G-N\nbirths handed over: G/N, bdSeq 0, 0 metrics, 1 devices\n"
                "born: G/N, bdSeq 0, 0 metrics, 1 devices");
    spb_stats stats = wire_stats(&w);
    ck_assert_int_eq(stats.state, SPB_SESSION_ONLINE);
    ck_assert_uint_eq(stats.connects, 1);
    ck_assert_uint_eq(stats.births, 1);
    ck_assert_uint_eq(stats.messages_published, 2);
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), w.now.mono_ms + 15000); /* the next fence */
    wire_close(&w);
}
END_TEST

START_TEST(nothing_happens_before_the_start) {
    wire_open(&w, NULL);
    wire_sleep(&w, 100000);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    wire_close(&w);
}
END_TEST

START_TEST(a_second_start_has_no_effect) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "");
    wire_close(&w);
}
END_TEST

/* Each seed has a moment of its own within the spread, and all of it is used. */
START_TEST(the_first_attempt_waits_its_turn) {
    uint64_t first_ms = UINT64_MAX, last_ms = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        spb_session_options options = wire_options();
        options.connect_spread_ms = 60000;
        options.random_seed = seed;
        wire_open(&w, &options);
        uint64_t start_ms = w.now.mono_ms;
        spb_session_start(w.session, w.now);
        wire_run(&w);
        ck_assert_str_eq(w.ledger, "");
        ck_assert_str_eq(w.states, "WAITING");
        uint64_t wait_ms = spb_session_deadline_ms(w.session) - start_ms;
        ck_assert_uint_le(wait_ms, 60000);
        first_ms = wait_ms < first_ms ? wait_ms : first_ms;
        last_ms = wait_ms > last_ms ? wait_ms : last_ms;
        wire_sleep(&w, wait_ms);
        ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0");
        wire_lose(&w); /* what follows has the usual wait */
        ck_assert_uint_le(spb_session_deadline_ms(w.session), w.now.mono_ms + 1250);
        wire_close(&w);
    }
    ck_assert_uint_lt(first_ms, 6000);
    ck_assert_uint_gt(last_ms, 54000);
}
END_TEST

START_TEST(the_bdseq_goes_on_from_the_store_and_wraps) {
    spb_session_options options = wire_options();
    options.has_bdseq = true;
    options.bdseq = 254;
    wire_open(&w, &options);
    wire_go_online(&w);
    ck_assert_uint_eq(w.bdseq, 255);
    wire_lose(&w);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(w.ledger, "CLOSE, SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0");
    ck_assert_uint_eq(wire_stats(&w).bdseq, 0);
    wire_close(&w);
}
END_TEST

START_TEST(a_bdseq_that_was_not_saved_is_used_all_the_same) {
    wire_open(&w, NULL);
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0");
    spb_session_on_bdseq_saved(w.session, SPB_ERR_STORE, "disk full", w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0");
    ck_assert_str_eq(w.logs, "bdSeq 0 could not be saved: disk full");
    wire_close(&w);
}
END_TEST

START_TEST(a_bdseq_that_was_not_saved_is_saved_when_the_store_works_again) {
    spb_session_options options = wire_options();
    options.has_journal = true;
    wire_open(&w, &options);
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0");
    spb_session_on_bdseq_saved(w.session, SPB_ERR_STORE, "disk full", w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0");
    wire_event(&w, SPB_TRANSPORT_CONNECTED, SPB_OK, NULL);
    wire_forget(&w);
    wire_sleep(&w, 1000); /* it fails once more, which is no news, */
    ck_assert_ptr_nonnull(strstr(w.ledger, "SAVE 0"));
    spb_session_on_bdseq_saved(w.session, SPB_ERR_STORE, "disk full", w.now);
    wire_forget(&w);
    wire_sleep(&w, 1000); /* and works */
    ck_assert_ptr_nonnull(strstr(w.ledger, "SAVE 0"));
    ck_assert_str_eq(w.logs, "");
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    wire_forget(&w);
    wire_sleep(&w, 2000);
    ck_assert_ptr_null(strstr(w.ledger, "SAVE"));
    wire_close(&w);
}
END_TEST

START_TEST(waits_double_while_attempts_fail) {
    wire_open(&w, NULL);
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    uint64_t wanted_ms = 1000;
    for (int i = 0; i < 10; i++) {
        wire_run(&w);
        spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
        wire_run(&w);
        ck_assert_uint_eq(w.bdseq, i);
        wire_event(&w, SPB_TRANSPORT_CONNECT_FAILED, SPB_ERR_CONNECT, "connection refused");
        wire_run(&w);
        uint64_t wait_ms = spb_session_deadline_ms(w.session) - w.now.mono_ms;
        ck_assert_uint_ge(wait_ms, wanted_ms * 3 / 4);
        ck_assert_uint_le(wait_ms, wanted_ms * 5 / 4);
        wanted_ms = wanted_ms * 2 < 60000 ? wanted_ms * 2 : 60000;
        wire_sleep(&w, wait_ms);
    }
    ck_assert_ptr_nonnull(strstr(w.logs, "cannot connect: connection refused (SPB_ERR_CONNECT); next attempt in "));
    wire_close(&w);
}
END_TEST

/* Nobody listens: the server cannot know of this CONNECT, and so not of its will. */
START_TEST(an_attempt_of_which_nothing_has_left_uses_no_number_up) {
    wire_open(&w, NULL);
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    for (uint32_t i = 0; i < 6; i++) {
        wire_run(&w);
        spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
        wire_run(&w);
        ck_assert_uint_eq(w.bdseq, i / 3); /* the third attempt of each number is the one that may have left */
        spb_transport_event failed = {
            .kind = SPB_TRANSPORT_CONNECT_FAILED, .link = w.link, .status = SPB_ERR_CONNECT, .is_unsent = i % 3 != 2};
        spb_session_on_transport(w.session, &failed, w.now);
        wire_run(&w);
        wire_sleep(&w, spb_session_deadline_ms(w.session) - w.now.mono_ms);
    }
    wire_close(&w);
}
END_TEST

static uint64_t wait_after_being_online_for(uint64_t ms) {
    for (int i = 0; i < 5; i++) { /* some failures first, so that the wait has grown */
        wire_lose(&w);
        wire_sleep(&w, spb_session_deadline_ms(w.session) - w.now.mono_ms);
    }
    wire_sleep(&w, ms);
    wire_lose(&w);
    return spb_session_deadline_ms(w.session) - w.now.mono_ms;
}

START_TEST(a_server_that_throws_the_node_out_is_not_hammered) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    ck_assert_uint_ge(wait_after_being_online_for(9999), 32000 * 3 / 4);
    wire_close(&w);
}
END_TEST

START_TEST(a_steady_connection_shortens_the_wait) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    ck_assert_uint_le(wait_after_being_online_for(10000), 1250);
    wire_close(&w);
}
END_TEST

START_TEST(a_refused_subscription_ends_the_link) {
    wire_open(&w, NULL);
    wire_connect_silently(&w);
    wire_event(&w, SPB_TRANSPORT_SUBSCRIBED, SPB_ERR_REFUSED, "not authorised");
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, CLOSE");
    ck_assert_str_eq(w.states, "SAVING CONNECTING SUBSCRIBING WAITING");
    wire_close(&w);
}
END_TEST

START_TEST(no_answer_to_connect_ends_the_attempt) {
    wire_open(&w, NULL);
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    wire_run(&w);
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    wire_run(&w);
    wire_sleep(&w, 10999);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_CONNECTING);
    wire_sleep(&w, 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, CLOSE");
    wire_close(&w);
}
END_TEST

START_TEST(no_answer_to_subscribe_ends_the_link) {
    wire_open(&w, NULL);
    spb_session_start(w.session, w.now);
    pull_until(SPB_ACTION_CONNECT);
    w.is_silent = true;
    wire_run(&w);
    wire_sleep(&w, 11000);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, CLOSE");
    wire_close(&w);
}
END_TEST

START_TEST(events_of_an_old_link_are_ignored) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    const spb_transport_event old[] = {
        {.kind = SPB_TRANSPORT_LOST, .link = w.link + 1, .status = SPB_ERR_CONNECT},
        {.kind = SPB_TRANSPORT_LOST, .link = w.link - 1, .status = SPB_ERR_CONNECT},
        {.kind = SPB_TRANSPORT_LOST, .link = 0, .status = SPB_ERR_CONNECT},
        {.kind = SPB_TRANSPORT_DISCONNECTED, .link = w.link + 1},
    };
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        spb_session_on_transport(w.session, &old[i], w.now);
    }
    spb_session_on_action_failed(w.session, w.link + 1, SPB_ERR_CONNECT, NULL, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "");
    wire_close(&w);
}
END_TEST

START_TEST(an_action_that_failed_ends_the_link) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    spb_session_on_action_failed(w.session, w.link, SPB_ERR_NO_MEMORY, "no memory", w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "CLOSE");
    ck_assert_str_eq(w.states, "WAITING");
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 0);
    wire_close(&w);
}
END_TEST

START_TEST(a_lost_connection_is_made_anew_with_the_next_bdseq) {
    wire_open(&w, NULL);
    wire_add_device(&w, "Press");
    wire_go_online(&w);
    wire_lose(&w);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(w.ledger, "CLOSE, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1");
    ck_assert_str_eq(w.states, "WAITING SAVING CONNECTING SUBSCRIBING BIRTHING ONLINE");
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 1);
    wire_close(&w);
}
END_TEST

/* ---- stop ---- */

START_TEST(a_stop_says_ndeath_and_disconnects) {
    wire_open(&w, NULL);
    wire_add_device(&w, "Press");
    wire_go_online(&w);
    spb_session_stop(w.session, 500, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 500");
    ck_assert_str_eq(w.states, "STOPPING STOPPED");
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), SPB_NEVER);
    wire_close(&w);
}
END_TEST

START_TEST(pending_samples_go_out_before_the_ndeath) {
    wire_open(&w, NULL);
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *x = wire_add_metric(&w, press, "x", spb_int32(0));
    spb_metric *y = wire_add_metric(&w, NULL, "y", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    wire_update(&w, y, spb_int32(1));
    spb_session_stop(w.session, 500, w.now);
    wire_update(&w, x, spb_int32(2)); /* too late */
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "DDATA/Press 2, NDATA 3, NDEATH, DISCONNECT 500");
    wire_close(&w);
}
END_TEST

START_TEST(an_ndeath_does_not_wait_for_a_full_link) {
    spb_session_options options = wire_options();
    options.max_in_flight = 1;
    options.batch_window_ms = 0;
    wire_open(&w, &options);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    wire_update(&w, x, spb_int32(1));
    wire_run(&w);
    spb_session_stop(w.session, 500, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDEATH, DISCONNECT 500");
    wire_close(&w);
}
END_TEST

START_TEST(a_stop_that_takes_too_long_drops_the_link) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    w.is_silent = true;
    spb_session_stop(w.session, 500, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 500");
    wire_sleep(&w, 499);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPING);
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 500, CLOSE");
    ck_assert_str_eq(w.states, "STOPPING STOPPED");
    wire_close(&w);
}
END_TEST

START_TEST(a_stop_without_time_drops_the_link) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    spb_session_stop(w.session, 0, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "CLOSE");
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    wire_close(&w);
}
END_TEST

START_TEST(a_connection_lost_while_stopping_is_a_stop) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    w.is_silent = true;
    spb_session_stop(w.session, 500, w.now);
    wire_run(&w);
    wire_lose(&w);
    ck_assert_str_eq(w.states, "STOPPING STOPPED");
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), SPB_NEVER);
    wire_close(&w);
}
END_TEST

static const struct {
    spb_action_kind pulled;
    const char *ledger;
} early_stops[] = {
    {SPB_ACTION_SAVE_BDSEQ, "SAVE 0"},
    {SPB_ACTION_CONNECT, "SAVE 0, CONNECT 0, CLOSE"},
    {SPB_ACTION_SUBSCRIBE, "SAVE 0, CONNECT 0, SUBSCRIBE, DISCONNECT 500"},
};

/* Without a birth there is no death. */
START_TEST(a_stop_before_the_birth_has_no_ndeath) {
    for (size_t i = 0; i < sizeof early_stops / sizeof *early_stops; i++) {
        wire_open(&w, NULL);
        w.is_silent = true;
        spb_session_start(w.session, w.now);
        wire_run(&w);
        if (early_stops[i].pulled >= SPB_ACTION_CONNECT) {
            spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
            wire_run(&w);
        }
        if (early_stops[i].pulled == SPB_ACTION_SUBSCRIBE) {
            wire_event(&w, SPB_TRANSPORT_CONNECTED, SPB_OK, NULL);
            wire_run(&w);
        }
        spb_session_stop(w.session, 500, w.now);
        wire_run(&w);
        ck_assert_str_eq(w.ledger, early_stops[i].ledger);
        wire_close(&w);
    }
}
END_TEST

START_TEST(a_stop_during_the_births_ends_them) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_metric *a = wire_add_metric(&w, wire_add_device(&w, "A"), "a", spb_int32(0));
    spb_metric *b = wire_add_metric(&w, wire_add_device(&w, "B"), "b", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    wire_update(&w, a, spb_int32(1));
    wire_update(&w, b, spb_int32(1));
    spb_session_rebirth(w.session, w.now);
    pull_until(SPB_ACTION_PUBLISH); /* NBIRTH */
    pull_until(SPB_ACTION_PUBLISH); /* DBIRTH/A */
    spb_session_stop(w.session, 500, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1, NDATA 2, DDATA/A 3, NDEATH, DISCONNECT 500");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 1);
    wire_close(&w);
}
END_TEST

START_TEST(a_stopped_session_starts_again_with_the_next_bdseq) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    spb_session_stop(w.session, 500, w.now);
    wire_run(&w);
    wire_forget(&w);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0");
    wire_close(&w);
}
END_TEST

START_TEST(a_late_answer_of_the_store_starts_nothing) {
    wire_open(&w, NULL);
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    wire_run(&w);
    spb_session_stop(w.session, 500, w.now);
    spb_session_start(w.session, w.now);
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0, SAVE 0");
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0, SAVE 0, CONNECT 0");
    wire_close(&w);
}
END_TEST

START_TEST(a_stop_while_waiting_ends_the_wait) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    wire_lose(&w);
    spb_session_stop(w.session, 500, w.now);
    wire_sleep(&w, 100000);
    ck_assert_str_eq(w.ledger, "CLOSE");
    ck_assert_str_eq(w.states, "WAITING STOPPED");
    wire_close(&w);
}
END_TEST

/* ---- options ---- */

START_TEST(a_wrong_option_is_refused_by_name) {
    struct {
        spb_session_options options;
        spb_status status;
        const char *text;
    } wrong[8];
    for (int i = 0; i < 8; i++) {
        wrong[i].options = wire_options();
        wrong[i].status = SPB_ERR_ARGUMENT;
    }
    wrong[0].options.servers = NULL, wrong[0].text = "servers is missing";
    wrong[1].options.node_id = NULL, wrong[1].text = "node_id is missing";
    wrong[2].options.keep_alive_s = 0, wrong[2].text = "keep_alive_s is 0, but must be 1 to 65535";
    wrong[3].options.reconnect_min_ms = 60001;
    wrong[3].text = "reconnect_min_ms is 60001, but must be 10 to 60000";
    wrong[4].options.max_in_flight = 0, wrong[4].text = "max_in_flight is 0, but must be 1 to 4294967295";
    wrong[5].options.connect_timeout_ms = 99;
    wrong[5].text = "connect_timeout_ms is 99, but must be 100 to 300000";
    wrong[6].options.group_id = "a/b", wrong[6].status = SPB_ERR_NAME, wrong[6].text = "group ID";
    wrong[7].options.group_id = "STATE", wrong[7].status = SPB_ERR_NAME, wrong[7].text = "STATE";
    for (int i = 0; i < 8; i++) {
        spb_session *session;
        spb_error err;
        ck_assert_int_eq(spb_session_new(&session, &wrong[i].options, &err), wrong[i].status);
        ck_assert_ptr_null(session);
        ck_assert_msg(strstr(err.text, wrong[i].text) != NULL, "%s", err.text);
    }
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session");
    tcase_add_test(all, a_session_saves_connects_subscribes_and_is_born);
    tcase_add_test(all, nothing_happens_before_the_start);
    tcase_add_test(all, a_second_start_has_no_effect);
    tcase_add_test(all, the_first_attempt_waits_its_turn);
    tcase_add_test(all, the_bdseq_goes_on_from_the_store_and_wraps);
    tcase_add_test(all, a_bdseq_that_was_not_saved_is_used_all_the_same);
    tcase_add_test(all, a_bdseq_that_was_not_saved_is_saved_when_the_store_works_again);
    tcase_add_test(all, waits_double_while_attempts_fail);
    tcase_add_test(all, an_attempt_of_which_nothing_has_left_uses_no_number_up);
    tcase_add_test(all, a_server_that_throws_the_node_out_is_not_hammered);
    tcase_add_test(all, a_steady_connection_shortens_the_wait);
    tcase_add_test(all, a_refused_subscription_ends_the_link);
    tcase_add_test(all, no_answer_to_connect_ends_the_attempt);
    tcase_add_test(all, no_answer_to_subscribe_ends_the_link);
    tcase_add_test(all, events_of_an_old_link_are_ignored);
    tcase_add_test(all, an_action_that_failed_ends_the_link);
    tcase_add_test(all, a_lost_connection_is_made_anew_with_the_next_bdseq);
    tcase_add_test(all, a_stop_says_ndeath_and_disconnects);
    tcase_add_test(all, pending_samples_go_out_before_the_ndeath);
    tcase_add_test(all, an_ndeath_does_not_wait_for_a_full_link);
    tcase_add_test(all, a_stop_that_takes_too_long_drops_the_link);
    tcase_add_test(all, a_stop_without_time_drops_the_link);
    tcase_add_test(all, a_connection_lost_while_stopping_is_a_stop);
    tcase_add_test(all, a_stop_before_the_birth_has_no_ndeath);
    tcase_add_test(all, a_stop_during_the_births_ends_them);
    tcase_add_test(all, a_stopped_session_starts_again_with_the_next_bdseq);
    tcase_add_test(all, a_late_answer_of_the_store_starts_nothing);
    tcase_add_test(all, a_stop_while_waiting_ends_the_wait);
    tcase_add_test(all, a_wrong_option_is_refused_by_name);
    Suite *suite = suite_create("session");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
