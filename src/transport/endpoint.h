/* One address of a server: where a TCP connection goes. */
#ifndef SPB_TRANSPORT_ENDPOINT_H
#define SPB_TRANSPORT_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define SPB_ENDPOINT_TEXT INET6_ADDRSTRLEN

typedef struct spb_endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } as;
} spb_endpoint;

/* The address of a list of getaddrinfo's, without a port. False: it is of another kind, or one that paho cannot reach,
 * as it forgets the interface of a link-local address. */
bool spb_endpoint__read(spb_endpoint *out, const struct sockaddr *address);
bool spb_endpoint__is_same(const spb_endpoint *a, const spb_endpoint *b);
/* Without port and brackets. */
void spb_endpoint__write(const spb_endpoint *place, char text[static SPB_ENDPOINT_TEXT]);
/* Starts to connect to that port, without waiting. The socket, or −1 and errno; *is_pending: not connected yet. */
int spb_endpoint__connect(const spb_endpoint *place, unsigned port, bool *is_pending);

#endif
