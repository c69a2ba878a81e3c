/* Decides how the memory of blocks is used again, and when a block is full. */
#include "outbox/block.h"

#include <stdlib.h>
#include <string.h>

#include "codec/encode.h"

/* What a pool keeps for the next burst. */
#define MAX_FREE_BYTES ((size_t)1024 * 1024)

/* ---- the pool ---- */

size_t spb_block__weight(const spb_outbox_block *block) {
    return sizeof *block + block->bytes.capacity;
}

static void destroy(spb_outbox_block *block) {
    spb_buffer__clear(&block->bytes);
    free(block);
}

/* The block that was given back last: its memory is warm. */
static spb_outbox_block *pop(spb_block_pool *pool) {
    spb_outbox_block *block = SPB_LINKED(pool->free.first, spb_outbox_block, of_state);
    if (block) {
        spb_list__remove(&block->of_state);
        pool->free_bytes -= spb_block__weight(block);
    }
    return block;
}

void spb_pool__clear(spb_block_pool *pool) {
    for (spb_outbox_block *block; (block = pop(pool));) {
        destroy(block);
    }
}

spb_outbox_block *spb_pool__take(spb_block_pool *pool) {
    spb_outbox_block *block = pop(pool);
    if (!block) {
        return calloc(1, sizeof *block);
    }
    spb_buffer bytes = block->bytes;
    bytes.len = 0;
    *block = (spb_outbox_block){.bytes = bytes};
    return block;
}

void spb_pool__give(spb_block_pool *pool, spb_outbox_block *block) {
    if (pool->free_bytes + spb_block__weight(block) > MAX_FREE_BYTES) {
        destroy(block);
        return;
    }
    pool->free_bytes += spb_block__weight(block);
    spb_list__push_front(&pool->free, &block->of_state);
}

/* ---- its metrics ---- */

static size_t size_of(const spb_outbox_block *block) {
    return block->bytes.len > SPB_BLOCK_HEAD ? block->bytes.len - SPB_BLOCK_HEAD : 0;
}

bool spb_block__reserve(spb_outbox_block *block, size_t len) {
    size_t head = block->bytes.len == 0 ? SPB_BLOCK_HEAD : 0;
    if (!spb_buffer__reserve(&block->bytes, head + len + SPB_BLOCK_TAIL)) {
        return false;
    }
    block->bytes.len += head;
    return true;
}

bool spb_block__takes(const spb_outbox_block *block, size_t len, uint64_t timestamp_ms,
                      const spb_block_limits *limits) {
    return block->samples == 0 ||
           (timestamp_ms >= block->last_ms && (limits->most_bytes == 0 || size_of(block) + len <= limits->most_bytes));
}

static bool is_full(size_t size, uint64_t samples, const spb_block_limits *limits) {
    return size >= limits->full_bytes || samples >= limits->full_samples;
}

static void extend(spb_outbox_block *block, uint64_t timestamp_ms) {
    block->first_ms = block->samples == 0 ? timestamp_ms : block->first_ms;
    block->last_ms = timestamp_ms;
    block->samples++;
}

bool spb_block__append(spb_outbox_block *block, spb_bytes metric, uint64_t timestamp_ms,
                       const spb_block_limits *limits) {
    memcpy(block->bytes.data + block->bytes.len, metric.data, metric.len);
    block->bytes.len += metric.len;
    extend(block, timestamp_ms);
    return is_full(size_of(block), block->samples, limits);
}

bool spb_block__join(spb_outbox_block *block, size_t begin, uint64_t timestamp_ms, const spb_block_limits *limits) {
    size_t end = block->bytes.len;
    block->bytes.len = begin;
    if (!spb_block__takes(block, end - begin, timestamp_ms, limits) ||
        is_full(end - SPB_BLOCK_HEAD, block->samples + 1, limits)) {
        return false;
    }
    block->bytes.len = end;
    extend(block, timestamp_ms);
    return true;
}

spb_bytes spb_block__metrics(const spb_outbox_block *block) {
    return (spb_bytes){block->bytes.data + (size_of(block) > 0 ? SPB_BLOCK_HEAD : 0), size_of(block)};
}

spb_bytes spb_block__frame(spb_outbox_block *block, uint64_t timestamp_ms, uint8_t seq) {
    uint8_t room[32];
    spb_buffer head = {.data = room, .capacity = sizeof room};
    size_t end = block->bytes.len;
    if (spb_encode__timestamp(&head, timestamp_ms) != SPB_OK || !spb_buffer__reserve(&block->bytes, SPB_BLOCK_TAIL) ||
        spb_encode__seq(&block->bytes, seq) != SPB_OK) {
        return (spb_bytes){NULL, 0};
    }
    uint8_t *begin = block->bytes.data + SPB_BLOCK_HEAD - head.len;
    memcpy(begin, head.data, head.len);
    spb_bytes payload = {begin, (size_t)(block->bytes.data + block->bytes.len - begin)};
    block->bytes.len = end;
    return payload;
}
