/*
 * An MQTT server inside the test: a real implementation of spb_transport that records what is sent and answers as the
 * test says, from a thread of its own.
 *
 * The server belongs to the test, the transport to whoever is given it; the record outlives the transport. All
 * functions may be called from any thread.
 */
#ifndef SPB_TEST_FAKE_TRANSPORT_H
#define SPB_TEST_FAKE_TRANSPORT_H

#include <spb/topic.h>
#include <spb/transport.h>

typedef struct fake_server fake_server;

/* A message as it was sent, or the will of a connection (is_connect). */
typedef struct fake_message {
    size_t transport; /* how many transports were freed before */
    uint32_t link;
    bool is_connect;
    char *topic;
    uint8_t *payload;
    size_t len;
    uint8_t qos;
    bool retain;
} fake_message;

/* What the server does with a CONNECT. */
typedef enum fake_welcome {
    FAKE_ACCEPT,
    FAKE_REFUSE, /* CONNECT_FAILED, SPB_ERR_AUTH */
    FAKE_IGNORE  /* no answer at all */
} fake_welcome;

fake_server *fake_server_new(void);
/* After the transports of it. */
void fake_server_free(fake_server *self);
/* A transport that reaches this server; one at a time. */
spb_transport *fake_server_transport(fake_server *self);

/* ---- the script ---- */

/* From the next CONNECT on. */
void fake_server_welcome(fake_server *self, fake_welcome welcome);
/* Accepts messages and requests but reports nothing any more about what is sent, until it is set back to false. */
void fake_server_stall(fake_server *self, bool stall);
/* Every call to connect stays inside until this is set back to false, like a stack that resolves a name. */
void fake_server_block_connect(fake_server *self, bool block);
/* The next publish call fails. */
void fake_server_refuse_publish(fake_server *self);
/* Ends the connection, if there is one. */
void fake_server_lose(fake_server *self);
/* A message to the node, as soon as all that was to be reported before has been; false when it is not connected. */
bool fake_server_deliver(fake_server *self, const char *topic, const void *payload, size_t len);

/* ---- the record ---- */

/* Waits until so many messages of the kind were sent (to any topic of that kind); else the test fails. Main thread. */
void fake_server_await(fake_server *self, spb_kind kind, size_t count);
/* Waits until so many CONNECTs came, or are inside a blocked call; else the test fails. Main thread. */
void fake_server_await_connects(fake_server *self, size_t count);
size_t fake_server_count(fake_server *self, spb_kind kind);
size_t fake_server_connects(fake_server *self);
/* How many of its transports were freed. */
size_t fake_server_frees(fake_server *self);
/* Of all that was sent, in order; NULL behind the last one. What it points to stays as it is until the server is freed.
 */
const fake_message *fake_server_message(fake_server *self, size_t index);

#endif
