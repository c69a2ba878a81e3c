/* The replay of what was stored: in its order, marked as historical, once, and behind what is live. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

static const char *samples(wire_samples_kind wanted) {
    return wire_samples(&w, wanted);
}

START_TEST(a_replay_is_historical_and_has_its_own_timestamps) {
    go_online();
    wire_lose(&w);
    uint64_t taken_ms = w.now.wall_ms;
    update(1);
    wire_sleep(&w, 5000);
    const spb_payload_metric *metric = &wire_last(&w, SPB_KIND_NDATA)->payload->metrics[0];
    ck_assert(metric->is_historical);
    ck_assert_uint_eq(metric->timestamp_ms, taken_ms);
    ck_assert_uint_eq(metric->alias, spb_metric_alias(x));
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_resent, 0);
}
END_TEST

START_TEST(the_journal_is_trimmed_when_a_fence_behind_the_replay_was_answered) {
    go_online();
    wire_lose(&w);
    update(1);
    w.is_deaf = true;
    wire_sleep(&w, 4000);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 1);
    w.is_deaf = false;
    wire_answer_fences(&w);
    wire_sleep(&w, 1000);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
    ck_assert_ptr_nonnull(strstr(w.ledger, "CONFIRM 1-1, COMMIT"));
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
}
END_TEST

START_TEST(live_data_goes_ahead_of_the_replay) {
    options.replay_samples_per_s = 1;
    options.store_window_ms = 0;
    go_online();
    wire_lose(&w);
    for (int32_t i = 1; i <= 3; i++) {
        update(i);
        wire_run(&w);
    }
    wire_sleep(&w, 1250);
    update(4);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1h 4 2h 3h");
}
END_TEST

START_TEST(an_interrupted_replay_goes_on_where_the_server_stopped_reading) {
    options.replay_samples_per_s = 10; /* each block is a message */
    options.store_window_ms = 0;
    go_online();
    wire_lose(&w);
    for (int32_t i = 1; i <= 40; i++) {
        update(i);
        wire_run(&w);
    }
    wire_sleep(&w, 2700); /* online since a second or two */
    wire_event(&w, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, NULL);
    size_t sent = (size_t)wire_stats(&w).samples_replayed;
    size_t confirmed = (size_t)wire_stats(&w).samples_confirmed;
    ck_assert_uint_gt(sent, confirmed);
    ck_assert_uint_gt(confirmed, 0);
    ck_assert_uint_lt(sent, 40);
    wire_sleep(&w, 20000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 40 + sent - confirmed);
    ck_assert_uint_eq(wire_stats(&w).samples_resent, sent - confirmed);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 40);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

/* The server takes so little that one block makes many messages; then the device is removed for good. */
START_TEST(what_is_left_of_a_block_after_several_interruptions_is_counted_once) {
    options.replay_samples_per_s = 20;
    wire_open_with(&w, &journal, &options);
    w.welcome.max_packet_bytes = 300;
    spb_device *press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, press, "y", spb_int32(0));
    wire_go_online(&w);
    wire_lose(&w);
    for (int32_t i = 0; i < 200; i++) {
        update(i);
    }
    for (int outage = 0; outage < 3; outage++) {
        wire_sleep(&w, 5000);
        wire_event(&w, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, NULL);
    }
    ck_assert_uint_eq(wire_journal_info(&journal).blocks, 1);
    spb_session_remove_device(w.session, press, w.now);
    wire_sleep(&w, 100000);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_gt(stats.samples_confirmed, 50);
    ck_assert_uint_gt(stats.samples_dropped_gone, 0);
    ck_assert_uint_eq(stats.samples_confirmed + stats.samples_dropped_gone, 200);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(a_block_whose_device_goes_offline_in_the_middle_goes_on_when_it_is_back) {
    options.replay_samples_per_s = 20;
    wire_open_with(&w, &journal, &options);
    w.welcome.max_packet_bytes = 300;
    spb_device *press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, press, "y", spb_int32(0));
    wire_go_online(&w);
    wire_lose(&w);
    for (int32_t i = 0; i < 200; i++) {
        update(i);
    }
    wire_sleep(&w, 5000);
    uint64_t sent = wire_stats(&w).samples_replayed;
    ck_assert_uint_gt(sent, 0);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_sleep(&w, 5000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, sent);
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 20000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 200);
    ck_assert_uint_eq(wire_stats(&w).samples_resent, 0);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

/* Behind the one block that is wanted are those of live data, which wait for the server. */
START_TEST(for_one_block_the_rest_of_the_journal_is_not_read) {
    options.delivery = SPB_DELIVERY_DURABLE;
    options.batch_window_ms = 0;
    wire_open_with(&w, &journal, &options);
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *y = wire_add_metric(&w, press, "y", spb_int32(0));
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_update(&w, y, spb_int32(1));
    wire_sleep(&w, 10000);
    w.is_deaf = true;
    for (int32_t i = 0; i < 40; i++) { /* not so many that too much would be under way */
        update(i);
        wire_run(&w);
    }
    ck_assert_uint_eq(wire_journal_info(&journal).blocks, 41);
    wire_forget(&w);
    journal.blocks_read = 0;
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1");
    ck_assert_uint_le(journal.blocks_read, 2);
}
END_TEST

/* Of a block that is not finished, several messages have arrived by one answer. */
START_TEST(what_one_fence_has_confirmed_is_not_sent_again) {
    options.replay_samples_per_s = 20;
    options.settle_ms = 500;
    wire_open_with(&w, &journal, &options);
    w.welcome.max_packet_bytes = 300;
    spb_device *press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, press, "y", spb_int32(0));
    wire_go_online(&w);
    wire_lose(&w);
    for (int32_t i = 0; i < 200; i++) {
        update(i);
    }
    w.is_deaf = true;
    wire_sleep(&w, 6000);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_run(&w);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 0);
    wire_answer_fences(&w);
    uint64_t sent = wire_stats(&w).samples_replayed, confirmed = wire_stats(&w).samples_confirmed;
    ck_assert_uint_gt(confirmed, 20); /* a message holds as many */
    wire_sleep(&w, options.settle_ms + 1);
    wire_lose(&w);
    w.is_deaf = false;
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 30000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 200 + sent - confirmed);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 200);
}
END_TEST

/* The half-sent block is all that may be read ahead. */
START_TEST(a_block_whose_device_is_offline_does_not_hold_up_those_of_others) {
    options.replay_samples_per_s = 1000;
    options.max_unconfirmed_bytes = 65536;
    options.batch_max_bytes = 65536;
    wire_open_with(&w, &journal, &options);
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *y = wire_add_metric(&w, press, "y", spb_int32(0));
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    wire_lose(&w);
    for (int32_t i = 0; i < 4000; i++) {
        wire_update(&w, y, spb_int32(i));
    }
    while (wire_stats(&w).samples_replayed < 100) {
        wire_sleep(&w, 10);
    }
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_sleep(&w, 5000);
    ck_assert_uint_lt(wire_stats(&w).samples_replayed, 4000);
    wire_forget(&w);
    wire_lose(&w);
    update(1);
    wire_sleep(&w, 10000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1");
}
END_TEST

/* Block 1 was put off while the device is offline; block 2 is in memory, and cannot be sent, when it comes back; block
 * 3 is closed by its birth. */
START_TEST(blocks_that_were_put_off_stay_ahead_of_those_that_were_read_later) {
    options.store_window_ms = 30;
    options.max_in_flight = 2;
    wire_open_with(&w, &journal, &options);
    spb_device *press = wire_add_device(&w, "Press"), *other = wire_add_device(&w, "Other");
    x = wire_add_metric(&w, press, "y", spb_int32(0));
    wire_go_online(&w);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_run(&w);
    update(1);
    wire_sleep(&w, 200);
    ck_assert_ptr_nonnull(strstr(w.ledger, "READ 1"));
    w.is_silent = true;
    spb_session_set_device_online(w.session, other, false, w.now);
    update(2);
    wire_sleep(&w, 200);
    ck_assert_ptr_nonnull(strstr(w.ledger, "READ 2"));
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 40);
    update(3);
    wire_sleep(&w, 20);
    ck_assert_ptr_nonnull(strstr(w.ledger, "DBIRTH/Press"));
    w.is_silent = false;
    wire_published(&w, 2);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(samples(WIRE_BOTH), "1h 2h 3h");
}
END_TEST

START_TEST(several_outages_are_replayed_in_their_order) {
    options.replay_samples_per_s = 1;
    options.store_window_ms = 0;
    go_online();
    for (int32_t outage = 0; outage < 3; outage++) {
        w.is_deaf = true;
        update(10 * outage + 1);
        wire_sleep(&w, 100);
        wire_lose(&w);
        update(10 * outage + 2);
        w.is_deaf = false;
        wire_sleep(&w, 1250);
    }
    wire_sleep(&w, 30000);
    int32_t newest = 0, count = 0;
    for (size_t i = 0; i < w.message_count;
         i++) { /* some came twice; none came behind a newer one for the first time */
        const spb_payload *payload = w.messages[i].payload;
        if (w.messages[i].kind == SPB_KIND_NDATA && payload->metrics[0].is_historical) {
            int32_t value = (int32_t)payload->metrics[0].value.as.u64;
            count += value > newest;
            newest = value > newest ? value : newest;
        }
    }
    ck_assert_int_eq(count, 6);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(a_rebirth_interrupts_the_replay_and_repeats_nothing) {
    options.replay_samples_per_s = 10;
    options.store_window_ms = 0;
    go_online();
    wire_lose(&w);
    for (int32_t i = 1; i <= 5; i++) {
        update(i);
        wire_run(&w);
    }
    wire_sleep(&w, 1250);
    wire_request_rebirth(&w);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1 2 3 4 5");
    ck_assert_uint_eq(wire_stats(&w).samples_resent, 0);
    ck_assert_uint_eq(wire_stats(&w).births, 3);
}
END_TEST

START_TEST(samples_of_a_metric_that_is_gone_are_left_out_and_counted) {
    go_online();
    spb_metric *y = wire_add_metric(&w, NULL, "y", spb_int32(0));
    wire_lose(&w);
    update(1);
    wire_update(&w, y, spb_int32(2));
    update(3);
    spb_session_remove_metric(w.session, y, w.now);
    wire_sleep(&w, 59000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), ""); /* it may be added yet: what is of its device waits */
    wire_sleep(&w, 5000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1 3");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_gone, 1);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(samples_of_a_device_that_is_not_born_wait_for_its_birth) {
    wire_open_with(&w, &journal, &options);
    spb_device *press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, press, "x", spb_int32(0));
    wire_go_online(&w);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_run(&w);
    update(1);
    wire_sleep(&w, 70000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "");
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 1);
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1");
}
END_TEST

/* The next process knows nothing but the store. */
START_TEST(what_an_earlier_run_left_is_replayed_by_the_next) {
    go_online();
    wire_lose(&w);
    update(1);
    spb_session_stop(w.session, 1000, w.now);
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    ck_assert_ptr_nonnull(strstr(w.ledger, "APPEND 1 1, COMMIT"));
    uint64_t alias = spb_metric_alias(x);
    wire_close(&w);
    wire_open_with(&w, &journal, &options);
    spb_device *press = wire_add_device(&w, "Press");
    wire_add_metric(&w, press, "first", spb_int32(0));
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    ck_assert_uint_eq(spb_metric_alias(x), alias);
    spb_session_start(w.session, w.now);
    wire_sleep(&w, 3000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "1");
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(the_replay_keeps_its_pace) {
    options.replay_samples_per_s = 100;
    options.batch_max_bytes = 120; /* 10 samples */
    go_online();
    wire_lose(&w);
    for (int32_t i = 0; i < 200; i++) {
        update(i);
        wire_run(&w);
    }
    wire_sleep(&w, 1250);
    uint64_t before = wire_stats(&w).samples_replayed;
    wire_sleep(&w, 1000);
    ck_assert_uint_le(wire_stats(&w).samples_replayed - before, 110);
    ck_assert_uint_ge(wire_stats(&w).samples_replayed - before, 90);
    wire_sleep(&w, 5000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 200);
}
END_TEST

START_TEST(samples_that_are_too_old_are_left_out_and_counted) {
    options.max_sample_age_s = 60;
    options.reconnect_min_ms = options.reconnect_max_ms = 90000;
    go_online();
    wire_lose(&w);
    update(1);
    wire_sleep(&w, 60000);
    update(2);
    wire_sleep(&w, 60000);
    ck_assert_str_eq(samples(WIRE_REPLAYED), "2");
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_dropped_age + stats.journal.dropped_age, 1);
}
END_TEST

/* The server of MQTT 3.1.1 that does not say what it takes, and ends the connection for more: 6000 bytes. */
START_TEST(messages_become_smaller_when_connections_end_with_them_and_grow_again) {
    options.replay_samples_per_s = 0;
    wire_open_with(&w, &journal, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    wire_lose(&w);
    for (int32_t i = 0; i < 5000; i++) {
        update(i);
    }
    size_t ended[8] = {0}, count = 0, next = 0;
    for (uint64_t end_ms = w.now.mono_ms + 900000; w.now.mono_ms < end_ms; w.now.mono_ms += 5, w.now.wall_ms += 5) {
        while (wire_step(&w)) {
            const spb_action *a = &w.last;
            bool is_history = a->kind == SPB_ACTION_PUBLISH && strstr(a->as.publish.topic, "DATA");
            size_t size = is_history ? a->as.publish.payload.len : 0;
            next = size > next && count == 2 ? size : next;
            if (size > 6000 && count < 8) {
                ended[count++] = size;
                wire_event(&w, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, NULL);
            }
        }
    }
    ck_assert_uint_ge(count, 2); /* once is no proof */
    ck_assert_uint_gt(next, 0);
    ck_assert_uint_le(next, ended[1]);
    ck_assert_uint_le(count, 4); /* what grows again does so by a part, and two ends are enough again */
    ck_assert_ptr_nonnull(strstr(w.logs, "option max_message_bytes"));
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 5000);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_replay");
    tcase_add_checked_fixture(all, delivery_setup, delivery_teardown);
    tcase_add_test(all, a_replay_is_historical_and_has_its_own_timestamps);
    tcase_add_test(all, the_journal_is_trimmed_when_a_fence_behind_the_replay_was_answered);
    tcase_add_test(all, live_data_goes_ahead_of_the_replay);
    tcase_add_test(all, an_interrupted_replay_goes_on_where_the_server_stopped_reading);
    tcase_add_test(all, what_is_left_of_a_block_after_several_interruptions_is_counted_once);
    tcase_add_test(all, a_block_whose_device_goes_offline_in_the_middle_goes_on_when_it_is_back);
    tcase_add_test(all, for_one_block_the_rest_of_the_journal_is_not_read);
    tcase_add_test(all, what_one_fence_has_confirmed_is_not_sent_again);
    tcase_add_test(all, a_block_whose_device_is_offline_does_not_hold_up_those_of_others);
    tcase_add_test(all, blocks_that_were_put_off_stay_ahead_of_those_that_were_read_later);
    tcase_add_test(all, several_outages_are_replayed_in_their_order);
    tcase_add_test(all, a_rebirth_interrupts_the_replay_and_repeats_nothing);
    tcase_add_test(all, samples_of_a_metric_that_is_gone_are_left_out_and_counted);
    tcase_add_test(all, samples_of_a_device_that_is_not_born_wait_for_its_birth);
    tcase_add_test(all, what_an_earlier_run_left_is_replayed_by_the_next);
    tcase_add_test(all, the_replay_keeps_its_pace);
    tcase_add_test(all, samples_that_are_too_old_are_left_out_and_counted);
    tcase_add_test(all, messages_become_smaller_when_connections_end_with_them_and_grow_again);
    Suite *suite = suite_create("delivery_replay");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
