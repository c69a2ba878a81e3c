/* What becomes of a damaged file. */
#ifndef SPB_STORE_DAMAGE_H
#define SPB_STORE_DAMAGE_H

#include "base/error.h"

#include "store/sqlite.h"

/* Before the file is used: opens it if it is closed; if it is known to be damaged, another one takes its place (see
 * mend). */
spb_status spb_damage__ready(spb_sqlite *store, spb_error *err);
/* After a failure: true if damage was the reason and there is a new file now, so that it is worth another attempt. */
bool spb_damage__is_mended(spb_sqlite *store, spb_error *err);
/*
 * Makes a new file with what can be read of the damaged one: what is gone, by the knowledge of this process, is left
 * out. It takes the place of that file, which is set aside as <path>.corrupt-<time>. What waits in memory still waits.
 * `why` is for people. On failure the damaged file stays where it is, and the store is without a file until the next
 * attempt.
 */
spb_status spb_damage__mend(spb_sqlite *store, const char *why, spb_error *err);
/* The highest id behind from_id that cannot be read, at least from_id: one can go on behind it. */
uint64_t spb_damage__skip(spb_sqlite *store, uint64_t from_id);
/* For spb_store_info.damage: takes the place of what stood there. */
void spb_damage__note(spb_sqlite *store, const char *format, ...) SPB_PRINTF(2, 3);

#endif
