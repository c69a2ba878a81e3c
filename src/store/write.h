/* Bringing what is in memory into the file. */
#ifndef SPB_STORE_WRITE_H
#define SPB_STORE_WRITE_H

#include "store/sqlite.h"

/*
 * Writes all that the file does not know yet, in as few transactions as the log has room for. On failure, what was not
 * written stays as it was, for the next time.
 */
spb_status spb_write__all(spb_sqlite *store, spb_error *err);
/* Whether there is anything to write. */
bool spb_write__is_due(const spb_sqlite *store);

#endif
