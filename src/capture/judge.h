/* Whether bytes out of the middle of a stream may be the beginning of an MQTT packet. Pure. */
#ifndef SPB_CAPTURE_JUDGE_H
#define SPB_CAPTURE_JUDGE_H

#include "capture/mqtt_packet.h"

typedef enum judgement {
    JUDGE_NO,
    JUDGE_MORE, /* more bytes are needed: never if there are JUDGE_BYTES */
    JUDGE_YES
} judgement;

enum { JUDGE_BYTES = 272 };

typedef struct judge_case {
    int sender;         /* 1: a client, −1: a server, 0: not known */
    bool is_known_mqtt; /* the connection speaks MQTT: weak evidence will do */
    bool is_boundary;   /* a TCP segment begins here, as most packets do */
    size_t max_packet_bytes;
} judge_case;

/* One packet after the other is looked at, as far as `from` goes. A CONNECT, or a PUBLISH of Sparkplug, is evidence
 * alone. */
judgement judge_stream(spb_bytes from, const judge_case *about);
/* The very first bytes of a direction. */
judgement judge_start(spb_bytes from, const judge_case *about);

#endif
