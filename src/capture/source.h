/* Packets of a capture file, through libpcap. */
#ifndef SPB_CAPTURE_SOURCE_H
#define SPB_CAPTURE_SOURCE_H

#include "capture/capture.h"

typedef struct source source;

typedef struct source_packet {
    uint64_t time_us;
    spb_bytes data; /* what was captured; borrowed until the next call */
    bool is_cut;    /* it had more */
} source_packet;

/* As capture_new. */
spb_status source_new(source **out, int fd, spb_bytes head, const capture_options *options, spb_error *err);
void source_free(source *s);
/* A DLT_… of libpcap. */
int source_link_type(const source *s);
/* CAPTURE_MORE: *packet is filled. */
capture_status source_next(source *s, source_packet *packet, spb_error *err);
/* Bytes of the file read so far. */
uint64_t source_bytes(const source *s);

#endif
