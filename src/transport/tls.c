/*
 * Decides how servers are verified. When the handshake takes place is left to paho, what the files hold to tls_files.c,
 * the words for a failure to tls_words.c.
 *
 * paho keeps its SSL objects to itself, and hands on the error queue of OpenSSL, where a certificate that is not
 * accepted is "certificate verify failed", whatever the cause. So this file looks at each SSL object of the process: at
 * a new one, to have a word in the verification if it turns out to reach a server that a link expects; and at one that
 * is freed, which paho does just before it reports the end, on the same thread, to keep the result for that report.
 * Those of others are left as they are.
 */
#include "transport/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "transport/tls_files.h"

/* paho sets level 1 before it takes the list of ciphers, which may say otherwise. */
#define CIPHERS "DEFAULT@SECLEVEL=2"

/* ---- the certificate of a server ---- */

/* The servers of all links. Read on paho's threads, one of which is inside a handshake. */
static pthread_mutex_t peers_lock = PTHREAD_MUTEX_INITIALIZER;
static spb_tls_peer *peers;

static void watch(void);

void spb_tls__expect(spb_tls_peer *peer, const spb_mqtt_options *settings, const spb_address *address) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!address->has_tls) {
        return;
    }
    pthread_once(&once, watch);
    *peer = (spb_tls_peer){.settings = settings, .address = address};
    pthread_mutex_lock(&peers_lock);
    peer->next = peers;
    peers = peer;
    pthread_mutex_unlock(&peers_lock);
}

void spb_tls__forget(spb_tls_peer *peer) {
    if (!peer->settings) {
        return;
    }
    pthread_mutex_lock(&peers_lock);
    spb_tls_peer **at = &peers;
    while (*at != peer) {
        at = &(*at)->next;
    }
    *at = peer->next;
    peer->settings = NULL;
    pthread_mutex_unlock(&peers_lock);
}

/* The name that paho asks for in the handshake, addresses included, and the port of its socket. */
static bool is_of(const spb_tls_peer *peer, const char *host, const SSL *ssl) {
    struct sockaddr_storage there;
    socklen_t len = sizeof there;
    if (strcmp(peer->address->host, host) != 0 || getpeername(SSL_get_fd(ssl), (struct sockaddr *)&there, &len) != 0) {
        return false;
    }
    in_port_t port = there.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&there)->sin6_port
                                                 : ((struct sockaddr_in *)&there)->sin_port;
    const char *colon = strrchr(peer->address->host_port, ':');
    return strtoul(colon + 1, NULL, 10) == ntohs(port);
}

/* paho takes the common name, too, when the certificate has no DNS names, and an address for a name. */
static int check_name(const spb_address *address, X509 *certificate) {
    if (address->is_numeric) {
        bool is_right = X509_check_ip_asc(certificate, address->host, 0) == 1;
        return is_right ? X509_V_OK : X509_V_ERR_IP_ADDRESS_MISMATCH;
    }
    bool is_right = X509_check_host(certificate, address->host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
    return is_right ? X509_V_OK : X509_V_ERR_HOSTNAME_MISMATCH;
}

/* The verification once more, with the lists of revoked certificates. */
static int check_revoked(const char *crl_file, X509_STORE_CTX *done) {
    int result = X509_V_ERR_UNABLE_TO_GET_CRL;
    STACK_OF(X509_CRL) *lists = spb_tls_files__revoked(crl_file);
    X509_STORE_CTX *again = X509_STORE_CTX_new();
    if (lists && again &&
        X509_STORE_CTX_init(again, X509_STORE_CTX_get0_store(done), X509_STORE_CTX_get0_cert(done),
                            X509_STORE_CTX_get0_untrusted(done)) == 1) {
        X509_STORE_CTX_set_default(again, "ssl_server");
        X509_STORE_CTX_set_flags(again, X509_V_FLAG_CRL_CHECK);
        X509_STORE_CTX_set0_crls(again, lists);
        result = X509_verify_cert(again) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(again);
    }
    X509_STORE_CTX_free(again);
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    return result;
}

/* What is wrong with the certificate of a server that links expect. When two expect the same one, both must accept. */
static int check_peers(const SSL *ssl, X509_STORE_CTX *context) {
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    int result = X509_V_OK;
    pthread_mutex_lock(&peers_lock);
    for (const spb_tls_peer *peer = peers; peer && host && result == X509_V_OK; peer = peer->next) {
        if (peer->settings->insecure_skip_verify || !is_of(peer, host, ssl)) {
            continue;
        }
        result = check_name(peer->address, X509_STORE_CTX_get0_cert(context));
        if (result == X509_V_OK && peer->settings->crl_file) {
            result = check_revoked(peer->settings->crl_file, context);
        }
    }
    pthread_mutex_unlock(&peers_lock);
    return result;
}

/* Called by OpenSSL for each certificate, the server's own (depth 0) last, and before a byte of MQTT is sent. SSL
 * objects of others keep the function that their context has. */
static int verify(int is_accepted, X509_STORE_CTX *context) {
    SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    SSL_verify_cb of_context = SSL_CTX_get_verify_callback(SSL_get_SSL_CTX(ssl));
    if (of_context) {
        is_accepted = of_context(is_accepted, context);
    }
    if (!is_accepted || SSL_is_server(ssl) || SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ||
        X509_STORE_CTX_get_error_depth(context) != 0) {
        return is_accepted;
    }
    int result = check_peers(ssl, context);
    if (result != X509_V_OK) {
        X509_STORE_CTX_set_error(context, result);
    }
    return result == X509_V_OK;
}

/* ---- the end of a connection ---- */

static _Thread_local spb_tls_end last_end;

static void on_ssl_new(void *ssl, void *item, CRYPTO_EX_DATA *data, int index, long number, void *pointer) {
    (void)item, (void)data, (void)index, (void)number, (void)pointer;
    SSL_set_verify(ssl, SSL_get_verify_mode(ssl), verify);
}

static void on_ssl_free(void *ssl, void *item, CRYPTO_EX_DATA *data, int index, long number, void *pointer) {
    (void)item, (void)data, (void)index, (void)number, (void)pointer;
    last_end = (spb_tls_end){
        .is_known = true, .is_established = SSL_is_init_finished(ssl), .verify_result = SSL_get_verify_result(ssl)};
}

static void watch(void) {
    SSL_get_ex_new_index(0, NULL, on_ssl_new, NULL, on_ssl_free);
}

spb_tls_end spb_tls__take_end(void) {
    spb_tls_end end = last_end;
    last_end = (spb_tls_end){0};
    return end;
}

/* ---- what paho is told ---- */

/* One line of OpenSSL's queue: thread:error:code:library:function:reason:file:line:data. The last one is kept. */
static int on_error(const char *line, size_t len, void *context) {
    spb_tls_log *log = context;
    snprintf(log->text, sizeof log->text, "%.*s", (int)len, line);
    return 1;
}

MQTTAsync_SSLOptions spb_tls__options(const spb_mqtt_options *settings, spb_tls_log *log) {
    MQTTAsync_SSLOptions options = MQTTAsync_SSLOptions_initializer;
    options.trustStore = settings->ca_file; /* NULL: OpenSSL's default, which is the system's store */
    options.keyStore = settings->cert_file;
    options.privateKey = settings->key_file;
    /* not NULL: OpenSSL would ask on the terminal for the password of a key file that has been exchanged */
    options.privateKeyPassword = settings->key_password ? settings->key_password : "";
    options.enableServerCertAuth = !settings->insecure_skip_verify;
    options.verify = !settings->insecure_skip_verify; /* the host name */
    options.enabledCipherSuites = CIPHERS;
    options.ssl_error_cb = on_error;
    options.ssl_error_context = log;
    return options;
}
