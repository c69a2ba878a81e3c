/* Decides how the memory of a window is used again. When a message comes in, and when it may go, is left to the
 * session. */
#include "core/window.h"

#include <stdlib.h>
#include <string.h>

/* What an empty window keeps for the next burst. */
#define KEPT_BYTES ((size_t)2 * 1024 * 1024)
#define KEPT_RECORDS ((size_t)4096)

void spb_window__clear(spb_window *window) {
    free(window->records);
    spb_buffer__clear(&window->bytes);
    *window = (spb_window){0};
}

/* Moves what is left to the front once half of the memory lies behind, which makes it O(1) per byte. */
static void compact(spb_window *window) {
    if (window->start > 0 && window->start >= window->bytes.len / 2) {
        window->bytes.len -= window->start;
        memmove(window->bytes.data, window->bytes.data + window->start, window->bytes.len);
        window->confirmed_end -= window->confirmed > 0 ? window->start : 0;
        window->start = 0;
    }
    if (window->first > 0 && window->first >= window->count) {
        memmove(window->records, window->records + window->first, window->count * sizeof *window->records);
        window->first = 0;
    }
}

static bool reserve(spb_window *window, size_t bytes) {
    compact(window);
    if (window->first + window->count == window->capacity) {
        size_t capacity = window->capacity ? window->capacity * 2 : 16;
        spb_record *records = realloc(window->records, capacity * sizeof *records);
        if (!records) {
            return false;
        }
        window->records = records;
        window->capacity = capacity;
    }
    return spb_buffer__reserve(&window->bytes, bytes);
}

bool spb_window__push(spb_window *window, const spb_record *record, const void *device_id, const void *metrics) {
    if (!reserve(window, (size_t)record->device_len + record->len)) {
        return false;
    }
    window->records[window->first + window->count++] = *record;
    spb_buffer__append(&window->bytes, device_id, record->device_len);
    spb_buffer__append(&window->bytes, metrics, record->len);
    return true;
}

spb_record *spb_window__at(const spb_window *window, size_t index) {
    return &window->records[window->first + index];
}

static spb_record_bytes bytes_at(const spb_window *window, size_t index, size_t offset) {
    const spb_record *record = spb_window__at(window, index);
    const uint8_t *at = window->bytes.data + offset;
    spb_record_bytes bytes = {.metrics = {at + record->device_len, record->len}};
    if (record->device_len > 0) {
        bytes.device_id = (spb_str){(const char *)at, record->device_len};
    }
    return bytes;
}

spb_record_bytes spb_window__front(const spb_window *window) {
    return bytes_at(window, 0, window->start);
}

/* Where the first that is not confirmed begins. */
static size_t unconfirmed_begin(const spb_window *window) {
    return window->confirmed > 0 ? window->confirmed_end : window->start;
}

spb_record_bytes spb_window__unconfirmed(const spb_window *window) {
    return bytes_at(window, window->confirmed, unconfirmed_begin(window));
}

void spb_window__confirm(spb_window *window) {
    const spb_record *record = spb_window__at(window, window->confirmed);
    window->confirmed_end = unconfirmed_begin(window) + record->device_len + record->len;
    window->confirmed++;
}

static void reset(spb_window *window) {
    window->bytes.len = 0;
    window->start = window->first = window->count = window->confirmed = window->confirmed_end = 0;
    if (window->bytes.capacity > KEPT_BYTES || window->capacity > KEPT_RECORDS) {
        spb_window__clear(window);
    }
}

void spb_window__pop(spb_window *window) {
    const spb_record *front = spb_window__at(window, 0);
    window->start += (size_t)front->device_len + front->len;
    window->first++;
    window->count--;
    window->confirmed -= window->confirmed > 0;
    if (window->count == 0) {
        reset(window);
    }
}

void spb_window__cut(spb_window *window) {
    window->bytes.len = window->count > 0 ? unconfirmed_begin(window) : window->bytes.len;
    window->count = window->confirmed;
    if (window->count == 0) {
        reset(window);
    }
}

size_t spb_window__size(const spb_window *window) {
    return window->bytes.len - window->start + window->count * sizeof *window->records;
}
