/* Reading and writing the parts of protobuf's encoding: varints, tags, fixed-width numbers. */
#ifndef SPB_CODEC_WIRE_H
#define SPB_CODEC_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The low three bits of a tag. */
enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

#define VARINT_BYTES_MAX 10
#define TAG(number, type) ((uint32_t)(number) << 3 | (type))

/* Little-endian on every machine; compilers make one load or store of these. */
static inline uint64_t fixed64_read(const uint8_t *p) {
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
           (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint32_t fixed32_read(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint8_t *fixed64_write(uint8_t *p, uint64_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
    p[4] = (uint8_t)(value >> 32);
    p[5] = (uint8_t)(value >> 40);
    p[6] = (uint8_t)(value >> 48);
    p[7] = (uint8_t)(value >> 56);
    return p + 8;
}

static inline uint8_t *fixed32_write(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
    return p + 4;
}

/* The bits that end a varint in eight bytes of input: bit 7 of each byte that is below 0x80. */
static inline uint64_t varint_stops(uint64_t word) {
    return ~word & UINT64_C(0x8080808080808080);
}

/* The byte behind the varint at `p`, without a look at its value; NULL: it does not end within 8 bytes before `end`. */
static inline const uint8_t *varint_skip(const uint8_t *p, const uint8_t *end) {
    if (p < end && *p < 0x80) {
        return p + 1;
    }
    uint64_t stops = end - p >= 8 ? varint_stops(fixed64_read(p)) : 0;
    return stops ? p + __builtin_ctzll(stops) / 8 + 1 : NULL;
}

/* Reads a varint between `p` and `end`. The byte behind it, or NULL: the input ends in it, or it is longer than 64
 * bits. */
static inline const uint8_t *varint_read_slowly(const uint8_t *p, const uint8_t *end, uint64_t *value) {
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 70 && p < end; shift += 7) {
        uint8_t byte = *p++;
        sum |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = sum;
            return shift == 63 && byte > 1 ? NULL : p;
        }
    }
    return NULL;
}

/* The same; short ones, and those with eight bytes in sight, without a loop: pairs of 7-bit groups move together. */
static inline const uint8_t *varint_read(const uint8_t *p, const uint8_t *end, uint64_t *value) {
    if (p < end && *p < 0x80) {
        *value = *p;
        return p + 1;
    }
    uint64_t word = end - p >= 8 ? fixed64_read(p) : 0;
    uint64_t stops = varint_stops(word);
    if (end - p < 8 || stops == 0) {
        return varint_read_slowly(p, end, value);
    }
    word &= (stops ^ (stops - 1)) & UINT64_C(0x7f7f7f7f7f7f7f7f);
    word = (word & UINT64_C(0x7f007f007f007f00)) >> 1 | (word & UINT64_C(0x007f007f007f007f));
    word = (word & UINT64_C(0x3fff00003fff0000)) >> 2 | (word & UINT64_C(0x00003fff00003fff));
    *value = (word & UINT64_C(0x0fffffff00000000)) >> 4 | (word & UINT64_C(0x000000000fffffff));
    return p + __builtin_ctzll(stops) / 8 + 1;
}

/* Writes the shortest form, and nothing behind it. The byte behind it. */
static inline uint8_t *varint_write_exactly(uint8_t *p, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        *p++ = (uint8_t)(value | 0x80);
    }
    *p = (uint8_t)value;
    return p + 1;
}

/* The same, where VARINT_BYTES_MAX bytes may be overwritten. */
static inline uint8_t *varint_write(uint8_t *p, uint64_t value) {
    if (value < 0x80) {
        *p = (uint8_t)value;
        return p + 1;
    }
    if (value < 0x4000) {
        p[0] = (uint8_t)(value | 0x80);
        p[1] = (uint8_t)(value >> 7);
        return p + 2;
    }
    if (value >> 56) {
        return varint_write_exactly(p, value);
    }
    /* The reverse of varint_read. */
    unsigned more = (9 * (unsigned)(64 - __builtin_clzll(value))) / 64; /* that is, its highest bit / 7 */
    uint64_t word = (value & UINT64_C(0x00fffffff0000000)) << 4 | (value & UINT64_C(0x000000000fffffff));
    word = (word & UINT64_C(0x0fffc0000fffc000)) << 2 | (word & UINT64_C(0x00003fff00003fff));
    word = (word & UINT64_C(0x3f803f803f803f80)) << 1 | (word & UINT64_C(0x007f007f007f007f));
    fixed64_write(p, word | (UINT64_C(0x0080808080808080) >> (56 - 8 * more)));
    return p + more + 1;
}

static inline size_t varint_len(uint64_t value) {
    size_t len = 1;
    while (value >= 0x80) {
        value >>= 7;
        len++;
    }
    return len;
}

static inline float float_from_bits(uint64_t bits) {
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    return value;
}

static inline double double_from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t float_to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t double_to_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

#endif
