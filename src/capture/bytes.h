/* Reading numbers in network order, and bytes one after the other with their end in view. */
#ifndef SPB_CAPTURE_BYTES_H
#define SPB_CAPTURE_BYTES_H

#include <spb/value.h>

static inline uint16_t bytes_u16(const uint8_t *at) {
    return (uint16_t)(at[0] << 8 | at[1]);
}
static inline uint32_t bytes_u32(const uint8_t *at) {
    return (uint32_t)bytes_u16(at) << 16 | bytes_u16(at + 2);
}
/* Without the first `count` bytes; empty if there are not as many. */
static inline spb_bytes bytes_after(spb_bytes from, size_t count) {
    return count < from.len ? (spb_bytes){from.data + count, from.len - count} : (spb_bytes){from.data, 0};
}
static inline spb_bytes bytes_first(spb_bytes from, size_t count) {
    return (spb_bytes){from.data, count < from.len ? count : from.len};
}

/* Takes from the front of `left`. After one take too many, is_short stays set, and what was taken is zero or empty. */
typedef struct cursor {
    spb_bytes left;
    bool is_short;
} cursor;

static inline spb_bytes cursor_take(cursor *c, size_t count) {
    if (count > c->left.len) {
        c->is_short = true;
        c->left.len = 0;
        return (spb_bytes){NULL, 0};
    }
    spb_bytes taken = {c->left.data, count};
    c->left = (spb_bytes){c->left.data + count, c->left.len - count};
    return taken;
}
static inline uint8_t cursor_u8(cursor *c) {
    spb_bytes taken = cursor_take(c, 1);
    return taken.len == 1 ? taken.data[0] : 0;
}
static inline uint16_t cursor_u16(cursor *c) {
    spb_bytes taken = cursor_take(c, 2);
    return taken.len == 2 ? bytes_u16(taken.data) : 0;
}
static inline uint32_t cursor_u32(cursor *c) {
    spb_bytes taken = cursor_take(c, 4);
    return taken.len == 4 ? bytes_u32(taken.data) : 0;
}
/* Behind a length of two bytes, as MQTT has them. Never absent unless the cursor is short. */
static inline spb_bytes cursor_block(cursor *c) {
    return cursor_take(c, cursor_u16(c));
}
static inline spb_str cursor_str(cursor *c) {
    spb_bytes block = cursor_block(c);
    return (spb_str){(const char *)block.data, block.len};
}

#endif
