/*
 * The thread of a node in which the store is called: no sync of a disk holds up the worker, and so neither the network
 * nor timers, callbacks and threads of the application.
 *
 * - The worker hands over the session's actions for the store in their order; they are carried out one after the other.
 *   The session waits with what depends on an answer, and with that alone: the CONNECT for its bdSeq, a birth for its
 *   aliases, live data of the level DURABLE for its commit.
 * - What an action points to is the session's, which leaves it as it is until the answer: nothing is copied. APPEND
 *   reads the block with no lock held.
 * - The answer is given to the session here, under the lock of the node, as an application thread would call it; then
 *   the worker is woken, as after such a call. Blocks that are read are handed to the session one by one, so that the
 *   lock is free while the disk is read. Lines for the log go through the session too: callbacks are the worker's.
 * - The thread begins with the worker and ends with it. The run of a worker is over when nothing is left to be stored,
 *   so the thread waits for nothing then. If a call of the store never returns, spb_node_stop returns at its deadline,
 *   spb_node_free waits for the call, and an attempt to connect waits in SPB_SESSION_SAVING.
 * - There is no thread without a store, nor for one in memory that the node has made: no call of that waits, so the
 *   worker makes it at once. A store is opened and freed by those who make and free the node.
 */
#ifndef SPB_NODE_STORE_THREAD_H
#define SPB_NODE_STORE_THREAD_H

#include <pthread.h>

#include <spb/session.h>

#include "base/error.h"

struct spb_node;

typedef struct spb_store_thread {
    struct spb_node *node;
    pthread_t thread;
    bool has_thread; /* to be joined; it changes only while there is no worker */

    pthread_mutex_t lock; /* guards all that follows; may be taken while that of the node is held, never the other way
                             round */
    pthread_cond_t wake;
    bool is_ending;
    spb_action *calls; /* a ring of those that wait */
    size_t first, count, capacity;
    bool is_busy;            /* one more is being carried out, */
    spb_action_kind busy;    /* which is this one, */
    uint64_t since_ms;       /* since then */
    spb_action_kind slowest; /* the one that took longest since the worker looked, */
    uint64_t slowest_ms;     /* and how long; 0: none took any time */
    uint64_t told_ms;        /* the store is slow: how long a call took, as the log says; 0: it is not */
    uint64_t last_slow_ms;   /* when a slow call ended last */
    bool is_quick_again;     /* the log does not say so yet */
    bool has_lost;           /* for want of memory, something that has no answer: the next COMMIT fails */
} spb_store_thread;

/* SPB_ERR_SYSTEM, SPB_ERR_NO_MEMORY. */
spb_status spb_store_thread__init(spb_store_thread *self, struct spb_node *node, spb_error *err);
/* There is no thread any more. */
void spb_store_thread__clear(spb_store_thread *self);

/* 0, or the system's error number. */
int spb_store_thread__begin(spb_store_thread *self);
/* The thread ends when it has nothing left to do; then it can be joined. */
void spb_store_thread__end(spb_store_thread *self);
void spb_store_thread__join(spb_store_thread *self);

/* An action of the store: SAVE_BDSEQ … READ; without a thread, it is carried out at once. Worker only, with no lock
 * held. */
void spb_store_thread__put(spb_store_thread *self, const spb_action *action);
/* Nothing is left to be carried out or answered. */
bool spb_store_thread__is_idle(spb_store_thread *self);

/* News for the log: a call takes long, or none does any more. False: there is none. Worker only. */
bool spb_store_thread__take_news(spb_store_thread *self, uint64_t now_ms, spb_log_level *level, char *text,
                                 size_t capacity);
/* When there will be some, though no call returns; or SPB_NEVER. */
uint64_t spb_store_thread__news_ms(spb_store_thread *self);

#endif
