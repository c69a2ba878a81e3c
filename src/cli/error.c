/* Decides nothing: the text is complete, and of any content. */
#include "cli/error.h"

#include "base/error.h"

void error_set(spb_error *err, spb_status status, size_t offset, const char *text) {
    (void)spb_error__set_at(err, status, offset, "%s", text);
}
