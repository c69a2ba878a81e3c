/* Changes at run time: what is removed, template definitions, and the births that tell hosts. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/wire.h"

static wire w;
static spb_device *press;
static spb_metric *x, *y, *level;

/* A node with `level`, and a device Press with x and y; online. */
static void setup(void) {
    wire_open(&w, NULL);
    level = wire_add_metric(&w, NULL, "level", spb_int32(0));
    press = wire_add_device(&w, "Press");
    x = wire_add_metric(&w, press, "x", spb_int32(0));
    y = wire_add_metric(&w, press, "y", spb_int32(0));
    wire_go_online(&w);
}

static void teardown(void) {
    wire_close(&w);
}

static void remove_metric(spb_metric *metric) {
    spb_session_remove_metric(w.session, metric, w.now);
}

static void remove_device(spb_device *device) {
    spb_session_remove_device(w.session, device, w.now);
}

static bool has(spb_kind kind, const char *name) {
    return spb_payload_find(wire_last(&w, kind)->payload, name) != NULL;
}

static void assert_balance(void) {
    spb_stats s = wire_stats(&w);
    ck_assert_uint_eq(s.samples_accepted, s.samples_published + s.samples_dropped_offline + s.samples_dropped_overflow +
                                              s.samples_dropped_lost);
}

/* ---- metrics ---- */

START_TEST(a_removed_metric_of_a_device_brings_its_dbirth) {
    remove_metric(x);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DBIRTH/Press 2");
    ck_assert(!has(SPB_KIND_DBIRTH, "x") && has(SPB_KIND_DBIRTH, "y"));
    ck_assert_ptr_null(spb_session_find_metric(w.session, press, "x"));
}
END_TEST

START_TEST(a_removed_metric_of_the_node_brings_all_births) {
    remove_metric(level);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/Press 1");
    ck_assert(!has(SPB_KIND_NBIRTH, "level"));
}
END_TEST

START_TEST(removals_and_additions_share_a_birth) {
    remove_metric(x);
    wire_sleep(&w, 20);
    remove_metric(y);
    wire_add_metric(&w, press, "z", spb_int32(0));
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DBIRTH/Press 2");
    ck_assert_uint_eq(wire_last(&w, SPB_KIND_DBIRTH)->payload->metric_count, 1);
}
END_TEST

START_TEST(samples_that_wait_leave_before_the_birth_without_their_metric) {
    wire_update(&w, x, spb_int32(1));
    wire_update(&w, y, spb_int32(2));
    uint64_t alias = spb_metric_alias(x);
    remove_metric(x);
    spb_session_rebirth(w.session, w.now);
    wire_update(&w, y, spb_int32(3));
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DDATA/Press 2, NBIRTH 0, DBIRTH/Press 1, DDATA/Press 2");
    ck_assert_uint_eq(w.messages[0].payload->metric_count, 2);
    ck_assert_uint_eq(w.messages[0].payload->metrics[0].alias, alias);
    ck_assert_uint_eq(w.messages[3].payload->metric_count, 1);
    assert_balance();
}
END_TEST

START_TEST(the_samples_leave_first_on_a_slow_link_too) {
    wire_close(&w);
    spb_session_options options = wire_options();
    options.batch_window_ms = 0;
    options.batch_max_bytes = 10; /* one sample each */
    options.max_in_flight = 1;
    wire_open(&w, &options);
    level = wire_add_metric(&w, NULL, "level", spb_int32(0));
    wire_go_online(&w);
    w.is_silent = true;
    for (int i = 0; i < 4; i++) {
        wire_update(&w, level, spb_int32(i));
    }
    wire_run(&w);
    remove_metric(level);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NDATA 1");
    for (int i = 0; i < 4; i++) {
        wire_published(&w, 1);
        wire_run(&w);
    }
    ck_assert_str_eq(w.ledger, "NDATA 1, NDATA 2, NDATA 3, NDATA 4, NBIRTH 0");
    assert_balance();
}
END_TEST

/* Its DBIRTH of this round is not out, so nothing can be sent for it; and that birth will not know the alias. */
START_TEST(samples_of_a_metric_removed_during_the_births_are_counted) {
    wire_update(&w, x, spb_int32(1));
    spb_session_rebirth(w.session, w.now);
    ck_assert(wire_step(&w)); /* NBIRTH */
    remove_metric(x);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/Press 1");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 1);
    assert_balance();
}
END_TEST

START_TEST(an_alias_is_never_given_twice) {
    uint64_t highest = spb_metric_alias(y);
    remove_metric(y);
    spb_metric *again = wire_add_metric(&w, press, "y", spb_int32(0));
    ck_assert_uint_gt(spb_metric_alias(again), highest);
    wire_sleep(&w, 50);
    wire_update(&w, again, spb_int32(1));
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DBIRTH/Press 2, DDATA/Press 3");
    ck_assert_uint_eq(w.messages[1].payload->metrics[0].alias, spb_metric_alias(again));
}
END_TEST

START_TEST(without_a_birth_a_removal_brings_none) {
    wire_lose(&w);
    wire_forget(&w);
    wire_update(&w, x, spb_int32(1));
    remove_metric(x);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_offline, 1);
    assert_balance();
}
END_TEST

static spb_status accept(spb_metric *metric, spb_value *value, void *user) {
    (void)metric, (void)value, (void)user;
    return SPB_OK;
}

/* The handle is still good for the answer. */
START_TEST(a_metric_removed_during_a_write_is_not_published) {
    spb_metric *mode;
    spb_metric_def def = {.name = "Mode", .value = spb_int32(0), .on_write = accept};
    ck_assert_int_eq(spb_session_add_metric(w.session, &mode, press, &def, w.now, NULL), SPB_OK);
    wire_sleep(&w, 50);
    wire_command(&w, "Press", &(spb_payload_metric){.name = spb_str_from("Mode"), .value = spb_int32(1)});
    wire_run(&w);
    ck_assert_ptr_eq(w.written, mode);
    remove_device(press);
    wire_sleep(&w, 1000);
    wire_forget(&w);
    ck_assert_str_eq(spb_metric_name(mode), "Mode");
    spb_value value = spb_int32(1);
    spb_session_on_write_done(w.session, mode, SPB_OK, &value, w.now);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "");
    ck_assert_str_eq(w.logs, "command refused: Press/Mode: SPB_ERR_NOT_FOUND");
}
END_TEST

/* ---- devices ---- */

START_TEST(a_removed_device_sends_its_samples_and_its_ddeath) {
    wire_update(&w, x, spb_int32(1));
    remove_device(press);
    ck_assert_ptr_null(spb_session_find_device(w.session, "Press"));
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DDATA/Press 2, DDEATH/Press 3");
    spb_session_rebirth(w.session, w.now);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "DDATA/Press 2, DDEATH/Press 3, NBIRTH 0");
    assert_balance();
}
END_TEST

START_TEST(a_device_of_the_same_id_is_born_after_the_ddeath) {
    remove_device(press);
    spb_device *again = wire_add_device(&w, "Press");
    wire_add_metric(&w, again, "x", spb_int32(7));
    ck_assert_ptr_eq(spb_session_find_device(w.session, "Press"), again);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "DDEATH/Press 2, DBIRTH/Press 3");
}
END_TEST

START_TEST(also_when_it_is_replaced_during_the_births) {
    wire_add_device(&w, "Saw");
    wire_sleep(&w, 50);
    wire_forget(&w);
    spb_session_rebirth(w.session, w.now);
    while (wire_step(&w) && !strstr(w.ledger, "DBIRTH/Press")) {
    }
    remove_device(press);
    wire_add_device(&w, "Press");
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/Press 1, DBIRTH/Saw 2, DDEATH/Press 3, DBIRTH/Press 4");
}
END_TEST

START_TEST(a_device_removed_before_its_dbirth_has_no_ddeath) {
    spb_device *saw = wire_add_device(&w, "Saw");
    remove_device(saw);
    wire_update(&w, x, spb_int32(1));
    spb_session_rebirth(w.session, w.now);
    ck_assert(wire_step(&w)); /* NBIRTH: Press is not born any more, and is the next to be */
    remove_device(press);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 1);
    assert_balance();
}
END_TEST

START_TEST(a_device_removed_with_its_ddeath_waiting_dies_once) {
    w.is_silent = true;
    spb_session_set_device_online(w.session, press, false, w.now);
    remove_device(press);
    wire_run(&w);
    ck_assert_str_eq(w.ledger, "DDEATH/Press 2");
}
END_TEST

START_TEST(a_connection_lost_before_the_ddeath_forgets_the_device) {
    wire_update(&w, x, spb_int32(1));
    remove_device(press);
    wire_lose(&w);
    wire_sleep(&w, 2000);
    ck_assert_str_eq(w.ledger, "CLOSE, SAVE 1, CONNECT 1, SUBSCRIBE, NBIRTH 0");
    ck_assert_uint_eq(wire_stats(&w).samples_dropped_lost, 1);
    assert_balance();
}
END_TEST

START_TEST(many_come_and_go) {
    for (int round = 0; round < 50; round++) {
        spb_device *devices[20];
        char id[16];
        for (int i = 0; i < 20; i++) {
            snprintf(id, sizeof id, "d%d", i);
            devices[i] = wire_add_device(&w, id);
            wire_add_metric(&w, devices[i], "a", spb_int32(i));
            spb_metric *b = wire_add_metric(&w, devices[i], "b", spb_int32(i));
            if (i % 3 == 0) {
                remove_metric(b);
            }
        }
        wire_sleep(&w, round % 2 ? 50 : 0);
        for (int i = 0; i < 20; i++) {
            remove_device(devices[(i * 7) % 20]);
        }
        wire_sleep(&w, 50);
        wire_forget(&w);
    }
    ck_assert_ptr_eq(spb_session_find_metric(w.session, press, "x"), x);
    ck_assert_ptr_null(spb_session_find_device(w.session, "d3"));
}
END_TEST

/* ---- templates ---- */

static const spb_payload_metric motor_members[] = {
    {.name = {"rpm", 3}, .value = {.type = SPB_INT32, .is_null = true}},
    {.name = {"amps", 4}, .value = {.type = SPB_DOUBLE, .is_null = true}}};
static const spb_parameter motor_parameters[] = {
    {.name = {"maker", 5}, .value = {.type = SPB_STRING, .is_null = true}}};
static const spb_template motor = {.is_definition = true,
                                   .metrics = motor_members,
                                   .metric_count = 2,
                                   .parameters = motor_parameters,
                                   .parameter_count = 1};

static spb_status add_template(const char *name, const spb_template *definition, spb_error *err) {
    return spb_session_add_template(w.session, name, definition, w.now, err);
}

static spb_status add_instance(spb_metric **metric, const spb_template *instance, spb_error *err) {
    spb_metric_def def = {.name = "Motor 1", .value = spb_template_value(instance)};
    return spb_session_add_metric(w.session, metric, press, &def, w.now, err);
}

/* tck-id-topics-nbirth-templates, tck-id-payloads-template-definition-nbirth, …-is-definition, …-ref */
START_TEST(a_definition_stands_in_the_nbirth) {
    spb_error err;
    ck_assert_msg(add_template("Motor", &motor, &err) == SPB_OK, "%s", err.text);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/Press 1");
    const spb_payload_metric *born = spb_payload_find(wire_last(&w, SPB_KIND_NBIRTH)->payload, "Motor");
    ck_assert(born && born->value.type == SPB_TEMPLATE && !born->has_alias);
    ck_assert(born->value.as.tmpl->is_definition && !born->value.as.tmpl->template_ref.data);
    ck_assert_uint_eq(born->value.as.tmpl->metric_count, 2);
    ck_assert_uint_eq(born->value.as.tmpl->parameter_count, 1);
    ck_assert(!has(SPB_KIND_DBIRTH, "Motor"));
    ck_assert_ptr_null(spb_session_find_metric(w.session, NULL, "Motor"));
    ck_assert_int_eq(add_template("Motor", &motor, NULL), SPB_ERR_EXISTS);
}
END_TEST

/* tck-id-payloads-template-instance-is-definition, …-instance-ref, …-instance-members, …-instance-members-birth */
START_TEST(an_instance_is_true_to_its_definition) {
    spb_error err;
    spb_metric *metric;
    spb_payload_metric members[3] = {motor_members[1], motor_members[0], motor_members[0]};
    spb_template instance = {.template_ref = spb_str_from("Motor"), .metrics = members, .metric_count = 2};
    ck_assert_int_eq(add_instance(&metric, &instance, &err), SPB_ERR_NOT_FOUND);
    ck_assert_str_eq(err.text, "template Motor is not defined");
    ck_assert_ptr_null(metric);
    ck_assert_int_eq(add_template("Motor", &motor, NULL), SPB_OK);
    ck_assert_int_eq(add_instance(&metric, &motor, &err), SPB_ERR_TYPE);
    instance.metric_count = 1;
    ck_assert_int_eq(add_instance(&metric, &instance, &err), SPB_ERR_ARGUMENT);
    ck_assert_str_eq(err.text, "missing member: rpm, of template Motor");
    instance.metric_count = 3;
    members[2].name = spb_str_from("volts");
    ck_assert_int_eq(add_instance(&metric, &instance, &err), SPB_ERR_NOT_FOUND);
    ck_assert_str_eq(err.text, "no such member: volts, of template Motor");
    instance.metric_count = 2;
    ck_assert_msg(add_instance(&metric, &instance, &err) == SPB_OK, "%s", err.text);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/Press 1");
    const spb_template *born = spb_payload_find(wire_last(&w, SPB_KIND_DBIRTH)->payload, "Motor 1")->value.as.tmpl;
    ck_assert(!born->is_definition && born->has_is_definition);
    ck_assert(spb_str_equal(born->template_ref, spb_str_from("Motor")));
    instance.metric_count = 3;
    ck_assert_int_eq(wire_update(&w, metric, spb_template_value(&instance)), SPB_ERR_NOT_FOUND);
    instance.metric_count = 2;
    ck_assert_int_eq(wire_update(&w, metric, spb_template_value(&instance)), SPB_OK);
    ck_assert_int_eq(wire_update(&w, metric, spb_null(SPB_TEMPLATE)), SPB_OK);
}
END_TEST

/* tck-id-payloads-template-instance-parameters */
START_TEST(an_instance_has_no_parameters_of_its_own) {
    spb_error err;
    spb_metric *metric;
    spb_parameter parameters[] = {{.name = spb_str_from("maker"), .value = spb_string("ACME")},
                                  {.name = spb_str_from("colour"), .value = spb_string("red")}};
    spb_template instance = {.template_ref = spb_str_from("Motor"),
                             .metrics = motor_members,
                             .metric_count = 2,
                             .parameters = parameters,
                             .parameter_count = 2};
    ck_assert_int_eq(add_template("Motor", &motor, NULL), SPB_OK);
    ck_assert_int_eq(add_instance(&metric, &instance, &err), SPB_ERR_NOT_FOUND);
    ck_assert_str_eq(err.text, "no such parameter: colour, of template Motor");
    instance.parameter_count = 1;
    ck_assert_int_eq(add_instance(&metric, &instance, NULL), SPB_OK);
}
END_TEST

START_TEST(templates_within_templates_are_checked_too) {
    spb_error err;
    spb_template inner = {.template_ref = spb_str_from("Motor"), .metrics = motor_members, .metric_count = 2};
    spb_payload_metric member = {.name = spb_str_from("motor"), .value = spb_template_value(&inner)};
    spb_template line = {.is_definition = true, .metrics = &member, .metric_count = 1};
    ck_assert_int_eq(add_template("Line", &line, &err), SPB_ERR_NOT_FOUND);
    ck_assert_int_eq(add_template("Motor", &motor, NULL), SPB_OK);
    ck_assert_int_eq(add_template("Line", &line, NULL), SPB_OK);
    ck_assert_int_eq(spb_session_remove_template(w.session, "Motor", w.now, &err), SPB_ERR_STATE);
    ck_assert_str_eq(err.text, "template Motor is in use: by metric Line");
}
END_TEST

START_TEST(a_definition_in_use_cannot_be_removed) {
    spb_error err;
    spb_metric *metric;
    spb_template instance = {.template_ref = spb_str_from("Motor"), .metrics = motor_members, .metric_count = 2};
    ck_assert_int_eq(add_template("Motor", &motor, NULL), SPB_OK);
    ck_assert_int_eq(add_instance(&metric, &instance, NULL), SPB_OK);
    ck_assert_int_eq(spb_session_remove_template(w.session, "Motor", w.now, &err), SPB_ERR_STATE);
    ck_assert_str_eq(err.text, "template Motor is in use: by metric Press/Motor 1");
    ck_assert_int_eq(spb_session_remove_template(w.session, "level", w.now, NULL), SPB_ERR_NOT_FOUND);
    wire_sleep(&w, 50);
    wire_forget(&w);
    remove_metric(metric);
    ck_assert_int_eq(spb_session_remove_template(w.session, "Motor", w.now, NULL), SPB_OK);
    wire_sleep(&w, 1000);
    ck_assert_str_eq(w.ledger, "NBIRTH 0, DBIRTH/Press 1");
    ck_assert(!has(SPB_KIND_NBIRTH, "Motor"));
}
END_TEST

START_TEST(only_a_definition_is_one) {
    spb_template instance = {.template_ref = spb_str_from("Motor"), .metrics = motor_members, .metric_count = 2};
    spb_template both = motor;
    both.template_ref = spb_str_from("Motor");
    ck_assert_int_eq(add_template("Motor", NULL, NULL), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(add_template("Motor", &instance, NULL), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(add_template("Motor", &both, NULL), SPB_ERR_ARGUMENT);
}
END_TEST

int main(void) {
    TCase *all = tcase_create("session_changes");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_removed_metric_of_a_device_brings_its_dbirth);
    tcase_add_test(all, a_removed_metric_of_the_node_brings_all_births);
    tcase_add_test(all, removals_and_additions_share_a_birth);
    tcase_add_test(all, samples_that_wait_leave_before_the_birth_without_their_metric);
    tcase_add_test(all, the_samples_leave_first_on_a_slow_link_too);
    tcase_add_test(all, samples_of_a_metric_removed_during_the_births_are_counted);
    tcase_add_test(all, an_alias_is_never_given_twice);
    tcase_add_test(all, without_a_birth_a_removal_brings_none);
    tcase_add_test(all, a_metric_removed_during_a_write_is_not_published);
    tcase_add_test(all, a_removed_device_sends_its_samples_and_its_ddeath);
    tcase_add_test(all, a_device_of_the_same_id_is_born_after_the_ddeath);
    tcase_add_test(all, also_when_it_is_replaced_during_the_births);
    tcase_add_test(all, a_device_removed_before_its_dbirth_has_no_ddeath);
    tcase_add_test(all, a_device_removed_with_its_ddeath_waiting_dies_once);
    tcase_add_test(all, a_connection_lost_before_the_ddeath_forgets_the_device);
    tcase_add_test(all, many_come_and_go);
    tcase_add_test(all, a_definition_stands_in_the_nbirth);
    tcase_add_test(all, an_instance_is_true_to_its_definition);
    tcase_add_test(all, an_instance_has_no_parameters_of_its_own);
    tcase_add_test(all, templates_within_templates_are_checked_too);
    tcase_add_test(all, a_definition_in_use_cannot_be_removed);
    tcase_add_test(all, only_a_definition_is_one);
    Suite *suite = suite_create("session_changes");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
