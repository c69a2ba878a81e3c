/* Samples of the past: which are, and what becomes of them. */
#ifndef SPB_CORE_PAST_H
#define SPB_CORE_PAST_H

#include "core/session.h"

/* It may be one of the past, as its time is before that of the value. */
static inline bool spb_session__may_be_late(const spb_sample *given) {
    return given->timestamp_ms != SPB_NOW && given->timestamp_ms < given->metric->timestamp_ms;
}
/* Whether a timestamp that the application gives can be one, if our clock is set or not. */
static inline bool spb_session__is_time(uint64_t timestamp_ms, bool is_clock_set) {
    uint64_t first_ms = is_clock_set ? SPB_FIRST_TIMESTAMP_MS : 0;
    return timestamp_ms == SPB_NOW || (timestamp_ms >= first_ms && timestamp_ms <= SPB_LAST_TIMESTAMP_MS);
}
/* A sample that was checked is of the past: then take_past is for it, and else take_sample. */
bool spb_session__is_past(const spb_session *session, const spb_sample *given, spb_time now);
spb_status spb_session__take_past(spb_session *session, const spb_sample *given, spb_time now);

#endif
