/*
 * Records out of any input: lines of text and raw payloads (input.h), or a capture (capture/capture.h). What is wrong
 * with the input itself is reported here: damaged lines, gaps in a capture, what cannot be read in it.
 */
#ifndef SPB_CLI_FEED_H
#define SPB_CLI_FEED_H

#include "capture/capture.h"
#include "cli/input.h"
#include "cli/message.h"
#include "cli/report.h"

typedef struct feed_options {
    input_format format;
    bool with_copies; /* also what a broker forwards to subscribers */
    uint16_t ports[CAPTURE_MAX_PORTS];
    size_t port_count;
    void (*on_event)(void *user, const capture_event *event); /* sees each event of a capture first; may be NULL */
} feed_options;

/* A payload, and what is known of how it came. Borrowed for the call. */
typedef struct feed_record {
    place at;
    bool has_time;
    uint64_t time_ms; /* since 1970-01-01 UTC */
    spb_str topic;    /* absent: not known */
    spb_bytes payload;
    const message_wire *wire; /* NULL: not out of a capture */
} feed_record;

typedef void (*feed_record_fn)(void *user, const feed_record *record);

/* What there is only in captures. */
typedef struct feed_counts {
    capture_counts capture;
    bool is_capture;
    uint64_t gaps;
    uint64_t skipped_bytes; /* in them */
    uint64_t copies;        /* messages that were left out, or shown, as copies */
    uint64_t unresolved;    /* messages whose topic alias is not known */
} feed_counts;

typedef struct feed {
    int fd;
    const feed_options *options;
    report *to;
    input text;
    bool has_begun;
    capture *packets; /* NULL: text */
    feed_record_fn on_record;
    void *user;
    feed_counts counts;
} feed;

typedef enum feed_status {
    FEED_MORE, /* go on */
    FEED_END   /* there is nothing more, or it cannot be read, which was reported */
} feed_status;

/* Reads from fd, which stays the caller's. before_wait is called when the next read would have to wait. */
void feed_init(feed *f, int fd, const feed_options *options, report *to, void (*before_wait)(void *user), void *user);
void feed_clear(feed *f);
/* Reads a record, or a packet of a capture, and hands out what that gives: no, one, or many records. */
feed_status feed_next(feed *f, feed_record_fn on_record, void *user);

#endif
