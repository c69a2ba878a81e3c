/* Reading values out of a JSON tree, with errors that name the path to them. */
#ifndef SPB_CLI_JSON_READER_H
#define SPB_CLI_JSON_READER_H

#include "cli/json_tree.h"
#include "cli/pool.h"

/* Where a value stands; a chain on the stack, innermost first. */
typedef struct json_place {
    const struct json_place *up; /* NULL: the whole text */
    spb_str key;                 /* absent: element `index` of an array */
    size_t index;
} json_place;

typedef struct json_reader {
    const json_tree *tree;
    pool *memory; /* what the results point to lives there, or in the tree */
    spb_error *err;
} json_reader;

/* All functions: false, and *r->err says "path: what is wrong", with the place in the text. */

/* Always false. `node` NULL: no place in the text. */
bool json_fail(json_reader *r, const json_node *node, const json_place *at, spb_status status, const char *format, ...);
bool json_no_memory(json_reader *r);
/* The members of an object: found[i] is the one called names[i], or NULL. No others, and none twice, may be there. */
bool json_members(json_reader *r, const json_node *node, const json_place *at, const char *const *names, size_t count,
                  const json_node **found);
bool json_is_kind(json_reader *r, const json_node *node, const json_place *at, json_kind kind);
/* `node` may be NULL: *out is left as it is. */
bool json_get_bool(json_reader *r, const json_node *node, const json_place *at, bool *out);
bool json_get_str(json_reader *r, const json_node *node, const json_place *at, spb_str *out);
bool json_get_bytes(json_reader *r, const json_node *node, const json_place *at, spb_bytes *out);
/* An integer from min to max; `what` names the range in the error ("Int8"). */
bool json_get_u64(json_reader *r, const json_node *node, const json_place *at, uint64_t max, const char *what,
                  uint64_t *out);
bool json_get_i64(json_reader *r, const json_node *node, const json_place *at, int64_t min, int64_t max,
                  const char *what, int64_t *out);
/* Numbers, and the strings "NaN", "Infinity" and "-Infinity". */
bool json_get_float(json_reader *r, const json_node *node, const json_place *at, float *out);
bool json_get_double(json_reader *r, const json_node *node, const json_place *at, double *out);

/* The first element or member of a node that has one, and the one behind `node`. */
static inline const json_node *json_first(const json_node *node) {
    return node + 1;
}
static inline const json_node *json_behind(const json_tree *tree, const json_node *node) {
    return &tree->nodes[node->next];
}

#endif
