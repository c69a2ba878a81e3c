/*
 * Names of hosts that mean the same on every machine: localhost is 127.0.0.1 without /etc/hosts, what ends in .invalid
 * is no host, without a name server, and a test may add names of its own. Linked into a test, this stands before
 * getaddrinfo, also for paho's library.
 */
#ifndef SPB_TEST_NAMES_H
#define SPB_TEST_NAMES_H

/* From now on the host has these addresses, in this order, with spaces between them. "": asking for it does not end
 * before it has some. Both are kept by pointer. */
void names_set(const char *host, const char *addresses);
/* Returns when so many have asked for the host, since names_set was first called for it. */
void names_await_asked(const char *host, unsigned count);
unsigned names_asked(const char *host);
/* Returns when nobody is asking for any host. */
void names_await_idle(void);

#endif
