/* What the verdict remembers, for its parts: verdict.c, verdict_session.c (births, deaths and numbers of messages) and
 * verdict_sample.c (what becomes of each sample). */
#ifndef CHAOS_VERDICT_STATE_H
#define CHAOS_VERDICT_STATE_H

#include "chaos/verdict.h"
#include "sparkplug_b.pb-c.h"

#define VERDICT_MAX_ALIAS 4096
#define VERDICT_NONE (-1)

/* How a sample came. */
#define VERDICT_LIVE 1u
#define VERDICT_REPLAYED 2u
#define VERDICT_BORN 4u

typedef struct verdict_seen {
    uint32_t session; /* in which it came last, as data */
    uint32_t how;     /* VERDICT_LIVE … */
} verdict_seen;

typedef struct verdict_metric {
    verdict_seen *seen; /* by number */
    uint64_t capacity;
    int64_t last_live;     /* numbers; VERDICT_NONE */
    int64_t last_replayed; /* in this session */
    int64_t floor;         /* all up to this one are older than the first birth of this session */
    int64_t lost_floor;    /* and these older than that after the primary host was lost last */
    int64_t alias;
} verdict_metric;

/* What came again although it had come before this session's end. */
typedef struct verdict_end {
    uint64_t bytes;
    bool is_killed, is_host_lost;
} verdict_end;

typedef struct verdict_session {
    bool is_open;      /* an NBIRTH came, and no NDEATH */
    bool is_heard;     /* the host has listened since the NBIRTH */
    bool is_set;       /* the last NBIRTH has a time after 2020 */
    uint64_t bdseq;    /* of the last NBIRTH, */
    uint64_t began_ms; /* and when the first one of this session came */
    uint64_t seq;
    int64_t life;
    uint64_t deaths_unheard; /* sessions that ended without NDEATH */
    uint64_t broker_kills;
    uint64_t disk_failed_ms; /* when the disk began to fail last */
} verdict_session;

struct verdict {
    const chaos_account *account;
    verdict_options options;
    FILE *report;
    verdict_numbers numbers;
    verdict_metric metrics[CHAOS_MAX_METRICS];
    int alias_owner[VERDICT_MAX_ALIAS]; /* metric + 1; 0: nobody */
    bool is_born[CHAOS_MAX_METRICS];    /* by holder */
    bool has_floor[CHAOS_MAX_METRICS];  /* by holder: born in this session, and not dead since */
    verdict_session session;
    verdict_end *ends; /* by session */
    uint32_t end_count, end_capacity;
    uint64_t time_ms; /* of the record under way */
    const char *topic;
};

/* A message under way. */
typedef struct verdict_message {
    const Spb__Pb__Payload *payload;
    unsigned holder;
} verdict_message;

void verdict_break(verdict *self, verdict_rule rule, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line in the report, when something is traced. */
void verdict_trace(verdict *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The metric of the account that this is, by alias or name; -1: none, and if it ought to be one a rule is broken. */
int verdict_find(verdict *self, unsigned holder, const Spb__Pb__Payload__Metric *metric);
void verdict_nbirth(verdict *self, const verdict_message *message);
void verdict_dbirth(verdict *self, const verdict_message *message);
void verdict_ddeath(verdict *self, const verdict_message *message);
void verdict_ndeath(verdict *self, const verdict_message *message);
void verdict_data(verdict *self, const verdict_message *message);
/* The host was away: what it hears until the next NBIRTH may lack its beginning. */
void verdict_host_killed(verdict *self);

/* One metric of a message with a value. `how` is VERDICT_BORN, or VERDICT_LIVE for data; its flag says which. Returns
 * its number, or VERDICT_NONE. */
int64_t verdict_sample(verdict *self, unsigned metric, const Spb__Pb__Payload__Metric *item, uint32_t how);
/* What never came. */
void verdict_count_missing(verdict *self);
void verdict_check_ends(verdict *self);
/* Room for one more session. */
void verdict_begin_session(verdict *self);

#endif
