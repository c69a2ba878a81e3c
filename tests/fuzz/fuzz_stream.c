/*
 * Any order, loss, repetition and overlap of segments, held against what was sent: each byte tells its place in the
 * stream, so whatever comes out must be in its place, once, with holes that are told in full.
 */
#include <stdio.h>
#include <stdlib.h>

#include "capture/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SENT = 1 << 16 };

static uint8_t sent[SENT];

typedef struct reader {
    uint64_t place; /* of the next byte */
} reader;

static void demand(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "fuzz_stream: %s\n", what);
        abort();
    }
}

static void on_bytes(void *user, spb_bytes bytes, stamp at) {
    reader *r = user;
    (void)at;
    demand(bytes.len > 0 && r->place + bytes.len <= SENT, "bytes that were not sent");
    for (size_t i = 0; i < bytes.len; i++) {
        demand(bytes.data[i] == sent[r->place + i], "a byte out of its place");
    }
    r->place += bytes.len;
}

static void on_hole(void *user, uint64_t lost_bytes, stamp at) {
    reader *r = user;
    (void)at;
    demand(lost_bytes > 0, "a hole of nothing");
    r->place += lost_bytes;
    demand(r->place <= SENT, "a hole behind the end");
}

static void fill(void) {
    for (size_t i = 0; i < SENT; i++) {
        sent[i] = (uint8_t)(i ^ i >> 8 ^ i * 7);
    }
}

/* A step is six bytes: what, place (2), length (2), how much was cut off. */
static void run(const uint8_t *data, size_t size, uint32_t first) {
    heap memory = {0};
    reader r = {0};
    stream_sink sink = {on_bytes, on_hole, &r};
    stream s = {.has_begun = false};
    stream_begin(&s, first - 1);
    stamp at = {0, 0};
    for (size_t i = 0; i + 6 <= size; i += 6) {
        size_t place = (size_t)(data[i + 1] << 8 | data[i + 2]);
        size_t len = (size_t)(data[i + 3] << 8 | data[i + 4]);
        len = len < SENT - place ? len : SENT - place;
        size_t cut = data[i + 5] < len ? data[i + 5] : len;
        segment g = {.seq = first + (uint32_t)place, .data = {sent + place, len - cut}, .data_bytes = len};
        at.packet++;
        at.time_us += (uint64_t)data[i] << 16;
        if (data[i] & 1) {
            stream_acknowledge(&s, first + (uint32_t)place);
        } else if (len > 0) {
            (void)stream_push(&s, &memory, &g, at, &sink);
        }
        stream_pass(&s, &memory, at, &sink);
    }
    stream_end(&s, &memory, &sink);
    stream_clear(&s, &memory);
    demand(memory.used == 0, "memory that was not given back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1 || size > 32768) {
        return 0;
    }
    fill();
    run(data + 1, size - 1, data[0] & 1 ? UINT32_MAX - 5000 : 77); /* the numbers wrap around */
    return 0;
}
