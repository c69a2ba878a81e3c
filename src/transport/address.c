/* Decides which server URIs are understood. Whether the server exists is left to the connection. */
#include "transport/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define DEFAULT_PORT 1883
#define HOST_MAX 255 /* a DNS name has at most 253 characters */

static spb_status refuse(spb_error *err, const char *uri, const char *why) {
    return spb_error__set(err, SPB_ERR_ARGUMENT, "server \"%.100s\": %s", uri, why);
}

/* The length of "scheme://", or 0 when it is none of ours. */
static size_t skip_scheme(const char *uri) {
    static const char *const schemes[] = {"mqtt://", "tcp://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i]);
        if (strncmp(uri, schemes[i], len) == 0) {
            return len;
        }
    }
    return 0;
}

static bool parse_port(const char *text, unsigned *port) {
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "0123456789") != len) {
        return false;
    }
    *port = (unsigned)strtoul(text, NULL, 10);
    return *port >= 1 && *port <= 65535;
}

spb_status spb_address__parse(spb_address *out, const char *uri, spb_error *err) {
    if (!uri) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "no server is given");
    }
    size_t scheme_len = skip_scheme(uri);
    if (scheme_len == 0) {
        return refuse(err, uri, "must begin with mqtt:// or tcp:// (TLS and WebSocket are not supported yet)");
    }
    const char *host = uri + scheme_len;
    bool in_brackets = *host == '[';
    size_t len = strcspn(host, in_brackets ? "]" : ":");
    if (in_brackets) {
        if (host[len] != ']') {
            return refuse(err, uri, "the ']' of the IPv6 address is missing");
        }
        host++;
        len--;
    }
    if (len == 0 || len > HOST_MAX) {
        return refuse(err, uri, len == 0 ? "has no host" : "the host name is too long");
    }
    char name[HOST_MAX + 1];
    memcpy(name, host, len);
    name[len] = '\0';

    struct in6_addr ipv6;
    struct in_addr ipv4;
    if (in_brackets && inet_pton(AF_INET6, name, &ipv6) != 1) {
        return refuse(err, uri, "what stands in brackets is not an IPv6 address");
    }
    if (strpbrk(name, "/?#@ \t\r\n")) {
        return refuse(err, uri, "only host and port may follow mqtt:// (user and password are options)");
    }
    const char *rest = host + len + (in_brackets ? 1 : 0);
    unsigned port = DEFAULT_PORT;
    if (*rest != '\0' && (*rest != ':' || !parse_port(rest + 1, &port))) {
        return refuse(err, uri,
                      "after the host comes ':' and a port from 1 to 65535 (IPv6 addresses stand in brackets)");
    }
    out->is_numeric = in_brackets || inet_pton(AF_INET, name, &ipv4) == 1;
    snprintf(out->host_port, sizeof out->host_port, in_brackets ? "[%s]:%u" : "%s:%u", name, port);
    return SPB_OK;
}
