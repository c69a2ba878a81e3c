/* Reading what can be read from a damaged file. */
#ifndef SPB_STORE_SALVAGE_H
#define SPB_STORE_SALVAGE_H

#include "base/ranges.h"

#include "store/blocks.h"
#include "store/database.h"

/* Who takes what was read. False: no more is wanted. */
typedef struct spb_salvage_sink {
    void *context;
    bool (*take)(void *context, const spb_block *block);
} spb_salvage_sink;

/* A table of blocks as it was known before, or as the file tells. */
typedef struct spb_salvage_table {
    int64_t number;
    uint64_t first_id, last_id; /* 1 … SPB_HEADS_LAST_ID_IN_FILE: not known */
    uint64_t samples;           /* that should be in it; 0: not known */
} spb_salvage_table;

typedef struct spb_salvage_tables {
    spb_salvage_table *items; /* in the order of their numbers */
    size_t count;
    size_t capacity;
} spb_salvage_tables;

/* Adds the tables of blocks that are in the damaged file, as its shape was read. */
bool spb_salvage__find_tables(spb_database *damaged, spb_salvage_tables *tables);
bool spb_salvage__add_table(spb_salvage_tables *tables, spb_salvage_table table);
/* Adds what that file knows to be gone of them. */
void spb_salvage__find_gone(spb_database *damaged, const spb_salvage_tables *tables, spb_ranges *gone);
/*
 * Reads the blocks of one table that are not gone, in the order of their ids, around what is damaged. Returns how many
 * samples are lost, as far as that can be known. *may_fail is how many attempts may still fail in all tables.
 */
uint64_t spb_salvage__table(spb_database *damaged, const spb_salvage_table *table, const spb_ranges *gone,
                            unsigned *may_fail, spb_salvage_sink sink);

#endif
