/* Decides how much a host may ask for at once, and keeps commands until they are carried out. What a command does is
 * left to the session. */
#include "core/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MAX_WAITING 64
/* In memory a command may take ten times as much, and more. */
#define MAX_WAITING_BYTES ((size_t)2 * 1024 * 1024)

/* What reading it may cost. How many metrics are carried out is an option. */
static const spb_limits command_limits = {
    .max_payload_bytes = 1024 * 1024, .max_metrics = 65536, .max_heap_bytes = 32 * 1024 * 1024};

spb_status spb_command__decode(spb_payload **out, spb_bytes wire, spb_error *err) {
    return spb_payload_decode(out, wire, &command_limits, err);
}

spb_status spb_commands__add(spb_command_queue *queue, spb_payload *payload, spb_str device_id, size_t bytes,
                             spb_error *err) {
    if (queue->count == MAX_WAITING) {
        return spb_error__set(err, SPB_ERR_LIMIT, "%d commands wait already", MAX_WAITING);
    }
    if (queue->count > 0 && bytes > MAX_WAITING_BYTES - queue->bytes) {
        return spb_error__set(err, SPB_ERR_LIMIT, "commands of %zu bytes wait already", queue->bytes);
    }
    spb_command_entry *entry = calloc(1, sizeof *entry + device_id.len);
    if (!entry) {
        return spb_error__no_memory(err, "a command");
    }
    entry->payload = payload;
    entry->bytes = bytes;
    entry->has_device = device_id.data != NULL;
    entry->device_id_len = (uint32_t)device_id.len;
    if (device_id.len > 0) {
        memcpy(entry->device_id, device_id.data, device_id.len);
    }
    if (queue->last) {
        queue->last->next = entry;
    } else {
        queue->first = entry;
    }
    queue->last = entry;
    queue->count++;
    queue->bytes += bytes;
    return SPB_OK;
}

static void remove_first(spb_command_queue *queue) {
    spb_command_entry *first = queue->first;
    queue->first = first->next;
    if (!queue->first) {
        queue->last = NULL;
    }
    queue->count--;
    queue->bytes -= first->bytes;
    spb_payload_free(first->payload);
    free(first);
}

const spb_payload_metric *spb_commands__next(spb_command_queue *queue, const spb_command_entry **command) {
    while (queue->first) {
        spb_command_entry *first = queue->first;
        if (first->next_metric < first->payload->metric_count) {
            *command = first;
            return &first->payload->metrics[first->next_metric++];
        }
        remove_first(queue);
    }
    return NULL;
}

void spb_commands__clear(spb_command_queue *queue) {
    while (queue->first) {
        remove_first(queue);
    }
}
