/* Names of servers: all their addresses are tried, and who waits for a name server stops nobody else. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/broker.h"
#include "support/mqtt_client.h"
#include "support/names.h"
#include "support/suite.h"

static broker *server; /* on 127.0.0.1 */
static client *edge;
static char uri[64]; /* many.test and the port of the server */

static void setup(void) {
    server = broker_new();
    broker_start(server);
    edge = client_new(NULL);
    snprintf(uri, sizeof uri, "mqtt://many.test:%u", (unsigned)broker_port(server));
}

static void teardown(void) {
    client_free(edge);
    broker_free(server);
}

static int socket_at(const char *address, uint16_t port) {
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port)};
    ck_assert_int_eq(inet_pton(AF_INET, address, &there.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&there, sizeof there), 0);
    return fd;
}

/* An address that swallows every SYN: its queue has room for one, and nobody takes that one out. */
typedef struct hole {
    int listening, queued;
} hole;

static hole hole_at(const char *address, uint16_t port) {
    hole self = {.listening = socket_at(address, port), .queued = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in there;
    socklen_t len = sizeof there;
    ck_assert_int_eq(listen(self.listening, 0), 0);
    ck_assert_int_eq(getsockname(self.listening, (struct sockaddr *)&there, &len), 0);
    ck_assert_int_eq(connect(self.queued, (struct sockaddr *)&there, len), 0);
    return self;
}

static void hole_close(hole self) {
    close(self.queued);
    close(self.listening);
}

static void expect_echo(client *self, const char *to, uint32_t link) {
    start_connect(self, to, "edge", link);
    await(self, SPB_TRANSPORT_CONNECTED, link);
    subscribe(self, link, "echo");
    ck_assert_int_eq(publish(self, link, "echo", "x", 0, false), SPB_OK);
    await_message(self, link, "echo", "x");
}

static void expect_failure_within(uint32_t timeout_ms, spb_status status, const char *words) {
    spb_transport_connect request = request_to(uri, "edge", 1);
    request.timeout_ms = timeout_ms;
    ck_assert_int_eq(edge->transport->connect(edge->transport, &request, NULL), SPB_OK);
    heard got = await(edge, SPB_TRANSPORT_CONNECT_FAILED, 1);
    ck_assert_msg(got.event.status == status && strstr(got.reason, words), "%s: %s, expected: %s",
                  spb_status_name(got.event.status), got.reason, words);
}

/* ---- which address ---- */

START_TEST(another_address_is_tried_when_one_refuses) {
    static const char *const lists[] = {"127.0.0.2 127.0.0.1", "::1 127.0.0.1", "127.0.0.1 127.0.0.2",
                                        "127.0.0.2 ::1 127.0.0.3 127.0.0.1", "127.0.0.1"};
    names_set("many.test", lists[_i]);
    expect_echo(edge, uri, 1);
}
END_TEST

START_TEST(an_address_that_says_nothing_leaves_time_for_the_next) {
    hole dead = hole_at("127.0.0.3", broker_port(server));
    names_set("many.test", "127.0.0.3 127.0.0.1");
    expect_echo(edge, uri, 1);
    hole_close(dead);
}
END_TEST

START_TEST(a_server_with_ipv6_alone_is_reached) {
    struct sockaddr_in6 there = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t len = sizeof there;
    int listening = socket(AF_INET6, SOCK_STREAM, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&there, len) != 0) {
        printf("this machine has no IPv6\n");
        close(listening);
        return;
    }
    ck_assert_int_eq(listen(listening, 4), 0);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&there, &len), 0);
    names_set("many.test", "127.0.0.1 ::1");
    snprintf(uri, sizeof uri, "mqtt://many.test:%u", (unsigned)ntohs(there.sin6_port));
    start_connect(edge, uri, "edge", 1);
    int fd;
    uint8_t byte = 0;
    do { /* the first connection only tries whether somebody is there */
        fd = accept(listening, NULL, NULL);
    } while (fd >= 0 && recv(fd, &byte, 1, 0) != 1 && close(fd) == 0);
    ck_assert_uint_eq(byte, 0x10);
    ck_assert_int_eq(write(fd, "\x20\x02\x00\x00", 4), 4);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    close(fd);
    close(listening);
}
END_TEST

/* A balancer without servers behind it takes each connection and ends it: the next attempt begins with another address.
 */
START_TEST(an_address_that_came_to_nothing_is_tried_last) {
    int listening = socket_at("127.0.0.2", broker_port(server));
    ck_assert_int_eq(listen(listening, 8), 0);
    names_set("many.test", "127.0.0.2 127.0.0.1");
    start_connect(edge, uri, "edge", 1);
    uint8_t byte = 0;
    int fd;
    do {
        fd = accept(listening, NULL, NULL);
        ssize_t len = recv(fd, &byte, 1, 0);
        close(fd);
        ck_assert_int_ge(len, 0);
    } while (byte != 0x10);
    ck_assert_int_eq(await(edge, SPB_TRANSPORT_CONNECT_FAILED, 1).event.status, SPB_ERR_CONNECT);
    expect_echo(edge, uri, 2);
    close(listening);
}
END_TEST

/* Takes a connection on which something is said, which is a request with these words, and ends it. */
static void take_request(int listening, const char *wanted) {
    char request[1024] = "";
    int fd;
    ssize_t len;
    do { /* the first connection only tries whether somebody is there */
        fd = accept(listening, NULL, NULL);
        len = recv(fd, request, sizeof request - 1, 0);
    } while (len <= 0 && close(fd) == 0);
    for (size_t used = (size_t)len; !strstr(request, "\r\n\r\n") && used < sizeof request - 1; used += (size_t)len) {
        len = recv(fd, request + used, sizeof request - 1 - used, 0);
        ck_assert_int_gt(len, 0);
    }
    ck_assert_msg(strstr(request, wanted), "%s", request);
    close(fd);
}

/* paho takes the Host of the request from its URI, so that one keeps the name. */
START_TEST(a_websocket_is_asked_for_by_its_name) {
    int listening = socket_at("127.0.0.2", broker_port(server));
    ck_assert_int_eq(listen(listening, 8), 0);
    names_set("many.test", "127.0.0.2 127.0.0.1");
    client *web = client_new(&(spb_mqtt_options){.allow_unsafe_websocket = true});
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\r\nHost: many.test:%u\r\n", (unsigned)broker_port(server));
    snprintf(uri, sizeof uri, "ws://many.test:%u/a", (unsigned)broker_port(server));
    start_connect(web, uri, "edge", 1);
    take_request(listening, wanted);
    await(web, SPB_TRANSPORT_CONNECT_FAILED, 1);
    client_free(web);
    close(listening);
}
END_TEST

/* The first IPv4 address is the one that paho would take, and nobody is there. */
START_TEST(a_websocket_goes_to_another_address_when_that_of_its_name_is_dead) {
    int listening = socket_at("127.0.0.3", broker_port(server));
    ck_assert_int_eq(listen(listening, 8), 0);
    names_set("many.test", "::1 127.0.0.2 127.0.0.3");
    client *web = client_new(&(spb_mqtt_options){.allow_unsafe_websocket = true});
    char wanted[64];
    snprintf(wanted, sizeof wanted, "GET /a HTTP/1.1\r\nHost: 127.0.0.3:%u\r\n", (unsigned)broker_port(server));
    snprintf(uri, sizeof uri, "ws://many.test:%u/a", (unsigned)broker_port(server));
    start_connect(web, uri, "edge", 1);
    take_request(listening, wanted);
    await(web, SPB_TRANSPORT_CONNECT_FAILED, 1);
    ck_assert_ptr_nonnull(strstr(web->warnings, ", 127.0.0.3 does: that is the Host of the request"));
    client_free(web);
    close(listening);
}
END_TEST

/* ---- words ---- */

START_TEST(addresses_that_refuse_are_named) {
    names_set("many.test", "127.0.0.2 127.0.0.4");
    expect_failure_within(60000, SPB_ERR_CONNECT, ": 127.0.0.2: Connection refused, 127.0.0.4: Connection refused");
    names_set("many.test", "127.0.0.2");
    expect_failure(edge, uri, 2, SPB_ERR_CONNECT, " at 127.0.0.2: refused or unreachable");
}
END_TEST

START_TEST(addresses_that_say_nothing_are_named) {
    hole dead[] = {hole_at("127.0.0.3", broker_port(server)), hole_at("127.0.0.4", broker_port(server))};
    names_set("many.test", "127.0.0.2 127.0.0.3 127.0.0.4");
    expect_failure_within(2000, SPB_ERR_TIMEOUT,
                          " answers: 127.0.0.2: Connection refused, 127.0.0.3: no answer, 127.0.0.4: no answer");
    hole_close(dead[0]);
    hole_close(dead[1]);
}
END_TEST

START_TEST(a_name_without_an_address_is_named) {
    expect_failure(edge, "mqtt://no-such-host.invalid", 1, SPB_ERR_CONNECT,
                   "cannot resolve host no-such-host.invalid: ");
    names_set("many.test", "fe80::1"); /* of which interface? */
    expect_failure(edge, uri, 2, SPB_ERR_CONNECT, "cannot resolve host many.test: its addresses are all link-local");
}
END_TEST

/* ---- a name server that does not answer; each test has a name of its own, as a thread may still be asking ---- */

START_TEST(waiting_for_a_name_stops_no_other_link) {
    names_set("slow-1.test", "");
    names_set("many.test", "127.0.0.1");
    client *other = client_new(NULL);
    start_connect(edge, "mqtt://slow-1.test", "slow", 1);
    names_await_asked("slow-1.test", 1);
    expect_echo(other, broker_uri(server), 1);
    expect_echo(other, uri, 2);
    ck_assert_uint_eq(unread(edge), 0);
    ck_assert_int_eq(publish(edge, 1, "echo", "x", 0, false), SPB_ERR_CONNECT); /* and does not crash */
    edge->transport->disconnect(edge->transport, 1, 100);
    client_free(other);
    names_set("slow-1.test", "127.0.0.9"); /* nobody is there */
    names_await_idle();
}
END_TEST

/* However often it is tried, one thread asks for one name. */
START_TEST(a_link_that_waits_for_a_name_can_be_closed) {
    names_set("slow-2.test", "");
    snprintf(uri, sizeof uri, "mqtt://slow-2.test:%u", (unsigned)broker_port(server));
    unsigned asked = names_asked("slow-2.test");
    for (uint32_t link = 1; link <= 20; link++) {
        start_connect(edge, uri, "edge", link);
        names_await_asked("slow-2.test", asked + 1);
        if (link % 2 == 0) { /* else the next one takes its place */
            edge->transport->close(edge->transport, link);
        }
    }
    client *second = client_new(NULL);
    start_connect(second, uri, "second", 1);
    client_free(second);
    expect_failure_within(50, SPB_ERR_TIMEOUT, "cannot resolve host slow-2.test: no answer within 50 ms");
    start_connect(edge, uri, "edge", 21);
    ck_assert_uint_eq(names_asked("slow-2.test"), asked + 1);
    names_set("slow-2.test", "127.0.0.1");
    await(edge, SPB_TRANSPORT_CONNECTED, 21); /* with the answer to the first question */
    names_await_idle();
}
END_TEST

START_TEST(a_transport_that_waits_for_a_name_can_be_freed) {
    names_set("slow-3.test", "");
    unsigned asked = names_asked("slow-3.test");
    client *gone = client_new(NULL);
    start_connect(gone, "mqtt://slow-3.test", "gone", 1);
    names_await_asked("slow-3.test", asked + 1);
    client_free(gone);
    names_set("slow-3.test", "127.0.0.9");
    names_await_idle();
}
END_TEST

static Suite *names_suite(void) {
    Suite *suite = suite_create("mqtt_names");
    TCase *tests = tcase_create("names");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, another_address_is_tried_when_one_refuses, 0, 5);
    tcase_add_test(tests, an_address_that_says_nothing_leaves_time_for_the_next);
    tcase_add_test(tests, a_server_with_ipv6_alone_is_reached);
    tcase_add_test(tests, an_address_that_came_to_nothing_is_tried_last);
    tcase_add_test(tests, a_websocket_is_asked_for_by_its_name);
    tcase_add_test(tests, a_websocket_goes_to_another_address_when_that_of_its_name_is_dead);
    tcase_add_test(tests, addresses_that_refuse_are_named);
    tcase_add_test(tests, addresses_that_say_nothing_are_named);
    tcase_add_test(tests, a_name_without_an_address_is_named);
    tcase_add_test(tests, waiting_for_a_name_stops_no_other_link);
    tcase_add_test(tests, a_link_that_waits_for_a_name_can_be_closed);
    tcase_add_test(tests, a_transport_that_waits_for_a_name_can_be_freed);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return suite_run(names_suite());
}
