/* A stream of MQTT events for the checker, written in a few words, and what it finds in it. */
#ifndef SPB_TEST_CHECK_STREAM_H
#define SPB_TEST_CHECK_STREAM_H

#include "check/check.h"
#include "check/rules.h"

/* The time of all that is right, and pieces of JSON as `spb encode` reads it, with ' in place of ". */
#define T "1700000000000"
#define METRIC(name, rest) "{'name':'" name "','timestamp':" T "," rest "}"
#define DATA(alias, value)                                                                                             \
    "{'alias':" #alias ",'timestamp':" T ",'type':'Double','from_birth':['type'],'value':" #value "}"
#define BDSEQ METRIC("bdSeq", "'type':'Int64','value':0")
#define REBIRTH METRIC("Node Control/Rebirth", "'type':'Boolean','value':false")
#define MESSAGE(seq, metrics) "{'timestamp':" T ",'seq':" #seq ",'metrics':[" metrics "]}"
#define NBIRTH_WITH(more) MESSAGE(0, BDSEQ "," REBIRTH more)
#define NBIRTH NBIRTH_WITH("")
#define DBIRTH MESSAGE(1, METRIC("t", "'alias':1,'type':'Double','value':1"))
#define NDEATH "{'timestamp':" T ",'metrics':[" BDSEQ "]}"
#define COMMAND(metrics) "{'timestamp':" T ",'metrics':[" metrics "]}"
#define ASK COMMAND("{'name':'Node Control/Rebirth','type':'Boolean','from_birth':['type'],'value':true}")

/* One case: what breaks the rule, and, with `right`, its twin that breaks nothing. */
typedef struct check_case {
    check_rule_number rule;
    void (*play)(bool right);
    check_rule_number also; /* broken with it; the same if nothing else is */
} check_case;

/* In tests/support/check_cases_*.c. */
extern const check_case check_cases_client[], check_cases_session[], check_cases_payload[];
extern const size_t check_cases_client_count, check_cases_session_count, check_cases_payload_count;

void stream_begin(void);
void stream_end(void);
/* So many findings of the rule so far, and of all rules; the words of the last one. */
size_t stream_found(check_rule_number rule);
size_t stream_found_all(void);
const char *stream_last_wrong(void);
const char *stream_last_source(void);

/* The clock of the events, in ms since T. */
void stream_at(uint64_t ms);
/* The node g/n: its CONNECT on connection 1, as it should be; to be changed, and added. */
check_event stream_connect(void);
/* The host h on connection 2. */
check_event stream_host_connect(void);
check_event stream_subscribe(uint64_t connection, const char *filter, uint8_t qos);
check_event stream_event(check_event_kind kind, uint64_t connection);
/* A message of node g/n, device d for the kinds that have one, as it should be. JSON with ' for "; `json` NULL: no
 * payload. Borrowed until the next one. */
check_event stream_message(const char *kind, const char *json);
void stream_add(check_event event);
void stream_send(const char *kind, const char *json);
/* Any topic; hex. */
void stream_send_hex(const char *topic, const char *hex);

/* A protobuf message, field by field: for what the encoder refuses to write. */
typedef struct raw {
    uint8_t bytes[512];
    size_t len;
} raw;
void raw_number(raw *to, unsigned field, uint64_t number);
void raw_text(raw *to, unsigned field, const char *text);
void raw_add(raw *to, unsigned field, const raw *inner);
void stream_send_raw(const char *topic, const raw *payload);
/* CONNECT, SUBSCRIBE; the births, too. */
void stream_connected(void);
void stream_born(void);
/* A line of MQTT (as.publish) that is not of a client, but as a subscriber gets it. */
check_event stream_received(const char *kind, const char *json);

#endif
