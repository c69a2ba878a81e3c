/* Decides which addresses of a name can be used. Which of them is taken is left to dial.c. */
#include "transport/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool spb_endpoint__read(spb_endpoint *out, const struct sockaddr *address) {
    *out = (spb_endpoint){.as.any.sa_family = AF_UNSPEC};
    if (address->sa_family == AF_INET) {
        memcpy(&out->as.ipv4, address, sizeof out->as.ipv4);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&out->as.ipv6, address, sizeof out->as.ipv6);
        return out->as.ipv6.sin6_scope_id == 0 && !IN6_IS_ADDR_LINKLOCAL(&out->as.ipv6.sin6_addr);
    }
    return false;
}

bool spb_endpoint__is_same(const spb_endpoint *a, const spb_endpoint *b) {
    if (a->as.any.sa_family != b->as.any.sa_family) {
        return false;
    }
    return a->as.any.sa_family == AF_INET6
               ? memcmp(&a->as.ipv6.sin6_addr, &b->as.ipv6.sin6_addr, sizeof a->as.ipv6.sin6_addr) == 0
               : a->as.ipv4.sin_addr.s_addr == b->as.ipv4.sin_addr.s_addr;
}

void spb_endpoint__write(const spb_endpoint *place, char text[static SPB_ENDPOINT_TEXT]) {
    bool is_6 = place->as.any.sa_family == AF_INET6;
    const void *address = is_6 ? (const void *)&place->as.ipv6.sin6_addr : (const void *)&place->as.ipv4.sin_addr;
    if (!inet_ntop(is_6 ? AF_INET6 : AF_INET, address, text, SPB_ENDPOINT_TEXT)) {
        text[0] = '\0';
    }
}

int spb_endpoint__connect(const spb_endpoint *place, unsigned port, bool *is_pending) {
    spb_endpoint there = *place;
    bool is_6 = there.as.any.sa_family == AF_INET6;
    if (is_6) {
        there.as.ipv6.sin6_port = htons((uint16_t)port);
    } else {
        there.as.ipv4.sin_port = htons((uint16_t)port);
    }
    int fd = socket(is_6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int code = connect(fd, &there.as.any, is_6 ? sizeof there.as.ipv6 : sizeof there.as.ipv4);
    *is_pending = code != 0 && errno == EINPROGRESS;
    if (code != 0 && !*is_pending) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
