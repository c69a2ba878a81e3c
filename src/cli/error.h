/* Filling an spb_error with a text that is complete. */
#ifndef SPB_CLI_ERROR_H
#define SPB_CLI_ERROR_H

#include <spb/status.h>

void error_set(spb_error *err, spb_status status, size_t offset, const char *text);

#endif
