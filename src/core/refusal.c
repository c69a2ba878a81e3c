/* Decides how many log lines peers can cause: each host may send thousands of commands in a second, and each may be
 * refused.
 */
#include <stdarg.h>

#include "core/session.h"

#define MAX_LINES_PER_S 10

void spb_session__log_refusal(spb_session *session, spb_time now, const char *format, ...) {
    spb_session__tell_refusals(session, now);
    if (!spb_quota__take(&session->refusals, MAX_LINES_PER_S, now.mono_ms)) {
        return;
    }
    va_list args;
    va_start(args, format);
    spb_notices__vlog(&session->notices, SPB_LOG_WARNING, format, args);
    va_end(args);
}

/* A session that was stopped has no deadline any more: it tells at once. */
void spb_session__tell_refusals(spb_session *session, spb_time now) {
    uint64_t now_ms = session->state == SPB_SESSION_STOPPED ? SPB_NEVER : now.mono_ms;
    uint64_t left_out = spb_quota__tell(&session->refusals, now_ms);
    if (left_out > 0) {
        spb_notices__log(&session->notices, SPB_LOG_WARNING, "refused in the same second: %llu more commands or STATEs",
                         (unsigned long long)left_out);
    }
}
