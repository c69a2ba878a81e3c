/*
 * What the births said: per node and device the metrics with their names, aliases, datatypes and units, and what makes
 * a message odd in the life of its node. Memory is bounded by the births that were seen.
 */
#ifndef SPB_CLI_BIRTHS_H
#define SPB_CLI_BIRTHS_H

#include <spb/payload.h>
#include <spb/topic.h>

typedef struct births births;
/* A node, or a device. Lives as long as the registry. */
typedef struct birth_scope birth_scope;

/* NULL: no memory. */
births *births_new(void);
void births_free(births *all);
/* The node or device of a topic that is not STATE; made if it is new. NULL: no memory. */
birth_scope *births_scope(births *all, const spb_topic *topic);

/* A birth came that cannot be read: what was known of the node, and of its devices, is out of date. */
void births_forget(birth_scope *scope);
/* A birth came. It replaces what was known; the devices of a node are unknown until their own births. The payload
 * belongs to the scope from now on, also on failure (false: no memory). */
bool births_learn(birth_scope *scope, spb_payload *birth);

/* A birth that comes later in the input than what it shall explain. It holds until the first real one; of several, the
 * first is kept. Ownership as above. */
bool births_learn_later(birth_scope *scope, spb_payload *birth);
bool births_has_later(const birth_scope *scope);

/* True the first time after a birth, or at all: so that what is missing is said once per node or device. */
bool births_first_complaint(birth_scope *scope);
bool births_is_known(const birth_scope *scope);
/* The node of a device; a node itself. */
birth_scope *births_node(birth_scope *scope);
/* 0, 1, … in the order in which nodes and devices first came. */
size_t births_number(const birth_scope *scope);

/* What is odd about the message after all earlier ones of the node: a gap in seq, data of a dead device, the death of
 * an earlier session. `remark` becomes "" if nothing is. To be called once for each message. */
void births_remark(birth_scope *scope, const spb_topic *topic, const spb_payload *payload, char *remark,
                   size_t capacity);

/* Of the message that births_remark saw last, of the node: how many before it are missing, as seq tells; at most 255.
 */
unsigned births_missing(const birth_scope *scope);

/* A metric as its birth explains it. */
typedef struct metric_view {
    const spb_payload_metric *metric; /* as it came */
    const spb_payload_metric *birth;  /* NULL: none is known */
    spb_str name;                     /* absent: an alias that no birth has explained */
    spb_str unit;                     /* property `engUnit`; absent: none */
    spb_value value;                  /* with the birth's datatype */
} metric_view;

/* `scope` may be NULL: nothing is known. SPB_OK also when name or datatype stay unknown; otherwise the value does not
 * fit the datatype of the birth, and view->value is as it came. */
spb_status births_view(const birth_scope *scope, const spb_payload_metric *metric, metric_view *view, spb_error *err);
/* The same for a member of a template that the metric `parent` (may be NULL) holds. */
void births_view_member(const metric_view *parent, const spb_payload_metric *member, metric_view *view);

#endif
