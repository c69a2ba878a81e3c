/* Decides what is forgotten when nobody pulls, and how many lines of a flood, or about dropped samples, are told. What
 * is worth telling is left to the session. */
#include "outbox/notice.h"

#include <stdarg.h>
#include <string.h>

#include "base/deadlines.h"
#include "base/escape.h"

#define MAX_LINES_PER_S 10

static const struct {
    spb_log_level level;
    const char *what, *unit; /* of what was left out */
} floods[SPB_FLOODS] = {
    [SPB_FLOOD_REFUSED] = {SPB_LOG_WARNING, "refused", "commands or STATEs"},
    [SPB_FLOOD_TOO_LARGE] = {SPB_LOG_ERROR, "too large", "messages"},
    [SPB_FLOOD_JOURNAL] = {SPB_LOG_ERROR, "the journal was full or damaged", "times"},
};

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

static void SPB_PRINTF(3, 0) vlog(spb_notices *notices, spb_log_level level, const char *format, va_list args) {
    spb_notice *added = add(notices);
    added->level = level;
    spb_escape__format(added->text, sizeof added->text, format, args);
}

void spb_notices__log(spb_notices *notices, spb_log_level level, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vlog(notices, level, format, args);
    va_end(args);
}

void spb_notices__tell_left_out(spb_notices *notices, uint64_t now_ms) {
    for (int i = 0; i < SPB_FLOODS; i++) {
        uint64_t left_out = spb_quota__tell(&notices->floods[i], now_ms);
        if (left_out > 0) {
            spb_notices__log(notices, floods[i].level, "%s in the same second: %llu more %s", floods[i].what,
                             (unsigned long long)left_out, floods[i].unit);
        }
    }
}

uint64_t spb_notices__left_out_ms(const spb_notices *notices) {
    uint64_t at_ms = UINT64_MAX;
    for (int i = 0; i < SPB_FLOODS; i++) {
        spb_due__by(&at_ms, spb_quota__due_ms(&notices->floods[i]));
    }
    return at_ms;
}

/* What was left out before is told ahead of the line. */
void spb_notices__log_some(spb_notices *notices, spb_flood flood, uint64_t now_ms, const char *format, ...) {
    spb_notices__tell_left_out(notices, now_ms);
    if (spb_quota__take(&notices->floods[flood], MAX_LINES_PER_S, now_ms)) {
        va_list args;
        va_start(args, format);
        vlog(notices, floods[flood].level, format, args);
        va_end(args);
    }
}

/* ---- what was dropped ---- */

#define QUIET_MS 60000

static const struct {
    spb_log_level level;
    const char *why;
} drops[SPB_DROPS] = {
    [SPB_DROP_OFFLINE] = {SPB_LOG_WARNING,
                          "newer ones took their place before there was a birth, and no journal keeps them"},
    [SPB_DROP_LOST] = {SPB_LOG_WARNING, "the connection was lost, and no journal keeps them"},
    [SPB_DROP_OVERFLOW] = {SPB_LOG_ERROR,
                           "the link is slower than the samples, or no message may be as large as they are"},
    [SPB_DROP_GONE] = {SPB_LOG_WARNING, "they were in the journal, and their metric does not exist any more"},
    [SPB_DROP_AGE] = {SPB_LOG_WARNING, "they were in the journal, and are too old (max_sample_age_s)"},
    [SPB_DROP_DISK] = {SPB_LOG_ERROR, "the store takes none, and no more can wait in memory"},
    [SPB_DROP_FULL] = {SPB_LOG_ERROR, "the journal is full, and newer ones took their place"},
    [SPB_DROP_DAMAGE] = {SPB_LOG_ERROR, "the journal is damaged"},
};

void spb_notices__tell_drops(spb_notices *notices, const uint64_t counts[SPB_DROPS], uint64_t now_ms) {
    for (int i = 0; i < SPB_DROPS; i++) {
        spb_drop_notice *of = &notices->drops[i];
        if (counts[i] <= of->told || now_ms < of->quiet_ms) {
            continue;
        }
        uint64_t samples = counts[i] - of->told;
        spb_notices__log(notices, drops[i].level, "%llu %ssample%s dropped: %s", (unsigned long long)samples,
                         of->quiet_ms > 0 ? "more " : "", samples == 1 ? "" : "s", drops[i].why);
        of->told = counts[i];
        of->quiet_ms = now_ms == SPB_NEVER ? of->quiet_ms : now_ms + QUIET_MS;
    }
}

uint64_t spb_notices__drops_ms(const spb_notices *notices, const uint64_t counts[SPB_DROPS]) {
    uint64_t at_ms = SPB_NEVER;
    for (int i = 0; i < SPB_DROPS; i++) {
        spb_due__by(&at_ms, counts[i] > notices->drops[i].told ? notices->drops[i].quiet_ms : SPB_NEVER);
    }
    return at_ms;
}

bool spb_notices__pull(spb_notices *notices, spb_notice *out) {
    if (notices->count == 0) {
        return false;
    }
    *out = notices->items[0];
    drop(notices, 0);
    return true;
}
