/* Decides how a buffer grows. What stands in it is left to its users. */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

void spb_buffer__init(spb_buffer *buffer) {
    *buffer = (spb_buffer){0};
}

void spb_buffer__clear(spb_buffer *buffer) {
    free(buffer->data);
    *buffer = (spb_buffer){0};
}

bool spb_buffer__reserve(spb_buffer *buffer, size_t more) {
    if (more <= buffer->capacity - buffer->len) {
        return true;
    }
    if (more > SIZE_MAX / 2 - buffer->len) {
        return false;
    }
    size_t wanted = buffer->len + more;
    size_t grown = buffer->capacity + buffer->capacity / 2;
    size_t capacity = wanted > grown ? wanted : grown;
    if (capacity < 64) {
        capacity = 64;
    }
    uint8_t *data = realloc(buffer->data, capacity);
    if (!data) {
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool spb_buffer__append(spb_buffer *buffer, const void *data, size_t len) {
    if (!spb_buffer__reserve(buffer, len)) {
        return false;
    }
    if (len > 0) {
        memcpy(buffer->data + buffer->len, data, len);
        buffer->len += len;
    }
    return true;
}
