/* Decides the words for a TLS connection that failed, from what OpenSSL and the server have left of the reason. */
#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "transport/tls.h"

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
