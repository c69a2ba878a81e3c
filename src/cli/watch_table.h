/*
 * The newest value of each metric, and which nodes and devices are online: what `spb watch` shows. Messages go in, time
 * with them; nothing is read or written here. Memory is bounded by the births that are known.
 */
#ifndef SPB_CLI_WATCH_TABLE_H
#define SPB_CLI_WATCH_TABLE_H

#include <spb/payload.h>

#include "cli/filter.h"
#include "cli/watch_rows.h"

typedef struct watch_table watch_table;

/* What is told beside the rows; each may be NULL. */
typedef struct watch_listener {
    /* A value came. */
    void (*on_value)(const watch_row *row, void *user);
    /* A node or device was born, or has died. */
    void (*on_life)(const char *source, bool is_online, uint64_t time_ms, void *user);
    /* Data of a node whose birth is not known, once until it comes; the IDs are borrowed for the call. */
    void (*on_unknown)(const spb_topic *node, void *user);
    /* What cannot be read. */
    void (*on_bad)(const char *text, void *user);
    void *user;
} watch_listener;

/* `wanted` (group, node, device, metric) and the listener's strings are borrowed. NULL: no memory. */
watch_table *watch_table_new(filter *wanted, const watch_listener *listener);
void watch_table_free(watch_table *t);
/* A message that came at time_ms. False: no memory. */
bool watch_table_message(watch_table *t, spb_str topic, spb_bytes payload, uint64_t time_ms);
/* Messages may be missing from here on: a node whose seq does not go on is unknown until its next birth. */
void watch_table_gap(watch_table *t);

size_t watch_table_count(const watch_table *t);
/* Borrowed until the next message. */
const watch_row *watch_table_row(const watch_table *t, size_t i);
/* Changes with each change of the rows. */
uint64_t watch_table_version(const watch_table *t);
void watch_table_nodes(const watch_table *t, size_t *known, size_t *online);
/* True while the birth of that node is not known. */
bool watch_table_is_unknown(const watch_table *t, const spb_topic *node);

#endif
