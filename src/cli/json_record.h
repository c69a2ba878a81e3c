/* A message out of the JSON that json_message.h writes, ready to be encoded. */
#ifndef SPB_CLI_JSON_RECORD_H
#define SPB_CLI_JSON_RECORD_H

#include <spb/payload.h>
#include <spb/topic.h>

#include "cli/json_tree.h"
#include "cli/pool.h"

typedef struct json_record {
    bool has_time;
    uint64_t time_ms; /* of the capture */
    spb_str topic;    /* absent: a payload alone */
    bool is_state;    /* then `state` counts, else `payload` */
    spb_host_state state;
    spb_payload payload;
} json_record;

/* What the record points to lives in the tree, its text, and the pool. Errors name the path ("metrics[2].value"). */
spb_status json_record_read(json_record *out, const json_tree *tree, pool *memory, spb_error *err);
/* The bytes of its payload, in the pool. */
spb_status json_record_encode(const json_record *record, pool *memory, spb_bytes *out, spb_error *err);

#endif
