/* Decides the way of a packet: file, frame, connection, stream, conversation; and what is given up when limits are
 * reached. Each step is left to the file of its name. */
#include "capture/capture.h"

#include <stdio.h>
#include <stdlib.h>

#include "capture/connections.h"
#include "capture/source.h"

enum {
    DEFAULT_CONNECTIONS = 10000,
    DEFAULT_HEAP_BYTES = 64 << 20,
    DEFAULT_PACKET_BYTES = 17 << 20 /* the largest payload that the library decodes by default, and its topic */
};

struct capture {
    source *from;
    int link_type;
    capture_options options;
    connections all;
    heap memory;
    talk_world world;
    capture_counts counts;
    uint64_t last_connection;
};

static spb_status fail(spb_error *err, spb_status status, const char *text) {
    if (err) {
        *err = (spb_error){.status = status, .offset = SPB_NO_OFFSET};
        snprintf(err->text, sizeof err->text, "%s", text);
    }
    return status;
}

/* ---- life ---- */

static void set_defaults(capture_options *o) {
    o->max_connections = o->max_connections ? o->max_connections : DEFAULT_CONNECTIONS;
    o->max_heap_bytes = o->max_heap_bytes ? o->max_heap_bytes : DEFAULT_HEAP_BYTES;
    o->max_packet_bytes = o->max_packet_bytes ? o->max_packet_bytes : DEFAULT_PACKET_BYTES;
}

static spb_status begin(capture *c, int fd, spb_bytes head, spb_error *err) {
    c->world = (talk_world){.memory = &c->memory,
                            .scratch = malloc(WEBSOCKET_SCRATCH_BYTES),
                            .forwards = forward_new(),
                            .counts = &c->counts,
                            .max_packet_bytes = c->options.max_packet_bytes,
                            .is_forced = c->options.port_count > 0};
    if (!c->world.scratch || !c->world.forwards || !connections_init(&c->all, c->options.max_connections)) {
        return fail(err, SPB_ERR_NO_MEMORY, "out of memory for the capture");
    }
    spb_status status = source_new(&c->from, fd, head, &c->options, err);
    if (status == SPB_OK) {
        c->link_type = source_link_type(c->from);
        status =
            frame_knows(c->link_type) ? SPB_OK : fail(err, SPB_ERR_TYPE, "captured on a link type that is not known");
    }
    return status;
}

spb_status capture_new(capture **out, int fd, spb_bytes head, const capture_options *options, spb_error *err) {
    *out = NULL;
    capture *c = calloc(1, sizeof *c);
    if (!c) {
        return fail(err, SPB_ERR_NO_MEMORY, "out of memory for the capture");
    }
    c->options = options ? *options : (capture_options){.port_count = 0};
    set_defaults(&c->options);
    spb_status status = begin(c, fd, head, err);
    if (status != SPB_OK) {
        capture_free(c);
        return status;
    }
    *out = c;
    return SPB_OK;
}

void capture_free(capture *c) {
    if (c) {
        while (c->all.newest) {
            connections_remove(&c->all, &c->memory, c->all.newest);
        }
        connections_clear(&c->all);
        source_free(c->from);
        forward_free(c->world.forwards);
        free(c->world.scratch);
        free(c);
    }
}

const capture_counts *capture_seen(const capture *c) {
    return &c->counts;
}

/* ---- connections ---- */

/* A direction at work: what stream.c calls back with. */
typedef struct visit {
    capture *c;
    connection *of;
    int from;
} visit;

static void on_bytes(void *user, spb_bytes bytes, stamp at) {
    visit *v = user;
    talk_bytes(&v->of->talk, &v->c->world, v->from, bytes, at);
}

static void on_hole(void *user, uint64_t lost_bytes, stamp at) {
    visit *v = user;
    talk_hole(&v->of->talk, &v->c->world, v->from, lost_bytes, at);
}

static stream_sink sink_of(visit *v) {
    return (stream_sink){on_bytes, on_hole, v};
}

/* Whatever waits is let through. */
static void finish(capture *c, connection *of) {
    for (int from = TALK_FIRST; from < TALK_SIDES; from++) {
        visit v = {c, of, from};
        stream_sink sink = sink_of(&v);
        stream_end(&of->streams[from], &c->memory, &sink);
    }
    talk_end(&of->talk, &c->world);
}

static void remove_it(capture *c, connection *of) {
    finish(c, of);
    connections_remove(&c->all, &c->memory, of);
}

static void keep_limits(capture *c, const connection *present) {
    while ((c->all.count > c->options.max_connections || c->memory.used > c->options.max_heap_bytes) &&
           c->all.oldest != present) {
        c->counts.given_up++;
        remove_it(c, c->all.oldest);
    }
}

static bool is_port(const capture *c, uint16_t port) {
    for (size_t i = 0; i < c->options.port_count; i++) {
        if (c->options.ports[i] == port) {
            return true;
        }
    }
    return false;
}

/* Without SYN, CONNECT and the like, the port tells: a known one, else the lower one. */
static bool is_likely_server(const capture *c, uint16_t port, uint16_t other) {
    enum { MQTT = 1883, MQTT_TLS = 8883 };
    bool is_known = is_port(c, port) || port == MQTT || port == MQTT_TLS;
    bool is_other_known = is_port(c, other) || other == MQTT || other == MQTT_TLS;
    return is_known == is_other_known ? port < other : is_known;
}

static connection *add(capture *c, const segment *g) {
    connection *of = connections_add(&c->all, &c->memory, g);
    if (!of) {
        return NULL;
    }
    bool is_syn = g->flags & SEGMENT_SYN;
    bool is_answer = is_syn && g->flags & SEGMENT_ACK;
    talk *t = &of->talk;
    t->connection = ++c->last_connection;
    t->is_certain = is_syn;
    t->client = is_syn                                          ? (is_answer ? TALK_SECOND : TALK_FIRST)
                : is_likely_server(c, g->from.port, g->to.port) ? TALK_SECOND
                                                                : TALK_FIRST;
    talk_begin(t, is_syn);
    c->counts.connections++;
    return of;
}

/* A SYN with another number begins a new connection between the same ends. One that was captured too late has the
 * number from which the stream went on. */
static bool is_of_new_connection(const connection *of, int from, const segment *g) {
    enum { NEAR = 1 << 16 };
    const stream *s = &of->streams[from];
    bool is_first_syn = g->flags & SEGMENT_SYN && !(g->flags & SEGMENT_ACK);
    bool is_repeated = s->is_from_start && s->syn_seq == g->seq;
    bool is_late = s->has_begun && !s->is_from_start && s->next_seq - g->seq < NEAR;
    return is_first_syn && !is_repeated && !is_late &&
           (s->has_begun || of->talk.is_closed || of->streams[!from].has_begun);
}

static connection *find_or_add(capture *c, const segment *g, int *from) {
    connection *of = connections_find(&c->all, g, from);
    if (of && is_of_new_connection(of, *from, g)) {
        talk_close(&of->talk, &c->world, *from, false, of->at);
        remove_it(c, of);
        of = NULL;
    }
    if (!of) {
        bool is_worth_it = g->data_bytes > 0 || g->flags & SEGMENT_SYN;
        of = is_worth_it ? add(c, g) : NULL;
        *from = TALK_FIRST;
    }
    return of;
}

/* ---- packets ---- */

static void count_segment(capture *c, const segment *g, stream_result result) {
    c->counts.segments += g->data_bytes > 0;
    c->counts.repeated += result == STREAM_REPEATED;
    c->counts.out_of_order += result == STREAM_EARLY;
}

static void push_segment(capture *c, connection *of, int from, const segment *g, stamp at) {
    visit own = {c, of, from};
    visit other = {c, of, !from};
    stream_sink own_sink = sink_of(&own);
    stream_sink other_sink = sink_of(&other);
    stream *s = &of->streams[from];
    segment data = *g;
    if (g->flags & SEGMENT_SYN) {
        data.seq++; /* the SYN has a number, too; data behind it is that of TCP Fast Open */
        if (!s->has_begun) {
            stream_begin(s, g->seq);
        }
    }
    if (!(g->flags & SEGMENT_SYN) || g->data_bytes > 0) {
        count_segment(c, g, stream_push(s, &c->memory, &data, at, &own_sink));
    }
    if (g->flags & SEGMENT_ACK) {
        stream_acknowledge(&of->streams[!from], g->ack);
    }
    stream_pass(s, &c->memory, at, &own_sink);
    stream_pass(&of->streams[!from], &c->memory, at, &other_sink);
}

static void read_segment(capture *c, const segment *g, stamp at) {
    int from = TALK_FIRST;
    if (c->options.port_count > 0 && !is_port(c, g->from.port) && !is_port(c, g->to.port)) {
        return;
    }
    connection *of = find_or_add(c, g, &from);
    if (!of) {
        return;
    }
    of->at = at;
    connections_touch(&c->all, of);
    push_segment(c, of, from, g, at);
    bool is_reset = g->flags & SEGMENT_RST;
    if (is_reset) {
        finish(c, of);
    }
    if (is_reset || of->streams[from].is_finished) {
        talk_close(&of->talk, &c->world, from, is_reset, at);
    }
    keep_limits(c, of);
}

static void read_packet(capture *c, const source_packet *packet) {
    segment g;
    stamp at = {packet->time_us, ++c->counts.packets};
    c->counts.cut_packets += packet->is_cut;
    switch (frame_read(c->link_type, packet->data, &g)) {
    case FRAME_SEGMENT: read_segment(c, &g, at); break;
    case FRAME_FRAGMENT: c->counts.fragments++; break;
    case FRAME_OTHER: c->counts.other++; break;
    }
}

/* In the order in which they were last heard of. */
static void read_end(capture *c) {
    while (c->all.oldest && !c->world.is_stopped) {
        remove_it(c, c->all.oldest);
    }
}

capture_status capture_next(capture *c, capture_event_fn on_event, void *user, spb_error *err) {
    c->world.on_event = on_event;
    c->world.user = user;
    source_packet packet;
    capture_status status = source_next(c->from, &packet, err);
    c->counts.bytes = source_bytes(c->from);
    if (status == CAPTURE_MORE) {
        read_packet(c, &packet);
    } else {
        read_end(c);
    }
    if (c->memory.has_failed) {
        (void)fail(err, SPB_ERR_NO_MEMORY, "out of memory for the streams of the capture");
        return CAPTURE_FAILED;
    }
    return c->world.is_stopped ? CAPTURE_STOPPED : status;
}
