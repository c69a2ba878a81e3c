/* Decides the line of a message as text. What its metrics look like is left to text_metrics.c. */
#include "cli/text.h"

#include <string.h>

#include "cli/number.h"
#include "cli/text_metrics.h"

enum { SOURCE_WIDTH = 24, MAX_SOURCE_WIDTH = 48 };

void text_init(text_state *state, out *to, bool use_colour) {
    *state = (text_state){.to = {to, use_colour}, .day = UINT64_MAX, .source_width = SOURCE_WIDTH};
}

/* The date stands on a line of its own when it changes. Without a time of capture, the payload's own is shown. */
static void put_time(text_state *state, const message *m) {
    const text *t = &state->to;
    bool has_own = m->payload && m->payload->has_timestamp;
    char form[NUMBER_SIZE] = "";
    size_t len = 0;
    if (m->has_time || has_own) {
        uint64_t time_ms = m->has_time ? m->time_ms : m->payload->timestamp_ms;
        len = number_datetime(form, time_ms);
        text_paint(t, TEXT_DIM);
        if (len == NUMBER_DATETIME_LEN && state->day != time_ms / 86400000) {
            state->day = time_ms / 86400000;
            out_bytes(t->to, form, NUMBER_DATE_LEN);
            out_text(t->to, " UTC\n");
        }
    }
    if (len == NUMBER_DATETIME_LEN) {
        out_bytes(t->to, form + NUMBER_TIME_AT, NUMBER_TIME_LEN);
    } else {
        out_bytes(t->to, form, len);
        text_pad(t, len, NUMBER_TIME_LEN);
    }
    text_paint(t, TEXT_PLAIN);
    out_text(t->to, "  ");
}

static size_t put_source(out *to, const message *m) {
    if (!m->topic_text.data) {
        return text_escaped(to, spb_str_from("payload"));
    }
    if (m->topic.kind == SPB_KIND_STATE) {
        return text_escaped(to, m->topic.host_id);
    }
    size_t taken = text_escaped(to, m->topic.group_id);
    taken += text_escaped(to, (spb_str){"/", 1});
    taken += text_escaped(to, m->topic.node_id);
    if (m->topic.device_id.data) {
        taken += text_escaped(to, (spb_str){"/", 1});
        taken += text_escaped(to, m->topic.device_id);
    }
    return taken;
}

static text_colour colour_of(spb_kind kind) {
    switch (kind) {
    case SPB_KIND_NBIRTH:
    case SPB_KIND_DBIRTH: return TEXT_BIRTH;
    case SPB_KIND_NDEATH:
    case SPB_KIND_DDEATH: return TEXT_DEATH;
    case SPB_KIND_NCMD:
    case SPB_KIND_DCMD: return TEXT_COMMAND;
    case SPB_KIND_STATE: return TEXT_STATE;
    case SPB_KIND_NDATA:
    case SPB_KIND_DDATA: break;
    }
    return TEXT_DATA;
}

static void put_source_and_kind(text_state *state, const message *m) {
    const text *t = &state->to;
    size_t width = put_source(NULL, m);
    width = width < MAX_SOURCE_WIDTH ? width : MAX_SOURCE_WIDTH;
    state->source_width = width > state->source_width ? width : state->source_width;
    text_pad(t, put_source(t->to, m), state->source_width);
    if (m->topic_text.data) {
        const char *kind = spb_kind_name(m->topic.kind);
        out_text(t->to, "  ");
        text_paint(t, colour_of(m->topic.kind));
        out_text(t->to, kind);
        text_paint(t, TEXT_PLAIN);
        text_pad(t, strlen(kind), strlen("NBIRTH"));
    }
}

static void put_seq(const text *t, const spb_payload *payload, bool is_last) {
    size_t taken = 0;
    if (payload->has_seq) {
        out_text(t->to, "  seq ");
        taken = strlen("  seq ") + text_u64(t->to, payload->seq);
    }
    text_pad(t, taken, is_last ? 0 : strlen("  seq 255"));
}

/* NBIRTH and NDEATH have a bdSeq; a DBIRTH leaves the place free. */
static void put_bdseq(const text *t, const message *m) {
    const spb_payload_metric *bdseq = spb_payload_find(m->payload, "bdSeq");
    size_t taken = 0;
    if (m->topic.kind != SPB_KIND_DBIRTH && bdseq) {
        out_text(t->to, "  bdSeq ");
        taken = strlen("  bdSeq ") + text_value(t->to, &bdseq->value);
    }
    if (m->topic.kind != SPB_KIND_NDEATH) {
        text_pad(t, taken, strlen("  bdSeq 255"));
    }
}

static void put_count(const text *t, size_t count) {
    out_text(t->to, "  ");
    out_u64(t->to, count);
    out_text(t->to, count == 1 ? " metric" : " metrics");
}

static void put_uuid_and_body(const text *t, const spb_payload *payload) {
    if (payload->uuid.data) {
        out_text(t->to, "  uuid ");
        (void)text_escaped(t->to, payload->uuid);
    }
    if (payload->has_body) {
        spb_value body = {.type = SPB_BYTES, .wire = SPB_WIRE_BYTES, .as.bytes = payload->body};
        out_text(t->to, "  body ");
        (void)text_value(t->to, &body);
    }
}

/* How it came: "from js-edge-1, QoS 1, retained". Without CONNECT, the client is known by its address alone. */
static void put_wire(const text *t, const message_wire *wire) {
    text_paint(t, TEXT_DIM);
    out_text(t->to, wire->is_to_client ? "  to " : "  from ");
    (void)text_escaped(t->to, wire->client.len > 0 ? wire->client : wire->address);
    if (wire->qos > 0) {
        out_text(t->to, ", QoS ");
        out_u64(t->to, wire->qos);
    }
    out_text(t->to, wire->retain ? ", retained" : "");
    out_text(t->to, wire->is_duplicate ? ", DUP" : "");
    out_text(t->to, wire->is_copy ? ", copy" : "");
    text_paint(t, TEXT_PLAIN);
}

static void put_payload(const text *t, const message *m) {
    bool is_alone = !m->topic_text.data;
    spb_kind kind = m->topic.kind;
    bool is_birth = !is_alone && (kind == SPB_KIND_NBIRTH || kind == SPB_KIND_DBIRTH);
    bool is_death = !is_alone && (kind == SPB_KIND_NDEATH || kind == SPB_KIND_DDEATH);
    bool is_inline = !is_alone && !is_birth && !is_death && text_metrics_fit_inline(m);
    size_t count = m->metric_count;
    bool is_told = is_death && (count == 0 || (count == 1 && spb_payload_find(m->payload, "bdSeq")));

    put_seq(t, m->payload, is_told && kind == SPB_KIND_DDEATH);
    if (is_birth || kind == SPB_KIND_NDEATH) {
        put_bdseq(t, m);
    }
    if (is_inline && count > 0) {
        text_metrics_inline(t, m);
    } else if (!is_told) {
        put_count(t, count);
    }
    put_uuid_and_body(t, m->payload);
    if (*m->remark) {
        text_paint(t, TEXT_WARNING);
        out_text(t->to, "  [");
        out_text(t->to, m->remark);
        out_char(t->to, ']');
        text_paint(t, TEXT_PLAIN);
    }
    if (m->wire) {
        put_wire(t, m->wire);
    }
    out_char(t->to, '\n');
    if (!is_told && !is_inline) {
        text_metrics_below(t, m, is_birth || is_alone);
    }
}

void text_message(text_state *state, const message *m) {
    const text *t = &state->to;
    put_time(state, m);
    put_source_and_kind(state, m);
    if (m->payload) {
        put_payload(t, m);
        return;
    }
    out_text(t->to, m->state.online ? "  online   " : "  offline  ");
    out_text(t->to, "since ");
    out_datetime(t->to, m->state.timestamp_ms);
    if (m->wire) {
        put_wire(t, m->wire);
    }
    out_char(t->to, '\n');
}
