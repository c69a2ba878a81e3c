/* Decides how a test waits for the events of an MQTT transport. */
#include "support/mqtt_client.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void *must(void *memory) {
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static void *copy_of(const void *data, size_t len) {
    char *copy = must(malloc(len + 1));
    if (len > 0) {
        memcpy(copy, data, len);
    }
    copy[len] = '\0';
    return copy;
}

static void on_event(void *context, const spb_transport_event *event) {
    client *self = context;
    pthread_mutex_lock(&self->lock);
    if (event->kind == SPB_TRANSPORT_PUBLISHED) {
        self->published += event->count;
    } else if (event->kind == SPB_TRANSPORT_WARNING) {
        size_t used = strlen(self->warnings);
        snprintf(self->warnings + used, sizeof self->warnings - used, "%s\n", event->reason);
    } else {
        if (self->count == self->capacity) {
            self->capacity = self->capacity ? self->capacity * 2 : 16;
            self->items = must(realloc(self->items, self->capacity * sizeof *self->items));
        }
        self->items[self->count++] = (heard){
            .event = *event,
            .reason = event->reason ? copy_of(event->reason, strlen(event->reason)) : NULL,
            .topic = copy_of(event->topic.data, event->topic.len),
            .payload = copy_of(event->payload.data, event->payload.len),
        };
    }
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

client *client_new(const spb_mqtt_options *options) {
    client *self = must(calloc(1, sizeof *self));
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    spb_error err;
    ck_assert_msg(spb_mqtt_new(&self->transport, options, &err) == SPB_OK, "%s", err.text);
    self->transport->set_listener(self->transport, on_event, self);
    return self;
}

void client_free(client *self) {
    self->transport->free(self->transport);
    for (size_t i = 0; i < self->count; i++) {
        free(self->items[i].reason);
        free(self->items[i].topic);
        free(self->items[i].payload);
    }
    free(self->items);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

/* Far beyond what anything here takes: only a test that fails waits for so long. */
static struct timespec patience(void) {
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 40;
    return deadline;
}

heard await(client *self, spb_transport_event_kind kind, uint32_t link) {
    struct timespec deadline = patience();
    pthread_mutex_lock(&self->lock);
    while (self->next == self->count) {
        ck_assert_msg(pthread_cond_timedwait(&self->changed, &self->lock, &deadline) == 0, "no event of kind %d", kind);
    }
    heard got = self->items[self->next++];
    pthread_mutex_unlock(&self->lock);
    ck_assert_msg(got.event.kind == kind, "event of kind %d instead of %d: %s", got.event.kind, kind,
                  got.reason ? got.reason : "-");
    ck_assert_uint_eq(got.event.link, link);
    return got;
}

void await_published(client *self, uint64_t count) {
    struct timespec deadline = patience();
    pthread_mutex_lock(&self->lock);
    while (self->published < count) {
        ck_assert_int_eq(pthread_cond_timedwait(&self->changed, &self->lock, &deadline), 0);
    }
    pthread_mutex_unlock(&self->lock);
}

size_t unread(client *self) {
    pthread_mutex_lock(&self->lock);
    size_t count = self->count - self->next;
    pthread_mutex_unlock(&self->lock);
    return count;
}

static spb_bytes bytes_of(const char *text) {
    return (spb_bytes){.data = (const uint8_t *)text, .len = strlen(text)};
}

spb_transport_connect request_to(const char *server, const char *client_id, uint32_t link) {
    return (spb_transport_connect){
        .link = link,
        .server = server,
        .client_id = client_id,
        .keep_alive_s = 30,
        .timeout_ms = 10000,
        .will = {.topic = "will/edge", .payload = {.data = (const uint8_t *)"gone", .len = 4}, .qos = 1},
    };
}

void start_connect(client *self, const char *server, const char *client_id, uint32_t link) {
    spb_transport_connect request = request_to(server, client_id, link);
    spb_error err;
    ck_assert_msg(self->transport->connect(self->transport, &request, &err) == SPB_OK, "%s", err.text);
}

void connect_to(client *self, broker *server, const char *client_id, uint32_t link) {
    start_connect(self, broker_uri(server), client_id, link);
    await(self, SPB_TRANSPORT_CONNECTED, link);
}

void subscribe(client *self, uint32_t link, const char *filter) {
    spb_subscription item = {.filter = filter, .qos = 1};
    ck_assert_int_eq(self->transport->subscribe(self->transport, link, &item, 1, NULL), SPB_OK);
    ck_assert_int_eq(await(self, SPB_TRANSPORT_SUBSCRIBED, link).event.status, SPB_OK);
}

spb_status publish(client *self, uint32_t link, const char *topic, const char *text, uint8_t qos, bool retain) {
    spb_transport_message message = {.topic = topic, .payload = bytes_of(text), .qos = qos, .retain = retain};
    return self->transport->publish(self->transport, link, &message, NULL);
}

void await_message(client *self, uint32_t link, const char *topic, const char *text) {
    heard got = await(self, SPB_TRANSPORT_MESSAGE, link);
    ck_assert_str_eq(got.topic, topic);
    ck_assert_uint_eq(got.event.payload.len, strlen(text));
    ck_assert_mem_eq(got.payload, text, strlen(text));
}

void expect_failure(client *self, const char *server, uint32_t link, spb_status status, const char *words) {
    start_connect(self, server, "edge", link);
    heard got = await(self, SPB_TRANSPORT_CONNECT_FAILED, link);
    ck_assert_msg(got.event.status == status && strstr(got.reason, words) != NULL, "%s: %s, expected: %s",
                  spb_status_name(got.event.status), got.reason, words);
}

client *watcher_new(broker *server) {
    client *watcher = client_new(NULL);
    connect_to(watcher, server, "watcher", 1000);
    subscribe(watcher, 1000, "#");
    return watcher;
}
