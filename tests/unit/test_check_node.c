/* Our own node before the checker: devices and templates that come and go, null and bad values, lost links. The links
 * of a real one are left to tests/integration/test_check.py. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "support/node_fixture.h"
#include "support/suite.h"

static node_fixture f;
static size_t found, messages;

static void setup(void) {
    found = messages = 0;
    node_fixture_init(&f);
    node_fixture_make(&f);
}

static void teardown(void) {
    node_fixture_clear(&f);
}

static void on_finding(const check_finding *finding, void *user) {
    size_t count;
    (void)user;
    found++;
    ck_abort_msg("message %zu of %s: %s (%s)", (size_t)finding->number, finding->source, finding->wrong,
                 check_rules(&count)[finding->rule].id);
}

/* The fake server keeps no subscriptions: they are as integration tests see them. */
static void add_connect(check *c, const fake_message *m, check_event event) {
    event.kind = CHECK_CONNECT;
    event.as.connect.protocol_level = 4;
    event.as.connect.is_clean = true;
    event.as.connect.has_will = true;
    event.as.connect.will = (check_will){spb_str_from(m->topic), {m->payload, m->len}, m->qos, m->retain};
    ck_assert(check_event_add(c, &event));
    event.kind = CHECK_SUBSCRIBE;
    event.as.subscribe.filter = spb_str_from("spBv1.0/+/NCMD/+");
    event.as.subscribe.qos = 1;
    ck_assert(check_event_add(c, &event));
}

/* All that the node has sent to the server. */
static void check_all(void) {
    check *c = check_new(on_finding, NULL);
    const fake_message *m;
    for (size_t i = 0; (m = fake_server_message(f.server, i)) != NULL; i++) {
        check_event event = {
            .number = i + 1, .connection = m->link, .from_client = true, .has_mqtt = true, .kind = CHECK_PUBLISH};
        if (m->is_connect) {
            add_connect(c, m, event);
            continue;
        }
        event.as.publish = (check_will){spb_str_from(m->topic), {m->payload, m->len}, m->qos, m->retain};
        ck_assert(check_event_add(c, &event));
        messages++;
    }
    check_end(c, 0);
    check_free(c);
    ck_assert_uint_eq(found, 0);
}

START_TEST(devices_that_come_and_go_break_no_rule) {
    node_fixture_start(&f);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 1);
    spb_device_set_online(f.press, false);
    fake_server_await(f.server, SPB_KIND_DDEATH, 1);
    ck_assert_int_eq(spb_metric_update(f.counter, spb_int32(1), SPB_NOW), SPB_OK);
    fake_server_await(f.server, SPB_KIND_NDATA, 1);
    spb_device_set_online(f.press, true);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 2);
    ck_assert_int_eq(spb_metric_update(f.setpoint, spb_double(20), SPB_NOW), SPB_OK);
    fake_server_await(f.server, SPB_KIND_DDATA, 1);
    spb_device *second = spb_node_add_device(f.node, "Second", NULL);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 3);
    spb_metric_def def = {.name = "A", .value = spb_null(SPB_STRING)};
    ck_assert_ptr_nonnull(spb_device_add_metric(second, &def, NULL));
    fake_server_await(f.server, SPB_KIND_DBIRTH, 4);
    spb_device_remove(f.press);
    f.press = NULL;
    fake_server_await(f.server, SPB_KIND_DDEATH, 2);
    ck_assert_int_eq(spb_node_stop(f.node, 5000), SPB_OK);
    check_all();
    ck_assert_uint_gt(messages, 9);
}
END_TEST

START_TEST(rebirths_and_lost_links_break_no_rule) {
    node_fixture_start(&f);
    for (size_t i = 1; i <= 3; i++) {
        spb_node_rebirth(f.node);
        fake_server_await(f.server, SPB_KIND_NBIRTH, 2 * i);
        fake_server_await(f.server, SPB_KIND_DBIRTH, 2 * i);
        ck_assert_int_eq(spb_metric_update(f.setpoint, spb_double(20 + (double)i), SPB_NOW), SPB_OK);
        fake_server_await(f.server, SPB_KIND_DDATA, i);
        fake_server_lose(f.server);
        node_fixture_await_state(&f, SPB_SESSION_ONLINE, i + 1);
        fake_server_await(f.server, SPB_KIND_DBIRTH, 2 * i + 1);
    }
    ck_assert_int_eq(spb_node_stop(f.node, 5000), SPB_OK);
    check_all();
    ck_assert_uint_gt(messages, 14);
}
END_TEST

START_TEST(templates_and_properties_break_no_rule) {
    const spb_payload_metric member = {.name = spb_str_from("RPM"), .value = spb_int32(0)};
    const spb_parameter parameter = {spb_str_from("Rated"), spb_float(7.5f)};
    spb_template tmpl = {
        .is_definition = true, .metrics = &member, .metric_count = 1, .parameters = &parameter, .parameter_count = 1};
    ck_assert_int_eq(spb_node_add_template(f.node, "Motor", &tmpl, NULL), SPB_OK);
    tmpl.is_definition = false;
    tmpl.template_ref = spb_str_from("Motor");
    const spb_property quality = {spb_str_from(SPB_PROPERTY_QUALITY), spb_int32(SPB_QUALITY_GOOD)};
    spb_metric_def def = {.name = "M1",
                          .value = spb_template_value(&tmpl),
                          .sends_unchanged = true,
                          .properties = &quality,
                          .property_count = 1};
    spb_metric *motor = spb_device_add_metric(f.press, &def, NULL);
    ck_assert_ptr_nonnull(motor);
    node_fixture_start(&f);
    fake_server_await(f.server, SPB_KIND_DBIRTH, 1);
    ck_assert_int_eq(spb_metric_update(motor, spb_template_value(&tmpl), SPB_NOW), SPB_OK);
    fake_server_await(f.server, SPB_KIND_DDATA, 1);
    ck_assert_int_eq(spb_node_stop(f.node, 5000), SPB_OK);
    check_all();
    ck_assert_uint_ge(messages, 4);
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("check_node");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, devices_that_come_and_go_break_no_rule);
    tcase_add_test(cases, rebirths_and_lost_links_break_no_rule);
    tcase_add_test(cases, templates_and_properties_break_no_rule);
    tcase_set_timeout(cases, 110);
    Suite *suite = suite_create("check_node");
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
