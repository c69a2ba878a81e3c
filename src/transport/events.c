/*
 * Decides what paho's callbacks mean as events of a link, in both versions of MQTT, and what is refused of that which a
 * server sends. When the requests are made, and how a link ends, is left to link.c, their answers to answers.c.
 */
#include "transport/events.h"

#include <stdio.h>
#include <string.h>

#include "transport/reason.h"
#include "transport/secret.h"

void spb_events__report(spb_link *link, spb_transport_event event) {
    bool is_last = event.kind == SPB_TRANSPORT_CONNECT_FAILED || event.kind == SPB_TRANSPORT_LOST ||
                   event.kind == SPB_TRANSPORT_DISCONNECTED;
    pthread_mutex_lock(&link->lock);
    bool was_silent = link->is_silent;
    if (is_last) {
        link->is_silent = true;
        link->has_ended = true;
        link->has_left = event.kind == SPB_TRANSPORT_DISCONNECTED;
        pthread_cond_signal(&link->changed);
    }
    pthread_mutex_unlock(&link->lock);
    if (!was_silent && link->listener.call) {
        event.link = link->request.link;
        link->listener.call(link->listener.context, &event);
    }
}

/* Ends the link because of what the server has sent, or is: nothing more of it is reported or read. */
static void refuse_server_as(spb_link *link, spb_status status, const char *text) {
    pthread_mutex_lock(&link->lock);
    if (link->refusal[0] == '\0') {
        snprintf(link->refusal, sizeof link->refusal, "%s", text);
    }
    pthread_mutex_unlock(&link->lock);
    spb_events__report(
        link, (spb_transport_event){.kind = link->is_connected ? SPB_TRANSPORT_LOST : SPB_TRANSPORT_CONNECT_FAILED,
                                    .status = status,
                                    .reason = text});
    spb_guard__cut(&link->guard);
}

static void refuse_server(spb_link *link, const char *text) {
    refuse_server_as(link, SPB_ERR_LIMIT, text);
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
    spb_events__report(link, (spb_transport_event){.kind = SPB_TRANSPORT_WARNING, .reason = text});
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
        spb_events__report(link, (spb_transport_event){.kind = SPB_TRANSPORT_WARNING, .reason = text});
    }
}

/* It cannot be: see tls.c. Nothing more is said to a server whose name nobody has compared. */
static bool is_unchecked(spb_link *link) {
    return link->address.has_tls && !link->settings->insecure_skip_verify && !spb_tls__is_checked(&link->tls_peer);
}

static void report_connected(spb_link *link, spb_transport_event event) {
    spb_guard__count_packet(&link->guard);
    if (is_unchecked(link)) {
        refuse_server_as(link, SPB_ERR_TLS, "the certificate of the server was not checked");
        return;
    }
    spb_tls__forget(&link->tls_peer);
    link->is_connected = true;
    spb_guard__note_answer(&link->guard);
    warn(link);
    warn_of_files(link);
    event.kind = SPB_TRANSPORT_CONNECTED;
    spb_events__report(link, event);
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

/* By what paho says of the stage: CONNECT is written behind it. */
static bool is_before_connect(const char *message) {
    return message && strstr(message, "TCP/TLS connect failure");
}

/* `code` is that of CONNACK, or negative. paho names the stage in `message`, and keeps to itself what the system said.
 */
static spb_status explain_failure(spb_link *link, int code, const char *message, char *text, size_t capacity) {
    const char *server = link->address.host_port;
    message = message ? message : "";
    spb_tls_end end = spb_tls__take_end();
    if (code > 0) {
        return spb_reason__connack(code, link->settings->version, server, text, capacity);
    }
    if (strstr(message, "timeout")) {
        snprintf(text, capacity, "no answer from %s within %lu ms", server, (unsigned long)link->request.timeout_ms);
        return SPB_ERR_TIMEOUT;
    }
    if (link->address.is_websocket && strstr(message, "socket error")) {
        snprintf(text, capacity, "%.400s does not accept the WebSocket", link->address.uri);
        return SPB_ERR_CONNECT;
    }
    spb_status status = SPB_OK;
    if (link->address.has_tls) {
        status = spb_tls__explain(&link->tls_log, &end, is_before_connect(message), link->settings, &link->address,
                                  text, capacity);
    }
    if (status == SPB_OK && strstr(message, "completion")) {
        snprintf(text, capacity, "%s closed the connection instead of answering CONNECT%s", server,
                 link->address.has_tls ? "" : " (does it expect TLS on this port?)");
    } else if (status == SPB_OK) {
        bool is_named = link->place_text[0] != '\0';
        snprintf(text, capacity, "cannot connect to %s%s%s: refused or unreachable", server, is_named ? " at " : "",
                 link->place_text);
    }
    return status == SPB_OK ? SPB_ERR_CONNECT : status;
}

static void report_failure(spb_link *link, int code, const char *message) {
    char text[512];
    spb_tls__forget(&link->tls_peer);
    if (spb_events__explain_end(link, text, sizeof text)) {
        refuse_server(link, text);
        return;
    }
    spb_status status = explain_failure(link, code, message, text, sizeof text);
    spb_events__report(link, (spb_transport_event){.kind = SPB_TRANSPORT_CONNECT_FAILED,
                                                   .status = status,
                                                   .reason = text,
                                                   .is_unsent = is_before_connect(message)});
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
    spb_events__report(link,
                       (spb_transport_event){.kind = SPB_TRANSPORT_LOST, .status = SPB_ERR_CONNECT, .reason = text});
}

void spb_events__append_words(char *text, size_t capacity, MQTTProperties *properties) {
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
    if ((int)code >= SPB_REFUSED_FROM) {
        reason = spb_reason__find((int)code);
    }
    char text[512];
    snprintf(text, sizeof text, "%s has ended the connection: %s (0x%02X)", link->address.host_port, reason.words,
             (unsigned)code);
    spb_events__append_words(text, sizeof text, properties);
    spb_events__report(link,
                       (spb_transport_event){.kind = SPB_TRANSPORT_LOST, .status = reason.status, .reason = text});
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
    } else if (event.qos >= SPB_QOS_MAX) {
        spb_events__on_qos_2(link);
    } else if (!link->is_connected) {
        refuse_message(link, "before it accepted the connection");
    } else {
        spb_events__report(link, event);
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1; /* taken; 0 would deliver it again, out of order */
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
                                   .context = link};
}
