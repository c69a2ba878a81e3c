/* From a frame of the link layer to the TCP segment in it: VLAN tags, IPv4, IPv6 with its extension headers. Pure. */
#ifndef SPB_CAPTURE_FRAME_H
#define SPB_CAPTURE_FRAME_H

#include "capture/capture.h"

enum { SEGMENT_FIN = 0x01, SEGMENT_SYN = 0x02, SEGMENT_RST = 0x04, SEGMENT_ACK = 0x10 };

typedef struct segment {
    capture_address from, to;
    uint32_t seq, ack;
    uint8_t flags;
    spb_bytes data;    /* as much of it as was captured */
    size_t data_bytes; /* that the segment has */
} segment;

typedef enum frame_result {
    FRAME_SEGMENT,
    FRAME_FRAGMENT, /* of an IP packet */
    FRAME_OTHER     /* no TCP, or damaged, or cut too early */
} frame_result;

/* Link types are libpcap's DLT_…. */
bool frame_knows(int link_type);
/* out->data is a view into `frame`. Checksums are not looked at: offloading leaves them wrong. */
frame_result frame_read(int link_type, spb_bytes frame, segment *out);

#endif
