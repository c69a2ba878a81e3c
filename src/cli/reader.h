/* Lines and bytes from a file descriptor, as they come. Holds no more than the longest line or the block being read. */
#ifndef SPB_CLI_READER_H
#define SPB_CLI_READER_H

#include <stdbool.h>

#include <spb/value.h>

typedef struct reader {
    int fd;
    bool at_end;                     /* nothing more comes from fd */
    bool is_skipping;                /* up to the end of a line that was too long */
    void (*before_wait)(void *user); /* the next read would have to wait; may be NULL */
    void *user;
    size_t line; /* number of the last line handed out, from 1 */
    char *data;  /* what was read: data[from … to) is not yet handed out */
    size_t from, to, capacity;
    size_t line_from; /* where the last line began: for reader_unread_line */
} reader;

typedef enum reader_status {
    READER_OK,
    READER_END,      /* nothing more */
    READER_TOO_LONG, /* the line is longer than the limit; the next call goes on behind it */
    READER_FAILED    /* err says why */
} reader_status;

void reader_init(reader *r, int fd, void (*before_wait)(void *user), void *user);
void reader_clear(reader *r);
/* The next line without its end (LF or CRLF; the last line needs none), borrowed until the next call. */
reader_status reader_line(reader *r, size_t max_bytes, spb_str *line, spb_error *err);
/* Hands the last line out once more. */
void reader_unread_line(reader *r);
/* Waits for further bytes. READER_END: there are none. */
reader_status reader_more(reader *r, spb_error *err);
/* What was read and not yet handed out, borrowed until the next call. */
spb_str reader_pending(const reader *r);

#endif
