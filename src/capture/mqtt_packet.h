/* MQTT 3.1, 3.1.1 and 5: from bytes to packets, from packets to what they say. Pure; all that comes out are views. */
#ifndef SPB_CAPTURE_MQTT_PACKET_H
#define SPB_CAPTURE_MQTT_PACKET_H

#include "capture/capture.h"

typedef enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK = 2,
    MQTT_PUBLISH = 3,
    MQTT_PUBACK = 4,
    MQTT_PUBREC = 5,
    MQTT_PUBREL = 6,
    MQTT_PUBCOMP = 7,
    MQTT_SUBSCRIBE = 8,
    MQTT_SUBACK = 9,
    MQTT_UNSUBSCRIBE = 10,
    MQTT_UNSUBACK = 11,
    MQTT_PINGREQ = 12,
    MQTT_PINGRESP = 13,
    MQTT_DISCONNECT = 14,
    MQTT_AUTH = 15
} mqtt_type;

typedef struct mqtt_header {
    mqtt_type type;
    uint8_t flags;
    uint8_t header_bytes; /* 2 … 5 */
    uint32_t body_bytes;
} mqtt_header;

typedef enum mqtt_result {
    MQTT_OK,
    MQTT_SHORT, /* more bytes are needed */
    MQTT_BAD
} mqtt_result;

/* Type and flags must fit together, and the length be written as briefly as it can. */
mqtt_result mqtt_read_header(spb_bytes from, mqtt_header *out);
/* 1: only clients send it, −1: only servers, 0: both. */
int mqtt_sender(mqtt_type type);

/*
 * The bodies. NULL: fine; else what is wrong with it, a part of a sentence. `level` 0: not known; it is then guessed,
 * and *guess set if there is evidence.
 */
const char *mqtt_read_connect(spb_bytes body, capture_connect *out, uint8_t *level);
const char *mqtt_read_connack(spb_bytes body, uint8_t level, capture_connack *out, spb_str *assigned_id);
const char *mqtt_read_publish(uint8_t flags, spb_bytes body, uint8_t level, capture_publish *out, uint8_t *guess);
/* Also UNSUBSCRIBE, which is without options. */
const char *mqtt_read_subscribe(spb_bytes body, uint8_t level, bool with_options, capture_subscribe *out);
const char *mqtt_read_suback(spb_bytes body, uint8_t level, capture_suback *out);
const char *mqtt_read_disconnect(spb_bytes body, capture_disconnect *out);

#endif
