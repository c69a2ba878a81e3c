/* Decides what a handshake is. Whether MQTT follows is left to side.c. */
#include "capture/http.h"

#include <string.h>

#include "capture/bytes.h"

enum { MAX_HEADER_BYTES = 16 << 10 };

static http_result begins_with(spb_bytes bytes, const char *text) {
    size_t len = strlen(text);
    size_t seen = bytes.len < len ? bytes.len : len;
    if (seen > 0 && memcmp(bytes.data, text, seen) != 0) {
        return HTTP_OTHER;
    }
    return seen == len ? HTTP_UPGRADE : HTTP_MORE;
}

http_result http_begins(spb_bytes bytes) {
    http_result request = begins_with(bytes, "GET ");
    return request != HTTP_OTHER ? request : begins_with(bytes, "HTTP/1.");
}

/* In upper or lower case. */
static bool has_word(spb_bytes text, const char *lower) {
    size_t len = strlen(lower);
    for (size_t i = 0; i + len <= text.len; i++) {
        size_t same = 0;
        while (same < len) {
            uint8_t c = text.data[i + same];
            c = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
            if (c != (uint8_t)lower[same]) {
                break;
            }
            same++;
        }
        if (same == len) {
            return true;
        }
    }
    return false;
}

/* Bytes of the headers with the empty line behind them; 0: not all are there. */
static size_t header_bytes(spb_bytes text) {
    for (size_t i = 0; i + 4 <= text.len; i++) {
        if (memcmp(text.data + i, "\r\n\r\n", 4) == 0) {
            return i + 4;
        }
    }
    return 0;
}

http_result http_read_upgrade(spb_bytes bytes, size_t *len) {
    enum { STATUS_LINE = 16 };
    *len = header_bytes(bytes);
    if (*len == 0) {
        return bytes.len < MAX_HEADER_BYTES ? HTTP_MORE : HTTP_OTHER;
    }
    spb_bytes headers = bytes_first(bytes, *len);
    bool is_granted = headers.data[0] == 'G' || has_word(bytes_first(headers, STATUS_LINE), " 101");
    return is_granted && has_word(headers, "upgrade: websocket") ? HTTP_UPGRADE : HTTP_OTHER;
}
