/* Where a store's file lies: what is used there, what is refused, and what is worth a warning. */
#ifndef SPB_STORE_TRUST_H
#define SPB_STORE_TRUST_H

#include <stdbool.h>

#include <spb/status.h>

/*
 * The path of the file itself, from malloc: if `path` is a symbolic link, that of what it leads to, as the other files
 * of the store lie beside that. *warning, whose status stays as it is, gets a text if the path is such a link, or
 * others could change or read the file, or put another one in its place; for `is_to_write` also if it belongs to
 * another user.
 */
spb_status spb_trust__resolve(char **out, const char *path, bool is_to_write, spb_error *warning, spb_error *err);

/*
 * Before SQLite opens `path`: it is a regular file, or none. So are those that SQLite looks for beside it, which it
 * would believe: each belongs to this user or to the owner of the file itself, and has no other name. SPB_ERR_STORE.
 */
spb_status spb_trust__check(const char *path, spb_error *err);

/* Whether that is a regular file of this user alone, which nobody else can write and which has no other name. */
bool spb_trust__is_private(const char *path);

#endif
