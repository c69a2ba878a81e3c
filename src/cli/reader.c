/* Decides how input is buffered and where lines end. What they hold is left to input.c. */
#include "cli/reader.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"

enum { READ_SIZE = 64 << 10 };

void reader_init(reader *r, int fd, void (*before_wait)(void *user), void *user) {
    *r = (reader){.fd = fd, .before_wait = before_wait, .user = user};
}

void reader_clear(reader *r) {
    free(r->data);
    *r = (reader){.fd = -1, .at_end = true};
}

spb_str reader_pending(const reader *r) {
    return (spb_str){r->data ? r->data + r->from : "", r->to - r->from};
}

/* Room for one more read behind `to`: first by moving what is pending to the front, then by growing. */
static bool make_room(reader *r) {
    if (r->capacity - r->to >= READ_SIZE) {
        return true;
    }
    if (r->from > 0) {
        memmove(r->data, r->data + r->from, r->to - r->from);
        r->to -= r->from;
        r->from = 0;
    }
    if (r->capacity - r->to >= READ_SIZE) {
        return true;
    }
    size_t capacity = 2 * (r->capacity + READ_SIZE);
    char *data = realloc(r->data, capacity);
    if (!data) {
        return false;
    }
    r->data = data;
    r->capacity = capacity;
    return true;
}

static reader_status fail(spb_error *err, spb_status status, const char *text) {
    error_set(err, status, SPB_NO_OFFSET, text);
    return READER_FAILED;
}

static void announce_wait(reader *r) {
    struct pollfd input = {.fd = r->fd, .events = POLLIN};
    if (r->before_wait && poll(&input, 1, 0) == 0) {
        r->before_wait(r->user);
    }
}

reader_status reader_more(reader *r, spb_error *err) {
    if (r->at_end) {
        return READER_END;
    }
    if (!make_room(r)) {
        return fail(err, SPB_ERR_NO_MEMORY, "out of memory for the input");
    }
    announce_wait(r);
    ssize_t got;
    do {
        got = read(r->fd, r->data + r->to, READ_SIZE);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return fail(err, SPB_ERR_SYSTEM, strerror(errno));
    }
    r->at_end = got == 0;
    r->to += (size_t)got;
    return r->at_end ? READER_END : READER_OK;
}

static reader_status skip_to_line_end(reader *r, spb_error *err) {
    while (r->is_skipping) {
        spb_str pending = reader_pending(r);
        const char *feed = memchr(pending.data, '\n', pending.len);
        r->from += feed ? (size_t)(feed - pending.data) + 1 : pending.len;
        r->is_skipping = !feed;
        reader_status status = feed ? READER_OK : reader_more(r, err);
        if (status != READER_OK) {
            return status;
        }
    }
    return READER_OK;
}

reader_status reader_line(reader *r, size_t max_bytes, spb_str *line, spb_error *err) {
    reader_status status = skip_to_line_end(r, err);
    size_t searched = 0; /* no line feed in so many pending bytes */
    while (status == READER_OK) {
        spb_str pending = reader_pending(r);
        const char *feed = memchr(pending.data + searched, '\n', pending.len - searched);
        size_t len = feed ? (size_t)(feed - pending.data) : pending.len;
        if (len > max_bytes) {
            r->line++;
            r->is_skipping = true;
            return READER_TOO_LONG;
        }
        if (feed || (r->at_end && len > 0)) {
            r->line++;
            r->line_from = r->from;
            r->from += len + (feed != NULL);
            bool has_return = len > 0 && pending.data[len - 1] == '\r';
            *line = (spb_str){pending.data, len - has_return};
            return READER_OK;
        }
        searched = len;
        status = reader_more(r, err);
        if (status == READER_END && len > 0) {
            status = READER_OK; /* the last line has no line feed */
        }
    }
    return status;
}

void reader_unread_line(reader *r) {
    r->from = r->line_from;
    r->line--;
}
