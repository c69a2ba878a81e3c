/* The properties of MQTT 5 packets (OASIS standard, 2.2.2). Pure. */
#ifndef SPB_CAPTURE_PROPERTY_H
#define SPB_CAPTURE_PROPERTY_H

#include "capture/bytes.h"

enum {
    PROPERTY_SESSION_EXPIRY = 0x11,
    PROPERTY_ASSIGNED_CLIENT_ID = 0x12,
    PROPERTY_WILL_DELAY = 0x18,
    PROPERTY_TOPIC_ALIAS = 0x23
};

typedef struct property {
    uint8_t id;
    uint32_t number; /* of numeric ones */
    spb_str text;    /* of strings */
} property;

/* The block of properties at the cursor, without its length, and the cursor behind it; is_short if it is not whole. */
spb_bytes property_block(cursor *c);
/* False at the end, or at something that is no property: then is_short is set. */
bool property_next(cursor *block, property *out);
/* True if all of it are properties. */
bool property_block_is_sound(spb_bytes block);
/* True if the properties of a PUBLISH, and nothing else, are in it. */
bool property_block_is_of_publish(spb_bytes block);

#endif
