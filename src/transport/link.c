/*
 * Decides what paho's callbacks mean as events of one link, and how a link ends. Which link is the present one is left
 * to mqtt.c.
 *
 * paho runs every callback under one lock of the process, and MQTTAsync_destroy takes that lock: after its return no
 * callback of that client runs any more, and the link, the context of all of them, can be freed. The lock here guards
 * the few fields that callbacks share with the worker; it is never held while paho or the listener is called.
 */
#include "transport/link.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <MQTTAsync.h>

#include "base/error.h"
#include "transport/address.h"

#define MQTT_MAX_REMAINING_LENGTH 268435455u
#define SUBACK_FAILURE 0x80
#define PAHO_NO_MEMORY (-99) /* PAHO_MEMORY_ERROR of its sources; its public headers do not name it */
#define MAX_IN_FLIGHT 65534  /* QoS 1 and requests; one less than there are packet identifiers */

/* What a SUBSCRIBE asked for; the context of its answer, kept as long as the link. */
typedef struct subscribe_request {
    struct subscribe_request *next;
    spb_link *link;
    size_t count;
    char *filters[];
} subscribe_request;

struct spb_link {
    MQTTAsync client;
    uint32_t number;
    uint32_t timeout_ms;
    spb_address address;
    spb_link_listener listener;
    subscribe_request *requests; /* the worker's alone */

    pthread_mutex_t lock;
    pthread_cond_t changed;  /* is_broken or has_ended */
    bool is_silent;          /* nothing is reported any more */
    bool has_ended;          /* the connection is gone */
    bool is_broken;          /* what makes the server close the connection is written */
    bool disconnect_wanted;  /* DISCONNECT follows when unanswered_count has come down to 0 */
    size_t unanswered_count; /* publishes taken and not yet reported */
};

uint32_t spb_link__number(const spb_link *link) {
    return link->number;
}

/* ---- events ---- */

static void report(spb_link *link, spb_transport_event event) {
    bool is_last = event.kind == SPB_TRANSPORT_CONNECT_FAILED || event.kind == SPB_TRANSPORT_LOST ||
                   event.kind == SPB_TRANSPORT_DISCONNECTED;
    pthread_mutex_lock(&link->lock);
    bool was_silent = link->is_silent;
    if (is_last) {
        link->is_silent = true;
        link->has_ended = true;
        pthread_cond_signal(&link->changed);
    }
    pthread_mutex_unlock(&link->lock);
    if (!was_silent && link->listener.call) {
        event.link = link->number;
        link->listener.call(link->listener.context, &event);
    }
}

static void on_connected(void *context, MQTTAsync_successData *data) {
    (void)data;
    report(context, (spb_transport_event){.kind = SPB_TRANSPORT_CONNECTED});
}

/* The return codes of CONNACK (MQTT 3.1.1, table 3.1). */
static spb_status explain_connack(int code, char *text, size_t capacity, const char *server) {
    static const struct {
        spb_status status;
        const char *words;
    } codes[] = {{SPB_OK, ""},
                 {SPB_ERR_REFUSED, "does not speak MQTT 3.1.1"},
                 {SPB_ERR_AUTH, "does not accept the client identifier"},
                 {SPB_ERR_REFUSED, "says that its MQTT service is unavailable"},
                 {SPB_ERR_AUTH, "does not accept user name and password"},
                 {SPB_ERR_AUTH, "does not authorise this client to connect"}};
    if (code >= (int)(sizeof codes / sizeof *codes)) {
        snprintf(text, capacity, "%s refuses the connection with return code %d", server, code);
        return SPB_ERR_REFUSED;
    }
    snprintf(text, capacity, "%s %s", server, codes[code].words);
    return codes[code].status;
}

static void on_connect_failed(void *context, MQTTAsync_failureData *data) {
    spb_link *link = context;
    const char *server = link->address.host_port;
    const char *why = data->message;
    char text[512];
    spb_status status = SPB_ERR_CONNECT;
    if (data->code > 0) {
        status = explain_connack(data->code, text, sizeof text, server);
    } else if (why && strstr(why, "timeout")) {
        status = SPB_ERR_TIMEOUT;
        snprintf(text, sizeof text, "no answer from %s within %lu ms", server, (unsigned long)link->timeout_ms);
    } else if (why && strstr(why, "completion")) {
        snprintf(text, sizeof text, "%s closed the connection instead of answering CONNECT", server);
    } else { /* paho keeps to itself what the system said */
        snprintf(text, sizeof text, "cannot connect to %s: %s", server,
                 link->address.is_numeric ? "refused or unreachable" : "name unknown, refused or unreachable");
    }
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_CONNECT_FAILED, .status = status, .reason = text});
}

static void on_lost(void *context, char *cause) {
    spb_link *link = context;
    char text[512];
    snprintf(text, sizeof text, "the connection to %s was lost%s%s", link->address.host_port, cause ? ": " : "",
             cause ? cause : "");
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_LOST, .status = SPB_ERR_CONNECT, .reason = text});
}

static int on_message(void *context, char *topic, int topic_len, MQTTAsync_message *message) {
    report(context, (spb_transport_event){
                        .kind = SPB_TRANSPORT_MESSAGE,
                        /* 0 means: no NUL inside */
                        .topic = {.data = topic, .len = topic_len > 0 ? (size_t)topic_len : strlen(topic)},
                        .payload = {.data = message->payload, .len = (size_t)message->payloadlen},
                        .qos = (uint8_t)message->qos,
                        .retained = message->retained != 0,
                    });
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1; /* taken; 0 would deliver it again, out of order */
}

static void refuse_subscription(subscribe_request *request, size_t index) {
    char text[256];
    snprintf(text, sizeof text, "%.60s refuses the subscription to %.150s", request->link->address.host_port,
             request->filters[index]);
    report(request->link,
           (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED, .status = SPB_ERR_REFUSED, .reason = text});
}

static void on_subscribed(void *context, MQTTAsync_successData *data) {
    subscribe_request *request = context;
    for (size_t i = 0; request->count > 1 && i < request->count; i++) {
        if (data->alt.qosList && data->alt.qosList[i] == SUBACK_FAILURE) {
            refuse_subscription(request, i);
            return;
        }
    }
    report(request->link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED});
}

static void on_subscribe_failed(void *context, MQTTAsync_failureData *data) {
    if (data->code == SUBACK_FAILURE) { /* else the connection was lost, which is reported by itself */
        refuse_subscription(context, 0);
    }
}

/* Called without the lock: paho allows MQTTAsync_disconnect inside its callbacks; it only appends to a queue. */
static void send_disconnect(spb_link *link);

static void on_published(void *context, MQTTAsync_successData *data) {
    (void)data;
    spb_link *link = context;
    pthread_mutex_lock(&link->lock);
    bool disconnect_now = --link->unanswered_count == 0 && link->disconnect_wanted;
    pthread_mutex_unlock(&link->lock);
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_PUBLISHED, .count = 1});
    if (disconnect_now) {
        send_disconnect(link);
    }
}

static void on_fenced(void *context, MQTTAsync_successData *data) {
    (void)data;
    report(context, (spb_transport_event){.kind = SPB_TRANSPORT_FENCED});
}

static void on_disconnected(void *context, MQTTAsync_successData *data) {
    (void)data;
    report(context, (spb_transport_event){.kind = SPB_TRANSPORT_DISCONNECTED});
}

static void on_broken(void *context, MQTTAsync_successData *data) {
    (void)data;
    spb_link *link = context;
    pthread_mutex_lock(&link->lock);
    link->is_broken = true;
    pthread_cond_signal(&link->changed);
    pthread_mutex_unlock(&link->lock);
}

/* ---- SIGPIPE ---- */

/*
 * paho writes to sockets that the server may have closed, and ignores SIGPIPE in the whole process for that; whoever
 * sets it back would be killed by it. So it is blocked where paho writes: in its own threads, which inherit the mask of
 * the thread that starts them, and in ours while a client is destroyed.
 */
static void block_sigpipe(sigset_t *before) {
    sigset_t sigpipe;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe, before);
}

static void restore_sigpipe(const sigset_t *before) {
    if (!sigismember(before, SIGPIPE)) { /* one that paho has caused is taken away */
        sigset_t sigpipe;
        sigemptyset(&sigpipe);
        sigaddset(&sigpipe, SIGPIPE);
        sigtimedwait(&sigpipe, NULL, &(struct timespec){0});
    }
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* ---- the way in ---- */

static spb_status paho_failed(spb_error *err, const char *what, int code) {
    spb_status status = SPB_ERR_ARGUMENT;
    if (code == MQTTASYNC_DISCONNECTED) {
        status = SPB_ERR_CONNECT;
    } else if (code == PAHO_NO_MEMORY) {
        status = SPB_ERR_NO_MEMORY;
    }
    const char *words = MQTTAsync_strerror(code);
    return spb_error__set(err, status, "%s: %s", what, words ? words : "MQTT client error");
}

static bool init_lock(spb_link *link) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool is_ready = pthread_cond_init(&link->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return is_ready && pthread_mutex_init(&link->lock, NULL) == 0;
}

static int start_connect(spb_link *link, const spb_transport_connect *request, const spb_mqtt_options *login) {
    MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
    will.topicName = request->will.topic;
    will.qos = request->will.qos;
    will.retained = request->will.retain;
    will.payload.data = request->will.payload.data;
    will.payload.len = (int)request->will.payload.len;

    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    options.MQTTVersion = MQTTVERSION_3_1_1; /* the default would try again with 3.1, and so repeat the will */
    options.cleansession = 1;
    options.automaticReconnect = 0;
    options.maxInflight = MAX_IN_FLIGHT;
    options.keepAliveInterval = (int)request->keep_alive_s;
    options.connectTimeout = (int)(request->timeout_ms / 1000 + (request->timeout_ms % 1000 != 0));
    options.username = login->user;
    options.password = login->password;
    options.will = &will;
    options.onSuccess = on_connected;
    options.onFailure = on_connect_failed;
    options.context = link;
    sigset_t before;
    block_sigpipe(&before);
    int code = MQTTAsync_connect(link->client, &options);
    restore_sigpipe(&before);
    return code;
}

spb_status spb_link__open(spb_link **out, const spb_transport_connect *request, const spb_mqtt_options *login,
                          spb_link_listener listener, spb_error *err) {
    *out = NULL;
    spb_address address;
    spb_status status = spb_address__parse(&address, request->server, err);
    if (status != SPB_OK) {
        return status;
    }
    spb_link *link = calloc(1, sizeof *link);
    if (!link || !init_lock(link)) {
        free(link);
        return spb_error__no_memory(err, "a connection");
    }
    link->number = request->link;
    link->timeout_ms = request->timeout_ms;
    link->address = address;
    link->listener = listener;

    char uri[sizeof address.host_port + sizeof "tcp://"];
    snprintf(uri, sizeof uri, "tcp://%s", address.host_port);
    int code = MQTTAsync_create(&link->client, uri, request->client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL);
    if (code == MQTTASYNC_SUCCESS) {
        code = MQTTAsync_setCallbacks(link->client, link, on_lost, on_message, NULL);
    }
    if (code == MQTTASYNC_SUCCESS) {
        code = start_connect(link, request, login);
    }
    if (code != MQTTASYNC_SUCCESS) {
        spb_link__free(link);
        return paho_failed(err, "connect", code);
    }
    *out = link;
    return SPB_OK;
}

static void free_request(subscribe_request *request) {
    for (size_t i = 0; request && i < request->count; i++) {
        free(request->filters[i]);
    }
    free(request);
}

static subscribe_request *new_request(spb_link *link, const spb_subscription *items, size_t count) {
    subscribe_request *request = calloc(1, sizeof *request + count * sizeof *request->filters);
    if (!request) {
        return NULL;
    }
    request->link = link;
    for (; request->count < count; request->count++) {
        request->filters[request->count] = strdup(items[request->count].filter);
        if (!request->filters[request->count]) {
            free_request(request);
            return NULL;
        }
    }
    return request;
}

spb_status spb_link__subscribe(spb_link *link, const spb_subscription *items, size_t count, spb_error *err) {
    subscribe_request *request = new_request(link, items, count);
    int *qos = calloc(count, sizeof *qos);
    spb_status status = SPB_OK;
    if (!request || !qos) {
        status = spb_error__no_memory(err, "a subscription");
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) {
        qos[i] = items[i].qos;
    }
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_subscribed;
    response.onFailure = on_subscribe_failed;
    response.context = request;
    int code = MQTTAsync_subscribeMany(link->client, (int)count, request->filters, qos, &response);
    if (code != MQTTASYNC_SUCCESS) {
        status = paho_failed(err, "subscribe", code);
        goto cleanup;
    }
    request->next = link->requests;
    link->requests = request;
    request = NULL;

cleanup:
    free(qos);
    free_request(request);
    return status;
}

static void count_publish(spb_link *link, bool taken) {
    pthread_mutex_lock(&link->lock);
    link->unanswered_count += taken ? 1 : (size_t)-1;
    pthread_mutex_unlock(&link->lock);
}

spb_status spb_link__publish(spb_link *link, const spb_transport_message *message, spb_error *err) {
    if (message->payload.len > MQTT_MAX_REMAINING_LENGTH - 4 - strlen(message->topic)) {
        return spb_error__set(err, SPB_ERR_LIMIT, "publish to %.100s: the payload is longer than MQTT allows",
                              message->topic);
    }
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_published; /* no onFailure: a failure is followed by the loss of the connection */
    response.context = link;
    count_publish(link, true);
    int code = MQTTAsync_send(link->client, message->topic, (int)message->payload.len, message->payload.data,
                              message->qos, message->retain, &response);
    if (code != MQTTASYNC_SUCCESS) {
        count_publish(link, false);
        return paho_failed(err, "publish", code);
    }
    return SPB_OK;
}

/* A server handles the packets of a connection in order. No level of a Sparkplug topic is empty, so this filter is
 * never subscribed. */
spb_status spb_link__fence(spb_link *link, spb_error *err) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_fenced; /* no onFailure: a failure is followed by the loss of the connection */
    response.context = link;
    int code = MQTTAsync_unsubscribe(link->client, "/fence", &response);
    return code == MQTTASYNC_SUCCESS ? SPB_OK : paho_failed(err, "fence", code);
}

/* ---- the way out ---- */

static void send_disconnect(spb_link *link) {
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.onSuccess = on_disconnected;
    options.context = link;
    MQTTAsync_disconnect(link->client, &options);
}

/* paho closes the socket when DISCONNECT's turn comes, also when the publish before it is written only by half. So its
 * turn comes when all of them are reported. */
void spb_link__disconnect(spb_link *link) {
    pthread_mutex_lock(&link->lock);
    link->disconnect_wanted = true;
    bool disconnect_now = link->unanswered_count == 0;
    pthread_mutex_unlock(&link->lock);
    if (disconnect_now) {
        send_disconnect(link);
    }
}

/* Waits until is_broken or has_ended. */
static bool wait_until_broken(spb_link *link, long timeout_ms) {
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += timeout_ms * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&link->lock);
    int code = 0;
    while (!link->is_broken && !link->has_ended && code == 0) {
        code = pthread_cond_timedwait(&link->changed, &link->lock, &deadline);
    }
    bool is_done = link->is_broken || link->has_ended;
    pthread_mutex_unlock(&link->lock);
    return is_done;
}

/*
 * paho sends DISCONNECT on every connection that it closes and that has nothing half-written, and the server then
 * throws the will away (MQTT-3.14.4-3). So something stands before that DISCONNECT in the stream that makes the server
 * close the connection itself, which publishes the will (MQTT 3.1.2.5): a PUBLISH to a wildcard (MQTT-3.3.2-2,
 * MQTT-4.8.0-1). When it cannot be written, the link is stuck in the middle of a message, and paho closes it without
 * DISCONNECT. The short waits: paho's send thread may miss a wake-up; the next command is another one.
 *
 * What is queued is written before it, which also spares a leak: paho 1.3.12 loses the memory of publishes that are
 * still queued when a client is destroyed. On a stuck or lost link that remains, and is bounded by what the caller
 * keeps in flight.
 */
static void break_protocol(spb_link *link) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_broken;
    response.context = link;
    for (int tries = 0; tries < 5; tries++) {
        if (MQTTAsync_send(link->client, "#", 0, "", 0, 0, &response) != MQTTASYNC_SUCCESS ||
            wait_until_broken(link, 50)) {
            return;
        }
    }
}

void spb_link__free(spb_link *link) {
    if (!link) {
        return;
    }
    pthread_mutex_lock(&link->lock);
    link->is_silent = true;
    link->disconnect_wanted = false;
    pthread_mutex_unlock(&link->lock);
    if (link->client) {
        sigset_t before;
        block_sigpipe(&before);
        break_protocol(link);
        MQTTAsync_destroy(&link->client);
        restore_sigpipe(&before);
    }
    while (link->requests) {
        subscribe_request *request = link->requests;
        link->requests = request->next;
        free_request(request);
    }
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->lock);
    free(link);
}
