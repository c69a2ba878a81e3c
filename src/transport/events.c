/*
 * Decides what paho's callbacks mean as events of a link, in both versions of MQTT, and what is refused of that which a
 * server sends. When the requests are made, and how a link ends, is left to link.c.
 *
 * paho calls back for a packet identifier, whatever kind of packet brought it, and fills in what belongs to that kind.
 * So nothing is read from its unions but a number, and no pointer is followed that only some kinds of packets set.
 */
#include "transport/events.h"

#include <stdio.h>
#include <string.h>

#include "transport/reason.h"
#include "transport/secret.h"

#define REFUSED_FROM 0x80 /* SUBACK, and all reason codes of MQTT 5 */
#define QOS_MAX 2
#define NO_CODE (-1)  /* the answer holds none, or several */
#define NO_RETAINED 2 /* MQTT 5, Retain Handling: a subscription brings no retained messages */

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

/* Ends the link because of what the server has sent: nothing more of it is reported or read. */
static void refuse_server(spb_link *link, const char *text) {
    pthread_mutex_lock(&link->lock);
    if (link->refusal[0] == '\0') {
        snprintf(link->refusal, sizeof link->refusal, "%s", text);
    }
    pthread_mutex_unlock(&link->lock);
    report(link, (spb_transport_event){.kind = link->is_connected ? SPB_TRANSPORT_LOST : SPB_TRANSPORT_CONNECT_FAILED,
                                       .status = SPB_ERR_LIMIT,
                                       .reason = text});
    spb_guard__cut(&link->guard);
}

static void explain_size(const spb_link *link, char *text, size_t capacity) {
    snprintf(text, capacity, "%s has sent a packet of more than max_packet_bytes (%lu)", link->address.host_port,
             (unsigned long)link->settings->max_packet_bytes);
}

bool spb_events__explain_end(spb_link *link, char *text, size_t capacity) {
    pthread_mutex_lock(&link->lock);
    snprintf(text, capacity, "%s", link->refusal);
    pthread_mutex_unlock(&link->lock);
    if (text[0] == '\0' && spb_guard__is_over(&link->guard)) {
        explain_size(link, text, capacity);
    }
    return text[0] != '\0';
}

static void refuse_packet(spb_link *link) {
    char text[512];
    explain_size(link, text, sizeof text);
    refuse_server(link, text);
}

/* A message that is refused for what it is. */
static void refuse_message(spb_link *link, const char *words) {
    char text[512];
    snprintf(text, sizeof text, "%s has sent a message %s", link->address.host_port, words);
    refuse_server(link, text);
}

void spb_events__on_qos_2(void *context) {
    refuse_message(context, "with QoS 2, which nobody has subscribed to");
}

/* What makes a connection less safe than its user may believe: a line for each, once a connection. */
static void warn_of(spb_link *link, const char *words) {
    char text[512];
    snprintf(text, sizeof text, "%s: %s", link->address.host_port, words);
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_WARNING, .reason = text});
}

static void warn(spb_link *link) {
    const spb_mqtt_options *settings = link->settings;
    if (link->address.has_tls && settings->insecure_skip_verify) {
        warn_of(link, "neither certificate nor host name of the server are checked (insecure_skip_verify)");
    }
    if (!link->address.has_tls && (settings->password || settings->password_file)) {
        warn_of(link, "the password goes over the network unencrypted, as there is no TLS");
    }
    if (!link->address.has_tls && link->address.is_websocket) {
        warn_of(link, "a WebSocket without TLS lets anyone on the way attack this process (allow_unsafe_websocket)");
    }
}

static void warn_of_files(spb_link *link) {
    char text[512];
    for (size_t i = 0; spb_secret__next(link->settings, &i, text, sizeof text);) {
        report(link, (spb_transport_event){.kind = SPB_TRANSPORT_WARNING, .reason = text});
    }
}

static void report_connected(spb_link *link, spb_transport_event event) {
    spb_guard__count_packet(&link->guard);
    link->is_connected = true;
    warn(link);
    warn_of_files(link);
    event.kind = SPB_TRANSPORT_CONNECTED;
    report(link, event);
}

static void on_connected(void *context, MQTTAsync_successData *data) {
    (void)data;
    report_connected(context, (spb_transport_event){.count = 0});
}

/* 0 when the property is missing. */
static uint32_t number_of(MQTTProperties *properties, enum MQTTPropertyCodes identifier) {
    bool is_there = MQTTProperties_hasProperty(properties, identifier);
    return is_there ? (uint32_t)MQTTProperties_getNumericValue(properties, identifier) : 0;
}

static void on_connected5(void *context, MQTTAsync_successData5 *data) {
    MQTTProperties *properties = &data->properties;
    report_connected(context, (spb_transport_event){
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
    if (spb_events__explain_end(link, text, sizeof text)) {
        refuse_server(link, text);
        return;
    }
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
    if (spb_events__explain_end(link, text, sizeof text)) {
        refuse_server(link, text);
        return;
    }
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
    spb_link *link = context;
    spb_guard__count_packet(&link->guard);
    spb_transport_event event = {
        .kind = SPB_TRANSPORT_MESSAGE,
        /* 0 means: no NUL inside */
        .topic = {.data = topic, .len = topic_len > 0 ? (size_t)topic_len : strlen(topic)},
        .payload = {.data = message->payload, .len = (size_t)message->payloadlen},
        .qos = (uint8_t)message->qos,
        .retained = message->retained != 0,
    };
    if (event.topic.len + event.payload.len > link->settings->max_packet_bytes) {
        refuse_packet(link);
    } else if (event.qos >= QOS_MAX) {
        spb_events__on_qos_2(link);
    } else if (!link->is_connected) {
        refuse_message(link, "before it accepted the connection");
    } else {
        report(link, event);
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1; /* taken; 0 would deliver it again, out of order */
}

/* `code` is that of SUBACK, or NO_CODE; `properties` are NULL before MQTT 5. */
static void refuse_subscription(const spb_subscribe_item *item, int code, MQTTProperties *properties) {
    spb_link *link = item->request->link;
    const char *server = link->address.host_port;
    char text[512];
    if (code < REFUSED_FROM) {
        snprintf(text, sizeof text,
                 "%.60s answers the subscription to %.150s with a SUBACK that has not one code for it", server,
                 item->filter);
    } else {
        snprintf(text, sizeof text, "%.60s refuses the subscription to %.150s", server, item->filter);
    }
    if (properties && code >= REFUSED_FROM) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, ": %s (0x%02X)", spb_reason__find(code).words, (unsigned)code);
        append_reason_string(text, sizeof text, properties);
    }
    report(link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED, .status = SPB_ERR_REFUSED, .reason = text});
}

/* The answer to one filter: the first one that is refused speaks for its request, else the last one. */
static void answer_subscription(const spb_subscribe_item *item, int code, MQTTProperties *properties) {
    spb_subscribe_request *request = item->request;
    spb_link *link = request->link;
    bool is_granted = code >= 0 && code <= QOS_MAX;
    spb_guard__count_packet(&link->guard);
    pthread_mutex_lock(&link->lock);
    bool was_refused = request->is_refused;
    request->is_refused = was_refused || !is_granted;
    bool is_last = request->unanswered_count > 0 && --request->unanswered_count == 0;
    pthread_mutex_unlock(&link->lock);
    if (!was_refused && !is_granted) {
        refuse_subscription(item, code, properties);
    } else if (!was_refused && is_last) {
        report(link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED});
    }
}

/* paho stores a number here when SUBACK has one code, and a pointer when it has several: as a number that is no QoS. */
static void on_subscribed(void *context, MQTTAsync_successData *data) {
    int code = data->alt.qos;
    answer_subscription(context, code >= 0 && code <= QOS_MAX ? code : NO_CODE, NULL);
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data) {
    bool is_single = data->alt.sub.reasonCodeCount == 1; /* then the code stands in reasonCode alone */
    answer_subscription(context, is_single ? (int)data->reasonCode : NO_CODE, &data->properties);
}

/* Any other failure is the loss of the connection, which is reported by itself. */
static void on_subscribe_failed(void *context, MQTTAsync_failureData *data) {
    if (data->code == REFUSED_FROM) {
        answer_subscription(context, data->code, NULL);
    }
}

static void on_subscribe_failed5(void *context, MQTTAsync_failureData5 *data) {
    if ((int)data->reasonCode >= REFUSED_FROM) {
        answer_subscription(context, (int)data->reasonCode, &data->properties);
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

/* QoS 1: a packet of the server tells it, whereas QoS 0 is written and done. */
static void on_acknowledged(void *context, MQTTAsync_successData *data) {
    spb_link *link = context;
    spb_guard__count_packet(&link->guard);
    on_published(link, data);
}

static void on_acknowledged5(void *context, MQTTAsync_successData5 *data) {
    spb_link *link = context;
    spb_guard__count_packet(&link->guard);
    on_published5(link, data);
}

/* A PUBACK that says no is an answer, too. Any other failure is the loss of the connection. */
static void on_publish_failed5(void *context, MQTTAsync_failureData5 *data) {
    spb_link *link = context;
    if ((int)data->reasonCode >= REFUSED_FROM) {
        char text[512];
        spb_guard__count_packet(&link->guard);
        snprintf(text, sizeof text, "%s refuses a message: %s (0x%02X)", link->address.host_port,
                 spb_reason__find((int)data->reasonCode).words, (unsigned)data->reasonCode);
        append_reason_string(text, sizeof text, &data->properties);
        report_published(link, SPB_ERR_REFUSED, text);
    }
}

static void report_fenced(const spb_fence_asked *fence) {
    report(fence->link, (spb_transport_event){.kind = SPB_TRANSPORT_FENCED, .fence = fence->form});
}

static void on_fence_unsubscribed(void *context, MQTTAsync_successData *data) {
    (void)data;
    spb_fence_asked *fence = context;
    spb_guard__count_packet(&fence->link->guard);
    if (fence->refused > 0) { /* the SUBACK has told it */
        fence->refused--;
    } else {
        report_fenced(fence);
    }
}

/* Also with reason 0x11, that there was no such subscription. */
static void on_fence_unsubscribed5(void *context, MQTTAsync_successData5 *data) {
    (void)data;
    on_fence_unsubscribed(context, NULL);
}

static void on_fence_subscribed(void *context, MQTTAsync_successData *data) {
    (void)data;
    spb_fence_asked *fence = context;
    spb_guard__count_packet(&fence->link->guard);
    if (fence->form == SPB_FENCE_FORM_SUBSCRIBE) { /* else the UNSUBACK follows */
        report_fenced(fence);
    }
}

static void on_fence_subscribed5(void *context, MQTTAsync_successData5 *data) {
    (void)data;
    on_fence_subscribed(context, NULL);
}

/* A SUBACK that says no shows as well that all was read; there may be no UNSUBACK for what was not subscribed. */
static void refuse_fence(spb_fence_asked *fence) {
    spb_guard__count_packet(&fence->link->guard);
    fence->refused += fence->form == SPB_FENCE_FORM_BOTH;
    report_fenced(fence);
}

static void on_fence_failed(void *context, MQTTAsync_failureData *data) {
    if (data->code == REFUSED_FROM) {
        refuse_fence(context);
    }
}

static void on_fence_failed5(void *context, MQTTAsync_failureData5 *data) {
    if ((int)data->reasonCode >= REFUSED_FROM) {
        refuse_fence(context);
    }
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

MQTTAsync_responseOptions spb_events__of_subscribe(spb_subscribe_item *item) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = item;
    if (is_mqtt_5(item->request->link)) {
        response.onSuccess5 = on_subscribed5;
        response.onFailure5 = on_subscribe_failed5;
    } else {
        response.onSuccess = on_subscribed;
        response.onFailure = on_subscribe_failed;
    }
    return response;
}

/* Where there is no function for a failure, it is followed by the loss of the connection. */
MQTTAsync_responseOptions spb_events__of_publish(spb_link *link, uint8_t qos) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = link;
    if (is_mqtt_5(link)) {
        response.onSuccess5 = qos > 0 ? on_acknowledged5 : on_published5;
        response.onFailure5 = on_publish_failed5;
    } else {
        response.onSuccess = qos > 0 ? on_acknowledged : on_published;
    }
    return response;
}

MQTTAsync_responseOptions spb_events__of_fence_subscribed(spb_fence_asked *fence) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = fence;
    if (is_mqtt_5(fence->link)) {
        response.onSuccess5 = on_fence_subscribed5;
        response.onFailure5 = on_fence_failed5;
        response.subscribeOptions.retainHandling = NO_RETAINED;
    } else {
        response.onSuccess = on_fence_subscribed;
        response.onFailure = on_fence_failed;
    }
    return response;
}

MQTTAsync_responseOptions spb_events__of_fence_unsubscribed(spb_fence_asked *fence) {
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.context = fence;
    if (is_mqtt_5(fence->link)) {
        response.onSuccess5 = on_fence_unsubscribed5;
    } else {
        response.onSuccess = on_fence_unsubscribed;
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
