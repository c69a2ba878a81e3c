/*
 * Decides how servers are verified, and puts into words why that failed. When the handshake takes place is left to
 * paho.
 *
 * paho keeps its SSL objects to itself, and hands on the error queue of OpenSSL, where a certificate that is not
 * accepted is "certificate verify failed", whatever the cause. So this file looks at each SSL object of the process: at
 * a new one, to have a word in the verification if it turns out to reach a server that a link expects; and at one that
 * is freed, which paho does just before it reports the end, on the same thread, to keep the result for that report.
 * Those of others are left as they are.
 */
#include "transport/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"

/* paho sets level 1 before it takes the list of ciphers, which may say otherwise. */
#define SECURITY_LEVEL 2
#define CIPHERS "DEFAULT@SECLEVEL=2"

/* ---- the files ---- */

static spb_status refuse_file(spb_error *err, const char *option, const char *path, const char *why) {
    ERR_clear_error();
    return spb_error__set(err, SPB_ERR_ARGUMENT, "%s %.150s: %s", option, path, why);
}

static spb_status check_readable(const char *option, const char *path, spb_error *err) {
    FILE *file = fopen(path, "re");
    if (!file) {
        return refuse_file(err, option, path, strerror(errno));
    }
    fclose(file);
    return SPB_OK;
}

/* All lists of revoked certificates in a file; NULL if there is none. */
static STACK_OF(X509_CRL) * read_lists(const char *path) {
    STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
    BIO *file = BIO_new_file(path, "re");
    X509_CRL *list;
    while (lists && file && (list = PEM_read_bio_X509_CRL(file, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_CRL_push(lists, list) == 0) {
            X509_CRL_free(list);
            break;
        }
    }
    BIO_free(file);
    ERR_clear_error();
    if (sk_X509_CRL_num(lists) <= 0) {
        sk_X509_CRL_free(lists);
        return NULL;
    }
    return lists;
}

typedef struct key_password {
    const char *text;
    bool was_wanted;
} key_password;

/* Without a function of ours OpenSSL would ask on the terminal. */
static int give_password(char *buffer, int capacity, int is_for_writing, void *context) {
    key_password *password = context;
    (void)is_for_writing;
    password->was_wanted = true;
    size_t len = password->text ? strlen(password->text) : 0;
    if (!password->text || len > (size_t)capacity) {
        return -1;
    }
    memcpy(buffer, password->text, len);
    return (int)len;
}

static bool is_too_weak(int reason) {
    return reason == SSL_R_EE_KEY_TOO_SMALL || reason == SSL_R_CA_KEY_TOO_SMALL || reason == SSL_R_CA_MD_TOO_WEAK;
}

static spb_status check_key_in(SSL_CTX *context, const spb_mqtt_options *options, spb_error *err) {
    const char *option = options->key_file ? "key_file" : "cert_file";
    const char *key_file = options->key_file ? options->key_file : options->cert_file;
    key_password password = {.text = options->key_password};
    SSL_CTX_set_default_passwd_cb(context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, &password);
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1) {
        return SPB_OK;
    }
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    const char *why = "holds no private key in PEM form";
    if (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH) {
        why = "the private key does not belong to the certificate of cert_file";
    } else if (password.was_wanted) {
        why = options->key_password ? "the private key is encrypted, and key_password is wrong"
                                    : "the private key is encrypted: option key_password is missing";
    }
    return refuse_file(err, option, key_file, why);
}

static spb_status check_in(SSL_CTX *context, const spb_mqtt_options *options, spb_error *err) {
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    if (options->ca_file && SSL_CTX_load_verify_locations(context, options->ca_file, NULL) != 1) {
        return refuse_file(err, "ca_file", options->ca_file, "holds no certificate in PEM form");
    }
    STACK_OF(X509_CRL) *lists = options->crl_file ? read_lists(options->crl_file) : NULL;
    if (options->crl_file && !lists) {
        return refuse_file(err, "crl_file", options->crl_file, "holds no list of revoked certificates in PEM form");
    }
    sk_X509_CRL_pop_free(lists, X509_CRL_free);
    if (!options->cert_file) {
        return SPB_OK;
    }
    if (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1) {
        return refuse_file(err, "cert_file", options->cert_file,
                           is_too_weak(ERR_GET_REASON(ERR_peek_last_error()))
                               ? "its key is too short, or its signature too weak (2048 bits of RSA, SHA-256)"
                               : "holds no certificate in PEM form");
    }
    return check_key_in(context, options, err);
}

spb_status spb_tls__check(const spb_mqtt_options *options, spb_error *err) {
    const struct {
        const char *name, *path;
    } files[] = {{"ca_file", options->ca_file},
                 {"cert_file", options->cert_file},
                 {"key_file", options->key_file},
                 {"crl_file", options->crl_file}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        spb_status status = files[i].path ? check_readable(files[i].name, files[i].path, err) : SPB_OK;
        if (status != SPB_OK) {
            return status;
        }
    }
    if (!options->ca_file && !options->cert_file && !options->crl_file) {
        return SPB_OK;
    }
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) {
        ERR_clear_error();
        return spb_error__no_memory(err, "TLS");
    }
    spb_status status = check_in(context, options, err);
    SSL_CTX_free(context);
    return status;
}

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
    STACK_OF(X509_CRL) *lists = read_lists(crl_file);
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

/* ---- why ---- */

static const char *explain_certificate(long verify_result) {
    switch (verify_result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return "has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID: return "is not valid yet (is the clock of this machine right?)";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: return "is not issued by a trusted authority";
    case X509_V_ERR_CERT_REVOKED: return "is revoked";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK: return "has a key that is too short, or a signature that is too weak";
    case X509_V_ERR_UNABLE_TO_GET_CRL: return "cannot be checked: crl_file has no list of its authority";
    case X509_V_ERR_CRL_HAS_EXPIRED: return "cannot be checked: the list of its authority in crl_file is out of date";
    default: return NULL;
    }
}

/* What an alert of the server says of our certificate, or NULL. */
static const char *explain_alert(const char *line) {
    static const struct {
        const char *alert, *words;
    } alerts[] = {
        {"alert unknown ca", "does not know the authority that issued the client certificate"},
        {"alert handshake failure",
         "refuses the TLS handshake; maybe it requires a client certificate (option cert_file)"},
        {"alert certificate required", "requires a client certificate (option cert_file)"},
        {"alert bad certificate", "does not accept the client certificate"},
        {"alert unsupported certificate", "does not accept this kind of client certificate"},
        {"alert certificate revoked", "says that the client certificate is revoked"},
        {"alert certificate expired", "says that the client certificate has expired"},
        {"alert certificate unknown", "does not accept the client certificate"},
        {"alert access denied", "does not accept the client certificate"},
    };
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++) {
        if (strstr(line, alerts[i].alert)) {
            return alerts[i].words;
        }
    }
    return NULL;
}

static bool is_no_tls(const char *line) {
    static const char *const signs[] = {"wrong version number", "packet length too long", "unexpected eof",
                                        "record layer failure", "http request"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (strstr(line, signs[i])) {
            return true;
        }
    }
    return false;
}

/* The reason in a line of OpenSSL's queue. */
static void read_reason(const char *line, char *out, size_t capacity) {
    const char *start = strstr(line, "error:");
    for (int colons = 0; start && colons < 4; colons++) {
        start = strchr(start + 1, ':');
    }
    if (start) {
        snprintf(out, capacity, "%.*s", (int)strcspn(start + 1, ":\n"), start + 1);
    } else {
        snprintf(out, capacity, "%s", line);
    }
}

spb_status spb_tls__explain(const spb_tls_log *log, const spb_tls_end *end, bool was_connecting,
                            const spb_mqtt_options *settings, const spb_address *address, char *text, size_t capacity) {
    const char *server = address->host_port;
    bool is_verified = !settings->insecure_skip_verify;
    const char *alert = explain_alert(log->text);
    bool is_other_host =
        end->verify_result == X509_V_ERR_HOSTNAME_MISMATCH || end->verify_result == X509_V_ERR_IP_ADDRESS_MISMATCH;
    if (is_verified && end->is_known && is_other_host) {
        snprintf(text, capacity, "the certificate of %s is for another host than \"%s\"", server, address->host);
    } else if (is_verified && end->is_known && end->verify_result != X509_V_OK) {
        const char *words = explain_certificate(end->verify_result);
        snprintf(text, capacity, "the certificate of %s %s%s", server,
                 words ? words : "is not accepted: ", words ? "" : X509_verify_cert_error_string(end->verify_result));
    } else if (alert) {
        snprintf(text, capacity, "%s %s", server, alert);
    } else if (is_no_tls(log->text)) {
        snprintf(text, capacity, "%s does not answer with TLS on this port", server);
    } else if (log->text[0] != '\0') {
        char reason[sizeof log->text];
        read_reason(log->text, reason, sizeof reason);
        snprintf(text, capacity, "no TLS with %s: %s", server, reason);
    } else if (!end->is_known) {
        return SPB_OK; /* it did not come to a handshake */
    } else if (was_connecting && !end->is_established) {
        snprintf(text, capacity, "%s hung up during the TLS handshake (does it expect TLS on this port?)", server);
    } else { /* in TLS 1.3 a server looks at the client's certificate after that, and paho loses what it says */
        snprintf(text, capacity, "%s hung up after the TLS handshake; most likely it %s", server,
                 settings->cert_file ? "refuses the client certificate"
                                     : "requires a client certificate (option cert_file)");
    }
    return SPB_ERR_TLS;
}
