/*
 * Decides how a damaged file is read: forward until it fails, then the rest in halves, so that everything around the
 * damage is found. What becomes of it is left to damage.c.
 */
#include "store/salvage.h"

#include <stdlib.h>

#include "store/cursor.h"

#define MOST_FAILURES 20000   /* in one table: if its root is damaged, all attempts fail */
#define MOST_HALVES 80        /* that wait to be read: more than a number has bits */
#define MOST_SAMPLES 10000000 /* in one block; a damaged row tells any number */

/* ---- which tables there are ---- */

bool spb_salvage__add_table(spb_salvage_tables *tables, spb_salvage_table table) {
    size_t at = 0;
    while (at < tables->count && tables->items[at].number < table.number) {
        at++;
    }
    if (at < tables->count && tables->items[at].number == table.number) {
        return true;
    }
    spb_salvage_table *items = realloc(tables->items, (tables->count + 1) * sizeof *items);
    if (!items) {
        return false;
    }
    for (size_t i = tables->count; i > at; i--) {
        items[i] = items[i - 1];
    }
    items[at] = table;
    tables->items = items;
    tables->count++;
    return true;
}

/* Each row of a query, as far as it can be read. False: no memory. */
static bool each_row(spb_database *damaged, const char *sql, bool (*use)(void *context, sqlite3_stmt *row),
                     void *context) {
    sqlite3_stmt *row = NULL;
    bool has_row = true, has_memory = true;
    spb_status status = spb_database__prepare(damaged, &row, sql, NULL);
    while (status == SPB_OK && has_row && has_memory) {
        status = spb_database__step(damaged, row, &has_row, "read", NULL);
        if (status == SPB_OK && has_row) {
            has_memory = use(context, row);
        }
    }
    sqlite3_finalize(row);
    return has_memory && status != SPB_ERR_NO_MEMORY;
}

static bool add_from_segment(void *context, sqlite3_stmt *row) {
    sqlite3_int64 first = sqlite3_column_int64(row, 1), last = sqlite3_column_int64(row, 2);
    bool is_known = first > 0 && last >= first;
    sqlite3_int64 samples = is_known ? sqlite3_column_int64(row, 3) : 0;
    return spb_salvage__add_table(context, (spb_salvage_table){.number = sqlite3_column_int64(row, 0),
                                                               .first_id = is_known ? (uint64_t)first : 1,
                                                               .last_id = is_known ? (uint64_t)last : INT64_MAX,
                                                               .samples = samples > 0 ? (uint64_t)samples : 0});
}

static bool add_from_schema(void *context, sqlite3_stmt *row) {
    return spb_salvage__add_table(
        context, (spb_salvage_table){.number = sqlite3_column_int64(row, 0), .first_id = 1, .last_id = INT64_MAX});
}

bool spb_salvage__find_tables(spb_database *damaged, spb_salvage_tables *tables) {
    return each_row(damaged, "SELECT n, first_id, last_id, samples FROM segment ORDER BY n", add_from_segment,
                    tables) &&
           each_row(damaged,
                    "SELECT cast(substr(name, 7) AS INTEGER) FROM sqlite_schema"
                    " WHERE type = 'table' AND name GLOB 'block_[0-9]*'",
                    add_from_schema, tables);
}

static bool add_gone(void *context, sqlite3_stmt *row) {
    sqlite3_int64 first = sqlite3_column_int64(row, 0), last = sqlite3_column_int64(row, 1);
    return first < 0 || last < first || spb_ranges__add(context, (uint64_t)first, (uint64_t)last);
}

/* What is missed comes back, which is better than a loss. */
void spb_salvage__find_gone(spb_database *damaged, spb_ranges *gone) {
    each_row(damaged, "SELECT first_id, last_id FROM gone", add_gone, gone);
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
    unsigned failures;
    bool is_enough; /* the sink wants no more */
} reading;

static uint64_t plausible(sqlite3_int64 samples) {
    return samples > 0 && samples <= MOST_SAMPLES ? (uint64_t)samples : 0;
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
        uint64_t id = status == SPB_OK && has_row ? (uint64_t)sqlite3_column_int64(now->rows, 0) : 0;
        if (id != 0 && (id < *first_id || id > last_id)) {
            status = SPB_ERR_STORE; /* a damaged tree leads anywhere */
        } else if (id != 0) {
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
    while (count > 0 && !now->is_enough && now->failures < MOST_FAILURES) {
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
                            spb_salvage_sink sink) {
    reading now = {.damaged = damaged, .table = table, .gone = gone, .sink = sink};
    spb_status status =
        spb_database__prepare_with(damaged, &now.rows,
                                   "SELECT id, device, samples, first_ms, last_ms, boot, crc, metrics FROM block_%lld"
                                   " WHERE id BETWEEN ? AND ? ORDER BY id",
                                   table->number, NULL);
    if (status == SPB_OK) {
        status = spb_database__prepare_with(damaged, &now.samples, "SELECT samples FROM block_%lld WHERE id = ?",
                                            table->number, NULL);
    }
    if (status == SPB_OK) {
        read_around(&now);
    }
    sqlite3_finalize(now.rows);
    sqlite3_finalize(now.samples);
    uint64_t known = table->samples > now.sound_samples ? table->samples - now.sound_samples : 0;
    return known > now.bad_samples ? known : now.bad_samples;
}
