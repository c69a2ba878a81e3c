#include "support/blocks.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_BYTES 21

static uint8_t *bytes;
static size_t capacity;

/* Bytes that follow from the number of the block, and do not compress to nothing. */
static void fill(uint8_t *out, size_t len, uint64_t id) {
    uint64_t state = id * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < len; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (uint8_t)(state >> 56);
    }
}

static spb_str device_of(uint64_t id) {
    static const char *const devices[] = {NULL, "Press", "Line 4, with a longer name than others", "", "Ofen-Süd"};
    const char *device = devices[id % 5];
    return (spb_str){.data = device, .len = device ? strlen(device) : 0};
}

spb_block blocks_make(uint64_t id, uint32_t samples) {
    size_t len = (size_t)samples * SAMPLE_BYTES;
    if (len > capacity) {
        free(bytes);
        bytes = malloc(len);
        ck_assert_ptr_nonnull(bytes);
        capacity = len;
    }
    fill(bytes, len, id);
    return (spb_block){.id = id,
                       .device_id = device_of(id),
                       .samples = samples,
                       .first_ms = BLOCKS_FIRST_MS + id * 1000,
                       .last_ms = BLOCKS_FIRST_MS + id * 1000 + 999,
                       .metrics = {.data = bytes, .len = len}};
}

const char *blocks_differ(const spb_block *block) {
    spb_block wanted = blocks_make(block->id, block->samples);
    if (block->device_id.len != wanted.device_id.len || !block->device_id.data != !wanted.device_id.data ||
        (wanted.device_id.len > 0 && memcmp(block->device_id.data, wanted.device_id.data, wanted.device_id.len) != 0)) {
        return "device";
    }
    if (block->first_ms != wanted.first_ms || block->last_ms != wanted.last_ms) {
        return "timestamps";
    }
    if (block->boot != 0 || block->shift_ms != 0) {
        return "clock";
    }
    bool is_same =
        block->metrics.len == wanted.metrics.len &&
        (wanted.metrics.len == 0 || memcmp(block->metrics.data, wanted.metrics.data, wanted.metrics.len) == 0);
    return is_same ? NULL : "metrics";
}

void blocks_append(spb_store *store, uint64_t first_id, uint64_t last_id, uint32_t samples) {
    spb_error err = {.text = ""};
    for (uint64_t id = first_id; id <= last_id; id++) {
        spb_block block = blocks_make(id, samples);
        ck_assert_msg(store->append(store, &block, &err) == SPB_OK, "%s", err.text);
    }
}

size_t blocks_read(spb_store *store, uint64_t from_id, uint64_t *ids, size_t most) {
    spb_error err = {.text = ""};
    size_t count = 0;
    for (;;) {
        spb_block block = {.id = 0};
        bool found = false;
        ck_assert_msg(store->read(store, from_id, &block, &found, &err) == SPB_OK, "%s", err.text);
        if (!found) {
            return count;
        }
        ck_assert_uint_ge(block.id, from_id);
        const char *difference = blocks_differ(&block);
        ck_assert_msg(!difference, "block %llu: %s", (unsigned long long)block.id, difference);
        if (ids && count < most) {
            ids[count] = block.id;
        }
        count++;
        from_id = block.id + 1;
    }
}

spb_block blocks_read_one(spb_store *store, uint64_t id) {
    spb_error err = {.text = ""};
    spb_block block = {.id = 0};
    bool found = false;
    ck_assert_msg(store->read(store, id, &block, &found, &err) == SPB_OK, "%s", err.text);
    ck_assert(found && block.id == id);
    return block;
}

void blocks_expect_kept(spb_store *store, uint64_t kept_for, uint64_t from_id, uint64_t until_id) {
    for (uint64_t id = 1; id <= 9; id++) {
        ck_assert_uint_eq(blocks_read_one(store, id).kept_for, id >= from_id && id <= until_id ? kept_for : 0);
    }
}

void blocks_expect(spb_store *store, uint64_t first_id, uint64_t last_id) {
    size_t wanted = last_id >= first_id ? (size_t)(last_id - first_id + 1) : 0;
    uint64_t *ids = calloc(wanted + 1, sizeof *ids);
    ck_assert_ptr_nonnull(ids);
    ck_assert_uint_eq(blocks_read(store, 0, ids, wanted), wanted);
    for (size_t i = 0; i < wanted; i++) {
        ck_assert_uint_eq(ids[i], first_id + i);
    }
    free(ids);
    ck_assert_uint_eq(blocks_info(store).blocks, wanted);
}

spb_store_info blocks_info(spb_store *store) {
    spb_store_info info;
    memset(&info, 0xff, sizeof info);
    store->info(store, &info);
    return info;
}
