/* Filling an spb_error. */
#ifndef SPB_BASE_ERROR_H
#define SPB_BASE_ERROR_H

#include <spb/status.h>

#if defined(__GNUC__)
#define SPB_PRINTF(text, args) __attribute__((format(printf, text, args)))
#else
#define SPB_PRINTF(text, args)
#endif

/* Fills *err (NULL is fine) and returns `status`, so that a failing function can end with `return spb_error__set(…)`.
 * The text is escaped: names and the like from outside are handed in as they are. See base/escape.h. */
spb_status spb_error__set(spb_error *err, spb_status status, const char *format, ...) SPB_PRINTF(3, 4);
/* The same, with the byte offset in the input. */
spb_status spb_error__set_at(spb_error *err, spb_status status, size_t offset, const char *format, ...)
    SPB_PRINTF(4, 5);
/* "out of memory", with what it was wanted for. */
spb_status spb_error__no_memory(spb_error *err, const char *what);
/* SPB_ERR_SYSTEM, "no thread", with what it was wanted for and where the limit may be. */
spb_status spb_error__no_thread(spb_error *err, const char *what);

#endif
