/* What a server does not take: births end the session with it, data is cut to fit. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, CLOSE");
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
    ck_assert_str_eq(w.ledger, "SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, CLOSE, SAVE 1, CONNECT 1, SUBSCRIBE, "
                               "NBIRTH 0, DBIRTH/Press 1");
    ck_assert_ptr_nonnull(strstr(w.logs, "spBv1.0/G/DBIRTH/N/Press: a packet of "));
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
    tcase_add_test(all, data_is_cut_to_fit);
    tcase_add_test(all, one_sample_that_is_too_large_is_dropped_and_named);
    tcase_add_test(all, a_stream_of_samples_that_are_too_large_does_not_flood_the_log);
    tcase_add_test(all, a_device_dies_behind_a_sample_that_is_too_large);
    Suite *suite = suite_create("session_size");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
