/* Decides nothing but how a chunk is kept in memory. What is read, and when it is sent, is left to replay.c. */
#include "core/chunk.h"

#include <stdlib.h>

void spb_chunk__clear(spb_chunk *chunk) {
    spb_ranges__clear(&chunk->ids);
    spb_buffer__clear(&chunk->bytes);
    free(chunk->blocks);
    *chunk = (spb_chunk){0};
}

void spb_chunk__reset(spb_chunk *chunk) {
    spb_ranges__clear(&chunk->ids);
    chunk->bytes.len = 0;
    *chunk = (spb_chunk){.bytes = chunk->bytes, .blocks = chunk->blocks, .capacity = chunk->capacity};
}

bool spb_chunk__add(spb_chunk *chunk, const spb_block *block) {
    size_t device_len = block->device_id.data ? block->device_id.len : 0;
    if (chunk->count == chunk->capacity) {
        size_t capacity = chunk->capacity ? chunk->capacity * 2 : 64;
        spb_chunk_block *blocks = realloc(chunk->blocks, capacity * sizeof *blocks);
        if (!blocks) {
            return false;
        }
        chunk->blocks = blocks;
        chunk->capacity = capacity;
    }
    if (!spb_buffer__reserve(&chunk->bytes, device_len + block->metrics.len)) {
        return false;
    }
    chunk->blocks[chunk->count++] = (spb_chunk_block){.id = block->id,
                                                      .at = chunk->bytes.len,
                                                      .device_len = device_len,
                                                      .len = block->metrics.len,
                                                      .first_ms = block->first_ms,
                                                      .last_ms = block->last_ms,
                                                      .boot = block->boot,
                                                      .shift_ms = block->shift_ms,
                                                      .samples = block->samples,
                                                      .next = SPB_NO_BLOCK};
    spb_buffer__append(&chunk->bytes, block->device_id.data, device_len);
    spb_buffer__append(&chunk->bytes, block->metrics.data, block->metrics.len);
    return true;
}

spb_str spb_chunk__device(const spb_chunk *chunk, const spb_chunk_block *block) {
    return block->device_len > 0 ? (spb_str){(const char *)chunk->bytes.data + block->at, block->device_len}
                                 : (spb_str){0};
}

spb_bytes spb_chunk__rest(const spb_chunk *chunk, const spb_chunk_block *block) {
    return (spb_bytes){chunk->bytes.data + block->at + block->device_len + block->sent, block->len - block->sent};
}

void spb_chunk__note_arrival(const spb_chunk *chunk, spb_chunk_block *block) {
    if (block->last_ordinal <= chunk->confirmed_ordinal) {
        block->safe = block->sent;
        block->safe_kept = block->kept;
    }
}

void spb_chunk__finish_block(spb_chunk *chunk, spb_chunk_block *block) {
    block->is_done = true;
    while (chunk->next < chunk->count && chunk->blocks[chunk->next].is_done) {
        chunk->next++;
    }
}

bool spb_chunk__is_sent(const spb_chunk *chunk) {
    return chunk->is_complete && chunk->next == chunk->count;
}
