/* Fills an spb_error. What is done about it is left to the callers. */
#include "cli/error.h"

#include <stdio.h>

void error_set(spb_error *err, spb_status status, size_t offset, const char *text) {
    *err = (spb_error){.status = status, .offset = offset};
    snprintf(err->text, sizeof err->text, "%s", text);
}
