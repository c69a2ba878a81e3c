/* Checks of values and text that all rooms above share. */
#ifndef SPB_CODEC_CHECK_H
#define SPB_CODEC_CHECK_H

#include <string.h>

#include <spb/value.h>

/* Nothing but ASCII, as most text is: a quick look before spb_utf8__is_valid. */
static inline bool spb_utf8__is_ascii(spb_str text) {
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    uint64_t all = 0, eight;
    uint32_t first, last;
    if (text.len >= sizeof eight) {
        for (size_t at = 0; at < text.len - sizeof eight; at += sizeof eight) {
            memcpy(&eight, text.data + at, sizeof eight);
            all |= eight;
        }
        memcpy(&eight, text.data + text.len - sizeof eight, sizeof eight);
        return ((all | eight) & high_bits) == 0;
    }
    if (text.len >= sizeof first) {
        memcpy(&first, text.data, sizeof first);
        memcpy(&last, text.data + text.len - sizeof last, sizeof last);
        return ((first | last) & (uint32_t)high_bits) == 0;
    }
    for (size_t at = 0; at < text.len; at++) {
        all |= (uint8_t)text.data[at];
    }
    return (all & high_bits) == 0;
}

/* Well-formed UTF-8 (no surrogates, nothing overlong, nothing above U+10FFFF). On false *bad is the offset of the first
 * byte of the first bad sequence; it may be NULL. */
bool spb_utf8__is_valid(spb_str text, size_t *bad);
/*
 * The value's content fits its datatype: integers in range, strings UTF-8, pointers present, array forms right. What a
 * DataSet, Template or property set holds is not looked at. Null is fine.
 * SPB_ERR_TYPE: no such datatype. SPB_ERR_RANGE: the number does not fit. SPB_ERR_NAME: a string is not UTF-8, or one
 * of a StringArray holds a NUL. SPB_ERR_MALFORMED: packed array of a wrong length. SPB_ERR_ARGUMENT: a pointer is
 * missing.
 */
spb_status spb_value__check(const spb_value *value, spb_error *err);

#endif
