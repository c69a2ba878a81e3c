/* What a journal that is damaged, or full now and then, makes of the log. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/suite.h"

#define LEFT_OUT "\nthe journal was full or damaged in the same second: "

/* So many blocks, of an earlier run, hold what are no metrics. */
static void damage(uint64_t blocks) {
    for (uint64_t id = 1; id <= blocks; id++) {
        spb_block block = {.id = id,
                           .samples = 1,
                           .first_ms = w.now.wall_ms,
                           .last_ms = w.now.wall_ms,
                           .metrics = {(const uint8_t *)"\xFF\xFF\xFF", 3}};
        ck_assert_int_eq(journal.store->append(journal.store, &block, NULL), SPB_OK);
    }
    ck_assert_int_eq(journal.store->commit(journal.store, NULL), SPB_OK);
}

static int count_of(const char *text) {
    int count = 0;
    for (const char *at = w.logs; (at = strstr(at, text)); at++) {
        count++;
    }
    return count;
}

START_TEST(damaged_blocks_do_not_flood_the_log) {
    damage(50);
    wire_open_with(&w, &journal, &options);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_ONLINE);
    ck_assert_int_eq(count_of(" of the journal is damaged, 1 samples are left out"), 10);
    ck_assert_ptr_null(strstr(w.logs, LEFT_OUT));
    wire_sleep(&w, 5000);
    ck_assert_int_eq(count_of(" of the journal is damaged, 1 samples are left out"), 10);
    ck_assert_int_eq(count_of(LEFT_OUT "40 more times"), 1);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
}
END_TEST

/* One block that finds no room, and one that does, as when others are confirmed meanwhile. */
static void fill_and_drain(void) {
    journal.append_fails = SPB_ERR_LIMIT;
    update(1);
    wire_run(&w);
    journal.append_fails = SPB_OK;
    update(2);
    wire_run(&w);
}

START_TEST(a_journal_that_is_full_now_and_then_does_not_flood_the_log) {
    options.store_window_ms = 0;
    options.reconnect_min_ms = options.reconnect_max_ms = 3600000;
    go_online();
    wire_lose(&w);
    wire_run(&w);
    wire_forget(&w);
    for (int i = 0; i < 50; i++) {
        fill_and_drain();
    }
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_disk, 50);
    ck_assert_uint_eq(wire_log_lines(&w), 10 + 1); /* and that the first sample is dropped */
    wire_sleep(&w, 1000);
    ck_assert_uint_eq(wire_log_lines(&w), 11 + 1);
    ck_assert_ptr_nonnull(strstr(w.logs, LEFT_OUT "40 more times"));
}
END_TEST

/* It has no deadline any more: what is left out is told when nothing more is to be done, and not before each line. */
START_TEST(nor_when_the_session_is_stopped) {
    options.store_window_ms = 0;
    spb_metric *metrics[40];
    wire_open_with(&w, &journal, &options);
    for (int i = 0; i < 40; i++) {
        char id[16];
        snprintf(id, sizeof id, "D%d", i);
        metrics[i] = wire_add_metric(&w, wire_add_device(&w, id), "x", spb_int32(0));
    }
    wire_go_online(&w);
    spb_session_stop(w.session, 1000, w.now);
    wire_run(&w);
    journal.append_fails = SPB_ERR_STORE;
    for (int i = 0; i < 40; i++) { /* a block each, which wait for the store */
        ck_assert_int_eq(wire_update(&w, metrics[i], spb_int32(1)), SPB_OK);
    }
    wire_run(&w);
    wire_forget(&w);
    w.now.mono_ms += 1000;
    w.now.wall_ms += 1000;
    journal.append_fails = SPB_ERR_LIMIT;
    while (wire_step(&w)) {
        if (w.last.kind == SPB_ACTION_APPEND) {
            journal.append_fails = journal.append_fails == SPB_OK ? SPB_ERR_LIMIT : SPB_OK;
        }
    }
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_disk, 20);
    ck_assert_int_eq(count_of("the journal is full"), 10);
    ck_assert_int_eq(count_of(LEFT_OUT), 1);
    ck_assert_int_eq(count_of(LEFT_OUT "10 more times"), 1);
    ck_assert_uint_eq(spb_session_deadline_ms(w.session), SPB_NEVER);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_flood");
    tcase_add_checked_fixture(all, delivery_setup, delivery_teardown);
    tcase_add_test(all, damaged_blocks_do_not_flood_the_log);
    tcase_add_test(all, a_journal_that_is_full_now_and_then_does_not_flood_the_log);
    tcase_add_test(all, nor_when_the_session_is_stopped);
    Suite *suite = suite_create("delivery_flood");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
