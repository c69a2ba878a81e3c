/*
 * An MQTT transport, and what it reported. Every function fails the test when it does not get what it waits for.
 */
#ifndef SPB_TEST_MQTT_CLIENT_H
#define SPB_TEST_MQTT_CLIENT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <spb/transport.h>

#include "support/broker.h"

typedef struct heard {
    spb_transport_event event; /* reason, topic and payload are copies */
    char *reason;
    char *topic;
    uint8_t *payload;
} heard;

typedef struct client {
    spb_transport *transport;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    heard *items;
    size_t count, capacity;
    size_t next; /* the first one that await has not passed */
    uint64_t published;
    char warnings[1024]; /* one a line */
} client;

/* `memory`, which must be there. */
void *must(void *memory);

client *client_new(const spb_mqtt_options *options);
void client_free(client *self);

/* The next event but PUBLISHED and WARNING, which must be of that kind and link. */
heard await(client *self, spb_transport_event_kind kind, uint32_t link);
void await_message(client *self, uint32_t link, const char *topic, const char *text);
/* Until so many messages are published altogether. */
void await_published(client *self, uint64_t count);
/* How many events have come that await has not passed. */
size_t unread(client *self);

/* With the will "gone" on will/edge, QoS 1. */
spb_transport_connect request_to(const char *server, const char *client_id, uint32_t link);
void start_connect(client *self, const char *server, const char *client_id, uint32_t link);
void connect_to(client *self, broker *server, const char *client_id, uint32_t link);
/* Expects CONNECT_FAILED with this status and these words in the reason. */
void expect_failure(client *self, const char *server, uint32_t link, spb_status status, const char *words);

void subscribe(client *self, uint32_t link, const char *filter);
spb_status publish(client *self, uint32_t link, const char *topic, const char *text, uint8_t qos, bool retain);

/* A client that hears everything. Its link has number 1000. */
client *watcher_new(broker *server);

#endif
