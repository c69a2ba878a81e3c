/* Decides which characters are not shown as they are, and how they look instead. */
#include "base/escape.h"

#include <stdio.h>

/* The longest text that is ever formatted: a notice. */
#define MAX_FORMATTED 512

/* Of ASCII the control characters; the rest are the general categories Cc, Cf, Zl and Zp of Unicode 15, but for those
 * of Cf that are seen (signs of Arabic and Kaithi numbers), with all of the plane of tags. */
static const struct {
    uint32_t first, last;
} hidden[] = {{0x00, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},       {0x61C, 0x61C},    {0x180E, 0x180E},
              {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},   {0xFEFF, 0xFEFF},  {0xFFF9, 0xFFFB},
              {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};

static bool is_hidden(uint32_t code) {
    size_t i = 0;
    while (i < sizeof hidden / sizeof *hidden && code > hidden[i].last) {
        i++;
    }
    return i < sizeof hidden / sizeof *hidden && code >= hidden[i].first;
}

static size_t put_hex(char *room, char kind, uint32_t code, size_t digits) {
    room[0] = '\\';
    room[1] = kind;
    for (size_t i = 0; i < digits; i++) {
        room[2 + i] = "0123456789abcdef"[code >> 4 * (digits - 1 - i) & 15];
    }
    return 2 + digits;
}

static size_t put_escape(char *room, uint32_t code, uint8_t byte) {
    const char *known = code == '\n' ? "\\n" : code == '\r' ? "\\r" : code == '\t' ? "\\t" : NULL;
    if (known) {
        memcpy(room, known, 2);
        return 2;
    }
    return code == SPB_UTF8_BAD || code < 0x80 ? put_hex(room, 'x', byte, 2)
           : code <= 0xFFFF                    ? put_hex(room, 'u', code, 4)
                                               : put_hex(room, 'U', code, 8);
}

spb_str spb_escape__next(spb_str from, size_t *at, char *room) {
    size_t start = *at;
    uint32_t code = spb_utf8__next(from, at);
    if (code != SPB_UTF8_BAD && !is_hidden(code)) {
        return (spb_str){from.data + start, *at - start};
    }
    return (spb_str){room, put_escape(room, code, (uint8_t)from.data[start])};
}

size_t spb_escape__text(char *to, size_t size, spb_str from) {
    size_t len = 0, at = 0;
    char room[SPB_ESCAPE_SIZE];
    while (at < from.len) {
        spb_str shown = spb_escape__next(from, &at, room);
        if (shown.len >= size - len) {
            break;
        }
        memcpy(to + len, shown.data, shown.len);
        len += shown.len;
    }
    to[len] = '\0';
    return len;
}

/* What the first buffer cuts off would not fit into `to` either: escapes are never shorter than what they stand for. */
void spb_escape__format(char *to, size_t size, const char *format, va_list args) {
    char raw[MAX_FORMATTED];
    size_t room = size < sizeof raw ? size : sizeof raw;
    vsnprintf(raw, room, format, args);
    spb_escape__text(to, room, spb_str_from(raw));
}
