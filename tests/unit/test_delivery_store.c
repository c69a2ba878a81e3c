/* The session and its store: aliases, failures, commits, flushes, what metrics choose to keep. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

static void setup(void) {
    delivery_setup();
    options.store_window_ms = 0;
}

/* ---- aliases ---- */

START_TEST(new_aliases_are_saved_before_a_birth_shows_them) {
    wire_open_with(&w, &journal, &options);
    wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_add_metric(&w, wire_add_device(&w, "Press"), "y", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "ALIASES 2, SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0, DBIRTH/Press 1");
    wire_forget(&w);
    wire_add_metric(&w, NULL, "z", spb_int32(0));
    wire_sleep(&w, 50);
    ck_assert_str_eq(w.ledger, "ALIASES 1, NBIRTH 0, DBIRTH/Press 1");
}
END_TEST

START_TEST(a_birth_waits_for_its_aliases) {
    go_online();
    journal.is_slow = true;
    wire_add_metric(&w, NULL, "z", spb_int32(0));
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "ALIASES 1");
    journal.is_slow = false;
    wire_journal_answer(&w);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "ALIASES 1, NBIRTH 0");
}
END_TEST

START_TEST(aliases_that_cannot_be_saved_are_born_and_not_stored) {
    go_online();
    journal.aliases_fail = SPB_ERR_STORE;
    spb_metric *z = wire_add_metric(&w, NULL, "z", spb_int32(0));
    wire_sleep(&w, 50);
    ck_assert_str_eq(w.ledger, "ALIASES 1, NBIRTH 0");
    wire_lose(&w);
    wire_update(&w, z, spb_int32(1));
    wire_sleep(&w, 100);
    ck_assert_ptr_null(strstr(w.ledger, "APPEND")); /* the next process would take it for another one's */
    journal.aliases_fail = SPB_OK;
    wire_sleep(&w, 10000);
    ck_assert_ptr_nonnull(strstr(w.ledger, "APPEND 1 1"));
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 1);
}
END_TEST

START_TEST(an_alias_of_an_earlier_run_goes_to_its_metric_and_to_no_other) {
    spb_alias old = {.name = spb_str_from("x"), .type = SPB_INT32, .alias = 7};
    wire_open_with(&w, &journal, &options);
    ck_assert_int_eq(spb_session_adopt_alias(w.session, &old), SPB_OK);
    ck_assert_int_eq(spb_session_adopt_alias(w.session, &old), SPB_ERR_ARGUMENT);
    old.alias = 0;
    ck_assert_int_eq(spb_session_adopt_alias(w.session, &old), SPB_ERR_ARGUMENT);
    ck_assert_uint_eq(spb_metric_alias(wire_add_metric(&w, NULL, "y", spb_int32(0))), 8);
    ck_assert_uint_eq(spb_metric_alias(wire_add_metric(&w, wire_add_device(&w, "D"), "x", spb_int32(0))), 9);
    spb_metric *other = wire_add_metric(&w, NULL, "x", spb_double(0)); /* another datatype is another metric */
    ck_assert_uint_eq(spb_metric_alias(other), 10);
    spb_session_remove_metric(w.session, other, w.now);
    ck_assert_uint_eq(spb_metric_alias(wire_add_metric(&w, NULL, "x", spb_int32(0))), 7);
}
END_TEST

START_TEST(a_metric_that_comes_back_has_its_alias_again_and_its_samples) {
    go_online();
    uint64_t alias = spb_metric_alias(x);
    wire_lose(&w);
    update(1);
    wire_run(&w);
    spb_session_remove_metric(w.session, x, w.now);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    ck_assert_uint_eq(spb_metric_alias(x), alias);
    wire_sleep(&w, 3000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 1);
}
END_TEST

START_TEST(an_alias_whose_metric_comes_back_before_it_is_saved_is_saved_once) {
    wire_open_with(&w, &journal, &options);
    spb_session_remove_metric(w.session, wire_add_metric(&w, NULL, "x", spb_int32(0)), w.now);
    wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "ALIASES 1, SAVE 0, CONNECT 0, SUBSCRIBE, NBIRTH 0");
    wire_forget(&w);
    journal.is_slow = true;
    spb_metric *z = wire_add_metric(&w, NULL, "z", spb_int32(0));
    wire_run(&w);
    spb_session_remove_metric(w.session, z, w.now);
    wire_add_metric(&w, NULL, "z", spb_int32(0));
    journal.is_slow = false;
    wire_journal_answer(&w);
    wire_sleep(&w, 50);
    ck_assert_str_eq(w.ledger, "ALIASES 1, NBIRTH 0");
}
END_TEST

/* ---- failures ---- */

START_TEST(a_store_that_fails_is_asked_again_later_and_later) {
    options.reconnect_min_ms = options.reconnect_max_ms = 3600000;
    go_online();
    wire_lose(&w);
    wire_forget(&w);
    journal.append_fails = SPB_ERR_STORE;
    update(1);
    wire_sleep(&w, 10000); /* at 0, 1, 3 and 7 s */
    ck_assert_str_eq(w.ledger, "APPEND 1 1, APPEND 1 1, APPEND 1 1, APPEND 1 1");
    ck_assert(wire_stats(&w).is_store_failing);
    journal.append_fails = SPB_OK;
    update(2);
    wire_sleep(&w, 6000);
    ck_assert_ptr_nonnull(strstr(w.ledger, "APPEND 1 1, APPEND 2 1, COMMIT"));
    ck_assert(!wire_stats(&w).is_store_failing);
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 2);
}
END_TEST

/* While a call is under way, there comes more to be appended, for ever. */
START_TEST(on_a_slow_disk_blocks_are_committed_and_read_all_the_same) {
    options.delivery = SPB_DELIVERY_DURABLE;
    options.batch_window_ms = 0;
    go_online();
    wire_lose(&w);
    update(1);
    wire_run(&w);
    journal.is_slow = true;
    update(2);
    wire_sleep(&w, 3000);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    wire_forget(&w);
    for (int32_t i = 3; i < 33; i++) {
        ck_assert(journal.is_waiting);
        update(i);
        wire_sleep(&w, 100);
        wire_journal_answer(&w);
        wire_run(&w);
    }
    ck_assert_ptr_nonnull(strstr(w.ledger, "COMMIT"));
    ck_assert_ptr_nonnull(strstr(w.ledger, "READ 1"));
    ck_assert_uint_gt(wire_stats(&w).samples_replayed, 0);
}
END_TEST

START_TEST(a_spill_that_fails_in_the_middle_goes_on_where_it_stopped) {
    options.batch_window_ms = 0;
    go_online();
    w.is_deaf = true;
    for (int32_t i = 1; i <= 3; i++) {
        update(i);
        wire_run(&w);
    }
    wire_event(&w, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, NULL);
    while (!strstr(w.ledger, "APPEND 1")) {
        ck_assert(wire_step(&w));
    }
    journal.append_fails = SPB_ERR_STORE;
    w.is_deaf = false;
    wire_sleep(&w, 1500); /* online again, and the spill is not finished */
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    journal.append_fails = SPB_OK;
    update(4);
    wire_sleep(&w, 10000);
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 3);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 3);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

START_TEST(what_a_full_journal_does_not_take_is_counted) {
    go_online();
    wire_lose(&w);
    journal.append_fails = SPB_ERR_LIMIT;
    update(1);
    wire_run(&w);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_disk, 1);
    ck_assert_ptr_nonnull(strstr(w.logs, "the journal is full"));
}
END_TEST

START_TEST(a_commit_that_fails_is_made_up_for) {
    go_online();
    wire_lose(&w);
    wire_forget(&w);
    journal.commit_fails = SPB_ERR_STORE;
    update(1);
    wire_sleep(&w, 100);
    ck_assert_ptr_nonnull(strstr(w.ledger, "APPEND 1 1, COMMIT"));
    ck_assert(wire_stats(&w).is_store_failing);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_PENDING);
    journal.commit_fails = SPB_OK;
    wire_sleep(&w, 1000);
    ck_assert(!wire_stats(&w).is_store_failing);
}
END_TEST

START_TEST(a_journal_that_cannot_be_read_is_tried_again) {
    go_online();
    wire_lose(&w);
    update(1);
    journal.read_fails = SPB_ERR_STORE;
    wire_sleep(&w, 2500);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 0);
    ck_assert_ptr_nonnull(strstr(w.logs, "the journal cannot be read"));
    journal.read_fails = SPB_OK;
    wire_sleep(&w, 3000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 1);
}
END_TEST

START_TEST(what_memory_cannot_hold_while_the_store_fails_is_counted) {
    static char text[65536];
    memset(text, 'x', sizeof text - 1);
    go_online();
    spb_metric *big = wire_add_metric(&w, NULL, "big", spb_string(""));
    wire_lose(&w);
    journal.append_fails = SPB_ERR_STORE;
    for (char i = 0; i < 64; i++) {
        for (char k = 0; k < 5; k++) {
            text[0] = (char)('0' + i);
            text[1] = (char)('0' + k);
            wire_update(&w, big, spb_string(text));
        }
    }
    wire_run(&w);
    ck_assert_uint_gt(wire_stats(&w).samples_dropped_disk, 0);
    journal.append_fails = SPB_OK;
    wire_sleep(&w, 20000);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_confirmed + stats.samples_dropped_disk, 64 * 5);
}
END_TEST

/* ---- flush ---- */

START_TEST(a_flush_is_confirmed_by_a_fence) {
    go_online();
    update(1);
    w.is_deaf = true;
    uint64_t ticket = spb_session_flush(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    ck_assert_uint_eq(w.fences, 1);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_PENDING);
    wire_event(&w, SPB_TRANSPORT_FENCED, SPB_OK, NULL);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_CONFIRMED);
}
END_TEST

START_TEST(without_a_connection_a_flush_is_stored_by_a_commit) {
    options.store_window_ms = 60000;
    go_online();
    wire_lose(&w);
    update(1);
    wire_forget(&w);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_PENDING);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "APPEND 1 1, COMMIT");
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_STORED);
}
END_TEST

START_TEST(a_flush_of_a_connection_that_ends_is_stored) {
    go_online();
    w.is_deaf = true;
    update(1);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    wire_run(&w);
    wire_lose(&w);
    wire_sleep(&w, 200);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_STORED);
}
END_TEST

START_TEST(a_flush_tells_what_was_lost_and_not_what_was_lost_before) {
    go_online();
    wire_lose(&w);
    journal.append_fails = SPB_ERR_LIMIT;
    update(1);
    wire_run(&w);
    uint64_t before = spb_session_flush(w.session, w.now);
    ck_assert_int_eq(spb_session_flushed(w.session, before), SPB_FLUSH_CONFIRMED); /* there is nothing to wait for */
    update(2);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    wire_run(&w);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_LOST);
}
END_TEST

START_TEST(at_the_level_live_a_flush_waits_for_the_births) {
    wire_open(&w, NULL);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    spb_session_start(w.session, w.now);
    update(1);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_PENDING);
    wire_run(&w);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_CONFIRMED);
}
END_TEST

/* ---- what metrics choose ---- */

static spb_metric *add_choosy(spb_keep keep) {
    spb_metric *metric;
    spb_metric_def def = {.name = "choosy", .value = spb_int32(0), .keep = keep};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_OK);
    return metric;
}

START_TEST(of_a_metric_that_keeps_its_last_value_the_birth_carries_it_alone) {
    wire_open_with(&w, &journal, &options);
    spb_metric *choosy = add_choosy(SPB_KEEP_LAST);
    wire_go_online(&w);
    wire_lose(&w);
    wire_update(&w, choosy, spb_int32(1));
    wire_update(&w, choosy, spb_int32(2));
    wire_sleep(&w, 3000);
    const spb_payload_metric *born = spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "choosy");
    ck_assert_uint_eq(born->value.as.u64, 2);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_choice, 1);
    ck_assert_uint_eq(wire_stats(&w).samples_stored, 0);
    ck_assert_uint_eq(wire_stats(&w).samples_confirmed, 1);
}
END_TEST

START_TEST(samples_that_are_not_to_be_kept_are_taken_out_of_messages_that_are_stored) {
    wire_open_with(&w, &journal, &options);
    spb_metric *choosy = add_choosy(SPB_KEEP_NONE);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    w.is_deaf = true;
    update(1);
    w.now.wall_ms += 5;
    wire_update(&w, choosy, spb_int32(2));
    wire_sleep(&w, 100);
    wire_update(&w, choosy, spb_int32(3));
    wire_sleep(&w, 100);
    wire_lose(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2, CLOSE, APPEND 1 1");
    spb_block block;
    bool found;
    ck_assert_int_eq(journal.store->read(journal.store, 1, &block, &found, NULL), SPB_OK);
    ck_assert(found && block.samples == 1 && block.first_ms == block.last_ms);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_choice, 2);
}
END_TEST

START_TEST(a_choice_that_is_none_is_refused) {
    wire_open_with(&w, &journal, &options);
    spb_metric_def def = {.name = "x", .value = spb_int32(0), .keep = (spb_keep)3};
    ck_assert_int_eq(spb_session_add_metric(w.session, &x, NULL, &def, w.now, NULL), SPB_ERR_ARGUMENT);
}
END_TEST

/* ---- what hosts hear of it ---- */

START_TEST(births_tell_of_the_journal) {
    options.node_info = SPB_NODE_INFO_STORE;
    go_online();
    wire_lose(&w);
    update(1);
    wire_sleep(&w, 500);
    uint64_t taken_ms = w.now.wall_ms - 500;
    wire_sleep(&w, 3000);
    const spb_payload *birth = wire_last(&w, SPB_KIND_NBIRTH)->payload;
    ck_assert_uint_eq(spb_payload_find(birth, "Node Info/Store/Samples")->value.as.u64, 1);
    ck_assert_uint_eq(spb_payload_find(birth, "Node Info/Store/Oldest")->value.as.u64, taken_ms);
    ck_assert_uint_eq(spb_payload_find(birth, "Node Info/Store/Replayed")->value.as.u64, 0);
    ck_assert_uint_eq(spb_payload_find(birth, "Node Info/Store/Dropped")->value.as.u64, 0);
}
END_TEST

/* As wire_sleep, but for the balance: nobody can say which of the samples that a journal dropped arrive all the same.
 */
static void sleep_without_balance(uint64_t ms) {
    uint64_t end_ms = w.now.mono_ms + ms;
    for (bool is_over = false; !is_over;) {
        while (wire_step(&w)) {
        }
        uint64_t at_ms = spb_session_deadline_ms(w.session);
        is_over = at_ms >= end_ms;
        at_ms = is_over ? end_ms : at_ms;
        w.now.wall_ms += at_ms - w.now.mono_ms;
        w.now.mono_ms = at_ms;
        spb_session_on_tick(w.session, w.now);
    }
}

/* A full journal drops blocks that are in memory for a slow replay: they arrive all the same. Both take them off what
 * is stored, which does not make the others safe on a server. */
START_TEST(a_flush_is_not_confirmed_while_the_journal_holds_what_waits_for_its_device) {
    static char much[400000];
    memset(much, 'a', sizeof much - 1);
    wire_journal_close(&journal);
    wire_journal_open(&journal, &(spb_store_options){.max_bytes = 1 << 20});
    options.replay_samples_per_s = 1;
    go_online();
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *y = wire_add_metric(&w, press, "y", spb_string(""));
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_lose(&w);
    for (int32_t i = 1; i <= 9; i++) {
        update(i);
        wire_run(&w);
    }
    wire_sleep(&w, 5000);
    ck_assert_uint_gt(wire_stats(&w).samples_replayed, 0);
    ck_assert_uint_lt(wire_stats(&w).samples_replayed, 6);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(wire_update(&w, y, spb_string(much)), SPB_OK);
        sleep_without_balance(0);
    }
    sleep_without_balance(10000);
    ck_assert_uint_eq(wire_stats(&w).samples_replayed, 9);
    ck_assert_uint_gt(wire_journal_info(&journal).samples, 0);
    uint64_t ticket = spb_session_flush(w.session, w.now);
    sleep_without_balance(1000);
    ck_assert_int_eq(spb_session_flushed(w.session, ticket), SPB_FLUSH_STORED);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_store");
    tcase_add_checked_fixture(all, setup, delivery_teardown);
    tcase_add_test(all, new_aliases_are_saved_before_a_birth_shows_them);
    tcase_add_test(all, a_birth_waits_for_its_aliases);
    tcase_add_test(all, aliases_that_cannot_be_saved_are_born_and_not_stored);
    tcase_add_test(all, an_alias_of_an_earlier_run_goes_to_its_metric_and_to_no_other);
    tcase_add_test(all, a_metric_that_comes_back_has_its_alias_again_and_its_samples);
    tcase_add_test(all, an_alias_whose_metric_comes_back_before_it_is_saved_is_saved_once);
    tcase_add_test(all, a_store_that_fails_is_asked_again_later_and_later);
    tcase_add_test(all, on_a_slow_disk_blocks_are_committed_and_read_all_the_same);
    tcase_add_test(all, a_spill_that_fails_in_the_middle_goes_on_where_it_stopped);
    tcase_add_test(all, what_a_full_journal_does_not_take_is_counted);
    tcase_add_test(all, a_commit_that_fails_is_made_up_for);
    tcase_add_test(all, a_journal_that_cannot_be_read_is_tried_again);
    tcase_add_test(all, what_memory_cannot_hold_while_the_store_fails_is_counted);
    tcase_add_test(all, a_flush_is_confirmed_by_a_fence);
    tcase_add_test(all, without_a_connection_a_flush_is_stored_by_a_commit);
    tcase_add_test(all, a_flush_of_a_connection_that_ends_is_stored);
    tcase_add_test(all, a_flush_tells_what_was_lost_and_not_what_was_lost_before);
    tcase_add_test(all, at_the_level_live_a_flush_waits_for_the_births);
    tcase_add_test(all, of_a_metric_that_keeps_its_last_value_the_birth_carries_it_alone);
    tcase_add_test(all, samples_that_are_not_to_be_kept_are_taken_out_of_messages_that_are_stored);
    tcase_add_test(all, a_choice_that_is_none_is_refused);
    tcase_add_test(all, births_tell_of_the_journal);
    tcase_add_test(all, a_flush_is_not_confirmed_while_the_journal_holds_what_waits_for_its_device);
    Suite *suite = suite_create("delivery_store");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
