/* Decides how a place is named, and finds it in an encoded message. */
#include "codec/place.h"

#include <ctype.h>
#include <stdio.h>

#include "base/error.h"
#include "codec/fields.h"
#include "codec/resolve.h"

static size_t describe(char *text, size_t size, const spb_place *at) {
    const size_t len = at->up ? describe(text, size, at->up) : 0;
    const char *dot = len > 0 ? "." : "", *name = field_name(at->message, at->number);
    int more;
    if (at->number == 0) { /* the message itself: "dataset" */
        more = snprintf(text, size, "%s", spb_schema__messages[at->message]->short_name);
        for (char *p = text; *p; p++) {
            *p = (char)tolower((unsigned char)*p);
        }
    } else if (!name) {
        more = snprintf(text + len, size - len, "%sfield_%u", dot, at->number);
    } else if (at->index == NOT_REPEATED) {
        more = snprintf(text + len, size - len, "%s%s", dot, name);
    } else {
        more = snprintf(text + len, size - len, "%s%s[%zu]", dot, name, at->index);
    }
    return len + (size_t)more < size ? len + (size_t)more : size - 1;
}

spb_status spb_place__fail(spb_error *err, spb_status status, const spb_place *at, const char *what) {
    char path[160];
    if (err && describe(path, sizeof path, at) == sizeof path - 1) {
        memcpy(path + sizeof path - 4, "...", 3);
    }
    return err ? spb_error__set(err, status, "%s: %s", path, what) : status;
}

spb_bytes spb_place__find(const spb_place *at, spb_bytes from, const uint8_t **tag) {
    spb_bytes in = at->up ? spb_place__find(at->up, from, tag) : from;
    spb_bytes found = in;
    *tag = at->up ? *tag : from.data;
    size_t count = 0;
    const uint8_t *p = in.data, *end = p + in.len;
    while (p < end && at->number > 0) {
        field f;
        field_next(&f, &p, end);
        if (f.id == at->number && (at->index == NOT_REPEATED || count++ == at->index)) {
            *tag = f.at;
            found = f.bytes;
        }
    }
    return found;
}
