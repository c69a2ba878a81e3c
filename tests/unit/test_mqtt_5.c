/* MQTT 5 against a real mosquitto, and against a server that says what it is told to. */
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/mqtt_client.h"
#include "support/suite.h"

static const spb_mqtt_options mqtt_5 = {.version = SPB_MQTT_5};

static broker *server;
static client *edge;

static void setup(void) {
    server = broker_new();
    edge = client_new(&mqtt_5);
}

static void teardown(void) {
    client_free(edge);
    broker_free(server);
}

static void expect_lost(uint32_t link, spb_status status, const char *words) {
    heard got = await(edge, SPB_TRANSPORT_LOST, link);
    ck_assert_msg(got.event.status == status && strstr(got.reason, words) != NULL, "%s: %s, expected: %s",
                  spb_status_name(got.event.status), got.reason, words);
}

/* ---- connecting ---- */

START_TEST(limits_of_the_server_are_reported) {
    broker_configure(server, "max_packet_size 5000\nmax_inflight_messages 7\nmax_keepalive 20\n");
    broker_start(server);
    start_connect(edge, broker_uri(server), "edge", 1); /* asks for 30 s */
    heard got = await(edge, SPB_TRANSPORT_CONNECTED, 1);
    ck_assert_uint_eq(got.event.max_packet_bytes, 5000);
    ck_assert_uint_eq(got.event.receive_maximum, 7);
    ck_assert_uint_eq(got.event.keep_alive_s, 20);
}
END_TEST

START_TEST(a_wrong_password_is_named) {
    broker_write_file(
        server, "passwords", /* edge, secret */
        "edge:$7$101$Chgnwb43MG2iScMw$tVXIZQNUZsvBqo2V/bAnDJLts879UYwu1ql4WJcH1L+PSFRTzFYWQ12u+3SVjO4FuX5U"
        "TmTOJS3jtR/AB3U05Q==\n");
    broker_configure(server, "allow_anonymous false\npassword_file %s/passwords\n");
    broker_start(server);
    expect_failure(edge, broker_uri(server), 1, SPB_ERR_AUTH, "not authorised (0x87)");
    client *right = client_new(&(spb_mqtt_options){.version = SPB_MQTT_5, .user = "edge", .password = "secret"});
    connect_to(right, server, "right", 1);
    client_free(right);
}
END_TEST

/* ---- the will ---- */

START_TEST(disconnect_lets_the_will_out_when_all_is_written) {
    broker_start(server);
    client *watcher = watcher_new(server);
    connect_to(edge, server, "edge", 1);
    for (int i = 0; i < 64; i++) {
        ck_assert_int_eq(publish(edge, 1, "n", "x", 0, false), SPB_OK);
    }
    ck_assert_int_eq(publish(edge, 1, "last", "x", 1, false), SPB_OK);
    edge->transport->disconnect(edge->transport, 1, 5000);
    await(edge, SPB_TRANSPORT_DISCONNECTED, 1);
    await_published(edge, 65);
    for (int i = 0; i < 64; i++) {
        await_message(watcher, 1000, "n", "x");
    }
    await_message(watcher, 1000, "last", "x");
    await_message(watcher, 1000, "will/edge", "gone");
    client_free(watcher);
}
END_TEST

START_TEST(close_lets_the_will_out) {
    broker_start(server);
    client *watcher = watcher_new(server);
    for (uint32_t link = 1; link <= 10; link++) {
        connect_to(edge, server, "edge", link);
        for (int i = 0; i < 64; i++) {
            ck_assert_int_eq(publish(edge, link, "n", "x", 0, false), SPB_OK);
        }
        edge->transport->close(edge->transport, link);
        heard got;
        do {
            got = await(watcher, SPB_TRANSPORT_MESSAGE, 1000);
        } while (strcmp(got.topic, "n") == 0);
        ck_assert_str_eq(got.topic, "will/edge");
    }
    ck_assert_uint_eq(unread(edge), 0);
    client_free(watcher);
}
END_TEST

/* ---- what the server says when it goes ---- */

START_TEST(a_server_that_ends_the_connection_says_why) {
    broker_configure(server, "max_packet_size 200\n");
    broker_start(server);
    connect_to(edge, server, "edge", 1);
    char text[301];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(publish(edge, 1, "n", text, 0, false), SPB_OK);
    expect_lost(1, SPB_ERR_REFUSED, "the packet is too large (0x95)");
}
END_TEST

/* ---- messages ---- */

START_TEST(larger_packets_are_not_sent_to_us) {
    broker_start(server);
    client *small = client_new(&(spb_mqtt_options){.version = SPB_MQTT_5, .max_packet_bytes = 200});
    connect_to(small, server, "small", 1);
    subscribe(small, 1, "n");
    connect_to(edge, server, "edge", 1);
    char text[301];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_int_eq(publish(edge, 1, "n", text, 0, false), SPB_OK);
    ck_assert_int_eq(publish(edge, 1, "n", "short", 0, false), SPB_OK);
    await_message(small, 1, "n", "short");
    client_free(small);
}
END_TEST

START_TEST(a_stuck_link_can_be_closed) {
    enum { LEN = 20000000 };
    broker_start(server);
    client *watcher = watcher_new(server);
    connect_to(edge, server, "edge", 1);
    broker_freeze(server);
    char *big = must(malloc(LEN));
    memset(big, 'x', LEN);
    /* Far more than the kernel holds; and a single message, as those that wait behind it would leak in paho. */
    spb_transport_message message = {.topic = "old", .payload = {.data = (uint8_t *)big, .len = LEN}};
    ck_assert_int_eq(edge->transport->publish(edge->transport, 1, &message, NULL), SPB_OK);
    edge->transport->close(edge->transport, 1);
    broker_thaw(server);
    heard got;
    do {
        got = await(watcher, SPB_TRANSPORT_MESSAGE, 1000);
    } while (strcmp(got.topic, "old") == 0);
    ck_assert_str_eq(got.topic, "will/edge");
    free(big);
    client_free(watcher);
}
END_TEST

/* ---- a server that says what it is told to ---- */

typedef struct answer {
    const uint8_t *bytes;
    size_t len;
} answer;

typedef struct scripted_server {
    char uri[64];
    int listening;
    const answer *answers; /* to one packet after the other */
    size_t count;
    uint8_t connect[512]; /* the CONNECT that came */
    size_t connect_len;
    pthread_t thread;
} scripted_server;

/* One packet of less than 512 bytes; its length, or 0 at the end. */
static size_t read_packet(int fd, uint8_t packet[static 512]) {
    if (recv(fd, packet, 2, MSG_WAITALL) != 2) {
        return 0;
    }
    size_t rest = packet[1], head = 2;
    if (rest > 127) {
        ck_assert_int_eq(recv(fd, packet + head, 1, MSG_WAITALL), 1);
        rest = (rest & 127) + 128u * packet[head++];
    }
    ck_assert_uint_le(head + rest, 512);
    return recv(fd, packet + head, rest, MSG_WAITALL) == (ssize_t)rest ? head + rest : 0;
}

static void *serve(void *context) {
    scripted_server *self = context;
    int fd = accept(self->listening, NULL, NULL);
    uint8_t packet[512];
    size_t len;
    for (size_t i = 0; (len = read_packet(fd, packet)) > 0; i++) {
        if (i == 0) {
            memcpy(self->connect, packet, len);
            self->connect_len = len;
        }
        if (i < self->count) {
            ck_assert_int_eq(write(fd, self->answers[i].bytes, self->answers[i].len), (ssize_t)self->answers[i].len);
        }
    }
    close(fd);
    return NULL;
}

static void scripted_start(scripted_server *self) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    self->listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(self->listening, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(self->listening, 1), 0);
    ck_assert_int_eq(getsockname(self->listening, (struct sockaddr *)&address, &len), 0);
    snprintf(self->uri, sizeof self->uri, "mqtt://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&self->thread, NULL, serve, self), 0);
}

static void scripted_end(scripted_server *self) {
    pthread_join(self->thread, NULL);
    close(self->listening);
}

#define ANSWER(text)                                                                                                   \
    { .bytes = (const uint8_t *)(text), .len = sizeof(text) - 1 }

static bool contains(const scripted_server *self, const char *bytes, size_t len) {
    for (size_t i = 0; i + len <= self->connect_len; i++) {
        if (memcmp(self->connect + i, bytes, len) == 0) {
            return true;
        }
    }
    return false;
}

START_TEST(connect_asks_for_a_session_that_ends_with_it) {
    static const answer answers[] = {ANSWER("\x20\x03\x00\x00\x00")};
    static const spb_mqtt_property properties[] = {{"site", "north"}, {"line", "7"}};
    scripted_server script = {.answers = answers, .count = 1};
    scripted_start(&script);
    client *self = client_new(&(spb_mqtt_options){
        .version = SPB_MQTT_5, .max_packet_bytes = 0x12345, .user_properties = properties, .user_property_count = 2});
    start_connect(self, script.uri, "edge", 1);
    await(self, SPB_TRANSPORT_CONNECTED, 1);
    client_free(self);
    scripted_end(&script);
    /* protocol name, version 5, flags: clean start, will with QoS 1, not retained */
    ck_assert(contains(&script, "\0\4MQTT\5\x0e", 8));
    ck_assert(contains(&script, "\x11\0\0\0\0", 5)); /* session expiry */
    ck_assert(contains(&script, "\x27\0\1\x23\x45", 5));
    ck_assert(contains(&script, "\x21\0\x40", 3)); /* receive maximum */
    ck_assert(contains(&script, "\x26\0\4site\0\5north", 14));
    ck_assert(contains(&script,
                       "\x26\0\4line\0\1"
                       "7",
                       10));
}
END_TEST

START_TEST(each_refusal_is_put_into_words) {
    static const struct {
        answer connack;
        spb_status status;
        const char *words;
    } cases[] = {{ANSWER("\x20\x03\x00\x86\x00"), SPB_ERR_AUTH, "password is wrong (0x86)"},
                 {ANSWER("\x20\x03\x00\x85\x00"), SPB_ERR_AUTH, "client identifier"},
                 {ANSWER("\x20\x03\x00\x89\x00"), SPB_ERR_REFUSED, "busy"},
                 {ANSWER("\x20\x03\x00\xee\x00"), SPB_ERR_REFUSED, "0xEE"},
                 {ANSWER("\x20\x02\x00\x01"), SPB_ERR_REFUSED, "does not speak MQTT 5"}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scripted_server script = {.answers = &cases[i].connack, .count = 1};
        scripted_start(&script);
        expect_failure(edge, script.uri, i, cases[i].status, cases[i].words);
        scripted_end(&script);
    }
}
END_TEST

START_TEST(a_refused_subscription_is_named_with_its_reason) {
    static const answer answers[] = {ANSWER("\x20\x03\x00\x00\x00"),
                                     ANSWER("\x90\x0d\x00\x01\x09\x1f\x00\x06no way\x87")};
    scripted_server script = {.answers = answers, .count = 2};
    scripted_start(&script);
    start_connect(edge, script.uri, "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    spb_subscription item = {.filter = "shut/b", .qos = 1};
    ck_assert_int_eq(edge->transport->subscribe(edge->transport, 1, &item, 1, NULL), SPB_OK);
    heard got = await(edge, SPB_TRANSPORT_SUBSCRIBED, 1);
    ck_assert_int_eq(got.event.status, SPB_ERR_REFUSED);
    ck_assert_msg(strstr(got.reason, "shut/b: not authorised (0x87): no way") != NULL, "%s", got.reason);
    edge->transport->close(edge->transport, 1);
    scripted_end(&script);
}
END_TEST

START_TEST(one_refused_subscription_of_two_is_named) {
    static const answer answers[] = {ANSWER("\x20\x03\x00\x00\x00"), ANSWER("\x90\x04\x00\x01\x00\x01"),
                                     ANSWER("\x90\x04\x00\x02\x00\x8f")};
    scripted_server script = {.answers = answers, .count = 3};
    scripted_start(&script);
    start_connect(edge, script.uri, "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    spb_subscription items[] = {{.filter = "open/a", .qos = 1}, {.filter = "shut/b", .qos = 1}};
    ck_assert_int_eq(edge->transport->subscribe(edge->transport, 1, items, 2, NULL), SPB_OK);
    heard got = await(edge, SPB_TRANSPORT_SUBSCRIBED, 1);
    ck_assert_int_eq(got.event.status, SPB_ERR_REFUSED);
    ck_assert_msg(strstr(got.reason, "shut/b: the topic filter is not accepted (0x8F)") != NULL, "%s", got.reason);
    edge->transport->close(edge->transport, 1);
    scripted_end(&script);
}
END_TEST

START_TEST(a_farewell_with_a_reason_is_passed_on) {
    static const answer answers[] = {ANSWER("\x20\x03\x00\x00\x00"
                                            "\xe0\x0b\x98\x09\x1f\x00\x06"
                                            "repair")};
    scripted_server script = {.answers = answers, .count = 1};
    scripted_start(&script);
    start_connect(edge, script.uri, "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    expect_lost(1, SPB_ERR_REFUSED, "administrative action (0x98): repair");
    scripted_end(&script);
}
END_TEST

START_TEST(a_refused_message_is_answered) {
    static const answer answers[] = {ANSWER("\x20\x03\x00\x00\x00"), ANSWER("\x40\x04\x00\x01\x87\x00")};
    scripted_server script = {.answers = answers, .count = 2};
    scripted_start(&script);
    start_connect(edge, script.uri, "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    ck_assert_int_eq(publish(edge, 1, "shut", "x", 1, false), SPB_OK);
    await_published(edge, 1);
    edge->transport->disconnect(edge->transport, 1, 5000); /* nothing is counted as under way */
    await(edge, SPB_TRANSPORT_DISCONNECTED, 1);
    scripted_end(&script);
}
END_TEST

/* ---- options ---- */

START_TEST(options_that_do_not_go_together_are_refused) {
    static const spb_mqtt_property property = {"name", "value"}, nameless = {NULL, "value"};
    const struct {
        spb_mqtt_options options;
        const char *words;
    } cases[] = {
        {{.version = (spb_mqtt_version)3}, "version 3"},
        {{.user_properties = &property, .user_property_count = 1}, "need MQTT 5"},
        {{.version = SPB_MQTT_5, .user_properties = &nameless, .user_property_count = 1}, "user property 0"},
        {{.password = "secret"}, "without a user"},
        {{.user = "edge", .password = "secret", .password_file = "/dev/null"}, "exclude each other"},
        {{.key_password = "secret"}, "need cert_file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spb_transport *transport;
        spb_error err = {.text = ""};
        ck_assert_int_eq(spb_mqtt_new(&transport, &cases[i].options, &err), SPB_ERR_ARGUMENT);
        ck_assert_ptr_null(transport);
        ck_assert_msg(strstr(err.text, cases[i].words) != NULL, "%s", err.text);
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mqtt_5");
    TCase *mqtt = tcase_create("mqtt 5");
    tcase_set_timeout(mqtt, 100);
    tcase_add_checked_fixture(mqtt, setup, teardown);
    tcase_add_test(mqtt, limits_of_the_server_are_reported);
    tcase_add_test(mqtt, a_wrong_password_is_named);
    tcase_add_test(mqtt, disconnect_lets_the_will_out_when_all_is_written);
    tcase_add_test(mqtt, close_lets_the_will_out);
    tcase_add_test(mqtt, a_server_that_ends_the_connection_says_why);
    tcase_add_test(mqtt, a_refused_message_is_answered);
    tcase_add_test(mqtt, larger_packets_are_not_sent_to_us);
    tcase_add_test(mqtt, a_stuck_link_can_be_closed);
    tcase_add_test(mqtt, connect_asks_for_a_session_that_ends_with_it);
    tcase_add_test(mqtt, each_refusal_is_put_into_words);
    tcase_add_test(mqtt, a_refused_subscription_is_named_with_its_reason);
    tcase_add_test(mqtt, one_refused_subscription_of_two_is_named);
    tcase_add_test(mqtt, a_farewell_with_a_reason_is_passed_on);
    tcase_add_test(mqtt, options_that_do_not_go_together_are_refused);
    suite_add_tcase(suite, mqtt);
    return suite_run(suite);
}
