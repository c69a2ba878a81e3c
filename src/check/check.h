/*
 * What the Sparkplug 3.0 specification demands and what can be seen from outside: a stream of MQTT events is held
 * against a table of rules. Pure: no I/O, no clock; time comes with the events. Memory is bounded by the live state:
 * births of nodes and devices, connections that are open.
 *
 * What was before the stream began is not known, and is no finding: a node is judged by what was seen of it.
 */
#ifndef SPB_CHECK_CHECK_H
#define SPB_CHECK_CHECK_H

#include <spb/topic.h>
#include <spb/value.h>

typedef enum check_level { CHECK_MUST, CHECK_SHOULD } check_level;

/* `also`: further requirements, separated by blanks, that say the same, or a part of it. An id that begins with `spb-`
 * is ours: it follows from the specification, which has no id for it. */
typedef struct check_rule {
    const char *id;
    const char *also;
    check_level level;
    const char *right; /* what would be right: one sentence without a full stop */
} check_rule;

const check_rule *check_rules(size_t *count);

typedef enum check_event_kind {
    CHECK_CONNECT,
    CHECK_SUBSCRIBE, /* one filter of it */
    CHECK_PUBLISH,
    CHECK_DISCONNECT,
    CHECK_CLOSED, /* the connection ended */
    CHECK_GAP     /* something is missing here: what was known of who speaks here is out of date */
} check_event_kind;

typedef struct check_will {
    spb_str topic;
    spb_bytes payload;
    uint8_t qos;
    bool retain;
} check_will;

/* Everything in it is borrowed for the call. */
typedef struct check_event {
    check_event_kind kind;
    uint64_t number; /* for people: of the packet, line or message; not 0 */
    bool has_time;
    uint64_t time_ms;
    uint64_t connection; /* 0: not known, and only CHECK_PUBLISH makes sense */
    bool from_client;    /* on its way to the server; false: as a subscriber got it */
    bool has_mqtt;       /* CHECK_PUBLISH: qos and retain are known */
    union {
        struct {
            uint8_t protocol_level; /* 4: MQTT 3.1.1, 5: MQTT 5 */
            bool is_clean;
            uint32_t session_expiry_s;
            bool has_will;
            check_will will;
        } connect;
        struct {
            spb_str filter;
            uint8_t qos;
        } subscribe;
        check_will publish; /* not a will, but of the same parts */
        struct {
            uint8_t reason; /* MQTT 5 */
        } disconnect;
    } as;
} check_event;

/* One finding for each rule that an event breaks, however often it does. */
typedef struct check_finding {
    size_t rule; /* its place in the table */
    uint64_t number;
    bool has_time;
    uint64_t time_ms;
    const char *source; /* "Plant1/Gateway7/Press", or a client or topic; UTF-8 as it came */
    const char *wrong;  /* what is wrong: one sentence without a full stop */
} check_finding;

/* The finding is borrowed for the call. */
typedef void (*check_finding_fn)(const check_finding *finding, void *user);

typedef struct check check;

/* NULL: no memory. */
check *check_new(check_finding_fn on_finding, void *user);
void check_free(check *c);
/* False: no memory; what was known of the node may be out of date. */
bool check_event_add(check *c, const check_event *event);
/* The stream ends at this time: what should have come by now is missing. */
void check_end(check *c, uint64_t time_ms);

#endif
