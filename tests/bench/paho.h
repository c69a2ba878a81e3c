/* The baseline of everything that goes over the network: paho alone, sending ready-made payloads, pipelined. */
#ifndef SPB_BENCH_PAHO_H
#define SPB_BENCH_PAHO_H

#include <stddef.h>
#include <stdint.h>

typedef struct paho paho;

/*
 * Connects; at most `window` messages are handed over and not yet written. paho can write only a part when the server
 * is slow, and then sleeps for up to a second unless something comes in. With wake_bytes > 0 it gets an answer to a
 * request after so many bytes, which keeps it awake.
 */
paho *paho_open(uint16_t port, unsigned window, size_t wake_bytes);
/* Waits until there is room in the window. */
void paho_send(paho *self, const char *topic, const void *payload, size_t len);
void paho_close(paho *self);

#endif
