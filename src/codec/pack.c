/*
 * Decides the packed form of arrays: little-endian numbers; a 32-bit count and bits from the highest one; strings that
 * end in NUL (tck-id-payloads-metric-datatype-value and the array types of chapter 6). Reading it is left to array.c.
 */
#include "codec/pack.h"

#include "codec/value.h"
#include "codec/wire.h"

#define COUNT_BYTES 4

size_t spb_pack__size(const spb_value *value) {
    spb_array array = value->as.array;
    if (value->type == SPB_BOOLEAN_ARRAY) {
        return COUNT_BYTES + (array.count + 7) / 8;
    }
    if (value->type != SPB_STRING_ARRAY) {
        return array.count * spb_array__item_size(value->type);
    }
    const spb_str *strings = array.items;
    size_t size = 0;
    for (size_t i = 0; i < array.count; i++) {
        size += strings[i].len + 1;
    }
    return size;
}

static uint8_t *write_booleans(uint8_t *p, const bool *items, size_t count) {
    p = fixed32_write(p, (uint32_t)count);
    memset(p, 0, (count + 7) / 8);
    for (size_t i = 0; i < count; i++) {
        p[i / 8] |= (uint8_t)(items[i] << (7 - i % 8));
    }
    return p + (count + 7) / 8;
}

static uint8_t *write_strings(uint8_t *p, const spb_str *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        memcpy(p, items[i].data, items[i].len);
        p += items[i].len;
        *p++ = '\0';
    }
    return p;
}

/* From the machine's byte order to that of the wire. */
static void write_number(uint8_t *p, const uint8_t *item, size_t width) {
    uint16_t bits16;
    uint32_t bits32;
    uint64_t bits64;
    switch (width) {
    case 1: *p = *item; break;
    case 2:
        memcpy(&bits16, item, sizeof bits16);
        p[0] = (uint8_t)bits16;
        p[1] = (uint8_t)(bits16 >> 8);
        break;
    case 4:
        memcpy(&bits32, item, sizeof bits32);
        fixed32_write(p, bits32);
        break;
    default:
        memcpy(&bits64, item, sizeof bits64);
        fixed64_write(p, bits64);
        break;
    }
}

uint8_t *spb_pack__write(uint8_t *p, const spb_value *value) {
    spb_array array = value->as.array;
    if (value->type == SPB_BOOLEAN_ARRAY) {
        return write_booleans(p, array.items, array.count);
    }
    if (value->type == SPB_STRING_ARRAY) {
        return write_strings(p, array.items, array.count);
    }
    size_t width = spb_array__item_size(value->type);
    const uint8_t *item = array.items;
    for (size_t i = 0; i < array.count; i++, item += width, p += width) {
        write_number(p, item, width);
    }
    return p;
}
