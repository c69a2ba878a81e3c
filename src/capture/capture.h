/*
 * What MQTT clients and brokers said to each other, out of a capture file of libpcap: .pcap or .pcapng.
 *
 * TCP streams are put together again, MQTT 3.1, 3.1.1 and 5 are parsed, also inside WebSocket frames, and each packet
 * that tells something about the life of a client becomes an event. Packets that only keep house (PUBACK and its kin,
 * PINGREQ, AUTH) become none. What is missing or cannot be read becomes an event too: CAPTURE_GAP.
 *
 * Memory depends on what is alive in the capture and not on its size: max_connections connections (the one that was
 * silent for longest is given up for a further one), and max_heap_bytes for all that they hold: segments that wait for
 * an earlier one, packets that are not complete, client ids, topic aliases (the connection that is being read may go
 * beyond it, by the packet of each direction). A table of 2 MiB tells which messages were forwarded.
 */
#ifndef SPB_CAPTURE_CAPTURE_H
#define SPB_CAPTURE_CAPTURE_H

#include <stdbool.h>

#include <spb/status.h>
#include <spb/value.h>

typedef struct capture_address {
    uint8_t family; /* 4 or 6 */
    uint8_t bytes[16];
    uint16_t port;
} capture_address;

enum { CAPTURE_ADDRESS_SIZE = 64 };
/* "10.0.0.7:1883", "[fe80::1]:1883", with a NUL; the length is returned. */
size_t capture_address_text(const capture_address *address, char text[CAPTURE_ADDRESS_SIZE]);

typedef enum capture_kind {
    CAPTURE_CONNECT,     /* as.connect */
    CAPTURE_CONNACK,     /* as.connack */
    CAPTURE_PUBLISH,     /* as.publish */
    CAPTURE_SUBSCRIBE,   /* as.subscribe */
    CAPTURE_SUBACK,      /* as.suback */
    CAPTURE_UNSUBSCRIBE, /* as.subscribe, of which the filters only */
    CAPTURE_DISCONNECT,  /* as.disconnect */
    CAPTURE_GAP,         /* as.gap; what follows in this direction is read from a packet's beginning */
    CAPTURE_CLOSED       /* as.closed: the first FIN or RST; what the other side had sent may still follow */
} capture_kind;

typedef enum capture_direction { CAPTURE_FROM_CLIENT, CAPTURE_TO_CLIENT } capture_direction;

typedef struct capture_connect {
    spb_str client_id; /* as it was sent, possibly empty */
    spb_str user_name; /* absent: none */
    bool is_clean;     /* clean session, or clean start of MQTT 5 */
    bool has_session_expiry;
    uint32_t session_expiry_s; /* MQTT 5; 0 if it was not sent */
    uint16_t keep_alive_s;
    bool has_will;
    bool will_retain;
    uint8_t will_qos;
    uint32_t will_delay_s; /* MQTT 5 */
    spb_str will_topic;
    spb_bytes will_payload;
} capture_connect;

typedef struct capture_connack {
    bool session_present;
    uint8_t reason; /* 0: accepted; others as the protocol level of the event says */
} capture_connack;

typedef struct capture_publish {
    spb_str topic; /* a topic alias is resolved; absent if it cannot be, because its first use was not captured */
    spb_bytes payload;
    uint16_t topic_alias; /* MQTT 5; 0: none */
    uint16_t packet_id;   /* 0 with QoS 0 */
    uint8_t qos;
    bool retain;
    bool is_duplicate; /* the DUP flag */
    /* The same message was reported before: on its way from a client to this server, or to another subscriber. */
    bool is_forwarded;
} capture_publish;

/* Filters of SUBSCRIBE and UNSUBSCRIBE: walk them with capture_next_filter. */
typedef struct capture_subscribe {
    uint16_t packet_id;
    bool with_options; /* SUBSCRIBE */
    spb_bytes filters; /* as on the wire; well-formed */
} capture_subscribe;

typedef struct capture_filter {
    spb_str topic;
    uint8_t qos;     /* that was asked for */
    uint8_t options; /* the whole byte: MQTT 5 has further ones in it */
} capture_filter;

/* Start with *cursor = 0; false after the last one. */
bool capture_next_filter(const capture_subscribe *subscribe, size_t *cursor, capture_filter *filter);

typedef struct capture_suback {
    uint16_t packet_id;
    spb_bytes reasons; /* one for each filter: 0, 1, 2 the granted QoS, from 0x80 on a refusal */
} capture_suback;

typedef struct capture_disconnect {
    uint8_t reason; /* MQTT 5; 0: normal; 4: with the will */
} capture_disconnect;

typedef enum capture_gap_cause {
    CAPTURE_GAP_LOST,       /* segments are missing in the capture */
    CAPTURE_GAP_MID_STREAM, /* the capture begins in the middle of the connection */
    CAPTURE_GAP_MALFORMED,  /* bytes that are no MQTT */
    CAPTURE_GAP_LIMIT       /* a packet, or what waits for a missing segment, is larger than the limits */
} capture_gap_cause;

typedef struct capture_gap {
    capture_gap_cause cause; /* the first one, if there were several before reading could go on */
    uint64_t lost_bytes;     /* that are not in the capture */
    uint64_t skipped_bytes;  /* that are, and could not be read */
    bool is_resynchronised;  /* false: the direction ended, or the capture, before a packet's beginning was found */
    const char *reason;      /* a sentence's part for people: "remaining length of 5 bytes"; never NULL */
} capture_gap;

typedef struct capture_closed {
    bool is_reset;
} capture_closed;

typedef struct capture_event {
    capture_kind kind;
    capture_direction direction; /* of the packet; CAPTURE_CLOSED: of who closed */
    uint64_t time_us;            /* since 1970-01-01 UTC: when the last byte of the packet was captured */
    uint64_t packet;             /* number in the file, from 1, of the captured packet with that byte */
    uint64_t connection;         /* number of the TCP connection, from 1 */
    const capture_address *client;
    const capture_address *server;
    spb_str client_id;      /* absent: not known, as CONNECT was not captured */
    uint8_t protocol_level; /* 3: MQTT 3.1, 4: 3.1.1, 5: 5; 0: not known */
    bool is_web_socket;
    union {
        capture_connect connect;
        capture_connack connack;
        capture_publish publish;
        capture_subscribe subscribe;
        capture_suback suback;
        capture_disconnect disconnect;
        capture_gap gap;
        capture_closed closed;
    } as;
} capture_event;

/*
 * The event, and all that it points to, is borrowed for the call. False: no further events are wanted.
 * Events of one direction come in their order. What waited for a segment that was lost comes later than its time_us: in
 * between, others may have come that are younger.
 */
typedef bool (*capture_event_fn)(const capture_event *event, void *user);

enum { CAPTURE_MAX_PORTS = 16 };

typedef struct capture_options {
    uint16_t ports[CAPTURE_MAX_PORTS]; /* only connections with one of these ports are read, and taken for MQTT */
    size_t port_count;                 /* 0: any port; what speaks MQTT there is found out */
    size_t max_connections;            /* 0: 10,000 */
    size_t max_heap_bytes;             /* 0: 64 MiB */
    size_t max_packet_bytes;           /* of MQTT; 0: 17 MiB */
    void (*before_wait)(void *user);   /* called when the next read from a pipe would have to wait; may be NULL */
    void *user;                        /* for before_wait */
} capture_options;

/* What was seen so far. */
typedef struct capture_counts {
    uint64_t packets;      /* of the file */
    uint64_t bytes;        /* of the file, read so far */
    uint64_t cut_packets;  /* captured with fewer bytes than they had */
    uint64_t fragments;    /* IP fragments: not put together, so lost to their streams */
    uint64_t other;        /* no TCP, or damaged below TCP */
    uint64_t segments;     /* TCP with data */
    uint64_t repeated;     /* of them: all bytes were there already */
    uint64_t out_of_order; /* of them: came before an earlier one */
    uint64_t lost_bytes;
    uint64_t connections;      /* TCP connections */
    uint64_t mqtt_connections; /* that spoke MQTT */
    uint64_t tls_connections;  /* that spoke TLS: they cannot be read */
    uint64_t given_up;         /* connections dropped because of a limit */
} capture_counts;

typedef enum capture_status {
    CAPTURE_MORE,    /* a packet was read */
    CAPTURE_END,     /* there are no more */
    CAPTURE_STOPPED, /* the callback wanted no more */
    CAPTURE_FAILED   /* err says why: the file is damaged, or cannot be read, or there is no memory */
} capture_status;

typedef struct capture capture;

/* True if a file that begins with these bytes may be one for capture_new; 4 bytes tell for sure. */
bool capture_is_capture(spb_bytes head);

/*
 * Reads from fd, which stays the caller's; `head` is what was read from it already, to find out what it is. `options`
 * may be NULL. On failure *out is NULL: SPB_ERR_MALFORMED: no capture; SPB_ERR_TYPE: of a link type that is not known;
 * SPB_ERR_NO_MEMORY.
 */
spb_status capture_new(capture **out, int fd, spb_bytes head, const capture_options *options, spb_error *err);
void capture_free(capture *c);
/* Reads one packet and hands out the events that it completes: none, one or many. The last events come with
 * CAPTURE_END; there they are gaps that nothing filled. */
capture_status capture_next(capture *c, capture_event_fn on_event, void *user, spb_error *err);
const capture_counts *capture_seen(const capture *c);

#endif
