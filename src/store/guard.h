/* What a connection does not do, whatever stands in the file: any program may have written it. */
#ifndef SPB_STORE_GUARD_H
#define SPB_STORE_GUARD_H

#include "store/database.h"

/* More than a block that a store takes, see spb_cost__can_hold. */
#define SPB_GUARD_MOST_ROW_BYTES (18 << 20)

/* Before the file is touched. Triggers and views are off, nothing in the file makes SQLite call a function, lengths are
 * limited, and a call of spb_database__… ends with SQLITE_INTERRUPT when it takes too much effort. */
spb_status spb_guard__set_up(spb_database *database, spb_error *err);
/* The most effort of a call from now on: little until the list of tables was looked at, which could be endless. */
void spb_guard__allow_effort(spb_database *database, bool is_recognised);

#endif
