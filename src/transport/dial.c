/*
 * Decides which address of a name a link goes to. Who asks for the name is left to lookup.c, the connection to paho.
 *
 * paho resolves a name under a lock that all clients of the process share, and tries one address of it. So it is given
 * an address. When the name has several, each is tried with a TCP connection of our own, which ends as soon as it is
 * there, as paho takes no socket. The first one that answers is taken. The next one is tried when one fails, or has not
 * answered for a second (or for its share of the time that is left); those before it go on being waited for.
 *
 * A WebSocket is the exception: paho takes the Host of its request from the URI and has nothing else for it, so it is
 * given the name while the address that it takes of it answers: it resolves the name once more, after a thread of ours
 * has got an answer, and takes the first IPv4 address, or the last one. Another address is better than none: then the
 * Host is that, which servers without virtual hosts do not mind.
 */
#include "transport/dial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/monotonic.h"
#include "base/thread.h"

#define HEAD_START_MS 1000 /* when the kernel itself sends a second SYN */

static uint32_t left_ms(const spb_dial *self, uint64_t now) {
    return now < self->deadline_ms ? (uint32_t)(self->deadline_ms - now) : 0;
}

/* Until one of them is ready, or until that time, which is the deadline at the latest. False: the dial is stopped. */
static bool wait_for(spb_dial *self, struct pollfd *fds, size_t count, uint64_t until_ms) {
    uint64_t now = spb_monotonic__ms();
    until_ms = until_ms < self->deadline_ms ? until_ms : self->deadline_ms;
    fds[0] = (struct pollfd){.fd = self->wake, .events = POLLIN};
    if (poll(fds, count, until_ms > now ? (int)(until_ms - now) : 0) > 0 && fds[0].revents) {
        uint64_t number;
        (void)!read(self->wake, &number, sizeof number);
    }
    return !atomic_load(&self->is_stopped);
}

static void fail(spb_dial *self, spb_status status, const char *why) {
    self->calls.on_failed(self->calls.context, status, why);
}

static void fail_late(spb_dial *self) {
    char text[512];
    snprintf(text, sizeof text, "no answer from %s within %lu ms", self->address->host_port,
             (unsigned long)self->timeout_ms);
    fail(self, SPB_ERR_TIMEOUT, text);
}

/* ---- the name ---- */

static bool find_places(spb_dial *self) {
    char text[512];
    if (!spb_lookup__ask(&self->lookup, self->address->host, self->wake)) {
        snprintf(text, sizeof text,
                 "cannot resolve host %s: no thread for it, or no memory: a limit is reached (ulimit -v, ulimit -u, or "
                 "that of a container)",
                 self->address->host);
        fail(self, SPB_ERR_SYSTEM, text);
        return false;
    }
    struct pollfd wake;
    bool is_answered = spb_lookup__is_answered(&self->lookup);
    while (!is_answered && left_ms(self, spb_monotonic__ms()) > 0) {
        if (!wait_for(self, &wake, 1, self->deadline_ms)) {
            return false;
        }
        is_answered = spb_lookup__is_answered(&self->lookup);
    }
    if (!is_answered) {
        snprintf(text, sizeof text, "cannot resolve host %s: no answer within %lu ms", self->address->host,
                 (unsigned long)self->timeout_ms);
        fail(self, SPB_ERR_TIMEOUT, text);
        return false;
    }
    const spb_lookup_answer *answer = &self->lookup.answer;
    if (answer->count == 0) {
        snprintf(text, sizeof text, "cannot resolve host %s: %s", self->address->host, answer->why);
        fail(self, SPB_ERR_CONNECT, text);
    }
    return answer->count > 0;
}

static void move(spb_endpoint *places, size_t from, size_t to) {
    spb_endpoint moved = places[from];
    if (from > to) {
        memmove(&places[to + 1], &places[to], (from - to) * sizeof *places);
    } else {
        memmove(&places[from], &places[from + 1], (to - from) * sizeof *places);
    }
    places[to] = moved;
}

/* IPv6 and IPv4 take turns, as one of them may be dead as a whole; the one that has failed of late comes last. */
static void sort_places(spb_endpoint *places, size_t count, const spb_endpoint *avoid) {
    for (size_t at = 1; at < count; at++) {
        size_t next = at;
        while (next < count && places[next].as.any.sa_family == places[at - 1].as.any.sa_family) {
            next++;
        }
        if (next < count) {
            move(places, next, at);
        }
    }
    for (size_t i = 0; avoid->as.any.sa_family != AF_UNSPEC && i < count; i++) {
        if (spb_endpoint__is_same(&places[i], avoid)) {
            move(places, i, count - 1);
            break;
        }
    }
}

/* The one that paho takes of a name. Of names whose addresses come in another order each time, only a guess. */
static size_t choice_of_paho(const spb_endpoint *places, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (places[i].as.any.sa_family == AF_INET) {
            return i;
        }
    }
    return count - 1;
}

/* ---- the addresses ---- */

typedef struct attempts {
    const spb_endpoint *places;
    size_t count;
    size_t next; /* the first one that is not tried yet */
    size_t open_count;
    uint64_t next_ms; /* when it is tried at the latest */
    struct pollfd fds[1 + SPB_ENDPOINTS_MAX];
    int errors[SPB_ENDPOINTS_MAX]; /* 0: it has not failed */
} attempts;

static void give_up(attempts *self, size_t index, int error) {
    if (self->fds[1 + index].fd >= 0) {
        close(self->fds[1 + index].fd);
        self->fds[1 + index].fd = -1;
        self->open_count--;
    }
    self->errors[index] = error;
}

/* Tries the next ones whose turn has come. True: one of them is connected. */
static bool try_next(const spb_dial *dial, attempts *self, size_t *found) {
    for (uint64_t now = spb_monotonic__ms();
         self->next < self->count && (self->open_count == 0 || now >= self->next_ms);) {
        size_t index = self->next++;
        bool is_pending;
        int fd = spb_endpoint__connect(&self->places[index], dial->address->port, &is_pending);
        if (fd < 0) {
            self->errors[index] = errno;
            continue;
        }
        self->fds[1 + index] = (struct pollfd){.fd = fd, .events = POLLOUT};
        self->open_count++;
        if (!is_pending) {
            *found = index;
            return true;
        }
        uint64_t share = left_ms(dial, now) / (self->count - index + 1);
        self->next_ms = now + (share < HEAD_START_MS ? share : HEAD_START_MS);
    }
    return false;
}

static bool look_at(attempts *self, size_t *found) {
    for (size_t i = 0; i < self->next; i++) {
        if (self->fds[1 + i].fd < 0 || !self->fds[1 + i].revents) {
            continue;
        }
        int error = 0;
        socklen_t len = sizeof error;
        if (getsockopt(self->fds[1 + i].fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
            error = errno;
        }
        if (error == 0) {
            *found = i;
            return true;
        }
        give_up(self, i, error);
        self->next_ms = 0;
    }
    return false;
}

static void fail_all(spb_dial *dial, const attempts *self, bool is_late) {
    char text[400];
    int used =
        snprintf(text, sizeof text, "none of %zu addresses of %.150s answers", self->count, dial->address->host_port);
    for (size_t i = 0; i < self->count && (size_t)used < sizeof text; i++) {
        char place[SPB_ENDPOINT_TEXT];
        spb_endpoint__write(&self->places[i], place);
        used += snprintf(text + used, sizeof text - (size_t)used, "%s %s: %s", i == 0 ? ":" : ",", place,
                         self->errors[i] ? strerror(self->errors[i]) : "no answer");
    }
    fail(dial, is_late ? SPB_ERR_TIMEOUT : SPB_ERR_CONNECT, text);
}

/* The first one that answers, or NULL: it has been said why, or the dial is stopped. */
static const spb_endpoint *find_one(spb_dial *dial, const spb_endpoint *places, size_t count) {
    attempts self = {.places = places, .count = count};
    for (size_t i = 0; i <= SPB_ENDPOINTS_MAX; i++) {
        self.fds[i].fd = -1;
    }
    size_t found = count;
    bool is_found = false, is_stopped = false, is_late = false;
    while (!is_found && !is_stopped && !is_late) {
        is_found = try_next(dial, &self, &found);
        if (is_found || self.open_count == 0) {
            break;
        }
        is_stopped = !wait_for(dial, self.fds, 1 + self.next, self.next < count ? self.next_ms : dial->deadline_ms);
        is_found = look_at(&self, &found);
        is_late = left_ms(dial, spb_monotonic__ms()) == 0;
    }
    for (size_t i = 0; i < self.next; i++) {
        give_up(&self, i, self.errors[i]);
    }
    if (is_found && !is_stopped) {
        return &places[found];
    }
    if (!is_stopped) {
        fail_all(dial, &self, is_late);
    }
    return NULL;
}

/* ---- the thread ---- */

static void connect_to(spb_dial *self, const spb_endpoint *place) {
    struct pollfd wake;
    uint32_t left = left_ms(self, spb_monotonic__ms());
    while (left > 0 && !atomic_load(&self->is_stopped) && !self->calls.on_found(self->calls.context, place, left)) {
        wait_for(self, &wake, 1, self->deadline_ms);
        left = left_ms(self, spb_monotonic__ms());
    }
    if (left == 0 && !atomic_load(&self->is_stopped)) {
        fail_late(self);
    }
}

static void *run(void *context) {
    spb_dial *self = context;
    if (self->address->is_numeric) {
        connect_to(self, NULL);
        return NULL;
    }
    bool has_places = find_places(self);
    spb_lookup__forget(&self->lookup);
    if (!has_places) {
        return NULL;
    }
    spb_lookup_answer *answer = &self->lookup.answer;
    const spb_endpoint *place = &answer->places[0];
    size_t chosen = choice_of_paho(answer->places, answer->count);
    const spb_endpoint of_name = answer->places[chosen];
    if (answer->count > 1) {
        if (self->address->is_websocket) {
            move(answer->places, chosen, 0);
        }
        sort_places(answer->places, answer->count, &self->avoid);
        place = find_one(self, answer->places, answer->count);
        if (!place) {
            return NULL;
        }
    }
    bool is_by_name = self->address->is_websocket && spb_endpoint__is_same(place, &of_name);
    connect_to(self, is_by_name ? NULL : place);
    return NULL;
}

spb_status spb_dial__start(spb_dial *dial, const spb_address *address, uint32_t timeout_ms, const spb_endpoint *avoid,
                           const spb_dial_calls *calls, spb_error *err) {
    *dial = (spb_dial){.address = address,
                       .calls = *calls,
                       .timeout_ms = timeout_ms,
                       .deadline_ms = spb_monotonic__ms() + timeout_ms,
                       .wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    dial->avoid = avoid ? *avoid : (spb_endpoint){.as.any.sa_family = AF_UNSPEC};
    atomic_init(&dial->is_stopped, false);
    dial->is_started = dial->wake >= 0 && spb_thread__start(&dial->thread, run, dial) == 0;
    if (dial->is_started) {
        return SPB_OK;
    }
    if (dial->wake < 0) {
        return spb_error__set(err, SPB_ERR_SYSTEM, "no descriptor for the way to a server (ulimit -n)");
    }
    close(dial->wake);
    return spb_error__no_thread(err, "the way to a server");
}

void spb_dial__stop(spb_dial *dial) {
    if (!dial->is_started) {
        return;
    }
    atomic_store(&dial->is_stopped, true);
    (void)!write(dial->wake, &(uint64_t){1}, sizeof(uint64_t));
    pthread_join(dial->thread, NULL);
}

void spb_dial__clear(spb_dial *dial) {
    if (dial->is_started) {
        close(dial->wake);
        dial->is_started = false;
    }
}
