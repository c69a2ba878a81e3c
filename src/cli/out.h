/* Buffered output to a file descriptor, or to a function. After a failed write everything is dropped and `error` says
 * why. */
#ifndef SPB_CLI_OUT_H
#define SPB_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { OUT_CAPACITY = 1 << 16 };

typedef struct out {
    int fd; /* -1: what is written is only measured by those who write, and dropped */
    void (*take)(void *user, const char *bytes, size_t len); /* gets it in place of fd; NULL: fd does */
    void *user;
    size_t len;
    int error; /* errno of the first write that failed; 0: all is well */
    char data[OUT_CAPACITY];
} out;

void out_init(out *o, int fd);
/* To a function, which is called by out_flush, and when the buffer is full. */
void out_init_taker(out *o, void (*take)(void *user, const char *bytes, size_t len), void *user);
/* Hands everything to the system. */
void out_flush(out *o);
/* Room for `size` ≤ OUT_CAPACITY bytes; what is filled is then claimed with out_claim. */
static inline char *out_room(out *o, size_t size) {
    if (size > OUT_CAPACITY - o->len) {
        out_flush(o);
    }
    return o->data + o->len;
}
static inline void out_claim(out *o, size_t size) {
    o->len += size;
}
static inline void out_char(out *o, char c) {
    *out_room(o, 1) = c;
    out_claim(o, 1);
}
void out_bytes(out *o, const void *bytes, size_t len);
static inline void out_text(out *o, const char *text) {
    out_bytes(o, text, strlen(text));
}
void out_u64(out *o, uint64_t number);
void out_i64(out *o, int64_t number);
/* A UTC instant, as number_datetime writes it. */
void out_datetime(out *o, uint64_t unix_ms);
void out_hex(out *o, const uint8_t *bytes, size_t len);
/* RFC 4648, with padding. */
void out_base64(out *o, const uint8_t *bytes, size_t len);

#endif
