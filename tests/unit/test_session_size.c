/* What a server does not take: births end the session with it, data is cut to fit. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "support/suite.h"
#include "support/wire.h"

static wire w;

static void open_with(const char *servers, uint32_t max_packet_bytes) {
    spb_session_options options = wire_options();
    options.servers = servers;
    options.batch_window_ms = 100;
    wire_open(&w, &options);
    w.welcome.max_packet_bytes = max_packet_bytes;
}

static char *long_text(size_t len) {
    static char text[4096];
    ck_assert_uint_lt(len, sizeof text);
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

/* The PUBLISH packet that carries a message of this session, as MQTT 5 counts it. */
static size_t packet_bytes(const spb_transport_message *sent) {
    size_t rest = 2 + strlen(sent->topic) + 1 + sent->payload.len;
    return rest + (rest < 128 ? 2 : rest < 16384 ? 3 : 4);
}

/* The size of the NBIRTH of a node with one text of that length. */
static size_t birth_bytes(size_t text_len) {
    open_with("mqtt://a", 0);
    wire_add_metric(&w, NULL, "text", spb_string(long_text(text_len)));
    spb_session_start(w.session, w.now);
    while (wire_step(&w) && w.last.kind != SPB_ACTION_PUBLISH) {
    }
    size_t bytes = packet_bytes(&w.last.as.publish);
    wire_close(&w);
    return bytes;
}

static void SPB_PRINTF(1, 2) check_ledger(const char *format, ...) {
    char wanted[512];
    va_list args;
    va_start(args, format);
    vsnprintf(wanted, sizeof wanted, format, args);
    va_end(args);
    ck_assert_str_eq(w.ledger, wanted);
}

START_TEST(a_birth_that_just_fits_is_sent) {
    size_t bytes = birth_bytes(1000);
    open_with("mqtt://a", (uint32_t)bytes);
    wire_add_metric(&w, NULL, "text", spb_string(long_text(1000)));
    wire_go_online(&w);
    wire_close(&w);
}
END_TEST

START_TEST(a_birth_that_does_not_fit_is_named_and_not_sent) {
    size_t bytes = birth_bytes(1000);
    open_with("mqtt://a", (uint32_t)bytes - 1);
    wire_add_metric(&w, NULL, "text", spb_string(long_text(1000)));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    char wanted[200];
    snprintf(wanted, sizeof wanted,
             "spBv1.0/G/NBIRTH/N: a packet of %zu bytes, but mqtt://a takes no more than %zu\n"
             "NBIRTH is larger than the server takes; next attempt in ",
             bytes, bytes - 1);
    check_ledger("SAVE 0, CONNECT 0, SUBSCRIBE, CLOSE, TOO LARGE NBIRTH %zu of %zu for mqtt://a, as for all", bytes,
                 bytes - 1);
    ck_assert_msg(strstr(w.logs, wanted) != NULL, "%s", w.logs);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_close(&w);
}
END_TEST

START_TEST(a_dbirth_that_does_not_fit_leads_to_the_next_server) {
    open_with("mqtt://a,mqtt://b", 500);
    wire_add_metric(&w, wire_add_device(&w, "Press"), "text", spb_string(long_text(1000)));
    spb_session_start(w.session, w.now);
    while (wire_step(&w) && strcmp(w.server, "mqtt://b") != 0) {
        if (w.last.kind == SPB_ACTION_CLOSE) {
            w.welcome.max_packet_bytes = 0;
        }
    }
    wire_run(&w);
    ck_assert_str_eq(w.ledger,
                     "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, CLOSE, TOO LARGE Press 1062 of 500 for mqtt://a, "
                     "SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1");
    ck_assert_ptr_nonnull(strstr(w.logs, "spBv1.0/G/DBIRTH/N/Press: a packet of "));
    wire_close(&w);
}
END_TEST

START_TEST(a_dbirth_that_just_fits_is_sent) {
    open_with("mqtt://a", 1062);
    wire_add_metric(&w, wire_add_device(&w, "Press"), "text", spb_string(long_text(1000)));
    wire_go_online(&w);
    ck_assert_uint_eq(w.born_count, 1);
    wire_close(&w);
}
END_TEST

START_TEST(when_all_servers_have_refused_a_birth_the_application_hears_so) {
    open_with("mqtt://a,mqtt://b", 500);
    wire_add_metric(&w, wire_add_device(&w, "Press"), "text", spb_string(long_text(1000)));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_ptr_nonnull(strstr(w.ledger, "TOO LARGE Press 1062 of 500 for mqtt://a, SAVE 1"));
    ck_assert_ptr_nonnull(strstr(w.ledger, "TOO LARGE Press 1062 of 500 for mqtt://b, as for all"));
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_close(&w);
}
END_TEST

static void check_attempt_soon(void) {
    wire_sleep(&w, 100);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}

static void wait_with(spb_device **press, spb_metric **text) {
    spb_session_options options = wire_options();
    options.servers = "mqtt://a";
    options.reconnect_max_ms = 3600000;
    wire_open(&w, &options);
    w.welcome.max_packet_bytes = 500;
    *press = wire_add_device(&w, "Press");
    *text = wire_add_metric(&w, *press, "text", spb_string(long_text(1000)));
    spb_session_start(w.session, w.now);
    wire_sleep(&w, 400000); /* the waits have become long */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
}

START_TEST(what_makes_a_birth_smaller_ends_the_wait) {
    spb_device *press;
    spb_metric *text;
    wait_with(&press, &text);
    spb_session_remove_metric(w.session, text, w.now);
    check_attempt_soon();
    wait_with(&press, &text);
    spb_session_remove_device(w.session, press, w.now);
    check_attempt_soon();
    wait_with(&press, &text);
    spb_session_set_device_online(w.session, press, false, w.now);
    check_attempt_soon();
}
END_TEST

START_TEST(what_does_not_follow_from_a_birth_goes_on_waiting) {
    spb_device *press;
    spb_metric *text;
    wait_with(&press, &text);
    w.is_silent = true;
    while (spb_session_get_state(w.session) == SPB_SESSION_WAITING) {
        wire_sleep(&w, 1000);
    }
    spb_session_on_bdseq_saved(w.session, SPB_OK, NULL, w.now);
    wire_run(&w);
    wire_event(&w, SPB_TRANSPORT_CONNECT_FAILED, SPB_ERR_CONNECT, "dead");
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    spb_session_remove_metric(w.session, text, w.now);
    wire_sleep(&w, 1000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_WAITING);
    wire_close(&w);
}
END_TEST

/* ---- where nobody names a limit ---- */

static bool is_online(void) {
    return spb_session_get_state(w.session) == SPB_SESSION_ONLINE;
}

/* Or when they have arrived, where the server answers. */
static void lose_with_births_under_way(void) {
    for (uint64_t births = wire_stats(&w).births; wire_stats(&w).births == births && !is_online();) {
        if (!wire_step(&w)) {
            wire_sleep(&w, 100);
        }
    }
    wire_lose(&w);
}

START_TEST(two_connections_that_end_with_large_births_under_way_make_a_warning) {
    open_with("mqtt://a", 0);
    w.is_deaf = true;
    wire_add_metric(&w, NULL, "text", spb_string(long_text(2000)));
    spb_session_start(w.session, w.now);
    lose_with_births_under_way();
    ck_assert_ptr_null(strstr(w.logs, "births under way"));
    lose_with_births_under_way();
    ck_assert_ptr_nonnull(strstr(w.logs,
                                 "2 connections in a row have ended with births under way, of up to 2111 bytes: "
                                 "the server, or the network, may take none of that size (option "
                                 "max_message_bytes)"));
    wire_forget(&w);
    lose_with_births_under_way(); /* once is enough */
    ck_assert_ptr_null(strstr(w.logs, "births under way"));
    w.is_deaf = false;
    wire_sleep(&w, 30000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    lose_with_births_under_way(); /* which are not */
    w.is_deaf = true;
    lose_with_births_under_way();
    ck_assert_ptr_null(strstr(w.logs, "births under way"));
    wire_close(&w);
}
END_TEST

/* ---- max_message_bytes ---- */

static void open_with_own(size_t max_message_bytes) {
    spb_session_options options = wire_options();
    options.servers = "mqtt://a";
    options.max_message_bytes = max_message_bytes;
    wire_open(&w, &options);
}

static spb_status add_text(spb_device *device, const char *name, size_t len, spb_error *err) {
    spb_metric *metric;
    spb_metric_def def = {.name = name, .value = spb_string(long_text(len))};
    return spb_session_add_metric(w.session, &metric, device, &def, w.now, err);
}

START_TEST(a_definition_that_would_make_a_birth_too_large_is_refused) {
    spb_error err;
    open_with_own(1000);
    spb_device *press = wire_add_device(&w, "Press");
    ck_assert_int_eq(add_text(press, "first", 400, &err), SPB_OK);
    ck_assert_int_eq(add_text(press, "second", 600, &err), SPB_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "with metric second, the DBIRTH of Press would be a packet of 10"));
    ck_assert_ptr_nonnull(strstr(err.text, "but max_message_bytes allows no more than 1000"));
    ck_assert_int_eq(add_text(NULL, "node's", 600, &err), SPB_OK); /* which is in another birth */
    wire_go_online(&w);
    ck_assert_int_eq(add_text(NULL, "more", 600, &err), SPB_ERR_LIMIT); /* and the node stays online */
    spb_session_remove_metric(w.session, spb_session_find_metric(w.session, press, "first"), w.now);
    ck_assert_int_eq(add_text(press, "second", 600, &err), SPB_OK);
    wire_sleep(&w, 100);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_close(&w);
}
END_TEST

START_TEST(births_that_have_grown_since_are_seen_before_a_start) {
    spb_error err;
    open_with_own(1000);
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *text = wire_add_metric(&w, press, "text", spb_string(""));
    ck_assert_int_eq(spb_session_check_births(w.session, w.now, &err), SPB_OK);
    wire_update(&w, text, spb_string(long_text(1000)));
    ck_assert_int_eq(spb_session_check_births(w.session, w.now, &err), SPB_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "the DBIRTH of Press is a packet of 1063 bytes, but max_message_bytes"));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    check_ledger("SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, CLOSE, "
                 "TOO LARGE Press 1062 of 1000 for max_message_bytes, as for all");
    ck_assert_ptr_nonnull(strstr(w.logs, "a packet of 1062 bytes, but max_message_bytes allows no more than 1000\n"
                                         "DBIRTH is larger than max_message_bytes allows; next attempt in "));
    spb_session_set_device_online(w.session, press, false, w.now);
    ck_assert_int_eq(spb_session_check_births(w.session, w.now, &err), SPB_OK);
    wire_close(&w);
}
END_TEST

START_TEST(data_is_cut_to_fit) {
    open_with("mqtt://a", 400);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_string(""));
    wire_go_online(&w);
    for (int i = 0; i < 10; i++) {
        wire_update(&w, x, spb_string(long_text(100)));
    }
    while (spb_session_get_state(w.session) == SPB_SESSION_ONLINE && wire_stats(&w).samples_published < 10) {
        if (!wire_step(&w)) {
            wire_sleep(&w, 100);
        } else if (w.last.kind == SPB_ACTION_PUBLISH) {
            ck_assert_uint_le(packet_bytes(&w.last.as.publish), 400);
        }
    }
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2, NDATA 3, NDATA 4");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 0);
    wire_close(&w);
}
END_TEST

START_TEST(one_sample_that_is_too_large_is_dropped_and_named) {
    open_with("mqtt://a", 400);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_string(""));
    wire_go_online(&w);
    wire_update(&w, x, spb_string("before"));
    wire_update(&w, x, spb_string(long_text(1000)));
    wire_update(&w, x, spb_string("after"));
    wire_sleep(&w, 200);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2");
    ck_assert_uint_eq(wire_stats(&w).samples_published, 2);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 1);
    ck_assert_ptr_nonnull(strstr(w.logs, "spBv1.0/G/NDATA/N: a packet of "));
    wire_close(&w);
}
END_TEST

/* A limit of the server that is below every message, under a stream that does not end. */
START_TEST(a_stream_of_samples_that_are_too_large_does_not_flood_the_log) {
    open_with("mqtt://a", 400);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_string(""));
    wire_go_online(&w);
    for (int i = 0; i < 50; i++) {
        wire_update(&w, x, spb_string(long_text(1000)));
        wire_run(&w);
    }
    wire_sleep(&w, 100); /* the last one waits for a batch */
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 50);
    ck_assert_uint_eq(wire_log_lines(&w), 10);
    wire_sleep(&w, 1000);
    ck_assert_uint_eq(wire_log_lines(&w), 11);
    ck_assert_ptr_nonnull(strstr(w.logs, "\ntoo large in the same second: 40 more messages"));
    wire_forget(&w);
    wire_update(&w, x, spb_string(long_text(1000)));
    wire_sleep(&w, 100);
    ck_assert_uint_eq(wire_log_lines(&w), 1); /* the count began anew */
    wire_close(&w);
}
END_TEST

/* Where the log says no more of it, too: what makes way leads to what is next, in one go. */
START_TEST(a_device_dies_behind_a_sample_that_is_too_large) {
    open_with("mqtt://a", 500);
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *text = wire_add_metric(&w, press, "text", spb_string(""));
    wire_go_online(&w);
    for (int i = 0; i < 20; i++) { /* more than the log tells of in a second */
        wire_update(&w, text, spb_string(long_text(1000)));
    }
    wire_sleep(&w, 100);
    wire_update(&w, text, spb_string(long_text(1000)));
    spb_session_set_device_online(w.session, press, false, w.now);
    spb_action action;
    while (spb_session_next_action(w.session, w.now, &action)) {
    }
    ck_assert_uint_gt(spb_session_deadline_ms(w.session), w.now.mono_ms);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 21);
    wire_close(&w);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_size");
    tcase_add_test(all, a_birth_that_just_fits_is_sent);
    tcase_add_test(all, a_birth_that_does_not_fit_is_named_and_not_sent);
    tcase_add_test(all, a_dbirth_that_does_not_fit_leads_to_the_next_server);
    tcase_add_test(all, a_dbirth_that_just_fits_is_sent);
    tcase_add_test(all, when_all_servers_have_refused_a_birth_the_application_hears_so);
    tcase_add_test(all, what_makes_a_birth_smaller_ends_the_wait);
    tcase_add_test(all, what_does_not_follow_from_a_birth_goes_on_waiting);
    tcase_add_test(all, two_connections_that_end_with_large_births_under_way_make_a_warning);
    tcase_add_test(all, a_definition_that_would_make_a_birth_too_large_is_refused);
    tcase_add_test(all, births_that_have_grown_since_are_seen_before_a_start);
    tcase_add_test(all, data_is_cut_to_fit);
    tcase_add_test(all, one_sample_that_is_too_large_is_dropped_and_named);
    tcase_add_test(all, a_stream_of_samples_that_are_too_large_does_not_flood_the_log);
    tcase_add_test(all, a_device_dies_behind_a_sample_that_is_too_large);
    Suite *suite = suite_create("session_size");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
