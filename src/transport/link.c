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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <MQTTAsync.h>
#include <openssl/crypto.h>

#include "base/error.h"
#include "transport/connect.h"
#include "transport/reason.h"
#include "transport/settings.h"
#include "transport/signals.h"

#define MQTT_MAX_REMAINING_LENGTH 268435455u
#define REFUSED_FROM 0x80    /* SUBACK, and all reason codes of MQTT 5 */
#define PAHO_NO_MEMORY (-99) /* PAHO_MEMORY_ERROR of its sources; its public headers do not name it */

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
    const spb_mqtt_options *settings;
    spb_tls_log tls_log; /* of paho's threads, one after the other */
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

/* 0 when the property is missing. */
static uint32_t number_of(MQTTProperties *properties, enum MQTTPropertyCodes identifier) {
    bool is_there = MQTTProperties_hasProperty(properties, identifier);
    return is_there ? (uint32_t)MQTTProperties_getNumericValue(properties, identifier) : 0;
}

static void on_connected5(void *context, MQTTAsync_successData5 *data) {
    MQTTProperties *properties = &data->properties;
    report(context, (spb_transport_event){
                        .kind = SPB_TRANSPORT_CONNECTED,
                        .max_packet_bytes = number_of(properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE),
                        .receive_maximum = (uint16_t)number_of(properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM),
                        .keep_alive_s = (uint16_t)number_of(properties, MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE),
                    });
}

/* `code` is that of CONNACK, or negative. paho names the stage in `message`, and keeps to itself what the system said.
 */
static spb_status explain_failure(spb_link *link, int code, const char *message, char *text, size_t capacity) {
    const char *server = link->address.host_port;
    message = message ? message : "";
    bool is_before_connect = strstr(message, "TCP/TLS connect failure") != NULL;
    spb_tls_end end = spb_tls__take_end();
    if (code > 0) {
        return spb_reason__connack(code, link->settings->version, server, text, capacity);
    }
    if (strstr(message, "timeout")) {
        snprintf(text, capacity, "no answer from %s within %lu ms", server, (unsigned long)link->timeout_ms);
        return SPB_ERR_TIMEOUT;
    }
    if (link->address.is_websocket && strstr(message, "socket error")) {
        snprintf(text, capacity, "%.400s does not accept the WebSocket", link->address.uri);
        return SPB_ERR_CONNECT;
    }
    spb_status status = SPB_OK;
    if (link->address.has_tls) {
        status =
            spb_tls__explain(&link->tls_log, &end, is_before_connect, link->settings, &link->address, text, capacity);
    }
    if (status == SPB_OK && strstr(message, "completion")) {
        snprintf(text, capacity, "%s closed the connection instead of answering CONNECT%s", server,
                 link->address.has_tls ? "" : " (does it expect TLS on this port?)");
    } else if (status == SPB_OK) {
        snprintf(text, capacity, "cannot connect to %s: %s", server,
                 link->address.is_numeric ? "refused or unreachable" : "name unknown, refused or unreachable");
    }
    return status == SPB_OK ? SPB_ERR_CONNECT : status;
}

static void report_failure(spb_link *link, int code, const char *message) {
    char text[512];
    spb_status status = explain_failure(link, code, message, text, sizeof text);
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_CONNECT_FAILED, .status = status, .reason = text});
}

static void on_connect_failed(void *context, MQTTAsync_failureData *data) {
    report_failure(context, data->code, data->message);
}

static void on_connect_failed5(void *context, MQTTAsync_failureData5 *data) {
    report_failure(context, data->code, data->message);
}

static void on_lost(void *context, char *cause) {
    spb_link *link = context;
    spb_tls__take_end();
    char text[512];
    snprintf(text, sizeof text, "the connection to %s was lost%s%s", link->address.host_port, cause ? ": " : "",
             cause ? cause : "");
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_LOST, .status = SPB_ERR_CONNECT, .reason = text});
}

/* ": " and what the server says in its own words, or nothing. */
static void append_reason_string(char *text, size_t capacity, MQTTProperties *properties) {
    MQTTProperty *found = MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_REASON_STRING);
    size_t used = strlen(text);
    if (found && found->value.data.len > 0) {
        snprintf(text + used, capacity - used, ": %.*s", found->value.data.len, found->value.data.data);
    }
}

/* MQTT 5: the server says why it goes. paho does not call on_lost then. */
static void on_server_disconnect(void *context, MQTTProperties *properties, enum MQTTReasonCodes code) {
    spb_link *link = context;
    spb_reason reason = {SPB_ERR_CONNECT, "without a reason"};
    if ((int)code >= REFUSED_FROM) {
        reason = spb_reason__find((int)code);
    }
    char text[512];
    snprintf(text, sizeof text, "%s has ended the connection: %s (0x%02X)", link->address.host_port, reason.words,
             (unsigned)code);
    append_reason_string(text, sizeof text, properties);
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_LOST, .status = reason.status, .reason = text});
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

/* `code` is that of SUBACK; `properties` are NULL before MQTT 5. */
static void refuse_subscription(subscribe_request *request, size_t index, int code, MQTTProperties *properties) {
    spb_link *link = request->link;
    char text[512];
    snprintf(text, sizeof text, "%.60s refuses the subscription to %.150s", link->address.host_port,
             request->filters[index]);
    if (properties) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, ": %s (0x%02X)", spb_reason__find(code).words, (unsigned)code);
        append_reason_string(text, sizeof text, properties);
    }
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED, .status = SPB_ERR_REFUSED, .reason = text});
}

static void on_subscribed(void *context, MQTTAsync_successData *data) {
    subscribe_request *request = context;
    for (size_t i = 0; request->count > 1 && i < request->count; i++) {
        if (data->alt.qosList && data->alt.qosList[i] == REFUSED_FROM) {
            refuse_subscription(request, i, REFUSED_FROM, NULL);
            return;
        }
    }
    report(request->link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED});
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data) {
    subscribe_request *request = context;
    for (size_t i = 0; request->count > 1 && i < request->count && i < (size_t)data->alt.sub.reasonCodeCount; i++) {
        int code = data->alt.sub.reasonCodes ? (int)data->alt.sub.reasonCodes[i] : 0;
        if (code >= REFUSED_FROM) {
            refuse_subscription(request, i, code, &data->properties);
            return;
        }
    }
    report(request->link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED});
}

/* Any other failure is the loss of the connection, which is reported by itself. */
static void on_subscribe_failed(void *context, MQTTAsync_failureData *data) {
    if (data->code == REFUSED_FROM) {
        refuse_subscription(context, 0, data->code, NULL);
    }
}

static void on_subscribe_failed5(void *context, MQTTAsync_failureData5 *data) {
    if ((int)data->reasonCode >= REFUSED_FROM) {
        refuse_subscription(context, 0, (int)data->reasonCode, &data->properties);
    }
}

/* Called without the lock: paho allows MQTTAsync_disconnect inside its callbacks; it only appends to a queue. */
static void send_disconnect(spb_link *link);

static void report_published(spb_link *link, spb_status status, const char *reason) {
    pthread_mutex_lock(&link->lock);
    bool disconnect_now = --link->unanswered_count == 0 && link->disconnect_wanted;
    pthread_mutex_unlock(&link->lock);
    report(link,
           (spb_transport_event){.kind = SPB_TRANSPORT_PUBLISHED, .count = 1, .status = status, .reason = reason});
    if (disconnect_now) {
        send_disconnect(link);
    }
}

static void on_published(void *context, MQTTAsync_successData *data) {
    (void)data;
    report_published(context, SPB_OK, NULL);
}

static void on_published5(void *context, MQTTAsync_successData5 *data) {
    (void)data;
    report_published(context, SPB_OK, NULL);
}

/* A PUBACK that says no is an answer, too. Any other failure is the loss of the connection. */
static void on_publish_failed5(void *context, MQTTAsync_failureData5 *data) {
    spb_link *link = context;
    if ((int)data->reasonCode >= REFUSED_FROM) {
        char text[512];
        snprintf(text, sizeof text, "%s refuses a message: %s (0x%02X)", link->address.host_port,
                 spb_reason__find((int)data->reasonCode).words, (unsigned)data->reasonCode);
        append_reason_string(text, sizeof text, &data->properties);
        report_published(link, SPB_ERR_REFUSED, text);
    }
}

static void on_fenced(void *context, MQTTAsync_successData *data) {
    (void)data;
    report(context, (spb_transport_event){.kind = SPB_TRANSPORT_FENCED});
}

/* Also with reason 0x11, that there was no such subscription. */
static void on_fenced5(void *context, MQTTAsync_successData5 *data) {
    (void)data;
    report(context, (spb_transport_event){.kind = SPB_TRANSPORT_FENCED});
}

static void on_disconnected(void *context, MQTTAsync_successData *data) {
    (void)data;
    spb_tls__take_end();
    report(context, (spb_transport_event){.kind = SPB_TRANSPORT_DISCONNECTED});
}

static void on_disconnected5(void *context, MQTTAsync_successData5 *data) {
    (void)data;
    on_disconnected(context, NULL);
}

static void on_broken(void *context, MQTTAsync_successData *data) {
    (void)data;
    spb_link *link = context;
    pthread_mutex_lock(&link->lock);
    link->is_broken = true;
    pthread_cond_signal(&link->changed);
    pthread_mutex_unlock(&link->lock);
}

static void on_broken5(void *context, MQTTAsync_successData5 *data) {
    (void)data;
    on_broken(context, NULL);
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

/* paho reads these variables itself, also empty ones, and offers no way to say no: MQTT would go to the web proxy, with
 * the proxy's password. */
static spb_status check_environment(const spb_address *address, spb_error *err) {
    const char *variable = address->has_tls ? "https_proxy" : "http_proxy";
    if (getenv(variable)) {
        return spb_error__set(err, SPB_ERR_ARGUMENT,
                              "the environment variable %s is set and would divert MQTT to a web proxy: unset it for "
                              "this program",
                              variable);
    }
    return SPB_OK;
}

static spb_status new_link(spb_link **out, const spb_transport_connect *request, spb_error *err) {
    spb_link *link = calloc(1, sizeof *link);
    *out = link;
    if (!link || !init_lock(link)) {
        free(link);
        return spb_error__no_memory(err, "a connection");
    }
    link->number = request->link;
    link->timeout_ms = request->timeout_ms;
    return SPB_OK;
}

static int start(spb_link *link, const spb_transport_connect *request, const char *password) {
    const spb_connect_callbacks callbacks = {.on_success = on_connected,
                                             .on_failure = on_connect_failed,
                                             .on_success5 = on_connected5,
                                             .on_failure5 = on_connect_failed5,
                                             .context = link,
                                             .tls_log = &link->tls_log};
    int code = spb_connect__create(&link->client, &link->address, request->client_id, link->settings->version);
    if (code == MQTTASYNC_SUCCESS) {
        code = MQTTAsync_setCallbacks(link->client, link, on_lost, on_message, NULL);
    }
    if (code == MQTTASYNC_SUCCESS) {
        code = MQTTAsync_setDisconnected(link->client, link, on_server_disconnect);
    }
    if (code == MQTTASYNC_SUCCESS) {
        code = spb_connect__start(link->client, &link->address, request, link->settings, password, &callbacks);
    }
    return code;
}

spb_status spb_link__open(spb_link **out, const spb_transport_connect *request, const spb_mqtt_options *settings,
                          spb_link_listener listener, spb_error *err) {
    *out = NULL;
    spb_address address;
    char buffer[SPB_PASSWORD_MAX];
    const char *password;
    spb_link *link = NULL;
    spb_status status = spb_address__parse(&address, request->server, err);
    if (status == SPB_OK) {
        status = check_environment(&address, err);
    }
    if (status == SPB_OK) {
        status = spb_settings__password(settings, buffer, &password, err);
    }
    if (status == SPB_OK) {
        status = new_link(&link, request, err);
    }
    if (status == SPB_OK) {
        link->address = address;
        link->settings = settings;
        link->listener = listener;
        int code = start(link, request, password);
        if (code != MQTTASYNC_SUCCESS) {
            status = paho_failed(err, "connect", code);
            spb_link__free(link);
            link = NULL;
        }
    }
    OPENSSL_cleanse(buffer, sizeof buffer);
    *out = link;
    return status;
}

static void free_request(subscribe_request *request) {
    for (size_t i = 0; request && i < request->count; i++) {
        free(request->filters[i]);
    }
    free(request);
}

static bool is_mqtt_5(const spb_link *link) {
    return link->settings->version == SPB_MQTT_5;
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
    response.context = request;
    if (is_mqtt_5(link)) {
        response.onSuccess5 = on_subscribed5;
        response.onFailure5 = on_subscribe_failed5;
    } else {
        response.onSuccess = on_subscribed;
        response.onFailure = on_subscribe_failed;
    }
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
    response.context = link;
    if (is_mqtt_5(link)) {
        response.onSuccess5 = on_published5;
        response.onFailure5 = on_publish_failed5;
    } else {
        response.onSuccess = on_published; /* no onFailure: a failure is followed by the loss of the connection */
    }
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
    response.context = link;
    if (is_mqtt_5(link)) { /* no function for a failure: it is followed by the loss of the connection */
        response.onSuccess5 = on_fenced5;
    } else {
        response.onSuccess = on_fenced;
    }
    int code = MQTTAsync_unsubscribe(link->client, "/fence", &response);
    return code == MQTTASYNC_SUCCESS ? SPB_OK : paho_failed(err, "fence", code);
}

/* ---- the way out ---- */

/* tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50: the will of MQTT 5 is published all the same. */
static int disconnect5(spb_link *link, MQTTAsync_onSuccess5 *on_success) {
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
    options.reasonCode = MQTTREASONCODE_DISCONNECT_WITH_WILL_MESSAGE;
    options.onSuccess5 = on_success;
    options.context = link;
    return MQTTAsync_disconnect(link->client, &options);
}

static void send_disconnect(spb_link *link) {
    if (is_mqtt_5(link)) {
        disconnect5(link, on_disconnected5);
        return;
    }
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
 * throws the will away (MQTT-3.14.4-3). So something stands before that DISCONNECT in the stream that lets the will
 * out: in MQTT 5 a DISCONNECT that says so; in MQTT 3.1.1 a PUBLISH to a wildcard, which makes the server close the
 * connection itself (MQTT 3.1.2.5, MQTT-3.3.2-2, MQTT-4.8.0-1). When it cannot be written, the link is stuck in the
 * middle of a message, and paho closes it without DISCONNECT. The short waits: paho's send thread may miss a wake-up;
 * the next command is another one.
 *
 * What is queued is written before it, which also spares a leak: paho 1.3.12 loses the memory of publishes that are
 * still queued when a client is destroyed. On a stuck or lost link that remains, and is bounded by what the caller
 * keeps in flight.
 */
static int send_breaker(spb_link *link) {
    if (is_mqtt_5(link)) {
        return disconnect5(link, on_broken5);
    }
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_broken;
    response.context = link;
    return MQTTAsync_send(link->client, "#", 1, "-", 0, 0, &response);
}

static void let_the_will_out(spb_link *link) {
    for (int tries = 0; tries < 5; tries++) {
        if (send_breaker(link) != MQTTASYNC_SUCCESS || wait_until_broken(link, 50)) {
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
        spb_signals__block_pipe(&before);
        let_the_will_out(link);
        MQTTAsync_destroy(&link->client);
        spb_signals__restore(&before);
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
