/* Payloads out of the JSON that json_message.h writes: the way back. */
#ifndef SPB_CLI_JSON_PAYLOAD_H
#define SPB_CLI_JSON_PAYLOAD_H

#include <spb/payload.h>

#include "cli/json_reader.h"

/* The array `metrics`. The payload points into the reader's memory and tree. */
bool json_read_metrics(json_reader *r, const json_node *node, const json_place *at, spb_payload *out);
/* A value of that datatype, of the kind that JSON gives it. */
bool json_read_value(json_reader *r, const json_node *node, const json_place *at, spb_type type, spb_value *out);
/* {KEY: {type, …}, …} */
bool json_read_properties(json_reader *r, const json_node *node, const json_place *at, spb_property_set *out);
/* The keys that say what a value is. */
typedef struct json_content {
    const json_node *type, *type_number, *is_null, *field, *value;
} json_content;
/* `holder`: what has these keys. */
bool json_read_content(json_reader *r, const json_node *holder, const json_place *at, const json_content *content,
                       spb_value *out);
/* {version, template_ref, is_definition, metrics, parameters} */
bool json_read_template(json_reader *r, const json_node *node, const json_place *at, const spb_template **out);

#endif
