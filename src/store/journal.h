/* The journal's functions of spb_store, for the file. */
#ifndef SPB_STORE_JOURNAL_H
#define SPB_STORE_JOURNAL_H

#include "store/sqlite.h"

spb_status spb_sqlite__append(spb_store *self, const spb_block *block, spb_error *err);
spb_status spb_sqlite__confirm(spb_store *self, uint64_t first_id, uint64_t last_id, spb_error *err);
spb_status spb_sqlite__commit(spb_store *self, spb_error *err);
spb_status spb_sqlite__read(spb_store *self, uint64_t from_id, spb_block *out, bool *found, spb_error *err);
spb_status spb_sqlite__expire(spb_store *self, uint64_t before_ms, spb_error *err);
spb_status spb_sqlite__keep(spb_store *self, uint64_t kept_for, uint64_t first_id, uint64_t last_id, spb_error *err);
spb_status spb_sqlite__save_clock(spb_store *self, uint64_t boot, int64_t offset_ms, spb_error *err);
void spb_sqlite__info(spb_store *self, spb_store_info *out);

#endif
