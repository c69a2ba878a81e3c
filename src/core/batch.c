/* Decides where one message ends and the next begins, and how the memory of a batch is reused. When a message leaves is
 * left to the session. */
#include "core/batch.h"

#include <stdlib.h>
#include <string.h>

/* What an idle batch may keep for the next burst. */
#define KEPT_BYTES ((size_t)128 * 1024)
#define KEPT_SEGMENTS ((size_t)1024)

static void count(const spb_batch *batch, size_t more, size_t less) {
    if (batch->total) {
        *batch->total += more;
        *batch->total -= less;
    }
}

void spb_batch__clear(spb_batch *batch) {
    count(batch, 0, spb_batch__size(batch));
    spb_buffer__clear(&batch->bytes);
    free(batch->segments);
    *batch = (spb_batch){.total = batch->total, .begun = batch->begun};
}

/* Moves what waits to the front once half of the buffer lies behind, which makes it O(1) per byte. */
static void compact(spb_batch *batch) {
    if (batch->start > 0 && batch->start >= batch->bytes.len / 2) {
        size_t size = spb_batch__size(batch);
        memmove(batch->bytes.data, batch->bytes.data + batch->start, size);
        for (size_t i = batch->first; i < batch->first + batch->count; i++) {
            batch->segments[i].end -= batch->start;
        }
        batch->bytes.len = size;
        batch->start = 0;
    }
    if (batch->first > 0 && batch->first >= batch->count) {
        memmove(batch->segments, batch->segments + batch->first, batch->count * sizeof *batch->segments);
        batch->first = 0;
    }
}

bool spb_batch__reserve(spb_batch *batch, size_t len) {
    compact(batch);
    if (batch->first + batch->count == batch->capacity) {
        size_t capacity = batch->capacity ? batch->capacity * 2 : 4;
        spb_segment *segments = realloc(batch->segments, capacity * sizeof *segments);
        if (!segments) {
            return false;
        }
        batch->segments = segments;
        batch->capacity = capacity;
    }
    return spb_buffer__reserve(&batch->bytes, len);
}

/* Where the last message begins. */
static size_t last_begin(const spb_batch *batch) {
    return batch->count > 1 ? batch->segments[batch->first + batch->count - 2].end : batch->start;
}

static bool takes(const spb_batch *batch, size_t len, uint64_t timestamp_ms, const spb_batch_limits *limits) {
    if (batch->count == 0 || !batch->is_open) {
        return false;
    }
    /* tck-id-operational-behavior-data-publish-nbirth-order: one message is in time order. */
    return timestamp_ms >= batch->segments[batch->first + batch->count - 1].last_ms &&
           (limits->most_bytes == 0 || batch->bytes.len - last_begin(batch) + len <= limits->most_bytes);
}

static bool is_full(size_t size, uint32_t samples, const spb_batch_limits *limits) {
    return size >= limits->full_bytes || samples >= limits->full_samples;
}

/* The last message now ends where the bytes do. */
static spb_segment *extend(spb_batch *batch, uint64_t timestamp_ms) {
    spb_segment *last = spb_batch__segment(batch, batch->count - 1);
    last->end = batch->bytes.len;
    last->samples++;
    last->last_ms = timestamp_ms;
    return last;
}

bool spb_batch__append(spb_batch *batch, const spb_buffer *metric, uint64_t timestamp_ms,
                       const spb_batch_limits *limits) {
    bool is_new = !takes(batch, metric->len, timestamp_ms, limits);
    size_t begin = is_new ? batch->bytes.len : last_begin(batch);
    if (is_new) {
        batch->segments[batch->first + batch->count++] =
            (spb_segment){.first_ms = timestamp_ms, .number = ++batch->begun};
    }
    spb_buffer__append(&batch->bytes, metric->data, metric->len);
    const spb_segment *last = extend(batch, timestamp_ms);
    batch->is_open = !is_full(last->end - begin, last->samples, limits);
    count(batch, metric->len, 0);
    return is_new;
}

bool spb_batch__join(spb_batch *batch, size_t begin, uint64_t timestamp_ms, const spb_batch_limits *limits) {
    size_t end = batch->bytes.len;
    uint32_t samples = spb_batch__segment(batch, batch->count - 1)->samples + 1;
    batch->bytes.len = begin;
    if (!takes(batch, end - begin, timestamp_ms, limits) || is_full(end - last_begin(batch), samples, limits)) {
        return false;
    }
    batch->bytes.len = end;
    extend(batch, timestamp_ms);
    return true;
}

bool spb_batch__is_empty(const spb_batch *batch) {
    return batch->count == 0;
}

size_t spb_batch__size(const spb_batch *batch) {
    return batch->bytes.len - batch->start;
}

size_t spb_batch__closed(const spb_batch *batch) {
    return batch->count - (batch->is_open && batch->count > 0);
}

spb_segment *spb_batch__segment(const spb_batch *batch, size_t index) {
    return &batch->segments[batch->first + index];
}

spb_bytes spb_batch__metrics(const spb_batch *batch, size_t index) {
    size_t begin = index > 0 ? spb_batch__segment(batch, index - 1)->end : batch->start;
    return (spb_bytes){.data = batch->bytes.data + begin, .len = spb_batch__segment(batch, index)->end - begin};
}

static void reset(spb_batch *batch) {
    batch->bytes.len = 0;
    batch->start = batch->first = batch->count = batch->tried = 0;
    if (batch->bytes.capacity > KEPT_BYTES || batch->capacity > KEPT_SEGMENTS) {
        spb_batch__clear(batch);
    }
}

void spb_batch__close(spb_batch *batch) {
    batch->is_open = false;
}

void spb_batch__pop(spb_batch *batch) {
    count(batch, 0, batch->segments[batch->first].end - batch->start);
    batch->start = batch->segments[batch->first].end;
    batch->first++;
    batch->count--;
    batch->tried -= batch->tried > 0;
    if (batch->count == 0) {
        reset(batch);
    }
}

bool spb_batch__move_front(spb_batch *to, spb_batch *from) {
    spb_bytes metrics = spb_batch__metrics(from, 0);
    if (!spb_batch__reserve(to, metrics.len)) {
        return false;
    }
    spb_segment *added = &to->segments[to->first + to->count++];
    spb_buffer__append(&to->bytes, metrics.data, metrics.len);
    *added = *spb_batch__segment(from, 0);
    added->end = to->bytes.len;
    to->is_open = false;
    count(to, metrics.len, 0);
    spb_batch__pop(from);
    return true;
}

void spb_batch__swap(spb_batch *a, spb_batch *b) {
    spb_batch other = *a;
    count(a, spb_batch__size(b), spb_batch__size(a));
    count(b, spb_batch__size(a), spb_batch__size(b));
    *a = *b;
    a->total = other.total;
    a->begun = other.begun;
    other.total = b->total;
    other.begun = b->begun;
    *b = other;
}

uint64_t spb_batch__drop(spb_batch *batch) {
    uint64_t samples = 0;
    for (size_t i = batch->first; i < batch->first + batch->count; i++) {
        samples += batch->segments[i].samples;
    }
    count(batch, 0, spb_batch__size(batch));
    reset(batch);
    return samples;
}
