/* The devices and metrics of a session: found by name or alias in constant time, kept in the order of definition. */
#ifndef SPB_CORE_TABLE_H
#define SPB_CORE_TABLE_H

#include "base/buckets.h"
#include "base/ranges.h"
#include "core/alias.h"
#include "core/metric.h"
#include "outbox/outbox.h"

#include <spb/session.h>

/* A holder of metrics: a device, or (with an empty id) the node itself. */
struct spb_device {
    spb_session *session;
    spb_entity *entity; /* what becomes of its samples; NULL once it is removed and has nothing left to say */
    spb_device *next;   /* in the order of definition */
    spb_device *previous;
    spb_bucket_link in_table; /* of the node, its hash alone */
    spb_list_link in_births;  /* it wants a DBIRTH */
    spb_list_link in_deaths;  /* it wants a DDEATH */
    spb_metric *first_metric;
    spb_metric *last_metric;
    uint64_t birth_due_ms; /* while it stands in births */
    uint64_t sequence;     /* the number of the NBIRTH that its last birth followed */
    size_t birth_bytes;    /* of the payload of its birth: as measured last, with what was added since; 0: never */
    uint32_t number;       /* one after the other */
    uint32_t id_len;
    bool is_online;   /* as the application says */
    bool is_born;     /* hosts know it: there was a birth in this connection, and no death since */
    bool has_dropped; /* some of its metrics are behind */
    bool is_removed;  /* out of the table: its DDEATH is all that is left to do */
    char id[];        /* ends in NUL */
};

typedef struct spb_table {
    spb_session *session;
    spb_device *node;
    spb_device *last_device; /* the devices follow the node in its `next` chain */
    spb_buckets devices;     /* but for the node */
    uint32_t last_number;    /* of a device */
    spb_buckets metrics;     /* of all of them */
    spb_metric **by_alias;   /* by_alias[alias - 1] */
    size_t by_alias_capacity;
    uint32_t last_alias; /* the highest ever given; none is given twice */
    spb_buckets retired; /* those that have no metric at present: see alias.h */
    spb_ranges unsaved;  /* those that the store does not have yet */
    bool no_aliases;
    bool keeps_aliases; /* for ever, in the store */
} spb_table;

/* SPB_ERR_NO_MEMORY: nothing to clear. */
spb_status spb_table__init(spb_table *table, spb_session *session, bool no_aliases, spb_error *err);
/* An alias of an earlier run. SPB_ERR_ARGUMENT: 0, too high, or given already; SPB_ERR_NO_MEMORY. */
spb_status spb_table__adopt_alias(spb_table *table, const spb_alias *alias);
void spb_table__clear(spb_table *table);
/* Without an entity; the ID was checked. SPB_ERR_EXISTS, SPB_ERR_NO_MEMORY. */
spb_status spb_table__add_device(spb_table *table, spb_device **out, spb_str id, spb_error *err);
/* Takes the metric over and gives it an alias. SPB_ERR_EXISTS, SPB_ERR_NO_MEMORY, SPB_ERR_LIMIT: then it is still the
 * caller's. */
spb_status spb_table__add_metric(spb_table *table, spb_device *holder, spb_metric *metric, spb_error *err);
/* Takes it out, for the caller to free; the metric's name is free again, its alias is not: unless aliases are kept,
 * then a metric of that name and datatype gets it again. */
void spb_table__unlink_metric(spb_table *table, spb_metric *metric);
/* The same for a device with all its metrics, which it keeps. Not for the node. */
void spb_table__unlink_device(spb_table *table, spb_device *device);
/* It, and all behind it, with their metrics; `first` may be NULL. */
void spb_device__free_all(spb_device *first);
/* NULL if there is none. */
spb_device *spb_table__find_device(const spb_table *table, spb_str id);
spb_metric *spb_table__find_metric(const spb_table *table, const spb_device *holder, spb_str name);
spb_metric *spb_table__find_alias(const spb_table *table, uint64_t alias);
/* The metric of that holder, by its name, or where that is absent, by its alias. */
spb_metric *spb_table__find(const spb_table *table, const spb_device *holder, spb_str name, uint64_t alias);
/* Also of a metric that was removed: blocks of the journal may name it. False: nobody's any more. */
bool spb_table__whose_alias(const spb_table *table, uint32_t alias, spb_alias *out);

bool spb_device__is_node(const spb_device *device);
spb_str spb_device__id_view(const spb_device *device);

#endif
