/*
 * Decides what paho's callbacks mean as events of a link, in both versions of MQTT. When the requests are made, and how
 * a link ends, is left to link.c.
 */
#include "transport/events.h"

#include <stdio.h>
#include <string.h>

#include "transport/reason.h"
#include "transport/secret.h"

#define REFUSED_FROM 0x80 /* SUBACK, and all reason codes of MQTT 5 */

static bool is_mqtt_5(const spb_link *link) {
    return link->settings->version == SPB_MQTT_5;
}

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

static void warn_of_files(spb_link *link) {
    char text[512];
    for (size_t i = 0; spb_secret__next(link->settings, &i, text, sizeof text);) {
        report(link, (spb_transport_event){.kind = SPB_TRANSPORT_WARNING, .reason = text});
    }
}

static void on_connected(void *context, MQTTAsync_successData *data) {
    (void)data;
    warn_of_files(context);
    report(context, (spb_transport_event){.kind = SPB_TRANSPORT_CONNECTED});
}

/* 0 when the property is missing. */
static uint32_t number_of(MQTTProperties *properties, enum MQTTPropertyCodes identifier) {
    bool is_there = MQTTProperties_hasProperty(properties, identifier);
    return is_there ? (uint32_t)MQTTProperties_getNumericValue(properties, identifier) : 0;
}

static void on_connected5(void *context, MQTTAsync_successData5 *data) {
    MQTTProperties *properties = &data->properties;
    warn_of_files(context);
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
static void refuse_subscription(spb_subscribe_request *request, size_t index, int code, MQTTProperties *properties) {
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
    spb_subscribe_request *request = context;
    for (size_t i = 0; request->count > 1 && i < request->count; i++) {
        if (data->alt.qosList && data->alt.qosList[i] == REFUSED_FROM) {
            refuse_subscription(request, i, REFUSED_FROM, NULL);
            return;
        }
    }
    report(request->link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED});
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data) {
    spb_subscribe_request *request = context;
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

static void report_published(spb_link *link, spb_status status, const char *reason) {
    pthread_mutex_lock(&link->lock);
    bool disconnect_now = --link->unanswered_count == 0 && link->disconnect_wanted;
    pthread_mutex_unlock(&link->lock);
    report(link,
           (spb_transport_event){.kind = SPB_TRANSPORT_PUBLISHED, .count = 1, .status = status, .reason = reason});
    if (disconnect_now) { /* paho allows this inside its callbacks: it only appends to a queue */
        spb_events__disconnect(link);
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

/* ---- what paho is told to call ---- */

int spb_events__listen(spb_link *link) {
    int code = MQTTAsync_setCallbacks(link->client, link, on_lost, on_message, NULL);
    return code == MQTTASYNC_SUCCESS ? MQTTAsync_setDisconnected(link->client, link, on_server_disconnect) : code;
}

spb_connect_callbacks spb_events__of_connect(spb_link *link) {
    return (spb_connect_callbacks){.on_success = on_connected,
                                   .on_failure = on_connect_failed,
                                   .on_success5 = on_connected5,
                                   .on_failure5 = on_connect_failed5,
                                   .context = link,
                                   .tls_log = &link->tls_log};
}

MQTTAsync_responseOptions spb_events__of_subscribe(spb_subscribe_request *request) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = request;
    if (is_mqtt_5(request->link)) {
        response.onSuccess5 = on_subscribed5;
        response.onFailure5 = on_subscribe_failed5;
    } else {
        response.onSuccess = on_subscribed;
        response.onFailure = on_subscribe_failed;
    }
    return response;
}

/* Where there is no function for a failure, it is followed by the loss of the connection. */
MQTTAsync_responseOptions spb_events__of_publish(spb_link *link) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = link;
    if (is_mqtt_5(link)) {
        response.onSuccess5 = on_published5;
        response.onFailure5 = on_publish_failed5;
    } else {
        response.onSuccess = on_published;
    }
    return response;
}

MQTTAsync_responseOptions spb_events__of_fence(spb_link *link) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = link;
    if (is_mqtt_5(link)) {
        response.onSuccess5 = on_fenced5;
    } else {
        response.onSuccess = on_fenced;
    }
    return response;
}

/* ---- ends ---- */

/* tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50: the will of MQTT 5 is published all the same. */
static int disconnect5(spb_link *link, MQTTAsync_onSuccess5 *on_success) {
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;
    options.reasonCode = MQTTREASONCODE_DISCONNECT_WITH_WILL_MESSAGE;
    options.onSuccess5 = on_success;
    options.context = link;
    return MQTTAsync_disconnect(link->client, &options);
}

void spb_events__disconnect(spb_link *link) {
    if (is_mqtt_5(link)) {
        disconnect5(link, on_disconnected5);
        return;
    }
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
    options.onSuccess = on_disconnected;
    options.context = link;
    MQTTAsync_disconnect(link->client, &options);
}

/* See link.c. */
int spb_events__break(spb_link *link) {
    if (is_mqtt_5(link)) {
        return disconnect5(link, on_broken5);
    }
    if (!link->will_topic) {
        return MQTTASYNC_FAILURE;
    }
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_broken;
    response.context = link;
    return MQTTAsync_send(link->client, link->will_topic, (int)link->will_len, link->will_payload, 0, 0, &response);
}
