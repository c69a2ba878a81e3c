/* UTF-8 (RFC 3629): checking text, and reading text that may not be UTF-8. */
#ifndef SPB_BASE_UTF8_H
#define SPB_BASE_UTF8_H

#include <string.h>

#include <spb/value.h>

#define SPB_UTF8_BAD UINT32_MAX

/* Nothing but ASCII, as most text is: a quick look before spb_utf8__is_valid. */
static inline bool spb_utf8__is_ascii(spb_str str) {
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    uint64_t all = 0, eight;
    uint32_t first, last;
    if (str.len >= sizeof eight) {
        for (size_t at = 0; at < str.len - sizeof eight; at += sizeof eight) {
            memcpy(&eight, str.data + at, sizeof eight);
            all |= eight;
        }
        memcpy(&eight, str.data + str.len - sizeof eight, sizeof eight);
        return ((all | eight) & high_bits) == 0;
    }
    if (str.len >= sizeof first) {
        memcpy(&first, str.data, sizeof first);
        memcpy(&last, str.data + str.len - sizeof last, sizeof last);
        return ((first | last) & (uint32_t)high_bits) == 0;
    }
    for (size_t at = 0; at < str.len; at++) {
        all |= (uint8_t)str.data[at];
    }
    return (all & high_bits) == 0;
}

/* Well-formed UTF-8 (no surrogates, nothing overlong, nothing above U+10FFFF). On false *bad is the offset of the first
 * byte of the first bad sequence; it may be NULL. */
bool spb_utf8__is_valid(spb_str text, size_t *bad);
/* The character at *at < text.len, and *at behind it. SPB_UTF8_BAD: the byte there begins no valid character; *at is
 * then behind that one byte. */
uint32_t spb_utf8__next(spb_str text, size_t *at);

#endif
