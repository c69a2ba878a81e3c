/* Reading text that may not be UTF-8. */
#ifndef SPB_CLI_UTF8_H
#define SPB_CLI_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include <spb/value.h>

#define UTF8_BAD UINT32_MAX

/* The character at *at < text.len, and *at behind it. UTF8_BAD: the byte there begins no valid character; *at is then
 * behind that one byte. */
uint32_t utf8_next(spb_str text, size_t *at);

#endif
