/* Decides how many log lines peers and samples can cause: each host may send thousands of commands in a second, and
 * each may be refused; so may each message of a stream that is larger than the server takes.
 */
#include <stdarg.h>

#include "core/refusal.h"

#define MAX_LINES_PER_S 10

static void SPB_PRINTF(5, 0) log_some(spb_session *session, spb_quota *quota, spb_log_level level, spb_time now,
                                      const char *format, va_list args) {
    spb_session__tell_left_out(session, now);
    if (spb_quota__take(quota, MAX_LINES_PER_S, now.mono_ms)) {
        spb_notices__vlog(&session->notices, level, format, args);
    }
}

void spb_session__log_refusal(spb_session *session, spb_time now, const char *format, ...) {
    va_list args;
    va_start(args, format);
    log_some(session, &session->refusals, SPB_LOG_WARNING, now, format, args);
    va_end(args);
}

void spb_session__log_too_large(spb_session *session, spb_time now, const char *format, ...) {
    va_list args;
    va_start(args, format);
    log_some(session, &session->too_large, SPB_LOG_ERROR, now, format, args);
    va_end(args);
}

/* A session that was stopped has no deadline any more: it tells at once. */
void spb_session__tell_left_out(spb_session *session, spb_time now) {
    uint64_t now_ms = session->state == SPB_SESSION_STOPPED ? SPB_NEVER : now.mono_ms;
    uint64_t left_out = spb_quota__tell(&session->refusals, now_ms);
    if (left_out > 0) {
        spb_notices__log(&session->notices, SPB_LOG_WARNING, "refused in the same second: %llu more commands or STATEs",
                         (unsigned long long)left_out);
    }
    left_out = spb_quota__tell(&session->too_large, now_ms);
    if (left_out > 0) {
        spb_notices__log(&session->notices, SPB_LOG_ERROR, "too large in the same second: %llu more messages",
                         (unsigned long long)left_out);
    }
}

uint64_t spb_session__left_out_ms(const spb_session *session) {
    uint64_t at_ms = spb_quota__due_ms(&session->refusals);
    spb_due__by(&at_ms, spb_quota__due_ms(&session->too_large));
    return at_ms;
}
