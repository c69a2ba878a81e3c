/* Whether a block of a journal is true to what is said of it. */
#ifndef SPB_CLI_JOURNAL_CHECK_H
#define SPB_CLI_JOURNAL_CHECK_H

#include "cli/journal.h"

typedef void (*journal_report)(void *context, uint64_t block_id, const char *what);

/* Reports each thing that is wrong in the block at hand. */
void journal_check(const journal *from, const journal_block *found, journal_report report, void *context);

#endif
