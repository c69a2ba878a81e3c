/* The handshake of WebSocket: an HTTP request that asks for it, and the answer that grants it (RFC 6455, 4). Pure. */
#ifndef SPB_CAPTURE_HTTP_H
#define SPB_CAPTURE_HTTP_H

#include <spb/value.h>

typedef enum http_result {
    HTTP_OTHER,  /* not this */
    HTTP_MORE,   /* more bytes are needed */
    HTTP_UPGRADE /* this */
} http_result;

/* Whether the first line of a request, or of an answer, begins here. */
http_result http_begins(spb_bytes bytes);
/* HTTP_UPGRADE: *len bytes of headers, behind which frames follow. HTTP_OTHER also if the headers are too long. */
http_result http_read_upgrade(spb_bytes bytes, size_t *len);

#endif
