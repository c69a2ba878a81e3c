/* Decides what the checksum of a row covers, and in which form. */
#include "store/checksum.h"

#include <zlib.h>

/* Numbers as little-endian bytes, so that a file can move to another machine. */
static uint32_t add_number(uint32_t crc, uint64_t number) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i));
    }
    return (uint32_t)crc32(crc, bytes, sizeof bytes);
}

static uint32_t add_bytes(uint32_t crc, const void *data, size_t len) {
    return data ? (uint32_t)crc32_z(add_number(crc, len), data, len) : add_number(crc, UINT64_MAX);
}

uint32_t spb_checksum__block(const spb_block *block) {
    uint32_t crc = add_number(0, block->id);
    crc = add_bytes(crc, block->device_id.data, block->device_id.len);
    crc = add_number(crc, block->samples);
    crc = add_number(crc, block->first_ms);
    crc = add_number(crc, block->last_ms);
    crc = add_number(crc, block->boot);
    return add_bytes(crc, block->metrics.len > 0 ? block->metrics.data : (const uint8_t *)"", block->metrics.len);
}

uint32_t spb_checksum__alias(const spb_alias *alias) {
    uint32_t crc = add_number(0, alias->alias);
    crc = add_bytes(crc, alias->device_id.data, alias->device_id.len);
    crc = add_bytes(crc, alias->name.len > 0 ? alias->name.data : "", alias->name.len);
    return add_number(crc, (uint64_t)alias->type);
}

uint32_t spb_checksum__clock(uint64_t boot, int64_t offset_ms) {
    return add_number(add_number(0, boot), (uint64_t)offset_ms);
}
