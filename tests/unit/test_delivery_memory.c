/* Want of memory where samples are kept: what hosts know comes right by itself, whichever allocation fails. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/delivery_fixture.h"
#include "support/failing_heap.h"
#include "support/suite.h"

static spb_metric *text;

/* The value of x that hosts have, from births and live data. */
static int32_t known_x(void) {
    spb_value known = spb_int32(-1);
    for (size_t i = 0; i < w.message_count; i++) {
        const spb_payload *payload = w.messages[i].payload;
        for (size_t j = 0; j < payload->metric_count; j++) {
            const spb_payload_metric *metric = &payload->metrics[j];
            bool is_x = spb_str_equal(metric->name, spb_str_from("x")) ||
                        (metric->has_alias && metric->alias == spb_metric_alias(x));
            known = is_x && !metric->is_historical ? metric->value : known;
        }
    }
    ck_assert_int_eq(spb_value_resolve(&known, SPB_INT32, NULL), SPB_OK);
    return (int32_t)known.as.i64;
}

/* Little may wait, and the link takes one message: the second sample waits, and makes room for the third. */
static bool survives_failure_at(size_t n) {
    char much[5000];
    memset(much, 'a', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    options.batch_max_bytes = 1;
    options.batch_window_ms = 0;
    options.max_in_flight = 1;
    wire_open_with(&w, &journal, &options);
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    text = wire_add_metric(&w, NULL, "text", spb_string(""));
    wire_go_online(&w);
    w.is_silent = true;
    ck_assert_int_eq(wire_update(&w, x, spb_int32(1)), SPB_OK);
    wire_run(&w);
    ck_assert_int_eq(wire_update(&w, x, spb_int32(2)), SPB_OK);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    failing_heap_fail_at(n);
    spb_status status = wire_update(&w, text, spb_string(much));
    bool has_failed = failing_heap_count() >= n;
    failing_heap_fail_at(0);
    ck_assert(status == SPB_OK || (has_failed && status == SPB_ERR_NO_MEMORY));
    w.is_silent = false;
    wire_published(&w, 1);
    wire_sleep(&w, 10000);
    ck_assert_int_eq(known_x(), 2);
    return !has_failed;
}

START_TEST(what_made_room_for_a_sample_that_found_no_memory_is_sent_once_more) {
    bool is_over = false;
    for (size_t n = 1; !is_over; n++) {
        ck_assert_uint_lt(n, 100);
        delivery_setup();
        is_over = survives_failure_at(n);
        delivery_teardown();
    }
}
END_TEST

/* A device that is born again makes way in the replay: its blocks are read again, behind which x = 9 can leave at once.
 */
static bool has_action_or_time_at(size_t n) {
    options.store_window_ms = 0;
    options.replay_samples_per_s = 50;
    wire_open_with(&w, &journal, &options);
    spb_device *press = wire_add_device(&w, "Press");
    spb_metric *y = wire_add_metric(&w, press, "y", spb_int32(0));
    x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    spb_session_set_device_online(w.session, press, false, w.now);
    wire_lose(&w);
    static const struct {
        bool is_of_press;
        int count;
    } blocks[] = {{false, 5}, {true, 1}, {true, 4}, {false, 1}};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        for (int k = 0; k < blocks[i].count; k++) {
            ck_assert_int_eq(wire_update(&w, blocks[i].is_of_press ? y : x, spb_int32(9)), SPB_OK);
        }
        wire_run(&w);
    }
    while (wire_stats(&w).samples_replayed < 5) {
        wire_sleep(&w, 1);
    }
    spb_session_set_device_online(w.session, press, true, w.now);
    wire_sleep(&w, 49);
    w.now.mono_ms++;
    wire_forget(&w);
    ck_assert(wire_step(&w));
    ck_assert_ptr_eq(strstr(w.ledger, "DBIRTH/Press"), w.ledger);
    spb_action action;
    failing_heap_fail_at(n);
    bool has_action = spb_session_next_action(w.session, w.now, &action);
    bool has_failed = failing_heap_count() >= n;
    failing_heap_fail_at(0);
    ck_assert(has_action || spb_session_deadline_ms(w.session) > w.now.mono_ms);
    return has_failed;
}

START_TEST(when_there_is_nothing_to_do_nothing_is_due) {
    bool has_failed = true;
    for (size_t n = 1; has_failed; n++) {
        ck_assert_uint_lt(n, 100);
        delivery_setup();
        has_failed = has_action_or_time_at(n);
        delivery_teardown();
    }
}
END_TEST

/* A sample of an outage has arrived, which the journal is to be told. */
static bool is_told_at(size_t n) {
    options.settle_ms = 0;
    go_online();
    wire_lose(&w);
    update(1);
    w.is_deaf = true;
    while (wire_stats(&w).samples_replayed < 1) {
        wire_sleep(&w, 100);
    }
    wire_sleep(&w, 1100); /* and so is the fence */
    w.is_deaf = false;
    spb_transport_event fenced = {.kind = SPB_TRANSPORT_FENCED, .link = w.link};
    failing_heap_fail_at(n);
    spb_session_on_transport(w.session, &fenced, w.now);
    bool has_failed = failing_heap_count() >= n;
    failing_heap_fail_at(0);
    wire_sleep(&w, 2000);
    wire_lose(&w);
    wire_sleep(&w, 10000);
    ck_assert_uint_eq(wire_journal_info(&journal).samples, 0);
    ck_assert_uint_eq(wire_stats(&w).samples_in_journal, 0);
    return has_failed;
}

START_TEST(what_the_journal_could_not_be_told_is_sent_once_more) {
    bool has_failed = true;
    for (size_t n = 1; has_failed; n++) {
        ck_assert_uint_lt(n, 100);
        delivery_setup();
        has_failed = is_told_at(n);
        delivery_teardown();
    }
}
END_TEST

int main(void) {
    TCase *all = tcase_create("delivery_memory");
    tcase_add_test(all, what_made_room_for_a_sample_that_found_no_memory_is_sent_once_more);
    tcase_add_test(all, when_there_is_nothing_to_do_nothing_is_due);
    tcase_add_test(all, what_the_journal_could_not_be_told_is_sent_once_more);
    Suite *suite = suite_create("delivery_memory");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
