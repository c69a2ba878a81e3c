/* What the application is to be told, in order: state changes and log lines. Bounded: the oldest log lines go first. */
#ifndef SPB_OUTBOX_NOTICE_H
#define SPB_OUTBOX_NOTICE_H

#include <spb/session.h>

#include "base/error.h"

#define SPB_NOTICE_CAPACITY 32

typedef struct spb_notice {
    bool is_state; /* else a log line */
    spb_session_state state;
    spb_log_level level;
    char text[300]; /* empty: no reason */
} spb_notice;

typedef struct spb_notices {
    spb_notice items[SPB_NOTICE_CAPACITY];
    size_t count;
} spb_notices;

/* `reason` may be NULL. */
void spb_notices__state(spb_notices *notices, spb_session_state state, const char *reason);
void spb_notices__log(spb_notices *notices, spb_log_level level, const char *format, ...) SPB_PRINTF(3, 4);
/* Moves the oldest to *out; false when there is none. */
bool spb_notices__pull(spb_notices *notices, spb_notice *out);

#endif
