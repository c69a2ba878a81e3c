/*
 * The transport interface: how a session reaches an MQTT server.
 *
 * libspb brings one implementation, over paho.mqtt.c (spb_mqtt_new). Who has an MQTT stack of his own implements this
 * struct: embed it as the first member of your own, fill in the functions, and hand it to spb_node_options.transport or
 * drive it from the actions of an spb_session.
 *
 * One thread calls the functions below; none of them waits for the network. What happens is reported to the listener,
 * from any thread, in the order in which it happened. Each connection attempt has a number, its `link`, chosen by the
 * caller and never used twice; every event carries the link that it belongs to.
 */
#ifndef SPB_TRANSPORT_H
#define SPB_TRANSPORT_H

#include <spb/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An MQTT message to be sent. Borrowed for the length of the call. */
typedef struct spb_transport_message {
    const char *topic;
    spb_bytes payload;
    uint8_t qos;
    bool retain;
} spb_transport_message;

typedef struct spb_transport_connect {
    uint32_t link; /* the number of this connection */
    const char
        *server; /* mqtt://host:port, mqtts:// (TLS), wss:// (WebSocket with TLS), ws://; the port may be missing */
    const char *client_id;
    uint32_t keep_alive_s; /* of MQTT. A link is LOST when nothing came back for 2.5 times so long, and 10 s, at the
                              latest: where a server answers no fence, nothing else notices */
    uint32_t timeout_ms;   /* for the whole way to CONNACK, from the name to all of its addresses */
    spb_transport_message will; /* registered in the CONNECT packet; topic NULL: none, as who only reads needs none */
} spb_transport_connect;

typedef struct spb_subscription {
    const char *filter;
    uint8_t qos;
} spb_subscription;

/*
 * How a server is asked for a fence: a request that it answers when it has read all that was published before on this
 * link. Most answer any UNSUBSCRIBE; some (rumqttd) leave one unanswered that changes nothing.
 */
typedef enum spb_fence_form {
    SPB_FENCE_FORM_UNSUBSCRIBE, /* UNSUBSCRIBE of a filter that was never subscribed, answered by UNSUBACK */
    SPB_FENCE_FORM_SUBSCRIBE,   /* SUBSCRIBE once more of a filter that is subscribed, answered by SUBACK */
    SPB_FENCE_FORM_BOTH /* SUBSCRIBE of a filter that nobody publishes to, and UNSUBSCRIBE of it, answered by the
                           UNSUBACK, or by a SUBACK that refuses it */
} spb_fence_form;

#define SPB_FENCE_FORMS 3

typedef enum spb_transport_event_kind {
    SPB_TRANSPORT_CONNECTED,      /* the server accepted the connection */
    SPB_TRANSPORT_CONNECT_FAILED, /* the attempt is over: status and reason say why; nothing follows on this link */
    SPB_TRANSPORT_LOST,           /* an established connection ended by itself; nothing follows on this link */
    SPB_TRANSPORT_DISCONNECTED,   /* answer to `disconnect`: DISCONNECT is written, the link closed; nothing follows */
    SPB_TRANSPORT_SUBSCRIBED,     /* answer to `subscribe`: SPB_OK, or SPB_ERR_REFUSED with the reason */
    SPB_TRANSPORT_PUBLISHED,      /* `count` more messages are written out (QoS 0), or acknowledged (QoS 1) */
    SPB_TRANSPORT_FENCED,         /* answer to `fence`: the server has read all that was published before it */
    SPB_TRANSPORT_MESSAGE,        /* a message came in: topic, payload, qos, retained */
    SPB_TRANSPORT_WARNING         /* reason: what makes this connection less safe; just before CONNECTED, any number */
} spb_transport_event_kind;

/* Everything in it is borrowed for the length of the listener's call. */
typedef struct spb_transport_event {
    spb_transport_event_kind kind;
    uint32_t link;
    spb_status status;         /* CONNECT_FAILED, LOST: SPB_ERR_CONNECT, _AUTH, _TLS, _TIMEOUT, _REFUSED, _SYSTEM (no
                               thread) or _LIMIT (the server sent what is not taken); SUBSCRIBED; PUBLISHED: SPB_OK, or
                               SPB_ERR_REFUSED when a QoS 1 message was refused (MQTT 5) */
    bool is_unsent;            /* CONNECT_FAILED: no byte of CONNECT has left, so that the server cannot know the will:
                               its bdSeq is not used up. False where the transport does not know */
    const char *reason;        /* for people, may hold words of the server as they came; NULL if there is none */
    uint32_t count;            /* PUBLISHED */
    spb_str topic;             /* MESSAGE */
    spb_bytes payload;         /* MESSAGE */
    uint8_t qos;               /* MESSAGE */
    bool retained;             /* MESSAGE: the server had it stored */
    uint32_t max_packet_bytes; /* CONNECTED: the largest MQTT packet that the server takes; 0: it names none */
    uint16_t receive_maximum;  /* CONNECTED: QoS 1 messages it takes before answering; 0: it names none */
    uint16_t keep_alive_s;     /* CONNECTED: what the server wants instead of what was asked for; 0: it names none */
    spb_fence_form fence;      /* FENCED: the form in which it was asked for */
} spb_transport_event;

/* Called from any thread, never from inside a call to the transport. Copies what it needs and returns at once; calls
 * nothing of the transport. */
typedef void (*spb_transport_listener)(void *context, const spb_transport_event *event);

typedef struct spb_transport spb_transport;

struct spb_transport {
    /* Set once, before the first connect. */
    void (*set_listener)(spb_transport *self, spb_transport_listener listener, void *context);

    /* Starts a connection with a clean session. There is no other link open at that time. Answered by CONNECTED or
     * CONNECT_FAILED. A failure here (SPB_ERR_ARGUMENT, SPB_ERR_NO_MEMORY, SPB_ERR_CONNECT, SPB_ERR_SYSTEM) is the
     * whole answer, and no byte has left. */
    spb_status (*connect)(spb_transport *self, const spb_transport_connect *request, spb_error *err);

    /* Subscribes to all of them. Answered by one SUBSCRIBED, or by LOST. */
    spb_status (*subscribe)(spb_transport *self, uint32_t link, const spb_subscription *items, size_t count,
                            spb_error *err);

    /* Takes a copy of the message for sending; messages leave in the order of the calls, on this link or not at all.
     * On failure nothing was taken. Each accepted message is answered by PUBLISHED, or by LOST. */
    spb_status (*publish)(spb_transport *self, uint32_t link, const spb_transport_message *message, spb_error *err);

    /* A request that the server answers when it has read all that was published before on this link, in this form and
     * with this filter. Answered by FENCED with the form, in order, or by LOST; not at all, if the server does not
     * answer it: then the session asks in another form, and in none once all of them were in vain. Cheap; several may
     * be under way. A transport that has another way to know may use that one for every form. */
    spb_status (*fence)(spb_transport *self, uint32_t link, spb_fence_form form, const spb_subscription *item,
                        spb_error *err);

    /* How many bytes of this link, from its beginning on, the other side's system has acknowledged, and how many of
     * those that this side's system has taken are left; 0: that is not known. NULL: it never is. Cheap; asked for while
     * an answer to a fence is late, as a link that carries something is not dead. */
    uint64_t (*carried)(spb_transport *self, uint32_t link, uint64_t *left);

    /* The next two calls are `fence` and `publish`, if all goes well: what the first hands over may wait for the
     * second, so that both share a packet. NULL: that is not possible. */
    void (*hold)(spb_transport *self, uint32_t link);

    /* Writes out what was taken, then DISCONNECT (MQTT 5: with reason 0x04, so that the server publishes the will;
     * tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt50). Answered by DISCONNECTED, or LOST. The caller
     * waits for at most timeout_ms, which the transport may use as a hint, and then calls close. */
    void (*disconnect)(spb_transport *self, uint32_t link, uint32_t timeout_ms);

    /* Drops the link at once, in any state, without DISCONNECT: the server will publish the will. Everything not yet
     * written is forgotten and never leaves on a later link. After the return no event of this link is reported.
     * An unknown or ended link is fine. */
    void (*close)(spb_transport *self, uint32_t link);

    /* Closes what is open and frees the transport. After the return the listener is not called any more. */
    void (*free)(spb_transport *self);
};

/* MQTT versions. */
typedef enum spb_mqtt_version { SPB_MQTT_3_1_1 = 4, SPB_MQTT_5 = 5 } spb_mqtt_version;

/* A user property of MQTT 5 for the CONNECT packet. */
typedef struct spb_mqtt_property {
    const char *name;
    const char *value;
} spb_mqtt_property;

/*
 * Options of the MQTT transport. Everything is copied; NULL means none. Zeroed options are good defaults: MQTT 3.1.1,
 * and with TLS the system's certificate authorities, the server's certificate and host name verified: a name against
 * the DNS names of the certificate (not its common name), an address against its addresses, keys and signatures of
 * OpenSSL's security level 2 (RSA and DH of 2048 bits, no SHA-1).
 *
 * What makes a connection less safe is told by an event WARNING for each connection: insecure_skip_verify, a password
 * without TLS, a WebSocket without TLS.
 */
typedef struct spb_mqtt_options {
    spb_mqtt_version version; /* 0: SPB_MQTT_3_1_1 */
    const char *user;
    const char *password;
    const char *password_file; /* instead of password: its first line, read again for each connection; < 4096 bytes */
    const char *ca_file;       /* PEM; instead of the system's certificate authorities */
    const char *cert_file;     /* PEM, with the chain: the client's own certificate, for mutual TLS */
    const char *key_file;      /* PEM: its key; NULL: in cert_file */
    const char *key_password;  /* of an encrypted key */
    const char *crl_file;      /* PEM: certificates of servers that are revoked, by their authority, whose list must be
                                  there and not out of date; read again for each connection */
    bool insecure_skip_verify; /* accept any certificate for any host, crl_file is not looked at: for tests only */
    bool allow_unsafe_websocket; /* allow ws://, a WebSocket without TLS. paho.mqtt.c up to 1.3.15 at least trusts the
                                    lengths in its frames: the server, or anyone on the way, can write into the memory
                                    of this process. Only for a network where you trust each participant */
    uint32_t max_packet_bytes;   /* the largest packet the server may send us, told to it in MQTT 5; 0: 1 MiB. A larger
                                    one, as a message with QoS 2, ends the connection: LOST, SPB_ERR_LIMIT */
    const spb_mqtt_property *user_properties; /* MQTT 5 */
    size_t user_property_count;
} spb_mqtt_options;

/*
 * A transport over paho.mqtt.c. Names are resolved in threads of their own, and all addresses of a name are tried. The
 * Host in the request of a WebSocket is the name as long as the first IPv4 address answers (or the last of IPv6, where
 * there is none), else the address that does. `options` may be NULL. *out is the caller's, to be released with its
 * `free`.
 * SPB_ERR_ARGUMENT: options that do not go together, or a file that cannot be read; err->text names it.
 * SPB_ERR_NO_MEMORY. Any thread.
 */
SPB_API spb_status spb_mqtt_new(spb_transport **out, const spb_mqtt_options *options, spb_error *err);

/* Whether the MQTT transport would connect to this server: mqtt:// or tcp:// (port 1883), mqtts:// or ssl:// (TLS,
 * 8883), wss:// (WebSocket with TLS, 443), host, and for a WebSocket a path (/mqtt). ws:// (80) only with
 * allow_unsafe_websocket in `options`, which may be NULL. SPB_ERR_ARGUMENT, with the reason. Nothing is resolved or
 * connected. Any thread. */
SPB_API spb_status spb_mqtt_check_server(const char *server, const spb_mqtt_options *options, spb_error *err);

#ifdef __cplusplus
}
#endif

#endif
