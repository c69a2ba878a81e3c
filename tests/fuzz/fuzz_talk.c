/*
 * Any bytes as what two sides of a connection say: MQTT, HTTP, WebSocket frames, holes. The input is a list of steps: a
 * byte for what is done, one for how many bytes follow. What was read must not depend on how it was cut into pieces: an
 * input without holes is read once more, byte by byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEP_SIDE = 1, STEP_HOLE = 2, MAX_STEPS = 4096, MAX_KEPT = JUDGE_BYTES + WEBSOCKET_PEEK_BYTES };

typedef struct sums {
    uint64_t events, gaps, hash;
} sums;

static void demand(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "fuzz_talk: %s\n", what);
        abort();
    }
}

static void add(sums *s, const void *bytes, size_t len) {
    const uint8_t *from = bytes;
    for (size_t i = 0; i < len; i++) {
        s->hash = (s->hash ^ from[i]) * UINT64_C(0x100000001B3);
    }
}

static bool on_event(const capture_event *e, void *user) {
    sums *s = user;
    s->events++;
    s->gaps += e->kind == CAPTURE_GAP;
    if (e->kind == CAPTURE_PUBLISH) {
        demand(e->as.publish.topic.data || e->as.publish.topic_alias > 0, "no topic, and no alias");
        add(s, e->as.publish.topic.data, e->as.publish.topic.len);
        add(s, e->as.publish.payload.data, e->as.publish.payload.len);
    }
    add(s, &e->kind, sizeof e->kind);
    return true;
}

/* `piece`: bytes handed over at once at most. */
static sums read_all(const uint8_t *data, size_t size, bool is_from_start, size_t piece, bool *has_holes) {
    static uint8_t scratch[WEBSOCKET_SCRATCH_BYTES];
    static forward *forwards;
    forwards = forwards ? forwards : forward_new();
    heap memory = {0};
    capture_counts counts = {0};
    sums s = {0};
    talk_world w = {.memory = &memory,
                    .scratch = scratch,
                    .forwards = forwards,
                    .counts = &counts,
                    .max_packet_bytes = 16 << 10,
                    .on_event = on_event,
                    .user = &s};
    talk t = {.connection = 1, .is_certain = true, .client = TALK_FIRST};
    talk_begin(&t, is_from_start);
    stamp at = {1, 1};
    for (size_t i = 0, steps = 0; i + 2 <= size && steps < MAX_STEPS; steps++) {
        uint8_t what = data[i];
        size_t len = data[i + 1];
        i += 2;
        int from = what & STEP_SIDE;
        at.packet++;
        if (what & STEP_HOLE) {
            *has_holes = true;
            talk_hole(&t, &w, from, len + 1, at);
            continue;
        }
        len = len * (1u + (what >> 4));
        len = len < size - i ? len : size - i;
        for (size_t done = 0; done < len; done += piece) {
            talk_bytes(&t, &w, from, (spb_bytes){data + i + done, len - done < piece ? len - done : piece}, at);
        }
        i += len;
        demand(t.sides[from].mode != SIDE_HUNT || t.sides[from].rest.len <= MAX_KEPT, "more is kept than is looked at");
    }
    talk_end(&t, &w);
    talk_clear(&t, &memory);
    demand(memory.used == 0, "memory that was not given back");
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 65536) {
        return 0;
    }
    bool has_holes = false;
    bool is_from_start = data[0] & 1;
    sums whole = read_all(data + 1, size - 1, is_from_start, SIZE_MAX, &has_holes);
    sums pieces = read_all(data + 1, size - 1, is_from_start, 1, &has_holes);
    /* Where packets begin is guessed by where segments begin, so only what needs no guess is the same. */
    if (is_from_start && whole.gaps == 0 && pieces.gaps == 0) {
        demand(whole.events == pieces.events && whole.hash == pieces.hash, "other events from the same bytes");
    }
    return 0;
}
