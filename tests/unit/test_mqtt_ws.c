/* MQTT over WebSocket, plain and with TLS, against a broker of another project. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/mqtt_client.h"
#include "support/names.h"
#include "support/suite.h"

static broker *files; /* for its directory alone */
static broker_path ca, foreign_ca;
static pid_t pid;
static int input = -1; /* the server ends with it */
static unsigned port;

static void start_server(const char *name) {
    const char *program = getenv("SPB_WS_BROKER");
    ck_assert_msg(program, "SPB_WS_BROKER does not say where ws_broker.js is");
    files = broker_new();
    broker_make_certificates(files);
    ca = broker_file(files, "ca.pem");
    foreign_ca = broker_file(files, "foreign-ca.pem");
    broker_path certificate = broker_file(files, "server.pem"), key = broker_file(files, "server.key");
    int to_server[2], from_server[2];
    ck_assert(pipe(to_server) == 0 && pipe(from_server) == 0);
    pid = fork();
    if (pid == 0) {
        dup2(to_server[0], STDIN_FILENO);
        dup2(from_server[1], STDOUT_FILENO);
        close(to_server[1]);
        bool has_tls = strcmp(name, "wss") == 0;
        execlp("node", "node", program, has_tls ? certificate.text : (char *)NULL, key.text, (char *)NULL);
        _exit(127);
    }
    close(to_server[0]);
    close(from_server[1]);
    input = to_server[1];
    FILE *output = fdopen(from_server[0], "r");
    ck_assert_msg(fscanf(output, "%u", &port) == 1, "%s does not run in node", program);
    fclose(output);
}

static void kill_server(void) {
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(input);
        pid = 0;
    }
}

static void teardown(void) {
    kill_server();
    broker_free(files);
    files = NULL;
}

static const char *uri_of(const char *scheme, const char *path) {
    static char uri[128];
    snprintf(uri, sizeof uri, "%s://127.0.0.1:%u%s", scheme, port, path);
    return uri;
}

static const char *const schemes[] = {"ws", "wss"};

static client *new_client(const broker_path *authority) {
    return client_new(&(spb_mqtt_options){.ca_file = authority->text, .allow_unsafe_websocket = true});
}

START_TEST(messages_go_both_ways) {
    enum { COUNT = 200, BIG = 300000 };
    start_server(schemes[_i]);
    client *edge = new_client(&ca);
    start_connect(edge, uri_of(schemes[_i], ""), "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    subscribe(edge, 1, "echo");
    char text[32];
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        ck_assert_int_eq(publish(edge, 1, "echo", text, 0, false), SPB_OK);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text, "%d", i);
        await_message(edge, 1, "echo", text);
    }
    ck_assert_int_eq(edge->transport->fence(edge->transport, 1, SPB_FENCE_FORM_UNSUBSCRIBE,
                                            &(spb_subscription){.filter = "/fence"}, NULL),
                     SPB_OK);
    await(edge, SPB_TRANSPORT_FENCED, 1);

    uint8_t *big = must(calloc(BIG, 1));
    spb_transport_message message = {.topic = "echo", .payload = {.data = big, .len = BIG}};
    ck_assert_int_eq(edge->transport->publish(edge->transport, 1, &message, NULL), SPB_OK);
    ck_assert_uint_eq(await(edge, SPB_TRANSPORT_MESSAGE, 1).event.payload.len, BIG);
    free(big);
    edge->transport->disconnect(edge->transport, 1, 5000);
    await(edge, SPB_TRANSPORT_DISCONNECTED, 1);
    client_free(edge);
}
END_TEST

START_TEST(close_lets_the_will_out) {
    start_server(schemes[_i]);
    client *watcher = new_client(&ca);
    start_connect(watcher, uri_of(schemes[_i], "/mqtt"), "watcher", 1);
    await(watcher, SPB_TRANSPORT_CONNECTED, 1);
    subscribe(watcher, 1, "will/#");
    client *edge = new_client(&ca);
    start_connect(edge, uri_of(schemes[_i], "/mqtt"), "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    edge->transport->close(edge->transport, 1);
    await_message(watcher, 1, "will/edge", "gone");
    client_free(edge);
    client_free(watcher);
}
END_TEST

START_TEST(a_killed_server_is_a_lost_link) {
    start_server(schemes[_i]);
    client *edge = new_client(&ca);
    start_connect(edge, uri_of(schemes[_i], ""), "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    kill_server();
    await(edge, SPB_TRANSPORT_LOST, 1);
    expect_failure(edge, uri_of(schemes[_i], ""), 2, SPB_ERR_CONNECT, "refused or unreachable");
    client_free(edge);
}
END_TEST

START_TEST(a_wrong_path_is_named) {
    start_server(schemes[_i]);
    client *edge = new_client(&ca);
    expect_failure(edge, uri_of(schemes[_i], "/elsewhere"), 1, SPB_ERR_CONNECT, "/elsewhere does not accept");
    client_free(edge);
}
END_TEST

START_TEST(without_tls_it_needs_consent) {
    static const spb_mqtt_options consent = {.allow_unsafe_websocket = true};
    client *edge = client_new(NULL);
    spb_transport_connect request = request_to("ws://127.0.0.1:9/mqtt", "edge", 1);
    spb_error err = {.text = ""};
    ck_assert_int_eq(edge->transport->connect(edge->transport, &request, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(err.text, "allow_unsafe_websocket"));
    ck_assert_int_eq(spb_mqtt_check_server("ws://h", NULL, &err), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(spb_mqtt_check_server("ws://h", &(spb_mqtt_options){0}, &err), SPB_ERR_ARGUMENT);
    ck_assert_int_eq(spb_mqtt_check_server("ws://h", &consent, &err), SPB_OK);
    ck_assert_int_eq(spb_mqtt_check_server("wss://h", NULL, &err), SPB_OK);
    client_free(edge);
}
END_TEST

START_TEST(an_unknown_authority_is_named) {
    start_server("wss");
    client *edge = new_client(&foreign_ca);
    expect_failure(edge, uri_of("wss", ""), 1, SPB_ERR_TLS, "trusted authority");
    client_free(edge);
}
END_TEST

START_TEST(a_server_is_reached_by_its_name) {
    start_server("wss");
    char uri[64];
    client *edge = new_client(&ca);
    snprintf(uri, sizeof uri, "wss://localhost:%u", port);
    start_connect(edge, uri, "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    names_set("stranger.test", "127.0.0.1");
    snprintf(uri, sizeof uri, "wss://stranger.test:%u", port);
    expect_failure(edge, uri, 2, SPB_ERR_TLS, "another host than \"stranger.test\"");
    names_set("localhost", "127.0.0.2 127.0.0.1"); /* where nobody is, and the server */
    snprintf(uri, sizeof uri, "wss://localhost:%u", port);
    start_connect(edge, uri, "edge", 3);
    await(edge, SPB_TRANSPORT_CONNECTED, 3);
    ck_assert_ptr_nonnull(strstr(edge->warnings, ", 127.0.0.1 does: that is the Host of the request"));
    names_set("stranger.test", "127.0.0.2 127.0.0.1");
    snprintf(uri, sizeof uri, "wss://stranger.test:%u", port);
    expect_failure(edge, uri, 4, SPB_ERR_TLS, "another host than \"stranger.test\"");
    client_free(edge);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mqtt_ws");
    TCase *web = tcase_create("websocket");
    tcase_set_timeout(web, 100);
    tcase_add_checked_fixture(web, NULL, teardown);
    tcase_add_loop_test(web, messages_go_both_ways, 0, 2);
    tcase_add_loop_test(web, close_lets_the_will_out, 0, 2);
    tcase_add_loop_test(web, a_killed_server_is_a_lost_link, 0, 2);
    tcase_add_loop_test(web, a_wrong_path_is_named, 0, 2);
    tcase_add_test(web, without_tls_it_needs_consent);
    tcase_add_test(web, an_unknown_authority_is_named);
    tcase_add_test(web, a_server_is_reached_by_its_name);
    suite_add_tcase(suite, web);
    return suite_run(suite);
}
