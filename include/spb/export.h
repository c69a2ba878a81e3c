/* Visibility of the public functions. Everything without SPB_API stays inside the shared library. */
#ifndef SPB_EXPORT_H
#define SPB_EXPORT_H

#if defined(__GNUC__)
#define SPB_API __attribute__((visibility("default")))
#else
#define SPB_API
#endif

#endif
