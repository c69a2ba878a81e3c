/* A journal as a capture: time<TAB>topic<TAB>payload in hex, one data message a line, which input.c reads. Names and
 * datatypes stand in each message, so that it can be read without births. */
#ifndef SPB_CLI_JOURNAL_TSV_H
#define SPB_CLI_JOURNAL_TSV_H

#include "cli/journal.h"
#include "cli/out.h"

/* The block at hand. Its message is changed by that. SPB_ERR_TYPE, SPB_ERR_NO_MEMORY …: nothing was written. */
spb_status journal_write_tsv(out *to, journal *from, spb_error *err);

#endif
