/* The file that is made in place of a damaged one: <path>.repair, until all of it is there. */
#ifndef SPB_STORE_REPAIR_H
#define SPB_STORE_REPAIR_H

#include "store/sqlite.h"

/* What became of the samples of the damaged file. */
typedef struct spb_repair_account {
    uint64_t salvaged, lost;
} spb_repair_account;

/*
 * Makes an empty file beside `path`, and tells its name, which is from malloc. What an earlier run did not finish is
 * removed, if that can be told by what is in it; anything else that has such a name stays, and another name is taken.
 */
spb_status spb_repair__begin(char **name, const spb_sqlite *store, const char *path, spb_error *err);
/* In the transaction that makes its tables: it is not finished. */
spb_status spb_repair__mark(spb_database *database, spb_error *err);
/* All is in it that could be read of the file `path`: brings that safely to the disk, and closes it. */
spb_status spb_repair__finish(spb_database *repair, const char *path, spb_repair_account account, spb_error *err);
/* Removes one that was begun and cannot be finished. */
void spb_repair__remove(const char *name);

/*
 * Puts a finished one in the place of `path`, which is set aside as <path>.corrupt-<time> with its log; *aside, from
 * malloc, is that name, or NULL if there was no such file. A power cut leaves the one file or the other at `path`, or a
 * finished repair that spb_repair__resume takes.
 */
spb_status spb_repair__put_in_place(const char *name, const char *path, char **aside, spb_error *err);
/*
 * Puts one in place that an earlier run finished for the very file that is at `path`, and that is newer; others are
 * left alone. *is_done tells whether there was one.
 */
spb_status spb_repair__resume(const spb_sqlite *store, bool *is_done, spb_repair_account *account, char **aside,
                              spb_error *err);
/* In the transaction that opens it as a store: it is one like any other. */
spb_status spb_repair__forget(spb_database *database, spb_error *err);

#endif
