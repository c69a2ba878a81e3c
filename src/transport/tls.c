/*
 * Decides how servers are verified. When the handshake takes place is left to paho, what the files hold to tls_files.c,
 * the words for a failure to tls_words.c.
 *
 * paho keeps its SSL objects to itself, and hands on the error queue of OpenSSL, where a certificate that is not
 * accepted is "certificate verify failed", whatever the cause. So this file looks at each SSL object of the process: at
 * a new one, to have a word in the handshake if it turns out to reach a server that a link expects; and at one that is
 * freed, which paho does just before it reports the end, on the same thread, to keep the result for that report. Those
 * of others are left as they are.
 *
 * paho asks the server for what stands in its URI (SNI), and compares the certificate with that. When this is one
 * address of a host that has several (see dial.c), both are done here: OpenSSL tells of the beginning of a handshake
 * before it writes the first message, which then gets the name of the host; and paho's comparison is switched off, so
 * that ours is the only one. A link that is connected without it is ended (events.c).
 */
#include "transport/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "transport/tls_files.h"

/* paho sets level 1 before it takes the list of ciphers, which may say otherwise. */
#define CIPHERS "DEFAULT@SECLEVEL=2"

/* ---- the certificate of a server ---- */

/* The servers of all links that connect. Read on paho's threads, one of which is inside a handshake. */
static pthread_mutex_t peers_lock = PTHREAD_MUTEX_INITIALIZER;
static spb_tls_peer *peers;

static void watch(void);

/* paho leaves the '[' before an IPv6 address. */
static bool is_same_name(const char *from_paho, const char *name) {
    return strcmp(*from_paho == '[' ? from_paho + 1 : from_paho, name) == 0;
}

static void remove_locked(spb_tls_peer *peer) {
    spb_tls_peer **at = &peers;
    while (*at != peer) {
        at = &(*at)->next;
    }
    *at = peer->next;
    peer->settings = NULL;
}

static bool is_told_apart_locked(const char *asked, const spb_address *address) {
    for (const spb_tls_peer *other = peers; other; other = other->next) {
        if (!other->is_waiting && other->address->port == address->port && strcmp(other->asked, asked) == 0 &&
            strcmp(other->address->host, address->host) != 0) {
            return false;
        }
    }
    return true;
}

bool spb_tls__expect(spb_tls_peer *peer, const spb_mqtt_options *settings, const spb_address *address,
                     const char *asked, int wake) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch);
    pthread_mutex_lock(&peers_lock);
    if (peer->settings) {
        remove_locked(peer);
    }
    bool is_waiting = !is_told_apart_locked(asked, address);
    *peer = (spb_tls_peer){.next = peers,
                           .settings = settings,
                           .address = address,
                           .asked = asked,
                           .is_waiting = is_waiting,
                           .wake = wake};
    peers = peer;
    pthread_mutex_unlock(&peers_lock);
    return !is_waiting;
}

void spb_tls__forget(spb_tls_peer *peer) {
    pthread_mutex_lock(&peers_lock);
    if (peer->settings) {
        remove_locked(peer);
        for (const spb_tls_peer *other = peers; other; other = other->next) {
            if (other->is_waiting) {
                (void)!write(other->wake, &(uint64_t){1}, sizeof(uint64_t));
            }
        }
    }
    pthread_mutex_unlock(&peers_lock);
}

bool spb_tls__is_checked(const spb_tls_peer *peer) {
    pthread_mutex_lock(&peers_lock);
    bool is_checked = peer->is_checked;
    pthread_mutex_unlock(&peers_lock);
    return is_checked;
}

/* The port that it is connected to, or 0. */
static unsigned port_of(const SSL *ssl) {
    struct sockaddr_storage there;
    socklen_t len = sizeof there;
    if (getpeername(SSL_get_fd(ssl), (struct sockaddr *)&there, &len) != 0) {
        return 0;
    }
    return ntohs(there.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&there)->sin6_port
                                             : ((struct sockaddr_in *)&there)->sin_port);
}

/* By the name that it asks the server for: paho's, addresses included, or ours. */
static bool is_of(const spb_tls_peer *peer, const char *name, unsigned port) {
    return !peer->is_waiting && peer->address->port == port &&
           (is_same_name(name, peer->asked) || strcmp(name, peer->address->host) == 0);
}

/* The server is asked for the host, and not for the address that paho was given. */
static void ask_for_host(SSL *ssl) {
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    unsigned port = port_of(ssl);
    pthread_mutex_lock(&peers_lock);
    for (const spb_tls_peer *peer = peers; peer && name; peer = peer->next) {
        if (is_of(peer, name, port) && !peer->address->is_numeric) {
            SSL_set_tlsext_host_name(ssl, peer->address->host);
            break;
        }
    }
    pthread_mutex_unlock(&peers_lock);
}

/* Called by OpenSSL before it writes the first byte, among others. */
static void on_info(const SSL *ssl, int where, int value) {
    void (*of_context)(const SSL *, int, int) = SSL_CTX_get_info_callback(SSL_get_SSL_CTX(ssl));
    if ((where & SSL_CB_HANDSHAKE_START) && !SSL_is_server(ssl)) {
        ask_for_host((SSL *)ssl);
    }
    if (of_context) {
        of_context(ssl, where, value);
    }
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

static int check_peer(const spb_tls_peer *peer, X509_STORE_CTX *context) {
    int result = check_name(peer->address, X509_STORE_CTX_get0_cert(context));
    if (result == X509_V_OK && peer->settings->crl_file) {
        result = check_revoked(peer->settings->crl_file, context);
    }
    return result;
}

/* What is wrong with the certificate of a server that links expect. When two expect the same one, both must accept. */
static int check_peers(const SSL *ssl, X509_STORE_CTX *context) {
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    unsigned port = port_of(ssl);
    int result = X509_V_OK;
    pthread_mutex_lock(&peers_lock);
    for (spb_tls_peer *peer = peers; peer && name && result == X509_V_OK; peer = peer->next) {
        if (!peer->settings->insecure_skip_verify && is_of(peer, name, port)) {
            result = check_peer(peer, context);
            peer->is_checked = result == X509_V_OK;
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
    SSL_set_info_callback(ssl, on_info);
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

MQTTAsync_SSLOptions spb_tls__options(const spb_tls_peer *peer, spb_tls_log *log) {
    const spb_mqtt_options *settings = peer->settings;
    MQTTAsync_SSLOptions options = MQTTAsync_SSLOptions_initializer;
    options.trustStore = settings->ca_file; /* NULL: OpenSSL's default, which is the system's store */
    options.keyStore = settings->cert_file;
    options.privateKey = settings->key_file;
    /* not NULL: OpenSSL would ask on the terminal for the password of a key file that has been exchanged */
    options.privateKeyPassword = settings->key_password ? settings->key_password : "";
    options.enableServerCertAuth = !settings->insecure_skip_verify;
    /* paho compares what stands in its URI; when that is not the host, what is above is all there is */
    options.verify = !settings->insecure_skip_verify && strcmp(peer->asked, peer->address->host) == 0;
    options.enabledCipherSuites = CIPHERS;
    options.ssl_error_cb = on_error;
    options.ssl_error_context = log;
    return options;
}
