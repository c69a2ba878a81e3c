/* Decides which server URIs are understood. Whether the server exists is left to the connection. */
#include "transport/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define HOST_MAX 255 /* a DNS name has at most 253 characters */
#define PATH_MAX_LEN 255

typedef struct scheme {
    const char *prefix;
    unsigned port;
    bool has_tls;
    bool is_websocket;
    const char *for_paho;
} scheme;

static const scheme schemes[] = {{"mqtt://", 1883, false, false, "tcp"}, {"tcp://", 1883, false, false, "tcp"},
                                 {"mqtts://", 8883, true, false, "ssl"}, {"ssl://", 8883, true, false, "ssl"},
                                 {"ws://", 80, false, true, "ws"},       {"wss://", 443, true, true, "wss"}};

static spb_status refuse(spb_error *err, const char *uri, const char *why) {
    return spb_error__set(err, SPB_ERR_ARGUMENT, "server \"%.100s\": %s", uri, why);
}

static const scheme *find_scheme(const char *uri) {
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (strncmp(uri, schemes[i].prefix, strlen(schemes[i].prefix)) == 0) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* Reads ":port" if it is there; gives what follows, or NULL. */
static const char *read_port(const char *text, unsigned *port) {
    if (*text != ':') {
        return text;
    }
    text++;
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > 5) {
        return NULL;
    }
    *port = (unsigned)strtoul(text, NULL, 10);
    return *port >= 1 && *port <= 65535 ? text + len : NULL;
}

/* paho takes what follows the last ':' for the port. */
static bool is_path(const char *text) {
    size_t len = strlen(text);
    if (len > PATH_MAX_LEN || *text != '/') {
        return false;
    }
    for (const char *c = text; *c; c++) {
        if (*c <= ' ' || *c > '~' || *c == ':' || *c == '#') {
            return false;
        }
    }
    return true;
}

/* The host, and in *rest what follows it. */
static spb_status read_host(spb_address *out, const char *uri, const char *start, const char **rest, spb_error *err) {
    bool in_brackets = *start == '[';
    const char *host = in_brackets ? start + 1 : start;
    size_t len = strcspn(host, in_brackets ? "]" : ":/");
    if (in_brackets && host[len] != ']') {
        return refuse(err, uri, "the ']' of the IPv6 address is missing");
    }
    if (len == 0 || len > HOST_MAX) {
        return refuse(err, uri, len == 0 ? "has no host" : "the host name is too long");
    }
    memcpy(out->host, host, len);
    out->host[len] = '\0';
    *rest = host + len + (in_brackets ? 1 : 0);

    struct in6_addr ipv6;
    struct in_addr ipv4;
    if (in_brackets && inet_pton(AF_INET6, out->host, &ipv6) != 1) {
        return refuse(err, uri, "what stands in brackets is not an IPv6 address");
    }
    if (strchr(start, '@') || strpbrk(out->host, "?#\" \t\r\n")) {
        return refuse(err, uri,
                      "host, port and the path of a WebSocket is all it holds (user and password are options)");
    }
    if (in_brackets && out->has_tls) { /* paho compares it with its brackets, which no certificate has */
        return refuse(err, uri, "with TLS the server needs a name or an IPv4 address");
    }
    out->is_numeric = in_brackets || inet_pton(AF_INET, out->host, &ipv4) == 1;
    return SPB_OK;
}

spb_status spb_address__parse(spb_address *out, const char *uri, spb_error *err) {
    if (!uri) {
        return spb_error__set(err, SPB_ERR_ARGUMENT, "no server is given");
    }
    const scheme *found = find_scheme(uri);
    if (!found) {
        return refuse(err, uri, "must begin with mqtt://, tcp://, mqtts://, ssl://, ws:// or wss://");
    }
    out->has_tls = found->has_tls;
    out->is_websocket = found->is_websocket;
    const char *host = uri + strlen(found->prefix);
    const char *rest = host;
    spb_status status = read_host(out, uri, host, &rest, err);
    if (status != SPB_OK) {
        return status;
    }
    unsigned port = found->port;
    rest = read_port(rest, &port);
    if (!rest || (*rest != '\0' && *rest != '/')) {
        return refuse(err, uri,
                      "after the host comes ':' and a port from 1 to 65535 (IPv6 addresses stand in brackets)");
    }
    if (*rest != '\0' && !out->is_websocket) {
        return refuse(err, uri, "only ws:// and wss:// have a path");
    }
    if (*rest != '\0' && !is_path(rest)) {
        return refuse(err, uri, "the path is too long or has characters that cannot stand there");
    }
    out->scheme = found->for_paho;
    out->port = port;
    snprintf(out->host_port, sizeof out->host_port, *host == '[' ? "[%s]:%u" : "%s:%u", out->host, port);
    const char *path = out->is_websocket && *rest == '\0' ? "/mqtt" : rest;
    snprintf(out->uri, sizeof out->uri, "%s://%s%s", found->for_paho, out->host_port, path);
    return SPB_OK;
}

void spb_address__uri_at(const spb_address *address, const spb_endpoint *place, char *uri, size_t capacity) {
    char text[SPB_ENDPOINT_TEXT];
    const char *path = address->is_websocket ? strchr(strstr(address->uri, "://") + 3, '/') : "";
    spb_endpoint__write(place, text);
    snprintf(uri, capacity, strchr(text, ':') ? "%s://[%s]:%u%s" : "%s://%s:%u%s", address->scheme, text, address->port,
             path);
}

/* See SECURITY.md: whoever can write into such a connection can write into the memory of this process. */
spb_status spb_address__check(const spb_address *address, bool allow_unsafe_websocket, spb_error *err) {
    if (address->is_websocket && !address->has_tls && !allow_unsafe_websocket) {
        return refuse(err, address->uri,
                      "a WebSocket without TLS is not safe with paho.mqtt.c: use wss://, or see "
                      "allow_unsafe_websocket");
    }
    return SPB_OK;
}
