/* What the file tells of the journal, when it is opened. */
#ifndef SPB_STORE_LOAD_H
#define SPB_STORE_LOAD_H

#include "store/sqlite.h"

/* Reads the segments, the ids that are gone, and the last one. Who only looks into the file gets what can be true of
 * it.
 */
spb_status spb_load__segments(spb_sqlite *store, spb_error *err);
/* The highest id that ever was; SPB_ERR_STORE, and noted as damage: it is none. Then *out is 0. */
spb_status spb_load__last_id(spb_database *database, int64_t *out, spb_error *err);

#endif
