/*
 * The mailbox between a transport and the worker: the transport's threads post what happened, the worker takes it.
 *
 * It has a lock of its own, under which nothing is called and nobody waits, so posting is safe in any callback of an
 * MQTT stack. The worker also sleeps here, so that one place can wake it.
 */
#ifndef SPB_NODE_MAILBOX_H
#define SPB_NODE_MAILBOX_H

#include <pthread.h>

#include <spb/transport.h>

/* What may wait in it. Messages beyond that are dropped and counted: only a flood of commands gets there. */
#define SPB_MAILBOX_MAX_MESSAGES 10000
#define SPB_MAILBOX_MAX_BYTES ((size_t)16 * 1024 * 1024)
/* Events other than messages have room set aside, more than two links can report. */
#define SPB_MAILBOX_NOTICES 16

/* An event and what it points to. */
typedef struct spb_letter {
    struct spb_letter *next;
    spb_transport_event event;
    char reason[200]; /* cut if longer */
    bool is_used;     /* of a notice */
} spb_letter;

typedef struct spb_mailbox {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_woken;

    spb_letter *first, *last; /* in the order in which they came */
    spb_letter *taken;        /* the worker reads it */
    spb_letter notices[SPB_MAILBOX_NOTICES];
    size_t message_count, message_bytes;
    uint64_t dropped;

    uint32_t published_link; /* PUBLISHED events are summed up here, */
    uint32_t published_count;
    uint32_t fenced_link;                   /* as are FENCED, */
    uint32_t fenced_count[SPB_FENCE_FORMS]; /* of each form: all say that what was before them has been read */
    uint32_t published_wanted;              /* so many PUBLISHED wake the worker while it sleeps; else UINT32_MAX */
} spb_mailbox;

/* SPB_ERR_SYSTEM: no lock. */
spb_status spb_mailbox__init(spb_mailbox *mailbox, spb_error *err);
/* Nobody may use it any more. */
void spb_mailbox__clear(spb_mailbox *mailbox);

/* Copies the event and wakes the worker. An spb_transport_listener: `mailbox` is an spb_mailbox. Any thread. */
void spb_mailbox__post(void *mailbox, const spb_transport_event *event);
/* Wakes the worker, now or when it next wants to wait. Any thread. */
void spb_mailbox__wake(spb_mailbox *mailbox);

/* The next event; false when there is none. What it points to is valid until the next call. Worker only. */
bool spb_mailbox__take(spb_mailbox *mailbox, spb_transport_event *out);
/* How many events were dropped for want of room or memory since the last call. */
uint64_t spb_mailbox__take_dropped(spb_mailbox *mailbox);
/* Waits until there is something to take, spb_mailbox__wake is called or deadline_ms (monotonic) comes. Fewer messages
 * than `published_wanted` that were reported as published are no reason to wake up. Worker only. */
void spb_mailbox__wait(spb_mailbox *mailbox, uint32_t published_wanted, uint64_t deadline_ms);

#endif
