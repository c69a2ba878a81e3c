/* Decides how buffers grow, and counts them. */
#include "capture/heap.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 512, KEPT_CAPACITY = 64 << 10 };

void *heap_take(heap *h, size_t size) {
    void *memory = malloc(size);
    if (!memory) {
        h->has_failed = true;
        return NULL;
    }
    h->used += size;
    return memory;
}

void heap_give(heap *h, void *memory, size_t size) {
    if (memory) {
        h->used -= size;
        free(memory);
    }
}

bool heap_append(heap *h, heap_buffer *buffer, spb_bytes bytes) {
    if (bytes.len == 0) {
        return true;
    }
    size_t wanted = buffer->len + bytes.len;
    if (wanted > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
        while (capacity < wanted) {
            capacity *= 2;
        }
        uint8_t *data = realloc(buffer->data, capacity);
        if (!data) {
            h->has_failed = true;
            return false;
        }
        h->used += capacity - buffer->capacity;
        buffer->data = data;
        buffer->capacity = capacity;
    }
    memcpy(buffer->data + buffer->len, bytes.data, bytes.len);
    buffer->len = wanted;
    return true;
}

void heap_empty(heap *h, heap_buffer *buffer) {
    buffer->len = 0;
    if (buffer->capacity > KEPT_CAPACITY) {
        heap_clear(h, buffer);
    }
}

void heap_drop(heap_buffer *buffer, size_t count) {
    buffer->len -= count;
    if (buffer->len > 0 && count > 0) {
        memmove(buffer->data, buffer->data + count, buffer->len);
    }
}

void heap_clear(heap *h, heap_buffer *buffer) {
    heap_give(h, buffer->data, buffer->capacity);
    *buffer = (heap_buffer){NULL, 0, 0};
}
