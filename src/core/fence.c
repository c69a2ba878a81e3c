/*
 * Decides when the server has to prove that it is there and has read. Only the answer to a request does, as it went
 * there and back: what comes in shows nothing of the way out, and what was written went no further than the system's
 * own buffers. A link that dies right after an answer is asked half a keep-alive later at the latest, and given up one
 * keep-alive after that; a slow one, which answers fence by fence, lives.
 */
#include "core/fence.h"

#include <spb/session.h>

/* After so much, a message calls for a fence: what is not confirmed is what may be sent twice. */
#define MAX_MESSAGES 100
#define MAX_BYTES ((size_t)64 * 1024)
#define MAX_WAIT_MS 1000

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

uint64_t spb_fences__publish(spb_fences *fences, bool counts, size_t bytes, uint64_t now_ms) {
    fences->last++;
    if (counts) {
        fences->since_ms = fences->messages == 0 ? now_ms : fences->since_ms;
        fences->messages++;
        fences->bytes += bytes;
    }
    return fences->last;
}

bool spb_fences__is_wanted(const spb_fences *fences) {
    return fences->is_on && fences->is_trusted && fences->is_wanted && fences->messages > 0 &&
           fences->count < SPB_MAX_FENCES;
}

uint64_t spb_fences__due_ms(const spb_fences *fences) {
    if (!fences->is_on || fences->count == SPB_MAX_FENCES) {
        return SPB_NEVER;
    }
    if (fences->is_eager && (fences->messages >= MAX_MESSAGES || fences->bytes >= MAX_BYTES)) {
        return 0;
    }
    uint64_t due_ms =
        fences->is_watching && fences->count == 0 ? fences->answered_ms + fences->keep_alive_ms / 2 : SPB_NEVER;
    uint64_t wait_ms = fences->is_eager && fences->messages > 0 ? fences->since_ms + MAX_WAIT_MS : SPB_NEVER;
    return due_ms < wait_ms ? due_ms : wait_ms;
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
    fences->items[last] = (spb_fence){.covers = fences->last, .sent_ms = now_ms};
    fences->covered = fences->last;
    fences->messages = 0;
    fences->bytes = 0;
    fences->is_wanted = false;
}

bool spb_fences__answered(spb_fences *fences, uint64_t now_ms, uint64_t *covers) {
    if (fences->count == 0) {
        return false;
    }
    *covers = fences->items[fences->first].covers;
    fences->first = (fences->first + 1) % SPB_MAX_FENCES;
    fences->count--;
    fences->answered_ms = now_ms;
    return true;
}
