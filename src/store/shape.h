/* The tables of a store's file: as we make them, and as they are. Nothing else is read, and nothing else may be there:
 * a view, a trigger or an index of somebody else's would run inside of our statements. */
#ifndef SPB_STORE_SHAPE_H
#define SPB_STORE_SHAPE_H

#include "store/database.h"

enum {
    SPB_SHAPE_META = 1,
    SPB_SHAPE_IDENTITY = 2,
    SPB_SHAPE_ALIAS = 4,
    SPB_SHAPE_CLOCK = 8,
    SPB_SHAPE_SEGMENT = 16,
    SPB_SHAPE_GONE = 32,
    SPB_SHAPE_JOURNAL = 64,
    SPB_SHAPE_ABOUT = 128
};

/* Stands in each file, in the first page and in another one: by it a file with a damaged header is known as ours. */
#define SPB_SHAPE_MARK "libspb store"
/* The beginning of a table of version 1, which has no such mark. */
#define SPB_SHAPE_OLD_MARK "CREATE TABLE identity (id INTEGER PRIMARY KEY"

#define SPB_SHAPE_MOST_NUMBER (INT64_C(1) << 62) /* of a table of blocks */

/* Fills database->shape. */
spb_status spb_shape__read(spb_database *database, spb_error *err);
/* Whether it has all that a file of that version has, and nothing else. */
bool spb_shape__is_of_version(const spb_shape *shape, int version);
void spb_shape__clear(spb_shape *shape);

/* In a transaction: makes what that version added, but for the rows. */
spb_status spb_shape__create(spb_database *database, int version, spb_error *err);
spb_status spb_shape__create_blocks(spb_database *database, int64_t number, spb_error *err);

/* SPB_ERR_STORE, and noted as damage, unless that table is as we make it: before it is read in a file that may be
 * damaged. */
spb_status spb_shape__demand(spb_database *database, unsigned table, spb_error *err);

#endif
