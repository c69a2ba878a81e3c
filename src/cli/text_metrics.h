/* The metrics of a message as text for people: behind its line as long as they are few and short, else below it. */
#ifndef SPB_CLI_TEXT_METRICS_H
#define SPB_CLI_TEXT_METRICS_H

#include "cli/message.h"
#include "cli/text_value.h"

bool text_metrics_fit_inline(const message *m);
void text_metrics_inline(const text *t, const message *m);
/* One a line. */
void text_metrics_below(const text *t, const message *m, bool is_birth);

#endif
