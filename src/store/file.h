/* The files of a store as files: made, opened by one process at a time, recognised, set aside. */
#ifndef SPB_STORE_FILE_H
#define SPB_STORE_FILE_H

#include "store/database.h"

/* Makes sure that there is a file, for its owner alone, that can be written. */
spb_status spb_file__create(const char *path, spb_error *err);
/* Makes the file. False: something is there, or it cannot be made; errno says which. */
bool spb_file__create_new(const char *path);
/* Opens it and locks it for this process until it is closed. `database` may be dirty; its path is borrowed. The
 * transaction in which the lock was taken is still open. SPB_ERR_STORE_BUSY also if another file took its place. */
spb_status spb_file__open(spb_database *database, const char *path, spb_error *err);
/* The same for a file that is not to be changed; no transaction is open. What it cannot lock, because it cannot be
 * written, is read without its log. */
spb_status spb_file__open_to_look(spb_database *database, const char *path, spb_error *err);
/* Ends that transaction and switches to write-ahead logging; the log file is kept from now on. */
spb_status spb_file__use_log(spb_database *database, spb_error *err);
/* Closes it. `as_it_is`: what is in the log stays there. */
void spb_file__close(spb_database *database, bool as_it_is);

/* Whether a file that cannot be opened as a database is, or was, a store: by its header, or by our marks in it. False
 * also if it cannot be read. */
bool spb_file__was_ours(const char *path);
/* Whether anything is there, and be it a symbolic link to nothing. */
bool spb_file__exists(const char *path);
/* path and suffix, from malloc; NULL: no memory. */
char *spb_file__name(const char *path, const char *suffix);
/* That in which it lies, likewise. */
char *spb_file__directory(const char *path);
/* What was renamed or made in its directory survives a power cut. */
void spb_file__sync_directory(const char *path);

#endif
