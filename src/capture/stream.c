/* Decides the order of bytes, and when a missing segment is given up. What the bytes mean is left to side.c. */
#include "capture/stream.h"

#include <string.h>

enum {
    PATIENCE_PACKETS = 32,          /* captures mix up the order of packets, hardly over more of them */
    PATIENCE_US = 10 * 1000 * 1000, /* where acknowledgements are not captured */
    MAX_WAITING_BYTES = 4 << 20,
    MAX_WAITING_COUNT = 4096
};

/* A difference further back than this is none: the stream went on for more than 3 GiB that were not captured. */
enum { MAX_BACK = -(1 << 30) };

struct stream_piece {
    stream_piece *next;
    stamp at;
    uint32_t seq;
    size_t len;
    size_t lost_behind; /* bytes that the packet had, and the capture cut off */
    uint8_t data[];
};

static int64_t distance(uint32_t from, uint32_t to) {
    int32_t difference = (int32_t)(to - from);
    return difference < MAX_BACK ? (int64_t)(uint32_t)(to - from) : difference;
}

void stream_begin(stream *s, uint32_t seq) {
    s->has_begun = true;
    s->is_from_start = true;
    s->syn_seq = seq;
    s->next_seq = seq + 1;
}

/* The capture begins in the middle. A packet that was captured before may have told where. */
static void begin_in_the_middle(stream *s, uint32_t seq) {
    enum { NEAR = 1 << 20 };
    int64_t ahead = s->has_acked ? distance(s->acked, seq) : -1;
    s->has_begun = true;
    s->next_seq = ahead > 0 && ahead < NEAR ? s->acked : seq;
}

static size_t piece_size(size_t len) {
    return sizeof(stream_piece) + len;
}

static void insert(stream *s, stream_piece *piece) {
    stream_piece **at = &s->waiting;
    if (s->last && distance(s->last->seq, piece->seq) >= 0) {
        at = &s->last->next;
    }
    while (*at && distance((*at)->seq, piece->seq) >= 0) {
        at = &(*at)->next;
    }
    piece->next = *at;
    *at = piece;
    if (!piece->next) {
        s->last = piece;
    }
}

static void keep(stream *s, heap *h, const segment *g, stamp at) {
    stream_piece *piece = heap_take(h, piece_size(g->data.len));
    if (!piece) {
        return; /* capture.c ends with an error */
    }
    *piece = (stream_piece){.at = at, .seq = g->seq, .len = g->data.len, .lost_behind = g->data_bytes - g->data.len};
    if (g->data.len > 0) {
        memcpy(piece->data, g->data.data, g->data.len);
    }
    if (!s->waiting) {
        s->waiting_since = at.time_us;
        s->patience = PATIENCE_PACKETS;
    }
    insert(s, piece);
    s->waiting_bytes += piece->len;
    s->waiting_count++;
}

static stream_piece *take_first(stream *s) {
    stream_piece *piece = s->waiting;
    s->waiting = piece->next;
    s->last = s->waiting ? s->last : NULL;
    s->waiting_bytes -= piece->len;
    s->waiting_count--;
    return piece;
}

/* `behind` bytes before next_seq are known already. */
static void deliver(stream *s, spb_bytes data, size_t lost_behind, uint64_t behind, stamp at, const stream_sink *sink) {
    if (behind < data.len) {
        spb_bytes fresh = {data.data + behind, data.len - (size_t)behind};
        s->next_seq += (uint32_t)fresh.len;
        sink->on_bytes(sink->user, fresh, at);
        behind = data.len;
    }
    if (behind < data.len + lost_behind) {
        uint64_t lost = data.len + lost_behind - behind;
        s->next_seq += (uint32_t)lost;
        sink->on_hole(sink->user, lost, at);
    }
}

static void deliver_waiting(stream *s, heap *h, const stream_sink *sink) {
    while (s->waiting && distance(s->next_seq, s->waiting->seq) <= 0) {
        stream_piece *piece = take_first(s);
        deliver(s, (spb_bytes){piece->data, piece->len}, piece->lost_behind,
                (uint64_t)-distance(s->next_seq, piece->seq), piece->at, sink);
        heap_give(h, piece, piece_size(piece->len));
    }
    if (s->waiting) {
        s->waiting_since = s->waiting->at.time_us;
        s->patience = PATIENCE_PACKETS;
    }
    s->is_finished = s->is_finished || (s->has_fin && distance(s->next_seq, s->fin_seq) <= 0);
}

/* The missing bytes before the first piece that waits are lost. */
static void give_up(stream *s, heap *h, const stream_sink *sink) {
    int64_t lost = distance(s->next_seq, s->waiting->seq);
    s->next_seq = s->waiting->seq;
    if (lost > 0) {
        sink->on_hole(sink->user, (uint64_t)lost, s->waiting->at);
    }
    deliver_waiting(s, h, sink);
}

stream_result stream_push(stream *s, heap *h, const segment *g, stamp at, const stream_sink *sink) {
    if (!s->has_begun && (g->data_bytes > 0 || g->flags & SEGMENT_FIN)) {
        begin_in_the_middle(s, g->seq);
    }
    if (g->flags & SEGMENT_FIN && !s->has_fin) {
        s->has_fin = true;
        s->fin_seq = g->seq + (uint32_t)g->data_bytes;
    }
    stream_result result = STREAM_NEW;
    int64_t ahead = distance(s->next_seq, g->seq);
    if (g->data_bytes > 0 && (s->is_finished || ahead + (int64_t)g->data_bytes <= 0)) {
        result = STREAM_REPEATED;
    } else if (g->data_bytes > 0 && ahead > 0) {
        keep(s, h, g, at);
        result = STREAM_EARLY;
    } else if (g->data_bytes > 0) {
        deliver(s, g->data, g->data_bytes - g->data.len, (uint64_t)-ahead, at, sink);
    }
    if (s->has_begun) {
        deliver_waiting(s, h, sink);
    }
    while (s->waiting_bytes > MAX_WAITING_BYTES || s->waiting_count > MAX_WAITING_COUNT) {
        give_up(s, h, sink);
    }
    return result;
}

void stream_acknowledge(stream *s, uint32_t ack) {
    if (!s->has_acked || distance(s->acked, ack) > 0) {
        s->acked = ack;
    }
    s->has_acked = true;
}

void stream_pass(stream *s, heap *h, stamp at, const stream_sink *sink) {
    while (s->waiting) {
        bool is_acknowledged = s->has_acked && distance(s->waiting->seq, s->acked) >= 0;
        if (is_acknowledged && s->patience > 0) {
            s->patience--;
            return;
        }
        if (!is_acknowledged && (s->has_acked || at.time_us < s->waiting_since + PATIENCE_US)) {
            return;
        }
        give_up(s, h, sink);
    }
}

void stream_end(stream *s, heap *h, const stream_sink *sink) {
    while (s->waiting) {
        give_up(s, h, sink);
    }
}

void stream_clear(stream *s, heap *h) {
    while (s->waiting) {
        stream_piece *piece = take_first(s);
        heap_give(h, piece, piece_size(piece->len));
    }
}
