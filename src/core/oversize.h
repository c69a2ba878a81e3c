/* Births that are larger than a message may be: which definitions are refused for it, and what the application hears.
 */
#ifndef SPB_CORE_OVERSIZE_H
#define SPB_CORE_OVERSIZE_H

#include <spb/session.h>

#include "base/buffer.h"
#include "core/servers.h"

/* The last one that was refused. */
typedef struct spb_oversize {
    bool is_due; /* the application was not told yet */
    uint64_t refused_ms;
    bool is_in_the_way;     /* the session waits for its next attempt because of it */
    spb_birth_too_large of; /* without the device ID: */
    size_t sent_bytes;      /* of the largest birth that left on this connection, */
    uint64_t sent_ms;       /* and when the last one did */
    uint32_t bad_ends;      /* connections in a row that ended before the server is known to have read the births */
    spb_buffer device_id;   /* with a NUL; empty: the node's own */
} spb_oversize;

/* Another metric of so many encoded bytes: the birth stays within max_message_bytes. SPB_ERR_LIMIT, SPB_ERR_NO_MEMORY.
 * Overwrites `scratch`. */
spb_status spb_oversize__check_growth(spb_session *session, spb_device *holder, const char *name, size_t bytes,
                                      spb_time now, spb_error *err);
/* The birth in `payload`, of this holder, is within what the server and the options allow. SPB_ERR_LIMIT: it is not;
 * there is a line in the log, and the application will be told. */
spb_status spb_oversize__check_birth(spb_session *session, const spb_device *holder, spb_time now);
/* Something was taken away: if a birth was too large, the next attempt comes soon. */
void spb_oversize__shrank(spb_session *session, spb_time now);
/* The birth in `payload` has left. */
void spb_oversize__sent(spb_session *session, spb_time now);
/* The connection ends by itself. When the application is to hear that births may be the reason: the size of the largest
 * one; else 0. */
size_t spb_oversize__note_end(spb_session *session);
void spb_oversize__tell_end(spb_session *session, size_t bytes);
/* All births of a connection have left, or became smaller: no server is known to be too narrow any more. */
void spb_oversize__forget_servers(spb_servers *servers);
/* As spb_session__next_news. */
bool spb_oversize__next(spb_session *session, spb_action *out);

#endif
