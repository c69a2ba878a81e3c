/* Decides what names mean in a test, and who waits for an answer. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "support/names.h"

#include <arpa/inet.h>
#include <check.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/deadline.h"

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef void liberator(struct addrinfo *);

enum { HOSTS_MAX = 16 };

typedef struct host {
    const char *name, *addresses;
    unsigned asked;
} host;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static host hosts[HOSTS_MAX];
static size_t host_count;
static unsigned asking;
static char ours[] = "of names.c"; /* stands in lists that are made here */

static host *find_locked(const char *name) {
    for (size_t i = 0; name && i < host_count; i++) {
        if (strcmp(hosts[i].name, name) == 0) {
            return &hosts[i];
        }
    }
    return NULL;
}

void names_set(const char *name, const char *addresses) {
    pthread_mutex_lock(&lock);
    host *found = find_locked(name);
    ck_assert(found || host_count < HOSTS_MAX);
    if (!found) {
        found = &hosts[host_count++];
        *found = (host){.name = name};
    }
    found->addresses = addresses;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void names_await_asked(const char *name, unsigned count) {
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&lock);
    const host *found = find_locked(name);
    while (found->asked < count && deadline_wait(&changed, &lock, &deadline)) {
    }
    bool is_asked = found->asked >= count;
    pthread_mutex_unlock(&lock);
    ck_assert_msg(is_asked, "nobody has asked for %s", name);
}

unsigned names_asked(const char *name) {
    pthread_mutex_lock(&lock);
    unsigned asked = find_locked(name)->asked;
    pthread_mutex_unlock(&lock);
    return asked;
}

void names_await_idle(void) {
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&lock);
    while (asking > 0 && deadline_wait(&changed, &lock, &deadline)) {
    }
    bool is_idle = asking == 0;
    pthread_mutex_unlock(&lock);
    ck_assert_msg(is_idle, "somebody is still asking for a host");
}

/* One address, in a list of its own. */
static struct addrinfo *new_item(const char *text) {
    struct addrinfo *item = calloc(1, sizeof *item + sizeof(struct sockaddr_in6));
    ck_assert_ptr_nonnull(item);
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)(item + 1);
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(item + 1);
    bool is_6 = strchr(text, ':') != NULL;
    item->ai_family = is_6 ? AF_INET6 : AF_INET;
    item->ai_socktype = SOCK_STREAM;
    item->ai_addr = (struct sockaddr *)ipv4;
    item->ai_addrlen = is_6 ? sizeof *ipv6 : sizeof *ipv4;
    item->ai_addr->sa_family = (sa_family_t)item->ai_family;
    item->ai_canonname = ours;
    ck_assert_int_eq(inet_pton(item->ai_family, text, is_6 ? (void *)&ipv6->sin6_addr : (void *)&ipv4->sin_addr), 1);
    return item;
}

static void read_list(const char *addresses, struct addrinfo **result) {
    char text[256];
    ck_assert_uint_lt(strlen(addresses), sizeof text);
    strcpy(text, addresses);
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        *result = new_item(word);
        result = &(*result)->ai_next;
    }
}

/* NULL: the name is none of ours. */
static const char *ask(const char *name) {
    pthread_mutex_lock(&lock);
    host *found = find_locked(name);
    const char *addresses = NULL;
    if (found) {
        found->asked++;
        asking++;
        pthread_cond_broadcast(&changed);
        while (found->addresses[0] == '\0') {
            pthread_cond_wait(&changed, &lock);
        }
        addresses = found->addresses;
        asking--;
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    return addresses;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    resolver *real;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    const char *ending = node ? strrchr(node, '.') : NULL;
    const char *addresses = ask(node);
    if (addresses) {
        read_list(addresses, result);
        return 0;
    }
    if (ending && strcmp(ending, ".invalid") == 0) {
        return EAI_NONAME;
    }
    return real(node && strcmp(node, "localhost") == 0 ? "127.0.0.1" : node, service, hints, result);
}

void freeaddrinfo(struct addrinfo *list) {
    liberator *real;
    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    if (!list || list->ai_canonname != ours) {
        real(list);
        return;
    }
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}
