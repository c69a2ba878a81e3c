/*
 * Captured payloads from a file or pipe, one record after the other, as soon as each is complete.
 *
 * tsv     each line is `time<TAB>topic<TAB>payload in hex`, as mosquitto_sub -F '%U\t%t\t%x' prints it
 * hex     each line is a payload; blanks and colons between bytes are fine
 * base64  each line is a payload, in the standard or the URL alphabet, padded or not
 * raw     the whole input is one payload
 * pcap    a capture, which feed.c leaves to the capture engine
 *
 * A long hex or base64 payload may be broken into lines as xxd -p, od and base64 do: see input.c.
 */
#ifndef SPB_CLI_INPUT_H
#define SPB_CLI_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <spb/value.h>

#include "cli/reader.h"

typedef enum input_format { INPUT_AUTO, INPUT_RAW, INPUT_HEX, INPUT_BASE64, INPUT_TSV, INPUT_PCAP } input_format;

/* False if there is no format of that name. */
bool input_format_from_name(const char *name, input_format *out);

enum {
    INPUT_MAX_PAYLOAD_BYTES = 16 << 20,                              /* what the library decodes by default */
    INPUT_MAX_LINE_BYTES = 2 * INPUT_MAX_PAYLOAD_BYTES + (128 << 10) /* in hex, with a topic of at most 65,535 bytes */
};

typedef struct input {
    reader from;
    input_format format;
    bool is_read;     /* raw: the payload was handed out */
    uint8_t *payload; /* the record's */
    size_t payload_capacity;
} input;

typedef struct input_record {
    size_t line;      /* its first line, from 1; 0 for raw input */
    bool has_time;    /* only in tsv */
    uint64_t time_ms; /* since 1970-01-01 UTC */
    spb_str topic;    /* absent: not known */
    spb_bytes payload;
} input_record;

typedef enum input_status {
    INPUT_RECORD, /* *record is filled; borrowed until the next call */
    INPUT_BAD,    /* a record is damaged: err says how, record->line where; the next call goes on behind it */
    INPUT_END,    /* there is nothing more */
    INPUT_FAILED  /* reading failed, or there is no memory: err says why */
} input_status;

/* Reads from fd, which stays the caller's. before_wait is called when the next read would have to wait. */
void input_init(input *in, int fd, input_format format, void (*before_wait)(void *user), void *user);
void input_clear(input *in);
/* Waits for further bytes, and shows all that were read and not yet handed out, borrowed until the next call.
 * INPUT_END: there are no more. */
input_status input_peek(input *in, spb_str *pending, spb_error *err);
input_status input_next(input *in, input_record *record, spb_error *err);

#endif
