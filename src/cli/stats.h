/* Sums over all messages: of each node, and of all together; as text for people, or as JSON lines, whose keys are in
 * the section SUMS of src/cli/help/decode.txt. */
#ifndef SPB_CLI_STATS_H
#define SPB_CLI_STATS_H

#include "cli/feed.h"
#include "cli/message.h"
#include "cli/out.h"

enum { STATS_KINDS = SPB_KIND_STATE + 1 };

typedef struct stats_sums {
    uint64_t messages[STATS_KINDS]; /* by spb_kind */
    uint64_t alone;                 /* payloads without a topic */
    uint64_t metrics, historical;
    uint64_t payload_bytes, largest_payload;
    uint64_t gaps, missing;
    bool has_time;
    uint64_t first_ms, last_ms;
} stats_sums;

typedef struct stats_node stats_node;

typedef struct stats {
    stats_node *nodes; /* by their births_number; those of devices stay empty */
    size_t capacity;
    stats_sums all;
} stats;

/* `scope`: of its topic; NULL: of a host, or a payload alone. False: no memory. */
bool stats_add(stats *s, const message *m, birth_scope *scope, size_t payload_bytes);
void stats_write_text(const stats *s, const feed_counts *counts, out *to);
void stats_write_json(const stats *s, const feed_counts *counts, out *to);
void stats_clear(stats *s);

#endif
