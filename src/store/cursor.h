/* Reading blocks from the tables. */
#ifndef SPB_STORE_CURSOR_H
#define SPB_STORE_CURSOR_H

#include "store/sqlite.h"

/*
 * The first row of that segment with an id ≥ from_id, as it is: it may be gone, or damaged (see is_sound). *out is
 * borrowed until the cursor is used, or put to rest. *found is false if there is none.
 */
spb_status spb_cursor__read(spb_sqlite *store, const spb_store_segment *segment, uint64_t from_id, spb_block *out,
                            bool *found, bool *is_sound, spb_error *err);
/* Before anything else happens with the database: the row that was handed out is given up. */
void spb_cursor__rest(spb_sqlite *store);
void spb_cursor__close(spb_sqlite *store);

/* One row of a table of blocks, whose columns are id, device, samples, first_ms, last_ms, boot, crc, metrics. */
spb_status spb_cursor__block(spb_database *database, sqlite3_stmt *row, spb_block *out, bool *is_sound, spb_error *err);

#endif
