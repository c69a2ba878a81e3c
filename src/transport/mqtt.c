/* Decides which link is the present one and when paho's client of an old one is destroyed. The life of one connection
 * is left to link.c. */
#include <pthread.h>
#include <stdlib.h>

#include <MQTTAsync.h>

#include <spb/transport.h>

#include "base/error.h"
#include "transport/address.h"
#include "transport/link.h"
#include "transport/settings.h"

typedef struct mqtt_transport {
    spb_transport base; /* first: a pointer to it is a pointer to the whole */
    spb_link_listener listener;
    spb_link *link;     /* the present one, or one that has ended and is not cleared away yet */
    spb_endpoint avoid; /* the address of the last server that came to nothing; AF_UNSPEC: none */
    spb_mqtt_options settings;
} mqtt_transport;

static mqtt_transport *from_base(spb_transport *self) {
    return (mqtt_transport *)self;
}

/* The present link if that is its number. */
static spb_link *find_link(mqtt_transport *mqtt, uint32_t number) {
    return mqtt->link && spb_link__number(mqtt->link) == number ? mqtt->link : NULL;
}

static spb_status not_open(uint32_t number, spb_error *err) {
    return spb_error__set(err, SPB_ERR_CONNECT, "link %lu is not open", (unsigned long)number);
}

static void drop_link(mqtt_transport *mqtt) {
    spb_link__free(mqtt->link, &mqtt->avoid);
    mqtt->link = NULL;
}

static void mqtt_set_listener(spb_transport *self, spb_transport_listener listener, void *context) {
    from_base(self)->listener = (spb_link_listener){.call = listener, .context = context};
}

static spb_status mqtt_connect(spb_transport *self, const spb_transport_connect *request, spb_error *err) {
    mqtt_transport *mqtt = from_base(self);
    drop_link(mqtt);
    return spb_link__open(&mqtt->link, request, &mqtt->settings, &mqtt->avoid, mqtt->listener, err);
}

static spb_status mqtt_subscribe(spb_transport *self, uint32_t number, const spb_subscription *items, size_t count,
                                 spb_error *err) {
    spb_link *link = find_link(from_base(self), number);
    return link ? spb_link__subscribe(link, items, count, err) : not_open(number, err);
}

static spb_status mqtt_publish(spb_transport *self, uint32_t number, const spb_transport_message *message,
                               spb_error *err) {
    spb_link *link = find_link(from_base(self), number);
    return link ? spb_link__publish(link, message, err) : not_open(number, err);
}

static spb_status mqtt_fence(spb_transport *self, uint32_t number, spb_fence_form form, const spb_subscription *item,
                             spb_error *err) {
    spb_link *link = find_link(from_base(self), number);
    return link ? spb_link__fence(link, form, item, err) : not_open(number, err);
}

static uint64_t mqtt_carried(spb_transport *self, uint32_t number, uint64_t *left) {
    *left = 0;
    spb_link *link = find_link(from_base(self), number);
    return link ? spb_link__carried(link, left) : 0;
}

static void mqtt_hold(spb_transport *self, uint32_t number) {
    spb_link *link = find_link(from_base(self), number);
    if (link) {
        spb_link__hold(link);
    }
}

static void mqtt_disconnect(spb_transport *self, uint32_t number, uint32_t timeout_ms) {
    (void)timeout_ms; /* there is no timer here: the caller's own deadline ends in close */
    spb_link *link = find_link(from_base(self), number);
    if (link) {
        spb_link__disconnect(link);
    }
}

static void mqtt_close(spb_transport *self, uint32_t number) {
    mqtt_transport *mqtt = from_base(self);
    if (find_link(mqtt, number)) {
        drop_link(mqtt);
    }
}

static void mqtt_free(spb_transport *self) {
    mqtt_transport *mqtt = from_base(self);
    if (!mqtt) {
        return;
    }
    drop_link(mqtt);
    spb_settings__clear(&mqtt->settings);
    free(mqtt);
}

static void init_paho(void) {
    MQTTAsync_init_options options = MQTTAsync_init_options_initializer;
    MQTTAsync_global_init(&options);
}

spb_status spb_mqtt_new(spb_transport **out, const spb_mqtt_options *options, spb_error *err) {
    static pthread_once_t paho_once = PTHREAD_ONCE_INIT;
    *out = NULL;
    mqtt_transport *mqtt = calloc(1, sizeof *mqtt);
    if (!mqtt) {
        return spb_error__no_memory(err, "the MQTT transport");
    }
    mqtt->base = (spb_transport){.set_listener = mqtt_set_listener,
                                 .connect = mqtt_connect,
                                 .subscribe = mqtt_subscribe,
                                 .publish = mqtt_publish,
                                 .fence = mqtt_fence,
                                 .carried = mqtt_carried,
                                 .hold = mqtt_hold,
                                 .disconnect = mqtt_disconnect,
                                 .close = mqtt_close,
                                 .free = mqtt_free};
    spb_status status = spb_settings__init(&mqtt->settings, options, err);
    if (status != SPB_OK) {
        free(mqtt);
        return status;
    }
    pthread_once(&paho_once, init_paho);
    *out = &mqtt->base;
    return SPB_OK;
}

spb_status spb_mqtt_check_server(const char *server, const spb_mqtt_options *options, spb_error *err) {
    spb_address address;
    spb_status status = spb_address__parse(&address, server, err);
    return status == SPB_OK ? spb_address__check(&address, options && options->allow_unsafe_websocket, err) : status;
}
