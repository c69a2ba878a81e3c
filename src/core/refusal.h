/* Log lines that peers, or samples, could cause in any number: some are left out, and counted. */
#ifndef SPB_CORE_REFUSAL_H
#define SPB_CORE_REFUSAL_H

#include "core/session.h"

void spb_session__log_refusal(spb_session *session, spb_time now, const char *format, ...) SPB_PRINTF(3, 4);
void spb_session__log_too_large(spb_session *session, spb_time now, const char *format, ...) SPB_PRINTF(3, 4);
/* Tells how many were left out, when their second is over; when that will be. */
void spb_session__tell_left_out(spb_session *session, spb_time now);
uint64_t spb_session__left_out_ms(const spb_session *session);

#endif
