/*
 * Which messages were seen before: a broker forwards what a client publishes to each subscriber, so that a capture has
 * it several times. A table of fixed size forgets the oldest, and what is older than some seconds.
 */
#ifndef SPB_CAPTURE_FORWARD_H
#define SPB_CAPTURE_FORWARD_H

#include "capture/capture.h"

typedef struct forward forward;

/* NULL: no memory. */
forward *forward_new(void);
void forward_free(forward *f);
/* To be called once for each PUBLISH with a topic. True: it is a message that was seen before on another connection, or
 * sent again (DUP). */
bool forward_is_known(forward *f, const capture_event *publish);

#endif
