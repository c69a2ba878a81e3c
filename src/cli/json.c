/* Decides the JSON form of each kind of value. What a message looks like is left to json_message.c. */
#include "cli/json.h"

#include <math.h>

#include "base/utf8.h"
#include "cli/number.h"

static void separate(json *j) {
    if (j->comma) {
        out_char(j->to, ',');
    }
    j->comma = true;
}

static void begin(json *j, char bracket) {
    separate(j);
    out_char(j->to, bracket);
    j->comma = false;
}

static void end(json *j, char bracket) {
    out_char(j->to, bracket);
    j->comma = true;
}

void json_begin_object(json *j) {
    begin(j, '{');
}

void json_end_object(json *j) {
    end(j, '}');
}

void json_begin_array(json *j) {
    begin(j, '[');
}

void json_end_array(json *j) {
    end(j, ']');
}

void json_end_line(json *j) {
    out_char(j->to, '\n');
    j->comma = false;
}

void json_key(json *j, const char *key) {
    separate(j);
    out_char(j->to, '"');
    out_text(j->to, key);
    out_bytes(j->to, "\":", 2);
    j->comma = false;
}

void json_key_str(json *j, spb_str key) {
    json_string(j, key);
    out_char(j->to, ':');
    j->comma = false;
}

static bool is_plain(unsigned char c) {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* One character that is not plain. `bytes` is how the input wrote it. */
static void write_character(out *to, uint32_t code, spb_str bytes) {
    static const char hex[] = "0123456789abcdef";
    switch (code) {
    case '"': out_bytes(to, "\\\"", 2); return;
    case '\\': out_bytes(to, "\\\\", 2); return;
    case '\n': out_bytes(to, "\\n", 2); return;
    case '\r': out_bytes(to, "\\r", 2); return;
    case '\t': out_bytes(to, "\\t", 2); return;
    case SPB_UTF8_BAD: out_text(to, "\uFFFD"); return;
    default: break;
    }
    /* C0 must be escaped, DEL and C1 had better be: a terminal would obey them. */
    if (code < 0x20 || (code >= 0x7F && code < 0xA0)) {
        char escape[] = {'\\', 'u', '0', '0', hex[code >> 4], hex[code & 15]};
        out_bytes(to, escape, sizeof escape);
    } else {
        out_bytes(to, bytes.data, bytes.len);
    }
}

void json_string(json *j, spb_str text) {
    separate(j);
    out_char(j->to, '"');
    size_t at = 0;
    while (at < text.len) {
        size_t from = at;
        while (at < text.len && is_plain((unsigned char)text.data[at])) {
            at++;
        }
        out_bytes(j->to, text.data + from, at - from);
        if (at < text.len) {
            from = at;
            uint32_t code = spb_utf8__next(text, &at);
            write_character(j->to, code, (spb_str){text.data + from, at - from});
        }
    }
    out_char(j->to, '"');
}

void json_text(json *j, const char *text) {
    json_string(j, spb_str_from(text));
}

void json_u64(json *j, uint64_t number) {
    separate(j);
    out_u64(j->to, number);
}

void json_i64(json *j, int64_t number) {
    separate(j);
    out_i64(j->to, number);
}

static void write_number(json *j, const char *text, size_t len, bool is_finite) {
    separate(j);
    if (!is_finite) {
        out_char(j->to, '"');
    }
    out_bytes(j->to, text, len);
    if (!is_finite) {
        out_char(j->to, '"');
    }
}

void json_float(json *j, float number) {
    char text[NUMBER_SIZE];
    write_number(j, text, number_float(text, number), isfinite(number));
}

void json_double(json *j, double number) {
    char text[NUMBER_SIZE];
    write_number(j, text, number_double(text, number), isfinite(number));
}

void json_bool(json *j, bool value) {
    separate(j);
    out_text(j->to, value ? "true" : "false");
}

void json_null(json *j) {
    separate(j);
    out_text(j->to, "null");
}

void json_base64(json *j, spb_bytes bytes) {
    separate(j);
    out_char(j->to, '"');
    out_base64(j->to, bytes.data, bytes.len);
    out_char(j->to, '"');
}
