/* The JSON reader: what it takes, where its errors point to. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json_tree.h"
#include "support/suite.h"

static json_tree tree;
static spb_error err;

static void end(void) {
    json_tree_clear(&tree);
}

static void parse(const char *text) {
    ck_assert_msg(json_tree_parse(&tree, spb_str_from(text), &err) == SPB_OK, "%s: %s", text, err.text);
}

static void assert_text(const json_node *node, const char *wanted, size_t len) {
    ck_assert_uint_eq(node->text.len, len);
    ck_assert_mem_eq(node->text.data, wanted, len);
}

START_TEST(values_become_nodes_in_their_order) {
    parse(" {\"a\":[1,-2.5e+3,[],{}], \"b\" : true,\t\"c\":null,\"\":false} ");
    ck_assert_uint_eq(tree.count, 9);
    static const json_kind kinds[] = {JSON_OBJECT, JSON_ARRAY,   JSON_NUMBER, JSON_NUMBER, JSON_ARRAY,
                                      JSON_OBJECT, JSON_BOOLEAN, JSON_NULL,   JSON_BOOLEAN};
    static const size_t nexts[] = {9, 6, 3, 4, 5, 6, 7, 8, 9};
    for (size_t i = 0; i < tree.count; i++) {
        ck_assert_int_eq(tree.nodes[i].kind, kinds[i]);
        ck_assert_uint_eq(tree.nodes[i].next, nexts[i]);
    }
    ck_assert_uint_eq(tree.nodes[0].count, 4);
    ck_assert_uint_eq(tree.nodes[1].count, 4);
    assert_text(&tree.nodes[3], "-2.5e+3", 7);
    ck_assert(tree.nodes[6].boolean);
    ck_assert(!tree.nodes[8].boolean);
    ck_assert(spb_str_equal(tree.nodes[6].key, spb_str_from("b")));
    ck_assert(spb_str_equal(tree.nodes[8].key, spb_str_from("")));
    ck_assert_uint_eq(tree.nodes[6].offset, 31);
}
END_TEST

START_TEST(strings_lose_their_escapes) {
    parse("[\"plain °\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"a\\u0000b\",\"\\u00e9\\u20AC\\ud83d\\ude00\",\"\"]");
    assert_text(&tree.nodes[1], "plain °", 8);
    assert_text(&tree.nodes[2], "\"\\/\b\f\n\r\t", 8);
    assert_text(&tree.nodes[3], "a\0b", 3);
    assert_text(&tree.nodes[4], "é€😀", 9);
    assert_text(&tree.nodes[5], "", 0);
}
END_TEST

START_TEST(a_tree_is_used_again) {
    parse("[\"\\n\",1,2,3]");
    parse("\"\\t\"");
    ck_assert_uint_eq(tree.count, 1);
    assert_text(&tree.nodes[0], "\t", 1);
}
END_TEST

static const struct {
    const char *text;
    size_t offset;
} wrong[] = {
    {"", 0},          {"{", 1},           {"[1,", 3},         {"[1,]", 3},
    {"{\"a\"}", 4},   {"{\"a\":1,}", 7},  {"{a:1}", 1},       {"[1 2]", 3},
    {"01", 0},        {"-", 0},           {"1.", 0},          {"1e", 0},
    {".5", 0},        {"+1", 0},          {"nul", 0},         {"\"a", 0},
    {"\"\\x\"", 1},   {"\"\\u12g4\"", 1}, {"\"\n\"", 1},      {"\"\xff\"", 1},
    {"1 2", 2},       {"\"\\ud800\"", 1}, {"\"\\udc00\"", 1}, {"{} {}", 3},
    {"\"\\", 0},      {"[\"a\"", 4},      {"NaN", 0},         {"\"\\ud83d\\n\"", 1},
    {"truefalse", 4},
};

START_TEST(what_is_not_json_is_refused_with_its_place) {
    ck_assert_int_eq(json_tree_parse(&tree, spb_str_from(wrong[_i].text), &err), SPB_ERR_MALFORMED);
    ck_assert_msg(err.offset == wrong[_i].offset, "%s: %s at %zu", wrong[_i].text, err.text, err.offset);
}
END_TEST

START_TEST(nesting_has_a_limit) {
    enum { DEEP = JSON_TREE_MAX_DEPTH };
    char text[2 * DEEP + 3];
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    text[2 * DEEP] = '\0';
    parse(text);
    memset(text, '[', DEEP + 1);
    memset(text + DEEP + 1, ']', DEEP + 1);
    text[2 * DEEP + 2] = '\0';
    ck_assert_int_eq(json_tree_parse(&tree, spb_str_from(text), &err), SPB_ERR_LIMIT);
}
END_TEST

int main(void) {
    TCase *cases = tcase_create("json_tree");
    tcase_add_checked_fixture(cases, NULL, end);
    tcase_add_test(cases, values_become_nodes_in_their_order);
    tcase_add_test(cases, strings_lose_their_escapes);
    tcase_add_test(cases, a_tree_is_used_again);
    tcase_add_loop_test(cases, what_is_not_json_is_refused_with_its_place, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(cases, nesting_has_a_limit);
    Suite *suite = suite_create("json_tree");
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
