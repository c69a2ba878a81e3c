/*
 * Decides how a place in a payload is named. It walks from the outside to the byte in question, so that the code that
 * finds an error need not keep track of more than an offset.
 */
#include "codec/path.h"

#include "codec/place.h"
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

/* More than any payload that the preflight has not refused for its depth. */
#define PLACES_MAX 128

spb_status spb_path__fail(spb_error *err, spb_status status, spb_bytes wire, size_t offset, const char *what) {
    static const spb_place top = {NULL, MESSAGE_PAYLOAD, 0, NOT_REPEATED};
    spb_place places[PLACES_MAX];
    size_t place_count = 0, counts[FIELD_LIMIT] = {0};
    spb_message message = MESSAGE_PAYLOAD;
    const uint8_t *p = wire.data, *end = wire.data + wire.len;
    span each;
    while (err && p < end && place_count < PLACES_MAX && read_span(&each, p, end)) {
        const bool is_behind = offset >= (size_t)(each.end - wire.data);
        const bool is_repeated = each.number < FIELD_LIMIT && spb_schema__fields[message][each.number].is_repeated;
        if (is_behind && each.end < end) {
            if (is_repeated) {
                counts[each.number]++;
            }
            p = each.end;
            continue;
        }
        if (is_behind && offset < wire.len) {
            break; /* behind the last field, in what follows the message */
        }
        places[place_count] = (spb_place){place_count > 0 ? &places[place_count - 1] : NULL, message, each.number,
                                          is_repeated ? counts[each.number] : NOT_REPEATED};
        place_count++;
        const bool is_message =
            each.number < FIELD_LIMIT && spb_schema__fields[message][each.number].kind == FIELD_MESSAGE;
        if (!is_message || !each.content || offset < (size_t)(each.content - wire.data)) {
            break;
        }
        message = (spb_message)spb_schema__fields[message][each.number].message;
        p = each.content;
        end = each.end;
        memset(counts, 0, sizeof counts);
    }
    spb_place__fail(err, status, place_count > 0 ? &places[place_count - 1] : &top, what);
    if (err) {
        err->offset = offset;
    }
    return status;
}
