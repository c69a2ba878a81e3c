/* The address of an MQTT server, read from a URI. */
#ifndef SPB_TRANSPORT_ADDRESS_H
#define SPB_TRANSPORT_ADDRESS_H

#include <stdbool.h>

#include <spb/status.h>

#include "transport/endpoint.h"

typedef struct spb_address {
    char uri[600];       /* as paho wants it: scheme, host, port and the path of a WebSocket are always there */
    char host_port[300]; /* "host:port", for people; an IPv6 address stands in brackets */
    char host[256];      /* without brackets */
    const char *scheme;  /* that of the URI */
    unsigned port;
    bool is_numeric; /* the host is an IP address: no name has to be resolved */
    bool has_tls;
    bool is_websocket;
} spb_address;

/* Reads scheme://host[:port][/path]: mqtt and tcp (1883), mqtts and ssl (TLS, 8883), ws (WebSocket, 80), wss (both,
 * 443). Only a WebSocket has a path; it defaults to /mqtt. SPB_ERR_ARGUMENT. */
spb_status spb_address__parse(spb_address *out, const char *uri, spb_error *err);

/* The URI that names the place instead of the host. The request of a WebSocket loses the name of the host with that. */
void spb_address__uri_at(const spb_address *address, const spb_endpoint *place, char *uri, size_t capacity);

/* SPB_ERR_ARGUMENT: a WebSocket without TLS, and no consent to it. */
spb_status spb_address__check(const spb_address *address, bool allow_unsafe_websocket, spb_error *err);

#endif
