/* What the checker knows: nodes and devices with their births, aliases, sessions; connections. */
#ifndef SPB_CHECK_REGISTRY_H
#define SPB_CHECK_REGISTRY_H

#include <spb/payload.h>

#include "check/check.h"
#include "check/index.h"

typedef struct scope scope;
typedef struct client client;

/* An alias of a node, and whose it is. */
typedef struct alias_entry {
    uint64_t alias;
    const scope *owner;  /* NULL: a free place */
    uint32_t generation; /* of the owner's birth: an entry of an earlier one counts no more */
    size_t metric;
} alias_entry;

/* The session of a node. */
typedef struct session {
    int next_seq;   /* −1: not known */
    bool has_bdseq; /* of the last NBIRTH */
    uint64_t bdseq;
    bool has_past; /* the session before it, whose NDEATH did not come yet */
    uint64_t past_bdseq;
    bool has_connect; /* the last CONNECT of the node, or the NBIRTH if that was not seen */
    uint64_t connect_bdseq;
    uint64_t connection; /* of the last NBIRTH; 0: not known */
    bool had_data;       /* since the NBIRTH */
    bool is_asked;       /* for a rebirth, and has not answered */
    bool has_asked_data; /* the data since then was reported */
    bool has_died;       /* since it was asked */
    bool has_answered;   /* the last NBIRTH was an answer: its DBIRTHs are wanted */
    uint64_t asked_ms;
    alias_entry *aliases;
    size_t alias_count, alias_capacity; /* a power of 2 */
} session;

/* A node, or a device. Lives as long as the checker. */
struct scope {
    scope *node;        /* itself if it is a node */
    scope *next_device; /* of a node: its devices; of a device: the next one of the node */
    session *session;   /* of a node */
    bool is_known;      /* a node: whether it and its devices are born was seen */
    bool is_born;
    bool is_dead;        /* a device: by a DDEATH of this session */
    bool awaits_birth;   /* a device: it was born when the NBIRTH came, and has no DBIRTH since */
    uint32_t generation; /* counts births */
    spb_payload *birth;  /* NULL: none, or it cannot be read */
    check_index by_name;
    uint32_t hash;
    spb_str ids[3]; /* group, node, device (absent for a node) */
    char text[];
};

/* A client on its connection, from its CONNECT on or from the first packet that was captured. */
struct client {
    client *next;
    uint64_t number;
    bool has_connect; /* it was seen, and nothing is missing since */
    bool is_clean, has_will, will_retain, has_will_bdseq;
    uint8_t protocol_level, will_qos;
    uint32_t session_expiry_s;
    uint64_t will_bdseq;
    char *will_topic;           /* with a NUL */
    scope *node;                /* the edge node that it is; NULL: none, or not yet known */
    char *host_id;              /* the host that it is, by its will or its STATE */
    uint64_t host_timestamp_ms; /* of the will */
    bool has_host_timestamp;
    bool has_birth;     /* an NBIRTH, or STATE of a host, was published */
    bool has_published; /* anything of Sparkplug */
    bool has_death;     /* an NDEATH was published since, or an offline STATE */
    bool is_closed;
    char **filters; /* subscribed to, each with its QoS as the first character */
    size_t filter_count;
};

enum { CONNECTION_BUCKETS = 1024, MAX_FILTERS = 1024 };

typedef struct registry {
    scope **scopes;
    size_t count, capacity;
    check_index by_ids;
    check_index by_lower_ids; /* the same without case */
    client *connections[CONNECTION_BUCKETS];
    size_t closed_count;
} registry;

bool registry_init(registry *s);
void registry_clear(registry *s);

/* The node or device of a topic that is not STATE; made if it is new. *twin: another one whose IDs differ in case only,
 * if this one is new. NULL: no memory. */
scope *registry_scope(registry *s, const spb_topic *topic, const scope **twin);
/* Nothing is known of the node and its devices any more. */
void registry_forget(scope *node);
/* A birth, which belongs to the scope from now on, replaces what was known; NULL: it has none. False: no memory. */
bool scope_learn(scope *one, spb_payload *birth);
/* NULL: its birth has none, or is not known. */
const spb_payload_metric *scope_find_name(const scope *one, spb_str name);
/* The owner of an alias of the node; NULL: nobody. */
const scope *scope_find_alias(const scope *node, uint64_t alias, const spb_payload_metric **metric);
/* Notes that metric `index` of the birth of `owner` has this alias. False: no memory. */
bool scope_add_alias(scope *owner, uint64_t alias, size_t index);

/* Made if it is new. NULL: no memory. */
client *registry_connection(registry *s, uint64_t number);
bool client_subscribe(client *one, spb_str filter, uint8_t qos);
/* Whether a subscription covers the topic, with that QoS or any (0). */
bool client_covers(const client *one, const char *topic, uint8_t min_qos);
void client_reset(client *one);
void registry_close(registry *s, client *one);
void registry_clear_connections(registry *s);

#endif
