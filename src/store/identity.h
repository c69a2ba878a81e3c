/* What a store knows of its edge node besides samples: bdSeq, aliases, clocks. */
#ifndef SPB_STORE_IDENTITY_H
#define SPB_STORE_IDENTITY_H

#include "store/sqlite.h"

/* Of spb_store. */
spb_status spb_identity__load_bdseq(spb_database *database, uint8_t *bdseq, bool *found, spb_error *err);
spb_status spb_identity__save_bdseq(spb_sqlite *store, uint8_t bdseq, spb_error *err);
/* Hands out those that can be read. *damaged, which may be NULL, is how many cannot; then SPB_OK. */
spb_status spb_identity__load_aliases(spb_database *database, void (*each)(void *context, const spb_alias *alias),
                                      void *context, uint64_t *damaged, spb_error *err);
/* How many cannot be read. */
spb_status spb_identity__count_aliases(spb_database *database, uint64_t *damaged);
spb_status spb_identity__save_aliases(spb_sqlite *store, const spb_alias *items, size_t count, spb_error *err);

/* The clocks of the file; those that are damaged are left out and told as for aliases. */
spb_status spb_identity__load_clocks(spb_database *database, spb_boots *boots, uint64_t *damaged, spb_error *err);
/* In a transaction: those that the file does not have. */
spb_status spb_identity__write_clocks(spb_sqlite *store, spb_error *err);
/* What is kept, unless this process knows better. */
spb_status spb_identity__load_kept(spb_sqlite *store, spb_error *err);
/* In a transaction. */
spb_status spb_identity__write_kept(spb_sqlite *store, spb_error *err);
/* Reads all of it to see whether it can be read. */
spb_status spb_identity__check(spb_database *database, spb_error *err);

#endif
