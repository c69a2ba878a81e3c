/* Decides when output reaches the system: when the buffer is full or its owner says so. The forms of numbers are left
 * to number.c. */
#include "cli/out.h"

#include <errno.h>
#include <unistd.h>

#include "cli/number.h"

void out_init(out *o, int fd) {
    o->fd = fd;
    o->take = NULL;
    o->len = 0;
    o->error = 0;
}

void out_init_taker(out *o, void (*take)(void *user, const char *bytes, size_t len), void *user) {
    out_init(o, -1);
    o->take = take;
    o->user = user;
}

void out_flush(out *o) {
    size_t done = 0;
    if (o->take && o->len > 0) {
        o->take(o->user, o->data, o->len);
    }
    while (o->fd >= 0 && o->error == 0 && done < o->len) {
        ssize_t written = write(o->fd, o->data + done, o->len - done);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno != EINTR) {
            o->error = errno;
        }
    }
    o->len = 0;
}

void out_bytes(out *o, const void *bytes, size_t len) {
    const char *from = bytes;
    while (len > OUT_CAPACITY - o->len) {
        size_t part = OUT_CAPACITY - o->len;
        memcpy(o->data + o->len, from, part);
        o->len += part;
        out_flush(o);
        from += part;
        len -= part;
    }
    if (len > 0) {
        memcpy(o->data + o->len, from, len);
        o->len += len;
    }
}

void out_u64(out *o, uint64_t number) {
    out_claim(o, number_u64(out_room(o, NUMBER_SIZE), number));
}

void out_i64(out *o, int64_t number) {
    out_claim(o, number_i64(out_room(o, NUMBER_SIZE), number));
}

void out_datetime(out *o, uint64_t unix_ms) {
    out_claim(o, number_datetime(out_room(o, NUMBER_SIZE), unix_ms));
}

void out_hex(out *o, const uint8_t *bytes, size_t len) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        char *room = out_room(o, 2);
        room[0] = digits[bytes[i] >> 4];
        room[1] = digits[bytes[i] & 15];
        out_claim(o, 2);
    }
}

void out_base64(out *o, const uint8_t *bytes, size_t len) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? bytes[i + 2] : 0;
        char *room = out_room(o, 4);
        room[0] = digits[group >> 18];
        room[1] = digits[group >> 12 & 63];
        room[2] = left > 1 ? digits[group >> 6 & 63] : '=';
        room[3] = left > 2 ? digits[group & 63] : '=';
        out_claim(o, 4);
    }
}
