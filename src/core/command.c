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
    if (device_id.data) {
        memcpy(entry->text, device_id.data, device_id.len);
        entry->device_id = (spb_str){entry->text, device_id.len};
    }
    spb_list__push(&queue->entries, &entry->in_queue);
    queue->count++;
    queue->bytes += bytes;
    return SPB_OK;
}

static spb_command_entry *first_of(const spb_command_queue *queue) {
    return SPB_LINKED(queue->entries.first, spb_command_entry, in_queue);
}

static void end(spb_command_queue *queue, spb_command_entry *entry) {
    spb_list__remove(&entry->in_queue);
    queue->count--;
    queue->bytes -= entry->bytes;
    spb_payload_free(entry->payload);
    free(entry);
}

const spb_payload_metric *spb_commands__next(spb_command_queue *queue, const spb_command_entry **command) {
    for (spb_command_entry *first; (first = first_of(queue));) {
        if (first->next_metric < first->payload->metric_count) {
            *command = first;
            return &first->payload->metrics[first->next_metric++];
        }
        end(queue, first);
    }
    return NULL;
}

void spb_commands__clear(spb_command_queue *queue) {
    for (spb_command_entry *first; (first = first_of(queue));) {
        end(queue, first);
    }
}
