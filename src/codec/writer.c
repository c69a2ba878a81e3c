/* Decides what the writer does when something is long, wrong or over a limit. */
#include "codec/writer.h"

#include "base/error.h"
#include "codec/resolve.h"
#include "codec/value.h"

spb_status spb_writer__no_memory(spb_writer *w) {
    return spb_error__no_memory(w->err, "an encoded payload");
}

spb_status spb_writer__close_long(spb_writer *w, size_t begin) {
    size_t len = w->out->len - begin;
    size_t more = varint_len(len) - 1;
    if (!writer_reserve(w, more)) {
        return spb_writer__no_memory(w);
    }
    memmove(w->out->data + begin + more, w->out->data + begin, len);
    w->out->len += more;
    varint_write_exactly(w->out->data + begin - 1, len);
    return SPB_OK;
}

spb_status spb_writer__bytes(spb_writer *w, unsigned id, spb_bytes bytes, const spb_place *at) {
    if (bytes.len > w->limits->max_string_bytes) {
        return spb_place__fail(w->err, SPB_ERR_LIMIT, at, "longer than the limit max_string_bytes");
    }
    if (bytes.len > 0 && !bytes.data) {
        return spb_place__fail(w->err, SPB_ERR_ARGUMENT, at, "a length without data");
    }
    if (!writer_reserve(w, 2 * VARINT_BYTES_MAX + bytes.len)) {
        return spb_writer__no_memory(w);
    }
    uint8_t *p = varint_write(writer_tail(w), TAG(id, WIRE_BYTES));
    p = varint_write(p, bytes.len);
    if (bytes.len > 0) {
        memcpy(p, bytes.data, bytes.len);
    }
    writer_set_tail(w, p + bytes.len);
    return SPB_OK;
}

spb_status spb_writer__other_text(spb_writer *w, unsigned id, spb_str text, const spb_place *at) {
    if (!spb_utf8__is_valid(text, NULL)) {
        return spb_place__fail(w->err, SPB_ERR_NAME, at, "not UTF-8");
    }
    return spb_writer__bytes(w, id, (spb_bytes){(const uint8_t *)text.data, text.len}, at);
}

/* A dataset's or template's pointer says nothing of its arrays: a count needs something to count. */
spb_status spb_writer__check_items(spb_writer *w, const void *items, size_t count, const spb_place *at) {
    if (count > 0 && !items) {
        return spb_place__fail(w->err, SPB_ERR_ARGUMENT, at, "a count without items");
    }
    if (count > w->limits->max_metrics - w->items) {
        return spb_place__fail(w->err, SPB_ERR_LIMIT, at,
                               "more metrics, members, properties and cells than the limit max_metrics");
    }
    w->items += count;
    return SPB_OK;
}

spb_status spb_writer__check_value(spb_writer *w, spb_message message, const spb_value *value, const spb_place *at) {
    spb_value judged = *value;
    if (!spb_type__is_known(judged.type)) {
        judged.type = SPB_UNKNOWN; /* by its wire field alone */
    }
    if (!spb_type__fits(message, value->type)) {
        return spb_place__fail(w->err, SPB_ERR_TYPE, at, "a datatype that cannot stand here");
    }
    if (!value->is_null && spb_value__wire(value) == SPB_WIRE_NONE) {
        return spb_place__fail(w->err, SPB_ERR_TYPE, at, "neither a value nor null");
    }
    spb_error why;
    spb_status status = spb_value__check(&judged, &why);
    return status == SPB_OK ? SPB_OK : spb_place__fail(w->err, status, at, why.text);
}
