/* Decides what an MQTT packet says. What it means in its connection is left to talk.c. */
#include "capture/mqtt_packet.h"

#include <string.h>

#include "capture/bytes.h"
#include "capture/property.h"

/* ---- the fixed header ---- */

static bool fits(uint8_t type, uint8_t flags) {
    switch (type) {
    case 0: return false;
    case MQTT_PUBLISH: return (flags & 6) != 6; /* QoS 3 */
    case MQTT_PUBREL:
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE: return flags == 2;
    default: return flags == 0;
    }
}

mqtt_result mqtt_read_header(spb_bytes from, mqtt_header *out) {
    enum { MAX_LENGTH_BYTES = 4 };
    if (from.len == 0) {
        return MQTT_SHORT;
    }
    *out = (mqtt_header){.type = (mqtt_type)(from.data[0] >> 4), .flags = from.data[0] & 15};
    if (!fits(out->type, out->flags)) {
        return MQTT_BAD;
    }
    for (uint8_t i = 0; i < MAX_LENGTH_BYTES; i++) {
        if (from.len < 2u + i) {
            return MQTT_SHORT;
        }
        uint8_t byte = from.data[1 + i];
        out->body_bytes |= (uint32_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            out->header_bytes = (uint8_t)(2 + i);
            return byte == 0 && i > 0 ? MQTT_BAD : MQTT_OK;
        }
    }
    return MQTT_BAD;
}

int mqtt_sender(mqtt_type type) {
    switch (type) {
    case MQTT_CONNECT:
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
    case MQTT_PINGREQ: return 1;
    case MQTT_CONNACK:
    case MQTT_SUBACK:
    case MQTT_UNSUBACK:
    case MQTT_PINGRESP: return -1;
    default: return 0; /* also DISCONNECT: a server of MQTT 5 sends it, too */
    }
}

/* ---- CONNECT ---- */

enum { FLAG_CLEAN = 0x02, FLAG_WILL = 0x04, FLAG_WILL_RETAIN = 0x20, FLAG_PASSWORD = 0x40, FLAG_USER = 0x80 };

static bool read_protocol(cursor *c, uint8_t *level) {
    spb_str name = cursor_str(c);
    *level = cursor_u8(c) & 0x7F; /* bridges set the highest bit */
    return *level == 3 ? spb_str_equal(name, spb_str_from("MQIsdp"))
                       : (*level == 4 || *level == 5) && spb_str_equal(name, spb_str_from("MQTT"));
}

static void read_connect_properties(cursor *c, capture_connect *out) {
    cursor block = {.left = property_block(c)};
    property p;
    while (property_next(&block, &p)) {
        if (p.id == PROPERTY_SESSION_EXPIRY) {
            out->has_session_expiry = true;
            out->session_expiry_s = p.number;
        }
    }
    c->is_short = c->is_short || block.is_short;
}

static void read_will(cursor *c, uint8_t flags, uint8_t level, capture_connect *out) {
    out->has_will = true;
    out->will_qos = flags >> 3 & 3;
    out->will_retain = flags & FLAG_WILL_RETAIN;
    if (level == 5) {
        cursor block = {.left = property_block(c)};
        property p;
        while (property_next(&block, &p)) {
            out->will_delay_s = p.id == PROPERTY_WILL_DELAY ? p.number : out->will_delay_s;
        }
        c->is_short = c->is_short || block.is_short;
    }
    out->will_topic = cursor_str(c);
    out->will_payload = cursor_block(c);
}

const char *mqtt_read_connect(spb_bytes body, capture_connect *out, uint8_t *level) {
    cursor c = {.left = body};
    *out = (capture_connect){.client_id = {NULL, 0}};
    if (!read_protocol(&c, level)) {
        return "CONNECT of an unknown protocol";
    }
    uint8_t flags = cursor_u8(&c);
    out->is_clean = flags & FLAG_CLEAN;
    out->keep_alive_s = cursor_u16(&c);
    if (*level == 5) {
        read_connect_properties(&c, out);
    }
    out->client_id = cursor_str(&c);
    if (flags & FLAG_WILL) {
        read_will(&c, flags, *level, out);
    }
    if (flags & FLAG_USER) {
        out->user_name = cursor_str(&c);
    }
    if (flags & FLAG_PASSWORD) {
        (void)cursor_block(&c);
    }
    return c.is_short ? "CONNECT that ends too early" : c.left.len > 0 ? "CONNECT with bytes behind it" : NULL;
}

const char *mqtt_read_connack(spb_bytes body, uint8_t level, capture_connack *out, spb_str *assigned_id) {
    cursor c = {.left = body};
    out->session_present = cursor_u8(&c) & 1;
    out->reason = cursor_u8(&c);
    *assigned_id = (spb_str){NULL, 0};
    if (c.is_short) {
        return "CONNACK that ends too early";
    }
    if (level == 5 || (level == 0 && c.left.len > 0)) {
        cursor block = {.left = property_block(&c)};
        property p;
        while (property_next(&block, &p)) {
            *assigned_id = p.id == PROPERTY_ASSIGNED_CLIENT_ID ? p.text : *assigned_id;
        }
        if (c.is_short || block.is_short) {
            return "CONNACK with damaged properties";
        }
    }
    return c.left.len > 0 ? "CONNACK with bytes behind it" : NULL;
}

/* ---- PUBLISH ---- */

/*
 * Where the version is not known, what stands behind topic and packet id is a block of properties, or the payload. An
 * empty topic is possible only with an alias, so in MQTT 5. A payload of Sparkplug begins with the tag of a field,
 * which is not 0, so that a 0 is an empty block; and its first bytes are hardly properties of just the length that the
 * very first one tells.
 */
static bool is_of_mqtt_5(cursor c, spb_str topic) {
    bool is_empty = c.left.len > 0 && c.left.data[0] == 0;
    spb_bytes block = property_block(&c);
    return topic.len == 0 || is_empty || (!c.is_short && block.len > 0 && property_block_is_of_publish(block));
}

static const char *read_publish_properties(cursor *c, capture_publish *out) {
    cursor block = {.left = property_block(c)};
    property p;
    while (property_next(&block, &p)) {
        if (p.id == PROPERTY_TOPIC_ALIAS) {
            out->topic_alias = (uint16_t)p.number;
        }
    }
    return c->is_short || block.is_short ? "PUBLISH with damaged properties" : NULL;
}

const char *mqtt_read_publish(uint8_t flags, spb_bytes body, uint8_t level, capture_publish *out, uint8_t *guess) {
    cursor c = {.left = body};
    *out = (capture_publish){.qos = flags >> 1 & 3, .retain = flags & 1, .is_duplicate = flags & 8};
    out->topic = cursor_str(&c);
    out->packet_id = out->qos > 0 ? cursor_u16(&c) : 0;
    if (c.is_short) {
        return "PUBLISH that ends too early";
    }
    if (level == 0) {
        level = is_of_mqtt_5(c, out->topic) ? 5 : 0;
        *guess = level;
    }
    const char *wrong = level == 5 ? read_publish_properties(&c, out) : NULL;
    out->payload = c.left;
    if (!wrong && out->topic.len == 0 && out->topic_alias == 0) {
        return "PUBLISH without a topic";
    }
    return wrong;
}

/* ---- SUBSCRIBE and its kin ---- */

bool capture_next_filter(const capture_subscribe *subscribe, size_t *cursor_at, capture_filter *filter) {
    cursor c = {.left = bytes_after(subscribe->filters, *cursor_at)};
    if (c.left.len == 0) {
        return false;
    }
    filter->topic = cursor_str(&c);
    filter->options = subscribe->with_options ? cursor_u8(&c) : 0;
    filter->qos = filter->options & 3;
    *cursor_at = subscribe->filters.len - c.left.len;
    return !c.is_short;
}

static bool is_sound(const capture_subscribe *s) {
    cursor c = {.left = s->filters};
    while (c.left.len > 0) {
        spb_str topic = cursor_str(&c);
        uint8_t options = s->with_options ? cursor_u8(&c) : 0;
        if (c.is_short || topic.len == 0 || (options & 3) == 3) {
            return false;
        }
    }
    return s->filters.len > 0;
}

/* Without a known version: a first filter of length 0 is none, but an empty block of properties. */
const char *mqtt_read_subscribe(spb_bytes body, uint8_t level, bool with_options, capture_subscribe *out) {
    cursor c = {.left = body};
    *out = (capture_subscribe){.packet_id = cursor_u16(&c), .with_options = with_options, .filters = c.left};
    if (level == 5 || (level == 0 && !is_sound(out))) {
        spb_bytes block = property_block(&c);
        out->filters = c.left;
        if (c.is_short || !property_block_is_sound(block)) {
            return "SUBSCRIBE or UNSUBSCRIBE with damaged properties";
        }
    }
    return c.is_short || !is_sound(out) ? "SUBSCRIBE or UNSUBSCRIBE with damaged filters" : NULL;
}

const char *mqtt_read_suback(spb_bytes body, uint8_t level, capture_suback *out) {
    cursor c = {.left = body};
    out->packet_id = cursor_u16(&c);
    if (level == 5 && !property_block_is_sound(property_block(&c))) {
        return "SUBACK with damaged properties";
    }
    out->reasons = c.left;
    return c.is_short || c.left.len == 0 ? "SUBACK that ends too early" : NULL;
}

const char *mqtt_read_disconnect(spb_bytes body, capture_disconnect *out) {
    cursor c = {.left = body};
    out->reason = body.len > 0 ? cursor_u8(&c) : 0;
    if (c.left.len > 0 && !property_block_is_sound(property_block(&c))) {
        return "DISCONNECT with damaged properties";
    }
    return c.is_short || c.left.len > 0 ? "DISCONNECT with bytes behind it" : NULL;
}
