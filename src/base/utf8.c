/* Decides what a valid character is (RFC 3629). What becomes of the others is left to the callers. */
#include "base/utf8.h"

uint32_t spb_utf8__next(spb_str text, size_t *at) {
    const unsigned char *bytes = (const unsigned char *)text.data + *at;
    size_t left = text.len - *at;
    *at += 1;
    if (bytes[0] < 0x80) {
        return bytes[0];
    }
    /* The second byte's range keeps out overlong forms, surrogates and what lies above U+10FFFF. */
    size_t more = bytes[0] >= 0xF0 ? 3 : bytes[0] >= 0xE0 ? 2 : 1;
    unsigned low = bytes[0] == 0xE0 ? 0xA0 : bytes[0] == 0xF0 ? 0x90 : 0x80;
    unsigned high = bytes[0] == 0xED ? 0x9F : bytes[0] == 0xF4 ? 0x8F : 0xBF;
    if (bytes[0] < 0xC2 || bytes[0] > 0xF4 || left <= more || bytes[1] < low || bytes[1] > high) {
        return SPB_UTF8_BAD;
    }
    uint32_t code = bytes[0] & (0x3Fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return SPB_UTF8_BAD;
        }
        code = code << 6 | (bytes[i] & 0x3Fu);
    }
    *at += more;
    return code;
}

bool spb_utf8__is_valid(spb_str text, size_t *bad) {
    if (spb_utf8__is_ascii(text)) {
        return true;
    }
    size_t at = 0;
    while (at < text.len) {
        size_t start = at;
        if (spb_utf8__next(text, &at) == SPB_UTF8_BAD) {
            if (bad) {
                *bad = start;
            }
            return false;
        }
    }
    return true;
}
