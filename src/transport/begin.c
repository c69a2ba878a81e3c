/*
 * Decides how one link begins. Which address of a host it goes to is left to dial.c, what CONNECT holds to connect.c.
 *
 * Where a name has to be resolved, or another link to be waited for (see tls.h), a thread of the dial goes through all
 * of this, and the worker is told by an event. It is the only one that looks at these fields until it has ended, or has
 * called MQTTAsync_connect.
 */
#include "transport/begin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/error.h"
#include "transport/connect.h"
#include "transport/events.h"
#include "transport/reason.h"
#include "transport/settings.h"
#include "transport/signals.h"

#define PACKET_SLACK 65536 /* small packets of which nothing is heard, as answers to PINGREQ */

/* ---- the link ---- */

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

/* It is read once more when it is needed: a secret from a file is not kept. */
static spb_status check_password(const spb_mqtt_options *settings, spb_error *err) {
    char buffer[SPB_PASSWORD_MAX];
    const char *password;
    spb_status status = spb_settings__password(settings, buffer, &password, err);
    OPENSSL_cleanse(buffer, sizeof buffer);
    return status;
}

static bool copy_will(spb_transport_message *out, const spb_transport_message *will) {
    *out = *will;
    if (!will->topic) {
        return true;
    }
    uint8_t *payload = malloc(will->payload.len + 1); /* an empty one, too, has a place */
    out->topic = strdup(will->topic);
    out->payload.data = payload;
    if (payload && will->payload.len > 0) {
        memcpy(payload, will->payload.data, will->payload.len);
    }
    return out->topic && payload;
}

static bool copy_request(spb_transport_connect *out, const spb_transport_connect *request) {
    *out = *request;
    out->server = NULL;
    out->client_id = strdup(request->client_id);
    return copy_will(&out->will, &request->will) && out->client_id;
}

static void free_request(spb_transport_connect *request) {
    free((char *)request->client_id);
    if (request->will.topic) {
        free((char *)request->will.topic);
        free((uint8_t *)request->will.payload.data);
    }
}

static spb_status make(spb_link **out, const spb_transport_connect *request, spb_error *err) {
    spb_link *link = calloc(1, sizeof *link);
    if (!link) {
        return spb_error__no_memory(err, "a connection");
    }
    if (!copy_request(&link->request, request) || !init_lock(link)) {
        free_request(&link->request);
        free(link);
        return spb_error__no_memory(err, "a connection");
    }
    for (int form = 0; form < SPB_FENCE_FORMS; form++) {
        link->fences[form] = (spb_fence_asked){.link = link, .form = (spb_fence_form)form};
    }
    *out = link;
    return SPB_OK;
}

spb_status spb_begin__new(spb_link **out, const spb_transport_connect *request, const spb_mqtt_options *settings,
                          spb_link_listener listener, spb_error *err) {
    *out = NULL;
    spb_address address;
    spb_status status = spb_address__parse(&address, request->server, err);
    if (status == SPB_OK) {
        status = spb_address__check(&address, settings->allow_unsafe_websocket, err);
    }
    if (status == SPB_OK) {
        status = check_environment(&address, err);
    }
    if (status == SPB_OK) {
        status = check_password(settings, err);
    }
    if (status == SPB_OK) {
        status = make(out, request, err);
    }
    if (status == SPB_OK) {
        (*out)->address = address;
        (*out)->settings = settings;
        (*out)->listener = listener;
    }
    return status;
}

void spb_begin__free(spb_link *link) {
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->lock);
    free_request(&link->request);
    free(link);
}

/* ---- the connection ---- */

/* How many bytes may come for one packet. TLS and WebSocket have overhead of their own, which in small pieces may be as
 * much as what they carry. */
static uint64_t packet_limit(const spb_link *link) {
    uint64_t limit = link->settings->max_packet_bytes;
    return (link->address.has_tls || link->address.is_websocket ? 2 * limit : limit) + PACKET_SLACK;
}

static int create(spb_link *link, const char *uri) {
    MQTTAsync client = NULL;
    spb_persistence__init(&link->persistence, spb_events__on_qos_2, link);
    int code = spb_connect__create(&client, uri, link->request.client_id, link->settings->version, &link->persistence);
    pthread_mutex_lock(&link->lock);
    link->client = client;
    pthread_mutex_unlock(&link->lock);
    return code == MQTTASYNC_SUCCESS ? spb_events__listen(link) : code;
}

static int start(spb_link *link, uint32_t left_ms, const char *password) {
    const spb_connect_callbacks callbacks = spb_events__of_connect(link);
    spb_transport_connect request = link->request;
    request.timeout_ms = left_ms;
    MQTTAsync_SSLOptions tls;
    if (link->address.has_tls) {
        tls = spb_tls__options(&link->tls_peer, &link->tls_log);
    }
    return spb_connect__start(link->client, &request, link->settings, password, link->address.has_tls ? &tls : NULL,
                              &callbacks);
}

static spb_status connect_to(spb_link *link, const char *uri, uint32_t left_ms, spb_error *err) {
    char buffer[SPB_PASSWORD_MAX];
    const char *password;
    int code = create(link, uri);
    if (code != MQTTASYNC_SUCCESS) {
        return spb_reason__paho(err, "connect", code);
    }
    spb_status status = spb_guard__start(&link->guard, link->request.client_id, packet_limit(link), err);
    /* Those of paho run already when there is another link. */
    if (status == SPB_OK && spb_guard__is_alone(&link->guard) && !spb_signals__can_start_two()) {
        status = spb_error__no_thread(err, "paho.mqtt.c");
    }
    if (status == SPB_OK) {
        status = spb_settings__password(link->settings, buffer, &password, err);
    }
    if (status == SPB_OK) {
        code = start(link, left_ms, password);
        OPENSSL_cleanse(buffer, sizeof buffer);
    }
    return status == SPB_OK && code != MQTTASYNC_SUCCESS ? spb_reason__paho(err, "connect", code) : status;
}

/* ---- the way there, on the thread of the dial ---- */

static void on_failed(void *context, spb_status status, const char *why) {
    spb_events__report(context,
                       (spb_transport_event){
                           .kind = SPB_TRANSPORT_CONNECT_FAILED, .status = status, .reason = why, .is_unsent = true});
}

/* A server with virtual hosts takes it for another one. */
static void tell_of_host(spb_link *link) {
    char text[512];
    snprintf(text, sizeof text,
             "%s: the address that its name stands for does not answer, %s does: that is the Host of the request",
             link->address.host_port, link->place_text);
    spb_events__report(link, (spb_transport_event){.kind = SPB_TRANSPORT_WARNING, .reason = text});
}

static bool on_found(void *context, const spb_endpoint *place, uint32_t left_ms) {
    spb_link *link = context;
    char uri[sizeof link->address.uri];
    if (place) {
        link->place = *place;
        spb_endpoint__write(place, link->place_text);
        spb_address__uri_at(&link->address, place, uri, sizeof uri);
    }
    if (place && link->address.is_websocket) {
        tell_of_host(link);
    }
    if (link->address.has_tls && !spb_tls__expect(&link->tls_peer, link->settings, &link->address,
                                                  place ? link->place_text : link->address.host, link->dial.wake)) {
        return false;
    }
    spb_error err;
    spb_status status = connect_to(link, place ? uri : link->address.uri, left_ms, &err);
    if (status != SPB_OK) {
        on_failed(link, status == SPB_ERR_SYSTEM ? SPB_ERR_SYSTEM : SPB_ERR_CONNECT, err.text);
    }
    return true;
}

spb_status spb_begin__start(spb_link *link, const spb_endpoint *avoid, spb_error *err) {
    if (link->address.is_numeric && !link->address.has_tls) {
        return connect_to(link, link->address.uri, link->request.timeout_ms, err);
    }
    const spb_dial_calls calls = {.on_found = on_found, .on_failed = on_failed, .context = link};
    return spb_dial__start(&link->dial, &link->address, link->request.timeout_ms, avoid, &calls, err);
}
