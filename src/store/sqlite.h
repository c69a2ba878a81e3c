/* The store in a SQLite file, as its parts see it. Each part has functions of its own prefix in a header of its name.
 */
#ifndef SPB_STORE_SQLITE_H
#define SPB_STORE_SQLITE_H

#include "base/ranges.h"

#include "store/blocks.h"
#include "store/boots.h"
#include "store/database.h"
#include "store/kept.h"
#include "store/room.h"

/* Blocks that came one after the other, in a table of their own. */
typedef struct spb_store_segment {
    int64_t number; /* of its table */
    uint64_t first_id, last_id;
    spb_amount total;   /* what is in the table */
    spb_amount present; /* of those, what is not gone */
    uint64_t newest_ms; /* the largest timestamp; UINT64_MAX: of a clock that was not set */
    bool is_made;       /* the table is there */
    bool is_unchecked;  /* another process wrote it, and what the file tells of it may be wrong */
    bool is_complete;   /* takes no more, and the sums are in the file */
    bool is_dropped;    /* all of it is gone; the table goes with the next commit */
    bool is_stale;      /* the disk failed while `present` was to be counted */
} spb_store_segment;

typedef struct spb_store_segments {
    spb_store_segment *items; /* in the order of their ids, which do not overlap */
    size_t count;
    size_t capacity;
} spb_store_segments;

/* Where the last read stands: its statement holds the row that was handed out. */
typedef struct spb_cursor {
    sqlite3_stmt *statement;
    int64_t number; /* of the table that it is for */
    uint64_t id;    /* of its row; 0: it stands nowhere */
} spb_cursor;

typedef struct spb_sqlite {
    spb_store base; /* first: a pointer to it is a pointer to the whole */
    char *path;
    char *group_id, *node_id; /* read-only: NULL */
    char *owner;              /* read-only: "group/node" */
    spb_store_options options;
    bool is_read_only;
    bool is_repair;    /* the path is that of a repair, for the moment (see damage.c) */
    spb_error warning; /* its text: who else can read or change the file; "": nobody */

    spb_database database; /* closed: the file was damaged, and could not be made anew yet */
    spb_room room;
    spb_cursor cursor;

    spb_store_segments segments; /* what is in the file */
    spb_blocks waiting;          /* what was appended since the last commit */
    spb_ranges gone;             /* ids that are not read any more, though they are in a table */
    spb_ranges fresh;            /* those of them that the file does not know yet */
    spb_boots boots;
    spb_kept kept;
    uint64_t kept_samples; /* when the file was opened */
    uint64_t last_id;
    spb_block
        oldest; /* without its texts: the first block that is not gone, when it was last looked for; id 0: never */
    uint64_t failing_id;
    unsigned failures; /* of the disk, one after the other, to read this one */

    uint64_t written_before; /* by connections that were closed */
    uint64_t dropped_full, dropped_age, dropped_damage, salvaged;
    char damage[512]; /* "": none */
} spb_sqlite;

/* SPB_ERR_STATE for a function that would change a file which is only looked into. */
spb_status spb_sqlite__only_to_look(const spb_sqlite *store, spb_error *err);

#endif
