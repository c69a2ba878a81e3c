/* The parts of the checker among themselves: each holds one kind of event against its rules. */
#ifndef SPB_CHECK_JUDGE_H
#define SPB_CHECK_JUDGE_H

#include <spb/payload.h>

#include "check/check.h"
#include "check/registry.h"
#include "check/rules.h"

enum { WRONG_SIZE = 240, SOURCE_SIZE = 400 };

/* What an event has broken so far. */
typedef struct pending {
    size_t count; /* how often */
    char wrong[WRONG_SIZE];
} pending;

struct check {
    registry known;
    check_finding_fn on_finding;
    void *user;
    const check_event *event;
    char source[SOURCE_SIZE];
    bool is_out_of_memory;
    check_rule_number broken[RULE_COUNT]; /* in their order */
    size_t broken_count;
    pending pending[RULE_COUNT];
};

/* A message of Sparkplug. */
typedef struct judged {
    const spb_topic *topic;
    spb_kind kind;
    scope *one;   /* the node or device */
    scope *node;  /* its node */
    client *from; /* NULL: as a subscriber got it, or not known */
    const spb_payload *payload;
} judged;

/* Notes that the event breaks the rule. What is noted first is told, with how many more there are. */
void check__report(check *c, check_rule_number rule, const char *format, ...);
/* For %.*s: at most 64 bytes of text that may not end in NUL. */
#define TEXT(text) (int)((text).len < 64 ? (text).len : 64), ((text).data ? (text).data : "")
/* Makes "group/node/device" the source of what is reported. */
void check__set_source(check *c, spb_str group, spb_str node, spb_str device);

/* topic.c: false: no topic of Sparkplug, or one that breaks the rules. */
bool check__topic(check *c, spb_str text, spb_topic *topic);
/* client.c */
void check__connect(check *c, client *from);
void check__subscribe(check *c, client *from);
void check__disconnect(check *c, client *from);
/* The first NBIRTH of a connection: what should have come before it. */
void check__client_is_node(check *c, const judged *m);
/* host.c */
void check__host_connect(check *c, client *from, spb_str host_id);
void check__host_disconnect(check *c, client *from);
void check__state(check *c, const spb_topic *topic, client *from);
/* mqtt.c: QoS and retain, and what every payload has: timestamp, seq. */
void check__mqtt(check *c, spb_kind kind);
void check__head(check *c, const judged *m);
/* payload.c: what is wrong in a payload that cannot be decoded. */
void check__undecodable(check *c, spb_kind kind, const spb_error *why);
/* session.c */
void check__session(check *c, const judged *m);
void check__rebirth_overdue(check *c, scope *node, uint64_t now_ms);
/* death.c: an NDEATH, as will or published. Its bdSeq, if it has one. */
bool check__ndeath_payload(check *c, const spb_payload *payload, uint64_t *bdseq);
/* birth.c: what a birth says of its metrics. It has been learned. */
void check__birth(check *c, const judged *m);
/* data.c: metrics of data and commands. */
void check__data(check *c, const judged *m);
void check__command(check *c, const judged *m);
/* metric.c: what holds in births and in data. `birth` is what the birth says; NULL: not known. */
void check__metric(check *c, const judged *m, const spb_payload_metric *metric, const spb_payload_metric *birth);
/* Those of the message among themselves, in births and in data. */
void check__time_order(check *c, const judged *m);
/* template.c */
void check__template(check *c, const judged *m, spb_str name, const spb_template *tmpl);

bool check__is_birth(spb_kind kind);
bool check__is_data(spb_kind kind);
bool check__is_command(spb_kind kind);
/* The integer of a bdSeq, of any integer datatype. */
bool check__bdseq_value(const spb_payload *payload, const spb_payload_metric **metric, uint64_t *number);

#endif
