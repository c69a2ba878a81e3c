/* TLS: what paho is told, and why a handshake failed. */
#ifndef SPB_TRANSPORT_TLS_H
#define SPB_TRANSPORT_TLS_H

#include <stdbool.h>

#include <MQTTAsync.h>

#include <spb/transport.h>

#include "transport/address.h"

/* What OpenSSL has said of one link: its last error. */
typedef struct spb_tls_log {
    char text[256];
} spb_tls_log;

/* How the last TLS connection of this thread ended. */
typedef struct spb_tls_end {
    bool is_known;
    bool is_established; /* the handshake was finished on our side, and nothing has failed since */
    bool is_other_host;  /* the server's certificate is not for the name that was asked for */
    long verify_result;  /* X509_V_… */
} spb_tls_end;

/* Whether the files can be used. SPB_ERR_ARGUMENT names the one that cannot. */
spb_status spb_tls__check(const spb_mqtt_options *options, spb_error *err);

/* The options for one link. They borrow from the settings; the log gets the link's errors, on paho's threads. */
MQTTAsync_SSLOptions spb_tls__options(const spb_mqtt_options *settings, spb_tls_log *log);

/* Tells how the TLS connection ended that paho has just closed, and forgets it. To be called first in every callback
 * that tells of the end of a link. */
spb_tls_end spb_tls__take_end(void);

/* Why a link with TLS was not made, if TLS is the reason: SPB_ERR_TLS and a sentence; SPB_OK: it is not.
 * `was_connecting`: paho was still on the way to sending CONNECT. */
spb_status spb_tls__explain(const spb_tls_log *log, const spb_tls_end *end, bool was_connecting,
                            const spb_mqtt_options *settings, const spb_address *address, char *text, size_t capacity);

#endif
