/* What the application is to be told, in order: state changes and log lines. Bounded: the oldest log lines go first. */
#ifndef SPB_OUTBOX_NOTICE_H
#define SPB_OUTBOX_NOTICE_H

#include <spb/session.h>

#include "base/error.h"
#include "base/quota.h"

#define SPB_NOTICE_CAPACITY 32

typedef struct spb_notice {
    bool is_state; /* else a log line */
    spb_session_state state;
    spb_log_level level;
    char text[300]; /* empty: no reason */
} spb_notice;

/* What something from outside can cause in any number: of each, ten lines a second are told, the rest is counted. */
typedef enum spb_flood {
    SPB_FLOOD_REFUSED,   /* commands and STATEs: each host may send thousands */
    SPB_FLOOD_TOO_LARGE, /* messages that the server does not take */
    SPB_FLOOD_JOURNAL,   /* one that is full now and then, or damaged in many places */
    SPB_FLOODS
} spb_flood;

/* Why samples are dropped, but for spb_keep, which is a choice. Of each, the first is told at once, and how many more
 * there were once in a minute. */
typedef enum spb_drop {
    SPB_DROP_OFFLINE, /* the counters of spb_stats: samples_dropped_offline, and so on */
    SPB_DROP_LOST,
    SPB_DROP_OVERFLOW, /* but for live ones that are told as SPB_FLOOD_TOO_LARGE */
    SPB_DROP_GONE,
    SPB_DROP_AGE,
    SPB_DROP_DISK,
    SPB_DROP_FULL, /* journal.dropped_full */
    SPB_DROP_DAMAGE,
    SPB_DROPS
} spb_drop;

typedef struct spb_drop_notice {
    uint64_t told;     /* of the counter */
    uint64_t quiet_ms; /* until then */
} spb_drop_notice;

typedef struct spb_notices {
    spb_notice items[SPB_NOTICE_CAPACITY];
    size_t count;
    spb_quota floods[SPB_FLOODS];
    spb_drop_notice drops[SPB_DROPS];
} spb_notices;

/* `reason` may be NULL. */
void spb_notices__state(spb_notices *notices, spb_session_state state, const char *reason);
/* The text is escaped, as servers and hosts have had a hand in it: see base/escape.h. */
void spb_notices__log(spb_notices *notices, spb_log_level level, const char *format, ...) SPB_PRINTF(3, 4);
/* The same for a line of a flood, at the level that those have. */
void spb_notices__log_some(spb_notices *notices, spb_flood flood, uint64_t now_ms, const char *format, ...)
    SPB_PRINTF(4, 5);
/* Tells how many of each flood were left out, when their second is over; when that will be. */
void spb_notices__tell_left_out(spb_notices *notices, uint64_t now_ms);
uint64_t spb_notices__left_out_ms(const spb_notices *notices);
/* Tells of what was dropped, as the counters say, and not told yet. now_ms SPB_NEVER: all of it, as nothing follows. */
void spb_notices__tell_drops(spb_notices *notices, const uint64_t counts[SPB_DROPS], uint64_t now_ms);
/* When there is something to tell of; it may be past. SPB_NEVER: nothing. */
uint64_t spb_notices__drops_ms(const spb_notices *notices, const uint64_t counts[SPB_DROPS]);
/* Moves the oldest to *out; false when there is none. */
bool spb_notices__pull(spb_notices *notices, spb_notice *out);

#endif
