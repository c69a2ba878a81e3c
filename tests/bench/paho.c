/* Decides how paho is used at its best: asynchronously, with a window of messages. What is sent is left to the
 * benchmarks. */
#include "paho.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include <MQTTAsync.h>

#include "bench.h"

struct paho {
    MQTTAsync client;
    sem_t room;
    sem_t changed;
    int code; /* of the connection */
    unsigned window;
    size_t wake_bytes;
    size_t bytes; /* since the last request */
};

static void on_connected(void *context, MQTTAsync_successData *data) {
    (void)data;
    paho *self = context;
    sem_post(&self->changed);
}

static void on_failed(void *context, MQTTAsync_failureData *data) {
    paho *self = context;
    self->code = data->code;
    sem_post(&self->changed);
}

static void on_written(void *context, MQTTAsync_successData *data) {
    (void)data;
    paho *self = context;
    sem_post(&self->room);
}

paho *paho_open(uint16_t port, unsigned window, size_t wake_bytes) {
    paho *self = bench_allocate(1, sizeof *self);
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    char uri[64];
    snprintf(uri, sizeof uri, "tcp://127.0.0.1:%u", (unsigned)port);
    self->window = window;
    self->wake_bytes = wake_bytes;
    sem_init(&self->room, 0, window);
    sem_init(&self->changed, 0, 0);
    options.MQTTVersion = MQTTVERSION_3_1_1;
    options.cleansession = 1;
    options.onSuccess = on_connected;
    options.onFailure = on_failed;
    options.context = self;
    if (MQTTAsync_create(&self->client, uri, "paho", MQTTCLIENT_PERSISTENCE_NONE, NULL) != MQTTASYNC_SUCCESS ||
        MQTTAsync_connect(self->client, &options) != MQTTASYNC_SUCCESS) {
        bench_fail("paho does not start");
    }
    sem_wait(&self->changed);
    if (self->code != 0) {
        bench_fail("paho cannot connect: %d", self->code);
    }
    return self;
}

void paho_send(paho *self, const char *topic, const void *payload, size_t len) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_written;
    response.context = self;
    sem_wait(&self->room);
    if (MQTTAsync_send(self->client, topic, (int)len, payload, 0, 0, &response) != MQTTASYNC_SUCCESS) {
        bench_fail("paho does not take a message");
    }
    self->bytes += len;
    if (self->wake_bytes > 0 && self->bytes >= self->wake_bytes) {
        self->bytes = 0;
        MQTTAsync_unsubscribe(self->client, "/wake", NULL);
    }
}

void paho_close(paho *self) {
    for (unsigned i = 0; i < self->window; i++) {
        sem_wait(&self->room);
    }
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.onSuccess = on_connected;
    options.onFailure = on_failed;
    options.context = self;
    MQTTAsync_disconnect(self->client, &options);
    sem_wait(&self->changed);
    MQTTAsync_destroy(&self->client);
    sem_destroy(&self->room);
    sem_destroy(&self->changed);
    free(self);
}
