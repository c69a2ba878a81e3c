/* Bytes written as text: hex and base64. */
#ifndef SPB_CLI_DIGITS_H
#define SPB_CLI_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

#include <spb/value.h>

/* Bytes that text of this length can stand for at most, in either form. */
static inline size_t digits_max_bytes(size_t text_len) {
    return text_len / 4 * 3 + 3;
}
/* Pairs of hex digits; blanks, tabs and colons between the pairs are fine. `to` has room for digits_max_bytes. False:
 * err->offset is the place in the text. */
bool digits_unhex(spb_str text, uint8_t *to, size_t *len, spb_error *err);
/* Base64 in the standard or the URL alphabet, padded or not; blanks at the end are fine. */
bool digits_unbase64(spb_str text, uint8_t *to, size_t *len, spb_error *err);

#endif
