/* Heap that is counted, so that all connections together keep to a limit. */
#ifndef SPB_CAPTURE_HEAP_H
#define SPB_CAPTURE_HEAP_H

#include <spb/value.h>

typedef struct heap {
    size_t used;     /* the limit is watched by capture.c, which knows what can be given up */
    bool has_failed; /* the system gave no memory */
} heap;

/* NULL: has_failed is set. */
void *heap_take(heap *h, size_t size);
void heap_give(heap *h, void *memory, size_t size);

/* Bytes that grow at the end. */
typedef struct heap_buffer {
    uint8_t *data;
    size_t len, capacity;
} heap_buffer;

/* False: no memory; nothing has changed. */
bool heap_append(heap *h, heap_buffer *buffer, spb_bytes bytes);
/* Empty from now on. What was large is given back. */
void heap_empty(heap *h, heap_buffer *buffer);
/* Drops the first `count` ≤ len bytes. */
void heap_drop(heap_buffer *buffer, size_t count);
void heap_clear(heap *h, heap_buffer *buffer);
static inline spb_bytes heap_bytes(const heap_buffer *buffer) {
    return (spb_bytes){buffer->data, buffer->len};
}

#endif
