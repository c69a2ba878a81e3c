/* A node on a fake server: options, a whole life, commands, callbacks, reconnects, the store. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/fake_store.h"
#include "support/node_fixture.h"
#include "support/suite.h"
#include "support/wire_rules.h"

static node_fixture f;

static void setup(void) {
    node_fixture_init(&f);
}

static void teardown(void) {
    node_fixture_clear(&f);
}

/* ---- making one ---- */

static void check_refused(spb_status expected, const char *text) {
    spb_error err = {.text = ""};
    spb_node *node = (spb_node *)&f;
    fake_store store;
    fake_store_init(&store);
    size_t frees = fake_server_frees(f.server);
    f.options.transport = fake_server_transport(f.server);
    f.options.store = &store.store;
    ck_assert_int_eq(spb_node_new(&node, &f.options, &err), expected);
    ck_assert_ptr_null(node);
    ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
    ck_assert_uint_eq(fake_server_frees(f.server), frees + 1);
    ck_assert_uint_eq(store.freed, 1);
}

START_TEST(wrong_options_are_refused_with_a_text_and_leave_nothing) {
    spb_node_options good = f.options;
    f.options.servers = NULL;
    check_refused(SPB_ERR_ARGUMENT, "server");
    f.options = good;
    f.options.group_id = "";
    check_refused(SPB_ERR_ARGUMENT, "group_id");
    f.options = good;
    f.options.node_id = NULL;
    check_refused(SPB_ERR_ARGUMENT, "node_id");
    f.options = good;
    f.options.node_id = "a/b";
    check_refused(SPB_ERR_NAME, "edge node ID");
    f.options = good;
    f.options.keep_alive_s = 0;
    check_refused(SPB_ERR_ARGUMENT, "keep_alive_s");
    f.options = good;
    f.options.store_path = "/nonexistent/gateway.spb";
    check_refused(SPB_ERR_ARGUMENT, "store_path");
    f.options = good;
}
END_TEST

START_TEST(each_server_of_the_list_is_checked) {
    spb_node *node;
    spb_error err;
    f.options.servers = "mqtt://a, http://b";
    ck_assert_int_eq(spb_node_new(&node, &f.options, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_null(node);
    ck_assert_msg(strstr(err.text, "http://b") != NULL, "%s", err.text);
}
END_TEST

START_TEST(no_options_are_refused) {
    spb_node *node;
    ck_assert_int_eq(spb_node_new(&node, NULL, NULL), SPB_ERR_ARGUMENT);
    ck_assert_ptr_null(node);
}
END_TEST

START_TEST(a_store_that_cannot_be_read_is_an_error) {
    fake_store store;
    spb_node *node;
    fake_store_init(&store);
    store.fails_load = true;
    f.options.store = &store.store;
    f.options.transport = fake_server_transport(f.server);
    ck_assert_int_eq(spb_node_new(&node, &f.options, NULL), SPB_ERR_STORE);
    ck_assert_ptr_null(node);
    ck_assert_uint_eq(store.freed, 1);
    ck_assert_uint_eq(fake_server_frees(f.server), 1);
}
END_TEST

START_TEST(a_wrong_option_leaves_no_store_file) {
    char path[] = "/tmp/spb-node-XXXXXX";
    spb_node *node;
    ck_assert_ptr_nonnull(mkdtemp(path));
    char file[64];
    snprintf(file, sizeof file, "%s/new.spb", path);
    f.options.store_path = file;
    f.options.max_in_flight = 0;
    ck_assert_int_eq(spb_node_new(&node, &f.options, NULL), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(rmdir(path), 0); /* it is empty */
}
END_TEST

START_TEST(a_node_that_was_never_started_can_be_freed) {
    node_fixture_make(&f);
    node_fixture_free_node(&f);
    ck_assert_uint_eq(fake_server_frees(f.server), 1);
    ck_assert_uint_eq(fake_server_connects(f.server), 0);
    spb_node_free(NULL);
}
END_TEST

/* ---- a whole life ---- */

START_TEST(births_data_and_death_go_out_in_this_order) {
    static const char *const expected[] = {"NDEATH", "NBIRTH", "DBIRTH", "DDATA", "NDEATH"};
    node_fixture_make(&f);
    node_fixture_start(&f);
    ck_assert_int_eq(spb_metric_update(f.setpoint, spb_double(21.5), SPB_NOW), SPB_OK);
    fake_server_await(f.server, SPB_KIND_DDATA, 1);
    ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_OK);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const fake_message *message = fake_server_message(f.server, i);
        ck_assert_ptr_nonnull(message);
        ck_assert_ptr_nonnull(strstr(message->topic, expected[i]));
    }
    ck_assert_ptr_null(fake_server_message(f.server, 5));
    ck_assert_uint_eq(node_fixture_seen(&f, SPB_SESSION_STOPPED), 1);
}
END_TEST

START_TEST(stats_count_what_happened) {
    spb_stats stats;
    node_fixture_make(&f);
    spb_node_stats(f.node, &stats);
    ck_assert_int_eq(stats.state, SPB_SESSION_STOPPED);
    node_fixture_start(&f);
    spb_metric_update(f.counter, spb_int32(1), SPB_NOW);
    fake_server_await(f.server, SPB_KIND_NDATA, 1);
    spb_node_stats(f.node, &stats);
    ck_assert_int_eq(stats.state, SPB_SESSION_ONLINE);
    ck_assert_uint_eq(stats.connects, 1);
    ck_assert_uint_eq(stats.births, 1);
    ck_assert_uint_eq(stats.samples_accepted, 1);
    ck_assert_uint_eq(stats.samples_published, 1);
}
END_TEST

START_TEST(values_can_be_read_and_handles_found) {
    spb_value value;
    uint64_t timestamp_ms;
    node_fixture_make(&f);
    ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(-7), UINT64_C(1600000000000)), SPB_OK);
    ck_assert_int_eq(spb_metric_read(f.counter, &value, &timestamp_ms), SPB_OK);
    ck_assert_int_eq(value.as.i64, -7);
    ck_assert_uint_eq(timestamp_ms, UINT64_C(1600000000000));
    spb_value_clear(&value);
    ck_assert_int_eq(spb_metric_update(f.counter, spb_string("no number"), SPB_NOW), SPB_ERR_TYPE);
    ck_assert_ptr_eq(spb_node_find_metric(f.node, "Counter"), f.counter);
    ck_assert_ptr_eq(spb_node_find_device(f.node, "Press"), f.press);
    ck_assert_ptr_eq(spb_device_find_metric(f.press, "Setpoint"), f.setpoint);
    ck_assert_ptr_null(spb_node_find_metric(f.node, "Setpoint"));
    ck_assert_ptr_null(spb_node_add_device(f.node, "Press", NULL));
    ck_assert_ptr_null(spb_node_add_metric(f.node, &(spb_metric_def){.name = "Counter", .type = SPB_INT8}, NULL));
}
END_TEST

START_TEST(devices_and_metrics_may_come_and_go_while_it_runs) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    spb_device_set_online(f.press, false);
    fake_server_await(f.server, SPB_KIND_DDEATH, 1);
    spb_device_set_online(f.press, true);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 2);
    spb_device *robot = spb_node_add_device(f.node, "Robot", NULL);
    ck_assert_ptr_nonnull(robot);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 3);
    ck_assert_ptr_nonnull(spb_device_add_metric(robot, &(spb_metric_def){.name = "Axis", .value = spb_float(1)}, NULL));
    fake_server_await(f.server, SPB_KIND_DBIRTH, 4);
    spb_node_rebirth(f.node);
    fake_server_await(f.server, SPB_KIND_NBIRTH, 2);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 6);
}
END_TEST

START_TEST(devices_metrics_and_templates_may_be_removed_while_it_runs) {
    const spb_payload_metric member = {.name = spb_str_from("rpm"), .value = spb_int32(0)};
    const spb_template motor = {.is_definition = true, .metrics = &member, .metric_count = 1};
    const spb_template instance = {.template_ref = spb_str_from("Motor"), .metrics = &member, .metric_count = 1};
    node_fixture_make(&f);
    ck_assert_int_eq(spb_node_add_template(f.node, "Motor", &motor, NULL), SPB_OK);
    spb_metric *main_motor = spb_device_add_metric(
        f.press, &(spb_metric_def){.name = "Main motor", .value = spb_template_value(&instance)}, NULL);
    ck_assert_ptr_nonnull(main_motor);
    node_fixture_start(&f);
    ck_assert_int_eq(spb_node_remove_template(f.node, "Motor", NULL), SPB_ERR_STATE);
    spb_metric_remove(main_motor);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 2);
    ck_assert_int_eq(spb_node_remove_template(f.node, "Motor", NULL), SPB_OK);
    fake_server_await(f.server, SPB_KIND_NBIRTH, 2);
    spb_metric_remove(f.counter);
    fake_server_await(f.server, SPB_KIND_NBIRTH, 3);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 4);
    ck_assert_ptr_null(spb_node_find_metric(f.node, "Counter"));
    spb_device_remove(f.press);
    fake_server_await(f.server, SPB_KIND_DDEATH, 1);
    ck_assert_ptr_null(spb_node_find_device(f.node, "Press"));
}
END_TEST

static spb_status remove_own_device(spb_metric *metric, spb_value *value, void *user) {
    (void)value, (void)user;
    spb_device_remove(spb_metric_device(metric));
    ck_assert_str_eq(spb_metric_name(metric), "Setpoint");
    return SPB_OK;
}

START_TEST(a_write_may_remove_its_own_device) {
    f.on_write = remove_own_device;
    node_fixture_make(&f);
    node_fixture_start(&f);
    node_fixture_command(&f, "Press", "Setpoint", spb_double(100));
    fake_server_await(f.server, SPB_KIND_DDEATH, 1);
    ck_assert_ptr_null(spb_node_find_device(f.node, "Press"));
}
END_TEST

/* The worker sleeps until the batch window ends, an hour from now; a full batch must not wait for that. */
START_TEST(a_full_batch_does_not_wait_for_the_window) {
    f.options.batch_window_ms = 3600000;
    f.options.batch_max_bytes = 200;
    node_fixture_make(&f);
    node_fixture_start(&f);
    spb_metric_update(f.counter, spb_int32(1), SPB_NOW); /* its window is the first to end */
    for (int i = 0; i < 50; i++) {
        spb_metric_update(f.setpoint, spb_double(i), SPB_NOW);
    }
    fake_server_await(f.server, SPB_KIND_DDATA, 1);
    ck_assert_uint_eq(fake_server_count(f.server, SPB_KIND_NDATA), 0);
}
END_TEST

START_TEST(without_a_window_each_sample_leaves_at_once) {
    f.options.batch_window_ms = 0;
    node_fixture_make(&f);
    node_fixture_start(&f);
    for (size_t i = 1; i <= 20; i++) {
        spb_metric_update(f.counter, spb_int32((int32_t)i), SPB_NOW);
        fake_server_await(f.server, SPB_KIND_NDATA, i);
    }
    int32_t arrived = 0;
    const fake_message *message;
    for (size_t i = 0; (message = fake_server_message(f.server, i)) != NULL; i++) {
        if (strstr(message->topic, "/NDATA/")) {
            spb_payload *payload;
            ck_assert_int_eq(spb_payload_decode(&payload, (spb_bytes){message->payload, message->len}, NULL, NULL),
                             SPB_OK);
            ck_assert_uint_eq(payload->metric_count, 1);
            ck_assert_int_eq(payload->metrics[0].value.as.i64, ++arrived);
            spb_payload_free(payload);
        }
    }
    ck_assert_int_eq(arrived, 20);
}
END_TEST

/* ---- commands ---- */

static spb_status accept_write(spb_metric *metric, spb_value *value, void *user) {
    (void)metric, (void)user;
    value->as.f64 = value->as.f64 > 200 ? 200 : value->as.f64;
    return value->as.f64 < 50 ? SPB_ERR_REFUSED : SPB_OK;
}

static double setpoint_now(void) {
    spb_value value;
    ck_assert_int_eq(spb_metric_read(f.setpoint, &value, NULL), SPB_OK);
    return value.as.f64;
}

START_TEST(writes_are_accepted_changed_or_refused_by_the_application) {
    spb_stats stats;
    f.on_write = accept_write;
    node_fixture_make(&f);
    node_fixture_start(&f);
    node_fixture_command(&f, "Press", "Setpoint", spb_double(190));
    fake_server_await(f.server, SPB_KIND_DDATA, 1);
    ck_assert_double_eq(setpoint_now(), 190);
    node_fixture_command(&f, "Press", "Setpoint", spb_double(215));
    fake_server_await(f.server, SPB_KIND_DDATA, 2);
    ck_assert_double_eq(setpoint_now(), 200);
    node_fixture_command(&f, "Press", "Setpoint", spb_double(30));
    node_fixture_command(&f, "Press", "Setpoint", spb_double(60)); /* commands keep their order */
    fake_server_await(f.server, SPB_KIND_DDATA, 3);
    ck_assert_double_eq(setpoint_now(), 60);
    spb_node_stats(f.node, &stats);
    ck_assert_uint_eq(stats.commands_accepted, 3);
    ck_assert_uint_eq(stats.commands_refused, 1);
}
END_TEST

START_TEST(what_no_writable_metric_takes_is_told_to_the_application) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    node_fixture_command(&f, NULL, "Nonsense", spb_int32(1));
    node_fixture_await_commands(&f, 1);
    ck_assert_int_eq(f.last_command, SPB_ERR_NOT_FOUND);
    node_fixture_command(&f, NULL, "Counter", spb_int32(1));
    node_fixture_await_commands(&f, 2);
    ck_assert_int_eq(f.last_command, SPB_ERR_REFUSED);
}
END_TEST

static void on_birth_too_large(spb_node *node, const spb_birth_too_large *birth, void *user) {
    (void)node;
    node_fixture *self = user;
    pthread_mutex_lock(&self->lock);
    self->too_large = *birth;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

START_TEST(a_birth_that_is_too_large_is_told_to_the_application) {
    f.options.on_birth_too_large = on_birth_too_large;
    f.options.max_message_bytes = 500;
    node_fixture_make(&f);
    char text[501] = "";
    memset(text, 'x', sizeof text - 1);
    spb_metric_def def = {.name = "text", .value = spb_string("")};
    spb_metric *metric = spb_device_add_metric(f.press, &def, NULL);
    ck_assert_ptr_nonnull(metric);
    node_fixture_start(&f);
    spb_metric_update(metric, spb_string(text), SPB_NOW);
    spb_node_rebirth(f.node);
    pthread_mutex_lock(&f.lock);
    while (f.too_large.bytes == 0) {
        pthread_cond_wait(&f.changed, &f.lock);
    }
    ck_assert_uint_gt(f.too_large.bytes, 500);
    ck_assert_uint_eq(f.too_large.max_bytes, 500);
    ck_assert_ptr_null(f.too_large.server);
    ck_assert(f.too_large.is_everywhere);
    pthread_mutex_unlock(&f.lock);
    spb_error err;
    ck_assert_int_eq(spb_node_stop(f.node, 5000), SPB_OK);
    ck_assert_int_eq(spb_node_start(f.node, &err), SPB_ERR_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.text, "the DBIRTH of Press is a packet of "));
    spb_metric_remove(metric);
    ck_assert_int_eq(spb_node_start(f.node, &err), SPB_OK);
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, node_fixture_seen(&f, SPB_SESSION_ONLINE) + 1);
}
END_TEST

START_TEST(a_rebirth_request_brings_all_births_again) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    node_fixture_command(&f, NULL, "Node Control/Rebirth", spb_boolean(true));
    fake_server_await(f.server, SPB_KIND_NBIRTH, 2);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 2);
    ck_assert_uint_eq(fake_server_connects(f.server), 1);
}
END_TEST

/* Every call but stop and free may be made in a callback: none of them may meet a lock that is held. */
static spb_status call_everything(spb_metric *metric, spb_value *value, void *user) {
    (void)value;
    node_fixture *self = user;
    spb_stats stats;
    spb_value kept;
    spb_node_stats(self->node, &stats);
    ck_assert_int_eq(spb_metric_read(metric, &kept, NULL), SPB_OK);
    ck_assert_int_eq(spb_metric_update(self->counter, spb_int32(99), SPB_NOW), SPB_OK);
    ck_assert_ptr_nonnull(
        spb_node_add_metric(self->node, &(spb_metric_def){.name = "Added", .value = spb_boolean(true)}, NULL));
    ck_assert_ptr_eq(spb_node_find_device(self->node, "Press"), spb_metric_device(metric));
    ck_assert_ptr_nonnull(spb_node_add_device(self->node, "Late", NULL));
    spb_device_set_online(self->press, true);
    spb_node_rebirth(self->node);
    ck_assert_int_eq(spb_node_start(self->node, NULL), SPB_ERR_STATE);
    ck_assert_int_eq(spb_node_stop(self->node, 1000), SPB_ERR_STATE);
    return SPB_OK;
}

START_TEST(callbacks_may_call_the_node) {
    f.on_write = call_everything;
    node_fixture_make(&f);
    node_fixture_start(&f);
    node_fixture_command(&f, "Press", "Setpoint", spb_double(190));
    fake_server_await(f.server, SPB_KIND_NBIRTH, 2);
    fake_server_await(f.server, SPB_KIND_DDATA, 1);
    ck_assert_ptr_nonnull(spb_node_find_metric(f.node, "Added"));
    ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_OK);
}
END_TEST

/* ---- logging ---- */

START_TEST(the_log_callback_gets_no_more_than_it_wants) {
    f.options.log_level = SPB_LOG_WARNING;
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_lose(f.server);
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, 2);
    node_fixture_free_node(&f);
    ck_assert_uint_gt(f.log_lines[SPB_LOG_WARNING], 0);
    ck_assert_uint_eq(f.log_lines[SPB_LOG_INFO], 0);
}
END_TEST

START_TEST(without_callbacks_it_runs_as_well) {
    f.options.on_state = NULL;
    f.options.on_command = NULL;
    f.options.on_log = NULL;
    node_fixture_make(&f);
    ck_assert_int_eq(spb_node_start(f.node, NULL), SPB_OK);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 1);
    node_fixture_command(&f, NULL, "Nonsense", spb_int32(1));
    node_fixture_command(&f, NULL, "Node Control/Rebirth", spb_boolean(true));
    fake_server_await(f.server, SPB_KIND_DBIRTH, 2);
}
END_TEST

/* ---- connections ---- */

START_TEST(a_lost_connection_comes_back) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    for (size_t i = 2; i < 6; i++) {
        fake_server_lose(f.server);
        node_fixture_await_state(&f, SPB_SESSION_ONLINE, i);
    }
    ck_assert_uint_eq(fake_server_connects(f.server), 5);
}
END_TEST

START_TEST(a_refused_connection_is_tried_again) {
    fake_server_welcome(f.server, FAKE_REFUSE);
    node_fixture_make(&f);
    ck_assert_int_eq(spb_node_start(f.node, NULL), SPB_OK);
    fake_server_await_connects(f.server, 3);
    fake_server_welcome(f.server, FAKE_ACCEPT);
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, 1);
}
END_TEST

START_TEST(a_message_that_is_not_taken_ends_the_connection_so_that_no_number_is_missing) {
    node_fixture_make(&f);
    node_fixture_start(&f);
    fake_server_refuse_publish(f.server);
    spb_metric_update(f.counter, spb_int32(1), SPB_NOW);
    node_fixture_await_state(&f, SPB_SESSION_ONLINE, 2);
    ck_assert_uint_eq(fake_server_connects(f.server), 2);
}
END_TEST

/* ---- the store ---- */

static uint64_t bdseq_of_birth(size_t wanted) {
    const fake_message *message;
    for (size_t i = 0; (message = fake_server_message(f.server, i)) != NULL; i++) {
        if (strstr(message->topic, "/NBIRTH/") && wanted-- == 0) {
            spb_payload *payload;
            uint64_t bdseq = wire_metric(message, "bdSeq", &payload).as.u64;
            spb_payload_free(payload);
            return bdseq;
        }
    }
    ck_abort_msg("there is no such NBIRTH");
    return 0;
}

START_TEST(the_bdseq_goes_on_after_a_restart_with_a_store_file) {
    char path[] = "/tmp/spb-node-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(path));
    char file[64];
    snprintf(file, sizeof file, "%s/node.spb", path);
    f.options.store_path = file;
    for (size_t run = 0; run < 3; run++) {
        node_fixture_make(&f);
        node_fixture_start(&f);
        ck_assert_int_eq(spb_node_stop(f.node, 60000), SPB_OK);
        node_fixture_free_node(&f);
    }
    ck_assert_uint_eq(bdseq_of_birth(1), bdseq_of_birth(0) + 1);
    ck_assert_uint_eq(bdseq_of_birth(2), bdseq_of_birth(0) + 2);
    ck_assert_int_eq(unlink(file), 0);
    snprintf(file, sizeof file, "%s/node.spb-wal", path); /* it keeps its room */
    unlink(file);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(the_bdseq_of_a_store_of_ones_own_is_used_and_saved_before_connecting) {
    fake_store store;
    fake_store_init(&store);
    store.has_bdseq = true;
    store.bdseq = 255;
    f.options.store = &store.store;
    node_fixture_make(&f);
    node_fixture_start(&f);
    ck_assert_uint_eq(bdseq_of_birth(0), 0);
    node_fixture_free_node(&f);
    ck_assert_uint_eq(store.bdseq, 0);
    ck_assert_uint_eq(store.freed, 1);
}
END_TEST

START_TEST(a_store_that_fails_is_logged_and_the_node_goes_on) {
    fake_store store;
    fake_store_init(&store);
    store.fails_save = true;
    f.options.store = &store.store;
    node_fixture_make(&f);
    node_fixture_start(&f);
    node_fixture_free_node(&f);
    ck_assert_uint_ge(f.log_lines[SPB_LOG_WARNING] + f.log_lines[SPB_LOG_ERROR], 1);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("node");
    TCase *tests = tcase_create("node");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, wrong_options_are_refused_with_a_text_and_leave_nothing);
    tcase_add_test(tests, each_server_of_the_list_is_checked);
    tcase_add_test(tests, no_options_are_refused);
    tcase_add_test(tests, a_store_that_cannot_be_read_is_an_error);
    tcase_add_test(tests, a_wrong_option_leaves_no_store_file);
    tcase_add_test(tests, a_node_that_was_never_started_can_be_freed);
    tcase_add_test(tests, births_data_and_death_go_out_in_this_order);
    tcase_add_test(tests, stats_count_what_happened);
    tcase_add_test(tests, values_can_be_read_and_handles_found);
    tcase_add_test(tests, devices_and_metrics_may_come_and_go_while_it_runs);
    tcase_add_test(tests, devices_metrics_and_templates_may_be_removed_while_it_runs);
    tcase_add_test(tests, a_write_may_remove_its_own_device);
    tcase_add_test(tests, a_full_batch_does_not_wait_for_the_window);
    tcase_add_test(tests, without_a_window_each_sample_leaves_at_once);
    tcase_add_test(tests, writes_are_accepted_changed_or_refused_by_the_application);
    tcase_add_test(tests, what_no_writable_metric_takes_is_told_to_the_application);
    tcase_add_test(tests, a_birth_that_is_too_large_is_told_to_the_application);
    tcase_add_test(tests, a_rebirth_request_brings_all_births_again);
    tcase_add_test(tests, callbacks_may_call_the_node);
    tcase_add_test(tests, the_log_callback_gets_no_more_than_it_wants);
    tcase_add_test(tests, without_callbacks_it_runs_as_well);
    tcase_add_test(tests, a_lost_connection_comes_back);
    tcase_add_test(tests, a_refused_connection_is_tried_again);
    tcase_add_test(tests, a_message_that_is_not_taken_ends_the_connection_so_that_no_number_is_missing);
    tcase_add_test(tests, the_bdseq_goes_on_after_a_restart_with_a_store_file);
    tcase_add_test(tests, the_bdseq_of_a_store_of_ones_own_is_used_and_saved_before_connecting);
    tcase_add_test(tests, a_store_that_fails_is_logged_and_the_node_goes_on);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
