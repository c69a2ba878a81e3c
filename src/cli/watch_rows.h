/* The rows of `spb watch`: one for each metric of each node and device. */
#ifndef SPB_CLI_WATCH_ROWS_H
#define SPB_CLI_WATCH_ROWS_H

#include <stdbool.h>

#include <spb/value.h>

enum { WATCH_VALUE_SIZE = 96, WATCH_METRIC_SIZE = 256 };

/* All text is UTF-8 with a NUL, and can be shown: what a terminal would obey is escaped. */
typedef struct watch_row {
    const char *source; /* "group/node/device" */
    char *metric;
    char value[WATCH_VALUE_SIZE]; /* with its unit; cut if it is long */
    const char *quality;          /* "GOOD", "BAD", "STALE", or "" without the property */
    uint64_t time_ms;             /* when it came */
    bool is_stale;                /* of a node or device that is not online, or that may have changed since */
    size_t scope;                 /* births_number of its node or device */
    uint32_t hash, generation;    /* of the scope's birth that it was in last, or came after */
} watch_row;

typedef struct watch_rows {
    watch_row **items;
    size_t count, capacity;
    uint32_t *slots; /* number of a row + 1; 0: free */
    size_t slot_mask;
} watch_rows;

bool watch_rows_init(watch_rows *rows);
void watch_rows_clear(watch_rows *rows);
/* The row of a metric; *is_new: it was added. `source` is borrowed. NULL: no memory. */
watch_row *watch_rows_get(watch_rows *rows, size_t scope, const char *source, const char *metric, bool *is_new);
/* Those of a node or device that are not of that generation go. False: no memory for the index. */
bool watch_rows_drop(watch_rows *rows, size_t scope, uint32_t generation);

#endif
