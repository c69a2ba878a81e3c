/*
 * Decides when a call of the application has to wake the worker. What the call does is left to the session; each of
 * them is one short turn with the node's lock.
 */
#include "core/handle.h"
#include "node/clock.h"
#include "node/node.h"

static spb_node *node_of_device(const spb_device *device) {
    return spb_device__owner(device);
}

static spb_node *node_of_metric(const spb_metric *metric) {
    return spb_metric__owner(metric);
}

static spb_metric *add_metric(spb_node *node, spb_device *device, const spb_metric_def *def, spb_error *err) {
    spb_metric *metric;
    spb_lock__take(&node->lock);
    spb_session_add_metric(node->session, &metric, device, def, spb_clock__now(), err);
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
    return metric;
}

spb_metric *spb_node_add_metric(spb_node *node, const spb_metric_def *def, spb_error *err) {
    return add_metric(node, NULL, def, err);
}

spb_metric *spb_device_add_metric(spb_device *device, const spb_metric_def *def, spb_error *err) {
    return add_metric(node_of_device(device), device, def, err);
}

spb_device *spb_node_add_device(spb_node *node, const char *device_id, spb_error *err) {
    spb_device *device;
    spb_lock__take(&node->lock);
    spb_session_add_device(node->session, &device, device_id, spb_clock__now(), err);
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
    return device;
}

void spb_metric_remove(spb_metric *metric) {
    spb_node *node = node_of_metric(metric);
    spb_lock__take(&node->lock);
    spb_session_remove_metric(node->session, metric, spb_clock__now());
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
}

void spb_device_remove(spb_device *device) {
    spb_node *node = node_of_device(device);
    spb_lock__take(&node->lock);
    spb_session_remove_device(node->session, device, spb_clock__now());
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
}

spb_status spb_node_add_template(spb_node *node, const char *name, const spb_template *definition, spb_error *err) {
    spb_lock__take(&node->lock);
    spb_status status = spb_session_add_template(node->session, name, definition, spb_clock__now(), err);
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
    return status;
}

spb_status spb_node_remove_template(spb_node *node, const char *name, spb_error *err) {
    spb_lock__take(&node->lock);
    spb_status status = spb_session_remove_template(node->session, name, spb_clock__now(), err);
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
    return status;
}

void spb_device_set_online(spb_device *device, bool online) {
    spb_node *node = node_of_device(device);
    spb_lock__take(&node->lock);
    spb_session_set_device_online(node->session, device, online, spb_clock__now());
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
}

void spb_node_rebirth(spb_node *node) {
    spb_lock__take(&node->lock);
    spb_session_rebirth(node->session, spb_clock__now());
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
}

/* Most samples join a batch that the worker waits for already: only the first and the last one have to wake it. */
static bool must_wake_locked(spb_node *node) {
    bool is_late = node->wakes_ms > 0 && spb_session_deadline_ms(node->session) < node->wakes_ms;
    node->wakes_ms = is_late ? 0 : node->wakes_ms;
    return is_late;
}

static void end_update_locked(spb_node *node) {
    bool must_wake = must_wake_locked(node);
    if (node->flushes) { /* an overflow may have dropped what one waits for */
        spb_node__tell_flushes_locked(node);
    }
    spb_lock__give(&node->lock);
    if (must_wake) {
        spb_mailbox__wake(&node->mailbox);
    }
}

/* The clock takes as long as all the rest: it is read for those that get their time from it. */
static uint64_t wall_ms_for(const spb_sample *sample, bool is_exact) {
    return sample->timestamp_ms == SPB_NOW ? spb_clock__wall_ms(is_exact) : 0;
}

/* Most samples need no more than their lane. The clock is read under the lock: samples that get "now" as their time are
 * in the order of their times. */
static bool take_in_lane(spb_node *node, const spb_sample *sample) {
    spb_lane *lane = spb_lock__take_lane(&node->lock, sample->metric);
    spb_way way = spb_session__way(node->session, sample);
    bool is_taken = way == SPB_WAY_SUPPRESS;
    if (is_taken) { /* the cheap way, which most samples of a steady plant take */
        spb_session__suppress(sample, wall_ms_for(sample, false), &lane->tally);
    } else if (way == SPB_WAY_JOIN) {
        is_taken = spb_session__join(node->session, sample, wall_ms_for(sample, true), &lane->tally);
    }
    spb_lock__give_lane(lane);
    return is_taken;
}

spb_status spb_metric_update(spb_metric *metric, spb_value value, uint64_t timestamp_ms) {
    spb_node *node = node_of_metric(metric);
    spb_sample sample = {.metric = metric, .value = value, .timestamp_ms = timestamp_ms};
    if (take_in_lane(node, &sample)) {
        return SPB_OK;
    }
    spb_lock__take(&node->lock);
    spb_status status = spb_session_sample(node->session, &sample, spb_clock__of_update(timestamp_ms == SPB_NOW));
    end_update_locked(node);
    return status;
}

spb_status spb_node_update(spb_node *node, const spb_sample *samples, size_t count, size_t *accepted) {
    spb_status status = SPB_OK;
    size_t done = 0;
    spb_lock__take(&node->lock);
    spb_time now = spb_clock__of_update(true);
    while (done < count && (status = spb_session_sample(node->session, &samples[done], now)) == SPB_OK) {
        done++;
    }
    end_update_locked(node);
    if (accepted) {
        *accepted = done;
    }
    return status;
}

static void begin_scan(spb_node *node, spb_device *device) {
    spb_lock__take(&node->lock);
    spb_session_begin_scan(node->session, device);
    spb_lock__give(&node->lock);
}

static void end_scan(spb_node *node, spb_device *device) {
    spb_lock__take(&node->lock);
    spb_session_end_scan(node->session, device, spb_clock__now());
    spb_lock__give(&node->lock);
    spb_mailbox__wake(&node->mailbox);
}

void spb_device_begin_scan(spb_device *device) {
    begin_scan(node_of_device(device), device);
}

void spb_device_end_scan(spb_device *device) {
    end_scan(node_of_device(device), device);
}

void spb_node_begin_scan(spb_node *node) {
    begin_scan(node, NULL);
}

void spb_node_end_scan(spb_node *node) {
    end_scan(node, NULL);
}

spb_status spb_metric_read(const spb_metric *metric, spb_value *out, uint64_t *timestamp_ms) {
    spb_node *node = node_of_metric(metric);
    spb_lane *lane = spb_lock__take_lane(&node->lock, metric);
    spb_value value = spb_session_value(node->session, metric, timestamp_ms);
    spb_status status = spb_value_copy(out, &value, NULL);
    spb_lock__give_lane(lane);
    return status;
}

static spb_metric *find_metric(spb_node *node, const spb_device *device, const char *name) {
    spb_lock__take(&node->lock);
    spb_metric *metric = spb_session_find_metric(node->session, device, name);
    spb_lock__give(&node->lock);
    return metric;
}

spb_metric *spb_node_find_metric(spb_node *node, const char *name) {
    return find_metric(node, NULL, name);
}

spb_metric *spb_device_find_metric(spb_device *device, const char *name) {
    return find_metric(node_of_device(device), device, name);
}

spb_device *spb_node_find_device(spb_node *node, const char *device_id) {
    spb_lock__take(&node->lock);
    spb_device *device = spb_session_find_device(node->session, device_id);
    spb_lock__give(&node->lock);
    return device;
}

void spb_node_stats(const spb_node *node, spb_stats *out) {
    spb_lock *lock = (spb_lock *)&node->lock; /* locking is not a change that a caller could see */
    spb_lock__take(lock);
    spb_session_stats(node->session, out);
    spb_lock__give(lock);
}
