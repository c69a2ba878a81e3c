/* Decides what is evidence for MQTT. Where it is looked for is left to side.c. */
#include "capture/judge.h"

#include <spb/topic.h>
#include <string.h>

#include "capture/bytes.h"

enum { MAX_TOPIC_LOOKED_AT = 256, CHAIN = 3 };

typedef enum evidence { EVIDENCE_AGAINST, EVIDENCE_MISSING, EVIDENCE_WEAK, EVIDENCE_STRONG } evidence;

/* No control characters and no wildcards; UTF-8 is not checked to the last bit. */
static bool is_topic_text(spb_bytes text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20 || byte == '+' || byte == '#' || byte == 0x7F || byte == 0xC0 || byte >= 0xF5) {
            return false;
        }
    }
    return true;
}

static evidence look_at_publish(const mqtt_header *h, spb_bytes body) {
    static const char prefix[] = SPB_NAMESPACE "/";
    const size_t prefix_len = sizeof prefix - 1;
    size_t id_bytes = h->flags & 6 ? 2 : 0;
    if ((h->flags & 0x0E) == 8 || h->body_bytes < 2 + id_bytes) { /* DUP with QoS 0 */
        return EVIDENCE_AGAINST;
    }
    if (body.len < 2) {
        return EVIDENCE_MISSING;
    }
    size_t topic_len = bytes_u16(body.data);
    spb_bytes topic =
        bytes_first(bytes_after(body, 2), topic_len < MAX_TOPIC_LOOKED_AT ? topic_len : MAX_TOPIC_LOOKED_AT);
    if (topic_len == 0 || h->body_bytes < 2 + topic_len + id_bytes || !is_topic_text(topic)) {
        return EVIDENCE_AGAINST;
    }
    if (topic.len < topic_len && topic.len < MAX_TOPIC_LOOKED_AT) {
        return EVIDENCE_MISSING;
    }
    bool is_sparkplug = topic.len > prefix_len && memcmp(topic.data, prefix, prefix_len) == 0;
    return is_sparkplug ? EVIDENCE_STRONG : EVIDENCE_WEAK;
}

static evidence look_at_connect(spb_bytes body) {
    static const uint8_t now[] = {0, 4, 'M', 'Q', 'T', 'T'};
    static const uint8_t then[] = {0, 6, 'M', 'Q', 'I', 's', 'd', 'p'};
    size_t now_len = body.len < sizeof now ? body.len : sizeof now;
    size_t then_len = body.len < sizeof then ? body.len : sizeof then;
    bool is_now = body.len == 0 || memcmp(body.data, now, now_len) == 0;
    bool is_then = body.len == 0 || memcmp(body.data, then, then_len) == 0;
    if (!is_now && !is_then) {
        return EVIDENCE_AGAINST;
    }
    return (is_now ? now_len == sizeof now : then_len == sizeof then) ? EVIDENCE_STRONG : EVIDENCE_MISSING;
}

static evidence look_at_filters(const mqtt_header *h, spb_bytes body) {
    if (h->body_bytes < (h->type == MQTT_SUBSCRIBE ? 5u : 4u)) {
        return EVIDENCE_AGAINST;
    }
    if (body.len < h->body_bytes) {
        return body.len < MAX_TOPIC_LOOKED_AT ? EVIDENCE_MISSING : EVIDENCE_WEAK;
    }
    capture_subscribe subscribe;
    return mqtt_read_subscribe(body, 0, h->type == MQTT_SUBSCRIBE, &subscribe) ? EVIDENCE_AGAINST : EVIDENCE_WEAK;
}

static evidence when(bool is_likely) {
    return is_likely ? EVIDENCE_WEAK : EVIDENCE_AGAINST;
}

/* `body`: as much of it as there is. */
static evidence look_at_body(const mqtt_header *h, spb_bytes body) {
    enum { LIKELY_BYTES = 1024 }; /* of packets that hold some properties at most */
    switch (h->type) {
    case MQTT_PUBLISH: return look_at_publish(h, body);
    case MQTT_CONNECT: return look_at_connect(body);
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE: return look_at_filters(h, body);
    case MQTT_PUBACK:
    case MQTT_PUBREC:
    case MQTT_PUBREL:
    case MQTT_PUBCOMP:
    case MQTT_CONNACK:
    case MQTT_UNSUBACK: return when(h->body_bytes >= 2 && h->body_bytes < LIKELY_BYTES);
    case MQTT_SUBACK: return when(h->body_bytes >= 3 && h->body_bytes < LIKELY_BYTES);
    case MQTT_PINGREQ:
    case MQTT_PINGRESP: return when(h->body_bytes == 0);
    case MQTT_DISCONNECT:
    case MQTT_AUTH: return when(h->body_bytes < LIKELY_BYTES);
    }
    return EVIDENCE_AGAINST;
}

static evidence look(spb_bytes from, const judge_case *about, mqtt_header *h) {
    mqtt_result result = mqtt_read_header(from, h);
    if (result != MQTT_OK) {
        return result == MQTT_SHORT ? EVIDENCE_MISSING : EVIDENCE_AGAINST;
    }
    int sender = mqtt_sender(h->type);
    bool is_wrong_way = about->sender != 0 && sender != 0 && sender != about->sender;
    if (is_wrong_way || h->body_bytes > about->max_packet_bytes) {
        return EVIDENCE_AGAINST;
    }
    spb_bytes body = bytes_first(bytes_after(from, h->header_bytes), h->body_bytes);
    evidence found = look_at_body(h, body);
    return found == EVIDENCE_MISSING && body.len == h->body_bytes ? EVIDENCE_AGAINST : found;
}

judgement judge_stream(spb_bytes from, const judge_case *about) {
    unsigned count = 0;
    while (count < CHAIN) {
        mqtt_header h;
        evidence found = look(from, about, &h);
        if (found == EVIDENCE_STRONG) {
            return JUDGE_YES;
        }
        if (found == EVIDENCE_AGAINST || (count == 0 && found == EVIDENCE_MISSING)) {
            return found == EVIDENCE_AGAINST ? JUDGE_NO : JUDGE_MORE;
        }
        if (found == EVIDENCE_MISSING) {
            break;
        }
        count++;
        size_t whole = (size_t)h.header_bytes + h.body_bytes;
        if (from.len <= whole) {
            break;
        }
        from = bytes_after(from, whole);
    }
    return about->is_known_mqtt && (about->is_boundary || count >= CHAIN) ? JUDGE_YES : JUDGE_NO;
}

judgement judge_start(spb_bytes from, const judge_case *about) {
    mqtt_header h;
    evidence found = look(from, about, &h);
    if (found == EVIDENCE_MISSING) {
        return JUDGE_MORE;
    }
    if (found == EVIDENCE_AGAINST) {
        return JUDGE_NO;
    }
    return h.type == MQTT_CONNECT || h.type == MQTT_CONNACK || about->is_known_mqtt ? JUDGE_YES : JUDGE_NO;
}
