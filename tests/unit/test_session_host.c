/* The primary host: births wait for it, and end when it goes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;

static void open_with(const char *servers) {
    spb_session_options options = wire_options();
    options.servers = servers;
    options.primary_host_id = "H";
    wire_open(&w, &options);
    w.state_topic = "spBv1.0/STATE/H";
}

static void start(void) {
    spb_session_start(w.session, w.now);
    wire_run(&w);
}

static void hear(bool online, uint64_t timestamp_ms) {
    wire_host(&w, online, timestamp_ms);
    wire_run(&w);
}

static void go_online(const char *servers) {
    open_with(servers);
    wire_add_device(&w, "Press");
    start();
    hear(true, 1000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_forget(&w);
}

/* tck-id-message-flow-edge-node-birth-publish-phid-wait, tck-id-operational-behavior-edge-node-birth-sequence-wait */
START_TEST(births_wait_for_the_primary_host) {
    open_with("mqtt://a");
    wire_add_device(&w, "Press");
    start();
    wire_sleep(&w, 3600000);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE");
    ck_assert_str_eq(w.states, "SAVING CONNECTING SUBSCRIBING WAIT_HOST");
    ck_assert_uint_ge(w.fences, 240 - 1); /* a link that dies meanwhile is noticed */
    hear(true, 1000);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1");
    ck_assert_str_eq(w.states, "SAVING CONNECTING SUBSCRIBING WAIT_HOST BIRTHING ONLINE");
    wire_close(&w);
}
END_TEST

/* A retained STATE may arrive before the SUBACK. */
START_TEST(a_state_that_comes_before_the_suback_counts) {
    open_with("mqtt://a");
    w.is_silent = true;
    start();
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    wire_run(&w);
    wire_event(&w, SPB_TRANSPORT_CONNECTED, SPB_OK, NULL);
    wire_run(&w);
    hear(true, 1000);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE");
    wire_event(&w, SPB_TRANSPORT_SUBSCRIBED, SPB_OK, NULL);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0");
    wire_close(&w);
}
END_TEST

/* tck-id-message-flow-edge-node-birth-publish-phid-wait-id, …-wait-online */
START_TEST(only_online_of_this_very_host_counts) {
    open_with("mqtt://a");
    start();
    spb_str on = spb_str_from("{\"online\":true,\"timestamp\":5000}");
    spb_bytes online = {(const uint8_t *)on.data, on.len};
    wire_message_in(&w, "spBv1.0/STATE/Hx", online, true);
    wire_message_in(&w, "spBv1.0/STATE/x/H", online, true);
    wire_message_in(&w, "STATE/H", online, true);
    wire_message_in(&w, "spBv1.0/STATE/H", (spb_bytes){(const uint8_t *)"ONLINE", 6}, true);
    hear(false, 6000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAIT_HOST);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE");
    ck_assert_ptr_nonnull(strstr(w.logs, "STATE ignored: STATE payload is not JSON"));
    wire_close(&w);
}
END_TEST

/* tck-id-message-flow-edge-node-birth-publish-phid-offline, tck-id-operational-behavior-edge-node-termination-host-
 * offline, …-reconnect; its coming back begins a new session. */
START_TEST(a_host_that_goes_ends_the_session) {
    go_online("mqtt://a");
    hear(false, 1000); /* as old is not older */
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000");
    ck_assert_str_eq(w.states, "STOPPING WAITING");
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 0);
    wire_sleep(&w, 1250);
    hear(false, 1000);
    wire_sleep(&w, 100000);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE");
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAIT_HOST);
    hear(true, 2000);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1");
    wire_close(&w);
}
END_TEST

START_TEST(a_host_that_goes_during_the_births_ends_them) {
    open_with("mqtt://a");
    wire_add_device(&w, "Press");
    start();
    wire_host(&w, true, 1000);
    while (wire_step(&w) && w.last.kind != SPB_ACTION_PUBLISH) {
    }
    wire_forget(&w);
    hear(false, 1001);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000");
    wire_close(&w);
}
END_TEST

/* tck-id-operational-behavior-edge-node-termination-host-offline-timestamp */
START_TEST(an_offline_that_is_older_than_the_online_is_ignored) {
    go_online("mqtt://a");
    hear(false, 999);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_str_eq(w.logs, "STATE ignored: offline of 999 is older than the last STATE, of 1000");
    wire_close(&w);
}
END_TEST

/* tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp */
START_TEST(an_online_that_is_older_is_ignored_after_a_reconnect_too) {
    go_online("mqtt://a");
    wire_lose(&w);
    wire_sleep(&w, 2000);
    hear(true, 999);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAIT_HOST);
    hear(true, 1000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

/* It counts, as it may be our clock that is wrong; but it makes nothing old that is not. */
START_TEST(a_timestamp_of_the_far_future_does_not_silence_the_host) {
    go_online("mqtt://a");
    hear(false, INT64_MAX);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000");
    ck_assert_ptr_nonnull(
        strstr(w.logs, "STATE of 9223372036854775807 is more than 300 s ahead of the clock of this machine\n"));
    wire_sleep(&w, 2000);
    hear(true, w.now.wall_ms);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_forget(&w);
    hear(false, w.now.wall_ms - 1);
    ck_assert_str_eq(w.ledger, "");
    wire_close(&w);
}
END_TEST

START_TEST(a_timestamp_may_be_ahead_by_the_allowance) {
    go_online("mqtt://a");
    uint64_t before_ms = w.now.wall_ms;
    hear(true, before_ms + SPB_CLOCK_ALLOWANCE_MS);
    ck_assert_str_eq(w.logs, "");
    hear(false, before_ms + SPB_CLOCK_ALLOWANCE_MS - 1);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert_ptr_nonnull(strstr(w.logs, "STATE ignored: offline of"));
    wire_close(&w);
}
END_TEST

/* The clock of this machine may be years behind: the order among those that are ahead is kept. */
START_TEST(a_host_that_is_always_ahead_is_heard_in_its_order) {
    const uint64_t year_ms = UINT64_C(365) * 86400 * 1000;
    go_online("mqtt://a");
    uint64_t host_ms = w.now.wall_ms + 3 * year_ms;
    hear(true, host_ms);
    wire_forget(&w);
    hear(false, host_ms - 1);
    ck_assert_str_eq(w.ledger, "");
    w.now.wall_ms += 3 * year_ms; /* it is put right: what was ahead is not any more, and counts in full */
    hear(false, host_ms - 1);
    ck_assert_str_eq(w.ledger, "");
    hear(false, host_ms);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000");
    wire_close(&w);
}
END_TEST

START_TEST(without_a_clock_all_timestamps_are_compared) {
    open_with("mqtt://a");
    w.now.wall_ms = 1000000;
    start();
    hear(false, INT64_MAX);
    hear(true, 1700000000000); /* who knows what is true? */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAIT_HOST);
    ck_assert_ptr_null(strstr(w.logs, "ahead of the clock"));
    w.now.wall_ms = 1700000000000;
    hear(true, 1700000000000);
    wire_sleep(&w, 100);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

START_TEST(what_was_heard_on_an_earlier_connection_is_no_news) {
    go_online("mqtt://a");
    wire_lose(&w);
    wire_sleep(&w, 10000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAIT_HOST);
    wire_close(&w);
}
END_TEST

/* ---- several servers ---- */

/* tck-id-operational-behavior-primary-application-state-with-multiple-servers-walk */
START_TEST(a_host_that_is_offline_here_is_looked_for_on_the_next_server) {
    open_with("mqtt://a,mqtt://b");
    start();
    hear(false, 1000);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE");
    ck_assert_str_eq(w.server, "mqtt://b");
    hear(true, 500);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

START_TEST(a_born_node_follows_its_host_to_the_next_server) {
    go_online("mqtt://a,mqtt://b");
    wire_sleep(&w, 10000);
    hear(false, 1000);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE");
    ck_assert_str_eq(w.server, "mqtt://b");
    wire_close(&w);
}
END_TEST

/* tck-id-operational-behavior-host-application-multi-server-timestamp: the host's connection to b may be older. */
START_TEST(each_server_has_a_timestamp_of_its_own) {
    go_online("mqtt://a,mqtt://b");
    wire_sleep(&w, 10000);
    hear(false, 1000);
    hear(true, 10);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert_str_eq(w.server, "mqtt://b");
    wire_close(&w);
}
END_TEST

START_TEST(a_host_that_is_offline_everywhere_is_not_hunted_without_pause) {
    open_with("mqtt://a,mqtt://b");
    start();
    hear(false, 1000);
    hear(false, 1000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    ck_assert_uint_ge(spb_session_deadline_ms(w.session), w.now.mono_ms + 750);
    wire_close(&w);
}
END_TEST

START_TEST(a_server_that_knows_nothing_of_the_host_is_left) {
    open_with("mqtt://a,mqtt://b");
    start();
    wire_sleep(&w, 29999);
    ck_assert_str_eq(w.server, "mqtt://a");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.server, "mqtt://b");
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE");
    wire_close(&w);
}
END_TEST

/* ---- samples, stop ---- */

START_TEST(samples_that_waited_follow_the_next_births) {
    open_with("mqtt://a");
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    start();
    hear(true, 1000);
    wire_update(&w, x, spb_int32(1));
    wire_forget(&w);
    hear(false, 1000); /* at once: no data before the NDEATH */
    wire_sleep(&w, 5000);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE");
    hear(true, 2000);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0, NDATA 1");
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_accepted, stats.samples_published);
    ck_assert_uint_eq(stats.samples_dropped_lost, 0);
    wire_close(&w);
}
END_TEST

START_TEST(a_stop_while_waiting_for_the_host_has_no_ndeath) {
    open_with("mqtt://a");
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    start();
    hear(true, 1000);
    wire_update(&w, x, spb_int32(1));
    hear(false, 1000);
    wire_sleep(&w, 5000);
    wire_forget(&w);
    spb_session_stop(w.session, 500, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "DISCONNECT 500");
    ck_assert_str_eq(w.states, "STOPPING STOPPED");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 1);
    wire_close(&w);
}
END_TEST

START_TEST(a_stop_while_waiting_for_the_host_is_bounded) {
    open_with("mqtt://a");
    start();
    w.is_silent = true;
    spb_session_stop(w.session, 500, w.now);
    wire_sleep(&w, 500);
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, DISCONNECT 500, CLOSE");
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    wire_close(&w);
}
END_TEST

/* ---- before Sparkplug 3.0 ---- */

static void hear_text(const char *text) {
    wire_message_in(&w, "STATE/H", (spb_bytes){(const uint8_t *)text, strlen(text)}, true);
    wire_run(&w);
}

START_TEST(a_legacy_host_says_online_and_offline) {
    spb_session_options options = wire_options();
    options.primary_host_id = "H";
    options.legacy_state = true;
    wire_open(&w, &options);
    w.state_topic = "STATE/H";
    start();
    hear_text("online");
    hear_text("ONLINE!");
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAIT_HOST);
    hear_text("ONLINE");
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    hear_text("OFFLINE");
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, NDEATH, DISCONNECT 2000");
    wire_close(&w);
}
END_TEST

START_TEST(a_host_id_follows_the_rules) {
    spb_session_options options = wire_options();
    spb_session *session;
    options.primary_host_id = "a/b";
    ck_assert_int_eq(spb_session_new(&session, &options, NULL), SPB_ERR_NAME);
    options.primary_host_id = "";
    ck_assert_int_eq(spb_session_new(&session, &options, NULL), SPB_ERR_NAME);
    ck_assert_ptr_null(session);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_host");
    tcase_add_test(all, births_wait_for_the_primary_host);
    tcase_add_test(all, a_state_that_comes_before_the_suback_counts);
    tcase_add_test(all, only_online_of_this_very_host_counts);
    tcase_add_test(all, a_host_that_goes_ends_the_session);
    tcase_add_test(all, a_host_that_goes_during_the_births_ends_them);
    tcase_add_test(all, an_offline_that_is_older_than_the_online_is_ignored);
    tcase_add_test(all, an_online_that_is_older_is_ignored_after_a_reconnect_too);
    tcase_add_test(all, a_timestamp_of_the_far_future_does_not_silence_the_host);
    tcase_add_test(all, a_timestamp_may_be_ahead_by_the_allowance);
    tcase_add_test(all, a_host_that_is_always_ahead_is_heard_in_its_order);
    tcase_add_test(all, without_a_clock_all_timestamps_are_compared);
    tcase_add_test(all, what_was_heard_on_an_earlier_connection_is_no_news);
    tcase_add_test(all, a_host_that_is_offline_here_is_looked_for_on_the_next_server);
    tcase_add_test(all, a_born_node_follows_its_host_to_the_next_server);
    tcase_add_test(all, each_server_has_a_timestamp_of_its_own);
    tcase_add_test(all, a_host_that_is_offline_everywhere_is_not_hunted_without_pause);
    tcase_add_test(all, a_server_that_knows_nothing_of_the_host_is_left);
    tcase_add_test(all, samples_that_waited_follow_the_next_births);
    tcase_add_test(all, a_stop_while_waiting_for_the_host_has_no_ndeath);
    tcase_add_test(all, a_stop_while_waiting_for_the_host_is_bounded);
    tcase_add_test(all, a_legacy_host_says_online_and_offline);
    tcase_add_test(all, a_host_id_follows_the_rules);
    Suite *suite = suite_create("session_host");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
