/*
 * Decides when the server has to prove that it is there and has read. Only the answer to a request does, as it went
 * there and back: what comes in shows nothing of the way out, and what was written went no further than the system's
 * own buffers. A link that dies right after an answer is asked half a keep-alive later at the latest, and given up one
 * keep-alive after that; a slow one, which answers fence by fence, lives.
 *
 * Fences also keep an MQTT client awake. paho's threads sleep for up to a second when they miss that there is something
 * to do, and over the rest of what was written in part: the one wakes when it is given something, the other when
 * something comes in. So there is a fence in each 64 KiB of a stream that may fill the system's buffers, and another
 * one when nothing is reported. A stream that flows is left alone: after an answer, a server's system acknowledges what
 * comes next up to 40 ms late, and so long small messages wait.
 */
#include "outbox/fence.h"

#include <spb/session.h>

/* After so much, a message calls for a fence. What is not confirmed is what may be sent twice, if it is kept; */
#define MAX_MESSAGES 100
#define MAX_WAIT_MS 1000
/* kept or not; if not, only when so much came in less time than this, */
#define MAX_BYTES ((size_t)64 * 1024)
#define FAST_MS 20
/* or when messages of this connection were once not reported for so long. */
#define SLOW_MS 100
/* A message that is not reported for so long calls for one, too. */
#define STALL_MS 10

void spb_fences__begin(spb_fences *fences, uint64_t keep_alive_ms, bool is_eager, bool is_trusted) {
    *fences =
        (spb_fences){.keep_alive_ms = keep_alive_ms, .is_eager = is_eager && is_trusted, .is_trusted = is_trusted};
}

void spb_fences__start(spb_fences *fences, uint64_t now_ms) {
    fences->is_on = fences->is_watching = true;
    fences->answered_ms = now_ms;
}

void spb_fences__stop_watch(spb_fences *fences) {
    fences->is_watching = false;
}

void spb_fences__end(spb_fences *fences) {
    *fences = (spb_fences){0};
}

/* What flowed by is not counted. */
static void let_flow(spb_fences *fences, uint64_t now_ms) {
    bool is_fast = now_ms - fences->bytes_since_ms < FAST_MS;
    if (fences->bytes >= MAX_BYTES && !fences->is_eager && !fences->is_slow && !is_fast) {
        fences->unanswered -= fences->bytes;
        fences->bytes = 0;
    }
}

uint64_t spb_fences__publish(spb_fences *fences, bool counts, size_t bytes, uint64_t now_ms) {
    fences->bytes_since_ms = fences->bytes == 0 ? now_ms : fences->bytes_since_ms;
    fences->bytes += bytes;
    fences->unanswered += bytes;
    let_flow(fences, now_ms);
    if (spb_fences__in_flight(fences) == 0) {
        fences->quiet_ms = now_ms;
        fences->is_woken = false;
    }
    if (counts) {
        fences->since_ms = fences->messages == 0 ? now_ms : fences->since_ms;
        fences->messages++;
    }
    return ++fences->last;
}

void spb_fences__written(spb_fences *fences, uint32_t count, uint64_t now_ms) {
    uint64_t missing = spb_fences__in_flight(fences);
    fences->is_slow |= missing > 0 && now_ms >= fences->quiet_ms + SLOW_MS;
    fences->written += count < missing ? count : missing;
    fences->quiet_ms = now_ms;
    fences->is_woken = false;
}

uint64_t spb_fences__in_flight(const spb_fences *fences) {
    return fences->last - fences->written;
}

static uint64_t wake_ms(const spb_fences *fences) {
    return spb_fences__in_flight(fences) > 0 && !fences->is_woken ? fences->quiet_ms + STALL_MS : SPB_NEVER;
}

bool spb_fences__is_wanted(const spb_fences *fences) {
    return fences->is_on && fences->is_trusted && fences->is_wanted && fences->messages > 0 &&
           fences->count < SPB_MAX_FENCES;
}

uint64_t spb_fences__due_ms(const spb_fences *fences) {
    if (!fences->is_on || fences->count == SPB_MAX_FENCES) {
        return SPB_NEVER;
    }
    if (fences->bytes >= MAX_BYTES || (fences->is_eager && fences->messages >= MAX_MESSAGES)) {
        return 0;
    }
    uint64_t due_ms =
        fences->is_watching && fences->count == 0 ? fences->answered_ms + fences->keep_alive_ms / 2 : SPB_NEVER;
    uint64_t wait_ms = fences->is_eager && fences->messages > 0 ? fences->since_ms + MAX_WAIT_MS : SPB_NEVER;
    due_ms = due_ms < wait_ms ? due_ms : wait_ms;
    return due_ms < wake_ms(fences) ? due_ms : wake_ms(fences);
}

uint64_t spb_fences__lost_ms(const spb_fences *fences) {
    if (!fences->is_watching || fences->count == 0) {
        return SPB_NEVER;
    }
    uint64_t sent_ms = fences->items[fences->first].sent_ms;
    return (sent_ms > fences->answered_ms ? sent_ms : fences->answered_ms) + fences->keep_alive_ms;
}

void spb_fences__sent(spb_fences *fences, uint64_t now_ms) {
    size_t last = (fences->first + fences->count++) % SPB_MAX_FENCES;
    fences->items[last] = (spb_fence){.covers = fences->last, .sent_ms = now_ms, .bytes = fences->bytes};
    fences->covered = fences->last;
    fences->messages = 0;
    fences->bytes = 0;
    fences->is_wanted = false;
    fences->is_woken |= wake_ms(fences) <= now_ms;
}

bool spb_fences__answered(spb_fences *fences, uint64_t now_ms, uint64_t *covers) {
    if (fences->count == 0) {
        return false;
    }
    *covers = fences->items[fences->first].covers;
    fences->unanswered -= fences->items[fences->first].bytes;
    fences->first = (fences->first + 1) % SPB_MAX_FENCES;
    fences->count--;
    fences->answered_ms = now_ms;
    return true;
}
