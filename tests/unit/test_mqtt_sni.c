/* TLS with a server whose name was resolved: it is asked for by its name, and its certificate is for the name. */
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "support/broker.h"
#include "support/mqtt_client.h"
#include "support/names.h"
#include "support/suite.h"

static broker *files; /* for its certificates alone */
static broker_path ca;

static void setup(void) {
    files = broker_new();
    broker_make_certificates(files);
    ca = broker_file(files, "ca.pem");
}

static void teardown(void) {
    broker_free(files);
    files = NULL;
}

/* ---- a server that hosts localhost and other.example, and accepts one CONNECT after the other ---- */

enum { NAMES_MAX = 4 };

typedef struct host_server {
    int listening;
    unsigned port;
    bool is_6;                 /* it listens on ::1, and not on 127.0.0.1 */
    size_t count;              /* connections to be served, one after the other */
    const char *wait_for;      /* the first handshake goes on when somebody has asked for this name; or NULL */
    int accepted;              /* then a byte is written to it when its connection is there */
    char asked[NAMES_MAX][64]; /* the names that clients have asked for */
    bool has_seen[NAMES_MAX];  /* a CONNECT */
    SSL_CTX *of_localhost, *of_other;
    pthread_t thread;
} host_server;

static SSL_CTX *context_of(const char *name) {
    char file[64];
    SSL_CTX *context = must(SSL_CTX_new(TLS_server_method()));
    snprintf(file, sizeof file, "%s.pem", name);
    broker_path certificate = broker_file(files, file);
    snprintf(file, sizeof file, "%s.key", name);
    broker_path key = broker_file(files, file);
    ck_assert_int_eq(SSL_CTX_use_certificate_file(context, certificate.text, SSL_FILETYPE_PEM), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(context, key.text, SSL_FILETYPE_PEM), 1);
    return context;
}

static int choose(SSL *ssl, int *alert, void *context) {
    (void)alert;
    const host_server *self = context;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name && strcmp(name, "other.example") == 0) {
        SSL_set_SSL_CTX(ssl, self->of_other);
    }
    return SSL_TLSEXT_ERR_OK;
}

static void serve_one(host_server *self, size_t index) {
    int fd = accept(self->listening, NULL, NULL);
    if (index == 0 && self->wait_for) {
        ck_assert_int_eq(write(self->accepted, "", 1), 1);
        names_await_asked(self->wait_for, 1);
    }
    SSL *ssl = must(SSL_new(self->of_localhost));
    SSL_set_fd(ssl, fd);
    uint8_t packet[256] = {0};
    bool is_secure = SSL_accept(ssl) == 1;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(self->asked[index], sizeof self->asked[index], "%s", name ? name : "");
    self->has_seen[index] = is_secure && SSL_read(ssl, packet, sizeof packet) > 0 && packet[0] == 0x10;
    if (self->has_seen[index]) {
        SSL_write(ssl, "\x20\x02\x00\x00", 4);
    }
    SSL_free(ssl);
    close(fd); /* the client hears of the loss after CONNACK */
}

static void *serve(void *context) {
    host_server *self = context;
    for (size_t i = 0; i < self->count; i++) {
        serve_one(self, i);
    }
    return NULL;
}

/* −1: this machine has no IPv6. */
static int listen_on(bool is_6, unsigned *port) {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } here = {.ipv6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
    if (!is_6) {
        here.ipv4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    }
    socklen_t len = is_6 ? sizeof here.ipv6 : sizeof here.ipv4;
    int fd = socket(here.any.sa_family, SOCK_STREAM, 0);
    if (is_6 && (fd < 0 || bind(fd, &here.any, len) != 0)) {
        close(fd);
        return -1;
    }
    ck_assert(is_6 || bind(fd, &here.any, len) == 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, &here.any, &len), 0);
    *port = ntohs(is_6 ? here.ipv6.sin6_port : here.ipv4.sin_port);
    return fd;
}

static bool host_start(host_server *self) {
    self->listening = listen_on(self->is_6, &self->port);
    if (self->listening < 0) {
        return false;
    }
    self->of_localhost = context_of("server");
    self->of_other = context_of("other-host");
    SSL_CTX_set_tlsext_servername_callback(self->of_localhost, choose);
    SSL_CTX_set_tlsext_servername_arg(self->of_localhost, self);
    ck_assert_int_eq(pthread_create(&self->thread, NULL, serve, self), 0);
    return true;
}

static void host_stop(host_server *self) {
    pthread_join(self->thread, NULL);
    close(self->listening);
    SSL_CTX_free(self->of_localhost);
    SSL_CTX_free(self->of_other);
}

static client *new_client(spb_mqtt_version version) {
    return client_new(&(spb_mqtt_options){.ca_file = ca.text, .version = version});
}

static void start(client *self, const char *host, const host_server *server, uint32_t link) {
    char uri[64];
    snprintf(uri, sizeof uri, "mqtts://%s:%u", host, server->port);
    start_connect(self, uri, host, link);
}

/* ---- the tests ---- */

START_TEST(a_server_is_asked_for_by_its_name) {
    host_server server = {.count = 2, .is_6 = _i == 1};
    if (!host_start(&server)) {
        printf("this machine has no IPv6\n");
        return;
    }
    names_set("other.example", _i == 1 ? "::1" : "127.0.0.1");
    names_set("localhost", _i == 1 ? "::1" : "127.0.0.1");
    client *edge = new_client(SPB_MQTT_3_1_1);
    start(edge, "other.example", &server, 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    await(edge, SPB_TRANSPORT_LOST, 1);
    start(edge, "localhost", &server, 2);
    await(edge, SPB_TRANSPORT_CONNECTED, 2);
    await(edge, SPB_TRANSPORT_LOST, 2);
    host_stop(&server);
    ck_assert_str_eq(server.asked[0], "other.example");
    ck_assert_str_eq(server.asked[1], "localhost");
    client_free(edge);
}
END_TEST

/* The certificate is for 127.0.0.1, too, which is what paho is given; it has to be for the name. */
START_TEST(the_certificate_must_be_for_the_name) {
    host_server server = {.count = 1};
    host_start(&server);
    names_set("stranger.test", "127.0.0.1");
    client *edge = new_client(_i == 0 ? SPB_MQTT_3_1_1 : SPB_MQTT_5);
    start(edge, "stranger.test", &server, 1);
    heard got = await(edge, SPB_TRANSPORT_CONNECT_FAILED, 1);
    ck_assert_int_eq(got.event.status, SPB_ERR_TLS);
    ck_assert_ptr_nonnull(strstr(got.reason, "another host than \"stranger.test\""));
    host_stop(&server);
    ck_assert_str_eq(server.asked[0], "stranger.test");
    ck_assert(!server.has_seen[0]); /* the password would have been in it */
    client_free(edge);
}
END_TEST

/* The second one waits until the first one's handshake is over: by address and port, one could not be told from the
 * other. */
START_TEST(two_names_of_one_address_are_not_mixed_up) {
    int accepted[2];
    ck_assert_int_eq(pipe(accepted), 0);
    names_set("other-1.example", "127.0.0.1");
    names_set("localhost", "127.0.0.1");
    host_server server = {.count = 2, .wait_for = "other-1.example", .accepted = accepted[1]};
    host_start(&server);
    client *first = new_client(SPB_MQTT_3_1_1), *second = new_client(SPB_MQTT_3_1_1);
    start(first, "localhost", &server, 1);
    ck_assert_int_eq(read(accepted[0], &(char){0}, 1), 1);
    start(second, "other-1.example", &server, 1);
    await(first, SPB_TRANSPORT_CONNECTED, 1);
    heard got = await(second, SPB_TRANSPORT_CONNECT_FAILED, 1); /* there is no certificate for it */
    ck_assert_int_eq(got.event.status, SPB_ERR_TLS);
    host_stop(&server);
    ck_assert_str_eq(server.asked[0], "localhost");
    ck_assert_str_eq(server.asked[1], "other-1.example");
    close(accepted[0]);
    close(accepted[1]);
    client_free(first);
    client_free(second);
}
END_TEST

/* It waits in vain, and is closed meanwhile; nothing of it is left where others would look at it. */
START_TEST(a_link_that_waits_for_another_can_be_closed) {
    host_server server = {.count = 0};
    int listening = listen_on(false, &server.port);
    names_set("other-2.example", "127.0.0.1");
    names_set("localhost", "127.0.0.1");
    client *first = new_client(SPB_MQTT_3_1_1), *second = new_client(SPB_MQTT_3_1_1);
    start(first, "localhost", &server, 1);
    int fd = accept(listening, NULL, NULL); /* and says nothing */
    start(second, "other-2.example", &server, 1);
    names_await_asked("other-2.example", 1);
    client_free(second);
    client_free(first);
    close(fd);
    close(listening);
}
END_TEST

static Suite *sni_suite(void) {
    Suite *suite = suite_create("mqtt_sni");
    TCase *tests = tcase_create("names");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, a_server_is_asked_for_by_its_name, 0, 2);
    tcase_add_loop_test(tests, the_certificate_must_be_for_the_name, 0, 2);
    tcase_add_test(tests, two_names_of_one_address_are_not_mixed_up);
    tcase_add_test(tests, a_link_that_waits_for_another_can_be_closed);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void) {
    return suite_run(sni_suite());
}
