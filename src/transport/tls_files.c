/* Decides whether the files of the options for TLS can be used, and names the one that cannot. What is done with them
 * is left to paho and to tls.c. */
#include "transport/tls_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/error.h"

#include "transport/tls.h"

#define SECURITY_LEVEL 2 /* as the list of ciphers in tls.c says */

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

/* PEM_read_bio has come to the end of the file, and has met nothing that it could not read. */
static bool is_at_end(void) {
    unsigned long error = ERR_peek_last_error();
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

STACK_OF(X509_CRL) * spb_tls_files__revoked(const char *path) {
    STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();
    BIO *file = BIO_new_file(path, "re");
    X509_CRL *list = NULL;
    while (lists && file && (list = PEM_read_bio_X509_CRL(file, NULL, NULL, NULL)) != NULL &&
           sk_X509_CRL_push(lists, list) > 0) {
    }
    bool is_whole = file && !list && is_at_end() && sk_X509_CRL_num(lists) > 0;
    X509_CRL_free(list); /* that could not be added */
    BIO_free(file);
    ERR_clear_error();
    if (!is_whole) {
        sk_X509_CRL_pop_free(lists, X509_CRL_free);
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
    STACK_OF(X509_CRL) *lists = options->crl_file ? spb_tls_files__revoked(options->crl_file) : NULL;
    if (options->crl_file && !lists) {
        return refuse_file(err, "crl_file", options->crl_file,
                           "holds no list of revoked certificates in PEM form, or one that is damaged");
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
