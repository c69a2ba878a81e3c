/* The level OUTAGE: what a lost connection takes with it, and what is taken while nobody follows, is stored and follows
 * the next births as historical data. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

static const char *samples(wire_samples_kind wanted) {
    return wire_samples(&w, wanted);
}

START_TEST(what_was_published_and_not_confirmed_is_stored_when_the_connection_is_lost) {
    go_online();
    w.is_deaf = true;
    update(1);
    wire_sleep(&w, 100);
    update(2);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2");
    ck_assert_uint_eq(wire_stats(&w).samples_unconfirmed, 2);
    wire_lose(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2, CLOSE, APPEND 1 1, APPEND 2 1");
    ck_assert_uint_eq(wire_stats(&w).samples_unconfirmed, 0);
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 2);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 0);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 2);
}
END_TEST

START_TEST(what_is_confirmed_is_not_stored) {
    go_online();
    update(1);
    wire_sleep(&w, 1100); /* the batch, and a fence one second after it */
    ck_assert_uint_eq(w.fences, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
    w.is_deaf = true;
    update(2);
    wire_sleep(&w, 100);
    wire_lose(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2, CLOSE, APPEND 1 1");
}
END_TEST

START_TEST(what_waits_to_be_sent_is_stored_behind_what_was) {
    go_online();
    w.is_deaf = true;
    update(1);
    wire_sleep(&w, 100);
    update(2);
    wire_lose(&w);
    w.is_deaf = false;
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_LIVE), "1");
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1 2");
}
END_TEST

/* Blocks are closed by size, or when their window is over; the last one by the birth. */
START_TEST(samples_of_an_outage_share_blocks) {
    options.reconnect_min_ms = options.reconnect_max_ms = 4000;
    go_online();
    wire_lose(&w);
    wire_forget(&w);
    for (int32_t i = 1; i <= 22; i++) {
        update(i);
        wire_sleep(&w, 100);
    }
    ck_assert_str_eq(w.ledger, "APPEND 1 10, COMMIT, APPEND 2 10, COMMIT");
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22");
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 22);
}
END_TEST

/* Each action takes as long as the next sample: there is always something for the journal. */
START_TEST(a_journal_that_is_busy_all_the_time_does_not_keep_the_node_offline) {
    options.batch_max_samples = 1;
    go_online();
    wire_lose(&w);
    wire_forget(&w);
    for (int32_t i = 1; i <= 200 && spb_session_get_state(w.session) != SPB_SESSION_ONLINE; i++) {
        w.now.mono_ms += 20;
        w.now.wall_ms += 20;
        update(i);
        ck_assert(wire_step(&w));
    }
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_sleep(&w, 5000);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 0);
    ck_assert_uint_eq(wire_stats(&w).samples_in_journal, 0);
}
END_TEST

START_TEST(a_slow_link_makes_old_samples_historical_and_loses_none) {
    options.batch_max_bytes = 30;
    options.max_in_flight = 1;
    options.batch_window_ms = 0;
    go_online();
    w.is_silent = true;
    for (int32_t i = 1; i <= 100; i++) {
        update(i);
    }
    wire_run(&w);
    w.is_silent = false;
    wire_published(&w, 1);
    wire_sleep(&w, 10000);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_dropped_overflow, 0);
    ck_assert_uint_eq(stats.samples_confirmed, 100);
    ck_assert_uint_gt(stats.samples_replayed, 0);
}
END_TEST

START_TEST(publishing_pauses_when_too_much_is_not_confirmed) {
    options.max_unconfirmed_bytes = 65536;
    options.batch_max_bytes = 10000;
    go_online();
    for (int32_t i = 0; i < 10000; i++) { /* 12 bytes each */
        update(i);
    }
    wire_sleep(&w, 2000); /* the link is seen to carry them */
    uint64_t before = wire_stats(&w).messages_published;
    w.is_deaf = true;
    w.fences = 0;
    for (int32_t i = 0; i < 10000; i++) {
        update(-i);
    }
    wire_sleep(&w, 100);
    ck_assert_uint_eq(wire_stats(&w).messages_published - before, 7);
    w.is_deaf = false;
    for (uint32_t waiting = w.fences; waiting > 0; waiting--) {
        wire_event(&w, SPB_TRANSPORT_FENCED, SPB_OK, NULL);
    }
    wire_sleep(&w, 2000);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 20000);
}
END_TEST

/* So much of one device waits that all others find no room. */
START_TEST(samples_that_find_no_room_beside_those_of_another_device_are_not_lost) {
    char much[60001];
    memset(much, 'a', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    options.max_waiting_bytes = 65536;
    options.max_in_flight = 1;
    options.batch_window_ms = 0;
    wire_open_with(&w, &journal, &options);
    spb_metric *text = wire_add_metric(&w, wire_add_device(&w, "Press"), "text", spb_string(""));
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    update(1);
    wire_run(&w); /* the link is full */
    ck_assert_int_eq(wire_update(&w, text, spb_string(much)), SPB_OK);
    for (int32_t i = 2; i <= 1000; i++) {
        update(i);
    }
    wire_run(&w);
    w.is_silent = false;
    wire_published(&w, 1);
    wire_sleep(&w, 10000);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 0);
    ck_assert_uint_ge(wire_stats(&w).samples_confirmed, 1001);
}
END_TEST

/* What waited when the connection was lost does not count as waiting in the next one. */
START_TEST(what_may_wait_has_its_bound_after_an_outage_too) {
    options.max_waiting_bytes = 65536;
    options.batch_max_bytes = 1024 * 1024;
    go_online();
    update(1);
    wire_lose(&w);
    wire_sleep(&w, 10000);
    w.is_silent = true;
    uint64_t stored = wire_stats(&w).samples_stored;
    for (int32_t i = 0; i < 20000; i++) { /* 12 bytes each */
        update(i);
    }
    ck_assert_uint_eq(stored, 1);
    wire_run(&w);
    ck_assert_uint_gt(wire_stats(&w).samples_stored, 1);
}
END_TEST

START_TEST(many_devices_do_not_fill_the_memory_of_an_outage) {
    static spb_metric *metrics[40];
    char id[16], text[2048];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    options.store_window_ms = 60000;
    options.batch_max_bytes = 1024 * 1024;
    wire_open_with(&w, &journal, &options);
    for (int i = 0; i < 40; i++) {
        snprintf(id, sizeof id, "D%d", i);
        metrics[i] = wire_add_metric(&w, wire_add_device(&w, id), "x", spb_string(""));
    }
    for (int i = 0; i < 15000; i++) { /* 30 MB before the start, and no holder has a full message */
        ck_assert_int_eq(wire_update(&w, metrics[i % 40], spb_string(text)), SPB_OK);
        if (i % 100 == 0) {
            wire_run(&w);
            wire_forget(&w);
        }
    }
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_disk, 0);
    ck_assert_uint_gt(wire_stats(&w).samples_stored, 10000);
}
END_TEST

START_TEST(a_stop_waits_for_the_confirmation) {
    go_online();
    w.is_deaf = true;
    update(1);
    spb_session_stop(w.session, 5000, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    wire_event(&w, SPB_TRANSPORT_FENCED, SPB_OK, NULL);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDEATH, DISCONNECT 5000");
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

/* The stop comes between the NBIRTH of a rebirth and the DBIRTH that y = 1 waits for, while the link is full. */
START_TEST(a_stop_in_the_middle_of_births_stores_what_waits_for_those_that_are_not_out) {
    options.max_in_flight = 1;
    wire_open_with(&w, &journal, &options);
    spb_metric *y = wire_add_metric(&w, wire_add_device(&w, "Press"), "y", spb_int32(0));
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    ck_assert_int_eq(wire_update(&w, y, spb_int32(1)), SPB_OK);
    update(2);
    spb_session_rebirth(w.session, w.now);
    wire_run(&w);
    spb_session_stop(w.session, 5000, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, APPEND 1 Press 1");
    w.is_silent = false;
    wire_published(&w, 1);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, APPEND 1 Press 1, NDATA 1, NDEATH, DISCONNECT 5000, COMMIT");
}
END_TEST

START_TEST(what_a_stop_cannot_send_in_time_is_stored) {
    go_online();
    w.is_deaf = true;
    update(1);
    wire_sleep(&w, 100);
    update(2);
    w.is_silent = true;
    spb_session_stop(w.session, 1000, w.now);
    wire_sleep(&w, 1000);
    w.is_silent = false;
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    wire_run(&w);
    ck_assert_ptr_nonnull(strstr(w.ledger, "CLOSE, APPEND 1 1, APPEND 2 1, COMMIT"));
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), SPB_NEVER);
}
END_TEST

/* The window confirms what it covers, and no more. */
START_TEST(without_fences_a_message_counts_as_read_two_keep_alives_after_it_was_written) {
    options.confirm = SPB_CONFIRM_WINDOW;
    go_online();
    update(1);
    wire_sleep(&w, 100);
    wire_sleep(&w, 59999);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 0);
    wire_sleep(&w, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
    update(2);
    wire_sleep(&w, 100);
    wire_lose(&w);
    ck_assert_ptr_nonnull(strstr(w.ledger, "CLOSE, APPEND 1 1"));
}
END_TEST

/* Nobody watches the server any more in a stop, so that time shows nothing. */
START_TEST(without_fences_nothing_counts_as_read_by_a_server_that_a_stop_gets_no_answer_of) {
    options.confirm = SPB_CONFIRM_WINDOW;
    go_online();
    update(1);
    wire_sleep(&w, 100);
    w.is_silent = w.is_deaf = true;
    spb_session_stop(w.session, 100000, w.now);
    wire_sleep(&w, 99000);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 0);
    wire_sleep(&w, 1000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 1);
}
END_TEST

/* Nothing is published any more after y = 2 has come, whose being written would tell that time has passed. */
START_TEST(without_fences_what_waits_behind_a_message_is_stored_when_that_counts_as_read) {
    options.confirm = SPB_CONFIRM_WINDOW;
    wire_open_with(&w, &journal, &options);
    spb_device *press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, press, "y", spb_int32(0));
    wire_go_online(&w);
    update(1);
    wire_sleep(&w, 100);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_run(&w);
    update(2);
    wire_sleep(&w, 59000);
    ck_assert_str_eq(w.ledger, "DDATA/Press 2, DDEATH/Press 3");
    wire_sleep(&w, 3000); /* it may go together with others, a second later */
    ck_assert_str_eq(w.ledger, "DDATA/Press 2, DDEATH/Press 3, APPEND 1 Press 1, READ 1, COMMIT");
}
END_TEST

/* MQTT's own keep-alive is all that watches such a server, and takes longer. */
START_TEST(with_a_server_that_answers_none_it_does_so_four_keep_alives_and_15_s_after) {
    options.confirm = SPB_CONFIRM_WINDOW;
    wire_open_with(&w, &journal, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    w.is_deaf = true;
    wire_go_online(&w);
    update(1);
    wire_sleep(&w, 100);
    wire_sleep(&w, 134999);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 0);
    wire_sleep(&w, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
    update(2);
    wire_sleep(&w, 89000); /* PINGREQ was not answered */
    wire_lose(&w);
    ck_assert_ptr_nonnull(strstr(w.ledger, "CLOSE, APPEND 1 1"));
}
END_TEST

/* As rumqttd: the first connection finds it out, and the next one knows. */
START_TEST(a_server_that_answers_another_form_confirms_a_few_seconds_later_once) {
    wire_open_with(&w, &journal, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    w.deaf_forms = 1u << SPB_FENCE_FORM_UNSUBSCRIBE;
    wire_go_online(&w);
    update(1);
    wire_sleep(&w, 100); /* the message, */
    wire_sleep(&w, 2899);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 0);
    wire_sleep(&w, 1); /* and the second form of fence, 3 s after the one behind the births */
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
    wire_sleep(&w, 1000);
    wire_lose(&w);
    wire_sleep(&w, 1250);
    update(2);
    wire_sleep(&w, 1100);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 2);
    ck_assert_uint_eq(w.fences_of[SPB_FENCE_FORM_UNSUBSCRIBE], 1);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_outage");
    tcase_add_checked_fixture(all, delivery_setup, delivery_teardown);
    tcase_add_test(all, what_was_published_and_not_confirmed_is_stored_when_the_connection_is_lost);
    tcase_add_test(all, what_is_confirmed_is_not_stored);
    tcase_add_test(all, what_waits_to_be_sent_is_stored_behind_what_was);
    tcase_add_test(all, samples_of_an_outage_share_blocks);
    tcase_add_test(all, a_journal_that_is_busy_all_the_time_does_not_keep_the_node_offline);
    tcase_add_test(all, a_slow_link_makes_old_samples_historical_and_loses_none);
    tcase_add_test(all, publishing_pauses_when_too_much_is_not_confirmed);
    tcase_add_test(all, samples_that_find_no_room_beside_those_of_another_device_are_not_lost);
    tcase_add_test(all, what_may_wait_has_its_bound_after_an_outage_too);
    tcase_add_test(all, many_devices_do_not_fill_the_memory_of_an_outage);
    tcase_add_test(all, a_stop_waits_for_the_confirmation);
    tcase_add_test(all, a_stop_in_the_middle_of_births_stores_what_waits_for_those_that_are_not_out);
    tcase_add_test(all, what_a_stop_cannot_send_in_time_is_stored);
    tcase_add_test(all, without_fences_a_message_counts_as_read_two_keep_alives_after_it_was_written);
    tcase_add_test(all, without_fences_nothing_counts_as_read_by_a_server_that_a_stop_gets_no_answer_of);
    tcase_add_test(all, without_fences_what_waits_behind_a_message_is_stored_when_that_counts_as_read);
    tcase_add_test(all, with_a_server_that_answers_none_it_does_so_four_keep_alives_and_15_s_after);
    tcase_add_test(all, a_server_that_answers_another_form_confirms_a_few_seconds_later_once);
    Suite *suite = suite_create("delivery_outage");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
