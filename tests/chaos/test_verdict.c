/* Each rule of the verdict must hold on a sound history, and fire on one in which a single thing is wrong. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos/samples.h"
#include "chaos/verdict_state.h"

#define PER_HOLDER 3u
#define METRICS 6u /* of the node, and of Device1 */
#define NOW_MS UINT64_C(1700000000000)
#define MAX_ITEMS 16

static chaos_account *account;
static verdict *judge;
static uint64_t seq;
static uint32_t life;

/* A message that is being made. */
static Spb__Pb__Payload payload;
static Spb__Pb__Payload__Metric items[MAX_ITEMS];
static Spb__Pb__Payload__Metric *pointers[MAX_ITEMS];
static char texts[MAX_ITEMS][CHAOS_TEXT], names[MAX_ITEMS][CHAOS_TEXT];

static void open_with(const verdict_options *options) {
    account = calloc(1, sizeof *account);
    ck_assert_ptr_nonnull(account);
    account->metrics = METRICS;
    account->per_holder = PER_HOLDER;
    chaos_account_begin(account);
    judge = verdict_new(account, options, NULL);
    seq = 0;
    life = 0;
}

static void open_verdict(void) {
    open_with(&(verdict_options){.max_resent_bytes = 1000});
}

static void close_verdict(void) {
    verdict_free(judge);
    free(account);
}

/* The producer has handed over so many of each metric. */
static void accept(uint64_t count) {
    for (unsigned metric = 0; metric < METRICS; metric++) {
        account->life[life].slots[metric].attempted = count;
        account->life[life].slots[metric].accepted = count;
    }
}

static void begin_message(void) {
    spb__pb__payload__init(&payload);
    payload.has_timestamp = true;
    payload.timestamp = NOW_MS;
    payload.metrics = pointers;
}

static Spb__Pb__Payload__Metric *add_item(void) {
    ck_assert_uint_lt(payload.n_metrics, MAX_ITEMS);
    Spb__Pb__Payload__Metric *item = &items[payload.n_metrics];
    pointers[payload.n_metrics++] = item;
    spb__pb__payload__metric__init(item);
    return item;
}

static Spb__Pb__Payload__Metric *add_long(const char *name, uint64_t value) {
    Spb__Pb__Payload__Metric *item = add_item();
    item->name = (char *)name;
    item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_LONG_VALUE;
    item->long_value = value;
    return item;
}

/* A sample as a data message has it. */
static Spb__Pb__Payload__Metric *add_sample(unsigned metric, uint64_t number) {
    Spb__Pb__Payload__Metric *item = add_item();
    chaos_sample sample = {metric, number, NOW_MS - 21, NOW_MS - 21, NOW_MS - 21};
    char *text = texts[payload.n_metrics - 1];
    item->has_alias = item->has_timestamp = true;
    item->alias = metric + 10;
    item->timestamp = sample.own_ms;
    switch (chaos_form_of(metric)) {
    case CHAOS_INTEGER:
        item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_LONG_VALUE;
        item->long_value = chaos_encode(&sample);
        break;
    case CHAOS_REAL:
        item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_DOUBLE_VALUE;
        item->double_value = (double)chaos_encode(&sample);
        break;
    case CHAOS_CLOCKED:
        item->timestamp = NOW_MS - 20;
        chaos_write_text(&sample, text);
        item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_STRING_VALUE;
        item->string_value = text;
        break;
    }
    return item;
}

/* As a birth has it; `number` VERDICT_NONE: null. */
static Spb__Pb__Payload__Metric *add_born(unsigned metric, int64_t number) {
    Spb__Pb__Payload__Metric *item = add_sample(metric, (uint64_t)number);
    char *name = names[payload.n_metrics - 1];
    chaos_metric_name(metric, name);
    item->name = name;
    if (number == VERDICT_NONE) {
        item->has_is_null = item->is_null = true;
        item->value_case = SPB__PB__PAYLOAD__METRIC__VALUE__NOT_SET;
    }
    return item;
}

static void hear(const char *kind, unsigned holder) {
    static uint8_t bytes[8192];
    char topic[256], device[CHAOS_TEXT];
    chaos_device_name(holder, device);
    snprintf(topic, sizeof topic, "spBv1.0/" CHAOS_GROUP "/%s/" CHAOS_NODE "%s%s", kind, holder > 0 ? "/" : "",
             holder > 0 ? device : "");
    size_t len = spb__pb__payload__pack(&payload, bytes);
    verdict_hear(judge, &(chaos_record){.time_ms = NOW_MS, .topic = topic, .payload = bytes, .payload_len = len});
}

static void mark(const char *text) {
    verdict_hear(judge, &(chaos_record){.time_ms = NOW_MS, .is_mark = true, .topic = text});
}

static void hear_numbered(const char *kind, unsigned holder) {
    payload.has_seq = true;
    payload.seq = seq;
    seq = (seq + 1) & 255;
    hear(kind, holder);
}

static void begin_birth(unsigned holder, int64_t number) {
    begin_message();
    for (unsigned i = 0; i < PER_HOLDER; i++) {
        add_born(holder * PER_HOLDER + i, number);
    }
}

static void nbirth(uint64_t bdseq, int64_t number) {
    begin_birth(0, number);
    add_long("bdSeq", bdseq);
    add_long(CHAOS_LIFE, life);
    seq = 0;
    hear_numbered("NBIRTH", 0);
}

static void dbirth(int64_t number) {
    begin_birth(1, number);
    hear_numbered("DBIRTH", 1);
}

static void births(uint64_t bdseq, int64_t number) {
    nbirth(bdseq, number);
    dbirth(number);
}

static void ndeath(uint64_t bdseq) {
    begin_message();
    add_long("bdSeq", bdseq);
    hear("NDEATH", 0);
}

static void begin_data(unsigned holder, uint64_t number, bool is_historical) {
    begin_message();
    for (unsigned i = 0; i < PER_HOLDER; i++) {
        Spb__Pb__Payload__Metric *item = add_sample(holder * PER_HOLDER + i, number);
        item->has_is_historical = item->is_historical = is_historical;
    }
}

static void data_of(unsigned holder, uint64_t number, bool is_historical) {
    begin_data(holder, number, is_historical);
    hear_numbered(holder > 0 ? "DDATA" : "NDATA", holder);
}

static void data(uint64_t number, bool is_historical) {
    data_of(0, number, is_historical);
    data_of(1, number, is_historical);
}

/* Exactly this rule is broken. */
static void expect(verdict_rule rule) {
    ck_assert(!verdict_finish(judge));
    for (int other = 0; other < VERDICT_RULES; other++) {
        ck_assert_msg((verdict_get(judge)->broken[other] > 0) == (other == (int)rule), "%s: %" PRIu64 " times",
                      verdict_rule_name((verdict_rule)other), verdict_get(judge)->broken[other]);
    }
}

/* Two sessions: 0 … 2 live, an outage with 3 and 4 behind it, and 2, which was in flight, again; then 5 live. */
static void first_session(void) {
    accept(6);
    births(7, VERDICT_NONE);
    data(0, false);
    data(1, false);
    data(2, false);
    ndeath(7);
}

static void sound_history(void) {
    first_session();
    births(8, 4);
    data(2, true);
    data(5, false);
    data(3, true);
    data(4, true);
    ndeath(8);
}

START_TEST(a_sound_history_breaks_no_rule) {
    sound_history();
    ck_assert(verdict_finish(judge));
    const verdict_numbers *numbers = verdict_get(judge);
    ck_assert_uint_eq(numbers->owed, 36);
    ck_assert_uint_eq(numbers->arrived, 36);
    ck_assert_uint_eq(numbers->duplicates, 6);
    ck_assert_uint_eq(numbers->sessions, 2);
}
END_TEST

START_TEST(what_never_came_is_lost) {
    accept(3);
    births(7, VERDICT_NONE);
    data(0, false);
    data(2, false);
    expect(VERDICT_LOST);
    ck_assert_uint_eq(verdict_get(judge)->broken[VERDICT_LOST], METRICS);
}
END_TEST

START_TEST(a_value_in_a_birth_has_come) {
    accept(1);
    births(7, 0);
    ck_assert(verdict_finish(judge));
    ck_assert_uint_eq(verdict_get(judge)->only_in_births, METRICS);
}
END_TEST

START_TEST(a_killed_process_owes_what_was_flushed) {
    close_verdict();
    open_with(&(verdict_options){.owes_flushed = true});
    accept(3);
    births(7, VERDICT_NONE);
    data(0, false);
    account->life[0].slots[0].flushed = 1;
    ck_assert(verdict_finish(judge));
    ck_assert_uint_eq(verdict_get(judge)->missing, 2 * METRICS);
}
END_TEST

START_TEST(what_was_flushed_is_owed_to_a_killed_process) {
    close_verdict();
    open_with(&(verdict_options){.owes_flushed = true});
    accept(3);
    births(7, VERDICT_NONE);
    data(0, false);
    account->life[0].slots[0].flushed = 2;
    expect(VERDICT_LOST);
}
END_TEST

START_TEST(what_is_missing_must_be_counted) {
    close_verdict();
    open_with(&(verdict_options){.owes_flushed = true});
    accept(1);
    births(7, VERDICT_NONE);
    account->life[0].is_ended = true;
    account->life[0].counts.dropped_lost = METRICS - 1;
    expect(VERDICT_UNCOUNTED);
}
END_TEST

START_TEST(what_comes_twice_must_be_counted) {
    sound_history();
    account->life[0].is_ended = true;
    account->life[0].counts.resent = METRICS - 1;
    expect(VERDICT_UNCOUNTED);
}
END_TEST

START_TEST(a_number_that_was_never_handed_over_is_a_stranger) {
    sound_history();
    births(9, 5);
    begin_message();
    add_sample(3, 6);
    hear_numbered("DDATA", 1);
    expect(VERDICT_STRANGER);
}
END_TEST

START_TEST(a_live_sample_comes_once) {
    accept(1);
    births(7, VERDICT_NONE);
    data(0, false);
    data_of(1, 0, false);
    expect(VERDICT_DUPLICATE);
}
END_TEST

START_TEST(a_replay_repeats_nothing_of_its_own_session) {
    close_verdict();
    open_with(&(verdict_options){.max_resent_bytes = 1000, .may_overflow = true});
    accept(1);
    births(7, VERDICT_NONE);
    data(0, false);
    data_of(1, 0, true);
    expect(VERDICT_DUPLICATE);
}
END_TEST

START_TEST(no_more_than_the_window_comes_again) {
    close_verdict();
    open_with(&(verdict_options){.max_resent_bytes = 50});
    sound_history();
    expect(VERDICT_DUPLICATE);
}
END_TEST

START_TEST(more_comes_again_when_the_host_was_lost) {
    close_verdict();
    open_with(&(verdict_options){.max_resent_bytes = 50, .host_bytes = 1000});
    first_session();
    mark("host killed");
    births(8, 4);
    data(2, true);
    data(3, true);
    data(4, true);
    data(5, false);
    ck_assert(verdict_finish(judge));
}
END_TEST

START_TEST(more_comes_again_when_the_process_was_killed) {
    close_verdict();
    open_with(&(verdict_options){.max_resent_bytes = 50, .killed_bytes = 1000});
    first_session();
    chaos_account_begin(account);
    life = 1;
    accept(6);
    births(8, VERDICT_NONE);
    for (uint64_t number = 2; number < 6; number++) {
        data(number, true);
    }
    ck_assert(verdict_finish(judge));
}
END_TEST

START_TEST(live_samples_come_in_order) {
    accept(2);
    births(7, VERDICT_NONE);
    data(1, false);
    data(0, false);
    expect(VERDICT_ORDER);
}
END_TEST

START_TEST(replayed_samples_come_in_order) {
    first_session();
    births(8, 4);
    data(4, true);
    data(3, true);
    data(5, false);
    expect(VERDICT_ORDER);
}
END_TEST

START_TEST(what_is_older_than_the_birth_is_historical) {
    first_session();
    births(8, 4);
    data(3, false);
    data(4, true);
    data(5, false);
    expect(VERDICT_FLAG);
}
END_TEST

START_TEST(what_is_newer_than_the_birth_is_not_historical) {
    first_session();
    births(8, 4);
    data(3, true);
    data(4, true);
    data(5, true);
    expect(VERDICT_FLAG);
}
END_TEST

START_TEST(what_another_life_left_is_historical) {
    first_session();
    chaos_account_begin(account);
    life = 1;
    births(8, VERDICT_NONE);
    for (uint64_t number = 3; number < 6; number++) {
        data(number, number < 5);
    }
    expect(VERDICT_FLAG);
}
END_TEST

START_TEST(what_was_taken_while_a_device_was_offline_is_historical) {
    accept(2);
    births(7, VERDICT_NONE);
    data(0, false);
    begin_message();
    hear_numbered("DDEATH", 1);
    data_of(0, 1, false);
    dbirth(1);
    data_of(1, 1, false);
    expect(VERDICT_FLAG);
}
END_TEST

START_TEST(samples_may_wait_for_a_rebirth) {
    accept(2);
    births(7, VERDICT_NONE);
    data(0, false);
    births(7, 1);
    data(1, false);
    ck_assert(verdict_finish(judge));
}
END_TEST

START_TEST(births_are_not_historical) {
    accept(1);
    nbirth(7, VERDICT_NONE);
    begin_birth(1, 0);
    items[0].has_is_historical = items[0].is_historical = true;
    hear_numbered("DBIRTH", 1);
    data(0, false);
    expect(VERDICT_FLAG);
}
END_TEST

static void sample_at(unsigned metric, uint64_t seen_ms, uint64_t true_ms, uint64_t timestamp_ms, bool is_historical) {
    begin_message();
    Spb__Pb__Payload__Metric *item = add_sample(metric, 0);
    chaos_write_text(&(chaos_sample){metric, 0, 0, seen_ms, true_ms}, texts[0]);
    item->timestamp = timestamp_ms;
    item->has_is_historical = item->is_historical = is_historical;
    hear_numbered("DDATA", 1);
}

static void accept_one(void) {
    account->life[0].slots[5].attempted = account->life[0].slots[5].accepted = 1;
    account->life[0].slots[3].attempted = account->life[0].slots[3].accepted = 1;
    births(7, VERDICT_NONE);
    begin_message();
    add_sample(3, 0);
}

START_TEST(a_timestamp_stays_as_it_is) {
    accept_one();
    items[0].timestamp++;
    hear_numbered("DDATA", 1);
    sample_at(5, NOW_MS - 9, NOW_MS - 9, NOW_MS - 5, false);
    expect(VERDICT_TIME);
}
END_TEST

START_TEST(the_library_takes_the_time_when_the_sample_is_taken) {
    accept_one();
    hear_numbered("DDATA", 1);
    sample_at(5, NOW_MS - 9, NOW_MS - 9, NOW_MS - 15, false);
    expect(VERDICT_TIME);
}
END_TEST

START_TEST(a_wall_clock_that_stepped_gives_its_own_time) {
    accept_one();
    hear_numbered("DDATA", 1);
    sample_at(5, NOW_MS - 3600009, NOW_MS - 9, NOW_MS - 3600008, false);
    ck_assert(verdict_finish(judge));
}
END_TEST

START_TEST(a_clock_that_is_not_set_gives_small_times) {
    accept_one();
    hear_numbered("DDATA", 1);
    sample_at(5, 1234567, NOW_MS - 9, 1234, false);
    ck_assert(verdict_finish(judge));
    ck_assert_uint_eq(verdict_get(judge)->unset_times, 1);
}
END_TEST

START_TEST(a_replay_gives_the_right_time_when_the_clock_is_set) {
    close_verdict();
    open_with(&(verdict_options){.may_overflow = true});
    accept_one();
    hear_numbered("DDATA", 1);
    sample_at(5, 1234567, NOW_MS - 9, NOW_MS - 8, true);
    ck_assert(verdict_finish(judge));
}
END_TEST

START_TEST(a_replay_with_a_small_time_is_wrong_when_the_clock_is_set) {
    close_verdict();
    open_with(&(verdict_options){.may_overflow = true});
    accept_one();
    hear_numbered("DDATA", 1);
    sample_at(5, 1234567, NOW_MS - 9, 1234, true);
    expect(VERDICT_TIME);
}
END_TEST

START_TEST(a_value_of_another_metric_is_wrong) {
    sound_history();
    births(9, 5);
    begin_message();
    add_sample(0, 5);
    items[0].alias = 13;
    hear_numbered("DDATA", 1);
    expect(VERDICT_VALUE);
}
END_TEST

START_TEST(another_datatype_is_wrong) {
    sound_history();
    births(9, 5);
    begin_message();
    add_sample(3, 5)->value_case = SPB__PB__PAYLOAD__METRIC__VALUE_INT_VALUE;
    hear_numbered("DDATA", 1);
    expect(VERDICT_VALUE);
}
END_TEST

START_TEST(data_comes_after_the_nbirth) {
    accept(2);
    births(7, VERDICT_NONE);
    data(0, false);
    ndeath(7);
    data(1, false);
    expect(VERDICT_UNBORN);
}
END_TEST

START_TEST(data_of_a_device_comes_after_its_dbirth) {
    accept(1);
    births(7, VERDICT_NONE);
    nbirth(7, VERDICT_NONE);
    data_of(1, 0, false);
    dbirth(VERDICT_NONE);
    data_of(0, 0, false);
    expect(VERDICT_UNBORN);
}
END_TEST

START_TEST(numbers_of_messages_have_no_gap) {
    accept(1);
    births(7, VERDICT_NONE);
    seq++;
    data(0, false);
    expect(VERDICT_SEQ);
}
END_TEST

START_TEST(a_host_that_was_away_hears_the_middle_of_a_session) {
    accept(2);
    births(7, VERDICT_NONE);
    data(0, false);
    mark("host killed");
    seq += 5;
    data(1, false);
    ck_assert(verdict_finish(judge));
}
END_TEST

START_TEST(a_session_has_a_new_bdseq) {
    first_session();
    births(7, 4);
    data(3, true);
    data(4, true);
    data(5, false);
    expect(VERDICT_BDSEQ);
}
END_TEST

START_TEST(an_old_session_dies_before_the_next_one_is_born) {
    sound_history();
    births(9, 5);
    ndeath(8);
    expect(VERDICT_BDSEQ);
}
END_TEST

static void session_without_death(void) {
    accept(1);
    births(7, VERDICT_NONE);
    data(0, false);
    births(8, 0);
}

START_TEST(each_session_has_its_ndeath) {
    session_without_death();
    expect(VERDICT_DEATH);
}
END_TEST

START_TEST(a_server_that_was_killed_publishes_no_will) {
    session_without_death();
    mark("broker killed");
    ck_assert(verdict_finish(judge));
}
END_TEST

START_TEST(aliases_stay) {
    first_session();
    nbirth(8, 4);
    begin_birth(1, 4);
    items[1].alias = 99;
    hear_numbered("DBIRTH", 1);
    data(3, true);
    data(4, true);
    data(5, false);
    expect(VERDICT_ALIAS);
}
END_TEST

START_TEST(an_alias_is_of_one_metric) {
    accept(1);
    nbirth(7, 0);
    begin_birth(1, 0);
    items[1].alias = 10;
    hear_numbered("DBIRTH", 1);
    expect(VERDICT_ALIAS);
}
END_TEST

START_TEST(births_hold_all_metrics) {
    accept(1);
    nbirth(7, 0);
    begin_birth(1, 0);
    payload.n_metrics--;
    hear_numbered("DBIRTH", 1);
    data_of(1, 0, false);
    ck_assert(!verdict_finish(judge));
    ck_assert_uint_eq(verdict_get(judge)->broken[VERDICT_PAYLOAD], 1);
}
END_TEST

START_TEST(payloads_can_be_read) {
    births(7, VERDICT_NONE);
    verdict_hear(judge, &(chaos_record){
                            .topic = "spBv1.0/Chaos/NDATA/Edge", .payload = (const uint8_t *)"\xff", .payload_len = 1});
    expect(VERDICT_PAYLOAD);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("verdict");
    tcase_add_checked_fixture(all, open_verdict, close_verdict);
    tcase_add_test(all, a_sound_history_breaks_no_rule);
    tcase_add_test(all, what_never_came_is_lost);
    tcase_add_test(all, a_value_in_a_birth_has_come);
    tcase_add_test(all, a_killed_process_owes_what_was_flushed);
    tcase_add_test(all, what_was_flushed_is_owed_to_a_killed_process);
    tcase_add_test(all, what_is_missing_must_be_counted);
    tcase_add_test(all, what_comes_twice_must_be_counted);
    tcase_add_test(all, a_number_that_was_never_handed_over_is_a_stranger);
    tcase_add_test(all, a_live_sample_comes_once);
    tcase_add_test(all, a_replay_repeats_nothing_of_its_own_session);
    tcase_add_test(all, no_more_than_the_window_comes_again);
    tcase_add_test(all, more_comes_again_when_the_host_was_lost);
    tcase_add_test(all, more_comes_again_when_the_process_was_killed);
    tcase_add_test(all, live_samples_come_in_order);
    tcase_add_test(all, replayed_samples_come_in_order);
    tcase_add_test(all, what_is_older_than_the_birth_is_historical);
    tcase_add_test(all, what_is_newer_than_the_birth_is_not_historical);
    tcase_add_test(all, what_another_life_left_is_historical);
    tcase_add_test(all, what_was_taken_while_a_device_was_offline_is_historical);
    tcase_add_test(all, samples_may_wait_for_a_rebirth);
    tcase_add_test(all, births_are_not_historical);
    tcase_add_test(all, a_timestamp_stays_as_it_is);
    tcase_add_test(all, the_library_takes_the_time_when_the_sample_is_taken);
    tcase_add_test(all, a_wall_clock_that_stepped_gives_its_own_time);
    tcase_add_test(all, a_clock_that_is_not_set_gives_small_times);
    tcase_add_test(all, a_replay_gives_the_right_time_when_the_clock_is_set);
    tcase_add_test(all, a_replay_with_a_small_time_is_wrong_when_the_clock_is_set);
    tcase_add_test(all, a_value_of_another_metric_is_wrong);
    tcase_add_test(all, another_datatype_is_wrong);
    tcase_add_test(all, data_comes_after_the_nbirth);
    tcase_add_test(all, data_of_a_device_comes_after_its_dbirth);
    tcase_add_test(all, numbers_of_messages_have_no_gap);
    tcase_add_test(all, a_host_that_was_away_hears_the_middle_of_a_session);
    tcase_add_test(all, a_session_has_a_new_bdseq);
    tcase_add_test(all, an_old_session_dies_before_the_next_one_is_born);
    tcase_add_test(all, each_session_has_its_ndeath);
    tcase_add_test(all, a_server_that_was_killed_publishes_no_will);
    tcase_add_test(all, aliases_stay);
    tcase_add_test(all, an_alias_is_of_one_metric);
    tcase_add_test(all, births_hold_all_metrics);
    tcase_add_test(all, payloads_can_be_read);
    Suite *suite = suite_create("chaos_verdict");
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
