/* A node on a fake server, with a device and a metric or two: what most tests of the node begin with. */
#ifndef SPB_TEST_NODE_FIXTURE_H
#define SPB_TEST_NODE_FIXTURE_H

#include <pthread.h>

#include <spb/spb.h>

#include "support/fake_transport.h"

typedef struct node_fixture {
    fake_server *server;
    spb_node_options options; /* may be changed before node_fixture_make */
    spb_node *node;
    spb_device *press;
    spb_metric *counter;  /* Int32, of the node */
    spb_metric *setpoint; /* Double, of Press, 20 … 220, writable through on_write */
    spb_write_fn on_write;

    pthread_mutex_t lock; /* guards what the callbacks note */
    pthread_cond_t changed;
    size_t seen[SPB_SESSION_STOPPING + 1]; /* how often each state was entered */
    size_t log_lines[SPB_LOG_DEBUG + 1];
    size_t commands;
    spb_status last_command;
    spb_birth_too_large too_large; /* the last one that a test noted by itself */
} node_fixture;

/* Options for quick reconnects, and a fake server. */
void node_fixture_init(node_fixture *self);
/* Makes the node, device and metrics. */
void node_fixture_make(node_fixture *self);
/* Frees the node, if that has not been done. */
void node_fixture_free_node(node_fixture *self);
/* Frees all, after a check of everything that was sent against the rules. */
void node_fixture_clear(node_fixture *self);

/* Starts it and waits until it has been ONLINE once more. */
void node_fixture_start(node_fixture *self);
void node_fixture_await_state(node_fixture *self, spb_session_state state, size_t times);
size_t node_fixture_seen(node_fixture *self, spb_session_state state);
void node_fixture_await_commands(node_fixture *self, size_t count);
/* Sends a command with one metric: an NCMD, or a DCMD to `device`. */
void node_fixture_command(node_fixture *self, const char *device, const char *metric, spb_value value);

#endif
