/* Decides how a server is reached, and how its messages come from the threads of the transport to ours. What they mean
 * is left to the commands. */
#include "cli/live.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "cli/error.h"

enum { KEEP_ALIVE_S = 30, TIMEOUT_MS = 10000, RETRY_MIN_MS = 1000, RETRY_MAX_MS = 30000, GOODBYE_MS = 1000 };
/* What may wait to be taken. */
enum { QUEUE_MAX_BYTES = 64 << 20 };

/* What the transport told, copied. */
typedef struct item {
    struct item *next;
    spb_transport_event_kind kind;
    uint32_t link;
    spb_error reason;
    uint64_t time_ms;
    uint8_t qos;
    bool retained;
    size_t topic_len, payload_len;
    char bytes[]; /* topic, payload */
} item;

struct live {
    spb_transport *transport;
    const char *server;
    char client_id[32];
    uint32_t link; /* of the last attempt */
    bool is_online;
    uint64_t retry_at_ms; /* 0: no attempt is due */
    unsigned retry_ms;
    item *taken; /* the event that was handed out last borrows from it */

    int wake[2];          /* a pipe, with a byte in it while there are items */
    pthread_mutex_t lock; /* guards what follows */
    item *first, **last;
    size_t queued_bytes;
    uint64_t missed;
};

static uint64_t clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- on the threads of the transport ---- */

static item *copy_event(const spb_transport_event *event) {
    item *made = calloc(1, sizeof *made + event->topic.len + event->payload.len);
    if (!made) {
        return NULL;
    }
    made->kind = event->kind;
    made->link = event->link;
    made->time_ms = clock_ms(CLOCK_REALTIME);
    made->qos = event->qos;
    made->retained = event->retained;
    error_set(&made->reason, event->status, SPB_NO_OFFSET,
              event->reason ? event->reason : spb_status_name(event->status));
    made->topic_len = event->topic.len;
    made->payload_len = event->payload.len;
    if (event->topic.len > 0) {
        memcpy(made->bytes, event->topic.data, event->topic.len);
    }
    if (event->payload.len > 0) {
        memcpy(made->bytes + event->topic.len, event->payload.data, event->payload.len);
    }
    return made;
}

static size_t size_of(const item *one) {
    return sizeof *one + one->topic_len + one->payload_len;
}

/* Only messages are dropped when there is no room; the others are few. */
static void listen(void *context, const spb_transport_event *event) {
    live *self = context;
    if (event->kind == SPB_TRANSPORT_PUBLISHED || event->kind == SPB_TRANSPORT_FENCED) {
        return;
    }
    item *made = copy_event(event);
    pthread_mutex_lock(&self->lock);
    bool has_room = made && (event->kind != SPB_TRANSPORT_MESSAGE || self->queued_bytes < QUEUE_MAX_BYTES);
    bool was_empty = !self->first && self->missed == 0;
    if (has_room) {
        *self->last = made;
        self->last = &made->next;
        self->queued_bytes += size_of(made);
    } else {
        self->missed++;
    }
    if (was_empty) {
        (void)!write(self->wake[1], "", 1); /* a full pipe wakes as well */
    }
    pthread_mutex_unlock(&self->lock);
    if (!has_room) {
        free(made);
    }
}

/* ---- on ours ---- */

static void drain_wake(live *self) {
    char bytes[16];
    while (read(self->wake[0], bytes, sizeof bytes) > 0) {
    }
}

/* NULL: there is none. *missed: how many were dropped before it. */
static item *take(live *self, uint64_t *missed) {
    pthread_mutex_lock(&self->lock);
    item *one = self->first;
    *missed = self->missed;
    self->missed = 0;
    if (one) {
        self->first = one->next;
        self->queued_bytes -= size_of(one);
        if (!self->first) {
            self->last = &self->first;
        }
    }
    if (!self->first) {
        drain_wake(self);
    }
    pthread_mutex_unlock(&self->lock);
    return one;
}

static void put_back(live *self, item *one) {
    pthread_mutex_lock(&self->lock);
    one->next = self->first;
    if (!self->first) {
        self->last = &one->next;
    }
    self->first = one;
    self->queued_bytes += size_of(one);
    (void)!write(self->wake[1], "", 1);
    pthread_mutex_unlock(&self->lock);
}

static void retry_later(live *self) {
    self->is_online = false;
    self->retry_at_ms = spb_monotonic__ms() + self->retry_ms;
    self->retry_ms = self->retry_ms < RETRY_MAX_MS / 2 ? 2 * self->retry_ms : RETRY_MAX_MS;
}

static spb_status start(live *self, spb_error *err) {
    const spb_transport_connect request = {.link = ++self->link,
                                           .server = self->server,
                                           .client_id = self->client_id,
                                           .keep_alive_s = KEEP_ALIVE_S,
                                           .timeout_ms = TIMEOUT_MS};
    self->retry_at_ms = 0;
    return self->transport->connect(self->transport, &request, err);
}

/* False: nothing that the caller shall know. */
static bool go_offline(live *self, live_event *event, const spb_error *reason) {
    retry_later(self);
    *event = (live_event){.kind = LIVE_OFFLINE, .reason = *reason};
    return true;
}

static bool subscribe(live *self, live_event *event) {
    const spb_subscription all = {SPB_NAMESPACE "/#", 1};
    spb_error err;
    if (self->transport->subscribe(self->transport, self->link, &all, 1, &err) != SPB_OK) {
        self->transport->close(self->transport, self->link);
        return go_offline(self, event, &err);
    }
    return false;
}

static bool translate(live *self, const item *one, live_event *event) {
    if (one->link != self->link) {
        return false; /* of a connection that is no more */
    }
    switch (one->kind) {
    case SPB_TRANSPORT_CONNECTED: return subscribe(self, event);
    case SPB_TRANSPORT_SUBSCRIBED:
        if (one->reason.status != SPB_OK) {
            self->transport->close(self->transport, self->link);
            return go_offline(self, event, &one->reason);
        }
        self->is_online = true;
        self->retry_ms = RETRY_MIN_MS;
        *event = (live_event){.kind = LIVE_ONLINE};
        return true;
    case SPB_TRANSPORT_CONNECT_FAILED:
    case SPB_TRANSPORT_LOST: return go_offline(self, event, &one->reason);
    case SPB_TRANSPORT_WARNING: *event = (live_event){.kind = LIVE_WARNING, .reason = one->reason}; return true;
    case SPB_TRANSPORT_MESSAGE:
        *event = (live_event){.kind = LIVE_MESSAGE,
                              .topic = {one->bytes, one->topic_len},
                              .payload = {(const uint8_t *)one->bytes + one->topic_len, one->payload_len},
                              .qos = one->qos,
                              .retained = one->retained,
                              .time_ms = one->time_ms};
        return true;
    default: return false;
    }
}

static bool retry_if_due(live *self, live_event *event) {
    spb_error err;
    if (self->retry_at_ms == 0 || spb_monotonic__ms() < self->retry_at_ms) {
        return false;
    }
    return start(self, &err) != SPB_OK && go_offline(self, event, &err);
}

bool live_next(live *self, live_event *event) {
    for (;;) {
        uint64_t missed;
        free(self->taken);
        self->taken = take(self, &missed);
        if (missed > 0) {
            if (self->taken) {
                put_back(self, self->taken);
                self->taken = NULL;
            }
            *event = (live_event){.kind = LIVE_MISSED, .missed = missed};
            return true;
        }
        if (!self->taken) {
            return retry_if_due(self, event);
        }
        if (translate(self, self->taken, event)) {
            return true;
        }
    }
}

int live_fd(const live *self) {
    return self->wake[0];
}

int live_wait_ms(const live *self) {
    uint64_t now = spb_monotonic__ms();
    if (self->retry_at_ms == 0) {
        return -1;
    }
    return self->retry_at_ms > now ? (int)(self->retry_at_ms - now) : 0;
}

spb_status live_publish(live *self, const char *topic, spb_bytes payload, spb_error *err) {
    const spb_transport_message message = {.topic = topic, .payload = payload};
    if (!self->is_online) {
        error_set(err, SPB_ERR_STATE, SPB_NO_OFFSET, "there is no connection");
        return err->status;
    }
    return self->transport->publish(self->transport, self->link, &message, err);
}

/* ---- its life ---- */

static bool open_wake(live *self) {
    if (pipe(self->wake) != 0) {
        self->wake[0] = self->wake[1] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (fcntl(self->wake[i], F_SETFL, O_NONBLOCK) != 0 || fcntl(self->wake[i], F_SETFD, FD_CLOEXEC) != 0) {
            return false;
        }
    }
    return true;
}

spb_status live_new(live **out, const char *server, const spb_mqtt_options *mqtt, spb_error *err) {
    *out = NULL;
    live *self = calloc(1, sizeof *self);
    if (!self) {
        error_set(err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory");
        return err->status;
    }
    self->server = server;
    self->retry_ms = RETRY_MIN_MS;
    self->last = &self->first;
    snprintf(self->client_id, sizeof self->client_id, "spb-%ld-%lx", (long)getpid(),
             (unsigned long)clock_ms(CLOCK_REALTIME) & 0xFFFFFF);
    pthread_mutex_init(&self->lock, NULL); /* with no attributes it cannot fail on Linux */
    spb_mqtt_options roomy = *mqtt;
    if (roomy.max_packet_bytes == 0) {
        roomy.max_packet_bytes = QUEUE_MAX_BYTES; /* births of others may be large */
    }
    spb_status status = SPB_OK;
    if (!open_wake(self)) {
        status = SPB_ERR_SYSTEM;
        error_set(err, status, SPB_NO_OFFSET, "cannot make a pipe");
    }
    status = status == SPB_OK ? spb_mqtt_check_server(server, mqtt, err) : status;
    status = status == SPB_OK ? spb_mqtt_new(&self->transport, &roomy, err) : status;
    if (status == SPB_OK) {
        self->transport->set_listener(self->transport, listen, self);
        status = start(self, err);
    }
    if (status != SPB_OK) {
        live_free(self);
        return status;
    }
    *out = self;
    return SPB_OK;
}

/* Waits for the answer to DISCONNECT; messages that still come are dropped. */
static void say_goodbye(live *self) {
    uint64_t deadline_ms = spb_monotonic__ms() + GOODBYE_MS;
    self->transport->disconnect(self->transport, self->link, GOODBYE_MS);
    for (bool is_done = false; !is_done;) {
        uint64_t missed, now = spb_monotonic__ms();
        item *one = take(self, &missed);
        is_done = one ? one->kind == SPB_TRANSPORT_DISCONNECTED || one->kind == SPB_TRANSPORT_LOST : now >= deadline_ms;
        if (!one && !is_done) {
            struct pollfd wake = {.fd = self->wake[0], .events = POLLIN};
            (void)poll(&wake, 1, (int)(deadline_ms - now));
        }
        free(one);
    }
}

void live_free(live *self) {
    if (!self) {
        return;
    }
    if (self->transport) {
        if (self->is_online) {
            say_goodbye(self);
        }
        self->transport->free(self->transport);
    }
    while (self->first) {
        item *next = self->first->next;
        free(self->first);
        self->first = next;
    }
    free(self->taken);
    for (int i = 0; i < 2; i++) {
        if (self->wake[i] >= 0) {
            close(self->wake[i]);
        }
    }
    pthread_mutex_destroy(&self->lock);
    free(self);
}
