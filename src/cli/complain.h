/* Lines on standard error. */
#ifndef SPB_CLI_COMPLAIN_H
#define SPB_CLI_COMPLAIN_H

#include "base/error.h"

/*
 * Writes "spb: " and the text as one line, in one call, so that lines of several threads do not mix. The text is
 * escaped (base/escape.h), as names of files, texts of servers and the like may have a part in it; lines of any length
 * that a command line leads to fit.
 */
void complain(const char *format, ...) SPB_PRINTF(1, 2);

#endif
