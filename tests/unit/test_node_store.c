/* A node and its store: which store a delivery level needs, what is told of it, and what outlives a node. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake_store.h"
#include "support/kept_store.h"
#include "support/node_fixture.h"
#include "support/suite.h"
#include "support/wire_rules.h"

#define LONG_MS 60000

static node_fixture f;
static kept_store kept;

static void setup(void) {
    node_fixture_init(&f);
    kept_store_init(&kept);
}

static void teardown(void) {
    node_fixture_clear(&f);
    kept_store_clear(&kept);
}

static void check_refused(const char *words) {
    spb_error err = {.text = ""};
    spb_node *node;
    f.options.transport = fake_server_transport(f.server);
    ck_assert_int_eq(spb_node_new(&node, &f.options, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_null(node);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s", err.text);
}

/* ---- levels ---- */

START_TEST(durable_needs_a_store) {
    f.options.delivery = SPB_DELIVERY_DURABLE;
    check_refused("DURABLE needs store_path");
}
END_TEST

START_TEST(outage_without_a_store_keeps_the_journal_in_memory) {
    f.options.delivery = SPB_DELIVERY_OUTAGE;
    f.options.store_window_ms = 0;
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_welcome(f.server, FAKE_IGNORE);
    fake_server_lose(f.server);
    fake_server_await_connects(f.server, 2);
    for (int i = 1; i <= 10; i++) {
        ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(i), SPB_NOW), SPB_OK);
    }
    spb_flush how;
    ck_assert_int_eq(spb_node_flush(f.node, LONG_MS, &how), SPB_OK);
    ck_assert_int_eq(how, SPB_FLUSH_STORED);
    spb_stats stats;
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.journal.samples, 10);
    ck_assert_uint_eq(stats.samples_dropped_offline, 0);
}
END_TEST

START_TEST(a_journal_in_memory_has_the_size_that_is_asked_for) {
    f.options.delivery = SPB_DELIVERY_OUTAGE;
    f.options.store_options.max_bytes = 1000;
    check_refused("max_bytes");
}
END_TEST

START_TEST(a_store_without_a_journal_is_live) {
    fake_store store;
    fake_store_init(&store);
    f.options.store = &store.store;
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_welcome(f.server, FAKE_IGNORE);
    fake_server_lose(f.server);
    fake_server_await_connects(f.server, 2);
    for (int i = 1; i <= 10; i++) {
        ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(i), SPB_NOW), SPB_OK);
    }
    spb_stats stats;
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.samples_dropped_offline, 9); /* the tenth is in the next birth */
    node_fixture_free_node(&f);
    ck_assert_uint_eq(store.freed, 1);
}
END_TEST

START_TEST(a_store_without_a_journal_cannot_do_more) {
    static const spb_delivery levels[] = {SPB_DELIVERY_OUTAGE, SPB_DELIVERY_DURABLE};
    for (size_t i = 0; i < 2; i++) {
        fake_store store;
        fake_store_init(&store);
        f.options.store = &store.store;
        f.options.delivery = levels[i];
        check_refused("option store has none");
        ck_assert_uint_eq(store.freed, 1);
    }
}
END_TEST

START_TEST(a_store_has_all_functions_of_a_journal_or_none) {
    kept.store.expire = NULL;
    f.options.store = &kept.store;
    check_refused("no function expire");
    ck_assert_uint_eq(kept.freed, 1);
}
END_TEST

START_TEST(options_out_of_their_range_are_refused_by_name) {
    spb_node_options good = f.options;
    f.options.max_unconfirmed_bytes = 1000;
    f.options.store_path = "/nonexistent/never-opened.spb";
    check_refused("max_unconfirmed_bytes");
    f.options = good;
    f.options.store_window_ms = 60001;
    check_refused("store_window_ms");
    f.options = good;
    f.options.delivery = (spb_delivery)9;
    check_refused("delivery");
    f.options = good;
    f.options.confirm = (spb_confirm)9;
    check_refused("confirm");
}
END_TEST

/* ---- what is told ---- */

static char warning[300];

static void note_warning(spb_log_level level, const char *text, void *user) {
    (void)user;
    if (level == SPB_LOG_WARNING) {
        snprintf(warning, sizeof warning, "%s", text);
    }
}

START_TEST(damage_is_told_when_the_node_is_made) {
    kept.damage = "the file was damaged and is set aside";
    f.options.store = &kept.store;
    f.options.on_log = note_warning;
    node_fixture_make(&f);
    ck_assert_str_eq(warning, kept.damage);
    spb_stats stats;
    spb_node_stats(f.node, &stats);
    ck_assert_ptr_nonnull(stats.journal.damage);
    ck_assert_str_eq(stats.journal.damage, kept.damage);
}
END_TEST

START_TEST(damage_is_no_news_for_those_who_want_errors_alone) {
    kept.damage = "the file was damaged and is set aside";
    f.options.store = &kept.store;
    f.options.log_level = SPB_LOG_ERROR;
    node_fixture_make(&f);
    ck_assert_uint_eq(f.log_lines[SPB_LOG_WARNING], 0);
}
END_TEST

/* ---- what outlives a node ---- */

/* The alias that the last birth with this metric gave it. */
static uint64_t alias_of(const char *name) {
    uint64_t alias = 0;
    const fake_message *message;
    for (size_t i = 0; (message = fake_server_message(f.server, i)); i++) {
        spb_payload *payload;
        ck_assert_int_eq(spb_payload_decode(&payload, (spb_bytes){message->payload, message->len}, NULL, NULL), SPB_OK);
        const spb_payload_metric *metric = spb_payload_find(payload, name);
        alias = metric && metric->has_alias ? metric->alias : alias;
        spb_payload_free(payload);
    }
    return alias;
}

static void add(const char *name) {
    ck_assert_ptr_nonnull(
        spb_node_add_metric(f.node, &(spb_metric_def){.name = name, .value = spb_boolean(true)}, NULL));
}

START_TEST(aliases_stay_with_their_metrics_over_a_restart) {
    f.options.store = &kept.store;
    node_fixture_make(&f);
    add("A"), add("B"), add("C");
    node_fixture_start(&f);
    uint64_t a = alias_of("A"), b = alias_of("B"), c = alias_of("C"), setpoint = alias_of("Setpoint");
    ck_assert(a && b && c && setpoint);
    ck_assert_int_eq(spb_node_stop(f.node, LONG_MS), SPB_OK);
    node_fixture_free_node(&f);
    ck_assert_uint_eq(kept.freed, 1);

    /* Another order; B is missing, D is new: nobody gets an alias that another metric had. */
    node_fixture_make(&f);
    add("D"), add("C"), add("A");
    node_fixture_start(&f);
    ck_assert_uint_eq(alias_of("A"), a);
    ck_assert_uint_eq(alias_of("C"), c);
    ck_assert_uint_eq(alias_of("Setpoint"), setpoint);
    uint64_t d = alias_of("D");
    ck_assert(d && d != a && d != b && d != c && d != setpoint);
}
END_TEST

START_TEST(what_was_stored_by_one_node_is_sent_by_the_next) {
    f.options.store = &kept.store;
    f.options.delivery = SPB_DELIVERY_OUTAGE;
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_welcome(f.server, FAKE_IGNORE);
    fake_server_lose(f.server);
    fake_server_await_connects(f.server, 2);
    for (int i = 1; i <= 5; i++) {
        ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(i), SPB_NOW), SPB_OK);
    }
    spb_flush how;
    ck_assert_int_eq(spb_node_flush(f.node, LONG_MS, &how), SPB_OK);
    ck_assert_int_eq(how, SPB_FLUSH_STORED);
    node_fixture_free_node(&f);

    fake_server_welcome(f.server, FAKE_ACCEPT);
    size_t before = fake_server_count(f.server, SPB_KIND_NDATA);
    node_fixture_make(&f);
    spb_stats stats;
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.journal.samples, 5);
    node_fixture_start(&f);
    fake_server_await(f.server, SPB_KIND_NDATA, before + 1);
    ck_assert_int_eq(spb_node_flush(f.node, LONG_MS, &how), SPB_OK);
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.samples_replayed, 5);
}
END_TEST

/* ---- a disk that fails ---- */

START_TEST(what_a_failing_disk_does_not_take_waits_until_it_does) {
    f.options.store = &kept.store;
    f.options.delivery = SPB_DELIVERY_OUTAGE;
    f.options.store_window_ms = 0;
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_welcome(f.server, FAKE_IGNORE);
    fake_server_lose(f.server);
    fake_server_await_connects(f.server, 2);
    kept_store_fail(&kept, true);
    for (int i = 1; i <= 5; i++) {
        ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(i), SPB_NOW), SPB_OK);
    }
    kept_store_await_failed(&kept, 1);
    spb_stats stats;
    kept_store_fail(&kept, false);
    spb_flush how;
    ck_assert_int_eq(spb_node_flush(f.node, LONG_MS, &how), SPB_OK);
    ck_assert_int_eq(how, SPB_FLUSH_STORED);
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.journal.samples, 5);
    ck_assert_uint_eq(stats.samples_dropped_disk, 0);
    ck_assert(!stats.is_store_failing);
    ck_assert_uint_ge(f.log_lines[SPB_LOG_WARNING] + f.log_lines[SPB_LOG_ERROR], 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node_store");
    TCase *tests = tcase_create("node_store");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 100);
    tcase_add_test(tests, durable_needs_a_store);
    tcase_add_test(tests, outage_without_a_store_keeps_the_journal_in_memory);
    tcase_add_test(tests, a_journal_in_memory_has_the_size_that_is_asked_for);
    tcase_add_test(tests, a_store_without_a_journal_is_live);
    tcase_add_test(tests, a_store_without_a_journal_cannot_do_more);
    tcase_add_test(tests, a_store_has_all_functions_of_a_journal_or_none);
    tcase_add_test(tests, options_out_of_their_range_are_refused_by_name);
    tcase_add_test(tests, damage_is_told_when_the_node_is_made);
    tcase_add_test(tests, damage_is_no_news_for_those_who_want_errors_alone);
    tcase_add_test(tests, aliases_stay_with_their_metrics_over_a_restart);
    tcase_add_test(tests, what_was_stored_by_one_node_is_sent_by_the_next);
    tcase_add_test(tests, what_a_failing_disk_does_not_take_waits_until_it_does);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
