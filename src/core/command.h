/* Commands of hosts that came in and were not yet carried out. */
#ifndef SPB_CORE_COMMAND_H
#define SPB_CORE_COMMAND_H

#include <spb/payload.h>

#include "base/list.h"

/* One NCMD or DCMD. */
typedef struct spb_command_entry {
    spb_list_link in_queue;
    spb_payload *payload;
    size_t next_metric; /* index of the first metric not yet looked at */
    size_t bytes;       /* as it came */
    spb_str device_id;  /* absent for an NCMD; in `text` */
    char text[];
} spb_command_entry;

typedef struct spb_command_queue {
    spb_list entries;
    size_t count;
    size_t bytes; /* of all */
} spb_command_queue;

/* Decodes a command; *out is the caller's. Statuses as spb_payload_decode. */
spb_status spb_command__decode(spb_payload **out, spb_bytes wire, spb_error *err);
/* Takes the command over, which came in so many bytes, and appends it. `device_id` is absent for an NCMD.
 * SPB_ERR_LIMIT: too many wait, or too large ones; SPB_ERR_NO_MEMORY. On failure it is still the caller's. */
spb_status spb_commands__add(spb_command_queue *queue, spb_payload *payload, spb_str device_id, size_t bytes,
                             spb_error *err);
/* The next metric in order, with the command that holds it; NULL when there is none. Both stay valid until the next
 * call.
 */
const spb_payload_metric *spb_commands__next(spb_command_queue *queue, const spb_command_entry **command);
void spb_commands__clear(spb_command_queue *queue);

#endif
