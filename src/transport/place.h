/* One address of a server: where a TCP connection goes. */
#ifndef SPB_TRANSPORT_PLACE_H
#define SPB_TRANSPORT_PLACE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#define SPB_PLACE_TEXT INET6_ADDRSTRLEN

typedef struct spb_place {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } as;
} spb_place;

/* The address of a list of getaddrinfo's, without a port. False: it is of another kind, or one that paho cannot reach,
 * as it forgets the interface of a link-local address. */
bool spb_place__read(spb_place *out, const struct sockaddr *address);
bool spb_place__is_same(const spb_place *a, const spb_place *b);
/* Without port and brackets. */
void spb_place__write(const spb_place *place, char text[static SPB_PLACE_TEXT]);
/* Starts to connect to that port, without waiting. The socket, or −1 and errno; *is_pending: not connected yet. */
int spb_place__connect(const spb_place *place, unsigned port, bool *is_pending);

#endif
