/* Decides what is JSON (RFC 8259) and builds the tree. What the values mean is left to json_payload.c. */
#include "cli/json_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/error.h"

typedef struct parser {
    json_tree *tree;
    spb_str text;
    size_t at;
    size_t depth;
    spb_error *err;
} parser;

static bool parse_value(parser *p, spb_str key);

const char *json_kind_name(json_kind kind) {
    static const char *const names[] = {"null", "a boolean", "a number", "a string", "an array", "an object"};
    return names[kind];
}

static bool fail(parser *p, size_t at, const char *what) {
    error_set(p->err, SPB_ERR_MALFORMED, at, what);
    return false;
}

static bool no_memory(parser *p) {
    error_set(p->err, SPB_ERR_NO_MEMORY, SPB_NO_OFFSET, "out of memory for the JSON");
    return false;
}

/* NUL at the end of the text. */
static char peek(const parser *p) {
    return p->at < p->text.len ? p->text.data[p->at] : '\0';
}

static void skip_blanks(parser *p) {
    while (p->at < p->text.len && strchr(" \t\r\n", p->text.data[p->at])) {
        p->at++;
    }
}

/* The index of a new node, or SIZE_MAX. */
static size_t add_node(parser *p, json_kind kind, spb_str key) {
    json_tree *tree = p->tree;
    if (tree->count == tree->capacity) {
        size_t capacity = tree->capacity ? 2 * tree->capacity : 64;
        json_node *nodes = realloc(tree->nodes, capacity * sizeof *nodes);
        if (!nodes) {
            (void)no_memory(p);
            return SIZE_MAX;
        }
        tree->nodes = nodes;
        tree->capacity = capacity;
    }
    tree->nodes[tree->count] = (json_node){.kind = kind, .key = key, .offset = p->at, .next = tree->count + 1};
    return tree->count++;
}

/* ---- strings ---- */

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits behind \u; −1: they are not. */
static long parse_unit(parser *p) {
    long unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(peek(p));
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
        p->at++;
    }
    return unit;
}

static size_t put_utf8(char *to, unsigned long code) {
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    to[0] = (char)(lead[more] | code >> (6 * more));
    for (size_t i = 1; i <= more; i++) {
        to[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3F));
    }
    return more + 1;
}

/* Behind "\u"; a surrogate must have its other half. */
static bool parse_escaped_code(parser *p, size_t begin, unsigned long *code) {
    long unit = parse_unit(p);
    if (unit >= 0xD800 && unit < 0xDC00 && peek(p) == '\\') {
        p->at++;
        long low = peek(p) == 'u' ? (p->at++, parse_unit(p)) : -1;
        unit = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00) : -1;
    }
    if (unit < 0 || (unit >= 0xD800 && unit < 0xE000)) {
        return fail(p, begin, "\\u without the four hex digits of a character");
    }
    *code = (unsigned long)unit;
    return true;
}

static bool parse_escape(parser *p, char **to) {
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    size_t begin = p->at++;
    char c = peek(p);
    p->at++;
    if (c == 'u') {
        unsigned long code = 0;
        if (!parse_escaped_code(p, begin, &code)) {
            return false;
        }
        *to += put_utf8(*to, code);
        return true;
    }
    const char *found = c ? strchr(escapes, c) : NULL;
    if (!found) {
        return fail(p, begin, "an escape that JSON does not have");
    }
    *(*to)++ = meanings[found - escapes];
    return true;
}

/* The end of the string at p->at, which is behind its opening quote; SIZE_MAX: it has none. */
static size_t find_quote(const parser *p, bool *has_escapes) {
    *has_escapes = false;
    for (size_t i = p->at; i < p->text.len; i++) {
        if (p->text.data[i] == '"') {
            return i;
        }
        if (p->text.data[i] == '\\') {
            *has_escapes = true;
            i++;
        }
    }
    return SIZE_MAX;
}

/* One character that is not escaped. */
static bool check_character(parser *p) {
    size_t begin = p->at;
    uint32_t code = spb_utf8__next(p->text, &p->at);
    if (code == SPB_UTF8_BAD) {
        return fail(p, begin, "not UTF-8");
    }
    return code >= 0x20 || fail(p, begin, "a control character in a string, which JSON wants as \\u00XX");
}

/* No escape is shorter than what it stands for, so the text's length is room enough for all strings. */
static bool parse_string(parser *p, spb_str *out) {
    bool has_escapes;
    size_t begin = p->at++;
    size_t end = find_quote(p, &has_escapes);
    if (end == SIZE_MAX) {
        return fail(p, begin, "a string that does not end");
    }
    char *const made = p->tree->strings + p->tree->string_len;
    char *to = made;
    *out = (spb_str){p->text.data + p->at, end - p->at};
    while (p->at < end) {
        size_t from = p->at;
        if (p->text.data[from] == '\\') {
            if (!parse_escape(p, &to)) {
                return false;
            }
        } else if (!check_character(p)) {
            return false;
        } else if (has_escapes) {
            memcpy(to, p->text.data + from, p->at - from);
            to += p->at - from;
        }
    }
    if (has_escapes) {
        *out = (spb_str){made, (size_t)(to - made)};
        p->tree->string_len += out->len;
    }
    p->at = end + 1;
    return true;
}

/* ---- the other values ---- */

static size_t skip_digits(parser *p) {
    size_t begin = p->at;
    while (peek(p) >= '0' && peek(p) <= '9') {
        p->at++;
    }
    return p->at - begin;
}

static bool parse_number(parser *p, json_node *node) {
    size_t begin = p->at;
    p->at += peek(p) == '-';
    bool starts_with_0 = peek(p) == '0';
    size_t digits = skip_digits(p);
    if (digits == 0 || (starts_with_0 && digits > 1)) {
        return fail(p, begin, digits == 0 ? "not a JSON value" : "a number with a 0 in front");
    }
    if (peek(p) == '.') {
        p->at++;
        if (skip_digits(p) == 0) {
            return fail(p, begin, "a number without digits behind its point");
        }
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->at++;
        p->at += peek(p) == '-' || peek(p) == '+';
        if (skip_digits(p) == 0) {
            return fail(p, begin, "a number without digits in its exponent");
        }
    }
    node->text = (spb_str){p->text.data + begin, p->at - begin};
    return true;
}

static bool parse_word(parser *p, json_node *node, const char *word) {
    size_t len = strlen(word);
    if (p->text.len - p->at < len || memcmp(p->text.data + p->at, word, len) != 0) {
        return fail(p, p->at, "not a JSON value");
    }
    p->at += len;
    node->boolean = *word == 't';
    return true;
}

static bool parse_key(parser *p, spb_str *key) {
    skip_blanks(p);
    if (peek(p) != '"') {
        return fail(p, p->at, "a key in quotes is wanted here");
    }
    if (!parse_string(p, key)) {
        return false;
    }
    skip_blanks(p);
    if (peek(p) != ':') {
        return fail(p, p->at, "a colon is wanted here");
    }
    p->at++;
    return true;
}

/* Elements or members up to the closing bracket. */
static bool parse_items(parser *p, size_t index, bool is_object) {
    const char close = is_object ? '}' : ']';
    p->at++;
    skip_blanks(p);
    bool goes_on = peek(p) != close;
    while (goes_on) {
        spb_str key = {0};
        if ((is_object && !parse_key(p, &key)) || !parse_value(p, key)) {
            return false;
        }
        p->tree->nodes[index].count++;
        skip_blanks(p);
        goes_on = peek(p) == ',';
        if (!goes_on && peek(p) != close) {
            return fail(p, p->at,
                        p->at == p->text.len ? "the text ends before the value does: one object on one line"
                        : is_object          ? "a comma or } is wanted here"
                                             : "a comma or ] is wanted here");
        }
        p->at += goes_on;
    }
    p->at++;
    p->tree->nodes[index].next = p->tree->count;
    return true;
}

static json_kind kind_of(char c) {
    switch (c) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't':
    case 'f': return JSON_BOOLEAN;
    case 'n': return JSON_NULL;
    default: return JSON_NUMBER;
    }
}

static bool parse_value(parser *p, spb_str key) {
    skip_blanks(p);
    const json_kind kind = kind_of(peek(p));
    size_t index = add_node(p, kind, key);
    if (index == SIZE_MAX) {
        return false;
    }
    json_node *node = &p->tree->nodes[index];
    switch (kind) {
    case JSON_NULL: return parse_word(p, node, "null");
    case JSON_BOOLEAN: return parse_word(p, node, peek(p) == 't' ? "true" : "false");
    case JSON_NUMBER: return parse_number(p, node);
    case JSON_STRING: return parse_string(p, &node->text);
    default: break;
    }
    if (++p->depth > JSON_TREE_MAX_DEPTH) {
        error_set(p->err, SPB_ERR_LIMIT, p->at, "nested too deep");
        return false;
    }
    bool is_right = parse_items(p, index, kind == JSON_OBJECT);
    p->depth--;
    return is_right;
}

static bool reserve_strings(json_tree *tree, size_t len) {
    if (len > tree->string_capacity) {
        char *strings = realloc(tree->strings, len);
        if (!strings) {
            return false;
        }
        tree->strings = strings;
        tree->string_capacity = len;
    }
    return true;
}

spb_status json_tree_parse(json_tree *tree, spb_str text, spb_error *err) {
    parser p = {.tree = tree, .text = text, .err = err};
    tree->count = tree->string_len = 0;
    if (!reserve_strings(tree, text.len + 1)) {
        (void)no_memory(&p);
        return err->status;
    }
    if (!parse_value(&p, (spb_str){0})) {
        return err->status;
    }
    skip_blanks(&p);
    if (p.at < text.len) {
        (void)fail(&p, p.at, "something stands behind the value: one object on one line");
        return err->status;
    }
    return SPB_OK;
}

void json_tree_clear(json_tree *tree) {
    free(tree->nodes);
    free(tree->strings);
    *tree = (json_tree){0};
}
