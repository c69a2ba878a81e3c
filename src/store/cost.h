/* How many pages a change costs. */
#ifndef SPB_STORE_COST_H
#define SPB_STORE_COST_H

#include "store/sqlite.h"

#define SPB_COST_BASE_PAGES 6     /* any transaction: the first one, the list of tables, the last page of each table */
#define SPB_COST_TABLE_PAGES 3    /* to begin a segment */
#define SPB_COST_ROWS_IN_PAGE 100 /* of the ids that are gone, at least */
#define SPB_COST_BLOCK_HEAD_BYTES 64 /* of a row, beside its texts, at most */

/* In bytes of pages. */
uint64_t spb_cost__block_bytes(const spb_sqlite *store, const spb_block *block);
/* To drop the table of a segment. */
uint64_t spb_cost__drop_pages(const spb_sqlite *store, const spb_store_segment *segment);
/* For all that waits to be written, but not more than the log can have. */
uint64_t spb_cost__wanted_pages(const spb_sqlite *store);
/* Whether a block can be taken at all, alone in the file. */
bool spb_cost__can_hold(const spb_sqlite *store, const spb_block *block);
/* Whether it finds room without dropping others, behind all that waits. */
bool spb_cost__has_room(spb_sqlite *store, const spb_block *block);

#endif
