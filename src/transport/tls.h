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

/* A server that a link is connecting to with TLS. */
typedef struct spb_tls_peer {
    struct spb_tls_peer *next;
    const spb_mqtt_options *settings; /* NULL: it is not in the list */
    const spb_address *address;
    const char *asked; /* what stands in paho's URI for the host: the host, or an address of it */
    bool is_waiting;
    int wake;        /* an eventfd, which is written when a peer that is waiting may try again */
    bool is_checked; /* the name in its certificate is right */
} spb_tls_peer;

/* How the last TLS connection of this thread ended. */
typedef struct spb_tls_end {
    bool is_known;
    bool is_established; /* the handshake was finished on our side, and nothing has failed since */
    long verify_result;  /* X509_V_… */
} spb_tls_end;

/* Whether the files can be used. SPB_ERR_ARGUMENT names the one that cannot. */
spb_status spb_tls__check(const spb_mqtt_options *options, spb_error *err);

/* The certificate that comes from there is checked against the host of the address, by these settings and more strictly
 * than paho does, until the peer is forgotten; all arguments outlive that. When `asked` is an address instead of the
 * host, the server is asked for the host. False: a link to another host is connecting to the same address and port, and
 * one could not be told from the other; to be called again when `wake` has been written. */
bool spb_tls__expect(spb_tls_peer *peer, const spb_mqtt_options *settings, const spb_address *address,
                     const char *asked, int wake);
/* When the handshake is over. Fine for one that is zeroed, or forgotten. */
void spb_tls__forget(spb_tls_peer *peer);
/* Whether its certificate was found to be right. */
bool spb_tls__is_checked(const spb_tls_peer *peer);

/* The options for a link with that peer. They borrow from the settings; the log gets the link's errors, on paho's
 * threads. */
MQTTAsync_SSLOptions spb_tls__options(const spb_tls_peer *peer, spb_tls_log *log);

/* Tells how the TLS connection ended that paho has just closed, and forgets it. To be called first in every callback
 * that tells of the end of a link. */
spb_tls_end spb_tls__take_end(void);

/* Why a link with TLS was not made, if TLS is the reason: SPB_ERR_TLS and a sentence; SPB_OK: it is not.
 * `was_connecting`: paho was still on the way to sending CONNECT. */
spb_status spb_tls__explain(const spb_tls_log *log, const spb_tls_end *end, bool was_connecting,
                            const spb_mqtt_options *settings, const spb_address *address, char *text, size_t capacity);

#endif
