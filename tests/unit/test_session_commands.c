/* Commands of hosts: which are carried out, and why others are not. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;
static spb_metric *setpoint, *reading, *mode;

static spb_status accept(spb_metric *metric, spb_value *value, void *user) {
    (void)metric, (void)value, (void)user;
    return SPB_OK; /* never called: the owner of a session carries WRITE out */
}

static spb_metric *add_writable(spb_device *device, const char *name, spb_value value, double min, double max) {
    spb_metric *metric;
    spb_metric_def def = {.name = name, .value = value, .min = min, .max = max, .on_write = accept};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, device, &def, w.now, NULL), SPB_OK);
    return metric;
}

/* A node with the writable Mode, and a device Press with the writable Setpoint and the Reading, which is not. */
static void setup(void) {
    wire_open(&w, NULL);
    spb_device *press = wire_add_device(&w, "Press");
    mode = add_writable(NULL, "Mode", spb_string("auto"), 0, 0);
    setpoint = add_writable(press, "Setpoint", spb_double(180), 20, 220);
    reading = wire_add_metric(&w, press, "Reading", spb_double(0));
    wire_go_online(&w);
}

static void teardown(void) {
    wire_close(&w);
}

static spb_payload_metric named(const char *name, spb_value value) {
    return (spb_payload_metric){.name = spb_str_from(name), .value = value};
}

static void send_to(const char *device, spb_payload_metric metric) {
    wire_command(&w, device, &metric);
    wire_run(&w);
}

static void assert_refused(spb_status status, const char *log) {
    ck_assert(strncmp(w.ledger, "COMMAND", 7) == 0);
    ck_assert_int_eq(w.refusal, status);
    ck_assert_str_eq(w.logs, log);
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 1);
}

START_TEST(a_write_by_name_is_asked_and_then_published) {
    send_to("Press", named("Setpoint", spb_double(150)));
    ck_assert_str_eq(w.ledger, "WRITE Setpoint");
    ck_assert_ptr_eq(w.written, setpoint);
    ck_assert_double_eq(w.wanted.as.f64, 150);
    spb_value accepted = spb_double(149);
    spb_session_on_write_done(w.session, setpoint, SPB_OK, &accepted, w.now);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "WRITE Setpoint, DDATA/Press 2");
    ck_assert_double_eq(w.messages[0].payload->metrics[0].value.as.f64, 149);
    ck_assert_uint_eq(wire_stats(&w).commands_accepted, 1);
}
END_TEST

START_TEST(the_same_value_is_published_too) {
    spb_value same = spb_double(180);
    send_to("Press", named("Setpoint", same));
    spb_session_on_write_done(w.session, setpoint, SPB_OK, &same, w.now);
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "WRITE Setpoint, DDATA/Press 2");
}
END_TEST

START_TEST(a_write_that_the_application_refuses_keeps_the_value) {
    send_to("Press", named("Setpoint", spb_double(150)));
    spb_session_on_write_done(w.session, setpoint, SPB_ERR_REFUSED, NULL, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "WRITE Setpoint");
    ck_assert_double_eq(spb_session_value(w.session, setpoint, NULL).as.f64, 180);
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 1);
    ck_assert_str_eq(w.logs, "command refused: Press/Setpoint: SPB_ERR_REFUSED");
}
END_TEST

START_TEST(an_answer_of_another_datatype_is_refused) {
    spb_value wrong = spb_string("150");
    spb_session_on_write_done(w.session, setpoint, SPB_OK, &wrong, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_uint_eq(wire_stats(&w).commands_accepted, 0);
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 1);
}
END_TEST

START_TEST(an_alias_and_a_name_lead_to_the_same_metric) {
    send_to("Press",
            (spb_payload_metric){.alias = spb_metric_alias(setpoint), .has_alias = true, .value = spb_double(150)});
    ck_assert_ptr_eq(w.written, setpoint);
    send_to(NULL,
            (spb_payload_metric){.alias = spb_metric_alias(mode), .has_alias = true, .value = spb_string("manual")});
    ck_assert_ptr_eq(w.written, mode);
    ck_assert_str_eq(w.ledger, "WRITE Setpoint, WRITE Mode");
}
END_TEST

START_TEST(an_integer_for_a_real_setpoint_is_taken) {
    send_to("Press", named("Setpoint", spb_int32(150)));
    ck_assert_int_eq(w.wanted.type, SPB_DOUBLE);
    ck_assert_double_eq(w.wanted.as.f64, 150);
}
END_TEST

START_TEST(a_dcmd_reaches_only_its_device) {
    send_to("Press",
            (spb_payload_metric){.alias = spb_metric_alias(mode), .has_alias = true, .value = spb_string("manual")});
    assert_refused(SPB_ERR_NOT_FOUND, "command refused: Press/alias 1: there is no such metric");
}
END_TEST

START_TEST(an_ncmd_reaches_only_the_node) {
    send_to(NULL, named("Setpoint", spb_double(150)));
    assert_refused(SPB_ERR_NOT_FOUND, "command refused: Setpoint: there is no such metric");
}
END_TEST

START_TEST(an_unknown_device_is_refused) {
    send_to("Oven", named("Setpoint", spb_double(150)));
    assert_refused(SPB_ERR_NOT_FOUND, "command refused: Oven/Setpoint: there is no such device");
}
END_TEST

START_TEST(an_offline_device_is_refused) {
    spb_session_set_device_online(w.session, spb_session_find_device(w.session, "Press"), false, w.now);
    wire_run(&w);
    wire_forget(&w);
    send_to("Press", named("Setpoint", spb_double(150)));
    assert_refused(SPB_ERR_REFUSED, "command refused: Press/Setpoint: the device is offline");
}
END_TEST

START_TEST(a_metric_that_is_not_writable_is_refused) {
    send_to("Press", named("Reading", spb_double(150)));
    assert_refused(SPB_ERR_REFUSED, "command refused: Press/Reading: the metric is not writable");
}
END_TEST

START_TEST(a_wrong_datatype_is_refused) {
    send_to("Press", named("Setpoint", spb_string("150")));
    assert_refused(SPB_ERR_TYPE, "command refused: Press/Setpoint: String where Double is wanted");
}
END_TEST

/* A sender that drops what it cannot encode must not set anything to zero. */
START_TEST(a_missing_value_is_refused) {
    send_to("Press", named("Setpoint", (spb_value){.type = SPB_DOUBLE, .is_null = true, .wire = SPB_WIRE_ABSENT}));
    assert_refused(SPB_ERR_TYPE, "command refused: Press/Setpoint: null is not a value to write");
}
END_TEST

START_TEST(a_null_is_refused) {
    send_to("Press", named("Setpoint", spb_null(SPB_DOUBLE)));
    assert_refused(SPB_ERR_TYPE, "command refused: Press/Setpoint: null is not a value to write");
}
END_TEST

START_TEST(a_value_out_of_range_is_refused) {
    send_to("Press", named("Setpoint", spb_double(220.5)));
    assert_refused(SPB_ERR_RANGE, "command refused: Press/Setpoint: 220.5 is outside 20 to 220");
}
END_TEST

static void add_choosy(spb_value value, const spb_value *choices, size_t count, uint32_t max_age_ms) {
    spb_metric *metric;
    spb_metric_def def = {.name = "Choosy",
                          .value = value,
                          .choices = choices,
                          .choice_count = count,
                          .max_command_age_ms = max_age_ms,
                          .on_write = accept};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_OK);
    wire_sleep(&w, 50);
    wire_forget(&w);
}

START_TEST(only_the_choices_of_a_metric_are_taken) {
    const spb_value modes[] = {spb_string("auto"), spb_string("manual")};
    add_choosy(spb_string("auto"), modes, 2, 0);
    send_to(NULL, named("Choosy", spb_string("manual")));
    ck_assert_str_eq(w.ledger, "WRITE Choosy");
    wire_forget(&w);
    send_to(NULL, named("Choosy", spb_string("Auto")));
    assert_refused(SPB_ERR_RANGE, "command refused: Choosy: none of the 2 values that are allowed");
}
END_TEST

START_TEST(a_choice_is_compared_in_the_datatype_of_the_metric) {
    const spb_value steps[] = {spb_int16(-1), spb_int16(1)};
    add_choosy(spb_int16(1), steps, 2, 0);
    send_to(NULL, named("Choosy", spb_double(-1)));
    ck_assert_str_eq(w.ledger, "WRITE Choosy");
    wire_forget(&w);
    send_to(NULL, named("Choosy", spb_int64(0)));
    ck_assert_int_eq(w.refusal, SPB_ERR_RANGE);
}
END_TEST

START_TEST(choices_are_of_the_datatype_of_the_metric) {
    const spb_value choices[] = {spb_int32(1), spb_string("two")};
    spb_metric *metric;
    spb_error err;
    spb_metric_def def = {.name = "x", .type = SPB_INT32, .choices = choices, .choice_count = 2};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, &err), SPB_ERR_TYPE);
    ck_assert_str_eq(err.text, "choice 1 of metric x is not a Int32");
}
END_TEST

START_TEST(an_old_command_is_refused) {
    add_choosy(spb_int32(0), NULL, 0, 5000);
    spb_payload_metric metric = named("Choosy", spb_int32(1));
    metric.has_timestamp = true;
    metric.timestamp_ms = w.now.wall_ms - 5000;
    send_to(NULL, metric);
    metric.timestamp_ms = w.now.wall_ms + 5000; /* a clock that is ahead */
    send_to(NULL, metric);
    ck_assert_str_eq(w.ledger, "WRITE Choosy, WRITE Choosy");
    wire_forget(&w);
    metric.timestamp_ms = w.now.wall_ms - 5001;
    send_to(NULL, metric);
    assert_refused(SPB_ERR_TIMEOUT, "command refused: Choosy: the command is 5001 ms old, more than 5000");
}
END_TEST

/* Or else one that is caught and sent again later would pass for so much longer. */
START_TEST(a_command_from_the_future_is_refused) {
    add_choosy(spb_int32(0), NULL, 0, 5000);
    spb_payload_metric metric = named("Choosy", spb_int32(1));
    metric.has_timestamp = true;
    metric.timestamp_ms = w.now.wall_ms + 5001;
    send_to(NULL, metric);
    assert_refused(SPB_ERR_TIMEOUT,
                   "command refused: Choosy: the command is 5001 ms ahead of the clock of this machine, "
                   "more than 5000");
    metric.timestamp_ms = UINT64_MAX;
    send_to(NULL, metric);
    ck_assert_str_eq(w.ledger, "COMMAND SPB_ERR_TIMEOUT, COMMAND SPB_ERR_TIMEOUT");
}
END_TEST

START_TEST(without_a_clock_no_command_is_known_to_be_new) {
    add_choosy(spb_int32(0), NULL, 0, 5000);
    spb_payload_metric metric = named("Choosy", spb_int32(1));
    w.now.wall_ms = SPB_EARLIEST_MS - 1;
    send_to(NULL, metric);
    assert_refused(SPB_ERR_TIMEOUT,
                   "command refused: Choosy: the clock of this machine is not set, so the command may be old");
    send_to("Press", named("Setpoint", spb_double(100))); /* asks for no age */
    ck_assert_ptr_nonnull(strstr(w.ledger, "WRITE Setpoint"));
}
END_TEST

START_TEST(a_historical_command_is_not_carried_out) {
    spb_payload_metric metric = named("Mode", spb_string("manual"));
    metric.is_historical = true;
    send_to(NULL, metric);
    assert_refused(SPB_ERR_REFUSED, "command refused: Mode: the command is historical");
}
END_TEST

START_TEST(a_historical_request_is_not_answered) {
    spb_payload_metric metric = named("Node Control/Rebirth", spb_boolean(true));
    uint64_t births = wire_stats(&w).births;
    metric.is_historical = true;
    send_to(NULL, metric);
    ck_assert_str_eq(w.logs, "command refused: Node Control/Rebirth: the command is historical");
    ck_assert_uint_eq(wire_stats(&w).births, births);
    ck_assert_uint_eq(wire_stats(&w).rebirth_requests, 0);
}
END_TEST

/* That of the payload counts for metrics without one of their own; the ledger's commands have one of now. */
START_TEST(a_command_waits_in_the_queue_no_longer_than_allowed) {
    add_choosy(spb_int32(0), NULL, 0, 5000);
    spb_payload_metric metric = named("Choosy", spb_int32(1));
    wire_command(&w, NULL, &metric);
    w.now.wall_ms += 5001;
    wire_run(&w);
    ck_assert_int_eq(w.refusal, SPB_ERR_TIMEOUT);
}
END_TEST

START_TEST(a_command_without_a_timestamp_may_be_old) {
    add_choosy(spb_int32(0), NULL, 0, 5000);
    spb_payload_metric metric = named("Choosy", spb_int32(1));
    spb_payload payload = {.metrics = &metric, .metric_count = 1};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    wire_message_in(&w, "spBv1.0/G/NCMD/N", (spb_bytes){bytes, len}, false);
    spb_free(bytes);
    wire_run(&w);
    assert_refused(SPB_ERR_TIMEOUT, "command refused: Choosy: the command has no timestamp, so it may be old");
}
END_TEST

/* How a Node Control metric is made: the application does what it says, and leaves what hosts are to see. */
START_TEST(a_reboot_is_a_metric_with_a_hook) {
    add_writable(NULL, "Node Control/Reboot", spb_boolean(false), 0, 0);
    spb_metric *rate = add_writable(NULL, "Node Control/Scan Rate", spb_int64(1000), 100, 60000);
    wire_sleep(&w, 50);
    wire_forget(&w);
    send_to(NULL, named("Node Control/Reboot", spb_boolean(true)));
    ck_assert_str_eq(w.ledger, "WRITE Node Control/Reboot");
    ck_assert(w.wanted.as.boolean);
    spb_value left = spb_boolean(false);
    spb_session_on_write_done(w.session, w.written, SPB_OK, &left, w.now);
    send_to(NULL, named("Node Control/Scan Rate", spb_int32(500)));
    ck_assert_ptr_eq(w.written, rate);
    spb_session_on_write_done(w.session, rate, SPB_OK, &w.wanted, w.now);
    wire_sleep(&w, 100);
    const spb_payload *data = wire_last(&w, SPB_KIND_NDATA)->payload;
    ck_assert_uint_eq(data->metric_count, 2);
    ck_assert(!data->metrics[0].value.as.boolean);
    ck_assert_uint_eq(data->metrics[1].value.as.u64, 500);
}
END_TEST

START_TEST(the_metrics_of_a_command_are_carried_out_in_order) {
    const spb_payload_metric metrics[] = {named("Setpoint", spb_double(1000)), named("Setpoint", spb_double(30)),
                                          named("Node Control/Rebirth", spb_boolean(true)),
                                          named("Setpoint", spb_double(40))};
    spb_payload payload = {.metrics = metrics, .metric_count = 4};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    wire_message_in(&w, "spBv1.0/G/DCMD/N/Press", (spb_bytes){bytes, len}, false);
    spb_free(bytes);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "COMMAND SPB_ERR_RANGE, WRITE Setpoint, COMMAND SPB_ERR_NOT_FOUND, WRITE Setpoint");
}
END_TEST

START_TEST(a_rebirth_and_a_write_may_share_a_command) {
    const spb_payload_metric metrics[] = {named("Mode", spb_string("manual")),
                                          named("Node Control/Rebirth", spb_boolean(true))};
    spb_payload payload = {.metrics = metrics, .metric_count = 2};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    wire_message_in(&w, "spBv1.0/G/NCMD/N", (spb_bytes){bytes, len}, false);
    spb_free(bytes);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "WRITE Mode, NBIRTH 0, DBIRTH/Press 1");
}
END_TEST

START_TEST(a_damaged_command_is_logged) {
    const uint8_t damaged[] = {0x12, 0x7f, 0x0a};
    wire_message_in(&w, "spBv1.0/G/DCMD/N/Press", (spb_bytes){damaged, sizeof damaged}, false);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_ptr_eq(strstr(w.logs, "command refused: DCMD: "), w.logs);
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 1);
}
END_TEST

START_TEST(a_retained_command_is_not_carried_out) {
    wire_message_in(&w, "spBv1.0/G/DCMD/N/Press", (spb_bytes){NULL, 0}, true);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_ptr_nonnull(strstr(w.logs, "retained"));
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 1);
}
END_TEST

START_TEST(messages_for_others_are_ignored) {
    const char *topics[] = {"spBv1.0/G/NCMD/M",   "spBv1.0/H/NCMD/N", "spBv1.0/G/DDATA/N/Press",
                            "spBv1.0/G/NDEATH/N", "nonsense",         "spBv1.0/STATE/N"};
    const uint8_t damaged[] = {0xff};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        wire_message_in(&w, topics[i], (spb_bytes){damaged, 1}, false);
    }
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_str_eq(w.logs, "");
}
END_TEST

/* A command with many metrics. */
static void send_many(const char *topic, const spb_payload_metric *metrics, size_t count) {
    spb_payload payload = {
        .has_timestamp = true, .timestamp_ms = w.now.wall_ms, .metrics = metrics, .metric_count = count};
    uint8_t *bytes;
    size_t len;
    ck_assert_int_eq(spb_payload_encode(&payload, NULL, &bytes, &len, NULL), SPB_OK);
    wire_message_in(&w, topic, (spb_bytes){bytes, len}, false);
    spb_free(bytes);
}

enum { MANY = 1000 };

/* Each write takes the application 1 ms; a window of data is 100 ms. */
START_TEST(data_goes_on_between_the_writes_of_a_large_command) {
    static spb_payload_metric metrics[MANY];
    size_t writes = 0, writes_before = 0, messages = 0;
    for (size_t i = 0; i < MANY; i++) {
        metrics[i] = named("Setpoint", spb_double(100));
    }
    send_many("spBv1.0/G/DCMD/N/Press", metrics, MANY);
    ck_assert_int_eq(wire_update(&w, reading, spb_double(1)), SPB_OK);
    while (writes < MANY) {
        ck_assert(wire_step(&w));
        w.ledger[0] = '\0'; /* it has no room for so many */
        if (w.last.kind == SPB_ACTION_WRITE) {
            ck_assert_uint_le(++writes - writes_before, 100 + 16);
            w.now.mono_ms++;
            w.now.wall_ms++;
            spb_session_on_write_done(w.session, setpoint, SPB_OK, &w.wanted, w.now);
        } else if (w.last.kind == SPB_ACTION_PUBLISH) {
            writes_before = writes;
            messages++;
        }
    }
    ck_assert_uint_ge(messages, MANY / (100 + 16));
    ck_assert_uint_eq(wire_stats(&w).commands_accepted, MANY);
}
END_TEST

START_TEST(a_command_with_too_many_metrics_is_refused_in_one_line) {
    static spb_payload_metric metrics[MANY + 1];
    for (size_t i = 0; i < MANY; i++) {
        metrics[i] = named("Setpoint", spb_double(100));
    }
    metrics[MANY] = named("Node Control/Rebirth", spb_boolean(true));
    send_many("spBv1.0/G/NCMD/N", metrics, MANY + 1);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/Press 1"); /* what the session itself is asked for is not refused */
    ck_assert_ptr_nonnull(strstr(w.logs, "command refused: NCMD: 1001 metrics, more than max_command_metrics, 1000"));
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 1);
}
END_TEST

START_TEST(refusals_do_not_flood_the_log) {
    static spb_payload_metric metrics[MANY];
    for (size_t i = 0; i < MANY; i++) {
        metrics[i] = named("no such", spb_double(100));
    }
    send_many("spBv1.0/G/NCMD/N", metrics, MANY);
    while (wire_step(&w)) {
        w.ledger[0] = '\0'; /* it has no room for so many */
    }
    ck_assert_uint_eq(wire_stats(&w).commands_refused, MANY);
    ck_assert_uint_eq(wire_log_lines(&w), 10);
    wire_sleep(&w, 999);
    ck_assert_uint_eq(wire_log_lines(&w), 10);
    wire_sleep(&w, 1);
    ck_assert_uint_eq(wire_log_lines(&w), 11);
    ck_assert_ptr_nonnull(strstr(w.logs, "\nrefused in the same second: 990 more commands or STATEs"));
    wire_forget(&w);
    send_to(NULL, named("no such", spb_double(100)));
    ck_assert_str_eq(w.logs, "command refused: no such: there is no such metric");
}
END_TEST

START_TEST(names_of_hosts_are_escaped_in_the_log) {
    send_to("Press", named("x\nspb: error: forged\x1B[2J\xE2\x80\xAE", spb_double(100)));
    ck_assert_str_eq(w.logs, "command refused: Press/x\\nspb: error: forged\\x1b[2J\\u202e: there is no such metric");
}
END_TEST

START_TEST(long_names_of_hosts_are_cut_between_characters) {
    char name[200];
    memset(name, 'n', sizeof name);
    memcpy(name + 94, "\xE2\x82\xAC", 4); /* the euro sign would end at 97 */
    send_to(NULL, named(name, spb_double(100)));
    ck_assert_uint_eq(strncmp(w.logs, "command refused: nnnn", 21), 0);
    ck_assert_str_eq(strstr(w.logs, ": there"), ": there is no such metric");
    ck_assert_uint_eq(strlen(w.logs), strlen("command refused: ") + 94 + strlen(": there is no such metric"));
}
END_TEST

START_TEST(a_node_that_was_stopped_carries_nothing_out) {
    for (int i = 0; i < 40; i++) {
        spb_payload_metric metric = named("Setpoint", spb_double(100));
        wire_command(&w, "Press", &metric);
    }
    spb_session_stop(w.session, 1000, w.now);
    wire_run(&w);
    ck_assert_int_eq(spb_session_get_state(w.session), SPB_SESSION_STOPPED);
    int writes = 0;
    for (const char *at = w.ledger; (at = strstr(at, "WRITE")); at++) {
        writes++;
    }
    ck_assert_int_le(writes, 2 * 16); /* the goodbye does not wait for all of them */
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 40 - (uint64_t)writes);
    ck_assert_ptr_nonnull(strstr(w.logs, "that waited when the node was stopped"));
}
END_TEST

START_TEST(a_flood_of_commands_is_bounded) {
    for (int i = 0; i < 100; i++) {
        spb_payload_metric metric = named("Setpoint", spb_double(100));
        wire_command(&w, "Press", &metric);
    }
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 36);
    int writes = 0;
    while (wire_step(&w)) {
        writes += w.last.kind == SPB_ACTION_WRITE;
    }
    ck_assert_int_eq(writes, 64);
}
END_TEST

/* Few commands may be large ones: what waits is bounded in bytes, too. */
START_TEST(large_commands_are_bounded) {
    static char text[400000];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 8; i++) {
        spb_payload_metric metric = named("Mode", spb_string(text));
        wire_command(&w, NULL, &metric);
    }
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 3);
    wire_run(&w);
    ck_assert_ptr_nonnull(strstr(w.logs, "command refused: NCMD: commands of 2000"));
    ck_assert_str_eq(w.ledger, "WRITE Mode, WRITE Mode, WRITE Mode, WRITE Mode, WRITE Mode");
    wire_forget(&w);
    send_to(NULL, named("Mode", spb_string(text)));
    ck_assert_str_eq(w.ledger, "WRITE Mode");
}
END_TEST

/* The request comes when no further command is taken: it is answered nevertheless. */
START_TEST(a_rebirth_behind_a_flood_of_commands_is_not_dropped) {
    for (int i = 0; i < 100; i++) {
        spb_payload_metric metric = named("Setpoint", spb_double(100));
        wire_command(&w, "Press", &metric);
    }
    uint64_t births = wire_stats(&w).births;
    wire_request_rebirth(&w);
    ck_assert_uint_eq(wire_stats(&w).rebirth_requests, 1);
    wire_run(&w);
    ck_assert_uint_eq(wire_stats(&w).births, births + 1);
}
END_TEST

/* What a WRITE points to lies in the command, which may be followed by others. */
START_TEST(the_value_of_a_write_outlives_other_calls) {
    spb_payload_metric metric = named("Mode", spb_string("a text that lies in the payload"));
    wire_command(&w, NULL, &metric);
    ck_assert(wire_step(&w));
    ck_assert_int_eq(w.last.kind, SPB_ACTION_WRITE);
    wire_command(&w, NULL, &metric);
    spb_session_on_write_done(w.session, mode, SPB_OK, &w.wanted, w.now);
    wire_event(&w, SPB_TRANSPORT_LOST, SPB_ERR_CONNECT, "gone");
    ck_assert(spb_str_equal(w.last.as.write.value.as.str, metric.value.as.str));
    spb_value kept = spb_session_value(w.session, mode, NULL);
    ck_assert(spb_str_equal(kept.as.str, metric.value.as.str));
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_commands");
    tcase_add_test(all, a_write_by_name_is_asked_and_then_published);
    tcase_add_test(all, the_same_value_is_published_too);
    tcase_add_test(all, a_write_that_the_application_refuses_keeps_the_value);
    tcase_add_test(all, an_answer_of_another_datatype_is_refused);
    tcase_add_test(all, an_alias_and_a_name_lead_to_the_same_metric);
    tcase_add_test(all, an_integer_for_a_real_setpoint_is_taken);
    tcase_add_test(all, a_dcmd_reaches_only_its_device);
    tcase_add_test(all, an_ncmd_reaches_only_the_node);
    tcase_add_test(all, an_unknown_device_is_refused);
    tcase_add_test(all, an_offline_device_is_refused);
    tcase_add_test(all, a_metric_that_is_not_writable_is_refused);
    tcase_add_test(all, a_wrong_datatype_is_refused);
    tcase_add_test(all, a_missing_value_is_refused);
    tcase_add_test(all, a_null_is_refused);
    tcase_add_test(all, a_value_out_of_range_is_refused);
    tcase_add_test(all, only_the_choices_of_a_metric_are_taken);
    tcase_add_test(all, a_choice_is_compared_in_the_datatype_of_the_metric);
    tcase_add_test(all, choices_are_of_the_datatype_of_the_metric);
    tcase_add_test(all, an_old_command_is_refused);
    tcase_add_test(all, a_command_from_the_future_is_refused);
    tcase_add_test(all, without_a_clock_no_command_is_known_to_be_new);
    tcase_add_test(all, a_historical_command_is_not_carried_out);
    tcase_add_test(all, a_historical_request_is_not_answered);
    tcase_add_test(all, a_command_waits_in_the_queue_no_longer_than_allowed);
    tcase_add_test(all, a_command_without_a_timestamp_may_be_old);
    tcase_add_test(all, a_reboot_is_a_metric_with_a_hook);
    tcase_add_test(all, the_metrics_of_a_command_are_carried_out_in_order);
    tcase_add_test(all, a_rebirth_and_a_write_may_share_a_command);
    tcase_add_test(all, a_damaged_command_is_logged);
    tcase_add_test(all, a_retained_command_is_not_carried_out);
    tcase_add_test(all, messages_for_others_are_ignored);
    tcase_add_test(all, data_goes_on_between_the_writes_of_a_large_command);
    tcase_add_test(all, a_command_with_too_many_metrics_is_refused_in_one_line);
    tcase_add_test(all, refusals_do_not_flood_the_log);
    tcase_add_test(all, names_of_hosts_are_escaped_in_the_log);
    tcase_add_test(all, long_names_of_hosts_are_cut_between_characters);
    tcase_add_test(all, a_node_that_was_stopped_carries_nothing_out);
    tcase_add_test(all, a_flood_of_commands_is_bounded);
    tcase_add_test(all, large_commands_are_bounded);
    tcase_add_test(all, a_rebirth_behind_a_flood_of_commands_is_not_dropped);
    tcase_add_test(all, the_value_of_a_write_outlives_other_calls);
    tcase_add_checked_fixture(all, setup, teardown);
    Suite *suite = suite_create("session_commands");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
