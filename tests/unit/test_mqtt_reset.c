/* What the kernel still holds of a link: it is thrown away when the link is given up, and sent after a DISCONNECT. */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/mqtt_client.h"
#include "support/suite.h"

enum { LEN = 64 * 1024 };

/* A server, or a link to it, that has stopped: it accepts the connection and reads nothing after CONNECT. */
typedef struct stalled_server {
    int listening, fd;
} stalled_server;

static client *edge;
static stalled_server server;

static void setup_of(spb_mqtt_version version) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    server.listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(setsockopt(server.listening, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int)), 0);
    ck_assert_int_eq(bind(server.listening, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(server.listening, 1), 0);
    ck_assert_int_eq(getsockname(server.listening, (struct sockaddr *)&address, &len), 0);
    char uri[64];
    snprintf(uri, sizeof uri, "mqtt://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    edge = client_new(&(spb_mqtt_options){.version = version});
    start_connect(edge, uri, "edge", 1);
    server.fd = accept(server.listening, NULL, NULL);
    uint8_t packet[256];
    ck_assert_int_eq(recv(server.fd, packet, 2, MSG_WAITALL), 2);
    size_t rest = packet[1];
    ck_assert_int_eq(recv(server.fd, packet, rest, MSG_WAITALL), (ssize_t)rest);
    bool is_5 = version == SPB_MQTT_5;
    ck_assert_int_eq(write(server.fd, is_5 ? "\x20\x03\x00\x00\x00" : "\x20\x02\x00\x00", is_5 ? 5 : 4), is_5 ? 5 : 4);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
}

static void teardown(void) {
    close(server.fd);
    close(server.listening);
}

/* More than the server has room for; then all of it is in the kernel of this side. */
static void publish_much(void) {
    static uint8_t payload[LEN];
    spb_transport_message message = {.topic = "data", .payload = {.data = payload, .len = LEN}};
    ck_assert_int_eq(edge->transport->publish(edge->transport, 1, &message, NULL), SPB_OK);
    await_published(edge, 1);
}

/* Reads all that comes: how much, the last two bytes, and the error at the end, or 0. */
static size_t drain(uint8_t last[static 2], int *error) {
    static uint8_t buffer[LEN];
    size_t total = 0;
    for (;;) {
        ssize_t len = recv(server.fd, buffer, sizeof buffer, 0);
        if (len <= 0) {
            *error = len < 0 ? errno : 0;
            return total;
        }
        total += (size_t)len;
        for (ssize_t i = len > 2 ? len - 2 : 0; i < len; i++) {
            last[0] = last[1];
            last[1] = buffer[i];
        }
    }
}

/* ---- the tests ---- */

START_TEST(nothing_leaves_a_link_that_is_given_up) {
    setup_of(_i == 0 ? SPB_MQTT_3_1_1 : SPB_MQTT_5);
    publish_much();
    edge->transport->close(edge->transport, 1);
    int waiting = 0, error = 0;
    uint8_t last[2];
    ck_assert_int_eq(ioctl(server.fd, FIONREAD, &waiting), 0);
    size_t total = drain(last, &error);
    ck_assert_uint_lt(total, LEN);
    ck_assert_uint_eq(total, (size_t)waiting); /* and no more came */
    ck_assert_int_eq(error, ECONNRESET);
    client_free(edge);
}
END_TEST

START_TEST(all_leaves_a_link_that_says_goodbye) {
    setup_of(_i == 0 ? SPB_MQTT_3_1_1 : SPB_MQTT_5);
    publish_much();
    edge->transport->disconnect(edge->transport, 1, 1000);
    await(edge, SPB_TRANSPORT_DISCONNECTED, 1);
    int waiting = 0, error = 0;
    uint8_t last[2];
    ck_assert_int_eq(ioctl(server.fd, FIONREAD, &waiting), 0);
    ck_assert_int_lt(waiting, LEN); /* the rest is in the kernel of the client */
    client_free(edge);
    size_t total = drain(last, &error);
    ck_assert_uint_gt(total, LEN);
    ck_assert_int_eq(error, 0);
    if (_i == 0) {
        ck_assert_mem_eq(last, "\xe0\x00", 2); /* DISCONNECT */
    }
}
END_TEST

/* A server that has read everything gets the will as a message or in a DISCONNECT, as before. */
START_TEST(a_link_without_a_rest_is_not_reset) {
    setup_of(SPB_MQTT_3_1_1);
    ck_assert_int_eq(publish(edge, 1, "data", "x", 0, false), SPB_OK);
    await_published(edge, 1);
    client_free(edge);
    int error = 0;
    uint8_t last[2];
    ck_assert_uint_gt(drain(last, &error), 0);
    ck_assert_int_eq(error, 0);
    ck_assert_mem_eq(last, "\xe0\x00", 2);
}
END_TEST

static Suite *reset_suite(void) {
    Suite *suite = suite_create("mqtt_reset");
    TCase *tests = tcase_create("reset");
    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, nothing_leaves_a_link_that_is_given_up, 0, 2);
    tcase_add_loop_test(tests, all_leaves_a_link_that_says_goodbye, 0, 2);
    tcase_add_test(tests, a_link_without_a_rest_is_not_reset);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return suite_run(reset_suite());
}
