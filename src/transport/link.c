/*
 * Decides how one link begins and ends, and hands its requests to paho. What paho's callbacks mean is left to events.c,
 * which link is the present one to mqtt.c.
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
#include "transport/events.h"
#include "transport/link_state.h"
#include "transport/settings.h"
#include "transport/signals.h"

#define MQTT_MAX_REMAINING_LENGTH 268435455u
/* No level of a Sparkplug topic is empty, so this one is never subscribed: who asks for that changes nothing. */
#define IDLE_FILTER "/fence"
#define PACKET_SLACK 65536   /* small packets of which nothing is heard, as answers to PINGREQ */
#define PAHO_NO_MEMORY (-99) /* PAHO_MEMORY_ERROR of its sources; its public headers do not name it */

uint32_t spb_link__number(const spb_link *link) {
    return link->number;
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

/* A request may notice the end of the connection before its reason is reported. */
static spb_status request_failed(spb_link *link, spb_error *err, const char *what, int code) {
    char text[512];
    if (code == MQTTASYNC_DISCONNECTED && spb_events__explain_end(link, text, sizeof text)) {
        return spb_error__set(err, SPB_ERR_LIMIT, "%s", text);
    }
    return paho_failed(err, what, code);
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

static bool copy_will(spb_link *link, const spb_transport_message *will) {
    if (!will->topic) {
        return true;
    }
    link->will_topic = strdup(will->topic);
    link->will_payload = malloc(will->payload.len + 1); /* an empty one, too, has a place */
    if (!link->will_topic || !link->will_payload) {
        return false;
    }
    if (will->payload.len > 0) {
        memcpy(link->will_payload, will->payload.data, will->payload.len);
    }
    link->will_len = will->payload.len;
    return true;
}

static void free_copies(spb_link *link) {
    free(link->client_id);
    free(link->will_topic);
    free(link->will_payload);
}

static spb_status new_link(spb_link **out, const spb_transport_connect *request, spb_error *err) {
    spb_link *link = calloc(1, sizeof *link);
    if (link) {
        link->client_id = strdup(request->client_id);
    }
    if (!link || !link->client_id || !copy_will(link, &request->will) || !init_lock(link)) {
        if (link) {
            free_copies(link);
        }
        free(link);
        return spb_error__no_memory(err, "a connection");
    }
    link->number = request->link;
    link->timeout_ms = request->timeout_ms;
    for (int form = 0; form < SPB_FENCE_FORMS; form++) {
        link->fences[form] = (spb_fence_asked){.link = link, .form = (spb_fence_form)form};
    }
    *out = link;
    return SPB_OK;
}

/* How many bytes may come for one packet. TLS and WebSocket have overhead of their own, which in small pieces may be as
 * much as what they carry. */
static uint64_t packet_limit(const spb_link *link) {
    uint64_t limit = link->settings->max_packet_bytes;
    return (link->address.has_tls || link->address.is_websocket ? 2 * limit : limit) + PACKET_SLACK;
}

static spb_status start(spb_link *link, const spb_transport_connect *request, const char *password, spb_error *err) {
    const spb_connect_callbacks callbacks = spb_events__of_connect(link);
    spb_persistence__init(&link->persistence, spb_events__on_qos_2, link);
    int code = spb_connect__create(&link->client, &link->address, request->client_id, link->settings->version,
                                   &link->persistence);
    if (code == MQTTASYNC_SUCCESS) {
        code = spb_events__listen(link);
    }
    if (code == MQTTASYNC_SUCCESS) {
        spb_status status = spb_guard__start(&link->guard, link->client_id, packet_limit(link), err);
        if (status != SPB_OK) {
            return status;
        }
        spb_tls__expect(&link->tls_peer, link->settings, &link->address);
        code = spb_connect__start(link->client, &link->address, request, link->settings, password, &callbacks);
    }
    return code == MQTTASYNC_SUCCESS ? SPB_OK : paho_failed(err, "connect", code);
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
        status = spb_address__check(&address, settings->allow_unsafe_websocket, err);
    }
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
        status = start(link, request, password, err);
        if (status != SPB_OK) {
            spb_link__free(link);
            link = NULL;
        }
    }
    OPENSSL_cleanse(buffer, sizeof buffer);
    *out = link;
    return status;
}

static void free_request(spb_subscribe_request *request) {
    for (size_t i = 0; request && i < request->count; i++) {
        free(request->items[i].filter);
    }
    free(request);
}

static spb_subscribe_request *new_request(spb_link *link, const spb_subscription *items, size_t count) {
    spb_subscribe_request *request = calloc(1, sizeof *request + count * sizeof *request->items);
    if (!request) {
        return NULL;
    }
    request->link = link;
    request->unanswered_count = count;
    for (; request->count < count; request->count++) {
        spb_subscribe_item *item = &request->items[request->count];
        item->request = request;
        item->filter = strdup(items[request->count].filter);
        if (!item->filter) {
            free_request(request);
            return NULL;
        }
    }
    return request;
}

/* The answers to what has been sent already are of no interest. */
static void give_up_request(spb_subscribe_request *request) {
    pthread_mutex_lock(&request->link->lock);
    request->is_refused = true;
    pthread_mutex_unlock(&request->link->lock);
}

/* Each filter has a packet of its own: paho does not tell how many codes a SUBACK of MQTT 3.1.1 has, so that the answer
 * to several filters cannot be read safely. */
spb_status spb_link__subscribe(spb_link *link, const spb_subscription *items, size_t count, spb_error *err) {
    spb_subscribe_request *request = new_request(link, items, count);
    if (!request) {
        return spb_error__no_memory(err, "a subscription");
    }
    request->next = link->requests;
    link->requests = request;
    for (size_t i = 0; i < count; i++) {
        MQTTAsync_responseOptions response = spb_events__of_subscribe(&request->items[i]);
        int code = MQTTAsync_subscribe(link->client, request->items[i].filter, items[i].qos, &response);
        if (code != MQTTASYNC_SUCCESS) {
            give_up_request(request);
            return request_failed(link, err, "subscribe", code);
        }
    }
    return SPB_OK;
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
    MQTTAsync_responseOptions response = spb_events__of_publish(link, message->qos);
    count_publish(link, true);
    int code = MQTTAsync_send(link->client, message->topic, (int)message->payload.len, message->payload.data,
                              message->qos, message->retain, &response);
    if (code != MQTTASYNC_SUCCESS) {
        count_publish(link, false);
        return request_failed(link, err, "publish", code);
    }
    return SPB_OK;
}

/* A server handles the packets of a connection in order. */
spb_status spb_link__fence(spb_link *link, spb_fence_form form, const spb_subscription *item, spb_error *err) {
    int code = MQTTASYNC_SUCCESS;
    if (form != SPB_FENCE_FORM_UNSUBSCRIBE) {
        MQTTAsync_responseOptions response = spb_events__of_fence_subscribed(&link->fences[form]);
        code = MQTTAsync_subscribe(link->client, item->filter, item->qos, &response);
    }
    if (code == MQTTASYNC_SUCCESS && form != SPB_FENCE_FORM_SUBSCRIBE) {
        MQTTAsync_responseOptions response = spb_events__of_fence_unsubscribed(&link->fences[form]);
        code = MQTTAsync_unsubscribe(link->client, item->filter, &response);
    }
    return code == MQTTASYNC_SUCCESS ? SPB_OK : request_failed(link, err, "fence", code);
}

/* ---- the way out ---- */

/* paho closes the socket when DISCONNECT's turn comes, also when the publish before it is written only by half. So its
 * turn comes when all of them are reported. */
void spb_link__disconnect(spb_link *link) {
    pthread_mutex_lock(&link->lock);
    link->disconnect_wanted = true;
    bool disconnect_now = link->unanswered_count == 0;
    pthread_mutex_unlock(&link->lock);
    if (disconnect_now) {
        spb_events__disconnect(link);
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
 * out: in MQTT 5 a DISCONNECT that says so; in MQTT 3.1.1 the will itself, as a message
 * (tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311). When it cannot be written, the link is stuck in
 * the middle of a message, and paho closes it without DISCONNECT. The short waits: paho's send thread may miss a
 * wake-up; the next command is another one.
 *
 * What is queued is written before it, which also spares a leak: paho 1.3.12 loses the memory of publishes that are
 * still queued when a client is destroyed. On a stuck or lost link that remains, and is bounded by what the caller
 * keeps in flight.
 */
static void let_the_will_out(spb_link *link) {
    int code = spb_events__break(link);
    for (int tries = 0; tries < 5 && code == MQTTASYNC_SUCCESS && !wait_until_broken(link, 50); tries++) {
        MQTTAsync_responseOptions response = spb_events__of_fence_unsubscribed(&link->fences[0]);
        code = MQTTAsync_unsubscribe(link->client, IDLE_FILTER, &response);
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
    spb_guard__stop(&link->guard);
    spb_tls__forget(&link->tls_peer);
    while (link->requests) {
        spb_subscribe_request *request = link->requests;
        link->requests = request->next;
        free_request(request);
    }
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->lock);
    free_copies(link);
    free(link);
}
