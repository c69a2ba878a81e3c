/*
 * Decides what the answers to a link's requests mean, in both versions of MQTT. What comes unasked, and how a
 * connection begins and is lost, is left to events.c.
 *
 * paho calls back for a packet identifier, whatever kind of packet brought it, and fills in what belongs to that kind.
 * So nothing is read from its unions but a number, and no pointer is followed that only some kinds of packets set.
 */
#include <stdio.h>
#include <string.h>

#include "transport/events.h"
#include "transport/reason.h"

#define NO_CODE (-1)  /* the answer holds none, or several */
#define NO_RETAINED 2 /* MQTT 5, Retain Handling: a subscription brings no retained messages */

static bool is_mqtt_5(const spb_link *link) {
    return link->settings->version == SPB_MQTT_5;
}

/* `code` is that of SUBACK, or NO_CODE; `properties` are NULL before MQTT 5. */
static void refuse_subscription(const spb_subscribe_item *item, int code, MQTTProperties *properties) {
    spb_link *link = item->request->link;
    const char *server = link->address.host_port;
    char text[512];
    if (code < SPB_REFUSED_FROM) {
        snprintf(text, sizeof text,
                 "%.60s answers the subscription to %.150s with a SUBACK that has not one code for it", server,
                 item->filter);
    } else {
        snprintf(text, sizeof text, "%.60s refuses the subscription to %.150s", server, item->filter);
    }
    if (properties && code >= SPB_REFUSED_FROM) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, ": %s (0x%02X)", spb_reason__find(code).words, (unsigned)code);
        spb_events__append_words(text, sizeof text, properties);
    }
    spb_events__report(
        link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED, .status = SPB_ERR_REFUSED, .reason = text});
}

/* The answer to one filter: the first one that is refused speaks for its request, else the last one. */
static void answer_subscription(const spb_subscribe_item *item, int code, MQTTProperties *properties) {
    spb_subscribe_request *request = item->request;
    spb_link *link = request->link;
    bool is_granted = code >= 0 && code <= SPB_QOS_MAX;
    spb_guard__count_packet(&link->guard);
    pthread_mutex_lock(&link->lock);
    bool was_refused = request->is_refused;
    request->is_refused = was_refused || !is_granted;
    bool is_last = request->unanswered_count > 0 && --request->unanswered_count == 0;
    pthread_mutex_unlock(&link->lock);
    if (!was_refused && !is_granted) {
        refuse_subscription(item, code, properties);
    } else if (!was_refused && is_last) {
        spb_events__report(link, (spb_transport_event){.kind = SPB_TRANSPORT_SUBSCRIBED});
    }
}

/* paho stores a number here when SUBACK has one code, and a pointer when it has several: as a number that is no QoS. */
static void on_subscribed(void *context, MQTTAsync_successData *data) {
    int code = data->alt.qos;
    answer_subscription(context, code >= 0 && code <= SPB_QOS_MAX ? code : NO_CODE, NULL);
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data) {
    bool is_single = data->alt.sub.reasonCodeCount == 1; /* then the code stands in reasonCode alone */
    answer_subscription(context, is_single ? (int)data->reasonCode : NO_CODE, &data->properties);
}

/* Any other failure is the loss of the connection, which is reported by itself. */
static void on_subscribe_failed(void *context, MQTTAsync_failureData *data) {
    if (data->code == SPB_REFUSED_FROM) {
        answer_subscription(context, data->code, NULL);
    }
}

static void on_subscribe_failed5(void *context, MQTTAsync_failureData5 *data) {
    if ((int)data->reasonCode >= SPB_REFUSED_FROM) {
        answer_subscription(context, (int)data->reasonCode, &data->properties);
    }
}

static void report_published(spb_link *link, spb_status status, const char *reason) {
    pthread_mutex_lock(&link->lock);
    bool disconnect_now = --link->unanswered_count == 0 && link->disconnect_wanted;
    bool release_now = link->held_count > 0 && --link->held_count == 0;
    pthread_mutex_unlock(&link->lock);
    if (release_now) {
        spb_guard__cork(&link->guard, false);
    }
    spb_events__report(
        link, (spb_transport_event){.kind = SPB_TRANSPORT_PUBLISHED, .count = 1, .status = status, .reason = reason});
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
    if ((int)data->reasonCode >= SPB_REFUSED_FROM) {
        char text[512];
        spb_guard__count_packet(&link->guard);
        snprintf(text, sizeof text, "%s refuses a message: %s (0x%02X)", link->address.host_port,
                 spb_reason__find((int)data->reasonCode).words, (unsigned)data->reasonCode);
        spb_events__append_words(text, sizeof text, &data->properties);
        report_published(link, SPB_ERR_REFUSED, text);
    }
}

static void report_fenced(const spb_fence_asked *fence) {
    spb_events__report(fence->link, (spb_transport_event){.kind = SPB_TRANSPORT_FENCED, .fence = fence->form});
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
    if (data->code == SPB_REFUSED_FROM) {
        refuse_fence(context);
    }
}

static void on_fence_failed5(void *context, MQTTAsync_failureData5 *data) {
    if ((int)data->reasonCode >= SPB_REFUSED_FROM) {
        refuse_fence(context);
    }
}

static void on_disconnected(void *context, MQTTAsync_successData *data) {
    (void)data;
    spb_tls__take_end();
    spb_events__report(context, (spb_transport_event){.kind = SPB_TRANSPORT_DISCONNECTED});
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
    const spb_transport_message *will = &link->request.will;
    if (!will->topic) {
        return MQTTASYNC_FAILURE;
    }
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    response.onSuccess = on_broken;
    response.context = link;
    return MQTTAsync_send(link->client, will->topic, (int)will->payload.len, will->payload.data, 0, 0, &response);
}
