/* The checker with what it is given and what it has found: events of captures, lines of text and a live server become
 * those of check/check.h. */
#ifndef SPB_CLI_CHECKER_H
#define SPB_CLI_CHECKER_H

#include "check/check.h"
#include "cli/feed.h"
#include "cli/findings.h"
#include "cli/live.h"

typedef struct checker {
    check *rules;
    findings *found;
    report *to; /* of what cannot be read */
    uint64_t messages;
    uint64_t last_ms;
} checker;

/* False: no memory. */
bool checker_init(checker *k, report *to, out *shown, bool as_json, bool all, bool use_colour);
void checker_clear(checker *k);
/* Every event of a capture: for feed_options.on_event. */
void checker_capture_event(void *k, const capture_event *from);
/* For feed_next: a line of text. What is out of a capture was seen as its event. */
void checker_record(void *k, const feed_record *record);
/* LIVE_MESSAGE, LIVE_OFFLINE and LIVE_MISSED of a server. */
void checker_live_event(checker *k, const live_event *event);
/* What should have come by now is missing; then the summary. */
void checker_end(checker *k, uint64_t now_ms);

#endif
