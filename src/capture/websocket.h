/* WebSocket frames (RFC 6455, 5.2) of one direction: headers away, masks undone. Control frames are dropped. */
#ifndef SPB_CAPTURE_WEBSOCKET_H
#define SPB_CAPTURE_WEBSOCKET_H

#include <spb/value.h>

enum { WEBSOCKET_HEADER_BYTES = 14, WEBSOCKET_SCRATCH_BYTES = 16 << 10 };

typedef struct websocket {
    uint8_t header[WEBSOCKET_HEADER_BYTES]; /* as far as it came */
    size_t header_bytes;
    uint64_t left; /* of the frame's payload; 0: a header comes next */
    size_t mask_at;
    bool is_masked;
    bool is_control;
} websocket;

typedef enum websocket_result {
    WEBSOCKET_PAYLOAD, /* *payload is filled, possibly empty */
    WEBSOCKET_BAD      /* no frame, or one of an extension that is not known */
} websocket_result;

/* Takes from the front of *from. *payload is a view into it, or into the scratch, where masks are undone. */
websocket_result websocket_read(websocket *w, uint8_t scratch[WEBSOCKET_SCRATCH_BYTES], spb_bytes *from,
                                spb_bytes *payload);
/* Bytes of a frame's payload are missing: count ≤ left. */
void websocket_skip(websocket *w, uint64_t count);

typedef enum websocket_verdict { WEBSOCKET_NO, WEBSOCKET_MORE, WEBSOCKET_YES } websocket_verdict;

enum { WEBSOCKET_PEEK_BYTES = 288 };

/* Whether a data frame may begin at from[0]. WEBSOCKET_YES: the first bytes of its payload, at most
 * WEBSOCKET_PEEK_BYTES, are in `peek`, and *is_whole if the payload has no more. */
websocket_verdict websocket_peek(spb_bytes from, uint8_t peek[WEBSOCKET_PEEK_BYTES], size_t *len, bool *is_masked,
                                 bool *is_whole);

#endif
