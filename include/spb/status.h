/*
 * Status codes and error texts.
 *
 * Every function that can fail returns an spb_status. Where a text helps, its last parameter is an optional
 * `spb_error *err`: NULL is fine; on failure it is filled, on success it is left alone. There is no global and no
 * thread-local "last error".
 */
#ifndef SPB_STATUS_H
#define SPB_STATUS_H

#include <stddef.h>

#include <spb/export.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum spb_status {
    SPB_OK = 0,
    SPB_ERR_ARGUMENT = -1,    /* an argument or option is missing or out of its documented range */
    SPB_ERR_NO_MEMORY = -2,   /* the system gave no memory; nothing has changed */
    SPB_ERR_LIMIT = -3,       /* a limit of spb_limits or of an option would be exceeded */
    SPB_ERR_TRUNCATED = -4,   /* the input ends in the middle of something */
    SPB_ERR_MALFORMED = -5,   /* the input breaks the rules of its encoding */
    SPB_ERR_TYPE = -6,        /* a value does not have the datatype that is wanted */
    SPB_ERR_RANGE = -7,       /* a number does not fit its datatype or its declared range */
    SPB_ERR_NAME = -8,        /* a Sparkplug ID, topic or metric name breaks the naming rules */
    SPB_ERR_EXISTS = -9,      /* that name is already taken */
    SPB_ERR_NOT_FOUND = -10,  /* there is nothing of that name */
    SPB_ERR_STATE = -11,      /* the call is not possible in the present state */
    SPB_ERR_NOT_BORN = -12,   /* the node or device has no birth at present, so nothing was published */
    SPB_ERR_REFUSED = -13,    /* the application, or the server, said no */
    SPB_ERR_TIMEOUT = -14,    /* the deadline passed first */
    SPB_ERR_CONNECT = -15,    /* the server cannot be reached, or the connection was lost */
    SPB_ERR_AUTH = -16,       /* the server does not accept user, password or client id */
    SPB_ERR_TLS = -17,        /* the TLS handshake failed, or a certificate is not acceptable */
    SPB_ERR_STORE = -18,      /* reading or writing the store failed */
    SPB_ERR_STORE_BUSY = -19, /* another process has the store open */
    SPB_ERR_SYSTEM = -20      /* the operating system refused something else; the text says what */
} spb_status;

/* A short English name, for logs: "SPB_ERR_TYPE". Never NULL; an unknown number gives "SPB_ERR_?". Any thread. */
SPB_API const char *spb_status_name(spb_status status);

/* spb_error.offset when no byte of an input is to blame. */
#define SPB_NO_OFFSET ((size_t)-1)

/* What went wrong, for people. The caller provides it (usually on the stack). */
typedef struct spb_error {
    spb_status status;
    size_t offset;  /* byte offset in the input that was being read, or SPB_NO_OFFSET */
    char text[256]; /* one sentence without a full stop, NUL-terminated, cut if too long: names what and where. Fit for
                       a log and a terminal: UTF-8 in which control and other unseen characters are escaped, as \x1b */
} spb_error;

#ifdef __cplusplus
}
#endif

#endif
