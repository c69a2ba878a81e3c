/*
 * Decides how a damaged file is read: forward until it fails, then the rest in halves, so that everything around the
 * damage is found. What becomes of it is left to damage.c.
 */
#include "store/salvage.h"

#include <stdlib.h>
#include <string.h>

#include "store/cursor.h"
#include "store/heads.h"
#include "store/load.h"
#include "store/shape.h"

#define MOST_FAILURES 20000 /* in one table: if its root is damaged, all attempts fail */
#define MOST_HALVES 80      /* that wait to be read: more than a number has bits */
#define MOST_SAMPLES_IN_TABLE (INT64_C(1) << 26)

/* ---- which tables there are ---- */

static size_t find_table(const spb_salvage_tables *tables, int64_t number) {
    size_t low = 0, high = tables->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tables->items[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool spb_salvage__add_table(spb_salvage_tables *tables, spb_salvage_table table) {
    size_t at = find_table(tables, table.number);
    if (at < tables->count && tables->items[at].number == table.number) {
        return true;
    }
    if (tables->count == tables->capacity) {
        size_t capacity = tables->capacity ? tables->capacity * 2 : 16;
        spb_salvage_table *items = realloc(tables->items, capacity * sizeof *items);
        if (!items) {
            return false;
        }
        tables->items = items;
        tables->capacity = capacity;
    }
    memmove(&tables->items[at + 1], &tables->items[at], (tables->count - at) * sizeof *tables->items);
    tables->items[at] = table;
    tables->count++;
    return true;
}

/* Each row of a query, as far as it can be read, and as long as its first column grows. False: no memory. */
static bool each_row(spb_database *damaged, const char *sql, bool (*use)(void *context, sqlite3_stmt *row),
                     void *context) {
    sqlite3_stmt *row = NULL;
    bool has_row = true, has_memory = true;
    sqlite3_int64 before = 0;
    spb_status status = spb_database__prepare(damaged, &row, sql, NULL);
    while (status == SPB_OK && has_row && has_memory) {
        status = spb_database__step(damaged, row, &has_row, "read", NULL);
        if (status == SPB_OK && has_row && sqlite3_column_int64(row, 0) <= before) {
            break;
        }
        if (status == SPB_OK && has_row) {
            before = sqlite3_column_int64(row, 0);
            has_memory = use(context, row);
        }
    }
    sqlite3_finalize(row);
    return has_memory && status != SPB_ERR_NO_MEMORY;
}

static bool add_from_segment(void *context, sqlite3_stmt *row) {
    int64_t first = 0, last = 0, samples = 0;
    bool is_known = spb_database__integer(row, 1, 1, SPB_HEADS_LAST_ID_IN_FILE, &first) &&
                    spb_database__integer(row, 2, first, SPB_HEADS_LAST_ID_IN_FILE, &last) &&
                    spb_database__integer(row, 3, 0, MOST_SAMPLES_IN_TABLE, &samples);
    return spb_salvage__add_table(
        context, (spb_salvage_table){.number = sqlite3_column_int64(row, 0),
                                     .first_id = is_known ? (uint64_t)first : 1,
                                     .last_id = is_known ? (uint64_t)last : (uint64_t)SPB_HEADS_LAST_ID_IN_FILE,
                                     .samples = is_known ? (uint64_t)samples : 0});
}

static bool add_from_shape(const spb_shape *shape, spb_salvage_tables *tables) {
    bool has_memory = true;
    for (size_t i = 0; i < shape->blocks.count; i++) {
        spb_range numbers = spb_ranges__at(&shape->blocks, i);
        for (uint64_t number = numbers.first; has_memory && number <= numbers.last; number++) {
            has_memory = spb_salvage__add_table(
                tables, (spb_salvage_table){
                            .number = (int64_t)number, .first_id = 1, .last_id = (uint64_t)SPB_HEADS_LAST_ID_IN_FILE});
        }
    }
    return has_memory;
}

/* The id at that end of a table; 0: that cannot be read. */
static uint64_t id_at_end(spb_database *damaged, const char *sql, int64_t number) {
    sqlite3_stmt *row = NULL;
    bool has_row = false;
    int64_t id = 0;
    spb_status status = spb_database__prepare_with(damaged, &row, sql, number, NULL);
    if (status == SPB_OK && spb_database__step(damaged, row, &has_row, "read a block", NULL) == SPB_OK && has_row) {
        id = sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    return id > 0 && id <= SPB_HEADS_LAST_ID_IN_FILE ? (uint64_t)id : 0;
}

/* What is told of it, and what it has: the wider one of the two. */
static void find_ends(spb_database *damaged, spb_salvage_table *table) {
    bool is_known = table->last_id < (uint64_t)SPB_HEADS_LAST_ID_IN_FILE;
    uint64_t first_id = id_at_end(damaged, "SELECT min(id) FROM block_%lld NOT INDEXED", table->number);
    uint64_t last_id = id_at_end(damaged, "SELECT max(id) FROM block_%lld NOT INDEXED", table->number);
    if (first_id > 0 && (!is_known || first_id < table->first_id)) {
        table->first_id = first_id;
    }
    if (last_id > 0 && (!is_known || last_id > table->last_id)) {
        table->last_id = last_id;
    }
}

/* What the list of segments tells of a table comes before what the list of tables does. */
bool spb_salvage__find_tables(spb_database *damaged, spb_salvage_tables *tables) {
    bool has_memory = true;
    if (damaged->shape.tables & SPB_SHAPE_SEGMENT) {
        has_memory = each_row(damaged, "SELECT n, first_id, last_id, samples FROM segment NOT INDEXED ORDER BY n",
                              add_from_segment, tables);
    }
    has_memory = has_memory && add_from_shape(&damaged->shape, tables);
    for (size_t i = 0; i < tables->count; i++) {
        if (spb_ranges__contains(&damaged->shape.blocks, (uint64_t)tables->items[i].number)) {
            find_ends(damaged, &tables->items[i]);
        }
    }
    return has_memory;
}

typedef struct losses {
    spb_ranges *gone;
    int64_t highest; /* id that was ever given */
} losses;

static bool add_gone(void *context, sqlite3_stmt *row) {
    losses *self = context;
    int64_t first, last;
    bool is_range = spb_database__integer(row, 0, 1, self->highest, &first) &&
                    spb_database__integer(row, 1, first, self->highest, &last);
    return !is_range || spb_ranges__add(self->gone, (uint64_t)first, (uint64_t)last);
}

/* What is missed comes back, which is better than a loss; so does what a range tells that cannot be. */
void spb_salvage__find_gone(spb_database *damaged, const spb_salvage_tables *tables, spb_ranges *gone) {
    losses all = {.gone = gone};
    spb_load__last_id(damaged, &all.highest, NULL);
    for (size_t i = 0; i < tables->count; i++) {
        uint64_t last_id = tables->items[i].last_id;
        all.highest = last_id > (uint64_t)all.highest ? (int64_t)last_id : all.highest;
    }
    if (damaged->shape.tables & SPB_SHAPE_GONE) {
        each_row(damaged, "SELECT first_id, last_id FROM gone NOT INDEXED ORDER BY first_id", add_gone, &all);
    }
}

/* ---- one table ---- */

typedef struct reading {
    spb_database *damaged;
    const spb_salvage_table *table;
    const spb_ranges *gone;
    spb_salvage_sink sink;
    sqlite3_stmt *rows, *samples;
    uint64_t sound_samples; /* read and not damaged, gone or not */
    uint64_t bad_samples;   /* of rows that are damaged */
    unsigned failures, may_fail;
    bool is_enough; /* the sink wants no more */
} reading;

static uint64_t plausible(sqlite3_int64 samples) {
    return samples > 0 && samples <= SPB_HEADS_MOST_SAMPLES ? (uint64_t)samples : 0;
}

static void use_row(reading *now) {
    spb_block block;
    bool is_sound = false;
    if (spb_cursor__block(now->damaged, now->rows, &block, &is_sound, NULL) != SPB_OK) {
        now->is_enough = true; /* no memory */
    } else if (!is_sound) {
        now->bad_samples += plausible(sqlite3_column_int64(now->rows, 2));
    } else {
        now->sound_samples += block.samples;
        now->is_enough = !spb_ranges__contains(now->gone, block.id) && !now->sink.take(now->sink.context, &block);
    }
}

/* Rows first_id … last_id until one cannot be read. True: they could all be; else *first_id is behind the last one. */
static bool read_forward(reading *now, uint64_t *first_id, uint64_t last_id) {
    bool has_row = true;
    spb_status status = SPB_OK;
    sqlite3_bind_int64(now->rows, 1, (sqlite3_int64)*first_id);
    sqlite3_bind_int64(now->rows, 2, (sqlite3_int64)last_id);
    while (status == SPB_OK && has_row && !now->is_enough) {
        status = spb_database__step(now->damaged, now->rows, &has_row, "read a block", NULL);
        if (status != SPB_OK || !has_row) {
            break;
        }
        uint64_t id = (uint64_t)sqlite3_column_int64(now->rows, 0);
        if (id < *first_id || id > last_id) {
            status = SPB_ERR_STORE; /* a damaged tree leads anywhere */
        } else {
            use_row(now);
            *first_id = id + 1;
        }
    }
    sqlite3_reset(now->rows);
    return status == SPB_OK;
}

/* A single row that cannot be read: perhaps its head can. */
static void count_lost(reading *now, uint64_t id) {
    bool has_row = false;
    sqlite3_bind_int64(now->samples, 1, (sqlite3_int64)id);
    if (spb_database__step(now->damaged, now->samples, &has_row, "read a block", NULL) == SPB_OK && has_row) {
        now->bad_samples += plausible(sqlite3_column_int64(now->samples, 0));
    }
    sqlite3_reset(now->samples);
}

/* The halves that are still to be read lie on a stack, the lower ids on top. */
static void read_around(reading *now) {
    spb_range halves[MOST_HALVES];
    size_t count = 0;
    halves[count++] = (spb_range){.first = now->table->first_id, .last = now->table->last_id};
    while (count > 0 && !now->is_enough && now->failures < now->may_fail) {
        spb_range range = halves[--count];
        if (read_forward(now, &range.first, range.last) || range.first > range.last) {
            continue;
        }
        now->failures++;
        if (range.first == range.last) {
            count_lost(now, range.first);
        } else if (count + 2 <= MOST_HALVES) {
            uint64_t middle = range.first + (range.last - range.first) / 2;
            halves[count++] = (spb_range){.first = middle + 1, .last = range.last};
            halves[count++] = (spb_range){.first = range.first, .last = middle};
        }
    }
}

uint64_t spb_salvage__table(spb_database *damaged, const spb_salvage_table *table, const spb_ranges *gone,
                            unsigned *may_fail, spb_salvage_sink sink) {
    reading now = {.damaged = damaged, .table = table, .gone = gone, .sink = sink};
    now.may_fail = *may_fail < MOST_FAILURES ? *may_fail : MOST_FAILURES;
    bool is_ours = spb_ranges__contains(&damaged->shape.blocks, (uint64_t)table->number);
    spb_status status = is_ours ? SPB_OK : SPB_ERR_STORE;
    if (status == SPB_OK) {
        status = spb_database__prepare_with(damaged, &now.rows,
                                            "SELECT id, device, samples, first_ms, last_ms, boot, crc, metrics"
                                            " FROM block_%lld NOT INDEXED WHERE id BETWEEN ? AND ? ORDER BY id",
                                            table->number, NULL);
    }
    if (status == SPB_OK) {
        status = spb_database__prepare_with(
            damaged, &now.samples, "SELECT samples FROM block_%lld NOT INDEXED WHERE id = ?", table->number, NULL);
    }
    if (status == SPB_OK) {
        read_around(&now);
    }
    *may_fail -= now.failures;
    sqlite3_finalize(now.rows);
    sqlite3_finalize(now.samples);
    uint64_t known = table->samples > now.sound_samples ? table->samples - now.sound_samples : 0;
    return known > now.bad_samples ? known : now.bad_samples;
}
