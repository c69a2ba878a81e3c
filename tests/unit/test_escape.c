/* Text from outside, made fit for logs and terminals. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "support/suite.h"

static const struct {
    const char *text, *shown;
} examples[] = {
    {"", ""},
    {"Pump 1/Spëed → °C 泵 😀", "Pump 1/Spëed → °C 泵 😀"},
    {"C:\\new", "C:\\new"},
    {"a\nb\r\tc", "a\\nb\\r\\tc"},
    {"\x1B]0;title\a\x7F", "\\x1b]0;title\\x07\\x7f"},
    {"\xC2\x9B"
     "2J",
     "\\u009b2J"}, /* CSI as one character of C1 */
    {"\u00AD\u061C\u180E\u200B\u200F", "\\u00ad\\u061c\\u180e\\u200b\\u200f"},
    {"\u2028\u2029\u202A\u202E", "\\u2028\\u2029\\u202a\\u202e"},
    {"\u2010\u202F\u205F\u2070", "\u2010\u202F\u205F\u2070"}, /* the neighbours of those */
    {"\u2060\u2066\u206F\uFEFF\uFFF9", "\\u2060\\u2066\\u206f\\ufeff\\ufff9"},
    {"\U0001D173\U000E0001\U000E007F", "\\U0001d173\\U000e0001\\U000e007f"},
    {"\xFF\xC0\x80\xED\xA0\x80", "\\xff\\xc0\\x80\\xed\\xa0\\x80"}, /* overlong, a surrogate */
    {"\xE2\x82", "\\xe2\\x82"},                                     /* cut */
};

START_TEST(what_misleads_is_escaped_and_nothing_else) {
    char shown[200], again[200];
    size_t len = spb_escape__text(shown, sizeof shown, spb_str_from(examples[_i].text));
    ck_assert_str_eq(shown, examples[_i].shown);
    ck_assert_uint_eq(len, strlen(shown));
    spb_escape__text(again, sizeof again, spb_str_from(shown));
    ck_assert_str_eq(again, shown);
}
END_TEST

START_TEST(a_nul_inside_is_escaped_too) {
    char shown[20];
    spb_escape__text(shown, sizeof shown, (spb_str){"a\0b", 3});
    ck_assert_str_eq(shown, "a\\x00b");
}
END_TEST

/* Every character, against the rule. */
START_TEST(no_control_character_gets_through) {
    for (uint32_t code = 1; code <= 0x10FFFF; code++) {
        if (code >= 0xD800 && code <= 0xDFFF) {
            continue;
        }
        char text[5] = {0}, room[SPB_ESCAPE_SIZE];
        size_t at = 0;
        if (code < 0x80) {
            text[0] = (char)code;
        } else if (code < 0x800) {
            text[0] = (char)(0xC0 | code >> 6);
            text[1] = (char)(0x80 | (code & 63));
        } else if (code < 0x10000) {
            text[0] = (char)(0xE0 | code >> 12);
            text[1] = (char)(0x80 | (code >> 6 & 63));
            text[2] = (char)(0x80 | (code & 63));
        } else {
            text[0] = (char)(0xF0 | code >> 18);
            text[1] = (char)(0x80 | (code >> 12 & 63));
            text[2] = (char)(0x80 | (code >> 6 & 63));
            text[3] = (char)(0x80 | (code & 63));
        }
        spb_str shown = spb_escape__next(spb_str_from(text), &at, room);
        bool is_control = code < 0x20 || (code >= 0x7F && code < 0xA0);
        bool turns = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
        bool is_right = at == strlen(text) && (shown.data == room || (shown.data == text && !is_control && !turns));
        for (size_t i = 0; shown.data == room && i < shown.len; i++) {
            is_right = is_right && room[i] > ' ' && room[i] < 0x7F;
        }
        if (!is_right) { /* an assertion for each of a million takes seconds */
            ck_abort_msg("U+%04X", (unsigned)code);
        }
    }
}
END_TEST

START_TEST(what_does_not_fit_is_cut_between_characters) {
    char shown[12];
    for (size_t size = 4; size <= 11; size++) {
        memset(shown, '#', sizeof shown);
        spb_escape__text(shown, size,
                         spb_str_from("→\x1B"
                                      "longer"));
        shown[11] = '\0';
        const char *begins = size < 8 ? "→" : "→\\x1b";
        ck_assert_msg(strncmp(shown, begins, strlen(begins)) == 0 && strlen(shown) < size, "%zu: %s", size, shown);
    }
    ck_assert_uint_eq(spb_escape__text(shown, 3, spb_str_from("→")), 0);
    ck_assert_str_eq(shown, "");
    ck_assert_uint_eq(spb_escape__text(shown, 1, spb_str_from("a")), 0);
}
END_TEST

static void format(char *to, size_t size, const char *form, ...) {
    va_list args;
    va_start(args, form);
    spb_escape__format(to, size, form, args);
    va_end(args);
}

START_TEST(what_printf_writes_is_escaped_and_cut) {
    char shown[16];
    format(shown, sizeof shown, "%s: %d", "a\nb", 7);
    ck_assert_str_eq(shown, "a\\nb: 7");
    format(shown, sizeof shown, "%s", "12345678901234→"); /* the first buffer would cut the arrow in two */
    ck_assert_str_eq(shown, "12345678901234");
    format(shown, sizeof shown, "%s!", shown);
    ck_assert_str_eq(shown, "12345678901234!");
}
END_TEST

int main(void) {
    TCase *all = tcase_create("escape");
    tcase_add_loop_test(all, what_misleads_is_escaped_and_nothing_else, 0, sizeof examples / sizeof *examples);
    tcase_add_test(all, a_nul_inside_is_escaped_too);
    tcase_add_test(all, no_control_character_gets_through);
    tcase_add_test(all, what_does_not_fit_is_cut_between_characters);
    tcase_add_test(all, what_printf_writes_is_escaped_and_cut);
    Suite *suite = suite_create("escape");
    suite_add_tcase(suite, all);
    return suite_run(suite);
}
