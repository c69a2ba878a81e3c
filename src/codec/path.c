/*
 * Decides how a place in a payload is named. It walks from the outside to the byte in question, so that the code that
 * finds an error need not keep track of more than an offset.
 */
#include "codec/path.h"

#include <stdio.h>

#include "base/error.h"
#include "codec/resolve.h"
#include "codec/wire.h"

/* One field of a message: from its tag (at) to the byte behind it (end), and its content from `content`. */
typedef struct span {
    const uint8_t *at, *content, *end;
    unsigned number;
} span;

/* Reads the field at `p`, as far as it can be made out: a length or number that is damaged reaches to `end`. */
static bool read_span(span *found, const uint8_t *p, const uint8_t *end) {
    uint64_t tag, value;
    *found = (span){.at = p, .end = end};
    p = varint_read(p, end, &tag);
    if (!p || tag >> 3 == 0 || tag > UINT32_MAX) {
        return false;
    }
    found->number = (unsigned)(tag >> 3);
    found->content = p;
    size_t left = (size_t)(end - p);
    size_t width = (tag & 7) == WIRE_FIXED64 ? 8 : (tag & 7) == WIRE_FIXED32 ? 4 : 0;
    if (width > 0) {
        found->end = width <= left ? p + width : end;
        return true;
    }
    p = varint_read(p, end, &value);
    if (!p) {
        return true;
    }
    found->content = p;
    if ((tag & 7) == WIRE_VARINT) {
        found->end = p;
    } else if ((tag & 7) == WIRE_BYTES && value <= (size_t)(end - p)) {
        found->end = p + value;
    }
    return true;
}

/* Appends to the text; what does not fit is cut. */
static void append(char *text, size_t size, size_t *len, const char *part) {
    int written = snprintf(text + *len, size - *len, "%s", part);
    *len += (size_t)written < size - *len ? (size_t)written : size - *len - 1;
}

static void append_field(char *text, size_t size, size_t *len, spb_message message, unsigned number, size_t index) {
    char part[64];
    const char *dot = *len > 0 ? "." : "";
    const char *name = field_name(message, number);
    if (!name) {
        snprintf(part, sizeof part, "%sfield_%u", dot, number);
    } else if (spb_schema__fields[message][number].is_repeated) {
        snprintf(part, sizeof part, "%s%s[%zu]", dot, name, index);
    } else {
        snprintf(part, sizeof part, "%s%s", dot, name);
    }
    append(text, size, len, part);
}

void spb_path__describe(char *text, size_t size, spb_bytes wire, size_t offset) {
    size_t len = 0;
    text[0] = '\0';
    spb_message message = MESSAGE_PAYLOAD;
    const uint8_t *p = wire.data, *end = wire.data + wire.len;
    size_t counts[FIELD_LIMIT] = {0};
    while (p < end) {
        span each;
        if (!read_span(&each, p, end)) {
            break;
        }
        static const spb_field unknown = {.kind = FIELD_UNKNOWN};
        const spb_field *field = each.number < FIELD_LIMIT ? &spb_schema__fields[message][each.number] : &unknown;
        if (offset >= (size_t)(each.end - wire.data) && each.end < end) {
            if (field->is_repeated) {
                counts[each.number]++;
            }
            p = each.end;
            continue;
        }
        if (offset >= (size_t)(each.end - wire.data) && offset < wire.len) {
            break; /* behind the last field, in what follows the message */
        }
        append_field(text, size, &len, message, each.number, field->is_repeated ? counts[each.number] : 0);
        if (field->kind != FIELD_MESSAGE || !each.content || offset < (size_t)(each.content - wire.data)) {
            break;
        }
        message = (spb_message)field->message;
        p = each.content;
        end = each.end;
        memset(counts, 0, sizeof counts);
    }
    if (len == 0) {
        append(text, size, &len, "payload");
    }
    spb_path__mark_cut(text, size);
}

void spb_path__mark_cut(char *text, size_t size) {
    if (strlen(text) == size - 1) {
        memcpy(text + size - 4, "...", 3);
    }
}

spb_status spb_path__fail(spb_error *err, spb_status status, spb_bytes wire, size_t offset, const char *what) {
    char path[160];
    if (err) {
        spb_path__describe(path, sizeof path, wire, offset);
        spb_error__set_at(err, status, offset, "%s: %s", path, what);
    }
    return status;
}
