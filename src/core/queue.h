/* Queues of devices, linked through the devices themselves: every step is O(1) and allocates nothing. */
#ifndef SPB_CORE_QUEUE_H
#define SPB_CORE_QUEUE_H

#include <spb/metric.h>

#include <stdbool.h>

/* The queues a device can stand in, each independent of the others. */
typedef enum spb_queue_kind {
    SPB_QUEUE_READY, /* it has a message that may leave now */
    SPB_QUEUE_TRY,   /* DURABLE: it has a message that the journal was not asked to take, and that may not leave yet */
    SPB_QUEUE_HOLD,  /* its open message for the journal waits for the end of the store window; in the order of that end
                      */
    SPB_QUEUE_STORE, /* it has a closed message for the journal */
    SPB_QUEUE_WINDOW, /* its open message waits for the end of the batch window; in the order of that end */
    SPB_QUEUE_BIRTH,  /* it wants a DBIRTH; in the order of the time for it */
    SPB_QUEUE_DEATH,  /* it wants a DDEATH */
    SPB_QUEUE_FLUSH,  /* samples of a metric that was removed wait: they must leave before the birth without it */
    SPB_QUEUE_COUNT
} spb_queue_kind;

typedef struct spb_queue_link {
    spb_device *previous;
    spb_device *next;
    bool is_in;
} spb_queue_link;

typedef struct spb_queue {
    spb_device *first;
    spb_device *last;
    spb_queue_kind kind;
} spb_queue;

/* Adds it at the end; no effect when it is in. */
void spb_queue__push(spb_queue *queue, spb_device *device);
/* Takes it out; no effect when it is not in. */
void spb_queue__remove(spb_queue *queue, spb_device *device);

#endif
