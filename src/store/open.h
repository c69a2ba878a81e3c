/* From a path to a file that is ready for use. */
#ifndef SPB_STORE_OPEN_H
#define SPB_STORE_OPEN_H

#include "store/sqlite.h"

/*
 * Opens the file, or makes it, and reads what must be in memory. On failure it is closed again;
 * store->database.is_damaged tells whether it is a store of this edge node that is damaged.
 */
spb_status spb_open__file(spb_sqlite *store, spb_error *err);
/* The same to look into it: nothing is written. What is damaged is noted, and left out. */
spb_status spb_open__to_look(spb_sqlite *store, spb_error *err);

#endif
