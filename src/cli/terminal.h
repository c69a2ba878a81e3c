/*
 * A terminal that shows a screen of its own. ECMA-48 sequences, which every terminal of today knows, and no library:
 * the table needs six of them, and ncurses would bring its database to each gateway.
 */
#ifndef SPB_CLI_TERMINAL_H
#define SPB_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/out.h"

/* Keys come one by one from now on, unseen, Ctrl-C among them; the other screen is shown, without a cursor. False: this
 * is no terminal. */
bool terminal_enter(out *to);
/* As it was before. Fine if it was never entered. */
void terminal_leave(out *to);
void terminal_size(size_t *rows, size_t *columns);

/* What is written next. */
void terminal_home(out *to);
/* Ends a line: the rest of it is blank. The last one of the screen has no next one. */
void terminal_end_line(out *to, bool is_last);

typedef enum terminal_key {
    KEY_NONE, /* not (yet) a key */
    KEY_TEXT, /* a character: the byte itself, or the beginning of one in UTF-8 */
    KEY_ENTER,
    KEY_ESCAPE,
    KEY_BACKSPACE,
    KEY_UP,
    KEY_DOWN,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_INTERRUPT /* Ctrl-C */
} terminal_key;

/* The first key of what was read, and how many bytes it has. A lone ESC at the end counts as that key. */
terminal_key terminal_read_key(const char *bytes, size_t len, size_t *used);

#endif
