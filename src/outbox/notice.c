/* Decides what is forgotten when nobody pulls. What is worth telling is left to the session. */
#include "outbox/notice.h"

#include <string.h>

#include "base/escape.h"

static void drop(spb_notices *notices, size_t index) {
    notices->count--;
    memmove(&notices->items[index], &notices->items[index + 1], (notices->count - index) * sizeof notices->items[0]);
}

/* A new entry at the end. When all are taken, the oldest log line makes room, or the oldest state if there is no line.
 */
static spb_notice *add(spb_notices *notices) {
    if (notices->count == SPB_NOTICE_CAPACITY) {
        size_t oldest = 0;
        while (oldest < notices->count && notices->items[oldest].is_state) {
            oldest++;
        }
        drop(notices, oldest < notices->count ? oldest : 0);
    }
    spb_notice *added = &notices->items[notices->count++];
    *added = (spb_notice){0};
    return added;
}

void spb_notices__state(spb_notices *notices, spb_session_state state, const char *reason) {
    spb_notice *added = add(notices);
    added->is_state = true;
    added->state = state;
    spb_escape__text(added->text, sizeof added->text, spb_str_from(reason ? reason : ""));
}

void spb_notices__vlog(spb_notices *notices, spb_log_level level, const char *format, va_list args) {
    spb_notice *added = add(notices);
    added->level = level;
    spb_escape__format(added->text, sizeof added->text, format, args);
}

void spb_notices__log(spb_notices *notices, spb_log_level level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    spb_notices__vlog(notices, level, format, args);
    va_end(args);
}

bool spb_notices__pull(spb_notices *notices, spb_notice *out) {
    if (notices->count == 0) {
        return false;
    }
    *out = notices->items[0];
    drop(notices, 0);
    return true;
}
