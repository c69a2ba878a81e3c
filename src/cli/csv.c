/* Decides the rows and fields of CSV. JSON inside a field is left to json_message.c. */
#include "cli/csv.h"

#include <string.h>

#include "base/utf8.h"
#include "cli/json.h"
#include "cli/json_message.h"
#include "cli/number.h"

/* Where a program takes semicolons or tabs for separators, as the spreadsheets of many countries do, a cell of ours
 * does not begin with its quote, so the rest of it is cut at these, and at the ends of its lines. */
static bool is_separator(char byte) {
    return byte == ';' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Whether a formula may begin with this byte: as begins_formula says, or more, for what is not ASCII. */
static bool may_begin_formula(char byte) {
    unsigned char code = (unsigned char)byte;
    return (code != 0 && strchr("=+-@", byte)) || code < ' ' || code == 0x7F || code == 0xC2 || code == 0xEF;
}

/* Whether an apostrophe belongs before the byte; for all bytes of a cell, in their order. */
static bool is_second_start(csv *c, char byte) {
    bool is_start = c->is_safe && c->is_after_separator && may_begin_formula(byte) && !is_separator(byte);
    c->is_after_separator = is_separator(byte) || (c->is_after_separator && byte == ' ');
    return is_start;
}

static void begin_quoted(csv *c, bool is_risky) {
    out_text(c->to, is_risky ? "\"'" : "\"");
    c->is_after_separator = false;
}

/* Within quotes. */
static void put_quoted_bytes(void *user, const char *bytes, size_t len) {
    csv *c = user;
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        if (is_second_start(c, bytes[i])) {
            out_bytes(c->to, bytes + from, i - from);
            out_char(c->to, '\'');
            from = i;
        }
        if (bytes[i] == '"') {
            out_bytes(c->to, bytes + from, i + 1 - from);
            from = i; /* it comes again */
        }
    }
    out_bytes(c->to, bytes + from, len - from);
}

void csv_init(csv *c, out *to) {
    c->to = to;
    c->has_header = false;
    c->is_safe = c->is_after_separator = false;
    out_init_taker(&c->nested, put_quoted_bytes, c);
}

static bool is_plain(const csv *c, spb_str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte <= ' ' || byte == '"' || byte == ',' || (c->is_safe && byte == ';') || byte >= 0x7F) {
            return false;
        }
    }
    return text.len > 0;
}

/* Excel, LibreOffice and others run what begins so; the last four are the wide forms, which some take as well. */
static bool begins_formula(uint32_t code) {
    static const uint32_t signs[] = {'=', '+', '-', '@', 0xFF1D, 0xFF0B, 0xFF0D, 0xFF20};
    bool is_sign = false;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        is_sign = is_sign || code == signs[i];
    }
    return is_sign || code < ' ' || (code >= 0x7F && code < 0xA0);
}

/* Blanks before it do not count: some programs take them away. */
static bool needs_apostrophe(const csv *c, spb_str text) {
    size_t at = 0;
    uint32_t code = ' ';
    while (c->is_safe && at < text.len && code == ' ') {
        code = spb_utf8__next(text, &at);
    }
    return code != ' ' && begins_formula(code);
}

/* What is not UTF-8 becomes U+FFFD, one for each bad byte. */
static void put_text(csv *c, spb_str text) {
    bool is_risky = needs_apostrophe(c, text);
    if (is_plain(c, text) && !is_risky) {
        out_bytes(c->to, text.data, text.len);
        return;
    }
    begin_quoted(c, is_risky);
    size_t at = 0;
    while (at < text.len) {
        size_t from = at;
        if (spb_utf8__next(text, &at) == SPB_UTF8_BAD) {
            out_text(c->to, "\uFFFD");
        } else {
            put_quoted_bytes(c, text.data + from, at - from);
        }
    }
    out_char(c->to, '"');
}

/* ---- fields ---- */

static void put_time(csv *c, const message *m, const spb_payload_metric *metric) {
    if (metric->has_timestamp) {
        out_datetime(c->to, metric->timestamp_ms);
    } else if (m->payload->has_timestamp) {
        out_datetime(c->to, m->payload->timestamp_ms);
    } else if (m->has_time) {
        out_datetime(c->to, m->time_ms);
    }
}

/* Both IDs with the slash between, which no ID can hold. */
static void put_node(csv *c, const spb_topic *topic) {
    bool is_risky = needs_apostrophe(c, topic->group_id);
    if (is_plain(c, topic->group_id) && is_plain(c, topic->node_id) && !is_risky) {
        put_text(c, topic->group_id);
        out_char(c->to, '/');
        put_text(c, topic->node_id);
        return;
    }
    begin_quoted(c, is_risky);
    put_quoted_bytes(c, topic->group_id.data, topic->group_id.len);
    out_char(c->to, '/');
    put_quoted_bytes(c, topic->node_id.data, topic->node_id.len);
    out_char(c->to, '"');
}

static void put_name(csv *c, const metric_view *view) {
    if (view->name.data) {
        put_text(c, view->name);
    } else if (view->metric->has_alias) {
        char text[NUMBER_SIZE + 8] = "alias ";
        size_t len = strlen(text);
        put_text(c, (spb_str){text, len + number_u64(text + len, view->metric->alias)});
    }
}

static void put_json(csv *c, const metric_view *view) {
    begin_quoted(c, false);
    json_message_write_value(&c->nested, view);
    out_flush(&c->nested);
    out_char(c->to, '"');
}

static void put_base64(csv *c, spb_bytes bytes) {
    bool begins_with_plus = bytes.len > 0 && bytes.data[0] >> 2 == 62;
    out_text(c->to, c->is_safe && begins_with_plus ? "\"'" : "\"");
    out_base64(c->to, bytes.data, bytes.len);
    out_char(c->to, '"');
}

static void put_value(csv *c, const metric_view *view) {
    const spb_value *value = &view->value;
    switch (message_type_shown(value)) {
    case SPB_UNKNOWN: break;
    case SPB_INT8:
    case SPB_INT16:
    case SPB_INT32:
    case SPB_INT64: out_i64(c->to, value->as.i64); break;
    case SPB_UINT8:
    case SPB_UINT16:
    case SPB_UINT32:
    case SPB_UINT64: out_u64(c->to, value->as.u64); break;
    case SPB_FLOAT: out_claim(c->to, number_float(out_room(c->to, NUMBER_SIZE), value->as.f32)); break;
    case SPB_DOUBLE: out_claim(c->to, number_double(out_room(c->to, NUMBER_SIZE), value->as.f64)); break;
    case SPB_BOOLEAN: out_text(c->to, value->as.boolean ? "true" : "false"); break;
    case SPB_DATETIME: out_datetime(c->to, value->as.u64); break;
    case SPB_STRING:
    case SPB_TEXT:
    case SPB_UUID: put_text(c, value->as.str); break;
    case SPB_BYTES:
    case SPB_FILE: put_base64(c, value->as.bytes); break;
    default: put_json(c, view); break;
    }
}

static void put_quality(csv *c, const spb_payload_metric *metric) {
    const spb_property *quality = spb_property_find(metric->properties, SPB_PROPERTY_QUALITY);
    if (!quality || quality->value.is_null) {
        return;
    }
    if (quality->value.type == SPB_INT32) {
        out_i64(c->to, quality->value.as.i64);
    } else if (message_type_shown(&quality->value) == SPB_UINT64) {
        out_u64(c->to, quality->value.as.u64);
    }
}

static void put_row(csv *c, const message *m, const metric_view *view) {
    bool has_topic = m->topic_text.data != NULL;
    put_time(c, m, view->metric);
    out_char(c->to, ',');
    if (has_topic) {
        put_node(c, &m->topic);
    }
    out_char(c->to, ',');
    if (has_topic && m->topic.device_id.data) {
        put_text(c, m->topic.device_id);
    }
    out_char(c->to, ',');
    put_name(c, view);
    out_char(c->to, ',');
    out_text(c->to, spb_type_name(view->value.type));
    out_char(c->to, ',');
    put_value(c, view);
    out_char(c->to, ',');
    put_quality(c, view->metric);
    out_text(c->to, view->metric->is_historical ? ",true\r\n" : ",false\r\n");
}

static void put_header(csv *c) {
    if (!c->has_header) {
        out_text(c->to, "time,node,device,metric,type,value,quality,historical\r\n");
        c->has_header = true;
    }
}

void csv_end(csv *c) {
    put_header(c);
}

void csv_message(csv *c, const message *m) {
    put_header(c);
    for (size_t i = 0; m->payload && i < m->metric_count; i++) {
        put_row(c, m, &m->metrics[i]);
    }
}
