/* Decides which spellings of hex and base64 are accepted. */
#include "cli/digits.h"

#include "cli/error.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_separator(char c) {
    return c == ' ' || c == '\t' || c == ':';
}

static bool fail(spb_error *err, size_t offset, const char *text) {
    error_set(err, SPB_ERR_MALFORMED, offset, text);
    return false;
}

bool digits_unhex(spb_str text, uint8_t *to, size_t *len, spb_error *err) {
    size_t count = 0;
    size_t i = 0;
    while (i < text.len) {
        int high = hex_digit(text.data[i]);
        if (high < 0 && is_separator(text.data[i])) {
            i++;
            continue;
        }
        if (high < 0) {
            return fail(err, i, "not a hex digit");
        }
        if (i + 1 == text.len || is_separator(text.data[i + 1])) {
            return fail(err, i, "odd number of hex digits");
        }
        int low = hex_digit(text.data[i + 1]);
        if (low < 0) {
            return fail(err, i + 1, "not a hex digit");
        }
        to[count++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *len = count;
    return true;
}

static int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool digits_unbase64(spb_str text, uint8_t *to, size_t *len, spb_error *err) {
    size_t end = text.len;
    while (end > 0 && (text.data[end - 1] == ' ' || text.data[end - 1] == '\t')) {
        end--;
    }
    size_t padding = 0;
    while (padding < 2 && end > 0 && text.data[end - 1] == '=') {
        end--;
        padding++;
    }
    if (end % 4 == 1 || (padding > 0 && (end + padding) % 4 != 0)) {
        return fail(err, end, "base64 of an impossible length");
    }
    size_t count = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < end; i++) {
        int digit = base64_digit(text.data[i]);
        if (digit < 0) {
            return fail(err, i, "not a base64 digit");
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0) {
            to[count++] = (uint8_t)(bits >> (6 - i % 4 * 2));
        }
    }
    *len = count;
    return true;
}
