/* Decides what a packet means in its conversation: whose it is, which version it has, which topic an alias stands for.
 */
#include "capture/talk.h"

#include <string.h>

enum { MAX_ALIAS_BYTES = 1 << 20 };

/* A direction at work: what side.c calls back with. */
typedef struct visit {
    talk *t;
    talk_world *w;
    int from;
} visit;

void talk_begin(talk *t, bool is_from_start) {
    side_begin(&t->sides[TALK_FIRST], is_from_start);
    side_begin(&t->sides[TALK_SECOND], is_from_start);
}

/* ---- events ---- */

static capture_event event_of(const talk *t, int from, capture_kind kind, stamp at) {
    return (capture_event){.kind = kind,
                           .direction = from == t->client ? CAPTURE_FROM_CLIENT : CAPTURE_TO_CLIENT,
                           .time_us = at.time_us,
                           .packet = at.packet,
                           .connection = t->connection,
                           .client = &t->addresses[t->client],
                           .server = &t->addresses[!t->client],
                           .client_id = {t->has_client_id ? (const char *)t->client_id.data : NULL,
                                         t->has_client_id ? t->client_id.len : 0},
                           .protocol_level = t->level,
                           .is_web_socket = t->sides[from].is_web_socket};
}

static void tell(talk_world *w, const capture_event *event) {
    if (!w->is_stopped) {
        w->is_stopped = !w->on_event(event, w->user);
    }
}

/* ---- topic aliases ---- */

static bool reserve_aliases(talk_aliases *a, heap *memory, size_t count) {
    if (count <= a->capacity) {
        return true;
    }
    size_t capacity = count < 16 ? 16 : count + count / 2;
    spb_str *topics = heap_take(memory, capacity * sizeof *topics);
    if (!topics) {
        return false;
    }
    memset(topics, 0, capacity * sizeof *topics);
    if (a->capacity > 0) {
        memcpy(topics, a->topics, a->capacity * sizeof *topics);
    }
    heap_give(memory, a->topics, a->capacity * sizeof *topics);
    a->topics = topics;
    a->capacity = capacity;
    return true;
}

static void forget_alias(talk_aliases *a, heap *memory, size_t alias) {
    if (alias < a->capacity && a->topics[alias].data) {
        a->bytes -= a->topics[alias].len;
        heap_give(memory, (void *)(uintptr_t)a->topics[alias].data, a->topics[alias].len);
        a->topics[alias] = (spb_str){NULL, 0};
    }
}

static void learn_alias(talk_aliases *a, heap *memory, uint16_t alias, spb_str topic) {
    forget_alias(a, memory, alias);
    if (a->bytes + topic.len > MAX_ALIAS_BYTES || !reserve_aliases(a, memory, (size_t)alias + 1)) {
        return;
    }
    char *text = heap_take(memory, topic.len);
    if (text) {
        memcpy(text, topic.data, topic.len);
        a->topics[alias] = (spb_str){text, topic.len};
        a->bytes += topic.len;
    }
}

static void forget_aliases(talk_aliases *a, heap *memory) {
    for (size_t i = 0; i < a->capacity; i++) {
        forget_alias(a, memory, i);
    }
    heap_give(memory, a->topics, a->capacity * sizeof *a->topics);
    *a = (talk_aliases){NULL, 0, 0};
}

static void resolve_topic(visit *v, capture_publish *p) {
    talk_aliases *a = &v->t->aliases[v->from];
    if (p->topic_alias == 0) {
        return;
    }
    if (p->topic.len > 0) {
        learn_alias(a, v->w->memory, p->topic_alias, p->topic);
    } else {
        p->topic = p->topic_alias < a->capacity ? a->topics[p->topic_alias] : (spb_str){NULL, 0};
    }
}

/* ---- packets ---- */

static void set_client_id(visit *v, spb_str id) {
    v->t->client_id.len = 0;
    v->t->has_client_id = heap_append(v->w->memory, &v->t->client_id, (spb_bytes){(const uint8_t *)id.data, id.len});
    v->t->has_client_id = v->t->has_client_id && v->t->client_id.data;
}

/* Only a client, or only a server, sends this: so much is certain. */
static void learn_roles(visit *v, mqtt_type type) {
    int sender = mqtt_sender(type);
    if (sender != 0 && !v->t->is_certain) {
        v->t->is_certain = true;
        v->t->client = sender > 0 ? v->from : !v->from;
    }
}

static const char *read_publish(visit *v, const mqtt_header *h, spb_bytes body, capture_event *e) {
    uint8_t guess = 0;
    const char *wrong = mqtt_read_publish(h->flags, body, v->t->level, &e->as.publish, &guess);
    if (!wrong) {
        resolve_topic(v, &e->as.publish);
        e->as.publish.is_forwarded = e->as.publish.topic.data && forward_is_known(v->w->forwards, e);
    }
    return wrong;
}

static const char *read_connect(visit *v, spb_bytes body, capture_event *e) {
    uint8_t level = 0;
    const char *wrong = mqtt_read_connect(body, &e->as.connect, &level);
    if (!wrong) {
        forget_aliases(&v->t->aliases[TALK_FIRST], v->w->memory);
        forget_aliases(&v->t->aliases[TALK_SECOND], v->w->memory);
        v->t->level = level;
        set_client_id(v, e->as.connect.client_id);
        e->protocol_level = level;
        e->client_id = e->as.connect.client_id;
    }
    return wrong;
}

static const char *read_connack(visit *v, spb_bytes body, capture_event *e) {
    spb_str assigned;
    const char *wrong = mqtt_read_connack(body, v->t->level, &e->as.connack, &assigned);
    if (!wrong && assigned.data) {
        set_client_id(v, assigned);
        e->client_id = (spb_str){(const char *)v->t->client_id.data, v->t->client_id.len};
    }
    return wrong;
}

/* Fills in what the packet says. False: it is one that only keeps house. */
static bool read_packet(visit *v, const mqtt_header *h, spb_bytes body, capture_event *e, const char **wrong) {
    uint8_t level = v->t->level;
    switch (h->type) {
    case MQTT_CONNECT: e->kind = CAPTURE_CONNECT, *wrong = read_connect(v, body, e); return true;
    case MQTT_CONNACK: e->kind = CAPTURE_CONNACK, *wrong = read_connack(v, body, e); return true;
    case MQTT_PUBLISH: e->kind = CAPTURE_PUBLISH, *wrong = read_publish(v, h, body, e); return true;
    case MQTT_SUBSCRIBE:
        e->kind = CAPTURE_SUBSCRIBE;
        *wrong = mqtt_read_subscribe(body, level, true, &e->as.subscribe);
        return true;
    case MQTT_UNSUBSCRIBE:
        e->kind = CAPTURE_UNSUBSCRIBE;
        *wrong = mqtt_read_subscribe(body, level, false, &e->as.subscribe);
        return true;
    case MQTT_SUBACK:
        e->kind = CAPTURE_SUBACK;
        *wrong = mqtt_read_suback(body, level, &e->as.suback);
        return true;
    case MQTT_DISCONNECT:
        e->kind = CAPTURE_DISCONNECT;
        *wrong = mqtt_read_disconnect(body, &e->as.disconnect);
        return true;
    default: return false;
    }
}

static void on_packet(void *user, const mqtt_header *header, spb_bytes body, stamp at) {
    visit *v = user;
    const char *wrong = NULL;
    learn_roles(v, header->type);
    capture_event e = event_of(v->t, v->from, CAPTURE_PUBLISH, at);
    bool is_event = read_packet(v, header, body, &e, &wrong);
    if (wrong) {
        side_distrust(&v->t->sides[v->from], wrong);
    } else if (is_event) {
        tell(v->w, &e);
    }
}

static void on_gap(void *user, const capture_gap *gap, stamp at) {
    visit *v = user;
    capture_event e = event_of(v->t, v->from, CAPTURE_GAP, at);
    e.as.gap = *gap;
    tell(v->w, &e);
}

static void on_other(void *user, side_other what) {
    visit *v = user;
    if (what == SIDE_IS_TLS && !v->t->is_tls) {
        v->t->is_tls = true;
        v->w->counts->tls_connections++;
    }
}

/* ---- the way in ---- */

static side_frame frame_of(visit *v) {
    const talk *t = v->t;
    return (side_frame){.memory = v->w->memory,
                        .scratch = v->w->scratch,
                        .max_packet_bytes = v->w->max_packet_bytes,
                        .sender = !t->is_certain         ? 0
                                  : v->from == t->client ? 1
                                                         : -1,
                        .is_known_mqtt = t->is_mqtt,
                        .is_forced = v->w->is_forced,
                        .on_packet = on_packet,
                        .on_gap = on_gap,
                        .on_other = on_other,
                        .user = v};
}

static void learn_protocol(visit *v, const side_frame *f) {
    if (f->is_known_mqtt && !v->t->is_mqtt) {
        v->t->is_mqtt = true;
        v->w->counts->mqtt_connections++;
    }
}

void talk_bytes(talk *t, talk_world *w, int from, spb_bytes bytes, stamp at) {
    visit v = {t, w, from};
    side_frame f = frame_of(&v);
    side_bytes(&t->sides[from], &f, bytes, at);
    learn_protocol(&v, &f);
}

void talk_hole(talk *t, talk_world *w, int from, uint64_t lost_bytes, stamp at) {
    visit v = {t, w, from};
    side_frame f = frame_of(&v);
    w->counts->lost_bytes += lost_bytes;
    side_hole(&t->sides[from], &f, lost_bytes, at);
}

void talk_close(talk *t, talk_world *w, int from, bool is_reset, stamp at) {
    if (t->is_mqtt && !t->is_closed) {
        capture_event e = event_of(t, from, CAPTURE_CLOSED, at);
        e.as.closed.is_reset = is_reset;
        tell(w, &e);
    }
    t->is_closed = true;
}

void talk_end(talk *t, talk_world *w) {
    for (int from = TALK_FIRST; from < TALK_SIDES; from++) {
        visit v = {t, w, from};
        side_frame f = frame_of(&v);
        side_end(&t->sides[from], &f);
    }
}

void talk_clear(talk *t, heap *memory) {
    for (int from = TALK_FIRST; from < TALK_SIDES; from++) {
        side_clear(&t->sides[from], memory);
        forget_aliases(&t->aliases[from], memory);
    }
    heap_clear(memory, &t->client_id);
}
