/* A bar on standard error while a file is read that takes more than about a second, if that is a terminal. */
#ifndef SPB_CLI_PROGRESS_H
#define SPB_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct progress {
    int fd;                   /* that is read; −1: no bar is wanted */
    uint64_t bytes;           /* of the file */
    FILE *to;                 /* standard error */
    uint64_t (*now_ms)(void); /* a clock that only goes on */
    uint64_t started_ms, shown_ms;
    unsigned calls;
    bool is_shown;
} progress;

/* No bar if fd is no file, if standard error is no terminal, or if standard output is the same one. */
void progress_begin(progress *p, int fd);
/* To be called often: it looks at the clock only now and then. */
void progress_step(progress *p);
/* Wipes it away, for a report or at the end; the next step may show it again. */
void progress_hide(void *p);

#endif
