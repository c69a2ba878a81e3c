/* The JSON writer: commas, escapes, what JSON has no form for. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "cli/json.h"
#include "support/suite.h"

static out to;
static json j;

static void begin(void) {
    out_init(&to, -1);
    j = (json){.to = &to};
}

static void assert_written(const char *wanted) {
    out_char(&to, '\0');
    ck_assert_str_eq(to.data, wanted);
}

START_TEST(commas_stand_between_values_only) {
    json_begin_object(&j);
    json_key(&j, "a");
    json_begin_array(&j);
    json_u64(&j, 1);
    json_i64(&j, -2);
    json_begin_array(&j);
    json_end_array(&j);
    json_null(&j);
    json_end_array(&j);
    json_key(&j, "b");
    json_bool(&j, true);
    json_key_str(&j, spb_str_from("c\""));
    json_begin_object(&j);
    json_end_object(&j);
    json_end_object(&j);
    json_end_line(&j);
    json_bool(&j, false);
    assert_written("{\"a\":[1,-2,[],null],\"b\":true,\"c\\\"\":{}}\nfalse");
}
END_TEST

START_TEST(numbers_that_json_lacks_are_strings) {
    json_begin_array(&j);
    json_double(&j, NAN);
    json_double(&j, -INFINITY);
    json_float(&j, INFINITY);
    json_double(&j, 0.1);
    json_float(&j, 0.1f);
    json_end_array(&j);
    assert_written("[\"NaN\",\"-Infinity\",\"Infinity\",0.1,0.1]");
}
END_TEST

START_TEST(strings_are_escaped) {
    json_text(&j, "\"\\/\b\n\r\t\x1b\x7f°C \xC2\x85 €😀");
    assert_written("\"\\\"\\\\/\\u0008\\n\\r\\t\\u001b\\u007f°C \\u0085 €😀\"");
}
END_TEST

START_TEST(a_nul_in_a_string_is_kept) {
    json_string(&j, (spb_str){"a\0b", 3});
    assert_written("\"a\\u0000b\"");
}
END_TEST

START_TEST(what_is_not_utf8_is_replaced) {
    /* a lone continuation, a truncated character, an overlong form, a surrogate, above U+10FFFF, an impossible byte */
    json_begin_array(&j);
    json_text(&j, "\x80");
    json_text(&j, "a\xE2\x82");
    json_text(&j, "\xC0\x80");
    json_text(&j, "\xED\xA0\x80");
    json_text(&j, "\xF4\x90\x80\x80");
    json_text(&j, "\xFFz");
    json_end_array(&j);
    assert_written("[\"\uFFFD\",\"a\uFFFD\uFFFD\",\"\uFFFD\uFFFD\",\"\uFFFD\uFFFD\uFFFD\",\"\uFFFD\uFFFD\uFFFD\uFFFD\","
                   "\"\uFFFDz\"]");
}
END_TEST

START_TEST(bytes_are_base64) {
    static const uint8_t bytes[] = {0xFF, 0xEF, 0xBE, 0x00};
    static const char *const wanted[] = {"\"\"", "\"/w==\"", "\"/+8=\"", "\"/+++\"", "\"/+++AA==\""};
    json_base64(&j, (spb_bytes){bytes, (size_t)_i});
    assert_written(wanted[_i]);
}
END_TEST

int main(void) {
    TCase *writer = tcase_create("writer");
    tcase_add_checked_fixture(writer, begin, NULL);
    tcase_add_test(writer, commas_stand_between_values_only);
    tcase_add_test(writer, numbers_that_json_lacks_are_strings);
    tcase_add_test(writer, strings_are_escaped);
    tcase_add_test(writer, a_nul_in_a_string_is_kept);
    tcase_add_test(writer, what_is_not_utf8_is_replaced);
    tcase_add_loop_test(writer, bytes_are_base64, 0, 5);
    Suite *suite = suite_create("json");
    suite_add_tcase(suite, writer);
    return suite_run(suite);
}
