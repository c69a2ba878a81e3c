/* What `spb check` finds, as it is shown: each finding, and a summary. */
#ifndef SPB_CLI_FINDINGS_H
#define SPB_CLI_FINDINGS_H

#include "check/check.h"
#include "cli/text_value.h"

typedef struct findings findings;

/* With `all`, each finding is shown; else the first three of each rule. JSON has all of them. NULL: no memory. */
findings *findings_new(out *to, bool as_json, bool all, bool use_colour);
/* What `number` of a finding counts: "packet", "line"; "message" unless it is said. */
void findings_set_counted(findings *f, const char *counted);
void findings_free(findings *f);
/* Shows one: a check_finding_fn, with `findings` as its user. */
void findings_add(const check_finding *finding, void *user);
/* Which rules were broken, how often and where first; `messages` were looked at. */
void findings_summary(findings *f, uint64_t messages);
/* How many there were. */
uint64_t findings_count(const findings *f);

#endif
