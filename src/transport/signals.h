/* Keeps SIGPIPE away from the program that uses paho. */
#ifndef SPB_TRANSPORT_SIGNALS_H
#define SPB_TRANSPORT_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/*
 * paho writes to sockets that the server may have closed, and ignores SIGPIPE in the whole process for that; whoever
 * sets it back would be killed by it. So it is blocked where paho writes: in its own threads, which inherit the mask of
 * the thread that starts them, and in ours while a client is destroyed.
 */
void spb_signals__block_pipe(sigset_t *before);
/* Takes away a SIGPIPE that came meanwhile. */
void spb_signals__restore(const sigset_t *before);

/* Whether two threads can run now: paho needs as many, and does not notice when it gets none. */
bool spb_signals__can_start_two(void);

#endif
