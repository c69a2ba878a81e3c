/*
 * One direction of a TCP connection: segments as they were captured become the bytes that were sent, in their order and
 * once. What does not come is told as a hole.
 *
 * A segment that comes too early waits for the missing one until the other side has acknowledged that, and some more
 * packets have passed: then the capture has lost it.
 */
#ifndef SPB_CAPTURE_STREAM_H
#define SPB_CAPTURE_STREAM_H

#include "capture/frame.h"
#include "capture/heap.h"

/* When and where something was captured. */
typedef struct stamp {
    uint64_t time_us;
    uint64_t packet;
} stamp;

typedef struct stream_sink {
    void (*on_bytes)(void *user, spb_bytes bytes, stamp at); /* borrowed for the call */
    void (*on_hole)(void *user, uint64_t lost_bytes, stamp at);
    void *user;
} stream_sink;

typedef struct stream_piece stream_piece;

typedef struct stream {
    bool has_begun;     /* next_seq is known */
    bool is_from_start; /* its SYN was seen */
    bool has_fin;
    bool is_finished; /* the FIN was reached */
    bool has_acked;   /* of the other side: `acked` is known */
    uint32_t syn_seq;
    uint32_t next_seq;
    uint32_t fin_seq;
    uint32_t acked;               /* what the other side has received */
    uint32_t patience;            /* further packets until an acknowledged hole is given up */
    uint64_t waiting_since;       /* time_us of the first piece that waits */
    stream_piece *waiting, *last; /* by their sequence numbers */
    size_t waiting_bytes, waiting_count;
} stream;

typedef enum stream_result {
    STREAM_NEW,      /* there was something new in it, or it had no data */
    STREAM_REPEATED, /* all of it was there before */
    STREAM_EARLY     /* it waits */
} stream_result;

/* A SYN: the stream begins. */
void stream_begin(stream *s, uint32_t seq);
/* A segment of this direction. A FIN in it counts too. */
stream_result stream_push(stream *s, heap *h, const segment *g, stamp at, const stream_sink *sink);
/* A segment of the other direction: what it acknowledges. */
void stream_acknowledge(stream *s, uint32_t ack);
/* A packet of the connection has passed: holes that are not going to be filled are given up. */
void stream_pass(stream *s, heap *h, stamp at, const stream_sink *sink);
/* Nothing will come any more. */
void stream_end(stream *s, heap *h, const stream_sink *sink);
void stream_clear(stream *s, heap *h);

#endif
