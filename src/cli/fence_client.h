/*
 * One end of the fence test: a client with a transport of its own, and what that has told so far.
 *
 * A transport calls its listener on threads of its own, so what is told is kept under a lock and awaited.
 */
#ifndef SPB_CLI_FENCE_CLIENT_H
#define SPB_CLI_FENCE_CLIENT_H

#include <pthread.h>

#include <spb/transport.h>

enum { FENCE_MAX_MESSAGES = 1000, FENCE_MAX_ANSWERS = 16 };

typedef struct fence_client {
    spb_transport *transport;
    const char *server, *topic; /* topic: where the numbered messages go; the will, which says nothing, goes below it */
    char id[48], will[160];
    char commands[160], other[160]; /* filters for fences: that of a publisher, and one that nobody publishes to */
    uint32_t link;                  /* of the last connect */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool is_connected, is_subscribed, has_ended;
    spb_error failure;         /* why it has ended */
    uint32_t max_packet_bytes; /* of the server; 0: it names none */
    uint32_t written;          /* messages on this link */
    unsigned answers;          /* to fences on it, */
    uint64_t answered_us[FENCE_MAX_ANSWERS];
    uint32_t trial;                       /* which numbered messages count, */
    uint64_t came_us[FENCE_MAX_MESSAGES]; /* when each of them came first; 0: it has not */
    uint32_t came;                        /* how many of them have come */
} fence_client;

/* SPB_ERR_ARGUMENT: see spb_mqtt_new. SPB_ERR_SYSTEM. The strings are borrowed. */
spb_status fence_client_init(fence_client *self, const char *server, const char *topic, const char *id,
                             const spb_mqtt_options *mqtt, spb_error *err);
/* Drops the link. Zeroed ones are fine. */
void fence_client_clear(fence_client *self);

/* A new link. SPB_ERR_TIMEOUT, or why the server was not reached. */
spb_status fence_client_connect(fence_client *self, uint32_t timeout_ms, spb_error *err);
/* Subscribes to this filter, at QoS 0. */
spb_status fence_client_subscribe(fence_client *self, const char *filter, uint32_t timeout_ms, spb_error *err);
/* Message `number` < FENCE_MAX_MESSAGES of a trial, with so many bytes (16 at least). */
spb_status fence_client_publish(fence_client *self, uint32_t trial, uint32_t number, size_t bytes, spb_error *err);
/* In this form; for SPB_FENCE_FORM_SUBSCRIBE it has subscribed to `commands`. */
spb_status fence_client_fence(fence_client *self, spb_fence_form form, spb_error *err);
/* Drops the link at once. */
void fence_client_close(fence_client *self);

/* Counts the messages of this trial from now on. */
void fence_client_expect(fence_client *self, uint32_t trial);
/* Waits for that many answers to fences, and says when the last of these came. SPB_ERR_TIMEOUT: none came, and no
 * message was written, for timeout_ms. Else why the link ended. */
spb_status fence_client_await_answers(fence_client *self, unsigned count, uint32_t timeout_ms, uint64_t *answered_us,
                                      spb_error *err);
/* Waits until the messages 0 … count - 1 have come, or none has come for quiet_ms. Says how many of them are missing,
 * and when the last one came. Fails if the link has ended. */
spb_status fence_client_await_messages(fence_client *self, uint32_t count, uint32_t quiet_ms, uint32_t *missing,
                                       uint64_t *last_us, spb_error *err);

#endif
