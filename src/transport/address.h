/* The address of an MQTT server, read from a URI. */
#ifndef SPB_TRANSPORT_ADDRESS_H
#define SPB_TRANSPORT_ADDRESS_H

#include <stdbool.h>

#include <spb/status.h>

typedef struct spb_address {
    char host_port[300]; /* "host:port"; the port is always there, an IPv6 address stands in brackets */
    bool is_numeric;     /* the host is an IP address: no name has to be resolved */
} spb_address;

/* Reads mqtt://host[:port] or tcp://host[:port]; the port defaults to 1883. SPB_ERR_ARGUMENT. */
spb_status spb_address__parse(spb_address *out, const char *uri, spb_error *err);

#endif
