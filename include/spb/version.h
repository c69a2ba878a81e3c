#ifndef SPB_VERSION_H
#define SPB_VERSION_H

#include <spb/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers. The build takes the project's version from here. */
#define SPB_VERSION "0.1.0"

/* The version of the library that is linked. Any thread. */
SPB_API const char *spb_version(void);

#ifdef __cplusplus
}
#endif

#endif
