/* Waiting for several things at once: descriptors, signals, a time. */
#ifndef SPB_CLI_PATIENCE_H
#define SPB_CLI_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Blocks SIGINT, SIGTERM, SIGHUP and SIGWINCH in this thread and those that it starts: they come in patience_wait
 * alone. To be called before threads are started. */
void patience_begin(void);
/* Until `a` or `b` (−1: none) can be read, a signal comes, or so many ms have passed (−1: no limit). */
void patience_wait(int a, int b, int limit_ms, bool *a_is_readable, bool *b_is_readable);
/* One of the signals that end a program has come. */
bool patience_is_over(void);
/* The terminal has another size than before the last call. */
bool patience_is_resized(void);
/* A clock that is not set, in ms. */
uint64_t patience_now_ms(void);
uint64_t patience_unix_ms(void);

#endif
