/* Numbers as text: exact, and for binary fractions the shortest decimal that reads back as the same number. */
#ifndef SPB_CLI_NUMBER_H
#define SPB_CLI_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Room that any number needs. Nothing is terminated with NUL; the length is returned. */
enum { NUMBER_SIZE = 32 };

size_t number_u64(char *text, uint64_t number);
size_t number_i64(char *text, int64_t number);
/* As JSON writes them: 21.6, -0, 1e+300; not finite: NaN, Infinity, -Infinity, which JSON knows only as strings. */
size_t number_double(char *text, double number);
size_t number_float(char *text, float number);
/* A UTC instant: 2026-11-22T14:03:07.214Z. After the year 9999 it is the plain number of milliseconds. */
size_t number_datetime(char *text, uint64_t unix_ms);
/* The places of its parts in the text above; only when the instant has that form. */
enum { NUMBER_DATE_LEN = 10, NUMBER_TIME_AT = 11, NUMBER_TIME_LEN = 12, NUMBER_DATETIME_LEN = 24 };

#endif
