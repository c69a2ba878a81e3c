/* What is said on standard error about the input, with its place: "spb: FILE:LINE: what at byte N of the payload". */
#ifndef SPB_CLI_REPORT_H
#define SPB_CLI_REPORT_H

#include <spb/status.h>

#include "cli/out.h"

/* Where in the input something stands. */
typedef struct place {
    uint64_t line;   /* of text, from 1; 0: no text */
    uint64_t packet; /* of a capture, from 1; 0: no capture */
} place;

typedef struct report {
    const char *file;           /* as messages name it */
    out *messages;              /* is flushed first, so that what belongs together stays together */
    void (*before)(void *user); /* called before something is said; may be NULL */
    void *user;
    bool is_quiet; /* the input is read a second time: all was said */
    bool is_wrong; /* something was: the exit status */
    out complaints;
} report;

void report_init(report *r, const char *file, out *messages);
/* Not an error. `of`: what the byte err->offset is counted in, " of the line". */
void report_note(report *r, place at, const spb_error *err, const char *of);
/* An error. */
void report_wrong(report *r, place at, const spb_error *err, const char *of);
void report_no_memory(report *r, place at);

#endif
