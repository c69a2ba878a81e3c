/* Fences: what the answer of a real mosquitto proves, in both versions of MQTT. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/mqtt_client.h"
#include "support/suite.h"

static const spb_mqtt_version versions[] = {SPB_MQTT_3_1_1, SPB_MQTT_5};

static broker *server;
static client *edge;

static void setup_version(spb_mqtt_version version) {
    server = broker_new();
    broker_start(server);
    edge = client_new(&(spb_mqtt_options){.version = version});
}

static void teardown(void) {
    client_free(edge);
    broker_free(server);
}

static spb_status ask(client *self, uint32_t link, spb_fence_form form) {
    static const spb_subscription items[SPB_FENCE_FORMS] = {
        {.filter = "/fence"}, {.filter = "echo", .qos = 1}, {.filter = "echo/-"}};
    return self->transport->fence(self->transport, link, form, &items[form], NULL);
}

static spb_status fence(client *self, uint32_t link) {
    return ask(self, link, SPB_FENCE_FORM_UNSUBSCRIBE);
}

/* A server answers the packets of a connection in order: what the watcher has been sent is before the answer to its own
 * fence. */
START_TEST(an_answer_proves_that_all_was_read) {
    enum { COUNT = 1000 };
    setup_version(versions[_i]);
    client *watcher = watcher_new(server);
    connect_to(edge, server, "edge", 1);
    char text[100];
    memset(text, 'x', sizeof text);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%u", i);
        ck_assert_int_eq(publish(edge, 1, "n", text, 0, false), SPB_OK);
    }
    ck_assert_int_eq(fence(edge, 1), SPB_OK);
    await(edge, SPB_TRANSPORT_FENCED, 1);
    ck_assert_uint_eq(edge->published, COUNT);
    ck_assert_int_eq(fence(watcher, 1000), SPB_OK);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%u", i);
        await_message(watcher, 1000, "n", text);
    }
    await(watcher, SPB_TRANSPORT_FENCED, 1000);
    client_free(watcher);
    teardown();
}
END_TEST

START_TEST(several_are_answered_in_order_with_the_rest) {
    setup_version(versions[_i]);
    connect_to(edge, server, "edge", 1);
    subscribe(edge, 1, "echo");
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_int_eq(publish(edge, 1, "echo", "x", 0, false), SPB_OK);
        ck_assert_int_eq(fence(edge, 1), SPB_OK);
    }
    for (unsigned i = 0; i < 8; i++) {
        await_message(edge, 1, "echo", "x");
        await(edge, SPB_TRANSPORT_FENCED, 1);
    }
    teardown();
}
END_TEST

/* Each with its own form, and the subscription that is made once more brings the messages as before. */
START_TEST(every_form_is_answered_in_order_with_the_rest) {
    setup_version(versions[_i]);
    connect_to(edge, server, "edge", 1);
    subscribe(edge, 1, "echo");
    for (unsigned i = 0; i < 12; i++) {
        spb_fence_form form = (spb_fence_form)(i % SPB_FENCE_FORMS);
        ck_assert_int_eq(publish(edge, 1, "echo", "x", 0, false), SPB_OK);
        ck_assert_int_eq(ask(edge, 1, form), SPB_OK);
        await_message(edge, 1, "echo", "x");
        ck_assert_int_eq(await(edge, SPB_TRANSPORT_FENCED, 1).event.fence, form);
    }
    ck_assert_uint_eq(unread(edge), 0);
    teardown();
}
END_TEST

/* mosquitto sends them again for each SUBSCRIBE of MQTT 3.1.1; in MQTT 5 it can be told not to. */
START_TEST(a_subscription_that_is_made_once_more_brings_no_retained_messages_in_mqtt_5) {
    setup_version(SPB_MQTT_5);
    connect_to(edge, server, "edge", 1);
    ck_assert_int_eq(publish(edge, 1, "echo", "x", 1, true), SPB_OK);
    subscribe(edge, 1, "echo");
    await_message(edge, 1, "echo", "x");
    ck_assert_int_eq(ask(edge, 1, SPB_FENCE_FORM_SUBSCRIBE), SPB_OK);
    await(edge, SPB_TRANSPORT_FENCED, 1);
    ck_assert_int_eq(fence(edge, 1), SPB_OK); /* it would come before this answer */
    await(edge, SPB_TRANSPORT_FENCED, 1);
    ck_assert_uint_eq(unread(edge), 0);
    teardown();
}
END_TEST

START_TEST(a_killed_server_answers_none) {
    setup_version(versions[_i]);
    connect_to(edge, server, "edge", 1);
    broker_freeze(server);
    ck_assert_int_eq(publish(edge, 1, "n", "x", 0, false), SPB_OK);
    ck_assert_int_eq(fence(edge, 1), SPB_OK);
    broker_kill(server);
    await(edge, SPB_TRANSPORT_LOST, 1);
    ck_assert_int_eq(fence(edge, 1), SPB_ERR_CONNECT);
    ck_assert_int_eq(fence(edge, 2), SPB_ERR_CONNECT); /* no such link */
    edge->transport->close(edge->transport, 1);
    ck_assert_uint_eq(unread(edge), 0);
    teardown();
}
END_TEST

START_TEST(a_fence_that_waits_can_be_closed) {
    setup_version(versions[_i]);
    connect_to(edge, server, "edge", 1);
    broker_freeze(server);
    ck_assert_int_eq(fence(edge, 1), SPB_OK);
    edge->transport->close(edge->transport, 1);
    broker_thaw(server);
    connect_to(edge, server, "edge", 2);
    ck_assert_uint_eq(unread(edge), 0);
    teardown();
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mqtt_fence");
    TCase *fences = tcase_create("fences");
    tcase_set_timeout(fences, 100);
    tcase_add_loop_test(fences, an_answer_proves_that_all_was_read, 0, 2);
    tcase_add_loop_test(fences, several_are_answered_in_order_with_the_rest, 0, 2);
    tcase_add_loop_test(fences, every_form_is_answered_in_order_with_the_rest, 0, 2);
    tcase_add_test(fences, a_subscription_that_is_made_once_more_brings_no_retained_messages_in_mqtt_5);
    tcase_add_loop_test(fences, a_killed_server_answers_none, 0, 2);
    tcase_add_loop_test(fences, a_fence_that_waits_can_be_closed, 0, 2);
    suite_add_tcase(suite, fences);
    return suite_run(suite);
}
