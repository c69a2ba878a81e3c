/* Decides what format the input has, and where a record begins and ends. What the bytes mean is left to the library. */
#include "cli/input.h"

#include <stdlib.h>
#include <string.h>

#include "cli/digits.h"
#include "cli/error.h"

enum { DETECT_BYTES = 4 << 10 };

bool input_format_from_name(const char *name, input_format *out) {
    static const char *const names[] = {"auto", "raw", "hex", "base64", "tsv", "pcap"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (input_format)i;
            return true;
        }
    }
    return false;
}

void input_init(input *in, int fd, input_format format, void (*before_wait)(void *user), void *user) {
    *in = (input){.format = format};
    reader_init(&in->from, fd, before_wait, user);
}

void input_clear(input *in) {
    reader_clear(&in->from);
    free(in->payload);
    in->payload = NULL;
    in->payload_capacity = 0;
}

static input_status bad(spb_error *err, spb_status status, size_t offset, const char *text) {
    error_set(err, status, offset, text);
    return INPUT_BAD;
}

static input_status no_memory(spb_error *err) {
    error_set(err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory for the payload");
    return INPUT_FAILED;
}

static bool reserve_payload(input *in, size_t size) {
    if (size > in->payload_capacity) {
        uint8_t *payload = realloc(in->payload, size + size / 2);
        if (!payload) {
            return false;
        }
        in->payload = payload;
        in->payload_capacity = size + size / 2;
    }
    return true;
}

static input_status from_reader(reader_status status, spb_error *err) {
    switch (status) {
    case READER_OK: return INPUT_RECORD;
    case READER_END: return INPUT_END;
    case READER_TOO_LONG: return bad(err, SPB_ERR_LIMIT, INPUT_MAX_LINE_BYTES, "the line is too long");
    case READER_FAILED: break;
    }
    return INPUT_FAILED;
}

/* ---- which format ---- */

static bool is_hex_text(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ' ' || c == ':';
}

static bool is_base64_text(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || strchr("+/-_=", c) != NULL;
}

/* By the first line that is not empty; INPUT_AUTO: not yet decided. A payload begins with the tag of its first field, a
 * control character. What has hex digits only is hardly base64. */
static input_format detect(spb_str head, bool is_whole) {
    bool is_hex = true;
    bool is_base64 = true;
    bool is_empty = true;
    for (size_t i = 0; i < head.len && i < DETECT_BYTES; i++) {
        char c = head.data[i];
        if (c == '\n' && !is_empty) {
            is_whole = true;
            break;
        }
        if (c == '\n' || c == '\r') {
            continue;
        }
        if ((unsigned char)c < ' ' && c != '\t') {
            return INPUT_RAW;
        }
        is_empty = false;
        is_hex = is_hex && is_hex_text(c);
        is_base64 = is_base64 && is_base64_text(c);
    }
    if (!is_whole && head.len < DETECT_BYTES) {
        return INPUT_AUTO;
    }
    return is_hex ? INPUT_HEX : is_base64 ? INPUT_BASE64 : INPUT_TSV;
}

/* ---- tsv ---- */

/* Seconds since 1970 with a fraction. */
static bool parse_time(spb_str text, uint64_t *time_ms) {
    enum { MAX_DIGITS = 14 };
    uint64_t seconds = 0;
    size_t i = 0;
    while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9') {
        seconds = seconds * 10 + (uint64_t)(text.data[i++] - '0');
    }
    if (i == 0 || i > MAX_DIGITS || (i < text.len && text.data[i] != '.')) {
        return false;
    }
    uint64_t ms = 0;
    uint64_t unit = 100;
    for (i++; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        ms += unit * (uint64_t)(text.data[i] - '0');
        unit /= 10;
    }
    *time_ms = seconds * 1000 + ms;
    return true;
}

static const char *last_tab(spb_str text) {
    const char *at = text.data + text.len;
    while (at > text.data && at[-1] != '\t') {
        at--;
    }
    return at > text.data ? at - 1 : NULL;
}

/* A topic may hold tabs, the two other columns cannot. */
static input_status read_tsv(input *in, spb_str line, input_record *record, spb_error *err) {
    const char *first = memchr(line.data, '\t', line.len);
    const char *last = last_tab(line);
    if (!first || first == last) {
        return bad(err, SPB_ERR_MALFORMED, SPB_NO_OFFSET, "not time, topic and payload, with tabs between");
    }
    spb_str time = {line.data, (size_t)(first - line.data)};
    spb_str hex = {last + 1, line.len - (size_t)(last + 1 - line.data)};
    if (!parse_time(time, &record->time_ms)) {
        return bad(err, SPB_ERR_MALFORMED, 0, "the time is not a number of seconds");
    }
    if (!reserve_payload(in, digits_max_bytes(hex.len))) {
        return no_memory(err);
    }
    record->has_time = true;
    record->topic = (spb_str){first + 1, (size_t)(last - first - 1)};
    record->payload.data = in->payload;
    if (!digits_unhex(hex, in->payload, &record->payload.len, err)) {
        err->offset += (size_t)(hex.data - line.data);
        return INPUT_BAD;
    }
    return INPUT_RECORD;
}

static input_status next_tsv(input *in, input_record *record, spb_error *err) {
    spb_str line = {0};
    reader_status status;
    do {
        status = reader_line(&in->from, INPUT_MAX_LINE_BYTES, &line, err);
        record->line = in->from.line;
    } while (status == READER_OK && line.len == 0);
    return status == READER_OK ? read_tsv(in, line, record, err) : from_reader(status, err);
}

/* ---- hex and base64 ---- */

static size_t skip_varint(spb_bytes wire, size_t at, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; at < wire.len && shift < 64; shift += 7) {
        *value |= (uint64_t)(wire.data[at] & 0x7F) << shift;
        if (wire.data[at++] < 0x80) {
            return at;
        }
    }
    return wire.len + 1;
}

/* The first field at or behind `at` (where one begins) that is not complete; wire.len if all are. */
static size_t skip_fields(spb_bytes wire, size_t at) {
    while (at < wire.len) {
        uint64_t tag;
        uint64_t number = 0;
        size_t end = skip_varint(wire, at, &tag);
        switch (tag & 7) {
        case 0: end = skip_varint(wire, end, &number); break;
        case 1: end += 8; break;
        case 2:
            end = skip_varint(wire, end, &number);
            end = end <= wire.len && number <= wire.len - end ? end + (size_t)number : wire.len + 1;
            break;
        default: end += 4; break;
        }
        if (end > wire.len) {
            break;
        }
        at = end;
    }
    return at;
}

/* Tools break lines after so many bytes: xxd -p 30, od -tx1 16; base64 57, openssl base64 48. */
static bool is_full_line(input_format format, size_t len) {
    return format == INPUT_HEX ? len == 30 || len == 16 : len == 57 || len == 48;
}

/* Reads the next line as digits, behind the first `have` bytes of the payload. */
static input_status read_digits(input *in, size_t have, size_t *len, spb_error *err) {
    spb_str line = {0};
    reader_status status = reader_line(&in->from, INPUT_MAX_LINE_BYTES, &line, err);
    if (status != READER_OK) {
        return from_reader(status, err);
    }
    if (!reserve_payload(in, have + digits_max_bytes(line.len))) {
        return no_memory(err);
    }
    bool is_right = in->format == INPUT_HEX ? digits_unhex(line, in->payload + have, len, err)
                                            : digits_unbase64(line, in->payload + have, len, err);
    return is_right ? INPUT_RECORD : INPUT_BAD;
}

/*
 * One payload a line; but lines of one of those widths are continued by the next ones, up to and with a shorter one, or
 * up to an empty line. A next line that begins with a timestamp (tag 08), where a field may begin, is a new payload: a
 * payload has one timestamp, and it comes first.
 */
static input_status next_digits(input *in, input_record *record, spb_error *err) {
    size_t width = 0;    /* of the first line */
    size_t have = 0;     /* bytes of the lines so far */
    size_t complete = 0; /* whole fields up to here */
    bool goes_on = true;
    while (goes_on) {
        size_t len = 0;
        input_status status = read_digits(in, have, &len, err);
        if (status == INPUT_BAD || status == INPUT_FAILED || (status == INPUT_END && have == 0)) {
            record->line = in->from.line;
            return status;
        }
        if (have > 0 && (len > width || (len > 0 && complete == have && in->payload[have] == 0x08))) {
            reader_unread_line(&in->from);
            break;
        }
        if (have == 0) {
            record->line = in->from.line;
            width = len;
        }
        have += len;
        if (have > INPUT_MAX_PAYLOAD_BYTES) {
            return bad(err, SPB_ERR_LIMIT, INPUT_MAX_PAYLOAD_BYTES, "the payload is too long");
        }
        complete = skip_fields((spb_bytes){in->payload, have}, complete);
        goes_on = have == 0 || (len == width && is_full_line(in->format, width));
    }
    record->payload = (spb_bytes){in->payload, have};
    return INPUT_RECORD;
}

/* ---- raw ---- */

static input_status next_raw(input *in, input_record *record, spb_error *err) {
    if (in->is_read) {
        return INPUT_END;
    }
    in->is_read = true;
    reader_status status = READER_OK;
    while (status == READER_OK && reader_pending(&in->from).len <= INPUT_MAX_PAYLOAD_BYTES) {
        status = reader_more(&in->from, err);
    }
    if (status == READER_FAILED) {
        return INPUT_FAILED;
    }
    spb_str all = reader_pending(&in->from);
    record->payload = (spb_bytes){(const uint8_t *)all.data, all.len};
    if (all.len > INPUT_MAX_PAYLOAD_BYTES) {
        return bad(err, SPB_ERR_LIMIT, INPUT_MAX_PAYLOAD_BYTES, "the payload is too long");
    }
    return INPUT_RECORD;
}

input_status input_peek(input *in, spb_str *pending, spb_error *err) {
    reader_status status = reader_more(&in->from, err);
    *pending = reader_pending(&in->from);
    return from_reader(status, err);
}

input_status input_next(input *in, input_record *record, spb_error *err) {
    *record = (input_record){0};
    reader_status status = READER_OK;
    while (in->format == INPUT_AUTO) {
        if (status == READER_FAILED) {
            return INPUT_FAILED;
        }
        spb_str head = reader_pending(&in->from);
        if (status == READER_END && head.len == 0) {
            return INPUT_END;
        }
        in->format = detect(head, status == READER_END);
        if (in->format == INPUT_AUTO) {
            status = reader_more(&in->from, err);
        }
    }
    switch (in->format) {
    case INPUT_RAW: return next_raw(in, record, err);
    case INPUT_TSV: return next_tsv(in, record, err);
    default: return next_digits(in, record, err);
    }
}
