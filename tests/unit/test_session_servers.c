/* Several servers: an ordered list, one at a time. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;

static void open_with(const char *servers, bool has_metric) {
    spb_session_options options = wire_options();
    options.servers = servers;
    options.next_server_metric = has_metric;
    wire_open(&w, &options);
}

static void refuse_connection(void) {
    wire_event(&w, SPB_TRANSPORT_CONNECT_FAILED, SPB_ERR_CONNECT, "connection refused");
    wire_run(&w);
}

/* Takes a silent session up to its CONNECT. */
static void reach_connect(void) {
    wire_run(&w);
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    wire_run(&w);
}

static void ask_for_next_server(spb_value value) {
    wire_command(&w, NULL, &(spb_payload_metric){.name = spb_str_from("Node Control/Next Server"), .value = value});
    wire_run(&w);
}

/* tck-id-operational-behavior-primary-application-state-with-multiple-servers-single-server: the ledger fails at a
 * CONNECT while another link is open. */
START_TEST(a_failure_leads_to_the_next_server_at_once) {
    open_with("mqtt://a, mqtt://b ,mqtt://c", false);
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    reach_connect();
    ck_assert_str_eq(w.server, "mqtt://a");
    refuse_connection();
    reach_connect();
    ck_assert_str_eq(w.server, "mqtt://b");
    refuse_connection();
    reach_connect();
    ck_assert_str_eq(w.server, "mqtt://c");
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, CLOSE, SAVE 1, CONNECT 1, CLOSE, SAVE 2, CONNECT 2");
    wire_close(&w);
}
END_TEST

START_TEST(after_a_whole_round_it_waits) {
    open_with("mqtt://a,mqtt://b", false);
    w.is_silent = true;
    spb_session_start(w.session, w.now);
    uint64_t wanted_ms = 1000;
    for (int round = 0; round < 3; round++) {
        reach_connect();
        ck_assert_str_eq(w.server, "mqtt://a");
        refuse_connection();
        reach_connect();
        ck_assert_str_eq(w.server, "mqtt://b");
        refuse_connection();
        uint64_t wait_ms = spb_session_deadline_ms(w.session) - w.now.mono_ms;
        ck_assert_uint_ge(wait_ms, wanted_ms * 3 / 4);
        ck_assert_uint_le(wait_ms, wanted_ms * 5 / 4);
        wanted_ms *= 2;
        wire_sleep(&w, wait_ms);
    }
    ck_assert_ptr_nonnull(strstr(w.logs, "connection refused (SPB_ERR_CONNECT); next is mqtt://b in 0 ms"));
    wire_close(&w);
}
END_TEST

START_TEST(a_steady_connection_begins_a_new_round) {
    open_with("mqtt://a,mqtt://b", false);
    wire_go_online(&w);
    wire_sleep(&w, 10000);
    wire_lose(&w);
    ck_assert_str_eq(w.server, "mqtt://b");
    ck_assert_str_eq(w.ledger, "CLOSE, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0");
    wire_lose(&w); /* before it was steady: the round is over */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_sleep(&w, 1250);
    ck_assert_str_eq(w.server, "mqtt://a");
    wire_close(&w);
}
END_TEST

START_TEST(a_stopped_session_starts_on_the_server_it_was_on) {
    open_with("mqtt://a,mqtt://b", false);
    wire_go_online(&w);
    wire_lose(&w);
    spb_session_stop(w.session, 500, w.now);
    wire_run(&w);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.server, "mqtt://b");
    wire_close(&w);
}
END_TEST

START_TEST(a_list_with_a_hole_is_refused) {
    const char *lists[] = {"", ",", "mqtt://a,", ",mqtt://a", "mqtt://a, ,mqtt://b"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        spb_session_options options = wire_options();
        spb_session *session;
        options.servers = lists[i];
        ck_assert_int_eq(spb_session_new(&session, &options, NULL), SPB_ERR_ARGUMENT);
        ck_assert_ptr_null(session);
    }
}
END_TEST

/* ---- Node Control/Next Server ---- */

START_TEST(next_server_is_a_boolean_false_in_the_nbirth) {
    open_with("mqtt://a,mqtt://b", true);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    const spb_payload_metric *metric =
        spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "Node Control/Next Server");
    ck_assert(metric && metric->value.type == SPB_BOOLEAN && !metric->value.as.boolean && !metric->has_alias);
    wire_close(&w);
}
END_TEST

START_TEST(true_walks_to_the_next_server) {
    open_with("mqtt://a,mqtt://b", true);
    wire_add_device(&w, "Press");
    wire_go_online(&w);
    ask_for_next_server(spb_boolean(true));
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1");
    ck_assert_str_eq(w.server, "mqtt://b");
    ck_assert_uint_eq(wire_stats(&w).connections_lost, 0);
    wire_close(&w);
}
END_TEST

START_TEST(only_true_walks) {
    open_with("mqtt://a,mqtt://b", true);
    wire_go_online(&w);
    ask_for_next_server(spb_boolean(false));
    ask_for_next_server(spb_int32(1));
    ck_assert_str_eq(w.ledger, "");
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 1);
    wire_close(&w);
}
END_TEST

START_TEST(without_the_option_there_is_no_such_metric) {
    open_with("mqtt://a,mqtt://b", false);
    wire_go_online(&w);
    ask_for_next_server(spb_boolean(true));
    ck_assert_str_eq(w.ledger, "COMMAND SPB_ERR_NOT_FOUND");
    wire_close(&w);
}
END_TEST

START_TEST(a_goodbye_that_takes_too_long_is_cut_short) {
    open_with("mqtt://a,mqtt://b", true);
    wire_go_online(&w);
    w.is_silent = true;
    ask_for_next_server(spb_boolean(true));
    wire_sleep(&w, 1999);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, CLOSE, SAVE 1");
    wire_close(&w);
}
END_TEST

START_TEST(a_stop_on_the_way_to_the_next_server_is_a_stop) {
    open_with("mqtt://a,mqtt://b", true);
    wire_go_online(&w);
    w.is_silent = true;
    ask_for_next_server(spb_boolean(true));
    spb_session_stop(w.session, 500, w.now);
    wire_sleep(&w, 500);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, CLOSE");
    ck_assert_str_eq(w.states, "STOPPING STOPPED");
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), SPB_NEVER);
    wire_close(&w);
}
END_TEST

/* The samples that waited follow the births, and the value that came meanwhile follows them once more. */
START_TEST(a_walk_loses_no_sample) {
    open_with("mqtt://a,mqtt://b", true);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    wire_update(&w, x, spb_int32(2));
    w.is_silent = true;
    ask_for_next_server(spb_boolean(true));
    wire_update(&w, x, spb_int32(3));
    w.is_silent = false;
    wire_event(&w, SPB_TRANSPORT_DISCONNECTED, SPB_OK, NULL);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0, NDATA 1, NDATA 2");
    ck_assert_uint_eq(w.messages[2].payload->metric_count, 2);
    ck_assert_uint_eq(w.messages[3].payload->metric_count, 1);
    ck_assert_uint_eq(w.messages[3].payload->metrics[0].value.as.u64, 3);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 0);
    wire_close(&w);
}
END_TEST

START_TEST(samples_of_a_device_that_goes_on_the_way_are_counted) {
    open_with("mqtt://a,mqtt://b", true);
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *x = wire_add_metric(&w, press, "x", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    w.is_silent = true;
    ask_for_next_server(spb_boolean(true));
    spb_session_set_device_online(w.session, press, false, w.now);
    w.is_silent = false;
    wire_event(&w, SPB_TRANSPORT_DISCONNECTED, SPB_OK, NULL);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 1);
    wire_close(&w);
}
END_TEST

/* The alias of a metric that was removed means nothing in the next births. */
START_TEST(samples_of_a_removed_metric_do_not_outlive_its_births) {
    spb_session_options options = wire_options();
    options.next_server_metric = true;
    options.max_in_flight = 1;
    options.batch_window_ms = 0;
    wire_open(&w, &options);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    wire_update(&w, x, spb_int32(1));
    wire_run(&w);
    wire_update(&w, x, spb_int32(2));
    spb_session_remove_metric(w.session, x, w.now);
    ask_for_next_server(spb_boolean(true));
    w.is_silent = false;
    wire_event(&w, SPB_TRANSPORT_DISCONNECTED, SPB_OK, NULL);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDEATH, DISCONNECT 2000, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 1);
    wire_close(&w);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_servers");
    tcase_add_test(all, a_failure_leads_to_the_next_server_at_once);
    tcase_add_test(all, after_a_whole_round_it_waits);
    tcase_add_test(all, a_steady_connection_begins_a_new_round);
    tcase_add_test(all, a_stopped_session_starts_on_the_server_it_was_on);
    tcase_add_test(all, a_list_with_a_hole_is_refused);
    tcase_add_test(all, next_server_is_a_boolean_false_in_the_nbirth);
    tcase_add_test(all, true_walks_to_the_next_server);
    tcase_add_test(all, only_true_walks);
    tcase_add_test(all, without_the_option_there_is_no_such_metric);
    tcase_add_test(all, a_goodbye_that_takes_too_long_is_cut_short);
    tcase_add_test(all, a_stop_on_the_way_to_the_next_server_is_a_stop);
    tcase_add_test(all, a_walk_loses_no_sample);
    tcase_add_test(all, samples_of_a_device_that_goes_on_the_way_are_counted);
    tcase_add_test(all, samples_of_a_removed_metric_do_not_outlive_its_births);
    Suite *suite = suite_create("session_servers");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
