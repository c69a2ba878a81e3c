/*
 * Decides which thread asks for a name, and who gets its answer. What becomes of the addresses is left to dial.c.
 *
 * getaddrinfo may take as long as a name server wants, and nothing can end it. So its thread owns all that it works on,
 * and those who wait may go at any time. There is one thread for each name that is being asked for, however many links
 * want it and however often they try anew: a dead name server costs one thread, not one for each attempt.
 */
#include "transport/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"

struct spb_lookup {
    struct spb_lookup *next;
    spb_lookup_wait *waits;
    char host[]; /* never changes: read without the lock */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static spb_lookup *lookups; /* those whose threads run */

/* ---- the thread ---- */

static void read_answer(spb_lookup_answer *out, const struct addrinfo *list) {
    for (; list && out->count < SPB_ENDPOINTS_MAX; list = list->ai_next) {
        out->count += spb_endpoint__read(&out->places[out->count], list->ai_addr);
    }
    if (out->count == 0) {
        snprintf(out->why, sizeof out->why, "its addresses are all link-local");
    }
}

static void ask(const char *host, spb_lookup_answer *out) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    errno = 0;
    int code = getaddrinfo(host, NULL, &hints, &list);
    if (code == 0) {
        read_answer(out, list);
        freeaddrinfo(list);
    } else {
        snprintf(out->why, sizeof out->why, "%s", code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
    }
}

static void unlink_locked(const spb_lookup *self) {
    spb_lookup **at = &lookups;
    while (*at != self) {
        at = &(*at)->next;
    }
    *at = self->next;
}

static void *run(void *context) {
    spb_lookup *self = context;
    spb_lookup_answer answer = {.count = 0};
    ask(self->host, &answer);
    pthread_mutex_lock(&lock);
    unlink_locked(self);
    for (spb_lookup_wait *wait = self->waits; wait; wait = wait->next) {
        wait->answer = answer;
        wait->lookup = NULL;
        (void)!write(wait->wake, &(uint64_t){1}, sizeof(uint64_t));
    }
    pthread_mutex_unlock(&lock);
    free(self);
    return NULL;
}

/* ---- those who wait ---- */

static spb_lookup *find_locked(const char *host) {
    spb_lookup *found = lookups;
    while (found && strcmp(found->host, host) != 0) {
        found = found->next;
    }
    return found;
}

static bool start_thread(spb_lookup *self) {
    pthread_t thread;
    bool is_started = spb_thread__start(&thread, run, self) == 0;
    if (is_started) {
        pthread_detach(thread);
    }
    return is_started;
}

static spb_lookup *start_locked(const char *host) {
    size_t len = strlen(host);
    spb_lookup *self = calloc(1, sizeof *self + len + 1);
    if (!self) {
        return NULL;
    }
    memcpy(self->host, host, len);
    if (!start_thread(self)) {
        free(self);
        return NULL;
    }
    self->next = lookups; /* it cannot end before the lock is free */
    lookups = self;
    return self;
}

bool spb_lookup__ask(spb_lookup_wait *wait, const char *host, int wake) {
    pthread_mutex_lock(&lock);
    spb_lookup *lookup = find_locked(host);
    lookup = lookup ? lookup : start_locked(host);
    if (lookup) {
        *wait = (spb_lookup_wait){.next = lookup->waits, .lookup = lookup, .wake = wake};
        lookup->waits = wait;
    }
    pthread_mutex_unlock(&lock);
    return lookup != NULL;
}

bool spb_lookup__is_answered(spb_lookup_wait *wait) {
    pthread_mutex_lock(&lock);
    bool is_answered = !wait->lookup;
    pthread_mutex_unlock(&lock);
    return is_answered;
}

void spb_lookup__forget(spb_lookup_wait *wait) {
    pthread_mutex_lock(&lock);
    if (wait->lookup) {
        spb_lookup_wait **at = &wait->lookup->waits;
        while (*at != wait) {
            at = &(*at)->next;
        }
        *at = wait->next;
        wait->lookup = NULL;
    }
    pthread_mutex_unlock(&lock);
}
