/* Decides how an error text is made. What it says is left to those who fail. */
#include "base/error.h"

#include <stdarg.h>

#include "base/escape.h"

static void SPB_PRINTF(4, 0) fill(spb_error *err, spb_status status, size_t offset, const char *format, va_list args) {
    if (!err) {
        return;
    }
    err->status = status;
    err->offset = offset;
    spb_escape__format(err->text, sizeof err->text, format, args);
}

spb_status spb_error__set(spb_error *err, spb_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fill(err, status, SPB_NO_OFFSET, format, args);
    va_end(args);
    return status;
}

spb_status spb_error__set_at(spb_error *err, spb_status status, size_t offset, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fill(err, status, offset, format, args);
    va_end(args);
    return status;
}

spb_status spb_error__no_memory(spb_error *err, const char *what) {
    return spb_error__set(err, SPB_ERR_NO_MEMORY, "out of memory for %s", what);
}

spb_status spb_error__no_thread(spb_error *err, const char *what) {
    return spb_error__set(
        err, SPB_ERR_SYSTEM,
        "no thread for %s: a limit on memory or threads is reached (ulimit -v, ulimit -u, or that of a "
        "container)",
        what);
}

const char *spb_status_name(spb_status status) {
    switch (status) {
    case SPB_OK: return "SPB_OK";
    case SPB_ERR_ARGUMENT: return "SPB_ERR_ARGUMENT";
    case SPB_ERR_NO_MEMORY: return "SPB_ERR_NO_MEMORY";
    case SPB_ERR_LIMIT: return "SPB_ERR_LIMIT";
    case SPB_ERR_TRUNCATED: return "SPB_ERR_TRUNCATED";
    case SPB_ERR_MALFORMED: return "SPB_ERR_MALFORMED";
    case SPB_ERR_TYPE: return "SPB_ERR_TYPE";
    case SPB_ERR_RANGE: return "SPB_ERR_RANGE";
    case SPB_ERR_NAME: return "SPB_ERR_NAME";
    case SPB_ERR_EXISTS: return "SPB_ERR_EXISTS";
    case SPB_ERR_NOT_FOUND: return "SPB_ERR_NOT_FOUND";
    case SPB_ERR_STATE: return "SPB_ERR_STATE";
    case SPB_ERR_NOT_BORN: return "SPB_ERR_NOT_BORN";
    case SPB_ERR_REFUSED: return "SPB_ERR_REFUSED";
    case SPB_ERR_TIMEOUT: return "SPB_ERR_TIMEOUT";
    case SPB_ERR_CONNECT: return "SPB_ERR_CONNECT";
    case SPB_ERR_AUTH: return "SPB_ERR_AUTH";
    case SPB_ERR_TLS: return "SPB_ERR_TLS";
    case SPB_ERR_STORE: return "SPB_ERR_STORE";
    case SPB_ERR_STORE_BUSY: return "SPB_ERR_STORE_BUSY";
    case SPB_ERR_SYSTEM: return "SPB_ERR_SYSTEM";
    }
    return "SPB_ERR_?";
}
