/*
 * Sparkplug topics: spBv1.0/GROUP/KIND/NODE[/DEVICE], and spBv1.0/STATE/HOST.
 * Pure functions; any thread.
 */
#ifndef SPB_TOPIC_H
#define SPB_TOPIC_H

#include <spb/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPB_NAMESPACE "spBv1.0"

/* The nine kinds of messages. */
typedef enum spb_kind {
    SPB_KIND_NBIRTH, /* birth of an edge node */
    SPB_KIND_NDEATH, /* death of an edge node */
    SPB_KIND_NDATA,  /* data of an edge node */
    SPB_KIND_NCMD,   /* command to an edge node */
    SPB_KIND_DBIRTH, /* birth of a device */
    SPB_KIND_DDEATH, /* death of a device */
    SPB_KIND_DDATA,  /* data of a device */
    SPB_KIND_DCMD,   /* command to a device */
    SPB_KIND_STATE   /* a host application is online or offline */
} spb_kind;

/* "NBIRTH" … "STATE". */
SPB_API const char *spb_kind_name(spb_kind kind);
/* DBIRTH, DDEATH, DDATA, DCMD: the topic has a device part. */
SPB_API bool spb_kind_is_device(spb_kind kind);

typedef struct spb_topic {
    spb_kind kind;
    spb_str group_id;  /* absent for STATE */
    spb_str node_id;   /* absent for STATE */
    spb_str device_id; /* present exactly for the D kinds */
    spb_str host_id;   /* present exactly for STATE */
} spb_topic;

/*
 * Checks one ID (group, edge node, device, host): UTF-8, not empty, none of + / # and no control character NUL
 * (tck-id-topic-structure-namespace-valid-group-id and its siblings). `what` names it in the error ("group ID").
 * SPB_ERR_NAME.
 */
SPB_API spb_status spb_id_check(spb_str id, const char *what, spb_error *err);

/*
 * Splits a topic. The parts are views into `text`. SPB_ERR_NAME: not a Sparkplug topic, with the reason in err->text
 * and the byte in err->offset.
 */
SPB_API spb_status spb_topic_parse(spb_topic *out, spb_str text, spb_error *err);

/*
 * Writes the topic with a NUL into buffer[capacity] and its length into *len (which may be NULL).
 * SPB_ERR_NAME: an ID breaks a rule, or a part is missing or superfluous. SPB_ERR_LIMIT: the buffer is too small, or
 * the topic is longer than MQTT's 65,535 bytes.
 */
SPB_API spb_status spb_topic_format(const spb_topic *topic, char *buffer, size_t capacity, size_t *len, spb_error *err);

/* The payload of STATE messages (tck-id-host-topic-phid-birth-payload): JSON, not protobuf. */
typedef struct spb_host_state {
    bool online;
    uint64_t timestamp_ms;
} spb_host_state;

/*
 * Reads {"online":bool,"timestamp":ms}: any order, white space and further keys are fine.
 * SPB_ERR_MALFORMED: not JSON, a key twice, or one of the two missing or of another type (the timestamp is an integer
 * ≥ 0). SPB_ERR_LIMIT: over 4 KiB, or nested deeper than 32. SPB_ERR_NO_MEMORY.
 */
SPB_API spb_status spb_host_state_parse(spb_host_state *out, spb_bytes json, spb_error *err);
/* Writes the JSON with a NUL. SPB_ERR_LIMIT: the buffer is too small (64 bytes always suffice). */
SPB_API spb_status spb_host_state_format(const spb_host_state *state, char *buffer, size_t capacity, size_t *len,
                                         spb_error *err);

#ifdef __cplusplus
}
#endif

#endif
