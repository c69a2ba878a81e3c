#include "support/hex.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c) {
    const char *all = "0123456789abcdef";
    const char *found = c ? strchr(all, c) : NULL;
    ck_assert_msg(found != NULL, "not a hex digit: '%c'", c);
    return (int)(found - all);
}

spb_bytes hex_bytes(const char *text) {
    uint8_t *data = malloc(strlen(text) / 2 + 1); /* exactly as long as needed, for sanitizers to see the end */
    size_t len = 0;
    ck_assert_ptr_nonnull(data);
    while (*text) {
        if (*text == ' ') {
            text++;
            continue;
        }
        data[len++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
        text += 2;
    }
    uint8_t *exact = realloc(data, len ? len : 1);
    return (spb_bytes){exact ? exact : data, len};
}
