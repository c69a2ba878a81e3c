/* The blocks of a table without their metrics: counted, and checked. */
#ifndef SPB_STORE_HEADS_H
#define SPB_STORE_HEADS_H

#include "store/blocks.h"
#include "store/database.h"

/*
 * The highest id of a block that is taken; that one may have in a file that is opened; that a file may tell as the last
 * one. Each leaves room behind it, as whoever believed a file that its ids are used up could store nothing more. With a
 * million blocks a second, the last one is reached in a thousand years.
 */
#define SPB_HEADS_LAST_ID (INT64_C(1) << 57)
#define SPB_HEADS_LAST_ID_IN_FILE (INT64_C(1) << 56)
#define SPB_HEADS_LAST_ID_TOLD (INT64_C(1) << 55)
#define SPB_HEADS_MOST_SAMPLES INT64_C(10000000) /* in one block */

typedef struct spb_head {
    uint64_t id;
    uint64_t samples;
    uint64_t bytes; /* of its metrics */
    uint64_t boot, first_ms, last_ms;
} spb_head;

typedef struct spb_heads {
    spb_database *database;
    sqlite3_stmt *rows;
    uint64_t before; /* the id of the last one */
} spb_heads;

/* On failure, too, it may be closed. */
spb_status spb_heads__open(spb_heads *heads, spb_database *database, int64_t number, spb_error *err);
/* The next ones are those with ids first_id … last_id. */
void spb_heads__seek(spb_heads *heads, uint64_t first_id, uint64_t last_id);
/* The next one, in the order of the ids. *found is false at the end. SPB_ERR_STORE, and noted as damage: what stands
 * there cannot be. */
spb_status spb_heads__next(spb_heads *heads, spb_head *out, bool *found, spb_error *err);
void spb_heads__close(spb_heads *heads);

/* The sums of those with ids first_id … last_id. */
spb_status spb_heads__count(spb_heads *heads, uint64_t first_id, uint64_t last_id, spb_amount *out, spb_error *err);
/*
 * Whether that table, which another process wrote, is sound enough to be dropped: SQLite frees its pages then, calls
 * itself for each level of the tree, and believes what leads from page to page. *out is what is in it.
 */
spb_status spb_heads__check(spb_database *database, int64_t number, spb_amount *out, spb_error *err);

#endif
