/*
 * Names of hosts that mean the same on every machine: localhost is 127.0.0.1 without /etc/hosts, and what ends in
 * .invalid is no host, without a name server. Linked into a test, this stands before getaddrinfo, also for paho's
 * library.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    resolver *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    const char *ending = node ? strrchr(node, '.') : NULL;
    if (ending && strcmp(ending, ".invalid") == 0) {
        return EAI_NONAME;
    }
    return real(node && strcmp(node, "localhost") == 0 ? "127.0.0.1" : node, service, hints, result);
}
