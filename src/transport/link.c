/*
 * Decides how one link ends, and hands its requests to paho. How it begins is left to begin.c, what paho's callbacks
 * mean to events.c, which link is the present one to mqtt.c.
 *
 * paho runs every callback under one lock of the process, and MQTTAsync_destroy takes that lock: after its return no
 * callback of that client runs any more, and the link, the context of all of them, can be freed. The lock here guards
 * the few fields that callbacks share with the worker; it is never held while paho or the listener is called.
 */
#include "transport/link.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <MQTTAsync.h>

#include "base/error.h"
#include "transport/begin.h"
#include "transport/events.h"
#include "transport/link_state.h"
#include "transport/reason.h"
#include "transport/signals.h"

#define MQTT_MAX_REMAINING_LENGTH 268435455u
/* No level of a Sparkplug topic is empty, so this one is never subscribed: who asks for that changes nothing. */
#define IDLE_FILTER "/fence"

uint32_t spb_link__number(const spb_link *link) {
    return link->request.link;
}

spb_status spb_link__open(spb_link **out, const spb_transport_connect *request, const spb_mqtt_options *settings,
                          const spb_endpoint *avoid, spb_link_listener listener, spb_error *err) {
    spb_status status = spb_begin__new(out, request, settings, listener, err);
    if (status == SPB_OK) {
        status = spb_begin__start(*out, avoid, err);
        if (status != SPB_OK) {
            spb_link__free(*out, NULL);
            *out = NULL;
        }
    }
    return status;
}

/* ---- requests ---- */

/* NULL until there is an address to connect to. */
static MQTTAsync client_of(spb_link *link) {
    pthread_mutex_lock(&link->lock);
    MQTTAsync client = link->client;
    pthread_mutex_unlock(&link->lock);
    return client;
}

static spb_status not_connected(spb_error *err, const char *what) {
    return spb_reason__paho(err, what, MQTTASYNC_DISCONNECTED);
}

/* A request may notice the end of the connection before its reason is reported. */
static spb_status request_failed(spb_link *link, spb_error *err, const char *what, int code) {
    char text[512];
    if (code == MQTTASYNC_DISCONNECTED && spb_events__explain_end(link, text, sizeof text)) {
        return spb_error__set(err, SPB_ERR_LIMIT, "%s", text);
    }
    return spb_reason__paho(err, what, code);
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
    MQTTAsync client = client_of(link);
    if (!client) {
        return not_connected(err, "subscribe");
    }
    spb_subscribe_request *request = new_request(link, items, count);
    if (!request) {
        return spb_error__no_memory(err, "a subscription");
    }
    request->next = link->requests;
    link->requests = request;
    for (size_t i = 0; i < count; i++) {
        MQTTAsync_responseOptions response = spb_events__of_subscribe(&request->items[i]);
        int code = MQTTAsync_subscribe(client, request->items[i].filter, items[i].qos, &response);
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
    MQTTAsync client = client_of(link);
    if (!client) {
        return not_connected(err, "publish");
    }
    MQTTAsync_responseOptions response = spb_events__of_publish(link, message->qos);
    count_publish(link, true);
    int code = MQTTAsync_send(client, message->topic, (int)message->payload.len, message->payload.data, message->qos,
                              message->retain, &response);
    if (code != MQTTASYNC_SUCCESS) {
        count_publish(link, false);
        return request_failed(link, err, "publish", code);
    }
    return SPB_OK;
}

/* A server handles the packets of a connection in order. */
spb_status spb_link__fence(spb_link *link, spb_fence_form form, const spb_subscription *item, spb_error *err) {
    MQTTAsync client = client_of(link);
    if (!client) {
        return not_connected(err, "fence");
    }
    int code = MQTTASYNC_SUCCESS;
    if (form != SPB_FENCE_FORM_UNSUBSCRIBE) {
        MQTTAsync_responseOptions response = spb_events__of_fence_subscribed(&link->fences[form]);
        code = MQTTAsync_subscribe(client, item->filter, item->qos, &response);
    }
    if (code == MQTTASYNC_SUCCESS && form != SPB_FENCE_FORM_SUBSCRIBE) {
        MQTTAsync_responseOptions response = spb_events__of_fence_unsubscribed(&link->fences[form]);
        code = MQTTAsync_unsubscribe(client, item->filter, &response);
    }
    return code == MQTTASYNC_SUCCESS ? SPB_OK : request_failed(link, err, "fence", code);
}

uint64_t spb_link__carried(spb_link *link, uint64_t *left) {
    return spb_guard__carried(&link->guard, left);
}

/* paho hands each packet to the kernel by itself, and the kernel sends the first one at once. So it is told to wait for
 * more, until the message behind the fence is written, which paho reports; of an UNSUBSCRIBE or SUBSCRIBE it reports
 * nothing before the answer. That is why the fence goes ahead of the message, and not behind it. If the message does
 * not come, the kernel waits for 0.2 s and no longer. */
void spb_link__hold(spb_link *link) {
    pthread_mutex_lock(&link->lock);
    link->held_count = link->unanswered_count + 1;
    pthread_mutex_unlock(&link->lock);
    spb_guard__cork(&link->guard, true);
}

/* ---- the way out ---- */

/* paho closes the socket when DISCONNECT's turn comes, also when the publish before it is written only by half. So its
 * turn comes when all of them are reported. */
void spb_link__disconnect(spb_link *link) {
    pthread_mutex_lock(&link->lock);
    link->disconnect_wanted = true;
    bool disconnect_now = link->client && link->unanswered_count == 0;
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
 *
 * What the kernel could not send by then, it would go on sending for minutes, in the way of the next link. So such a
 * connection is reset: the kernel forgets it, and a server that hears of it publishes the will.
 */
static void let_the_will_out(spb_link *link) {
    int code = spb_events__break(link);
    for (int tries = 0; tries < 5 && code == MQTTASYNC_SUCCESS && !wait_until_broken(link, 50); tries++) {
        MQTTAsync_responseOptions response = spb_events__of_fence_unsubscribed(&link->fences[0]);
        code = MQTTAsync_unsubscribe(link->client, IDLE_FILTER, &response);
    }
}

/* What the next link of the transport is to avoid: an address that took a connection, but made nothing of it. */
static void remember_place(const spb_link *link, spb_endpoint *avoid) {
    if (avoid && link->is_connected) {
        *avoid = (spb_endpoint){.as.any.sa_family = AF_UNSPEC};
    } else if (avoid && link->place_text[0] != '\0') {
        *avoid = link->place;
    }
}

static bool has_left(spb_link *link) {
    pthread_mutex_lock(&link->lock);
    bool has_left = link->has_left;
    pthread_mutex_unlock(&link->lock);
    return has_left;
}

void spb_link__free(spb_link *link, spb_endpoint *avoid) {
    if (!link) {
        return;
    }
    pthread_mutex_lock(&link->lock);
    link->is_silent = true;
    link->disconnect_wanted = false;
    pthread_mutex_unlock(&link->lock);
    spb_dial__stop(&link->dial);
    if (link->client) {
        sigset_t before;
        spb_signals__block_pipe(&before);
        let_the_will_out(link);
        if (!has_left(link)) {
            spb_guard__reset_unsent(&link->guard);
        }
        MQTTAsync_destroy(&link->client);
        spb_signals__restore(&before);
    }
    spb_guard__stop(&link->guard);
    spb_tls__forget(&link->tls_peer);
    spb_dial__clear(&link->dial);
    remember_place(link, avoid);
    while (link->requests) {
        spb_subscribe_request *request = link->requests;
        link->requests = request->next;
        free_request(request);
    }
    spb_begin__free(link);
}
