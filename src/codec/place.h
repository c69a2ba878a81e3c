/* A place in a payload, said by the way to it from the outside: for errors. */
#ifndef SPB_CODEC_PLACE_H
#define SPB_CODEC_PLACE_H

#include <spb/payload.h>

#include "codec/schema.h"

#define NOT_REPEATED SIZE_MAX

/* A field of a message; its parts are on the stacks of those who walk the payload. */
typedef struct spb_place {
    const struct spb_place *up; /* NULL: the message is where the way begins */
    spb_message message;        /* that the field is in */
    unsigned number;            /* of the field; 0, only where the way begins: the message itself */
    size_t index;               /* among its like; NOT_REPEATED for a field that may stand once */
} spb_place;

/* Places that last as long as the block they stand in: FIELD_AT(up, METRIC, NAME). */
#define FIELD_AT(up, message, field) (&(const spb_place){up, MESSAGE_##message, message##_##field, NOT_REPEATED})
#define ITEM_AT(up, message, field, index) (&(const spb_place){up, MESSAGE_##message, message##_##field, index})

/* Fills *err with "path: what" and the status, and returns the status. */
spb_status spb_place__fail(spb_error *err, spb_status status, const spb_place *at, const char *what);

/* Where the field is on the wire: its content, and *tag where it begins. `from` is the content of the message where the
 * way begins. It is looked for from there, so this is for errors alone. */
spb_bytes spb_place__find(const spb_place *at, spb_bytes from, const uint8_t **tag);

#endif
