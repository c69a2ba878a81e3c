/* WebSocket frames: headers of every size, masks, control frames, in any pieces. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "capture/websocket.h"
#include "support/suite.h"

enum { MAX_BYTES = 200000 };

static uint8_t wire[MAX_BYTES], got[MAX_BYTES], scratch[WEBSOCKET_SCRATCH_BYTES];
static const uint8_t mask[4] = {0x11, 0x92, 0x53, 0xF4};

/* Writes a frame whose payload counts up; its bytes are returned. */
static size_t put_frame(uint8_t *to, uint8_t first, size_t len, bool is_masked) {
    size_t at = 0;
    uint8_t masked = is_masked ? 0x80 : 0;
    to[at++] = first;
    if (len < 126) {
        to[at++] = (uint8_t)(masked | len);
    } else if (len < 65536) {
        to[at++] = masked | 126;
        to[at++] = (uint8_t)(len >> 8);
        to[at++] = (uint8_t)len;
    } else {
        to[at++] = masked | 127;
        for (int shift = 56; shift >= 0; shift -= 8) {
            to[at++] = (uint8_t)((uint64_t)len >> shift);
        }
    }
    if (is_masked) {
        memcpy(to + at, mask, 4);
        at += 4;
    }
    for (size_t i = 0; i < len; i++) {
        to[at++] = (uint8_t)(i ^ (is_masked ? mask[i % 4] : 0));
    }
    return at;
}

/* Hands `size` bytes over in pieces, and returns the bytes of payload. */
static size_t read_all(websocket *w, size_t size, size_t piece) {
    size_t got_len = 0;
    for (size_t at = 0; at < size; at += piece) {
        spb_bytes from = {wire + at, size - at < piece ? size - at : piece};
        while (from.len > 0) {
            spb_bytes payload;
            ck_assert(websocket_read(w, scratch, &from, &payload) == WEBSOCKET_PAYLOAD);
            memcpy(got + got_len, payload.data, payload.len);
            got_len += payload.len;
        }
    }
    return got_len;
}

static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 150000};

START_TEST(every_size_in_any_pieces) {
    for (int is_masked = 0; is_masked < 2; is_masked++) {
        size_t size = put_frame(wire, 0x82, sizes[_i], is_masked);
        static const size_t pieces[] = {1, 3, 1000, MAX_BYTES};
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            websocket w = {.left = 0};
            ck_assert_uint_eq(read_all(&w, size, pieces[i]), sizes[_i]);
            for (size_t at = 0; at < sizes[_i]; at++) {
                ck_assert_uint_eq(got[at], (uint8_t)at);
            }
            ck_assert_uint_eq(w.left, 0);
        }
    }
}
END_TEST

START_TEST(control_frames_are_dropped) {
    size_t size = put_frame(wire, 0x02, 3, true);
    size += put_frame(wire + size, 0x89, 20, true);
    size += put_frame(wire + size, 0x80, 2, true);
    websocket w = {.left = 0};
    ck_assert_uint_eq(read_all(&w, size, 4), 5);
}
END_TEST

START_TEST(extensions_are_not_known) {
    static const uint8_t firsts[] = {0xC2, 0x83, 0x8B};
    for (size_t i = 0; i < sizeof firsts; i++) {
        websocket w = {.left = 0};
        spb_bytes from = {wire, put_frame(wire, firsts[i], 5, i == 0)};
        spb_bytes payload;
        ck_assert(websocket_read(&w, scratch, &from, &payload) == WEBSOCKET_BAD);
    }
}
END_TEST

START_TEST(missing_bytes_keep_the_mask_in_step) {
    size_t size = put_frame(wire, 0x82, 100, true);
    websocket w = {.left = 0};
    ck_assert_uint_eq(read_all(&w, 6 + 10, MAX_BYTES), 10);
    websocket_skip(&w, 7);
    spb_bytes from = {wire + 6 + 17, size - 6 - 17};
    spb_bytes payload;
    ck_assert(websocket_read(&w, scratch, &from, &payload) == WEBSOCKET_PAYLOAD);
    ck_assert_uint_eq(payload.len, 83);
    ck_assert_uint_eq(payload.data[0], 17);
}
END_TEST

START_TEST(a_frame_may_be_looked_into) {
    uint8_t peek[WEBSOCKET_PEEK_BYTES];
    size_t len;
    bool is_masked, is_whole;
    size_t size = put_frame(wire, 0x82, 1000, true);
    ck_assert(websocket_peek((spb_bytes){wire, size}, peek, &len, &is_masked, &is_whole) == WEBSOCKET_YES);
    ck_assert(len == WEBSOCKET_PEEK_BYTES && is_masked && !is_whole && peek[5] == 5);
    ck_assert(websocket_peek((spb_bytes){wire, 100}, peek, &len, &is_masked, &is_whole) == WEBSOCKET_MORE);
    ck_assert(websocket_peek((spb_bytes){wire, 0}, peek, &len, &is_masked, &is_whole) == WEBSOCKET_MORE);
    (void)put_frame(wire, 0x81, 1000, true);
    ck_assert(websocket_peek((spb_bytes){wire, size}, peek, &len, &is_masked, &is_whole) == WEBSOCKET_NO);
    size = put_frame(wire, 0x82, 20, false);
    ck_assert(websocket_peek((spb_bytes){wire, size}, peek, &len, &is_masked, &is_whole) == WEBSOCKET_YES);
    ck_assert(len == 20 && !is_masked && is_whole);
}
END_TEST

int main(void) {
    TCase *frames = tcase_create("frames");
    tcase_add_loop_test(frames, every_size_in_any_pieces, 0, sizeof sizes / sizeof *sizes);
    tcase_add_test(frames, control_frames_are_dropped);
    tcase_add_test(frames, extensions_are_not_known);
    tcase_add_test(frames, missing_bytes_keep_the_mask_in_step);
    tcase_add_test(frames, a_frame_may_be_looked_into);
    Suite *suite = suite_create("websocket");
    suite_add_tcase(suite, frames);
    return suite_run(suite);
}
