/*
 * A JSON text as a tree of nodes. Numbers stay as they are written, so that the reader of a number chooses its type:
 * jansson has neither the upper half of UInt64, nor the digits of a Float, nor a NUL in a key, all of which
 * `spb decode --json` writes.
 */
#ifndef SPB_CLI_JSON_TREE_H
#define SPB_CLI_JSON_TREE_H

#include <stdbool.h>

#include <spb/value.h>

typedef enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } json_kind;

typedef struct json_node {
    json_kind kind;
    bool boolean;
    spb_str key;   /* of a member of an object */
    spb_str text;  /* a string without its escapes; a number as it is written */
    size_t offset; /* where it stands in the text */
    size_t count;  /* elements or members; the first one follows the node itself */
    size_t next;   /* index of the node behind it and all that it holds */
} json_node;

typedef struct json_tree {
    json_node *nodes; /* nodes[0]: the value itself */
    size_t count, capacity;
    char *strings; /* those with escapes */
    size_t string_len, string_capacity;
} json_tree;

enum { JSON_TREE_MAX_DEPTH = 256 };

/* `tree` is zeroed, or was filled before: its memory is used again. The nodes borrow from the text. SPB_ERR_MALFORMED:
 * not one JSON value (RFC 8259), with the place in err->offset. SPB_ERR_LIMIT: nested too deep. SPB_ERR_NO_MEMORY. */
spb_status json_tree_parse(json_tree *tree, spb_str text, spb_error *err);
void json_tree_clear(json_tree *tree);
/* "an object", "a string": for messages. */
const char *json_kind_name(json_kind kind);

#endif
