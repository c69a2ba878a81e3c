/* From a damaged file into a new one. */
#ifndef SPB_STORE_RESCUE_H
#define SPB_STORE_RESCUE_H

#include "store/salvage.h"
#include "store/sqlite.h"

/*
 * Brings what can be read of `damaged` into the store, which is new and empty. `tables` and `gone` are what was known
 * of it; what it tells itself is added. *lost grows by the samples that are lost, as far as that can be known. An error
 * is one of the new file.
 */
spb_status spb_rescue__all(spb_sqlite *store, spb_database *damaged, spb_salvage_tables *tables, spb_ranges *gone,
                           uint64_t *lost, spb_error *err);

#endif
