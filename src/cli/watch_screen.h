/* The table of `spb watch` on a terminal: which rows, in which order, where; and what keys do. */
#ifndef SPB_CLI_WATCH_SCREEN_H
#define SPB_CLI_WATCH_SCREEN_H

#include "cli/terminal.h"
#include "cli/watch_table.h"

typedef enum watch_sort { SORT_NAME, SORT_AGE, SORT_QUALITY, SORT_COUNT } watch_sort;

typedef struct watch_screen {
    size_t rows, columns; /* of the terminal */
    watch_sort sort;
    char filter[64];         /* rows that have it in source or metric, in any case; "": all */
    bool is_editing;         /* the filter */
    size_t top;              /* the first row that is shown */
    const watch_row **order; /* those that pass the filter, sorted */
    size_t count, capacity;
} watch_screen;

/* What stands above the table. */
typedef struct watch_status {
    const char *server;
    bool is_online;
    const char *reason; /* why it is not; "": not yet */
} watch_status;

void watch_screen_clear(watch_screen *s);
/* False: no memory. */
bool watch_screen_draw(watch_screen *s, const watch_table *t, const watch_status *status, uint64_t now_ms, out *to);
/* `c`: the character of KEY_TEXT. False: it is enough. */
bool watch_screen_key(watch_screen *s, terminal_key key, char c);

#endif
