/* Decides how errors name their place, and what the writer does when something is long, wrong or over a limit. */
#include "codec/writer.h"

#include <stdio.h>

#include "base/error.h"
#include "codec/path.h"

static size_t describe(char *text, size_t size, const spb_place *at) {
    size_t len = at->up ? describe(text, size, at->up) : 0;
    const char *dot = len > 0 ? "." : "";
    int more = at->index == NOT_REPEATED ? snprintf(text + len, size - len, "%s%s", dot, at->field)
                                         : snprintf(text + len, size - len, "%s%s[%zu]", dot, at->field, at->index);
    return len + (size_t)more < size ? len + (size_t)more : size - 1;
}

spb_status spb_writer__fail(spb_writer *w, spb_status status, const spb_place *at, const char *what) {
    char path[160];
    if (w->err) {
        describe(path, sizeof path, at);
        spb_path__mark_cut(path, sizeof path);
        spb_error__set(w->err, status, "%s: %s", path, what);
    }
    return status;
}

spb_status spb_writer__fail_field(spb_writer *w, spb_status status, const spb_place *up, const char *field,
                                  const char *what) {
    return spb_writer__fail(w, status, field ? &(spb_place){up, field, NOT_REPEATED} : up, what);
}

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

/* Bytes, whose content nobody needs to look at. */
spb_status spb_writer__bytes(spb_writer *w, unsigned id, spb_bytes bytes, const spb_place *up, const char *name) {
    if (bytes.len > w->limits->max_string_bytes) {
        return spb_writer__fail_field(w, SPB_ERR_LIMIT, up, name, "longer than the limit max_string_bytes");
    }
    if (bytes.len > 0 && !bytes.data) {
        return spb_writer__fail_field(w, SPB_ERR_ARGUMENT, up, name, "a length without data");
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

spb_status spb_writer__other_text(spb_writer *w, unsigned id, spb_str text, const spb_place *up, const char *name) {
    if (!spb_utf8__is_valid(text, NULL)) {
        return spb_writer__fail_field(w, SPB_ERR_NAME, up, name, "not UTF-8");
    }
    return spb_writer__bytes(w, id, (spb_bytes){(const uint8_t *)text.data, text.len}, up, name);
}

spb_status spb_writer__required_text(spb_writer *w, unsigned id, spb_str text, const spb_place *up, const char *name) {
    if (!text.data || text.len == 0) {
        return spb_writer__fail_field(w, SPB_ERR_NAME, up, name, "missing or empty");
    }
    return writer_text(w, id, text, up, name);
}

spb_status spb_writer__count_items(spb_writer *w, size_t count, const spb_place *at) {
    if (count > w->limits->max_metrics - w->items) {
        return spb_writer__fail(w, SPB_ERR_LIMIT, at,
                                "more metrics, members, properties and cells than the limit max_metrics");
    }
    w->items += count;
    return SPB_OK;
}

spb_status spb_writer__check_depth(spb_writer *w, const spb_place *at) {
    if (w->depth == w->limits->max_depth) {
        return spb_writer__fail(w, SPB_ERR_LIMIT, at, "nested deeper than the limit max_depth");
    }
    return SPB_OK;
}

/* A dataset's or template's pointer says nothing of its arrays: a count needs something to count. */
spb_status spb_writer__check_items(spb_writer *w, const void *items, size_t count, const spb_place *at) {
    if (count > 0 && !items) {
        return spb_writer__fail(w, SPB_ERR_ARGUMENT, at, "a count without items");
    }
    return spb_writer__count_items(w, count, at);
}
