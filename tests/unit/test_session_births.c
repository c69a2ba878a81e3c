/* Births and deaths: what stands in them, and when they come. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <spb/version.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;

static const spb_payload_metric *find(spb_kind kind, const char *name) {
    const wire_message *m = wire_last(&w, kind);
    ck_assert_ptr_nonnull(m);
    const spb_payload_metric *metric = spb_payload_find(m->payload, name);
    ck_assert_ptr_nonnull(metric);
    return metric;
}

static void assert_double_property(const spb_payload_metric *metric, const char *key, double wanted) {
    const spb_property *property = spb_property_find(metric->properties, key);
    ck_assert_ptr_nonnull(property);
    ck_assert_int_eq(property->value.type, SPB_DOUBLE);
    ck_assert_double_eq(property->value.as.f64, wanted);
}

START_TEST(a_birth_holds_all_that_is_known_of_a_metric) {
    wire_open(&w, NULL);
    spb_metric *metric;
    spb_property extra = {.key = spb_str_from("source"), .value = spb_string("PT100")};
    spb_metric_def def = {.name = "Temperature",
                          .value = spb_double(21.5),
                          .timestamp_ms = UINT64_C(1600000000000),
                          .unit = "°C",
                          .min = 20,
                          .max = 220,
                          .description = "of the plate",
                          .properties = &extra,
                          .property_count = 1,
                          .is_transient = true};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_OK);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    const spb_payload_metric *born = find(SPB_KIND_NBIRTH, "Temperature");
    ck_assert(born->has_alias && born->alias == 1 && born->is_transient);
    ck_assert_uint_eq(born->timestamp_ms, UINT64_C(1600000000000));
    ck_assert_int_eq(born->value.type, SPB_DOUBLE);
    ck_assert_double_eq(born->value.as.f64, 21.5);
    ck_assert(spb_str_equal(spb_property_find(born->properties, "engUnit")->value.as.str, spb_str_from("°C")));
    ck_assert(spb_str_equal(spb_property_find(born->properties, "source")->value.as.str, spb_str_from("PT100")));
    assert_double_property(born, "engLow", 20);
    assert_double_property(born, "engHigh", 220);
    ck_assert(spb_str_equal(born->metadata->description, spb_str_from("of the plate")));
    wire_close(&w);
}
END_TEST

/* Its description goes through protobuf-c, which ends text at a NUL; its value does not. */
START_TEST(text_with_a_nul_stands_in_the_birth_of_a_described_metric) {
    wire_open(&w, NULL);
    spb_metric *metric;
    spb_metric_def def = {.name = "x", .value = spb_string("a"), .description = "of the plate"};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_OK);
    const spb_value value = spb_string_view(SPB_STRING, (spb_str){"a\0b", 3});
    ck_assert_int_eq(spb_session_update(w.session, metric, &value, SPB_NOW, w.now), SPB_OK);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    const spb_payload_metric *born = find(SPB_KIND_NBIRTH, "x");
    ck_assert(spb_value_equal(&born->value, &value));
    ck_assert(spb_str_equal(born->metadata->description, spb_str_from("of the plate")));
    wire_close(&w);
}
END_TEST

START_TEST(a_metric_without_a_value_is_null_in_the_birth) {
    wire_open(&w, NULL);
    spb_metric *metric;
    spb_metric_def def = {.name = "x", .type = SPB_STRING};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_OK);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    const spb_payload_metric *born = find(SPB_KIND_NBIRTH, "x");
    ck_assert(born->value.is_null && born->value.type == SPB_STRING);
    ck_assert_uint_eq(born->timestamp_ms, w.now.wall_ms);
    wire_close(&w);
}
END_TEST

START_TEST(a_birth_has_the_newest_values) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(1));
    wire_update(&w, x, spb_int32(2));
    wire_update(&w, x, spb_int32(3));
    wire_update(&w, x, spb_int32(4));
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert_int_eq(find(SPB_KIND_NBIRTH, "x")->value.as.i64, 4);
    ck_assert_uint_eq(wire_stats(&w).samples_accepted, 3);
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, 2);
    wire_update(&w, x, spb_int32(5));
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, 2);
    wire_close(&w);
}
END_TEST

START_TEST(the_session_s_own_names_are_taken) {
    wire_open(&w, NULL);
    const char *names[] = {"bdSeq", "Node Control/Rebirth"};
    spb_device *device = wire_add_device(&w, "D");
    for (int i = 0; i < 2; i++) {
        spb_metric *metric;
        spb_metric_def def = {.name = names[i], .value = spb_int64(1)};
        ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_ERR_EXISTS);
        ck_assert_ptr_null(metric);
        ck_assert_int_eq(spb_session_add_metric(w.session, &metric, device, &def, w.now, NULL), SPB_OK);
    }
    wire_close(&w);
}
END_TEST

START_TEST(the_node_tells_of_itself_as_far_as_it_is_asked_to) {
    spb_session_options options = wire_options();
    spb_metric *metric;
    spb_metric_def def = {.name = "Node Info/Library", .value = spb_int64(1)};
    options.node_info = SPB_NODE_INFO_LIBRARY | SPB_NODE_INFO_SERVER;
    wire_open(&w, &options);
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_ERR_EXISTS);
    spb_session_start(w.session, w.now);
    wire_run(&w);
    ck_assert(spb_str_equal(find(SPB_KIND_NBIRTH, "Node Info/Library")->value.as.str, spb_str_from("libspb")));
    ck_assert(
        spb_str_equal(find(SPB_KIND_NBIRTH, "Node Info/Library Version")->value.as.str, spb_str_from(spb_version())));
    ck_assert(
        spb_str_equal(find(SPB_KIND_NBIRTH, "Node Info/Server")->value.as.str, spb_str_from("mqtt://127.0.0.1:1883")));
    ck_assert_uint_eq(wire_last(&w, SPB_KIND_NBIRTH)->payload->metric_count, 5);
    wire_close(&w);
}
END_TEST

START_TEST(the_counters_are_those_of_the_birth) {
    spb_session_options options = wire_options();
    options.node_info = SPB_NODE_INFO_COUNTERS;
    wire_open(&w, &options);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 100);
    wire_update(&w, x, spb_int32(2));
    wire_lose(&w);
    wire_sleep(&w, 2000);
    ck_assert_uint_eq(find(SPB_KIND_NBIRTH, "Node Info/Connects")->value.as.u64, 2);
    ck_assert_uint_eq(find(SPB_KIND_NBIRTH, "Node Info/Connections Lost")->value.as.u64, 1);
    ck_assert_uint_eq(find(SPB_KIND_NBIRTH, "Node Info/Samples Published")->value.as.u64, 1);
    /* One that waited, and one that was sent: nobody knows whether it arrived. */
    ck_assert_uint_eq(find(SPB_KIND_NBIRTH, "Node Info/Samples Dropped")->value.as.u64, 2);
    wire_close(&w);
}
END_TEST

START_TEST(what_no_birth_could_carry_cannot_be_added) {
    wire_open(&w, NULL);
    spb_metric *metric;
    spb_property bad = {.key = spb_str_from("k"), .value = spb_string("\xff")};
    spb_metric_def def = {.name = "x", .value = spb_int32(1), .properties = &bad, .property_count = 1};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_ERR_NAME);
    spb_property twice = {.key = spb_str_from("engUnit"), .value = spb_string("K")};
    def = (spb_metric_def){.name = "x", .value = spb_int32(1), .unit = "K", .properties = &twice, .property_count = 1};
    ck_assert_int_eq(spb_session_add_metric(w.session, &metric, NULL, &def, w.now, NULL), SPB_ERR_EXISTS);
    ck_assert_ptr_null(metric);
    ck_assert_ptr_null(spb_session_find_metric(w.session, NULL, "x"));
    wire_close(&w);
}
END_TEST

START_TEST(a_device_id_follows_the_rules) {
    wire_open(&w, NULL);
    spb_device *device;
    spb_error err;
    char *longest = calloc(1, 65536);
    memset(longest, 'x', 65535);
    ck_assert_int_eq(spb_session_add_device(w.session, &device, "a/b", w.now, &err), SPB_ERR_NAME);
    ck_assert_int_eq(spb_session_add_device(w.session, &device, "", w.now, &err), SPB_ERR_NAME);
    ck_assert_int_eq(spb_session_add_device(w.session, &device, longest, w.now, &err), SPB_ERR_NAME);
    ck_assert_ptr_null(device);
    free(longest);
    wire_close(&w);
}
END_TEST

/* ---- rebirth ---- */

START_TEST(a_rebirth_request_brings_all_births_with_the_same_bdseq) {
    wire_open(&w, NULL);
    wire_add_device(&w, "A");
    wire_add_device(&w, "B");
    wire_go_online(&w);
    wire_request_rebirth(&w);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1, DBIRTH/B 2");
    ck_assert_str_eq(w.states, "BIRTHING ONLINE");
    ck_assert_uint_eq(wire_stats(&w).rebirth_requests, 1);
    ck_assert_uint_eq(wire_stats(&w).births, 2);
    wire_close(&w);
}
END_TEST

START_TEST(requests_close_together_become_one_birth) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    wire_request_rebirth(&w);
    wire_request_rebirth(&w);
    spb_session_rebirth(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NBIRTH 0");
    ck_assert_uint_eq(wire_stats(&w).rebirth_requests, 2);
    wire_close(&w);
}
END_TEST

START_TEST(requests_during_the_births_bring_one_more) {
    wire_open(&w, NULL);
    wire_add_device(&w, "A");
    wire_go_online(&w);
    wire_request_rebirth(&w);
    ck_assert(wire_step(&w)); /* NBIRTH */
    ck_assert_str_eq(w.ledger, "NBIRTH 0");
    wire_request_rebirth(&w);
    wire_request_rebirth(&w);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1, NBIRTH 0, DBIRTH/A 1");
    wire_close(&w);
}
END_TEST

START_TEST(only_true_in_an_ncmd_is_a_request) {
    wire_open(&w, NULL);
    wire_add_device(&w, "A");
    wire_go_online(&w);
    spb_payload_metric rebirth = {.name = spb_str_from("Node Control/Rebirth"), .value = spb_boolean(false)};
    wire_command(&w, NULL, &rebirth);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 0);
    rebirth.value = spb_int32(1);
    wire_command(&w, NULL, &rebirth);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_uint_eq(wire_stats(&w).commands_refused, 1);
    rebirth.value = spb_boolean(true);
    wire_command(&w, "A", &rebirth);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "COMMAND SPB_ERR_NOT_FOUND");
    ck_assert_uint_eq(wire_stats(&w).rebirth_requests, 0);
    wire_close(&w);
}
END_TEST

/* tck-id-operational-behavior-data-commands-rebirth-action-1: data stops at once; the samples follow the births. */
START_TEST(a_rebirth_loses_no_sample) {
    wire_open(&w, NULL);
    spb_metric *x = wire_add_metric(&w, wire_add_device(&w, "A"), "x", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    wire_request_rebirth(&w);
    wire_update(&w, x, spb_int32(2));
    ck_assert(wire_step(&w)); /* NBIRTH */
    wire_update(&w, x, spb_int32(3));
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1, DDATA/A 2");
    ck_assert_int_eq(find(SPB_KIND_DBIRTH, "x")->value.as.i64, 3);
    const spb_payload *data = wire_last(&w, SPB_KIND_DDATA)->payload;
    ck_assert_uint_eq(data->metric_count, 3);
    ck_assert_uint_eq(data->metrics[2].value.as.u64, 3);
    spb_stats stats = wire_stats(&w);
    ck_assert_uint_eq(stats.samples_published, stats.samples_accepted);
    wire_close(&w);
}
END_TEST

static void open_with_window(uint32_t window_ms) {
    spb_session_options options = wire_options();
    options.rebirth_window_ms = window_ms;
    wire_open(&w, &options);
    wire_add_device(&w, "A");
    wire_go_online(&w);
}

/* Never dropped, and never answered once each. */
START_TEST(requests_soon_after_a_birth_share_the_next_one) {
    open_with_window(1000);
    wire_sleep(&w, 300);
    for (int i = 0; i < 20; i++) {
        wire_request_rebirth(&w);
        wire_sleep(&w, 10);
    }
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 499);
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1");
    ck_assert_uint_eq(wire_stats(&w).rebirth_requests, 20);
    wire_sleep(&w, 5000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1");
    wire_close(&w);
}
END_TEST

START_TEST(a_request_long_after_a_birth_is_answered_at_once) {
    open_with_window(1000);
    wire_sleep(&w, 1000);
    wire_request_rebirth(&w);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1");
    wire_request_rebirth(&w);
    wire_sleep(&w, 999);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1, NBIRTH 0, DBIRTH/A 1");
    wire_close(&w);
}
END_TEST

/* tck-id-operational-behavior-data-commands-rebirth-action-1 */
START_TEST(no_data_is_sent_between_a_request_and_its_births) {
    open_with_window(1000);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(0));
    wire_sleep(&w, 50);
    wire_forget(&w);
    wire_request_rebirth(&w);
    wire_update(&w, x, spb_int32(1));
    wire_sleep(&w, 999);
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1, NDATA 2");
    wire_close(&w);
}
END_TEST

/* The births of the new connection are the answer. */
START_TEST(a_request_does_not_outlive_its_connection) {
    open_with_window(5000);
    wire_request_rebirth(&w);
    wire_lose(&w);
    wire_sleep(&w, 10000);
    ck_assert_str_eq(w.ledger, "CLOSE, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0, DBIRTH/A 1");
    wire_close(&w);
}
END_TEST

/* ---- additions ---- */

START_TEST(additions_to_the_node_share_one_birth) {
    wire_open(&w, NULL);
    wire_add_device(&w, "A");
    wire_go_online(&w);
    spb_metric *x = wire_add_metric(&w, NULL, "x", spb_int32(1));
    wire_sleep(&w, 49);
    wire_add_metric(&w, NULL, "y", spb_int32(1));
    wire_update(&w, x, spb_int32(2)); /* waits for the birth */
    ck_assert_str_eq(w.ledger, "");
    wire_sleep(&w, 1);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1");
    ck_assert_int_eq(find(SPB_KIND_NBIRTH, "x")->value.as.i64, 2);
    find(SPB_KIND_NBIRTH, "y");
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1");
    wire_close(&w);
}
END_TEST

START_TEST(additions_to_a_device_bring_its_dbirth) {
    wire_open(&w, NULL);
    spb_device *a = wire_add_device(&w, "A");
    wire_add_device(&w, "B");
    wire_go_online(&w);
    wire_add_metric(&w, a, "x", spb_int32(1));
    wire_add_metric(&w, a, "y", spb_int32(1));
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DBIRTH/A 3");
    wire_close(&w);
}
END_TEST

START_TEST(a_new_device_is_born_soon) {
    wire_open(&w, NULL);
    wire_go_online(&w);
    spb_device *a = wire_add_device(&w, "A");
    spb_metric *x = wire_add_metric(&w, a, "x", spb_int32(1));
    wire_sleep(&w, 50);
    ck_assert_str_eq(w.ledger, "DBIRTH/A 1");
    wire_update(&w, x, spb_int32(2));
    wire_sleep(&w, 100);
    ck_assert_str_eq(w.ledger, "DBIRTH/A 1, DDATA/A 2");
    wire_close(&w);
}
END_TEST

START_TEST(a_device_added_during_the_births_is_born_once) {
    wire_open(&w, NULL);
    wire_add_device(&w, "A");
    wire_go_online(&w);
    spb_session_rebirth(w.session, w.now);
    ck_assert(wire_step(&w)); /* NBIRTH */
    wire_add_device(&w, "B");
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1, DBIRTH/B 2");
    wire_close(&w);
}
END_TEST

/* ---- devices come and go ---- */

START_TEST(a_device_that_goes_sends_its_samples_and_a_ddeath) {
    wire_open(&w, NULL);
    spb_device *a = wire_add_device(&w, "A");
    spb_metric *x = wire_add_metric(&w, a, "x", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    spb_session_set_device_online(w.session, a, false, w.now);
    spb_session_set_device_online(w.session, a, false, w.now);
    ck_assert(!spb_session_device_is_online(w.session, a));
    wire_update(&w, x, spb_int32(2)); /* of an offline device */
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DDATA/A 2, DDEATH/A 3");
    ck_assert_uint_eq(wire_last(&w, SPB_KIND_DDATA)->payload->metric_count, 1);
    spb_session_rebirth(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "DDATA/A 2, DDEATH/A 3, NBIRTH 0");
    spb_session_set_device_online(w.session, a, true, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DDATA/A 2, DDEATH/A 3, NBIRTH 0, DBIRTH/A 1");
    ck_assert_int_eq(find(SPB_KIND_DBIRTH, "x")->value.as.i64, 2);
    wire_close(&w);
}
END_TEST

START_TEST(a_device_that_never_was_born_does_not_die) {
    wire_open(&w, NULL);
    spb_device *a = wire_add_device(&w, "A");
    spb_session_set_device_online(w.session, a, false, w.now);
    wire_go_online(&w);
    spb_device *b = wire_add_device(&w, "B");
    spb_session_set_device_online(w.session, b, false, w.now);
    spb_session_set_device_online(w.session, a, true, w.now);
    spb_session_set_device_online(w.session, a, false, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "");
    wire_close(&w);
}
END_TEST

START_TEST(a_device_that_comes_back_at_once_dies_and_is_born) {
    wire_open(&w, NULL);
    spb_device *a = wire_add_device(&w, "A");
    wire_go_online(&w);
    spb_session_set_device_online(w.session, a, false, w.now);
    spb_session_set_device_online(w.session, a, true, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DDEATH/A 2, DBIRTH/A 3");
    wire_close(&w);
}
END_TEST

START_TEST(a_device_that_goes_during_the_births_has_no_ddeath) {
    wire_open(&w, NULL);
    spb_device *a = wire_add_device(&w, "A");
    spb_metric *x = wire_add_metric(&w, a, "x", spb_int32(0));
    wire_go_online(&w);
    wire_update(&w, x, spb_int32(1));
    spb_session_rebirth(w.session, w.now);
    ck_assert(wire_step(&w)); /* NBIRTH: A is not born any more */
    spb_session_set_device_online(w.session, a, false, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 1);
    wire_close(&w);
}
END_TEST

START_TEST(a_device_flapping_during_the_births_is_born_once) {
    wire_open(&w, NULL);
    spb_device *a = wire_add_device(&w, "A");
    wire_go_online(&w);
    spb_session_rebirth(w.session, w.now);
    ck_assert(wire_step(&w)); /* NBIRTH */
    spb_session_set_device_online(w.session, a, false, w.now);
    spb_session_set_device_online(w.session, a, true, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/A 1");
    wire_close(&w);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_births");
    tcase_add_test(all, a_birth_holds_all_that_is_known_of_a_metric);
    tcase_add_test(all, text_with_a_nul_stands_in_the_birth_of_a_described_metric);
    tcase_add_test(all, a_metric_without_a_value_is_null_in_the_birth);
    tcase_add_test(all, a_birth_has_the_newest_values);
    tcase_add_test(all, the_session_s_own_names_are_taken);
    tcase_add_test(all, the_node_tells_of_itself_as_far_as_it_is_asked_to);
    tcase_add_test(all, the_counters_are_those_of_the_birth);
    tcase_add_test(all, what_no_birth_could_carry_cannot_be_added);
    tcase_add_test(all, a_device_id_follows_the_rules);
    tcase_add_test(all, a_rebirth_request_brings_all_births_with_the_same_bdseq);
    tcase_add_test(all, requests_close_together_become_one_birth);
    tcase_add_test(all, requests_during_the_births_bring_one_more);
    tcase_add_test(all, only_true_in_an_ncmd_is_a_request);
    tcase_add_test(all, a_rebirth_loses_no_sample);
    tcase_add_test(all, requests_soon_after_a_birth_share_the_next_one);
    tcase_add_test(all, a_request_long_after_a_birth_is_answered_at_once);
    tcase_add_test(all, no_data_is_sent_between_a_request_and_its_births);
    tcase_add_test(all, a_request_does_not_outlive_its_connection);
    tcase_add_test(all, additions_to_the_node_share_one_birth);
    tcase_add_test(all, additions_to_a_device_bring_its_dbirth);
    tcase_add_test(all, a_new_device_is_born_soon);
    tcase_add_test(all, a_device_added_during_the_births_is_born_once);
    tcase_add_test(all, a_device_that_goes_sends_its_samples_and_a_ddeath);
    tcase_add_test(all, a_device_that_never_was_born_does_not_die);
    tcase_add_test(all, a_device_that_comes_back_at_once_dies_and_is_born);
    tcase_add_test(all, a_device_that_goes_during_the_births_has_no_ddeath);
    tcase_add_test(all, a_device_flapping_during_the_births_is_born_once);
    Suite *suite = suite_create("session_births");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
