/*
 * Decides when the server has to prove that it is there. Only the answer to a request does, as it went there and back:
 * what comes in shows nothing of the way out, and what was written went no further than the system's own buffers. A
 * link that dies right after an answer is asked half a keep-alive later, and given up one keep-alive after that.
 */
#include "core/session.h"

void spb_session__saw_answer(spb_session *session, spb_time now) {
    session->watch.is_waiting = false;
    session->watch.at_ms = now.mono_ms + session->watch.keep_alive_ms / 2;
}

void spb_session__end_watch(spb_session *session) {
    session->watch.is_waiting = false;
    session->watch.at_ms = SPB_NEVER;
}

bool spb_session__is_unanswered(const spb_session *session, spb_time now) {
    return session->watch.is_waiting && session->watch.at_ms <= now.mono_ms;
}

bool spb_session__next_fence(spb_session *session, spb_time now, spb_action *out) {
    if (session->watch.is_waiting || session->watch.at_ms > now.mono_ms) {
        return false;
    }
    session->watch.is_waiting = true;
    session->watch.at_ms = now.mono_ms + session->watch.keep_alive_ms;
    *out = (spb_action){.kind = SPB_ACTION_FENCE, .link = session->link};
    return true;
}
