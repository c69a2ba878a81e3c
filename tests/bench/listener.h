/*
 * A subscriber in a process of its own, which counts what arrives. It reads MQTT and Sparkplug from the socket by
 * itself, so that it takes little of the machine that it shares with what is measured.
 */
#ifndef SPB_BENCH_LISTENER_H
#define SPB_BENCH_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

/* What has arrived since the last listener_reset. */
typedef struct listener_counts {
    uint64_t messages; /* NDATA and DDATA */
    uint64_t samples;  /* in them, of which */
    uint64_t historical;
    uint64_t bytes;        /* of their payloads */
    uint64_t births;       /* NBIRTH and DBIRTH */
    uint64_t birth_bytes;  /* of their payloads */
    uint64_t last_ns;      /* when the last of all came; bench_now_ns */
    uint64_t latencies;    /* how many are in listener_latencies */
    uint64_t out_of_order; /* sequence numbers that did not follow the one before */
} listener_counts;

typedef struct listener listener;

#define LISTENER_MAX_LATENCIES 2000000

/*
 * Forks: before this process has threads. Returns when everything under spBv1.0/ is subscribed. Samples of Int64 are
 * taken as the time (bench_now_ns) at which they were made, if they are not historical.
 */
listener *listener_start(uint16_t port);
void listener_stop(listener *self);
/* Begins to count anew. Nothing may be under way. */
void listener_reset(listener *self);
/* Until so many samples of data and so many births have come; false when nothing has come for five seconds. */
bool listener_wait(const listener *self, uint64_t samples, uint64_t births);
listener_counts listener_read(const listener *self);
/* From the making of a sample until it came, in ns. */
const uint32_t *listener_latencies(const listener *self);
int listener_pid(const listener *self);

#endif
