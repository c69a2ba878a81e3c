/* The MQTT transport against a real mosquitto: every event, every way in which a link ends. */
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <spb/transport.h>

#include "support/broker.h"
#include "support/mqtt_client.h"
#include "support/suite.h"
#include "transport/address.h"

/* ---- fixtures ---- */

static broker *server;
static client *edge;

static void setup(void) {
    server = broker_new();
    broker_start(server);
    edge = client_new(NULL);
}

static void teardown(void) {
    client_free(edge);
    broker_free(server);
}

/* ---- addresses ---- */

static void expect_address(const char *uri, const char *for_paho, const char *host, bool is_numeric) {
    spb_address address;
    ck_assert_int_eq(spb_address__parse(&address, uri, NULL), SPB_OK);
    ck_assert_str_eq(address.uri, for_paho);
    ck_assert_str_eq(address.host, host);
    ck_assert_ptr_nonnull(strstr(address.uri, address.host_port));
    ck_assert_int_eq(address.is_numeric, is_numeric);
    ck_assert_int_eq(address.has_tls, strncmp(for_paho, "ssl", 3) == 0 || strncmp(for_paho, "wss", 3) == 0);
    ck_assert_int_eq(address.is_websocket, strncmp(for_paho, "ws", 2) == 0);
}

START_TEST(addresses_are_understood) {
    expect_address("mqtt://127.0.0.1:1884", "tcp://127.0.0.1:1884", "127.0.0.1", true);
    expect_address("mqtt://127.0.0.1", "tcp://127.0.0.1:1883", "127.0.0.1", true);
    expect_address("tcp://broker.example:1", "tcp://broker.example:1", "broker.example", false);
    expect_address("tcp://broker.example", "tcp://broker.example:1883", "broker.example", false);
    expect_address("mqtt://[::1]:65535", "tcp://[::1]:65535", "::1", true);
    expect_address("mqtt://[fe80::1]", "tcp://[fe80::1]:1883", "fe80::1", true);
    expect_address("mqtts://broker.example", "ssl://broker.example:8883", "broker.example", false);
    expect_address("ssl://10.0.0.1:443", "ssl://10.0.0.1:443", "10.0.0.1", true);
    expect_address("ws://broker.example", "ws://broker.example:80/mqtt", "broker.example", false);
    expect_address("ws://broker.example:9001/", "ws://broker.example:9001/", "broker.example", false);
    expect_address("ws://[::1]:9001/a", "ws://[::1]:9001/a", "::1", true);
    expect_address("wss://broker.example/a/b?c=d", "wss://broker.example:443/a/b?c=d", "broker.example", false);
}
END_TEST

START_TEST(other_addresses_are_refused) {
    static const char *const wrong[] = {"",
                                        "localhost",
                                        "localhost:1883",
                                        "http://h",
                                        "MQTT://h",
                                        "mqtts://",
                                        "mqtts://h/path",
                                        "mqtts://[::1]:8883",
                                        "wss://[::1]",
                                        "ws://h:80path",
                                        "ws://h/a b",
                                        "ws://h/a:b",
                                        "ws://h/a#b",
                                        "ws://user@h/a",
                                        "mqtt://",
                                        "mqtt://:1883",
                                        "mqtt://h:",
                                        "mqtt://h:0",
                                        "mqtt://h:65536",
                                        "mqtt://h:1883/",
                                        "mqtt://h/path",
                                        "mqtt://h:18 83",
                                        "mqtt://user:secret@h:1883",
                                        "mqtt://user@h",
                                        "mqtt://::1",
                                        "mqtt://[::1",
                                        "mqtt://[]:1883",
                                        "mqtt://[localhost]:1883",
                                        "mqtt://[::1]1883"};
    spb_address address;
    spb_error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(spb_address__parse(&address, wrong[i], &err) == SPB_ERR_ARGUMENT, "%s", wrong[i]);
        ck_assert_ptr_nonnull(strstr(err.text, wrong[i]));
    }
    char long_name[400] = "mqtt://";
    memset(long_name + 7, 'a', 300);
    ck_assert_int_eq(spb_address__parse(&address, long_name, &err), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(spb_address__parse(&address, NULL, &err), SPB_ERR_ARGUMENT);
}
END_TEST

/* ---- connecting ---- */

START_TEST(an_unusable_server_is_refused_at_once) {
    spb_transport_connect request = request_to("http://127.0.0.1", "edge", 1);
    spb_error err;
    ck_assert_int_eq(edge->transport->connect(edge->transport, &request, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(err.text, "mqtts://"));
    ck_assert_uint_eq(unread(edge), 0);
    connect_to(edge, server, "edge", 2);
}
END_TEST

START_TEST(a_web_proxy_in_the_environment_is_not_used) {
    static const char *const cases[][2] = {{"http_proxy", "mqtt://127.0.0.1:9"}, {"https_proxy", "wss://127.0.0.1:9"}};
    for (size_t i = 0; i < 2; i++) {
        setenv(cases[i][0], "http://user:secret@127.0.0.1:9", 1);
        spb_transport_connect request = request_to(cases[i][1], "edge", 1);
        spb_error err;
        spb_status status = edge->transport->connect(edge->transport, &request, &err);
        unsetenv(cases[i][0]);
        ck_assert_int_eq(status, SPB_ERR_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(err.text, cases[i][0]));
        ck_assert_ptr_null(strstr(err.text, "secret"));
    }
}
END_TEST

START_TEST(a_refused_port_is_reported) {
    char uri[64];
    snprintf(uri, sizeof uri, "mqtt://127.0.0.1:%u", (unsigned)broker_free_port());
    start_connect(edge, uri, "edge", 1);
    heard got = await(edge, SPB_TRANSPORT_CONNECT_FAILED, 1);
    ck_assert_int_eq(got.event.status, SPB_ERR_CONNECT);
    ck_assert_ptr_nonnull(strstr(got.reason, uri + strlen("mqtt://")));
    connect_to(edge, server, "edge", 2);
}
END_TEST

START_TEST(an_unknown_name_is_reported) {
    start_connect(edge, "mqtt://no-such-host.invalid", "edge", 1);
    heard got = await(edge, SPB_TRANSPORT_CONNECT_FAILED, 1);
    ck_assert_int_eq(got.event.status, SPB_ERR_CONNECT);
    ck_assert_ptr_nonnull(strstr(got.reason, "no-such-host.invalid"));
}
END_TEST

/* ---- a server that says what it is told to ---- */

typedef struct scripted_server {
    char uri[64];
    int listening;
    const uint8_t *codes; /* the return codes of CONNACK, and then of each SUBACK */
    size_t count;
    pthread_t thread;
} scripted_server;

static void listen_on_loopback(scripted_server *self) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    self->listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(self->listening, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(self->listening, 1), 0);
    ck_assert_int_eq(getsockname(self->listening, (struct sockaddr *)&address, &len), 0);
    snprintf(self->uri, sizeof self->uri, "mqtt://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
}

/* A packet of less than 128 bytes. */
static bool read_packet(int fd, uint8_t packet[static 130]) {
    return recv(fd, packet, 2, MSG_WAITALL) == 2 && recv(fd, packet + 2, packet[1], MSG_WAITALL) == packet[1];
}

static void *serve(void *context) {
    scripted_server *self = context;
    int fd = accept(self->listening, NULL, NULL);
    uint8_t packet[130];
    for (size_t i = 0; i < self->count && read_packet(fd, packet); i++) {
        if (i == 0) {
            uint8_t connack[] = {0x20, 2, 0, self->codes[0]};
            ck_assert_int_eq(write(fd, connack, sizeof connack), sizeof connack);
        } else {
            uint8_t suback[] = {0x90, 3, packet[2], packet[3], self->codes[i]};
            ck_assert_int_eq(write(fd, suback, sizeof suback), sizeof suback);
        }
    }
    while (read(fd, packet, sizeof packet) > 0) {
    }
    close(fd);
    return NULL;
}

static void scripted_start(scripted_server *self) {
    listen_on_loopback(self);
    ck_assert_int_eq(pthread_create(&self->thread, NULL, serve, self), 0);
}

static void scripted_end(scripted_server *self) {
    pthread_join(self->thread, NULL);
    close(self->listening);
}

START_TEST(each_refusal_is_put_into_words) {
    static const struct {
        uint8_t code;
        spb_status status;
        const char *words;
    } cases[] = {{1, SPB_ERR_REFUSED, "3.1.1"},       {2, SPB_ERR_AUTH, "client identifier"},
                 {3, SPB_ERR_REFUSED, "unavailable"}, {4, SPB_ERR_AUTH, "password"},
                 {5, SPB_ERR_AUTH, "authorise"},      {99, SPB_ERR_REFUSED, "99"}};
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scripted_server script = {.codes = &cases[i].code, .count = 1};
        scripted_start(&script);
        start_connect(edge, script.uri, "edge", i);
        heard got = await(edge, SPB_TRANSPORT_CONNECT_FAILED, i);
        ck_assert_int_eq(got.event.status, cases[i].status);
        ck_assert_msg(strstr(got.reason, cases[i].words) != NULL, "%s", got.reason);
        scripted_end(&script);
    }
}
END_TEST

START_TEST(a_refused_subscription_is_named) { /* mosquitto refuses none */
    static const uint8_t codes[][5] = {{0, 0x80, 1}, {0, 1, 0x80, 1, 0}};
    spb_subscription items[] = {{.filter = "open/a", .qos = 1}, {.filter = "shut/b", .qos = 0}};
    for (uint32_t filters = 1; filters <= 2; filters++) {
        scripted_server script = {.codes = codes[filters - 1], .count = 1 + 2 * filters};
        scripted_start(&script);
        start_connect(edge, script.uri, "edge", filters);
        await(edge, SPB_TRANSPORT_CONNECTED, filters);
        spb_subscription *asked = items + (2 - filters); /* the last one is refused */
        ck_assert_int_eq(edge->transport->subscribe(edge->transport, filters, asked, filters, NULL), SPB_OK);
        heard got = await(edge, SPB_TRANSPORT_SUBSCRIBED, filters);
        ck_assert_int_eq(got.event.status, SPB_ERR_REFUSED);
        ck_assert_ptr_nonnull(strstr(got.reason, "shut/b"));
        ck_assert_int_eq(edge->transport->subscribe(edge->transport, filters, asked, filters, NULL), SPB_OK);
        ck_assert_int_eq(await(edge, SPB_TRANSPORT_SUBSCRIBED, filters).event.status, SPB_OK);
        edge->transport->close(edge->transport, filters);
        scripted_end(&script);
    }
}
END_TEST

START_TEST(a_server_that_never_answers_times_out) {
    scripted_server silent = {0};
    listen_on_loopback(&silent);
    spb_transport_connect request = request_to(silent.uri, "edge", 1);
    request.timeout_ms = 100;
    ck_assert_int_eq(edge->transport->connect(edge->transport, &request, NULL), SPB_OK);
    heard got = await(edge, SPB_TRANSPORT_CONNECT_FAILED, 1);
    ck_assert_int_eq(got.event.status, SPB_ERR_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(got.reason, "100 ms"));

    start_connect(edge, silent.uri, "edge", 2); /* and one that is closed while it waits */
    edge->transport->close(edge->transport, 2);
    close(silent.listening);
    ck_assert_uint_eq(unread(edge), 0);
}
END_TEST

static broker *guarded_broker(void) {
    broker *guarded = broker_new();
    broker_write_file(
        guarded, "passwords", /* edge, secret */
        "edge:$7$101$Chgnwb43MG2iScMw$tVXIZQNUZsvBqo2V/bAnDJLts879UYwu1ql4WJcH1L+PSFRTzFYWQ12u+3SVjO4FuX5U"
        "TmTOJS3jtR/AB3U05Q==\n");
    broker_configure(guarded, "allow_anonymous false\npassword_file %s/passwords\n");
    broker_start(guarded);
    return guarded;
}

START_TEST(a_wrong_password_is_named) {
    broker *guarded = guarded_broker();
    client *right = client_new(&(spb_mqtt_options){.user = "edge", .password = "secret"});
    client *wrong = client_new(&(spb_mqtt_options){.user = "edge", .password = "guess"});
    connect_to(right, guarded, "right", 1);
    ck_assert_ptr_nonnull(strstr(right->warnings, "the password goes over the network unencrypted"));
    start_connect(wrong, broker_uri(guarded), "wrong", 1);
    heard got = await(wrong, SPB_TRANSPORT_CONNECT_FAILED, 1);
    ck_assert_int_eq(got.event.status, SPB_ERR_AUTH);
    ck_assert_ptr_nonnull(strstr(got.reason, "authorise"));
    client_free(right);
    client_free(wrong);
    broker_free(guarded);
}
END_TEST

/* Read again for each connection, and only its first line. */
START_TEST(a_password_comes_from_a_file) {
    broker *guarded = guarded_broker();
    broker_path file = broker_file(guarded, "password");
    broker_write_file(guarded, "password", "guess\n");
    client *reader = client_new(&(spb_mqtt_options){.user = "edge", .password_file = file.text});
    expect_failure(reader, broker_uri(guarded), 1, SPB_ERR_AUTH, "authorise");
    static const char *const contents[] = {"secret", "secret\n", "secret\r\nanother line\n"};
    for (uint32_t i = 0; i < 3; i++) {
        broker_write_file(guarded, "password", contents[i]);
        connect_to(reader, guarded, "reader", 2 + i);
        reader->transport->close(reader->transport, 2 + i);
    }
    unlink(file.text);
    spb_transport_connect request = request_to(broker_uri(guarded), "reader", 9);
    spb_error err;
    ck_assert_int_eq(reader->transport->connect(reader->transport, &request, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(err.text, file.text));
    char long_line[5000];
    memset(long_line, 'x', sizeof long_line - 1);
    long_line[sizeof long_line - 1] = '\0';
    broker_write_file(guarded, "password", long_line);
    ck_assert_int_eq(reader->transport->connect(reader->transport, &request, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(err.text, "too long"));
    client_free(reader);
    broker_free(guarded);
}
END_TEST

START_TEST(a_refused_client_id_is_named) {
    broker *picky = broker_new();
    broker_configure(picky, "clientid_prefixes good-\n");
    broker_start(picky);
    start_connect(edge, broker_uri(picky), "bad", 1);
    ck_assert_int_eq(await(edge, SPB_TRANSPORT_CONNECT_FAILED, 1).event.status, SPB_ERR_AUTH);
    connect_to(edge, picky, "good-one", 2);
    edge->transport->close(edge->transport, 2);
    broker_free(picky);
}
END_TEST

/* ---- messages ---- */

START_TEST(messages_come_in) {
    connect_to(edge, server, "edge", 1);
    ck_assert_int_eq(publish(edge, 1, "kept", "old", 1, true), SPB_OK);
    await_published(edge, 1);
    client *watcher = watcher_new(server);
    heard got = await(watcher, SPB_TRANSPORT_MESSAGE, 1000);
    ck_assert_str_eq(got.topic, "kept");
    ck_assert(got.event.retained);
    ck_assert_uint_eq(got.event.qos, 1);

    ck_assert_int_eq(publish(edge, 1, "live", "", 0, false), SPB_OK);
    got = await(watcher, SPB_TRANSPORT_MESSAGE, 1000);
    ck_assert_str_eq(got.topic, "live");
    ck_assert(!got.event.retained);
    ck_assert_uint_eq(got.event.payload.len, 0);
    ck_assert_uint_eq(got.event.qos, 0);
    client_free(watcher);
}
END_TEST

START_TEST(ten_thousand_messages_keep_their_order) {
    enum { TOTAL = 10000, WINDOW = 64 };
    client *watcher = watcher_new(server);
    connect_to(edge, server, "edge", 1);
    char text[32];
    for (uint64_t i = 0; i < TOTAL; i++) {
        if (i >= WINDOW) {
            await_published(edge, i - WINDOW + 1);
        }
        snprintf(text, sizeof text, "%u", (unsigned)i);
        ck_assert_int_eq(publish(edge, 1, "n", text, 0, false), SPB_OK);
    }
    await_published(edge, TOTAL);
    for (unsigned i = 0; i < TOTAL; i++) {
        snprintf(text, sizeof text, "%u", i);
        await_message(watcher, 1000, "n", text);
    }
    client_free(watcher);
}
END_TEST

START_TEST(a_message_that_cannot_be_sent_is_refused) {
    ck_assert_int_eq(publish(edge, 1, "a", "x", 0, false), SPB_ERR_CONNECT); /* no such link */
    connect_to(edge, server, "edge", 1);
    spb_transport_message huge = {.topic = "a", .payload = {.data = (const uint8_t *)"", .len = 268435455}};
    ck_assert_int_eq(edge->transport->publish(edge->transport, 1, &huge, NULL), SPB_ERR_LIMIT);
    ck_assert_int_eq(publish(edge, 1, "\xff", "x", 0, false), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(publish(edge, 2, "a", "x", 0, false), SPB_ERR_CONNECT);
    edge->transport->disconnect(edge->transport, 1, 1000); /* nothing is counted as under way */
    await(edge, SPB_TRANSPORT_DISCONNECTED, 1);
}
END_TEST

/* ---- ends of a link ---- */

START_TEST(a_killed_server_is_a_lost_link) {
    connect_to(edge, server, "edge", 1);
    broker_kill(server);
    heard got = await(edge, SPB_TRANSPORT_LOST, 1);
    ck_assert_int_eq(got.event.status, SPB_ERR_CONNECT);
    ck_assert_ptr_nonnull(strstr(got.reason, "lost"));
    ck_assert_int_eq(publish(edge, 1, "a", "x", 0, false), SPB_ERR_CONNECT);
    broker_start(server);
    connect_to(edge, server, "edge", 2);
    edge->transport->close(edge->transport, 1); /* an ended link is fine */
    ck_assert_int_eq(publish(edge, 2, "a", "x", 0, false), SPB_OK);
    await_published(edge, 1);
}
END_TEST

START_TEST(close_lets_the_will_out) {
    client *watcher = watcher_new(server);
    connect_to(edge, server, "edge", 1);
    edge->transport->close(edge->transport, 1);
    heard got = await(watcher, SPB_TRANSPORT_MESSAGE, 1000);
    ck_assert_str_eq(got.topic, "will/edge");
    ck_assert_str_eq((char *)got.payload, "gone");
    ck_assert_uint_eq(got.event.qos, 0); /* MQTT 3.1.1: the link itself said it, ahead of its DISCONNECT */
    ck_assert(!got.event.retained);
    ck_assert_uint_eq(unread(edge), 0);

    connect_to(edge, server, "edge", 2); /* and with work under way */
    for (int i = 0; i < 64; i++) {
        ck_assert_int_eq(publish(edge, 2, "n", "x", 0, false), SPB_OK);
    }
    edge->transport->close(edge->transport, 2);
    do {
        got = await(watcher, SPB_TRANSPORT_MESSAGE, 1000);
    } while (strcmp(got.topic, "n") == 0);
    ck_assert_str_eq(got.topic, "will/edge");
    ck_assert_uint_eq(unread(edge), 0);
    client_free(watcher);
}
END_TEST

/* Who only reads says nothing when it goes, in whatever way. */
START_TEST(without_a_will_nothing_is_left_behind) {
    client *watcher = watcher_new(server);
    spb_transport_connect request = request_to(broker_uri(server), "reader", 1);
    request.will = (spb_transport_message){.topic = NULL};
    ck_assert_int_eq(edge->transport->connect(edge->transport, &request, NULL), SPB_OK);
    (void)await(edge, SPB_TRANSPORT_CONNECTED, 1);
    edge->transport->close(edge->transport, 1);
    connect_to(edge, server, "edge", 2);
    ck_assert_int_eq(publish(edge, 2, "next", "x", 0, false), SPB_OK);
    await_message(watcher, 1000, "next", "x");
    client_free(watcher);
}
END_TEST

/* paho ignores SIGPIPE; the program that uses us need not. */
START_TEST(no_sigpipe_kills_the_program) {
    for (uint32_t link = 1; link <= 20; link++) {
        start_connect(edge, broker_uri(server), "edge", link);
        signal(SIGPIPE, SIG_DFL);
        await(edge, SPB_TRANSPORT_CONNECTED, link);
        edge->transport->close(edge->transport, link);
    }
    signal(SIGPIPE, SIG_IGN);
    ck_assert_uint_eq(unread(edge), 0);
}
END_TEST

START_TEST(disconnect_keeps_the_will_in) {
    client *watcher = watcher_new(server);
    connect_to(edge, server, "edge", 1);
    for (int i = 0; i < 64; i++) {
        ck_assert_int_eq(publish(edge, 1, "n", "x", 0, false), SPB_OK);
    }
    ck_assert_int_eq(publish(edge, 1, "last", "x", 1, false), SPB_OK);
    edge->transport->disconnect(edge->transport, 1, 5000);
    await(edge, SPB_TRANSPORT_DISCONNECTED, 1);
    await_published(edge, 65);
    connect_to(edge, server, "edge", 2); /* what the server has to say of link 1 is said before this */
    ck_assert_int_eq(publish(edge, 2, "after", "x", 0, false), SPB_OK);
    for (int i = 0; i < 64; i++) {
        await_message(watcher, 1000, "n", "x");
    }
    await_message(watcher, 1000, "last", "x");
    await_message(watcher, 1000, "after", "x");
    client_free(watcher);
}
END_TEST

/* Of the leak sanitizer, where there is one. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* paho loses the memory of what is still queued in a client that is destroyed: here, and only here, that is expected.
 */
static void expect_leak(bool expected) {
    void (*call)(void) = expected ? __lsan_disable : __lsan_enable;
    if (call) {
        call();
    }
}

START_TEST(a_stuck_link_can_be_closed) {
    enum { COUNT = 64, LEN = 1000000 };
    client *watcher = watcher_new(server);
    connect_to(edge, server, "edge", 1);
    broker_freeze(server);
    char *big = must(malloc(LEN));
    memset(big, 'x', LEN);
    spb_transport_message message = {.topic = "old", .payload = {.data = (uint8_t *)big, .len = LEN}};
    expect_leak(true);
    for (int i = 0; i < COUNT; i++) { /* far more than the kernel holds */
        ck_assert_int_eq(edge->transport->publish(edge->transport, 1, &message, NULL), SPB_OK);
    }
    edge->transport->disconnect(edge->transport, 1, 100); /* waits behind the messages, and so for ever */
    edge->transport->close(edge->transport, 1);
    expect_leak(false);
    ck_assert_uint_eq(unread(edge), 0);
    broker_thaw(server);

    /* Whole messages of the old link may still have been in the kernel; then comes its will, and nothing after that. */
    heard got;
    do {
        got = await(watcher, SPB_TRANSPORT_MESSAGE, 1000);
    } while (strcmp(got.topic, "old") == 0);
    ck_assert_str_eq(got.topic, "will/edge");
    connect_to(edge, server, "edge", 2);
    ck_assert_int_eq(publish(edge, 2, "new", "x", 0, false), SPB_OK);
    await_message(watcher, 1000, "new", "x");
    free(big);
    client_free(watcher);
}
END_TEST

START_TEST(nothing_of_an_old_link_leaves_on_a_new_one) {
    connect_to(edge, server, "edge", 1);
    broker_freeze(server);
    for (int i = 0; i < 64; i++) {
        ck_assert_int_eq(publish(edge, 1, "old", "x", 0, false), SPB_OK);
    }
    broker_kill(server);
    await(edge, SPB_TRANSPORT_LOST, 1);
    broker_start(server);
    client *watcher = watcher_new(server);
    connect_to(edge, server, "edge", 2);
    ck_assert_int_eq(publish(edge, 2, "new", "x", 0, false), SPB_OK);
    await_message(watcher, 1000, "new", "x");
    edge->transport->close(edge->transport, 2);
    await_message(watcher, 1000, "will/edge", "gone");
    client_free(watcher);
}
END_TEST

START_TEST(an_unknown_link_is_fine) {
    edge->transport->close(edge->transport, 7);
    edge->transport->disconnect(edge->transport, 7, 100);
    connect_to(edge, server, "edge", 1);
    edge->transport->close(edge->transport, 7);
    ck_assert_int_eq(publish(edge, 1, "a", "x", 0, false), SPB_OK);
    await_published(edge, 1);
    edge->transport->close(edge->transport, 1);
    edge->transport->close(edge->transport, 1);
    ck_assert_uint_eq(unread(edge), 0);
}
END_TEST

START_TEST(two_hundred_links_leave_nothing_behind) { /* what they leave behind is the sanitizer's to find */
    for (uint32_t link = 1; link <= 200; link++) {
        connect_to(edge, server, "edge", link);
        ck_assert_int_eq(publish(edge, link, "n", "x", 0, false), SPB_OK);
        edge->transport->close(edge->transport, link);
    }
    ck_assert_uint_eq(unread(edge), 0);
}
END_TEST

static Suite *mqtt_suite(void) {
    Suite *suite = suite_create("mqtt");
    TCase *addresses = tcase_create("addresses");
    tcase_add_test(addresses, addresses_are_understood);
    tcase_add_test(addresses, other_addresses_are_refused);
    suite_add_tcase(suite, addresses);

    TCase *links = tcase_create("links");
    tcase_set_timeout(links, 100);
    tcase_add_checked_fixture(links, setup, teardown);
    tcase_add_test(links, an_unusable_server_is_refused_at_once);
    tcase_add_test(links, a_web_proxy_in_the_environment_is_not_used);
    tcase_add_test(links, a_refused_port_is_reported);
    tcase_add_test(links, an_unknown_name_is_reported);
    tcase_add_test(links, each_refusal_is_put_into_words);
    tcase_add_test(links, a_server_that_never_answers_times_out);
    tcase_add_test(links, a_wrong_password_is_named);
    tcase_add_test(links, a_password_comes_from_a_file);
    tcase_add_test(links, a_refused_client_id_is_named);
    tcase_add_test(links, messages_come_in);
    tcase_add_test(links, ten_thousand_messages_keep_their_order);
    tcase_add_test(links, a_message_that_cannot_be_sent_is_refused);
    tcase_add_test(links, a_refused_subscription_is_named);
    tcase_add_test(links, a_killed_server_is_a_lost_link);
    tcase_add_test(links, close_lets_the_will_out);
    tcase_add_test(links, without_a_will_nothing_is_left_behind);
    tcase_add_test(links, no_sigpipe_kills_the_program);
    tcase_add_test(links, disconnect_keeps_the_will_in);
    tcase_add_test(links, a_stuck_link_can_be_closed);
    tcase_add_test(links, nothing_of_an_old_link_leaves_on_a_new_one);
    tcase_add_test(links, an_unknown_link_is_fine);
    tcase_add_test(links, two_hundred_links_leave_nothing_behind);
    suite_add_tcase(suite, links);
    return suite;
}

int main(void) {
    return suite_run(mqtt_suite());
}
