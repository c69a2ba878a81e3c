/* The segments of the journal: their tables, and what is known of them. */
#ifndef SPB_STORE_SEGMENTS_H
#define SPB_STORE_SEGMENTS_H

#include "store/heads.h"
#include "store/sqlite.h"

void spb_segments__clear(spb_sqlite *store);
/* Behind all others. NULL: no memory. */
spb_store_segment *spb_segments__add(spb_sqlite *store, spb_store_segment segment);

/* The first one that is not dropped; NULL: there is none. */
spb_store_segment *spb_segments__oldest(spb_sqlite *store);
/* The first one that is not dropped and has ids ≥ from_id. */
spb_store_segment *spb_segments__find(spb_sqlite *store, uint64_t from_id);
/* The highest id that is in a table; 0: none is. */
uint64_t spb_segments__last_id(const spb_sqlite *store);
/* The one that takes the next block; NULL: no memory. */
spb_store_segment *spb_segments__open(spb_sqlite *store, uint64_t first_id);
/* The sums of what is not gone in all of them. */
spb_amount spb_segments__present(const spb_sqlite *store);
/* The samples of the blocks in tables with those ids, none of which is gone, as far as they can be read. */
uint64_t spb_segments__count(spb_sqlite *store, const spb_ranges *ids);

/* Fills segment->present: what of it is not gone. */
spb_status spb_segments__count_present(spb_sqlite *store, spb_store_segment *segment, spb_error *err);
/* The later one of newest_ms and the newest time of that block. */
uint64_t spb_segments__later(const spb_sqlite *store, uint64_t newest_ms, const spb_head *head);
/* Takes first_id … last_id, none of which is gone, out of the sums: they are about to be. */
void spb_segments__take_out(spb_sqlite *store, uint64_t first_id, uint64_t last_id);
/* Whether it is complete, and all its blocks are gone. By its sums; if those are of the file, it is looked at first: if
 * they are wrong, false, and noted as damage. */
bool spb_segments__is_empty(spb_sqlite *store, spb_store_segment *segment);
/* All of it is gone from now on; what was left in it. False: no memory, and nothing changed. */
bool spb_segments__drop(spb_sqlite *store, spb_store_segment *segment, spb_amount *left);
/* The newest time of its blocks in wall time; UINT64_MAX: not known. */
uint64_t spb_segments__newest(spb_sqlite *store, spb_store_segment *segment);

/* In a transaction: makes its table; fills its row when it is complete; drops its table and its row. */
spb_status spb_segments__make_table(spb_sqlite *store, const spb_store_segment *segment, spb_error *err);
spb_status spb_segments__complete(spb_sqlite *store, const spb_store_segment *segment, spb_error *err);
spb_status spb_segments__drop_table(spb_sqlite *store, const spb_store_segment *segment, spb_error *err);
/* After it: those whose tables were dropped are forgotten. */
void spb_segments__forget(spb_sqlite *store, int64_t number);

#endif
