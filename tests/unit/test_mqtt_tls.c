/* TLS against a real mosquitto: who is trusted, and which words each refusal gets. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/mqtt_client.h"
#include "support/suite.h"

static broker *server;
static char uri[64];
static broker_path ca, foreign_ca, client_cert, client_key, locked_key, both, stranger_cert, stranger_key;

/* A server with that certificate, and further lines of its configuration. */
static void serve_as(const char *certificate, const char *lines) {
    server = broker_new();
    broker_make_certificates(server);
    char text[256];
    snprintf(text, sizeof text, "cafile %%s/ca.pem\ncertfile %%s/%s.pem\nkeyfile %%s/%s.key\n", certificate,
             certificate);
    broker_configure(server, text);
    broker_configure(server, lines);
    broker_start(server);
    snprintf(uri, sizeof uri, "mqtts://127.0.0.1:%u", (unsigned)broker_port(server));
    ca = broker_file(server, "ca.pem");
    foreign_ca = broker_file(server, "foreign-ca.pem");
    client_cert = broker_file(server, "client.pem");
    client_key = broker_file(server, "client.key");
    locked_key = broker_file(server, "client-locked.key");
    both = broker_file(server, "client-both.pem");
    stranger_cert = broker_file(server, "stranger.pem");
    stranger_key = broker_file(server, "stranger.key");
}

/* With a line for the configuration of the server's OpenSSL, which says what its own has no option for. */
static void serve_limited(const char *certificate, const char *lines, const char *limit) {
    broker *configuration = broker_new();
    char text[256];
    snprintf(text, sizeof text,
             "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = limits\n[limits]\n%s\n", limit);
    broker_write_file(configuration, "openssl.cnf", text);
    setenv("OPENSSL_CONF", broker_file(configuration, "openssl.cnf").text, 1);
    serve_as(certificate, lines);
    unsetenv("OPENSSL_CONF");
    broker_free(configuration);
}

static void teardown(void) {
    broker_free(server);
    server = NULL;
}

static void expect_connected(spb_mqtt_options options) {
    client *edge = client_new(&options);
    start_connect(edge, uri, "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    subscribe(edge, 1, "echo");
    ck_assert_int_eq(publish(edge, 1, "echo", "x", 0, false), SPB_OK);
    await_message(edge, 1, "echo", "x");
    client_free(edge);
}

static void expect_refused(spb_mqtt_options options, spb_status status, const char *words) {
    client *edge = client_new(&options);
    expect_failure(edge, uri, 1, status, words);
    client_free(edge);
}

/* ---- the server's certificate ---- */

START_TEST(a_trusted_server_is_accepted) {
    serve_as("server", "");
    expect_connected((spb_mqtt_options){.ca_file = ca.text});
    expect_connected((spb_mqtt_options){.ca_file = ca.text, .version = SPB_MQTT_5});
    snprintf(uri, sizeof uri, "ssl://localhost:%u", (unsigned)broker_port(server));
    expect_connected((spb_mqtt_options){.ca_file = ca.text});
}
END_TEST

START_TEST(a_large_message_goes_through) {
    enum { LEN = 1000000 };
    serve_as("server", "");
    client *edge = client_new(&(spb_mqtt_options){.ca_file = ca.text});
    start_connect(edge, uri, "edge", 1);
    await(edge, SPB_TRANSPORT_CONNECTED, 1);
    subscribe(edge, 1, "echo");
    char *big = must(malloc(LEN));
    memset(big, 'x', LEN);
    for (int i = 0; i < 4; i++) {
        spb_transport_message message = {.topic = "echo", .payload = {.data = (uint8_t *)big, .len = LEN}};
        ck_assert_int_eq(edge->transport->publish(edge->transport, 1, &message, NULL), SPB_OK);
    }
    for (int i = 0; i < 4; i++) {
        heard got = await(edge, SPB_TRANSPORT_MESSAGE, 1);
        ck_assert_uint_eq(got.event.payload.len, LEN);
        ck_assert_mem_eq(got.payload, big, LEN);
    }
    free(big);
    client_free(edge);
}
END_TEST

START_TEST(an_unknown_authority_is_named) {
    serve_as("foreign", "");
    expect_refused((spb_mqtt_options){.ca_file = ca.text}, SPB_ERR_TLS, "trusted authority");
    expect_refused((spb_mqtt_options){0}, SPB_ERR_TLS, "trusted authority"); /* the system's */
    expect_connected((spb_mqtt_options){.ca_file = foreign_ca.text});
}
END_TEST

START_TEST(a_wrong_host_is_named) {
    serve_as("other-host", "");
    expect_refused((spb_mqtt_options){.ca_file = ca.text}, SPB_ERR_TLS, "another host than \"127.0.0.1\"");
    expect_refused((spb_mqtt_options){.ca_file = ca.text, .version = SPB_MQTT_5}, SPB_ERR_TLS, "another host");
}
END_TEST

/* paho would take the common name for a DNS name, and a DNS name for an address. */
START_TEST(names_are_names_and_addresses_are_addresses) {
    serve_as("common-name", "");
    char by_name[64];
    snprintf(by_name, sizeof by_name, "mqtts://localhost:%u", (unsigned)broker_port(server));
    client *edge = client_new(&(spb_mqtt_options){.ca_file = ca.text});
    expect_failure(edge, by_name, 1, SPB_ERR_TLS, "another host than \"localhost\"");
    client_free(edge);
    broker_free(server);

    serve_as("name-is-ip", "");
    expect_refused((spb_mqtt_options){.ca_file = ca.text}, SPB_ERR_TLS, "another host than \"127.0.0.1\"");
}
END_TEST

START_TEST(a_short_key_is_named) {
    serve_limited("short-key", "", "CipherString = DEFAULT@SECLEVEL=0");
    expect_refused((spb_mqtt_options){.ca_file = ca.text}, SPB_ERR_TLS, "key that is too short");
}
END_TEST

START_TEST(a_revoked_certificate_is_named) {
    serve_as("revoked", "");
    broker_path list = broker_file(server, "crl.pem"), old = broker_file(server, "crl-old.pem");
    expect_refused((spb_mqtt_options){.ca_file = ca.text, .crl_file = list.text}, SPB_ERR_TLS, "is revoked");
    expect_refused((spb_mqtt_options){.ca_file = ca.text, .crl_file = old.text}, SPB_ERR_TLS, "out of date");
    broker_path two = broker_file(server, "crl-both.pem");
    expect_refused((spb_mqtt_options){.ca_file = ca.text, .crl_file = two.text}, SPB_ERR_TLS, "is revoked");
    expect_connected((spb_mqtt_options){.ca_file = ca.text});
    broker_free(server);

    serve_as("server", "");
    broker_path valid = broker_file(server, "crl.pem");
    expect_connected((spb_mqtt_options){.ca_file = ca.text, .crl_file = valid.text});
    broker_free(server);

    serve_as("foreign", "");
    valid = broker_file(server, "crl.pem");
    expect_refused((spb_mqtt_options){.ca_file = foreign_ca.text, .crl_file = valid.text}, SPB_ERR_TLS,
                   "no list of its authority");
}
END_TEST

/* Two links to one server, of which one verifies, do not spoil each other. */
START_TEST(a_lenient_link_makes_no_other_lenient) {
    serve_as("other-host", "");
    client *lenient = client_new(&(spb_mqtt_options){.insecure_skip_verify = true});
    start_connect(lenient, uri, "lenient", 1);
    await(lenient, SPB_TRANSPORT_CONNECTED, 1);
    ck_assert_ptr_nonnull(strstr(lenient->warnings, "insecure_skip_verify"));
    expect_refused((spb_mqtt_options){.ca_file = ca.text}, SPB_ERR_TLS, "another host");
    client_free(lenient);
}
END_TEST

START_TEST(an_expired_certificate_is_named) {
    serve_as("expired", "");
    expect_refused((spb_mqtt_options){.ca_file = ca.text}, SPB_ERR_TLS, "expired");
}
END_TEST

START_TEST(verification_can_be_switched_off) {
    static const char *const names[] = {"foreign", "other-host", "expired"};
    serve_as(names[_i], "");
    expect_connected((spb_mqtt_options){.insecure_skip_verify = true});
}
END_TEST

/* Each is told for itself, also after another failure in the same process. */
START_TEST(failures_are_not_mixed_up) {
    serve_as("expired", "");
    client *edge = client_new(&(spb_mqtt_options){.ca_file = ca.text});
    char nobody[64];
    snprintf(nobody, sizeof nobody, "mqtts://127.0.0.1:%u", (unsigned)broker_free_port());
    expect_failure(edge, uri, 1, SPB_ERR_TLS, "expired");
    expect_failure(edge, nobody, 2, SPB_ERR_CONNECT, "refused or unreachable");
    expect_failure(edge, uri, 3, SPB_ERR_TLS, "expired");
    client_free(edge);
}
END_TEST

/* ---- the client's certificate; in TLS 1.3 it is looked at when the handshake is over ---- */

/* The second time the server speaks TLS 1.2 at most. */
static void serve_mutually(int round) {
    static const char *const lines = "require_certificate true\n";
    if (round == 0) {
        serve_as("server", lines);
    } else {
        serve_limited("server", lines, "MaxProtocol = TLSv1.2");
    }
}

START_TEST(a_client_shows_its_certificate) {
    serve_mutually(_i);
    expect_connected(
        (spb_mqtt_options){.ca_file = ca.text, .cert_file = client_cert.text, .key_file = client_key.text});
    expect_connected((spb_mqtt_options){.ca_file = ca.text, .cert_file = both.text});
    expect_connected((spb_mqtt_options){.ca_file = ca.text,
                                        .cert_file = client_cert.text,
                                        .key_file = locked_key.text,
                                        .key_password = "secret",
                                        .version = SPB_MQTT_5});
}
END_TEST

START_TEST(a_missing_client_certificate_is_named) {
    serve_mutually(_i);
    expect_refused((spb_mqtt_options){.ca_file = ca.text}, SPB_ERR_TLS, "requires a client certificate");
}
END_TEST

START_TEST(a_refused_client_certificate_is_named) {
    serve_mutually(_i);
    const char *words = _i == 0 ? "refuses the client certificate" : "authority that issued the client certificate";
    expect_refused(
        (spb_mqtt_options){.ca_file = ca.text, .cert_file = stranger_cert.text, .key_file = stranger_key.text},
        SPB_ERR_TLS, words);
}
END_TEST

/* ---- the wrong port ---- */

START_TEST(tls_on_a_plain_port_is_named) {
    serve_as("server", "");
    broker *plain = broker_new();
    broker_start(plain);
    client *edge = client_new(&(spb_mqtt_options){.ca_file = ca.text});
    char there[64];
    snprintf(there, sizeof there, "mqtts://127.0.0.1:%u", (unsigned)broker_port(plain));
    expect_failure(edge, there, 1, SPB_ERR_TLS, "TLS");
    expect_failure(edge, broker_uri(server), 2, SPB_ERR_CONNECT, "does it expect TLS");
    client_free(edge);
    broker_free(plain);
}
END_TEST

/* ---- files ---- */

static void expect_option_refused(spb_mqtt_options options, const char *words) {
    spb_transport *transport;
    spb_error err = {.text = ""};
    ck_assert_int_eq(spb_mqtt_new(&transport, &options, &err), SPB_ERR_ARGUMENT);
    ck_assert_ptr_null(transport);
    ck_assert_msg(strstr(err.text, words) != NULL, "%s, expected: %s", err.text, words);
}

START_TEST(a_file_that_cannot_be_used_is_named) {
    server = broker_new();
    broker_make_certificates(server);
    broker_write_file(server, "garbage", "not PEM\n");
    broker_path garbage = broker_file(server, "garbage"), none = broker_file(server, "none");
    broker_path cert_path = broker_file(server, "client.pem"), key = broker_file(server, "client.key");
    broker_path locked = broker_file(server, "client-locked.key"), other = broker_file(server, "stranger.key");
    const char *cert = cert_path.text;

    expect_option_refused((spb_mqtt_options){.ca_file = none.text}, "ca_file /");
    expect_option_refused((spb_mqtt_options){.ca_file = none.text}, "none: No such file");
    expect_option_refused((spb_mqtt_options){.ca_file = garbage.text}, "holds no certificate");
    expect_option_refused((spb_mqtt_options){.cert_file = none.text, .key_file = key.text}, "cert_file /");
    expect_option_refused((spb_mqtt_options){.cert_file = garbage.text, .key_file = key.text}, "holds no certificate");
    expect_option_refused((spb_mqtt_options){.cert_file = cert}, "client.pem: holds no private key");
    expect_option_refused((spb_mqtt_options){.cert_file = cert, .key_file = none.text}, "key_file /");
    expect_option_refused((spb_mqtt_options){.cert_file = cert, .key_file = garbage.text}, "holds no private key");
    expect_option_refused((spb_mqtt_options){.cert_file = cert, .key_file = other.text}, "does not belong");
    expect_option_refused((spb_mqtt_options){.cert_file = cert, .key_file = locked.text}, "key_password is missing");
    expect_option_refused((spb_mqtt_options){.cert_file = cert, .key_file = locked.text, .key_password = "wrong"},
                          "key_password is wrong");
    expect_option_refused((spb_mqtt_options){.key_file = key.text}, "need cert_file");
    expect_option_refused((spb_mqtt_options){.crl_file = none.text}, "crl_file /");
    expect_option_refused((spb_mqtt_options){.crl_file = garbage.text}, "no list of revoked certificates");
    broker_path cut = broker_file(server, "crl-cut.pem"); /* the second list might be the one that counts */
    expect_option_refused((spb_mqtt_options){.crl_file = cut.text}, "or one that is damaged");
    broker_path weak = broker_file(server, "short-key.pem"), weak_key = broker_file(server, "short-key.key");
    expect_option_refused((spb_mqtt_options){.cert_file = weak.text, .key_file = weak_key.text}, "key is too short");
    expect_option_refused((spb_mqtt_options){.user = "edge", .password_file = none.text}, "password_file /");
}
END_TEST

int main(void) {
    Suite *suite = suite_create("mqtt_tls");
    TCase *tls = tcase_create("tls");
    tcase_set_timeout(tls, 100);
    tcase_add_checked_fixture(tls, NULL, teardown);
    tcase_add_test(tls, a_trusted_server_is_accepted);
    tcase_add_test(tls, a_large_message_goes_through);
    tcase_add_test(tls, an_unknown_authority_is_named);
    tcase_add_test(tls, a_wrong_host_is_named);
    tcase_add_test(tls, names_are_names_and_addresses_are_addresses);
    tcase_add_test(tls, a_short_key_is_named);
    tcase_add_test(tls, a_revoked_certificate_is_named);
    tcase_add_test(tls, a_lenient_link_makes_no_other_lenient);
    tcase_add_test(tls, an_expired_certificate_is_named);
    tcase_add_loop_test(tls, verification_can_be_switched_off, 0, 3);
    tcase_add_test(tls, failures_are_not_mixed_up);
    tcase_add_loop_test(tls, a_client_shows_its_certificate, 0, 2);
    tcase_add_loop_test(tls, a_missing_client_certificate_is_named, 0, 2);
    tcase_add_loop_test(tls, a_refused_client_certificate_is_named, 0, 2);
    tcase_add_test(tls, tls_on_a_plain_port_is_named);
    tcase_add_test(tls, a_file_that_cannot_be_used_is_named);
    suite_add_tcase(suite, tls);
    return suite_run(suite);
}
