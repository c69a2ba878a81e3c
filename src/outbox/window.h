/*
 * How much may be under way on a link: what the answers to fences have shown that it carries in a second. Live data,
 * births, heartbeats and the replay share the one link; what is ahead of them in its buffers is what they wait for.
 */
#ifndef SPB_OUTBOX_WINDOW_H
#define SPB_OUTBOX_WINDOW_H

#include <stddef.h>
#include <stdint.h>

/* Of one connection. */
typedef struct spb_window {
    size_t most_bytes; /* its ceiling; 0: there is no window, and nothing is limited */
    size_t bytes;      /* that may be under way of a replay; live data may have half as much on top */
    uint32_t trip_ms;  /* the shortest time for an answer so far */
    uint64_t since_ms; /* when `bytes` was changed last: fences that were sent before show what was before */
} spb_window;

/* A new connection, on which an answer to a small request took so long. */
void spb_window__begin(spb_window *window, size_t most_bytes, uint64_t trip_ms);
/* A fence was answered that was sent with so many bytes of messages under way. */
void spb_window__answered(spb_window *window, size_t bytes, uint64_t sent_ms, uint64_t now_ms);
/* What may be under way of the replay, and with live data. */
size_t spb_window__replay_bytes(const spb_window *window);
size_t spb_window__live_bytes(const spb_window *window);
/* A part of it, at most most_bytes: the answers are to come in several times in a window, so that the link never runs
 * dry, and no message is to be larger, if it can be cut. */
size_t spb_window__part(const spb_window *window, size_t most_bytes);
/* How long the link takes for so much, by what it has shown. */
uint64_t spb_window__time_ms(const spb_window *window, size_t bytes);

#endif
