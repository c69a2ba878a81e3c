/* Decides where packets begin. Whether bytes look like MQTT is left to judge.c, what a packet means to talk.c. */
#include "capture/side.h"

#include <string.h>

#include "capture/bytes.h"
#include "capture/http.h"

enum { MAX_LOOKED_AT = 256 << 10 }; /* of a direction that shows no MQTT */

/* ---- gaps ---- */

static void open_gap(side *s, capture_gap_cause cause, const char *reason) {
    if (!s->has_gap) {
        s->gap = (capture_gap){.cause = cause, .reason = reason};
        s->has_gap = true;
    }
}

static void tell_gap(side *s, side_frame *f, bool is_resynchronised) {
    if (s->has_gap && f->is_known_mqtt) {
        s->gap.is_resynchronised = is_resynchronised;
        f->on_gap(f->user, &s->gap, s->at);
    }
    s->has_gap = s->has_gap && !f->is_known_mqtt;
}

static void hunt(side *s, capture_gap_cause cause, const char *reason) {
    open_gap(s, cause, reason);
    s->mode = SIDE_HUNT;
    s->skip = 0;
    s->is_boundary = false;
}

void side_begin(side *s, bool is_from_start) {
    s->mode = SIDE_NEW;
    if (!is_from_start) {
        hunt(s, CAPTURE_GAP_MID_STREAM, "the capture begins in the middle of it");
    }
}

void side_distrust(side *s, const char *reason) {
    hunt(s, CAPTURE_GAP_MALFORMED, reason);
}

static void ignore(side *s, side_frame *f, side_other what) {
    s->mode = SIDE_IGNORED;
    heap_clear(f->memory, &s->rest);
    f->on_other(f->user, what);
}

static judge_case about(const side_frame *f, bool is_boundary) {
    return (judge_case){.sender = f->sender,
                        .is_known_mqtt = f->is_known_mqtt || f->is_forced,
                        .is_boundary = is_boundary,
                        .max_packet_bytes = f->max_packet_bytes};
}

/* ---- the first bytes ---- */

/* As far as the bytes go. */
static bool may_begin_with(spb_bytes bytes, const char *text) {
    size_t len = strlen(text) < bytes.len ? strlen(text) : bytes.len;
    return len == 0 || memcmp(bytes.data, text, len) == 0;
}

/* False: more bytes are needed. */
static bool decide(side *s, side_frame *f, spb_bytes first) {
    static const char tls[] = "\x16\x03"; /* a handshake record */
    judge_case start = about(f, true);
    judgement is_mqtt = judge_start(first, &start);
    if (is_mqtt == JUDGE_YES) {
        f->is_known_mqtt = true;
        s->mode = SIDE_MQTT;
    } else if (!s->is_web_socket && http_begins(first) == HTTP_UPGRADE) {
        s->mode = SIDE_HTTP;
    } else if (!s->is_web_socket && first.len >= 2 && may_begin_with(first, tls)) {
        ignore(s, f, SIDE_IS_TLS);
    } else if (is_mqtt == JUDGE_NO && http_begins(first) == HTTP_OTHER && !may_begin_with(first, tls)) {
        if (f->is_known_mqtt || f->is_forced) {
            hunt(s, CAPTURE_GAP_MALFORMED, "no CONNECT and CONNACK at its beginning");
        } else {
            ignore(s, f, SIDE_IS_NO_MQTT);
        }
    }
    return s->mode != SIDE_NEW;
}

/* False: more bytes are needed. */
static bool read_http(side *s, side_frame *f, spb_bytes *bytes) {
    size_t len = 0;
    http_result result = http_read_upgrade(*bytes, &len);
    if (result == HTTP_MORE) {
        return false;
    }
    if (result == HTTP_OTHER) {
        ignore(s, f, SIDE_IS_NO_MQTT);
        return true;
    }
    *bytes = bytes_after(*bytes, len);
    s->is_web_socket = true;
    s->mode = SIDE_NEW;
    return true;
}

/* ---- MQTT ---- */

/* Bytes of the packet that begins in `rest`; 0: its length is not known yet. */
static size_t whole_packet(const side *s) {
    mqtt_header h;
    return mqtt_read_header(heap_bytes(&s->rest), &h) == MQTT_OK ? (size_t)h.header_bytes + h.body_bytes : 0;
}

static void use_skip(side *s, side_frame *f, spb_bytes *bytes) {
    size_t count = s->skip < bytes->len ? (size_t)s->skip : bytes->len;
    s->skip -= count;
    s->gap.skipped_bytes += count;
    *bytes = bytes_after(*bytes, count);
    if (s->skip == 0) {
        tell_gap(s, f, true);
    }
}

/* The packet at the front of `bytes`, if it is whole; the bytes that were used. */
static size_t read_packet(side *s, side_frame *f, spb_bytes bytes, stamp at) {
    mqtt_header h;
    mqtt_result result = mqtt_read_header(bytes, &h);
    if (result == MQTT_BAD) {
        hunt(s, CAPTURE_GAP_MALFORMED, "bytes that are no MQTT packet");
    }
    if (result != MQTT_OK) {
        return 0;
    }
    size_t whole = (size_t)h.header_bytes + h.body_bytes;
    if (h.body_bytes > f->max_packet_bytes) {
        open_gap(s, CAPTURE_GAP_LIMIT, "a packet is longer than the limit");
        s->skip = whole;
        return 0;
    }
    if (bytes.len < whole) {
        return 0;
    }
    f->on_packet(f->user, &h, (spb_bytes){bytes.data + h.header_bytes, h.body_bytes}, at);
    return whole;
}

/* Only as much as the packet in `rest` needs is taken from the front of *bytes. */
static void complete_rest(side *s, side_frame *f, spb_bytes *bytes, stamp at) {
    size_t whole = whole_packet(s);
    spb_bytes taken = bytes_first(*bytes, whole > s->rest.len ? whole - s->rest.len : 1);
    if (!heap_append(f->memory, &s->rest, taken)) {
        s->mode = SIDE_IGNORED;
        return;
    }
    *bytes = bytes_after(*bytes, taken.len);
    size_t used = read_packet(s, f, heap_bytes(&s->rest), at);
    if (s->mode == SIDE_HUNT) { /* distrusted: it is looked through from its second byte */
        heap_drop(&s->rest, 1);
        s->gap.skipped_bytes++;
    } else if (used > 0) {
        heap_empty(f->memory, &s->rest);
    } else if (s->skip > 0) { /* longer than the limit */
        s->skip -= s->rest.len;
        s->gap.skipped_bytes += s->rest.len;
        heap_empty(f->memory, &s->rest);
    }
}

/* Packets that are whole in *bytes are read where they are; the beginning of one is kept in `rest`. */
static void read_packets(side *s, side_frame *f, spb_bytes *bytes, stamp at) {
    while (bytes->len > 0 && s->mode == SIDE_MQTT) {
        if (s->skip > 0) {
            use_skip(s, f, bytes);
            continue;
        }
        size_t used = read_packet(s, f, *bytes, at);
        if (s->mode == SIDE_HUNT) {
            used = 1;
            s->gap.skipped_bytes++;
        } else if (used == 0 && s->skip == 0) {
            s->mode = heap_append(f->memory, &s->rest, *bytes) ? s->mode : SIDE_IGNORED;
            used = bytes->len;
        }
        *bytes = bytes_after(*bytes, used);
    }
}

/* ---- hunting ---- */

static judgement judge_frame(spb_bytes from, const judge_case *about_it) {
    uint8_t peek[WEBSOCKET_PEEK_BYTES];
    size_t len = 0;
    bool is_masked = false;
    bool is_whole = false;
    websocket_verdict verdict = websocket_peek(from, peek, &len, &is_masked, &is_whole);
    if (verdict != WEBSOCKET_YES) {
        return verdict == WEBSOCKET_MORE ? JUDGE_MORE : JUDGE_NO;
    }
    if (about_it->sender != 0 && is_masked != (about_it->sender == 1)) {
        return JUDGE_NO;
    }
    judgement found = judge_stream((spb_bytes){peek, len}, about_it);
    return found == JUDGE_MORE ? JUDGE_NO : found;
}

/* A connection that is not known to be MQTT may be one inside WebSocket frames, too. */
static judgement judge_here(side *s, const side_frame *f, spb_bytes from, bool is_boundary) {
    judge_case here = about(f, is_boundary);
    if (s->is_web_socket) {
        return judge_frame(from, &here);
    }
    judgement found = judge_stream(from, &here);
    if (found == JUDGE_NO && !f->is_known_mqtt && is_boundary) {
        found = judge_frame(from, &here);
        s->is_web_socket = found == JUDGE_YES;
    }
    return found;
}

static void found(side *s, side_frame *f) {
    f->is_known_mqtt = true;
    s->mode = SIDE_MQTT;
    s->frames = (websocket){.left = 0};
    tell_gap(s, f, true);
}

/* `boundary`: where a segment begins. */
static void look_through(side *s, side_frame *f, spb_bytes *bytes, const uint8_t *boundary) {
    const uint8_t *from = bytes->data;
    size_t before = bytes->len;
    judgement verdict = JUDGE_NO;
    bool is_boundary = false;
    while (bytes->len > 0 && verdict == JUDGE_NO) {
        is_boundary = bytes->data == boundary || (bytes->data == from && s->is_boundary);
        verdict = judge_here(s, f, *bytes, is_boundary);
        *bytes = verdict == JUDGE_NO ? bytes_after(*bytes, 1) : *bytes;
    }
    size_t passed = before - bytes->len;
    s->gap.skipped_bytes += passed;
    s->looked_at += passed;
    s->is_boundary = false;
    if (verdict == JUDGE_YES) {
        found(s, f);
    } else if (!f->is_known_mqtt && !f->is_forced && s->looked_at > MAX_LOOKED_AT) {
        ignore(s, f, SIDE_IS_NO_MQTT);
    } else if (verdict == JUDGE_MORE) {
        s->is_boundary = is_boundary;
        s->mode = heap_append(f->memory, &s->rest, *bytes) ? s->mode : SIDE_IGNORED;
        *bytes = bytes_after(*bytes, bytes->len);
    }
}

/* ---- the way of the bytes ---- */

static void feed(side *s, side_frame *f, spb_bytes bytes, stamp at, bool is_payload);

/* Up to the end, or to a frame that cannot be read. */
static void read_frames(side *s, side_frame *f, spb_bytes *bytes, stamp at) {
    while (bytes->len > 0 && (s->mode == SIDE_MQTT || s->mode == SIDE_NEW)) {
        spb_bytes payload;
        if (websocket_read(&s->frames, f->scratch, bytes, &payload) == WEBSOCKET_BAD) {
            hunt(s, CAPTURE_GAP_MALFORMED, "a WebSocket frame of an unknown extension");
        } else {
            feed(s, f, payload, at, true);
        }
    }
    if (s->mode == SIDE_HUNT) { /* at a frame's beginning; what is left of a packet is of no use */
        s->gap.skipped_bytes += s->rest.len;
        heap_empty(f->memory, &s->rest);
        s->is_boundary = s->frames.left == 0;
    }
}

static void keep(side *s, side_frame *f, spb_bytes *bytes) {
    s->mode = heap_append(f->memory, &s->rest, *bytes) ? s->mode : SIDE_IGNORED;
    *bytes = bytes_after(*bytes, bytes->len);
}

static void feed_one(side *s, side_frame *f, spb_bytes *bytes, stamp at, const uint8_t *boundary, bool is_payload) {
    bool has_frames = s->is_web_socket && !is_payload;
    if (has_frames && (s->mode == SIDE_MQTT || s->mode == SIDE_NEW)) {
        read_frames(s, f, bytes, at);
    } else if (s->mode == SIDE_MQTT) {
        read_packets(s, f, bytes, at);
    } else if ((s->mode == SIDE_NEW && !decide(s, f, *bytes)) || (s->mode == SIDE_HTTP && !read_http(s, f, bytes))) {
        keep(s, f, bytes);
    } else if (s->mode == SIDE_HUNT && is_payload) {
        s->gap.skipped_bytes += bytes->len;
        *bytes = bytes_after(*bytes, bytes->len);
    } else if (s->mode == SIDE_HUNT) {
        look_through(s, f, bytes, boundary);
    }
}

/* `is_payload`: of WebSocket frames, that is, without them. */
static void feed(side *s, side_frame *f, spb_bytes bytes, stamp at, bool is_payload) {
    bool has_frames = s->is_web_socket && !is_payload;
    while (s->mode == SIDE_MQTT && s->rest.len > 0 && bytes.len > 0 && !has_frames) {
        complete_rest(s, f, &bytes, at);
    }
    heap_buffer held = {NULL, 0, 0};
    const uint8_t *boundary = bytes.data;
    bool is_of_rest = s->mode == SIDE_HUNT || (s->mode != SIDE_MQTT && !has_frames);
    if (s->rest.len > 0 && is_of_rest) { /* what was not understood so far, and what has come: once more, together */
        size_t before = s->rest.len;
        keep(s, f, &bytes);
        held = s->rest;
        s->rest = (heap_buffer){NULL, 0, 0};
        bytes = heap_bytes(&held);
        boundary = held.data + before;
    }
    while (bytes.len > 0 && s->mode != SIDE_IGNORED) {
        feed_one(s, f, &bytes, at, boundary, is_payload);
    }
    heap_clear(f->memory, &held);
}

void side_bytes(side *s, side_frame *f, spb_bytes bytes, stamp at) {
    s->at = at.packet > s->at.packet ? at : s->at; /* what was waiting for an earlier segment came with that one */
    feed(s, f, bytes, s->at, false);
}

/* ---- holes ---- */

/* True if the hole ends before the present packet does, so that the next one's beginning is known. */
static bool bridge_packet(side *s, side_frame *f, uint64_t lost) {
    size_t whole = s->skip == 0 ? whole_packet(s) : 0;
    if (whole > 0 && lost <= whole - s->rest.len) {
        s->skip = whole - s->rest.len;
        s->gap.skipped_bytes += s->rest.len;
        heap_empty(f->memory, &s->rest);
    }
    if (lost > s->skip) {
        return false;
    }
    s->skip -= lost;
    return true;
}

static bool bridge(side *s, side_frame *f, uint64_t lost) {
    if (s->mode != SIDE_MQTT || (s->is_web_socket && lost > s->frames.left)) {
        return false;
    }
    if (s->is_web_socket) {
        websocket_skip(&s->frames, lost);
    }
    return (s->is_web_socket && s->frames.is_control) || bridge_packet(s, f, lost);
}

void side_hole(side *s, side_frame *f, uint64_t lost_bytes, stamp at) {
    s->at = at.packet > s->at.packet ? at : s->at;
    if (s->mode == SIDE_IGNORED) {
        return;
    }
    open_gap(s, CAPTURE_GAP_LOST, "segments are missing in the capture");
    s->gap.lost_bytes += lost_bytes;
    if (!bridge(s, f, lost_bytes)) {
        s->gap.skipped_bytes += s->rest.len;
        heap_empty(f->memory, &s->rest);
        hunt(s, CAPTURE_GAP_LOST, "");
    } else if (s->skip == 0) {
        tell_gap(s, f, true);
    }
}

void side_end(side *s, side_frame *f) {
    if (s->mode == SIDE_MQTT && s->rest.len > 0) {
        open_gap(s, CAPTURE_GAP_LOST, "the end of a packet is missing");
    }
    if (s->has_gap) {
        s->gap.skipped_bytes += s->rest.len;
    }
    bool has_any = s->gap.lost_bytes + s->gap.skipped_bytes > 0;
    if (has_any) {
        tell_gap(s, f, false);
    }
    s->has_gap = false;
    heap_clear(f->memory, &s->rest);
    s->mode = SIDE_IGNORED;
}

void side_clear(side *s, heap *memory) {
    heap_clear(memory, &s->rest);
}
