/* What the application is to be told, in order: state changes and log lines. Bounded: the oldest log lines go first. */
#ifndef SPB_OUTBOX_NOTICE_H
#define SPB_OUTBOX_NOTICE_H

#include <spb/session.h>

#include <stdarg.h>

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
/* The text is escaped, as servers and hosts have had a hand in it: see base/escape.h. */
void spb_notices__log(spb_notices *notices, spb_log_level level, const char *format, ...) SPB_PRINTF(3, 4);
void spb_notices__vlog(spb_notices *notices, spb_log_level level, const char *format, va_list args) SPB_PRINTF(3, 0);
/* Moves the oldest to *out; false when there is none. */
bool spb_notices__pull(spb_notices *notices, spb_notice *out);

#endif
