/*
 * What an MQTT server says at this moment, as events that are taken one by one: a transport, and a queue between its
 * threads and ours. It reads: it has no will, and publishes what it is told to and nothing else. A lost connection is
 * made again, after 1 s, 2 s … 30 s.
 */
#ifndef SPB_CLI_LIVE_H
#define SPB_CLI_LIVE_H

#include <spb/topic.h>
#include <spb/transport.h>

typedef enum live_kind {
    LIVE_ONLINE,  /* connected, and subscribed to all of Sparkplug */
    LIVE_OFFLINE, /* the connection is lost, or could not be made: `reason` */
    LIVE_WARNING, /* what makes this connection less safe than one may believe: `reason` */
    LIVE_MESSAGE, /* topic, payload, qos, retained, time_ms */
    LIVE_MISSED   /* so many messages were dropped, as they came faster than they were taken */
} live_kind;

typedef struct live_event {
    live_kind kind;
    spb_error reason;
    spb_str topic;
    spb_bytes payload;
    uint8_t qos;
    bool retained;
    uint64_t time_ms; /* when it came, since 1970-01-01 UTC */
    uint64_t missed;
} live_event;

typedef struct live live;

/* Starts to connect; `server` is borrowed. SPB_ERR_ARGUMENT: see spb_mqtt_new. SPB_ERR_SYSTEM, SPB_ERR_NO_MEMORY. */
spb_status live_new(live **out, const char *server, const spb_mqtt_options *mqtt, spb_error *err);
/* Says DISCONNECT if it can within a second. NULL is fine. */
void live_free(live *self);
/* Readable while there are events. */
int live_fd(const live *self);
/* In ms, for poll: when live_next must be called though there is no event; −1: never. */
int live_wait_ms(const live *self);
/* The next event, borrowed until the next call; false: there is none now. */
bool live_next(live *self, live_event *event);
/* At QoS 0, if the connection stands. */
spb_status live_publish(live *self, const char *topic, spb_bytes payload, spb_error *err);

#endif
