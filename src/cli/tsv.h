/* Lines of time<TAB>topic<TAB>payload in hex, which spb decode reads. */
#ifndef SPB_CLI_TSV_H
#define SPB_CLI_TSV_H

#include <spb/payload.h>

#include "cli/out.h"

/* Writes one line. SPB_ERR_NAME: the topic has a line feed, so that what follows it would be taken for another line;
 * nothing was written. */
spb_status tsv_write(out *to, uint64_t time_ms, spb_str topic, spb_bytes payload, spb_error *err);

#endif
