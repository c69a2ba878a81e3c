/* Text that came from outside, made fit for a log or a terminal. */
#ifndef SPB_BASE_ESCAPE_H
#define SPB_BASE_ESCAPE_H

#include <stdarg.h>

#include "base/error.h"
#include "base/utf8.h"

/* Room for the longest escape, "\U000e0001", without a NUL. */
#define SPB_ESCAPE_SIZE 10

/*
 * Escaped is what a terminal would obey, what would begin another line of a log, and what would mislead the reader:
 * control characters (C0, DEL, C1), line and paragraph separators, characters that are not seen or change the direction
 * of others (BOM, zero-width, bidi and other format characters, tags), and each byte that is not UTF-8. The escapes are
 * \n, \r, \t, \x1b, \u202e and \U000e0001. All else, the backslash too, stays as it is: text that was escaped once does
 * not change when it is escaped again.
 */

/* The next character as it is shown; *at < from.len moves behind it. A view of `from`, or an escape in `room`, each of
 * whose bytes is one column. `room` has SPB_ESCAPE_SIZE bytes; declared as an array of so many, gcc 11 for 32 bits
 * takes *at for it, and warns. */
spb_str spb_escape__next(spb_str from, size_t *at, char *room);
/* All of it, ended by NUL. What does not fit is cut off, never within a character or an escape. Returns the length. */
size_t spb_escape__text(char *to, size_t size, spb_str from);
/* The same for what printf would write; it may point into `to`. */
void spb_escape__format(char *to, size_t size, const char *format, va_list args) SPB_PRINTF(3, 0);

#endif
