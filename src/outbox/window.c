/*
 * Decides how much may be under way, so that a fence comes back in about a second. What a fence had ahead of it when it
 * left, and how long its answer took, is what the link carries, if it was busy all the time; else less. So the window
 * grows, twofold in a round trip at most, while the answers show that more is carried, and shrinks, to its half at
 * most, when they take too long. It meets where a full window is carried in TARGET_MS and the time of an answer alone.
 *
 * A single large message, as a birth, is under way as a whole whatever the window says; its fence is a good measure.
 */
#include "outbox/window.h"

/* How long what is under way may take to be carried, besides the way there and back of an idle link: long enough to
 * keep a link busy while a server is slow to answer, and short enough for those who wait behind it. */
#define TARGET_MS 800
/* What a link with a long way has ahead of it is on the way, and not in a queue; but not more than this is believed. */
#define MAX_TRIP_MS 1500
/* A link of 9.6 kbit/s carries it in a second. */
#define LEAST_BYTES ((size_t)1024)
#define FIRST_BYTES ((size_t)4096)
#define PARTS 4
#define LEAST_PART ((size_t)512)

static size_t at_most(size_t bytes, size_t most) {
    return bytes < most ? bytes : most;
}

void spb_window__begin(spb_window *window, size_t most_bytes, uint64_t trip_ms) {
    *window = (spb_window){.most_bytes = most_bytes,
                           .bytes = at_most(FIRST_BYTES, most_bytes),
                           .trip_ms = trip_ms < MAX_TRIP_MS ? (uint32_t)trip_ms : MAX_TRIP_MS};
}

static uint64_t target_ms(const spb_window *window) {
    return TARGET_MS + window->trip_ms;
}

void spb_window__answered(spb_window *window, size_t bytes, uint64_t sent_ms, uint64_t now_ms) {
    uint64_t took_ms = now_ms > sent_ms ? now_ms - sent_ms : 1;
    window->trip_ms = took_ms < window->trip_ms ? (uint32_t)took_ms : window->trip_ms;
    if (window->most_bytes == 0 || sent_ms < window->since_ms) {
        return;
    }
    uint64_t carried = (uint64_t)bytes * target_ms(window) / took_ms;
    size_t before = window->bytes;
    if (carried > before) {
        window->bytes = at_most(carried < 2 * (uint64_t)before ? (size_t)carried : 2 * before, window->most_bytes);
    } else if (took_ms > target_ms(window)) {
        window->bytes = carried > before / 2 ? (size_t)carried : before / 2;
        window->bytes = window->bytes > LEAST_BYTES ? window->bytes : LEAST_BYTES;
    }
    window->since_ms = window->bytes != before ? now_ms : window->since_ms;
}

size_t spb_window__replay_bytes(const spb_window *window) {
    return window->most_bytes == 0 ? SIZE_MAX : window->bytes;
}

size_t spb_window__live_bytes(const spb_window *window) {
    return window->most_bytes == 0 ? SIZE_MAX : window->bytes + window->bytes / 2;
}

size_t spb_window__part(const spb_window *window, size_t most_bytes) {
    size_t part = window->bytes / PARTS;
    return window->most_bytes == 0 ? most_bytes : at_most(part > LEAST_PART ? part : LEAST_PART, most_bytes);
}

uint64_t spb_window__time_ms(const spb_window *window, size_t bytes) {
    return window->most_bytes == 0 ? 0 : (uint64_t)bytes * target_ms(window) / window->bytes;
}
