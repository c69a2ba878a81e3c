/* A decoded message, ready to be shown: what text.c and json_message.c are given. */
#ifndef SPB_CLI_MESSAGE_H
#define SPB_CLI_MESSAGE_H

#include <spb/payload.h>
#include <spb/topic.h>

#include "cli/births.h"

/* How a message of a capture came. */
typedef struct message_wire {
    uint64_t packet;     /* number in the capture, from 1 */
    uint64_t connection; /* from 1 */
    bool is_to_client;   /* false: a client published it; true: the server sent it to a subscriber */
    bool retain;
    bool is_duplicate; /* the DUP flag */
    bool is_copy;      /* the same message was captured before */
    uint8_t qos;
    spb_str client;  /* client id; absent: not known */
    spb_str address; /* of the client: "10.0.0.7:40001" */
} message_wire;

typedef struct message {
    bool has_time;
    uint64_t time_ms;         /* of the capture */
    const message_wire *wire; /* NULL: not out of a capture */
    spb_str topic_text;       /* absent: a payload alone, and `topic` means nothing */
    spb_topic topic;
    const spb_payload *payload; /* NULL: a STATE message */
    spb_host_state state;
    const metric_view *metrics; /* the payload's, or their parts, as far as they are wanted */
    size_t metric_count;
    const char *remark; /* what is odd about it; "" if nothing is */
} message;

/* The datatype to show a decoded value as: its own, or while that is unknown the one closest to the field that carried
 * it. SPB_UNKNOWN: it is null, or no field carried one. */
spb_type message_type_shown(const spb_value *value);
/* The field of the schema that carried a value ("int_value"), NULL if none did; and back: SPB_WIRE_NONE if there is no
 * field of that name. */
const char *message_field_name(spb_wire wire);
spb_wire message_field_from_name(spb_str name);

#endif
