/* Decides how values look to people. Lines and columns of messages are left to text.c. */
#include "cli/text_value.h"

#include <string.h>

#include "base/escape.h"
#include "cli/message.h"
#include "cli/number.h"

/* Longer ones are cut: JSON has them whole. */
enum { MAX_BYTES_SHOWN = 32, MAX_ELEMENTS_SHOWN = 32 };

void text_paint(const text *t, text_colour colour) {
    static const char *const codes[] = {
        [TEXT_PLAIN] = "\033[0m",    [TEXT_DIM] = "\033[2m",    [TEXT_NAME] = "\033[1m",
        [TEXT_BIRTH] = "\033[32m",   [TEXT_DEATH] = "\033[31m", [TEXT_DATA] = "\033[36m",
        [TEXT_COMMAND] = "\033[33m", [TEXT_STATE] = "\033[35m", [TEXT_WARNING] = "\033[1;31m"};
    if (t->use_colour) {
        out_text(t->to, codes[colour]);
    }
}

void text_spaces(const text *t, size_t count) {
    for (size_t i = 0; i < count; i++) {
        out_char(t->to, ' ');
    }
}

void text_pad(const text *t, size_t taken, size_t width) {
    text_spaces(t, taken < width ? width - taken : 0);
}

/* Writes plain ASCII, or measures it. */
static size_t put(out *to, const char *ascii, size_t len) {
    if (to) {
        out_bytes(to, ascii, len);
    }
    return len;
}

static size_t put_text(out *to, const char *ascii) {
    return put(to, ascii, strlen(ascii));
}

/* U+2026, one column. */
static size_t put_ellipsis(out *to) {
    (void)put_text(to, "…");
    return 1;
}

size_t text_escaped(out *to, spb_str from) {
    char room[SPB_ESCAPE_SIZE];
    size_t columns = 0;
    size_t at = 0;
    while (at < from.len) {
        spb_str shown = spb_escape__next(from, &at, room);
        (void)put(to, shown.data, shown.len);
        columns += shown.data == room ? shown.len : 1;
    }
    return columns;
}

static size_t put_quoted(out *to, spb_str from) {
    size_t columns = 2;
    (void)put(to, "\"", 1);
    columns += text_escaped(to, from);
    (void)put(to, "\"", 1);
    return columns;
}

size_t text_u64(out *to, uint64_t number) {
    char digits[NUMBER_SIZE];
    return put(to, digits, number_u64(digits, number));
}

static size_t put_bytes(out *to, spb_bytes bytes) {
    static const char hex[] = "0123456789abcdef";
    size_t shown = bytes.len < MAX_BYTES_SHOWN ? bytes.len : MAX_BYTES_SHOWN;
    size_t columns = 0;
    for (size_t i = 0; i < shown; i++) {
        char pair[] = {hex[bytes.data[i] >> 4], hex[bytes.data[i] & 15]};
        columns += put(to, pair, sizeof pair);
    }
    columns += shown < bytes.len ? put_ellipsis(to) : 0;
    columns += put_text(to, shown > 0 ? " (" : "(");
    columns += text_u64(to, bytes.len);
    return columns + put_text(to, bytes.len == 1 ? " byte)" : " bytes)");
}

static size_t put_as(out *to, spb_type type, const spb_value *value);

static size_t put_array(out *to, const spb_value *value) {
    size_t cursor = 0;
    size_t count = 0;
    spb_value element;
    size_t columns = put(to, "[", 1);
    while (count < MAX_ELEMENTS_SHOWN && spb_array_next(value, &cursor, &element)) {
        columns += count > 0 ? put(to, ", ", 2) : 0;
        columns += element.is_null ? put_text(to, "null") : put_as(to, element.type, &element);
        count++;
    }
    size_t all = count < MAX_ELEMENTS_SHOWN ? count : spb_array_count(value);
    if (all > count) {
        columns += put(to, ", ", 2);
        columns += put_ellipsis(to);
    }
    columns += put(to, "]", 1);
    if (all > count) {
        columns += put(to, " (", 2);
        columns += text_u64(to, all);
        columns += put_text(to, " elements)");
    }
    return columns;
}

static size_t put_property_sets(out *to, const spb_property_sets *sets) {
    size_t columns = put(to, "[", 1);
    for (size_t i = 0; i < sets->count; i++) {
        columns += i > 0 ? put(to, ", ", 2) : 0;
        columns += text_properties(to, &sets->items[i], NULL);
    }
    return columns + put(to, "]", 1);
}

static size_t put_as(out *to, spb_type type, const spb_value *value) {
    char number[NUMBER_SIZE];
    switch (type) {
    case SPB_UNKNOWN: return put_text(to, "no value");
    case SPB_INT8:
    case SPB_INT16:
    case SPB_INT32:
    case SPB_INT64: return put(to, number, number_i64(number, value->as.i64));
    case SPB_UINT8:
    case SPB_UINT16:
    case SPB_UINT32:
    case SPB_UINT64: return text_u64(to, value->as.u64);
    case SPB_FLOAT: return put(to, number, number_float(number, value->as.f32));
    case SPB_DOUBLE: return put(to, number, number_double(number, value->as.f64));
    case SPB_BOOLEAN: return put_text(to, value->as.boolean ? "true" : "false");
    case SPB_DATETIME: return put(to, number, number_datetime(number, value->as.u64));
    case SPB_STRING:
    case SPB_TEXT: return put_quoted(to, value->as.str);
    case SPB_UUID: return text_escaped(to, value->as.str);
    case SPB_BYTES:
    case SPB_FILE: return put_bytes(to, value->as.bytes);
    case SPB_DATASET: return put_text(to, "DataSet");
    case SPB_TEMPLATE: return put_text(to, "Template");
    case SPB_PROPERTY_SET: return text_properties(to, value->as.set, NULL);
    case SPB_PROPERTY_SET_LIST: return put_property_sets(to, value->as.sets);
    default: return put_array(to, value);
    }
}

size_t text_value(out *to, const spb_value *value) {
    if (value->is_null) {
        return put_text(to, value->wire == SPB_WIRE_ABSENT ? "no value" : "null");
    }
    return put_as(to, message_type_shown(value), value);
}

bool text_is_inline(const spb_value *value) {
    spb_type type = message_type_shown(value);
    return type != SPB_DATASET && type != SPB_TEMPLATE;
}

static size_t put_quality(out *to, const spb_property *property) {
    if (!spb_str_equal(property->key, spb_str_from(SPB_PROPERTY_QUALITY)) || property->value.type != SPB_INT32) {
        return 0;
    }
    switch (property->value.as.i64) {
    case SPB_QUALITY_BAD: return put_text(to, " BAD");
    case SPB_QUALITY_GOOD: return put_text(to, " GOOD");
    case SPB_QUALITY_STALE: return put_text(to, " STALE");
    default: return 0;
    }
}

size_t text_properties(out *to, const spb_property_set *set, const char *except) {
    size_t columns = 0;
    for (size_t i = 0; set && i < set->count; i++) {
        const spb_property *property = &set->items[i];
        if (except && spb_str_equal(property->key, spb_str_from(except))) {
            continue;
        }
        columns += put_text(to, columns > 0 ? ", " : "{");
        columns += text_escaped(to, property->key);
        columns += put(to, ": ", 2);
        columns += text_value(to, &property->value);
        columns += property->value.is_null ? 0 : put_quality(to, property);
    }
    if (columns == 0 && !except) {
        columns += put(to, "{", 1);
    }
    return columns > 0 ? columns + put(to, "}", 1) : 0;
}

/* ---- DataSets ---- */

static bool is_right_aligned(spb_type type) {
    return type <= SPB_DOUBLE;
}

static size_t column_width(const spb_dataset *set, size_t column) {
    size_t width = text_escaped(NULL, set->columns[column]);
    size_t type = strlen(spb_type_name(set->types[column]));
    width = type > width ? type : width;
    for (size_t row = 0; row < set->row_count; row++) {
        size_t cell = text_value(NULL, &set->cells[row * set->column_count + column]);
        width = cell > width ? cell : width;
    }
    return width;
}

/* Row −2: the names of the columns; −1: their types. */
static size_t put_cell(out *to, const spb_dataset *set, long row, size_t column) {
    if (row == -2) {
        return text_escaped(to, set->columns[column]);
    }
    return row == -1 ? put_text(to, spb_type_name(set->types[column]))
                     : text_value(to, &set->cells[(size_t)row * set->column_count + column]);
}

void text_dataset(const text *t, const spb_dataset *set, size_t indent) {
    enum { MAX_ALIGNED = 32 };
    size_t widths[MAX_ALIGNED];
    for (size_t i = 0; i < set->column_count && i < MAX_ALIGNED; i++) {
        widths[i] = column_width(set, i);
    }
    for (long row = -2; row < (long)set->row_count; row++) {
        text_spaces(t, indent);
        text_paint(t, row == -2 ? TEXT_NAME : row == -1 ? TEXT_DIM : TEXT_PLAIN);
        for (size_t i = 0; i < set->column_count; i++) {
            size_t width = i < MAX_ALIGNED ? widths[i] : 0;
            size_t taken = put_cell(NULL, set, row, i);
            size_t padding = width > taken ? width - taken : 0;
            bool is_last = i + 1 == set->column_count;
            bool is_right = is_right_aligned(set->types[i]);
            text_spaces(t, is_right ? padding : 0);
            (void)put_cell(t->to, set, row, i);
            text_spaces(t, is_last ? 0 : is_right ? 2 : padding + 2);
        }
        text_paint(t, TEXT_PLAIN);
        out_char(t->to, '\n');
    }
}
