/* Decides where a frame's payload is. What it carries is left to side.c. */
#include "capture/websocket.h"

#include <string.h>

enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0F, BINARY = 2, CLOSE = 8, PONG = 10, MASKED = 0x80 };

static size_t header_size(const uint8_t *header) {
    size_t len = header[1] & 0x7F;
    return 2u + (len == 126 ? 2u : len == 127 ? 8u : 0u) + (header[1] & MASKED ? 4u : 0u);
}

static uint64_t payload_size(const uint8_t *header) {
    uint64_t len = header[1] & 0x7F;
    size_t bytes = len == 126 ? 2 : len == 127 ? 8 : 0;
    len = bytes > 0 ? 0 : len;
    for (size_t i = 0; i < bytes; i++) {
        len = len << 8 | header[2 + i];
    }
    return len;
}

static bool is_known_opcode(uint8_t first) {
    uint8_t opcode = first & OPCODE;
    return !(first & RESERVED) && (opcode <= BINARY || (opcode >= CLOSE && opcode <= PONG));
}

static void begin_frame(websocket *w) {
    size_t size = header_size(w->header);
    w->left = payload_size(w->header);
    w->is_masked = w->header[1] & MASKED;
    w->is_control = (w->header[0] & OPCODE) >= CLOSE;
    w->mask_at = 0;
    if (w->is_masked) {
        memmove(w->header, w->header + size - 4, 4);
    }
    w->header_bytes = 0;
}

static void unmask(const uint8_t *from, uint8_t *to, size_t len, const uint8_t mask[4], size_t at) {
    for (size_t i = 0; i < len; i++) {
        to[i] = from[i] ^ mask[(at + i) & 3];
    }
}

static size_t take_header(websocket *w, spb_bytes from) {
    size_t taken = 0;
    while (taken < from.len && (w->header_bytes < 2 || w->header_bytes < header_size(w->header))) {
        w->header[w->header_bytes++] = from.data[taken++];
    }
    return taken;
}

websocket_result websocket_read(websocket *w, uint8_t scratch[WEBSOCKET_SCRATCH_BYTES], spb_bytes *from,
                                spb_bytes *payload) {
    *payload = (spb_bytes){from->data, 0};
    if (w->left == 0) {
        size_t taken = take_header(w, *from);
        *from = (spb_bytes){from->data + taken, from->len - taken};
        if (w->header_bytes < 2 || w->header_bytes < header_size(w->header)) {
            return WEBSOCKET_PAYLOAD;
        }
        uint8_t first = w->header[0];
        begin_frame(w);
        if (!is_known_opcode(first)) {
            return WEBSOCKET_BAD;
        }
    }
    size_t len = w->left < from->len ? (size_t)w->left : from->len;
    len = w->is_masked && len > WEBSOCKET_SCRATCH_BYTES ? WEBSOCKET_SCRATCH_BYTES : len;
    *payload = (spb_bytes){from->data, len};
    if (w->is_masked && !w->is_control) {
        unmask(from->data, scratch, len, w->header, w->mask_at);
        payload->data = scratch;
    }
    payload->len = w->is_control ? 0 : len;
    websocket_skip(w, len);
    *from = (spb_bytes){from->data + len, from->len - len};
    return WEBSOCKET_PAYLOAD;
}

void websocket_skip(websocket *w, uint64_t count) {
    w->left -= count;
    w->mask_at = (size_t)((w->mask_at + count) & 3);
}

websocket_verdict websocket_peek(spb_bytes from, uint8_t peek[WEBSOCKET_PEEK_BYTES], size_t *len, bool *is_masked,
                                 bool *is_whole) {
    if (from.len == 0 || from.data[0] != (FIN | BINARY)) {
        return from.len == 0 ? WEBSOCKET_MORE : WEBSOCKET_NO;
    }
    if (from.len < 2 || from.len < header_size(from.data)) {
        return WEBSOCKET_MORE;
    }
    size_t size = header_size(from.data);
    uint64_t whole = payload_size(from.data);
    size_t wanted = whole < WEBSOCKET_PEEK_BYTES ? (size_t)whole : WEBSOCKET_PEEK_BYTES;
    if (whole < 2) {
        return WEBSOCKET_NO;
    }
    if (from.len - size < wanted) {
        return WEBSOCKET_MORE;
    }
    *len = wanted;
    *is_whole = whole == wanted;
    *is_masked = from.data[1] & MASKED;
    memcpy(peek, from.data + size, wanted);
    if (*is_masked) {
        unmask(peek, peek, wanted, from.data + size - 4, 0);
    }
    return WEBSOCKET_YES;
}
