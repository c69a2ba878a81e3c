/* The conversation of one client with a server: what its packets mean one after the other, told as events. */
#ifndef SPB_CAPTURE_TALK_H
#define SPB_CAPTURE_TALK_H

#include "capture/forward.h"
#include "capture/side.h"

enum { TALK_FIRST, TALK_SECOND, TALK_SIDES };

/* What was sent in one direction for its topic aliases (MQTT 5, 3.3.2.3.4). */
typedef struct talk_aliases {
    spb_str *topics; /* by alias; their text is the connection's own */
    size_t capacity;
    size_t bytes;
} talk_aliases;

typedef struct talk {
    uint64_t connection;
    capture_address addresses[TALK_SIDES];
    side sides[TALK_SIDES]; /* [i]: what addresses[i] sent */
    talk_aliases aliases[TALK_SIDES];
    heap_buffer client_id;
    bool has_client_id;
    bool is_certain; /* who is the client */
    bool is_mqtt;
    bool is_tls;
    bool is_closed; /* CAPTURE_CLOSED was told */
    int client;     /* TALK_FIRST or TALK_SECOND */
    uint8_t level;  /* of MQTT; 0: not known */
} talk;

/* What all conversations share. */
typedef struct talk_world {
    heap *memory;
    uint8_t *scratch;
    forward *forwards;
    capture_counts *counts;
    size_t max_packet_bytes;
    bool is_forced;
    capture_event_fn on_event;
    void *user;
    bool is_stopped; /* on_event wants no more */
} talk_world;

/* addresses and connection are set; `client` is a guess unless is_certain. */
void talk_begin(talk *t, bool is_from_start);
void talk_bytes(talk *t, talk_world *w, int from, spb_bytes bytes, stamp at);
void talk_hole(talk *t, talk_world *w, int from, uint64_t lost_bytes, stamp at);
/* The first FIN or RST. */
void talk_close(talk *t, talk_world *w, int from, bool is_reset, stamp at);
/* Nothing more will be read. */
void talk_end(talk *t, talk_world *w);
void talk_clear(talk *t, heap *memory);

#endif
