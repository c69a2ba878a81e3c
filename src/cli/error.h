/* Filling an spb_error: the library's own helper is not public. */
#ifndef SPB_CLI_ERROR_H
#define SPB_CLI_ERROR_H

#include <spb/status.h>

void error_set(spb_error *err, spb_status status, size_t offset, const char *text);

#endif
