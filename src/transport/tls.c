/*
 * Decides how servers are verified, and puts into words why that failed. When the handshake takes place is left to
 * paho.
 *
 * paho hands on the error queue of OpenSSL, and there a certificate that is not accepted is "certificate verify
 * failed", whatever the cause; a wrong host name is not even there. Both are known to the SSL object alone, which paho
 * keeps to itself and frees just before it reports the end, on the same thread. So this file looks at each SSL object
 * that is freed (also at those of others, which does no harm) and keeps the result for the report that follows.
 */
#include "transport/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"

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

/* Without a function of ours OpenSSL would ask on the terminal. */
static int give_password(char *buffer, int capacity, int is_for_writing, void *context) {
    const char *password = context;
    (void)is_for_writing;
    size_t len = password ? strlen(password) : 0;
    if (len > (size_t)capacity) {
        return -1;
    }
    if (len > 0) {
        memcpy(buffer, password, len);
    }
    return (int)len;
}

static spb_status check_in(SSL_CTX *context, const spb_mqtt_options *options, spb_error *err) {
    if (options->ca_file && SSL_CTX_load_verify_locations(context, options->ca_file, NULL) != 1) {
        return refuse_file(err, "ca_file", options->ca_file, "holds no certificate in PEM form");
    }
    if (!options->cert_file) {
        return SPB_OK;
    }
    if (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1) {
        return refuse_file(err, "cert_file", options->cert_file, "holds no certificate in PEM form");
    }
    const char *option = options->key_file ? "key_file" : "cert_file";
    const char *key_file = options->key_file ? options->key_file : options->cert_file;
    SSL_CTX_set_default_passwd_cb(context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, (char *)options->key_password);
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1) {
        return SPB_OK;
    }
    int reason = ERR_GET_REASON(ERR_peek_last_error());
    bool is_other_key = reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH;
    return refuse_file(err, option, key_file,
                       is_other_key ? "the private key does not belong to the certificate of cert_file"
                       : options->key_password
                           ? "holds no private key in PEM form, or key_password is wrong"
                           : "holds no private key in PEM form that is readable without a password");
}

spb_status spb_tls__check(const spb_mqtt_options *options, spb_error *err) {
    const struct {
        const char *name, *path;
    } files[] = {{"ca_file", options->ca_file}, {"cert_file", options->cert_file}, {"key_file", options->key_file}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        spb_status status = files[i].path ? check_readable(files[i].name, files[i].path, err) : SPB_OK;
        if (status != SPB_OK) {
            return status;
        }
    }
    if (!options->ca_file && !options->cert_file) {
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

/* ---- the end of a connection ---- */

static _Thread_local spb_tls_end last_end;

/* What paho asks, again. The name is that of the handshake, which paho sends for addresses, too. */
static bool is_other_host(const SSL *ssl) {
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return certificate && name && X509_check_host(certificate, name, 0, 0, NULL) != 1 &&
           X509_check_ip_asc(certificate, name, 0) != 1;
}

static void on_ssl_free(void *ssl, void *item, CRYPTO_EX_DATA *data, int index, long number, void *pointer) {
    (void)item, (void)data, (void)index, (void)number, (void)pointer;
    last_end = (spb_tls_end){.is_known = true,
                             .is_established = SSL_is_init_finished(ssl),
                             .is_other_host = is_other_host(ssl),
                             .verify_result = SSL_get_verify_result(ssl)};
}

static void watch(void) {
    SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
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
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch);
    MQTTAsync_SSLOptions options = MQTTAsync_SSLOptions_initializer;
    options.trustStore = settings->ca_file; /* NULL: OpenSSL's default, which is the system's store */
    options.keyStore = settings->cert_file;
    options.privateKey = settings->key_file;
    /* not NULL: OpenSSL would ask on the terminal for the password of a key file that has been exchanged */
    options.privateKeyPassword = settings->key_password ? settings->key_password : "";
    options.enableServerCertAuth = !settings->insecure_skip_verify;
    options.verify = !settings->insecure_skip_verify; /* the host name */
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
    if (is_verified && end->is_known && end->verify_result != X509_V_OK) {
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
    } else if (is_verified && was_connecting && end->is_other_host) {
        snprintf(text, capacity, "the certificate of %s is for another host than \"%s\"", server, address->host);
    } else if (was_connecting && !end->is_established) {
        snprintf(text, capacity, "%s hung up during the TLS handshake (does it expect TLS on this port?)", server);
    } else { /* in TLS 1.3 a server looks at the client's certificate after that, and paho loses what it says */
        snprintf(text, capacity, "%s hung up after the TLS handshake; most likely it %s", server,
                 settings->cert_file ? "refuses the client certificate"
                                     : "requires a client certificate (option cert_file)");
    }
    return SPB_ERR_TLS;
}
