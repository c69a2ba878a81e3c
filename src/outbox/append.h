/* What store.c asks of append.c. */
#ifndef SPB_OUTBOX_APPEND_H
#define SPB_OUTBOX_APPEND_H

#include "outbox/outbox.h"

/* The next block for the journal; as the functions of outbox.h that return an action. */
bool spb_outbox__next_append(spb_outbox *outbox, spb_time now, spb_action *out);

#endif
