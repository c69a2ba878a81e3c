/*
 * The verdict: holds what the host heard (the ledger) against what the node owes (the account) and against the rules of
 * Sparkplug. It reads payloads with protobuf-c and shares no code with the library.
 */
#ifndef CHAOS_VERDICT_H
#define CHAOS_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "chaos/account.h"
#include "chaos/ledger.h"

typedef enum verdict_rule {
    VERDICT_LOST,      /* a sample that is owed never came */
    VERDICT_UNCOUNTED, /* more is missing, or came twice, than the node's counters tell */
    VERDICT_STRANGER,  /* a sample came that was never handed to the library */
    VERDICT_DUPLICATE, /* a sample came twice in one session, or more came twice than may be in flight */
    VERDICT_ORDER,     /* live samples of a metric, or those replayed in one session, go back */
    VERDICT_FLAG,      /* is_historical is missing, or wrong */
    VERDICT_TIME,      /* not the sample's timestamp */
    VERDICT_VALUE,     /* not the sample's value, or of another metric, or another datatype */
    VERDICT_UNBORN,    /* data without the births before it */
    VERDICT_SEQ,       /* not the next seq */
    VERDICT_BDSEQ,     /* not the bdSeq of the session */
    VERDICT_DEATH,     /* a session ended without an NDEATH, though the server lived */
    VERDICT_ALIAS,     /* a metric's alias has changed, or two have the same */
    VERDICT_PAYLOAD,   /* cannot be read, or something required is not in it */
    VERDICT_RULES
} verdict_rule;

const char *verdict_rule_name(verdict_rule rule);

typedef struct verdict_options {
    bool owes_flushed;         /* the process was killed: owed is what a flush called safe; else what was accepted */
    bool may_overflow;         /* the link was slow at times: samples newer than the birth may be replayed, too */
    uint64_t max_resent_bytes; /* of metrics that may come twice when a connection is lost, */
    uint64_t host_bytes;       /* and so much more when the primary host was, or the process was killed, */
    uint64_t killed_bytes;     /* and still more in the latter case */
    bool has_trace;            /* report when samples of a metric come, to look into a run */
    unsigned trace;            /* which */
} verdict_options;

typedef struct verdict_numbers {
    uint64_t owed, arrived, only_in_births, live, replayed, duplicates;
    uint64_t most_resent_bytes, most_resent_after_host, most_resent_after_kill; /* for one end of a session */
    uint64_t overflowed; /* replayed, and newer than the birth: not live because the link was slow */
    uint64_t reordered;  /* replayed behind newer ones, as the primary host was lost */
    uint64_t messages, sessions, births, deaths, unset_times;
    uint64_t missing; /* accepted, whether owed or not, and never came */
    uint64_t broken[VERDICT_RULES];
} verdict_numbers;

typedef struct verdict verdict;

/* The account is borrowed. Texts of broken rules are written to `report`, the first ones of each; NULL: nowhere. */
verdict *verdict_new(const chaos_account *account, const verdict_options *options, FILE *report);
void verdict_free(verdict *self);
/* The next record of the ledger. Marks: `broker killed`, `host killed`; others are skipped. */
void verdict_hear(verdict *self, const chaos_record *record);
/* What can only be said at the end. True when no rule is broken. */
bool verdict_finish(verdict *self);
const verdict_numbers *verdict_get(const verdict *self);

#endif
