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

/* Reads a varint between `p` and `end`. The byte behind it, or NULL: the input ends in it, or it is longer than 64
 * bits. */
static inline const uint8_t *varint_read(const uint8_t *p, const uint8_t *end, uint64_t *value) {
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

/* Writes the shortest form: at most VARINT_BYTES_MAX bytes. The byte behind it. */
static inline uint8_t *varint_write(uint8_t *p, uint64_t value) {
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

static inline size_t varint_len(uint64_t value) {
    size_t len = 1;
    while (value >= 0x80) {
        value >>= 7;
        len++;
    }
    return len;
}

/* Little-endian on every machine; compilers turn these loops into one instruction where they can. */
static inline uint64_t fixed_read(const uint8_t *p, size_t width) {
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value |= (uint64_t)p[i] << (8 * i);
    }
    return value;
}

static inline uint8_t *fixed_write(uint8_t *p, uint64_t value, size_t width) {
    for (size_t i = 0; i < width; i++) {
        p[i] = (uint8_t)(value >> (8 * i));
    }
    return p + width;
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
