/* Decides how the server in the test answers. Whether what it was sent is right is left to the tests. */
#include "support/fake_transport.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/deadline.h"

/* A thing that the thread of the server is going to report. */
typedef struct fake_report {
    struct fake_report *next;
    spb_transport_event event;
    char *topic;
    uint8_t *payload;
} fake_report;

struct fake_server {
    spb_transport transport; /* first: the functions get its address */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* whatever it is */

    spb_transport_listener listener;
    void *context;
    pthread_t thread;
    bool is_ending;
    bool is_reporting; /* the thread is inside the listener */
    fake_report *first, *last;

    uint32_t link; /* of the connection, or of the attempt; 0: none */
    bool is_connected;
    fake_welcome welcome;
    bool is_stalled, is_connect_blocked, refuses_publish;
    uint32_t withheld;                         /* messages that a stall has not let be reported, */
    uint32_t withheld_fences[SPB_FENCE_FORMS]; /* and answers to fences */
    bool withholds_goodbye;

    fake_message **messages; /* each in a block of its own, so that it stays where it is */
    size_t message_count, message_capacity;
    size_t connects, entered_connects, frees;
    size_t counts[SPB_KIND_STATE + 1];
};

static void *allocate(size_t size) {
    void *memory = calloc(1, size > 0 ? size : 1);
    if (!memory) {
        abort();
    }
    return memory;
}

static void *copy(const void *data, size_t len) {
    void *made = allocate(len + 1);
    if (len > 0) {
        memcpy(made, data, len);
    }
    return made;
}

/* ---- reports ---- */

static void report_locked(fake_server *self, spb_transport_event event) {
    fake_report *report = allocate(sizeof *report);
    report->event = event;
    if (event.kind == SPB_TRANSPORT_MESSAGE) {
        report->event.topic.data = report->topic = copy(event.topic.data, event.topic.len);
        report->event.payload.data = report->payload = copy(event.payload.data, event.payload.len);
    }
    if (self->first) {
        self->last->next = report;
    } else {
        self->first = report;
    }
    self->last = report;
    pthread_cond_broadcast(&self->changed);
}

static void free_report(fake_report *report) {
    free(report->topic);
    free(report->payload);
    free(report);
}

static fake_report *pull_locked(fake_server *self) {
    fake_report *report = self->first;
    if (report) {
        self->first = report->next;
    }
    return report;
}

static void forget_reports_locked(fake_server *self) {
    for (fake_report *report = pull_locked(self); report; report = pull_locked(self)) {
        free_report(report);
    }
}

static void *report_all(void *context) {
    fake_server *self = context;
    pthread_mutex_lock(&self->lock);
    while (!self->is_ending) {
        fake_report *report = pull_locked(self);
        if (!report) {
            pthread_cond_wait(&self->changed, &self->lock);
            continue;
        }
        self->is_reporting = true;
        pthread_mutex_unlock(&self->lock);
        self->listener(self->context, &report->event);
        free_report(report);
        pthread_mutex_lock(&self->lock);
        self->is_reporting = false;
        pthread_cond_broadcast(&self->changed);
    }
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

/* ---- the record ---- */

static void record_locked(fake_server *self, uint32_t link, bool is_connect, const spb_transport_message *message) {
    if (self->message_count == self->message_capacity) {
        self->message_capacity = self->message_capacity * 2 + 64;
        self->messages = realloc(self->messages, self->message_capacity * sizeof(fake_message *));
        if (!self->messages) {
            abort();
        }
    }
    fake_message *recorded = allocate(sizeof *recorded);
    *recorded = (fake_message){.transport = self->frees,
                               .link = link,
                               .is_connect = is_connect,
                               .topic = copy(message->topic, strlen(message->topic)),
                               .payload = copy(message->payload.data, message->payload.len),
                               .len = message->payload.len,
                               .qos = message->qos,
                               .retain = message->retain};
    self->messages[self->message_count++] = recorded;
    spb_topic topic;
    if (!is_connect && spb_topic_parse(&topic, spb_str_from(message->topic), NULL) == SPB_OK) {
        self->counts[topic.kind]++;
    }
    pthread_cond_broadcast(&self->changed);
}

/* ---- the transport ---- */

static fake_server *server_of(spb_transport *transport) {
    return (fake_server *)transport;
}

static void set_listener(spb_transport *transport, spb_transport_listener listener, void *context) {
    fake_server *self = server_of(transport);
    self->listener = listener;
    self->context = context;
}

static spb_status connect_server(spb_transport *transport, const spb_transport_connect *request, spb_error *err) {
    (void)err;
    fake_server *self = server_of(transport);
    pthread_mutex_lock(&self->lock);
    self->entered_connects++;
    pthread_cond_broadcast(&self->changed);
    while (self->is_connect_blocked) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    if (self->link != 0) {
        fprintf(stderr, "connect while link %u is open\n", (unsigned)self->link);
        abort();
    }
    self->connects++;
    record_locked(self, request->link, true, &request->will);
    if (self->welcome == FAKE_REFUSE) {
        report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_CONNECT_FAILED,
                                                  .link = request->link,
                                                  .status = SPB_ERR_AUTH,
                                                  .reason = "the test refuses it"});
    } else {
        self->link = request->link;
    }
    if (self->welcome == FAKE_ACCEPT) {
        self->is_connected = true;
        report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_CONNECTED, .link = request->link});
    }
    pthread_mutex_unlock(&self->lock);
    return SPB_OK;
}

static spb_status subscribe(spb_transport *transport, uint32_t link, const spb_subscription *items, size_t count,
                            spb_error *err) {
    (void)items, (void)count, (void)err;
    fake_server *self = server_of(transport);
    pthread_mutex_lock(&self->lock);
    if (link == self->link && self->is_connected) {
        report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED, .link = link});
    }
    pthread_mutex_unlock(&self->lock);
    return SPB_OK;
}

static spb_status publish(spb_transport *transport, uint32_t link, const spb_transport_message *message,
                          spb_error *err) {
    fake_server *self = server_of(transport);
    spb_status status = SPB_OK;
    pthread_mutex_lock(&self->lock);
    if (self->refuses_publish) {
        self->refuses_publish = false;
        status = SPB_ERR_CONNECT;
        if (err) {
            *err = (spb_error){.status = status, .offset = SPB_NO_OFFSET, .text = "the test refuses it"};
        }
    } else if (link == self->link && self->is_connected) {
        record_locked(self, link, false, message);
        if (self->is_stalled) {
            self->withheld++;
        } else {
            report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_PUBLISHED, .link = link, .count = 1});
        }
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

static spb_status fence(spb_transport *transport, uint32_t link, spb_fence_form form, const spb_subscription *item,
                        spb_error *err) {
    (void)item, (void)err;
    fake_server *self = server_of(transport);
    pthread_mutex_lock(&self->lock);
    bool is_open = link == self->link && self->is_connected;
    if (is_open && self->is_stalled) {
        self->withheld_fences[form]++;
    } else if (is_open) {
        report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_FENCED, .link = link, .fence = form});
    }
    pthread_mutex_unlock(&self->lock);
    return SPB_OK;
}

static void end_link_locked(fake_server *self) {
    self->link = 0;
    self->is_connected = false;
    self->withheld = 0;
    memset(self->withheld_fences, 0, sizeof self->withheld_fences);
    self->withholds_goodbye = false;
    pthread_cond_broadcast(&self->changed);
}

static void disconnect(spb_transport *transport, uint32_t link, uint32_t timeout_ms) {
    (void)timeout_ms;
    fake_server *self = server_of(transport);
    pthread_mutex_lock(&self->lock);
    if (link == self->link && self->is_stalled) {
        self->withholds_goodbye = true;
    } else if (link == self->link) {
        report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_DISCONNECTED, .link = link});
        end_link_locked(self);
    }
    pthread_mutex_unlock(&self->lock);
}

static void close_link(spb_transport *transport, uint32_t link) {
    fake_server *self = server_of(transport);
    pthread_mutex_lock(&self->lock);
    if (link == self->link) {
        end_link_locked(self);
    }
    /* There is one link at a time, so all that waits belongs to it or to an earlier one. */
    forget_reports_locked(self);
    while (self->is_reporting) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    pthread_mutex_unlock(&self->lock);
}

static void free_transport(spb_transport *transport) {
    fake_server *self = server_of(transport);
    pthread_mutex_lock(&self->lock);
    self->is_ending = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    pthread_mutex_lock(&self->lock);
    end_link_locked(self);
    forget_reports_locked(self);
    self->frees++;
    pthread_mutex_unlock(&self->lock);
}

/* ---- for the test ---- */

fake_server *fake_server_new(void) {
    fake_server *self = allocate(sizeof *self);
    self->transport = (spb_transport){.set_listener = set_listener,
                                      .connect = connect_server,
                                      .subscribe = subscribe,
                                      .publish = publish,
                                      .fence = fence,
                                      .disconnect = disconnect,
                                      .close = close_link,
                                      .free = free_transport};
    if (pthread_mutex_init(&self->lock, NULL) || pthread_cond_init(&self->changed, NULL)) {
        abort();
    }
    return self;
}

void fake_server_free(fake_server *self) {
    for (size_t i = 0; i < self->message_count; i++) {
        free(self->messages[i]->topic);
        free(self->messages[i]->payload);
        free(self->messages[i]);
    }
    free(self->messages);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

spb_transport *fake_server_transport(fake_server *self) {
    self->is_ending = false;
    if (pthread_create(&self->thread, NULL, report_all, self)) {
        abort();
    }
    return &self->transport;
}

static void set(fake_server *self, bool *what, bool value) {
    pthread_mutex_lock(&self->lock);
    *what = value;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void fake_server_welcome(fake_server *self, fake_welcome welcome) {
    pthread_mutex_lock(&self->lock);
    self->welcome = welcome;
    pthread_mutex_unlock(&self->lock);
}

void fake_server_block_connect(fake_server *self, bool block) {
    set(self, &self->is_connect_blocked, block);
}

void fake_server_refuse_publish(fake_server *self) {
    set(self, &self->refuses_publish, true);
}

void fake_server_stall(fake_server *self, bool stall) {
    pthread_mutex_lock(&self->lock);
    self->is_stalled = stall;
    if (!stall && self->withheld > 0) {
        report_locked(
            self, (spb_transport_event){.kind = SPB_TRANSPORT_PUBLISHED, .link = self->link, .count = self->withheld});
        self->withheld = 0;
    }
    for (unsigned form = 0; !stall && form < SPB_FENCE_FORMS; form++) {
        for (; self->withheld_fences[form] > 0; self->withheld_fences[form]--) {
            report_locked(self, (spb_transport_event){
                                    .kind = SPB_TRANSPORT_FENCED, .link = self->link, .fence = (spb_fence_form)form});
        }
    }
    if (!stall && self->withholds_goodbye) {
        report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_DISCONNECTED, .link = self->link});
        end_link_locked(self);
    }
    pthread_mutex_unlock(&self->lock);
}

void fake_server_lose(fake_server *self) {
    pthread_mutex_lock(&self->lock);
    if (self->is_connected) {
        report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_LOST,
                                                  .link = self->link,
                                                  .status = SPB_ERR_CONNECT,
                                                  .reason = "the test cut it"});
        end_link_locked(self);
    }
    pthread_mutex_unlock(&self->lock);
}

bool fake_server_deliver(fake_server *self, const char *topic, const void *payload, size_t len) {
    pthread_mutex_lock(&self->lock);
    while (self->is_connected && self->first) {
        pthread_cond_wait(&self->changed, &self->lock);
    }
    bool is_connected = self->is_connected;
    if (is_connected) {
        report_locked(self, (spb_transport_event){.kind = SPB_TRANSPORT_MESSAGE,
                                                  .link = self->link,
                                                  .topic = spb_str_from(topic),
                                                  .payload = {.data = payload, .len = len}});
    }
    pthread_mutex_unlock(&self->lock);
    return is_connected;
}

static void await_at_least(fake_server *self, const size_t *counter, size_t count, const char *what) {
    struct timespec deadline = deadline_from_now();
    pthread_mutex_lock(&self->lock);
    while (*counter < count && deadline_wait(&self->changed, &self->lock, &deadline)) {
    }
    size_t arrived = *counter;
    pthread_mutex_unlock(&self->lock);
    ck_assert_msg(arrived >= count, "%zu %s within %d s, expected: %zu", arrived, what, DEADLINE_S, count);
}

void fake_server_await(fake_server *self, spb_kind kind, size_t count) {
    await_at_least(self, &self->counts[kind], count, spb_kind_name(kind));
}

void fake_server_await_connects(fake_server *self, size_t count) {
    await_at_least(self, &self->entered_connects, count, "CONNECT");
}

static size_t read_count(fake_server *self, const size_t *counter) {
    pthread_mutex_lock(&self->lock);
    size_t count = *counter;
    pthread_mutex_unlock(&self->lock);
    return count;
}

size_t fake_server_count(fake_server *self, spb_kind kind) {
    return read_count(self, &self->counts[kind]);
}

size_t fake_server_connects(fake_server *self) {
    return read_count(self, &self->connects);
}

size_t fake_server_frees(fake_server *self) {
    return read_count(self, &self->frees);
}

const fake_message *fake_server_message(fake_server *self, size_t index) {
    pthread_mutex_lock(&self->lock);
    const fake_message *message = index < self->message_count ? self->messages[index] : NULL;
    pthread_mutex_unlock(&self->lock);
    return message;
}
