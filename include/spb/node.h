/*
 * An edge node: define metrics once, update them by handle from any thread, forget the rest.
 *
 * A node runs one worker thread, which owns the session and talks to the MQTT server, and one more in which its store
 * is called, unless that is in memory: neither the network nor callbacks wait for a disk. All functions may be called
 * from any thread unless they say otherwise; none but spb_node_flush, spb_node_stop and spb_node_free waits for the
 * network or the disk. Callbacks run on the worker, one at a time, with no lock held; every call is allowed in them but
 * these three.
 */
#ifndef SPB_NODE_H
#define SPB_NODE_H

#include <spb/metric.h>
#include <spb/session.h>
#include <spb/store.h>
#include <spb/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spb_node spb_node;

/* The state of the node's session changed. `reason` may be NULL; borrowed for the call. */
typedef void (*spb_state_fn)(spb_node *node, spb_session_state state, const char *reason, void *user);
/* A birth is larger than a message may be, so the node is not online: see SPB_ACTION_BIRTH_TOO_LARGE. Borrowed for the
 * call. */
typedef void (*spb_birth_too_large_fn)(spb_node *node, const spb_birth_too_large *birth, void *user);
/* A command came that no writable metric takes (unknown, not writable, wrong type). Borrowed for the call. */
typedef void (*spb_command_fn)(spb_node *node, const spb_command *command, void *user);
/* A line for a log, borrowed for the call: UTF-8 without a newline, fit for a terminal, as whatever servers and hosts
 * have a part in is escaped (see spb_error). The library itself never prints. */
typedef void (*spb_log_fn)(spb_log_level level, const char *text, void *user);

/* Strings are copied. Start from SPB_NODE_OPTIONS_INIT and set what you need; servers, group_id and node_id are
 * required. */
typedef struct spb_node_options {
    const char *servers; /* mqtt://host:port; several, separated by commas: see spb_session_options */
    const char *group_id;
    const char *node_id;
    const char *client_id;  /* NULL: "<group_id>-<node_id>" */
    const char *store_path; /* SQLite file: identity and journal, see spb_store_open; NULL: none */

    uint32_t keep_alive_s; /* see spb_session_options for all of these */
    uint32_t connect_timeout_ms;
    uint32_t connect_spread_ms;
    uint32_t clock_wait_s;
    uint32_t reconnect_min_ms;
    uint32_t reconnect_max_ms;
    uint32_t batch_window_ms;
    size_t batch_max_bytes;
    uint32_t batch_max_samples;
    size_t max_waiting_bytes;
    size_t max_message_bytes;
    uint32_t max_in_flight;
    bool no_aliases;
    const char *primary_host_id;
    bool legacy_state;
    uint32_t host_wait_ms;
    uint32_t rebirth_window_ms;
    uint32_t max_command_metrics;
    bool next_server_metric;
    uint32_t node_info;
    spb_delivery delivery; /* OUTAGE without store_path or store: the journal is in memory, of store_options.max_bytes;
                              DURABLE without one is refused, as is either with a store that has no journal */
    spb_confirm confirm;
    size_t max_unconfirmed_bytes;
    uint32_t fence_within_ms;
    uint32_t store_window_ms;
    uint32_t host_window_ms;
    uint32_t resend_on_rebirth_ms;
    uint32_t settle_ms;
    uint32_t replay_samples_per_s;
    uint32_t replay_bytes_per_s;
    uint32_t max_sample_age_s;
    bool strict_order;

    spb_store_options store_options; /* for store_path, and for a journal in memory */

    spb_mqtt_options mqtt; /* MQTT version, user and password, TLS */

    spb_state_fn on_state; /* each may be NULL */
    spb_birth_too_large_fn on_birth_too_large;
    spb_command_fn on_command;
    spb_log_fn on_log;
    spb_log_level log_level; /* the most detailed level that on_log wants */
    void *user_data;         /* for the four callbacks */

    spb_transport *transport; /* one of your own, or NULL for MQTT over paho; freed by the node, also when new fails */
    spb_store *store;         /* one of your own, instead of store_path; freed by the node, also when new fails */
} spb_node_options;

#define SPB_NODE_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        .keep_alive_s = 30, .connect_timeout_ms = 10000, .reconnect_min_ms = 1000, .reconnect_max_ms = 60000,          \
        .batch_window_ms = 100, .batch_max_bytes = 65536, .batch_max_samples = 10000, .max_waiting_bytes = 16 << 20,   \
        .max_in_flight = 64, .host_wait_ms = 30000, .rebirth_window_ms = 1000, .max_command_metrics = 1000,            \
        .max_unconfirmed_bytes = 1 << 20, .fence_within_ms = 10000, .store_window_ms = 1000,                           \
        .host_window_ms = UINT32_MAX, .settle_ms = 500, .replay_samples_per_s = 100000, .log_level = SPB_LOG_INFO      \
    }

/*
 * Makes a node; nothing is sent yet. *out is the caller's, to be freed with spb_node_free; NULL on failure. A store
 * that was damaged is no failure: on_log gets an SPB_LOG_WARNING that says what was lost. SPB_ERR_ARGUMENT or
 * SPB_ERR_NAME: an option is wrong, err->text says which. SPB_ERR_STORE, SPB_ERR_STORE_BUSY: see spb_store_open.
 * SPB_ERR_NO_MEMORY.
 */
SPB_API spb_status spb_node_new(spb_node **out, const spb_node_options *options, spb_error *err);
/* Starts the worker, which connects and stays connected, and the thread of the store. SPB_ERR_STATE: already started.
 * SPB_ERR_LIMIT: a birth is larger than max_message_bytes; err->text says which. SPB_ERR_SYSTEM: no thread. */
SPB_API spb_status spb_node_start(spb_node *node, spb_error *err);
/*
 * Stops on purpose: pending samples, NDEATH, DISCONNECT, what is left is stored, threads ended; returns within
 * timeout_ms in every state. Samples that are taken meanwhile may wait for the next start. The node may be started
 * again. Two threads may stop it at once. Not from a callback. SPB_OK: all of it was written, or there was nothing to
 * write. SPB_ERR_TIMEOUT: the link was dropped at the deadline, the server publishes the will; or a call of the
 * transport, the store or a callback has not returned by then: the threads end as soon as it does. SPB_ERR_CONNECT: the
 * connection was lost meanwhile, the server publishes the will. SPB_ERR_STATE: not started, or called from a callback.
 */
SPB_API spb_status spb_node_stop(spb_node *node, uint32_t timeout_ms);
/* Frees the node with its devices and metrics. One that runs is dropped as by a stop with no time; a call of the
 * transport, the store or a callback that is under way is waited for. NULL is fine. No other thread may use the node
 * any more; not from a callback. */
SPB_API void spb_node_free(spb_node *node);

/* Adds a metric of the node itself. The handle lives until it is removed, or the node freed. NULL on failure; see
 * spb_session_add_metric. */
SPB_API spb_metric *spb_node_add_metric(spb_node *node, const spb_metric_def *def, spb_error *err);
/* Adds a device, online. The handle lives until it is removed, or the node freed. NULL on failure; see
 * spb_session_add_device. */
SPB_API spb_device *spb_node_add_device(spb_node *node, const char *device_id, spb_error *err);
/* Adds a metric of the device. The handle lives until it or the device is removed, or the node freed. NULL on failure;
 * see spb_session_add_metric. */
SPB_API spb_metric *spb_device_add_metric(spb_device *device, const spb_metric_def *def, spb_error *err);

/* Removes a metric, or a device with its metrics. The handles end with the call: no other thread may use them any more,
 * nor wait in a call with them; a write callback that is under way still may. See spb_session_remove_metric, _device.
 */
SPB_API void spb_metric_remove(spb_metric *metric);
SPB_API void spb_device_remove(spb_device *device);
/* Adds or removes a template definition. See spb_session_add_template, spb_session_remove_template. */
SPB_API spb_status spb_node_add_template(spb_node *node, const char *name, const spb_template *definition,
                                         spb_error *err);
SPB_API spb_status spb_node_remove_template(spb_node *node, const char *name, spb_error *err);

/* A device comes (DBIRTH) or goes (DDEATH); no change is fine. */
SPB_API void spb_device_set_online(spb_device *device, bool online);
/* A new sample; `value` is copied. One short lock, no I/O; threads with different devices go beside each other most of
 * the time. See spb_session_update for the statuses. With SPB_NOW the time is exact, but for a number that says nothing
 * new: the next birth may show it up to 10 ms early. */
SPB_API spb_status spb_metric_update(spb_metric *metric, spb_value value, uint64_t timestamp_ms);
/*
 * The same for many samples, of any metrics of the node, in their order, in one turn with its lock. Stops at the first
 * one that is not accepted, and returns its status; *accepted, which may be NULL, is how many were accepted before it.
 */
SPB_API spb_status spb_node_update(spb_node *node, const spb_sample *samples, size_t count, size_t *accepted);
/* A coherent scan: between the two, samples stay in one message. See spb_session_begin_scan. */
SPB_API void spb_device_begin_scan(spb_device *device);
SPB_API void spb_device_end_scan(spb_device *device);
SPB_API void spb_node_begin_scan(spb_node *node);
SPB_API void spb_node_end_scan(spb_node *node);
/* A copy of the last accepted value, to be released with spb_value_clear; *timestamp_ms may be NULL. SPB_ERR_NO_MEMORY.
 */
SPB_API spb_status spb_metric_read(const spb_metric *metric, spb_value *out, uint64_t *timestamp_ms);
/* By name; NULL if there is none. */
SPB_API spb_metric *spb_node_find_metric(spb_node *node, const char *name);
SPB_API spb_device *spb_node_find_device(spb_node *node, const char *device_id);
SPB_API spb_metric *spb_device_find_metric(spb_device *device, const char *name);
/*
 * Waits until every sample that was accepted before the call is safe, and says how in *how (may be NULL). SPB_OK: with
 * SPB_FLUSH_CONFIRMED the server has read all of it; with SPB_FLUSH_STORED it is committed to the store, as far as it
 * is not confirmed; with SPB_FLUSH_LOST some of it was dropped and counted. SPB_ERR_TIMEOUT: not yet
 * (SPB_FLUSH_PENDING); it goes on by itself. SPB_ERR_STATE: the node does not run, or the call is made in a callback.
 * Several threads may wait at once, also while another one stops the node.
 */
SPB_API spb_status spb_node_flush(spb_node *node, uint32_t timeout_ms, spb_flush *how);
/* A new NBIRTH and all DBIRTHs, with the same bdSeq. */
SPB_API void spb_node_rebirth(spb_node *node);
/* Counters and state at this moment. */
SPB_API void spb_node_stats(const spb_node *node, spb_stats *out);

#ifdef __cplusplus
}
#endif

#endif
