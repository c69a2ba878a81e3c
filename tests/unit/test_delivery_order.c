/* Strict order: live data waits until the history before it was sent, as far as that can be sent at all. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

static const char *samples(void) {
    return wire_samples(&w, WIRE_BOTH);
}

static void setup(void) {
    delivery_setup();
    options.strict_order = true;
    options.replay_samples_per_s = 1; /* each sample is a message */
    options.store_window_ms = 0;
}

/* An outage in which 1, 2 and 3 are taken; it has just ended. */
static void survive_outage(void) {
    wire_lose(&w);
    wire_forget(&w);
    for (int32_t i = 1; i <= 3; i++) {
        update(i);
        wire_run(&w);
    }
    wire_sleep(&w, 1250);
}

static void come_back(void) {
    go_online();
    survive_outage();
}

static void past(int32_t value) {
    spb_sample sample = {
        .metric = x, .value = spb_int32(value), .timestamp_ms = w.now.wall_ms - 60000, .flags = SPB_SAMPLE_HISTORICAL};
    ck_assert_int_eq(spb_session_sample(w.session, &sample, w.now), SPB_OK);
}

START_TEST(live_data_waits_until_the_replay_is_over) {
    come_back();
    update(4);
    wire_sleep(&w, 1000);
    update(5);
    ck_assert_str_eq(samples(), "1h 2h");
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(), "1h 2h 3h 4 5");
    update(6);
    wire_sleep(&w, 100); /* as ever */
    ck_assert_str_eq(samples(), "1h 2h 3h 4 5 6");
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 3);
}
END_TEST

/* A journal that cannot be read is not waited for; but once it is tried again, it is, whatever came between. */
START_TEST(a_journal_that_can_be_read_again_is_waited_for) {
    options.rebirth_window_ms = 1000;
    go_online();
    journal.read_fails = SPB_ERR_STORE;
    wire_lose(&w);
    wire_forget(&w);
    update(1);
    while (!strstr(w.ledger, "READ")) {
        wire_sleep(&w, 100);
    }
    journal.read_fails = SPB_OK;
    journal.is_slow = true;
    wire_sleep(&w, 1500);
    wire_request_rebirth(&w);
    update(2);
    wire_run(&w);
    wire_request_rebirth(&w); /* served a second after that one; until then, nothing that is read is taken */
    wire_run(&w);
    journal.is_slow = false;
    wire_journal_answer(&w);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(), "1h 2");
}
END_TEST

START_TEST(so_it_does_when_each_message_is_stored_first) {
    options.delivery = SPB_DELIVERY_DURABLE;
    come_back();
    update(4);
    wire_sleep(&w, 10000);
    ck_assert_str_eq(samples(), "1h 2h 3h 4");
}
END_TEST

/* It is stored, and goes on behind the rest of the history: so there is an end, however much comes. */
START_TEST(what_finds_no_room_becomes_history_in_its_order) {
    options.replay_samples_per_s = 50;
    options.batch_max_bytes = 30; /* two or three samples */
    come_back();
    for (int32_t i = 4; i <= 100; i++) {
        update(i);
    }
    wire_sleep(&w, 10000);
    const char *last = NULL;
    uint32_t historical = 0;
    for (size_t i = 0; i < w.message_count; i++) {
        historical += w.messages[i].kind == SPB_KIND_NDATA && w.messages[i].payload->metrics[0].is_historical;
    }
    ck_assert_uint_gt(historical, 20);
    for (int32_t i = 1, at = 0; i <= 100; i++, at++) {
        char text[16];
        snprintf(text, sizeof text, "%d", (int)i);
        const char *found = strstr(last ? last : samples(), text);
        ck_assert_msg(found, "%d is missing, or out of order, in %s", (int)i, samples());
        last = found + 1;
    }
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_overflow, 0);
    ck_assert_uint_eq(wire_stats(&w).samples_in_journal, 0);
}
END_TEST

START_TEST(history_that_waits_for_a_birth_is_not_waited_for) {
    options.replay_samples_per_s = 0;
    go_online();
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *speed = wire_add_metric(&w, press, "Speed", spb_int32(0));
    wire_sleep(&w, 1000);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_run(&w);
    wire_forget(&w);
    ck_assert_int_eq(wire_update(&w, speed, spb_int32(100)), SPB_OK);
    update(1);
    wire_sleep(&w, 1000);
    update(2);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(), "1 2");
    ck_assert_uint_eq(wire_stats(&w).samples_in_journal, 1);
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(), "1 2 100h");
}
END_TEST

START_TEST(nor_is_a_journal_that_fails) {
    come_back();
    wire_sleep(&w, 100);
    journal.read_fails = SPB_ERR_STORE;
    wire_lose(&w);
    wire_sleep(&w, 3000);
    wire_forget(&w);
    update(4);
    wire_sleep(&w, 3000);
    ck_assert_ptr_nonnull(strstr(samples(), "4"));
}
END_TEST

/* Else live data of the level DURABLE, which leaves without it when it is full, would go ahead. */
START_TEST(a_journal_that_is_full_is_waited_for) {
    static char much[400000];
    memset(much, 'a', sizeof much - 1);
    wire_journal_close(&journal);
    wire_journal_open(&journal, &(spb_store_options){.max_bytes = 1 << 20, .policy = SPB_STORE_DROP_NEWEST});
    options.delivery = SPB_DELIVERY_DURABLE;
    go_online();
    spb_metric *texts[] = {wire_add_metric(&w, wire_add_device(&w, "A"), "text", spb_string("")),
                           wire_add_metric(&w, wire_add_device(&w, "B"), "text", spb_string("")),
                           wire_add_metric(&w, wire_add_device(&w, "C"), "text", spb_string(""))};
    wire_sleep(&w, 1000);
    survive_outage();
    for (int i = 0; i < 3; i++) { /* live, and the last one finds no room */
        ck_assert_int_eq(wire_update(&w, texts[i], spb_string(much)), SPB_OK);
    }
    wire_sleep(&w, 100);
    ck_assert_msg(strstr(w.logs, "the journal is full"), "%s %s", w.ledger, w.logs);
    update(4);
    wire_sleep(&w, 200);
    ck_assert_str_eq(samples(), "1h");
}
END_TEST

START_TEST(a_sample_of_the_past_goes_ahead_of_live_data_that_is_taken_later) {
    options.replay_samples_per_s = 0;
    options.store_window_ms = 1000; /* longer than the window of live data */
    go_online();
    update(1);
    wire_sleep(&w, 50);
    past(100);
    past(101);
    wire_sleep(&w, 500);
    ck_assert_str_eq(samples(), "1"); /* it was there before */
    update(2);                        /* which ends the wait of those for others */
    wire_sleep(&w, 100);
    ck_assert_str_eq(samples(), "1 100h 101h 2");
}
END_TEST

/* Both are stored, and follow the next birth. */
START_TEST(what_waits_when_the_node_is_stopped_is_not_sent_ahead) {
    come_back();
    update(4);
    wire_sleep(&w, 100);
    spb_session_stop(w.session, 10000, w.now);
    wire_sleep(&w, 1000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    ck_assert_str_eq(samples(), "1h");
    wire_forget(&w);
    spb_session_start(w.session, w.now);
    wire_sleep(&w, 10000);
    ck_assert_str_eq(samples(), "1h 2h 3h 4h"); /* nobody knew that the 1 had arrived */
}
END_TEST

START_TEST(nor_what_waits_when_its_device_goes_offline) {
    go_online();
    spb_device *press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, press, "Speed", spb_int32(0));
    wire_sleep(&w, 1000);
    survive_outage();
    update(4);
    wire_sleep(&w, 100);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(), "1h");
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 10000);
    ck_assert_str_eq(samples(), "1h 2h 3h 4h");
}
END_TEST

/* What a message of them was cut from does not follow the next birth. */
START_TEST(samples_of_a_metric_that_is_removed_leave_all_the_same) {
    come_back();
    update(4);
    spb_session_remove_metric(w.session, x, w.now);
    wire_run(&w);
    ck_assert_ptr_nonnull(strstr(samples(), "4"));
}
END_TEST

/* What its device has not sent before its death is read again, ahead of what was read meanwhile. */
START_TEST(what_is_put_back_at_a_death_goes_ahead_of_newer_history) {
    options.delivery = SPB_DELIVERY_DURABLE;
    options.replay_samples_per_s = 0;
    options.batch_window_ms = 0;
    options.max_in_flight = 4;
    wire_open_with(&w, &journal, &options);
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *other = wire_add_metric(&w, NULL, "other", spb_int32(0));
    x = wire_add_metric(&w, press, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    for (int32_t i = 0; i < 4; i++) { /* fill the link */
        wire_update(&w, other, spb_int32(i + 7));
        wire_run(&w);
    }
    update(1);
    wire_run(&w);
    ck_assert_msg(strstr(w.ledger, "APPEND 5 Press 1, COMMIT") != NULL, "%s", w.ledger);
    wire_forget(&w);
    spb_session_set_device_online(w.session, press, false, w.now);
    update(2);
    wire_sleep(&w, 20);
    ck_assert_msg(strstr(w.ledger, "READ 6") != NULL, "%s", w.ledger);
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_published(&w, 1); /* the death leaves, and fills it again */
    wire_run(&w);
    wire_published(&w, 1); /* and the birth */
    wire_sleep(&w, 1000);
    w.is_silent = false;
    wire_published(&w, w.unanswered);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(), "1h 2h");
}
END_TEST

int main(void) {
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, delivery_teardown);
    tcase_add_test(all, live_data_waits_until_the_replay_is_over);
    tcase_add_test(all, a_journal_that_can_be_read_again_is_waited_for);
    tcase_add_test(all, so_it_does_when_each_message_is_stored_first);
    tcase_add_test(all, what_finds_no_room_becomes_history_in_its_order);
    tcase_add_test(all, history_that_waits_for_a_birth_is_not_waited_for);
    tcase_add_test(all, nor_is_a_journal_that_fails);
    tcase_add_test(all, a_journal_that_is_full_is_waited_for);
    tcase_add_test(all, a_sample_of_the_past_goes_ahead_of_live_data_that_is_taken_later);
    tcase_add_test(all, what_waits_when_the_node_is_stopped_is_not_sent_ahead);
    tcase_add_test(all, nor_what_waits_when_its_device_goes_offline);
    tcase_add_test(all, samples_of_a_metric_that_is_removed_leave_all_the_same);
    tcase_add_test(all, what_is_put_back_at_a_death_goes_ahead_of_newer_history);
    Suite *suite = suite_create("delivery_order");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
