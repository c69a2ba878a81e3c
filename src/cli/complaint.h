/* What is wrong in an input, on standard error. */
#ifndef SPB_CLI_COMPLAINT_H
#define SPB_CLI_COMPLAINT_H

#include <spb/value.h>

#include "cli/out.h"

/* "spb: FILE:LINE: text at byte N of the line": `of` says what the byte is counted in; line 0: none. Is flushed. */
void complain(out *to, const char *file, size_t line, const spb_error *err, const char *of);

#endif
