/*
 * One direction of a connection, from bytes to MQTT packets: finds out whether it is MQTT at all, takes HTTP and
 * WebSocket off, and finds the way back after a hole, or when the capture begins in the middle.
 */
#ifndef SPB_CAPTURE_SIDE_H
#define SPB_CAPTURE_SIDE_H

#include "capture/judge.h"
#include "capture/stream.h"
#include "capture/websocket.h"

typedef enum side_mode {
    SIDE_NEW,    /* nothing was read yet: what it is shows in the first bytes */
    SIDE_HTTP,   /* the headers of a WebSocket handshake */
    SIDE_MQTT,   /* at a packet's beginning, or in one that is known */
    SIDE_HUNT,   /* somewhere; a packet's beginning is looked for */
    SIDE_IGNORED /* no MQTT, or nothing that could be read */
} side_mode;

typedef struct side {
    side_mode mode;
    bool is_web_socket;
    bool is_boundary; /* SIDE_HUNT: `rest` begins where a segment began */
    bool has_gap;     /* `gap` is to be told when a packet's beginning is found */
    websocket frames;
    heap_buffer rest;   /* of a packet, or of what is looked through */
    uint64_t skip;      /* bytes up to the next packet's beginning */
    uint64_t looked_at; /* in vain, before the connection was known to be MQTT */
    stamp at;           /* of the last bytes */
    capture_gap gap;
} side;

typedef enum side_other { SIDE_IS_TLS, SIDE_IS_NO_MQTT } side_other;

/* What side.c needs to know of the connection, and whom it tells. */
typedef struct side_frame {
    heap *memory;
    uint8_t *scratch; /* WEBSOCKET_SCRATCH_BYTES */
    size_t max_packet_bytes;
    int sender;         /* 1: the client's direction, −1: the server's, 0: not known */
    bool is_known_mqtt; /* set as soon as there is evidence */
    bool is_forced;     /* the user said that it is MQTT */
    void (*on_packet)(void *user, const mqtt_header *header, spb_bytes body, stamp at);
    void (*on_gap)(void *user, const capture_gap *gap, stamp at);
    void (*on_other)(void *user, side_other what);
    void *user;
} side_frame;

/* From the beginning of the connection, or from somewhere. */
void side_begin(side *s, bool is_from_start);
void side_bytes(side *s, side_frame *f, spb_bytes bytes, stamp at);
void side_hole(side *s, side_frame *f, uint64_t lost_bytes, stamp at);
/* Nothing will come any more. */
void side_end(side *s, side_frame *f);
/* A packet that was handed out is no MQTT after all. */
void side_distrust(side *s, const char *reason);
void side_clear(side *s, heap *memory);

#endif
