/*
 * Decides when a server has sent more than one packet may hold, and ends that connection; and notices that a server
 * ends it. What is said of it is left to events.c.
 *
 * The lock is taken inside paho's callbacks and its trace, so paho is never called under it, but for the level of its
 * trace, which takes no lock. The trace is on only while a guard waits for its socket.
 */
#include "transport/guard.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <MQTTAsync.h>

#include "base/error.h"
#include "base/monotonic.h"
#include "base/thread.h"

/* Answers to PINGREQ are not reported, so a little more is allowed as time goes by: 250 bytes a second. */
#define MS_PER_BYTE 4

/* A link whose server is so far away may be a slow one, and a system that may keep megabytes would keep a whole birth:
 * then paho, which has nothing left to write, sends PINGREQ behind that, and gives the link up before it is answered.
 * paho goes on with what it wrote in part once a second, so this is also what such a message may have of the link in a
 * second: no less than it would be anyway on a link that is not on this machine. */
#define LONG_WAY_MS 20
#define UNSENT_BYTES 65536

/* The thread, while there is a guard. */
typedef struct watch {
    int poll;
    int end; /* an eventfd: readable when the thread is to end */
    pthread_t thread;
} watch;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static spb_guard *guards;
static watch *watching;

/* ---- the socket ---- */

/* What paho has taken from the socket: all that came, without what still lies in the kernel. In this order a byte that
 * arrives meanwhile is not counted. */
static bool taken_bytes(int fd, uint64_t *out) {
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    int left;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 || ioctl(fd, FIONREAD, &left) != 0) {
        return false;
    }
    uint64_t came = info.tcpi_bytes_received;
    *out = came > (uint64_t)left ? came - (uint64_t)left : 0;
    return true;
}

/* After shutdown the kernel takes no more bytes; recv throws away those that it has, without a copy. The last close,
 * which is ours, resets the connection: a server that still waits for room to send would not notice its end. */
static void cut(int fd) {
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    shutdown(fd, SHUT_RDWR);
    while (recv(fd, NULL, 1 << 30, MSG_DONTWAIT | MSG_TRUNC) > 0) {
    }
}

/* The bytes are read before the count: a packet that is reported in between starts a new sum, and is never added to the
 * next one. A new sum begins with bytes that are read after its count: this thread may have stood still in between
 * while many packets came. */
static void check_locked(spb_guard *guard) {
    uint64_t taken;
    if (guard->is_over || !taken_bytes(guard->fd, &taken)) {
        return;
    }
    unsigned count = atomic_load(&guard->packet_count);
    uint64_t now = spb_monotonic__ms();
    uint64_t allowed = guard->limit + (now - guard->seen_ms) / MS_PER_BYTE;
    if (count != guard->seen_count) {
        guard->seen_count = count;
        guard->seen_ms = now;
        taken_bytes(guard->fd, &guard->seen_bytes);
    } else if (taken > guard->seen_bytes && taken - guard->seen_bytes > allowed) {
        guard->is_over = true;
        cut(guard->fd);
    }
}

/* The server says that it will send no more: then nothing may be written to it either. paho, which reads the same,
 * would write a DISCONNECT, and a server that reads on would drop the will. Both threads are woken at once, and this
 * one has far less to do; but on a machine where each processor has ten others to serve, paho was first one time in
 * eight. */
static void stop_writing(int fd) {
    shutdown(fd, SHUT_WR);
}

/* ---- the thread ---- */

static bool is_known_locked(const spb_guard *wanted) {
    for (const spb_guard *guard = guards; guard; guard = guard->next) {
        if (guard == wanted) {
            return true;
        }
    }
    return false;
}

static void *run(void *context) {
    watch *self = context;
    struct epoll_event events[16];
    for (;;) {
        int count = epoll_wait(self->poll, events, 16, -1);
        pthread_mutex_lock(&lock);
        for (int i = 0; i < count; i++) {
            spb_guard *guard = events[i].data.ptr;
            if (!guard) { /* `end` */
                pthread_mutex_unlock(&lock);
                return NULL;
            }
            if (is_known_locked(guard) && guard->fd >= 0) {
                if ((events[i].events & EPOLLRDHUP) != 0) {
                    stop_writing(guard->fd);
                }
                check_locked(guard);
            }
        }
        pthread_mutex_unlock(&lock);
    }
}

static void free_watch(watch *self) {
    if (self->poll >= 0) {
        close(self->poll);
    }
    if (self->end >= 0) {
        close(self->end);
    }
    free(self);
}

static spb_status watch_locked(spb_error *err) {
    watch *self = calloc(1, sizeof *self);
    if (!self) {
        return spb_error__no_memory(err, "the watch over a connection");
    }
    self->poll = epoll_create1(EPOLL_CLOEXEC);
    self->end = eventfd(0, EFD_CLOEXEC);
    struct epoll_event end = {.events = EPOLLIN, .data.ptr = NULL};
    if (self->poll < 0 || self->end < 0 || epoll_ctl(self->poll, EPOLL_CTL_ADD, self->end, &end) != 0) {
        free_watch(self);
        return spb_error__set(err, SPB_ERR_SYSTEM, "no descriptor for the watch over a connection (ulimit -n)");
    }
    if (spb_thread__start(&self->thread, run, self) != 0) {
        free_watch(self);
        return spb_error__no_thread(err, "the watch over a connection");
    }
    watching = self;
    return SPB_OK;
}

/* ---- which socket it is ---- */

/* The trace says "… SOCKET CLIENT_ID -> CONNECT version …", in the thread that has just written CONNECT and before
 * anything of the answer is read. The socket, or −1. */
static int socket_in(const char *line, const char *client_id) {
    const char *arrow = strstr(line, " -> CONNECT version ");
    size_t len = strlen(client_id);
    if (!arrow || (size_t)(arrow - line) < len + 2 || strncmp(arrow - len, client_id, len) != 0 ||
        arrow[-(ptrdiff_t)len - 1] != ' ') {
        return -1;
    }
    const char *end = arrow - len - 1, *start = end;
    while (start > line && start[-1] >= '0' && start[-1] <= '9') {
        start--;
    }
    return start < end && end - start < 10 ? atoi(start) : -1;
}

static void adopt_locked(spb_guard *guard, int fd) {
    guard->is_waiting = false;
    guard->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = guard};
    if (guard->fd >= 0 && epoll_ctl(watching->poll, EPOLL_CTL_ADD, guard->fd, &event) != 0) {
        close(guard->fd);
        guard->fd = -1;
    }
    if (guard->fd >= 0) {
        taken_bytes(guard->fd, &guard->seen_bytes);
        guard->seen_ms = guard->asked_ms = spb_monotonic__ms();
    }
}

/* Whoever wants to see paho's trace himself sets this variable, and his level is left alone. */
static void set_trace_locked(void) {
    bool is_wanted = false;
    for (const spb_guard *guard = guards; guard; guard = guard->next) {
        is_wanted = is_wanted || guard->is_waiting;
    }
    if (!getenv("MQTT_C_CLIENT_TRACE")) {
        MQTTAsync_setTraceLevel(is_wanted ? MQTTASYNC_TRACE_PROTOCOL : MQTTASYNC_TRACE_ERROR);
    }
}

static void on_trace(enum MQTTASYNC_TRACE_LEVELS level, char *line) {
    if (level != MQTTASYNC_TRACE_PROTOCOL || !line) {
        return;
    }
    pthread_mutex_lock(&lock);
    for (spb_guard *guard = guards; guard; guard = guard->next) {
        int fd = guard->is_waiting ? socket_in(line, guard->client_id) : -1;
        if (fd >= 0) {
            adopt_locked(guard, fd);
            set_trace_locked();
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

static void listen_to_trace(void) {
    MQTTAsync_setTraceCallback(on_trace);
}

/* ---- for links ---- */

spb_status spb_guard__start(spb_guard *guard, const char *client_id, uint64_t limit, spb_error *err) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, listen_to_trace);
    *guard = (spb_guard){.client_id = client_id, .limit = limit, .fd = -1, .is_waiting = true};
    atomic_init(&guard->packet_count, 0);
    pthread_mutex_lock(&lock);
    spb_status status = watching ? SPB_OK : watch_locked(err);
    if (status == SPB_OK) {
        guard->next = guards;
        guards = guard;
        set_trace_locked();
    } else {
        guard->client_id = NULL;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

void spb_guard__stop(spb_guard *guard) {
    if (!guard->client_id) {
        return;
    }
    watch *to_end = NULL;
    pthread_mutex_lock(&lock);
    spb_guard **at = &guards;
    while (*at != guard) {
        at = &(*at)->next;
    }
    *at = guard->next;
    if (guard->fd >= 0) {
        /* closing it does not take it out: paho may have the socket still */
        epoll_ctl(watching->poll, EPOLL_CTL_DEL, guard->fd, NULL);
        close(guard->fd);
        guard->fd = -1;
    }
    guard->client_id = NULL;
    set_trace_locked();
    if (!guards) {
        to_end = watching;
        watching = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (to_end) {
        (void)!write(to_end->end, &(uint64_t){1}, sizeof(uint64_t));
        pthread_join(to_end->thread, NULL);
        free_watch(to_end);
    }
}

bool spb_guard__is_alone(const spb_guard *guard) {
    pthread_mutex_lock(&lock);
    bool is_alone = guards == guard && !guard->next;
    pthread_mutex_unlock(&lock);
    return is_alone;
}

void spb_guard__count_packet(spb_guard *guard) {
    atomic_fetch_add(&guard->packet_count, 1);
}

bool spb_guard__cut(spb_guard *guard) {
    pthread_mutex_lock(&lock);
    bool is_known = guard->client_id && guard->fd >= 0;
    if (is_known) {
        cut(guard->fd);
    }
    pthread_mutex_unlock(&lock);
    return is_known;
}

void spb_guard__note_answer(spb_guard *guard) {
    pthread_mutex_lock(&lock);
    if (guard->client_id && guard->fd >= 0 && spb_monotonic__ms() - guard->asked_ms >= LONG_WAY_MS) {
        setsockopt(guard->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){UNSENT_BYTES}, sizeof(int));
    }
    pthread_mutex_unlock(&lock);
}

/* In this order what is acknowledged in between counts as left, and not twice as carried. */
uint64_t spb_guard__carried(spb_guard *guard, uint64_t *left) {
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    int unacknowledged = 0;
    pthread_mutex_lock(&lock);
    bool is_known = guard->client_id && guard->fd >= 0 && ioctl(guard->fd, TIOCOUTQ, &unacknowledged) == 0 &&
                    getsockopt(guard->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0;
    pthread_mutex_unlock(&lock);
    *left = is_known && unacknowledged > 0 ? (uint64_t)unacknowledged : 0;
    return is_known ? info.tcpi_bytes_acked : 0;
}

void spb_guard__cork(spb_guard *guard, bool is_corked) {
    pthread_mutex_lock(&lock);
    if (guard->client_id && guard->fd >= 0) {
        setsockopt(guard->fd, IPPROTO_TCP, TCP_CORK, &(int){is_corked}, sizeof(int));
    }
    pthread_mutex_unlock(&lock);
}

/* The kernel has something that it cannot send now, or must send again. What is under way and not acknowledged yet does
 * not count, nor what only waits to become a full packet (it is sent by the option): both are on every good link. */
static bool has_unsent(int fd) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
           (info.tcpi_notsent_bytes > 0 || (info.tcpi_unacked > 0 && info.tcpi_retransmits > 0));
}

/* A connection to nowhere ends the present one at once, whoever else has its socket (connect(2): AF_UNSPEC). */
void spb_guard__reset_unsent(spb_guard *guard) {
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    pthread_mutex_lock(&lock);
    if (guard->client_id && guard->fd >= 0 && has_unsent(guard->fd)) {
        connect(guard->fd, &nowhere, sizeof nowhere);
    }
    pthread_mutex_unlock(&lock);
}

bool spb_guard__is_over(spb_guard *guard) {
    pthread_mutex_lock(&lock);
    bool is_over = guard->is_over;
    pthread_mutex_unlock(&lock);
    return is_over;
}
