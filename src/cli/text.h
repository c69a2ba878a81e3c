/*
 * A message as text for people: a line with time, source, kind and seq; metrics of data behind it as long as they are
 * few and short, else below it, one a line.
 */
#ifndef SPB_CLI_TEXT_H
#define SPB_CLI_TEXT_H

#include "cli/message.h"
#include "cli/text_value.h"

typedef struct text_state {
    text to;
    uint64_t day;        /* of the last time shown, since 1970; UINT64_MAX: none yet */
    size_t source_width; /* of the widest source so far, within reason */
} text_state;

void text_init(text_state *state, out *to, bool use_colour);
void text_message(text_state *state, const message *m);

#endif
