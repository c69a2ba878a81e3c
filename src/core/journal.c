/* Decides what becomes of the answers of the store. */
#include "core/session.h"

spb_status spb_session_adopt_alias(spb_session *session, const spb_alias *alias) {
    (void)session;
    (void)alias;
    return SPB_OK;
}

uint64_t spb_session_flush(spb_session *session, spb_time now) {
    (void)session;
    (void)now;
    return 0;
}

spb_flush spb_session_flushed(const spb_session *session, uint64_t ticket) {
    (void)session;
    (void)ticket;
    return SPB_FLUSH_PENDING;
}

void spb_session_on_aliases_saved(spb_session *session, spb_status status, const char *reason, spb_time now) {
    (void)session;
    (void)status;
    (void)reason;
    (void)now;
}

void spb_session_on_appended(spb_session *session, uint64_t id, spb_status status, const char *reason, spb_time now) {
    (void)session;
    (void)id;
    (void)status;
    (void)reason;
    (void)now;
}

void spb_session_on_committed(spb_session *session, spb_status status, const char *reason, const spb_store_info *info,
                              spb_time now) {
    (void)session;
    (void)status;
    (void)reason;
    (void)info;
    (void)now;
}

bool spb_session_on_block(spb_session *session, const spb_block *block, spb_time now) {
    (void)session;
    (void)block;
    (void)now;
    return false;
}

void spb_session_on_read_done(spb_session *session, spb_status status, const char *reason, spb_time now) {
    (void)session;
    (void)status;
    (void)reason;
    (void)now;
}
