/*
 * Sums over all messages: of each node, and of all together; as text for people, or as JSON lines.
 *
 * JSON: one object for each node, in the order in which they came: {group, node, devices, first, last (ms since 1970),
 * messages: {NBIRTH: …, all}, metrics, historical, payload_bytes, largest_payload, sequence_gaps, missing_messages};
 * and a last one: {nodes, messages: {…}, …, as above}, which for a capture also has capture: {packets, bytes, segments,
 * repeated_segments, early_segments, gaps, lost_bytes, skipped_bytes, connections, mqtt_connections, tls_connections,
 * copies}. A gap is a message whose seq is not the expected one; missing_messages are those that seq passed over.
 */
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
