/* Decides how single values are read from JSON, and the words for what is wrong with them. Which values there are is
 * left to json_payload.c. */
#include "cli/json_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/digits.h"
#include "cli/error.h"

/* ---- errors ---- */

/* Appends what fits. */
static void append(spb_error *err, const char *format, ...) {
    size_t used = strlen(err->text);
    va_list list;
    va_start(list, format);
    vsnprintf(err->text + used, sizeof err->text - used, format, list);
    va_end(list);
}

static void append_path(spb_error *err, const json_place *at) {
    if (!at) {
        return;
    }
    append_path(err, at->up);
    if (at->key.data) {
        append(err, "%s%.*s", at->up ? "." : "", (int)(at->key.len < 64 ? at->key.len : 64), at->key.data);
    } else {
        append(err, "[%zu]", at->index);
    }
}

bool json_fail(json_reader *r, const json_node *node, const json_place *at, spb_status status, const char *format,
               ...) {
    char what[sizeof r->err->text];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    error_set(r->err, status, node ? node->offset : SPB_NO_OFFSET, "");
    append_path(r->err, at);
    append(r->err, "%s%s", at ? ": " : "", what);
    return false;
}

bool json_no_memory(json_reader *r) {
    return json_fail(r, NULL, NULL, SPB_ERR_NO_MEMORY, "out of memory");
}

bool json_is_kind(json_reader *r, const json_node *node, const json_place *at, json_kind kind) {
    return node->kind == kind || json_fail(r, node, at, SPB_ERR_TYPE, "%s is wanted, not %s", json_kind_name(kind),
                                           json_kind_name(node->kind));
}

/* ---- objects ---- */

static bool fail_unknown(json_reader *r, const json_node *member, const json_place *at, const char *const *names,
                         size_t count) {
    (void)json_fail(r, member, &(json_place){at, member->key, 0}, SPB_ERR_NAME, "no such key; there is");
    for (size_t i = 0; i < count; i++) {
        append(r->err, "%s %s", i > 0 ? "," : "", names[i]);
    }
    return false;
}

bool json_members(json_reader *r, const json_node *node, const json_place *at, const char *const *names, size_t count,
                  const json_node **found) {
    if (!json_is_kind(r, node, at, JSON_OBJECT)) {
        return false;
    }
    memset(found, 0, count * sizeof(*found));
    const json_node *member = json_first(node);
    for (size_t left = node->count; left > 0; left--, member = json_behind(r->tree, member)) {
        size_t i = 0;
        while (i < count && !spb_str_equal(member->key, spb_str_from(names[i]))) {
            i++;
        }
        if (i == count) {
            return fail_unknown(r, member, at, names, count);
        }
        if (found[i]) {
            return json_fail(r, member, &(json_place){at, member->key, 0}, SPB_ERR_EXISTS, "stands here twice");
        }
        found[i] = member;
    }
    return true;
}

/* ---- scalars ---- */

bool json_get_bool(json_reader *r, const json_node *node, const json_place *at, bool *out) {
    if (!node) {
        return true;
    }
    *out = node->boolean;
    return json_is_kind(r, node, at, JSON_BOOLEAN);
}

bool json_get_str(json_reader *r, const json_node *node, const json_place *at, spb_str *out) {
    if (!node) {
        return true;
    }
    *out = node->text;
    return json_is_kind(r, node, at, JSON_STRING);
}

bool json_get_bytes(json_reader *r, const json_node *node, const json_place *at, spb_bytes *out) {
    if (!node) {
        return true;
    }
    if (!json_is_kind(r, node, at, JSON_STRING)) {
        return false;
    }
    uint8_t *data = pool_get(r->memory, digits_max_bytes(node->text.len), 1);
    spb_error why;
    if (!data) {
        return json_no_memory(r);
    }
    *out = (spb_bytes){.data = data};
    return digits_unbase64(node->text, data, &out->len, &why) ||
           json_fail(r, node, at, SPB_ERR_MALFORMED, "%s at character %zu of the string", why.text, why.offset);
}

/* The number of the text, with a NUL behind it: strtod and its like want one. */
static const char *copy_number(json_reader *r, const json_node *node) {
    char *text = pool_get(r->memory, node->text.len + 1, 1);
    return text ? memcpy(text, node->text.data, node->text.len) : NULL;
}

static bool is_integer(spb_str text) {
    return !memchr(text.data, '.', text.len) && !memchr(text.data, 'e', text.len) && !memchr(text.data, 'E', text.len);
}

static bool fail_range(json_reader *r, const json_node *node, const json_place *at, const char *what, int64_t min,
                       uint64_t max) {
    return json_fail(r, node, at, SPB_ERR_RANGE, "%.*s does not fit %s, from %" PRId64 " to %" PRIu64,
                     (int)(node->text.len < 40 ? node->text.len : 40), node->text.data, what, min, max);
}

static const char *integer_text(json_reader *r, const json_node *node, const json_place *at, const char *what) {
    if (node->kind != JSON_NUMBER) {
        (void)json_fail(r, node, at, SPB_ERR_TYPE, "an integer is wanted (%s), not %s", what,
                        json_kind_name(node->kind));
        return NULL;
    }
    if (!is_integer(node->text)) {
        (void)json_fail(r, node, at, SPB_ERR_TYPE, "%.*s is not an integer, as %s wants it",
                        (int)(node->text.len < 40 ? node->text.len : 40), node->text.data, what);
        return NULL;
    }
    const char *text = copy_number(r, node);
    if (!text) {
        (void)json_no_memory(r);
    }
    return text;
}

bool json_get_u64(json_reader *r, const json_node *node, const json_place *at, uint64_t max, const char *what,
                  uint64_t *out) {
    const char *text = node ? integer_text(r, node, at, what) : NULL;
    if (!text) {
        return !node;
    }
    errno = 0;
    *out = strtoull(text, NULL, 10);
    return (errno == 0 && *text != '-' && *out <= max) || fail_range(r, node, at, what, 0, max);
}

bool json_get_i64(json_reader *r, const json_node *node, const json_place *at, int64_t min, int64_t max,
                  const char *what, int64_t *out) {
    const char *text = node ? integer_text(r, node, at, what) : NULL;
    if (!text) {
        return !node;
    }
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return (errno == 0 && *out >= min && *out <= max) || fail_range(r, node, at, what, min, (uint64_t)max);
}

/* What JSON cannot write as a number. */
static bool get_not_finite(json_reader *r, const json_node *node, const json_place *at, double *out) {
    static const struct {
        const char *text;
        double number;
    } words[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    for (size_t i = 0; i < sizeof words / sizeof *words && node->kind == JSON_STRING; i++) {
        if (spb_str_equal(node->text, spb_str_from(words[i].text))) {
            *out = words[i].number;
            return true;
        }
    }
    return json_fail(r, node, at, SPB_ERR_TYPE, "a number, \"NaN\", \"Infinity\" or \"-Infinity\" is wanted, not %s",
                     node->kind == JSON_STRING ? "another string" : json_kind_name(node->kind));
}

static bool fail_too_large(json_reader *r, const json_node *node, const json_place *at, const char *what) {
    return json_fail(r, node, at, SPB_ERR_RANGE, "too large for %s", what);
}

bool json_get_float(json_reader *r, const json_node *node, const json_place *at, float *out) {
    double number = 0;
    if (node->kind != JSON_NUMBER) {
        bool is_right = get_not_finite(r, node, at, &number);
        *out = (float)number;
        return is_right;
    }
    const char *text = copy_number(r, node);
    if (!text) {
        return json_no_memory(r);
    }
    *out = strtof(text, NULL); /* not by way of double: that would round twice */
    return isfinite(*out) || fail_too_large(r, node, at, "Float");
}

bool json_get_double(json_reader *r, const json_node *node, const json_place *at, double *out) {
    if (node->kind != JSON_NUMBER) {
        return get_not_finite(r, node, at, out);
    }
    const char *text = copy_number(r, node);
    if (!text) {
        return json_no_memory(r);
    }
    *out = strtod(text, NULL);
    return isfinite(*out) || fail_too_large(r, node, at, "Double");
}
