/* What the files of the node share: the node itself, and its worker. */
#ifndef SPB_NODE_NODE_H
#define SPB_NODE_NODE_H

#include <pthread.h>

#include <spb/node.h>

#include "base/quota.h"
#include "node/lock.h"
#include "node/mailbox.h"
#include "node/store_thread.h"

typedef struct spb_flush_wait spb_flush_wait;

struct spb_node {
    /* Fixed when the node is made. */
    spb_transport *transport;      /* called by the worker only */
    spb_store *store;              /* called by its thread, or the worker; NULL: none */
    bool is_store_in_memory;       /* and made by the node: its calls never wait */
    spb_store_thread store_thread; /* of other stores */
    spb_state_fn on_state;
    spb_birth_too_large_fn on_birth_too_large;
    spb_command_fn on_command;
    spb_log_fn on_log;
    spb_log_level log_level;
    void *user_data;

    spb_quota logged;          /* lines: see log.c; the worker's, but for those of spb_node_new */
    uint64_t dropped;          /* incoming messages that no line has told of, */
    uint64_t dropped_after_ms; /* and when the next one may */

    spb_mailbox mailbox; /* has its own lock, which may be taken while `lock` is held, never the other way round */

    spb_lock lock; /* guards all that follows; never held while the transport, the store or a callback is called */
    spb_session *session;  /* the pointer is fixed; only the worker pulls actions */
    uint64_t wakes_ms;     /* when the worker, which sleeps, will look again; 0: it is awake, and will look anyway */
    bool is_wanted;        /* started, and not stopped since */
    bool is_stopping;      /* the session has been told to stop and has not got there, or the store has not */
    bool has_told_rest;    /* while it is: the store has been told all that was left */
    spb_status farewell;   /* what a stop that ended now would return */
    uint32_t link;         /* of the last CONNECT */
    uint64_t runs_ended;   /* how often a stop was completed, */
    spb_status run_status; /* and what the last one returns */
    pthread_cond_t run_ended;
    spb_flush_wait *flushes; /* the calls of spb_node_flush that wait, */
    pthread_cond_t flushed;  /* and what wakes them */
    pthread_t worker;        /* while has_worker, as is the thread of the store */
    bool has_worker;         /* to be joined */
    bool worker_ended;
};

/* In a callback of this node? */
bool spb_node__is_worker_locked(const spb_node *node);
/* A line for on_log, if it wants one of that level. No lock is held. When there are too many in a second, some are left
 * out, and counted. */
void spb_node__log(spb_node *node, spb_log_level level, const char *text);
/* So many incoming messages were dropped: at most one line in a second says so. Tells of lines left out, too. */
void spb_node__log_dropped(spb_node *node, uint64_t dropped, uint64_t now_ms);
/* When spb_node__log_dropped has something to tell, though nothing more is dropped; or SPB_NEVER. */
uint64_t spb_node__log_due_ms(const spb_node *node);
/* Wakes those who wait in spb_node_flush, if there is something new for one of them. */
void spb_node__tell_flushes_locked(spb_node *node);

/* The worker thread: `context` is the node. Ends when the session has stopped and nobody wants it to go on. */
void *spb_worker__run(void *context);

#endif
