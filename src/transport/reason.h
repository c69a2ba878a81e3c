/* The codes by which an MQTT server says no, in words. */
#ifndef SPB_TRANSPORT_REASON_H
#define SPB_TRANSPORT_REASON_H

#include <stdbool.h>
#include <stddef.h>

#include <spb/transport.h>

/* What a refused CONNECT means: SPB_ERR_AUTH or SPB_ERR_REFUSED, and a sentence about the server in `text`. */
spb_status spb_reason__connack(int code, spb_mqtt_version version, const char *server, char *text, size_t capacity);

/* A reason code of MQTT 5, 0x80 and above. `words` are never NULL. */
typedef struct spb_reason {
    spb_status status;
    const char *words;
} spb_reason;
spb_reason spb_reason__find(int code);

/* A call to paho that failed with this code: "what: words". */
spb_status spb_reason__paho(spb_error *err, const char *what, int code);

#endif
