/* The host-loss window: what the server has, and a dying primary host may not have seen, is replayed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

static void setup(void) {
    delivery_setup();
    options.primary_host_id = "H";
}

static void go_online_with_host(void) {
    wire_open_with(&w, &journal, &options);
    w.state_topic = "spBv1.0/STATE/H";
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    wire_host(&w, true, 1000);
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_forget(&w);
}

static void send(int32_t value) {
    wire_update(&w, x, spb_int32(value));
    wire_sleep(&w, 1200); /* the batch, and a fence */
}

/* Waits for the next connection, in which the host is back. */
static void let_host_return(uint64_t timestamp_ms) {
    wire_sleep(&w, 5000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAIT_HOST);
    wire_host(&w, true, timestamp_ms);
    wire_sleep(&w, 5000);
}

START_TEST(what_was_confirmed_shortly_before_the_host_went_offline_is_replayed) {
    go_online_with_host();
    send(1);
    wire_sleep(&w, 60000); /* two keep-alives */
    send(2);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 2);
    wire_host(&w, false, 2000);
    wire_run(&w);
    ck_assert_ptr_nonnull(strstr(w.ledger, "APPEND 1 1"));
    ck_assert_ptr_null(strstr(w.ledger, "APPEND 2"));
    let_host_return(3000);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_replayed, 1);
    ck_assert_uint_eq(stats.samples_resent, 1);
    ck_assert_uint_eq(wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0].value.as.u64, 2);
}
END_TEST

START_TEST(without_a_window_the_server_is_trusted_alone) {
    options.host_window_ms = 0;
    go_online_with_host();
    send(1);
    wire_host(&w, false, 2000);
    wire_run(&w);
    ck_assert_ptr_null(strstr(w.ledger, "APPEND"));
}
END_TEST

/* Server and host on one machine, which dies: the link is lost first, and nobody says that the host is offline. */
START_TEST(a_host_that_was_away_while_there_was_no_link_may_have_missed_it_too) {
    go_online_with_host();
    send(1);
    wire_lose(&w);
    ck_assert_ptr_null(strstr(w.ledger, "APPEND"));
    wire_sleep(&w, 70000); /* the time without a link does not count */
    wire_host(&w, true, 2000);
    wire_sleep(&w, 5000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 1);
}
END_TEST

START_TEST(a_host_that_stayed_has_seen_it) {
    go_online_with_host();
    send(1);
    wire_lose(&w);
    wire_sleep(&w, 5000);
    wire_host(&w, true, 1000);
    wire_sleep(&w, 5000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 0);
}
END_TEST

START_TEST(what_was_replayed_is_replayed_again) {
    go_online_with_host();
    wire_lose(&w);
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 5000);
    wire_host(&w, true, 1000);
    wire_sleep(&w, 5000);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 1); /* kept until the host has had its time */
    wire_host(&w, false, 2000);
    wire_run(&w);
    let_host_return(3000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 2);
    ck_assert_uint_eq(wire_stats(&w).samples_resent, 1);
    wire_sleep(&w, 62000);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

/* 200 samples in one block of the journal, of which a part has arrived. */
static void replay_a_part(void) {
    options.replay_samples_per_s = 20;
    options.settle_ms = 0;
    wire_open_with(&w, &journal, &options);
    w.state_topic = "spBv1.0/STATE/H";
    w.welcome.max_packet_bytes = 300;
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    wire_host(&w, true, 1000);
    wire_run(&w);
    wire_lose(&w);
    for (int32_t i = 1; i <= 200; i++) {
        update(i);
    }
    wire_sleep(&w, 5000);
    wire_host(&w, true, 1000);
    wire_sleep(&w, 5000);
    ck_assert_uint_gt(wire_stats(&w).samples_confirmed, 20);
    ck_assert_uint_lt(wire_stats(&w).samples_confirmed, 180);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 200);
}

START_TEST(what_was_replayed_of_a_block_that_is_not_finished_is_replayed_again) {
    replay_a_part();
    uint64_t before = wire_stats(&w).samples_replayed;
    wire_host(&w, false, 2000);
    wire_run(&w);
    let_host_return(3000);
    wire_sleep(&w, 60000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, before + 200);
}
END_TEST

START_TEST(so_it_is_after_a_lost_connection) {
    replay_a_part();
    wire_lose(&w);
    uint64_t before = wire_stats(&w).samples_replayed;
    let_host_return(3000); /* it was away meanwhile */
    wire_sleep(&w, 60000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, before + 200);
}
END_TEST

/* Nobody said that it was away, and the connection goes on. */
START_TEST(so_it_is_when_the_host_comes_anew_in_the_middle) {
    replay_a_part();
    uint64_t before = wire_stats(&w).samples_replayed;
    wire_host(&w, true, 3000);
    wire_sleep(&w, 60000);
    ck_assert_uint_ge(wire_stats(&w).samples_replayed, 200 + before);
    ck_assert_uint_eq(wire_stats(&w).samples_in_journal, 0);
}
END_TEST

/* What is in memory for the replay is newer than what the host has missed. */
START_TEST(what_the_host_missed_is_replayed_ahead_of_what_it_could_not_get_yet) {
    options.replay_samples_per_s = 1;
    options.store_window_ms = 0;
    go_online_with_host();
    wire_lose(&w);
    for (int32_t i = 1; i <= 4; i++) {
        update(i);
        wire_run(&w);
    }
    wire_sleep(&w, 2000);
    wire_host(&w, true, 1000); /* it was there */
    wire_sleep(&w, 2300);
    ck_assert_str_eq(wire_samples(&w, WIRE_BOTH), "1h 2h 3h");
    ck_assert_uint_gt(wire_stats(&w).samples_confirmed, 0);
    wire_lose(&w);
    wire_forget(&w);
    let_host_return(2000); /* it was away, and nobody said so */
    wire_sleep(&w, 5000);
    ck_assert_str_eq(wire_samples(&w, WIRE_BOTH), "1h 2h 3h 4h");
}
END_TEST

START_TEST(at_the_level_durable_the_journal_keeps_it_so_long) {
    options.delivery = SPB_DELIVERY_DURABLE;
    go_online_with_host();
    send(1);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 1);
    wire_sleep(&w, 62000);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

/* The journal keeps what was replayed, and what of it was too old, until the host has had its time. */
START_TEST(what_is_too_old_for_the_replay_is_counted_once) {
    options.max_sample_age_s = 100;
    go_online_with_host();
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *y = wire_add_metric(&w, press, "y", spb_int32(0));
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_lose(&w);
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 50000);
    wire_update(&w, x, spb_int32(2));
    wire_update(&w, y, spb_int32(3));
    wire_sleep(&w, 60000);
    wire_host(&w, true, 1000);
    wire_sleep(&w, 20000);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_replayed, 1);
    ck_assert_uint_eq(stats.samples_dropped_age + stats.journal.dropped_age, 1);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    wire_sleep(&w, 1000);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_STORED); /* y = 3 waits for its device */
}
END_TEST

static spb_flush flush(void) {
    uint64_t ticket = spb_session_flush(w.session, w.now);
    wire_sleep(&w, 2000);
    return spb_session_flushed(w.session, ticket);
}

/* An outage with samples of a device that stays offline, and of x: together with one of a metric that is removed, or
 * in two blocks, before and after; then the host misses what was replayed of them. */
static spb_device *replay_twice(bool has_gone, const char *expected) {
    options.store_window_ms = 0;
    go_online_with_host();
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *y = wire_add_metric(&w, press, "y", spb_int32(0));
    spb_metric *z = wire_add_metric(&w, NULL, "z", spb_int32(0));
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_lose(&w);
    wire_update(&w, x, spb_int32(1));
    wire_update(&w, has_gone ? z : x, spb_int32(2));
    wire_run(&w);
    wire_update(&w, y, spb_int32(3));
    wire_run(&w);
    if (!has_gone) {
        wire_update(&w, x, spb_int32(4));
    }
    wire_sleep(&w, 70000);
    spb_session_remove_metric(w.session, z, w.now);
    wire_host(&w, true, 1000);
    wire_sleep(&w, 5000);
    wire_host(&w, false, 2000);
    wire_run(&w);
    let_host_return(3000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), expected);
    return press;
}

START_TEST(samples_that_wait_for_their_device_are_stored_after_a_second_replay_too) {
    replay_twice(true, "1 1");
    ck_assert_int_eq(flush(), SPB_FLUSH_STORED);
}
END_TEST

START_TEST(nothing_is_stored_any_more_when_all_has_arrived_twice) {
    spb_session_set_device_online(w.session, replay_twice(false, "1 2 4 1 2 4"), true, w.now);
    wire_sleep(&w, 70000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 7);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
    ck_assert_int_eq(flush(), SPB_FLUSH_CONFIRMED);
}
END_TEST

/* What the server has answered for is confirmed, though older samples that the host has missed wait before it. */
START_TEST(what_arrived_behind_samples_that_were_reopened_is_confirmed_once) {
    options.settle_ms = 60000;
    options.store_window_ms = 0;
    options.replay_samples_per_s = 1;
    go_online_with_host();
    wire_lose(&w);
    for (int32_t i = 1; i <= 2; i++) {
        wire_update(&w, x, spb_int32(i));
        wire_run(&w);
    }
    wire_sleep(&w, 5000);
    wire_host(&w, true, 1000);
    while (wire_stats(&w).samples_confirmed < 1) {
        wire_sleep(&w, 10);
    }
    w.is_deaf = true;
    wire_sleep(&w, 3000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1 2");
    wire_host(&w, true, 2000); /* it was away, and has missed the first */
    wire_sleep(&w, 1000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1 2 1");
    wire_event(&w, SPB_TRANSPORT_FENCED, SPB_OK, NULL); /* of the fence behind the second */
    wire_run(&w);
    w.is_deaf = false;
    wire_lose(&w);
    wire_sleep(&w, 20000);
    wire_host(&w, true, 2000);
    wire_sleep(&w, 10000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1 2 1 1 2");
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_confirmed, 4);
    ck_assert_uint_eq(stats.samples_reopened, 2);
}
END_TEST

/* A clean stop, and another process, with the host's STATE of that time. */
static void start_again(uint64_t state_ms) {
    spb_session_stop(w.session, 1000, w.now);
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    wire_close(&w);
    wire_open_with(&w, &journal, &options);
    w.state_topic = "spBv1.0/STATE/H";
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    wire_host(&w, true, state_ms);
    wire_sleep(&w, 5000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
}

static void send_and_start_again(uint64_t state_ms) {
    options.delivery = SPB_DELIVERY_DURABLE;
    go_online_with_host();
    send(1);
    start_again(state_ms);
}

START_TEST(a_restart_sends_nothing_again_to_a_host_that_stayed) {
    send_and_start_again(1000);
    for (int32_t i = 2; i <= 4; i++) {
        ck_assert_uint_eq(wire_stats(&w).samples_replayed, 0);
        ck_assert_uint_eq(wire_stats(&w).samples_in_journal, 0);
        ck_assert_uint_eq(wire_journal_info(&journal).samples, (uint64_t)i - 1);
        send(i);
        start_again(1000);
    }
    wire_sleep(&w, 62000);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(a_restart_sends_it_again_to_a_host_that_was_away_meanwhile) {
    send_and_start_again(2000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_resent, 1);
}
END_TEST

/* It was dying when the node was stopped. */
START_TEST(what_arrived_before_a_restart_is_sent_again_when_the_host_turns_out_to_be_away) {
    send_and_start_again(1000);
    wire_host(&w, false, 1000);
    wire_run(&w);
    let_host_return(3000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1");
}
END_TEST

/* Somebody else said that it was offline, and it says with its old time that it is not. */
START_TEST(what_was_to_be_sent_again_before_a_restart_is_sent_after_it) {
    options.delivery = SPB_DELIVERY_DURABLE;
    go_online_with_host();
    send(1);
    wire_sleep(&w, 3000);
    send(2); /* with a commit, that the first one is kept */
    wire_host(&w, false, 1000);
    wire_run(&w);
    start_again(1000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1 2");
}
END_TEST

START_TEST(a_legacy_state_does_not_say_whether_the_host_stayed) {
    options.legacy_state = true;
    options.delivery = SPB_DELIVERY_DURABLE;
    wire_open_with(&w, &journal, &options);
    w.state_topic = "STATE/H";
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    wire_message_in(&w, "STATE/H", (spb_bytes){(const uint8_t *)"ONLINE", 6}, true);
    wire_run(&w);
    send(1);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
    ck_assert_ptr_null(strstr(w.ledger, "KEEP"));
}
END_TEST

/* ---- a rebirth request ---- */

static void send_and_request(uint32_t resend_ms) {
    options.primary_host_id = NULL;
    options.resend_on_rebirth_ms = resend_ms;
    options.host_window_ms = 0;
    go_online();
    update(1);
    wire_sleep(&w, 20000);
    update(2);
    wire_sleep(&w, 2000);
    wire_request_rebirth(&w);
    wire_sleep(&w, 2000);
}

START_TEST(what_was_confirmed_shortly_before_a_rebirth_request_follows_the_births_once_more) {
    send_and_request(10000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "2");
    ck_assert(wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0].is_historical);
    ck_assert_uint_eq(wire_stats(&w).samples_reopened, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_resent, 1);
}
END_TEST

/* The journal was told before that it has arrived. */
START_TEST(what_was_confirmed_and_is_in_the_journal_follows_too) {
    options.delivery = SPB_DELIVERY_DURABLE;
    send_and_request(60000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1 2");
}
END_TEST

START_TEST(what_a_request_brings_back_goes_ahead_of_newer_history) {
    options.primary_host_id = NULL;
    options.resend_on_rebirth_ms = 60000;
    options.replay_samples_per_s = 1;
    options.store_window_ms = 0;
    go_online();
    wire_lose(&w);
    for (int32_t i = 1; i <= 4; i++) {
        update(i);
        wire_run(&w);
    }
    while (wire_stats(&w).samples_replayed < 3) {
        wire_sleep(&w, 100);
    }
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1 2 3");
    ck_assert_uint_gt(wire_stats(&w).samples_confirmed, 0);
    wire_forget(&w);
    wire_request_rebirth(&w);
    wire_sleep(&w, 6000);
    const char *replayed = wire_samples(&w, WIRE_REPLAYED);
    ck_assert_msg(strstr(replayed, "1 2 ") == replayed && strcmp(replayed + strlen(replayed) - 2, " 4") == 0, "%s",
                  replayed);
}
END_TEST

/* It was read behind what had been begun to be sent; on the next connection that is no reason any more. */
START_TEST(what_a_request_brought_back_is_ahead_of_newer_history_after_a_loss) {
    options.primary_host_id = NULL;
    options.resend_on_rebirth_ms = 60000;
    options.replay_samples_per_s = 1;
    options.store_window_ms = 0;
    go_online();
    wire_lose(&w);
    for (int32_t i = 1; i <= 3; i++) {
        update(i);
        wire_run(&w);
    }
    while (wire_stats(&w).samples_confirmed < 2) {
        wire_sleep(&w, 10);
    }
    w.is_deaf = true;
    while (wire_stats(&w).samples_replayed < 3) {
        wire_sleep(&w, 10);
    }
    wire_request_rebirth(&w);
    while (wire_stats(&w).samples_replayed < 4) {
        wire_sleep(&w, 10);
    }
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1 2 3 1");
    wire_forget(&w);
    w.is_deaf = false;
    wire_lose(&w);
    wire_sleep(&w, 20000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "1 2 3");
}
END_TEST

START_TEST(a_host_that_asks_again_and_again_gets_it_once) {
    send_and_request(10000);
    for (int i = 0; i < 5; i++) {
        wire_request_rebirth(&w);
        wire_sleep(&w, 2000);
    }
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "2");
    wire_sleep(&w, 60000); /* two keep-alives */
    update(3);
    wire_sleep(&w, 2000);
    wire_request_rebirth(&w);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "2 3");
}
END_TEST

START_TEST(unless_it_is_asked_for_a_rebirth_sends_nothing_again) {
    send_and_request(0);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "");
}
END_TEST

START_TEST(a_rebirth_of_the_application_sends_nothing_again) {
    options.primary_host_id = NULL;
    options.resend_on_rebirth_ms = 10000;
    go_online();
    update(1);
    wire_sleep(&w, 2000);
    spb_session_rebirth(w.session, w.now);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(wire_samples(&w, WIRE_REPLAYED), "");
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_host");
    tcase_add_checked_fixture(all, setup, delivery_teardown);
    tcase_add_test(all, what_was_confirmed_shortly_before_the_host_went_offline_is_replayed);
    tcase_add_test(all, without_a_window_the_server_is_trusted_alone);
    tcase_add_test(all, a_host_that_was_away_while_there_was_no_link_may_have_missed_it_too);
    tcase_add_test(all, a_host_that_stayed_has_seen_it);
    tcase_add_test(all, what_was_replayed_is_replayed_again);
    tcase_add_test(all, what_was_replayed_of_a_block_that_is_not_finished_is_replayed_again);
    tcase_add_test(all, so_it_is_after_a_lost_connection);
    tcase_add_test(all, so_it_is_when_the_host_comes_anew_in_the_middle);
    tcase_add_test(all, what_the_host_missed_is_replayed_ahead_of_what_it_could_not_get_yet);
    tcase_add_test(all, at_the_level_durable_the_journal_keeps_it_so_long);
    tcase_add_test(all, what_is_too_old_for_the_replay_is_counted_once);
    tcase_add_test(all, samples_that_wait_for_their_device_are_stored_after_a_second_replay_too);
    tcase_add_test(all, nothing_is_stored_any_more_when_all_has_arrived_twice);
    tcase_add_test(all, what_arrived_behind_samples_that_were_reopened_is_confirmed_once);
    tcase_add_test(all, a_restart_sends_nothing_again_to_a_host_that_stayed);
    tcase_add_test(all, a_restart_sends_it_again_to_a_host_that_was_away_meanwhile);
    tcase_add_test(all, what_arrived_before_a_restart_is_sent_again_when_the_host_turns_out_to_be_away);
    tcase_add_test(all, what_was_to_be_sent_again_before_a_restart_is_sent_after_it);
    tcase_add_test(all, a_legacy_state_does_not_say_whether_the_host_stayed);
    tcase_add_test(all, what_was_confirmed_shortly_before_a_rebirth_request_follows_the_births_once_more);
    tcase_add_test(all, what_was_confirmed_and_is_in_the_journal_follows_too);
    tcase_add_test(all, what_a_request_brings_back_goes_ahead_of_newer_history);
    tcase_add_test(all, what_a_request_brought_back_is_ahead_of_newer_history_after_a_loss);
    tcase_add_test(all, a_host_that_asks_again_and_again_gets_it_once);
    tcase_add_test(all, unless_it_is_asked_for_a_rebirth_sends_nothing_again);
    tcase_add_test(all, a_rebirth_of_the_application_sends_nothing_again);
    Suite *suite = suite_create("delivery_host");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
