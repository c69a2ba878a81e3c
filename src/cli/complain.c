/* Decides how a line on standard error looks. What is worth one is left to the commands. */
#include "cli/complain.h"

#include <stdio.h>

#include "base/escape.h"

enum { MAX_TEXT = 8192 };

void complain(const char *format, ...) {
    char raw[MAX_TEXT], line[2 * MAX_TEXT];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    (void)spb_escape__text(line, sizeof line, spb_str_from(raw));
    (void)fprintf(stderr, "spb: %s\n", line);
}
