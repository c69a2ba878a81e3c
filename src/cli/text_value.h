/* Values, and other parts of a message, as text for people. */
#ifndef SPB_CLI_TEXT_VALUE_H
#define SPB_CLI_TEXT_VALUE_H

#include "cli/births.h"
#include "cli/out.h"

typedef struct text {
    out *to;
    bool use_colour;
} text;

typedef enum text_colour {
    TEXT_PLAIN,
    TEXT_DIM,
    TEXT_NAME,
    TEXT_BIRTH,
    TEXT_DEATH,
    TEXT_DATA,
    TEXT_COMMAND,
    TEXT_STATE,
    TEXT_WARNING
} text_colour;

/* What follows has this colour, where colours are wanted. */
void text_paint(const text *t, text_colour colour);
void text_spaces(const text *t, size_t count);
/* Blanks up to `width`, of which `taken` columns are filled. */
void text_pad(const text *t, size_t taken, size_t width);
/* What takes an `out *to` returns the columns that it takes; with NULL it only measures. */

/* Text of others, escaped: see base/escape.h. */
size_t text_escaped(out *to, spb_str from);
size_t text_u64(out *to, uint64_t number);
/* A value that fits into a line: scalars, arrays, property sets, bytes. Others become their datatype's name. */
size_t text_value(out *to, const spb_value *value);
/* True for what text_value can show whole. */
bool text_is_inline(const spb_value *value);
/* {key: value, …} but for the key `except` (NULL: none); nothing at all if that leaves nothing. */
size_t text_properties(out *to, const spb_property_set *set, const char *except);
/* The rows of a DataSet, one a line, indented. */
void text_dataset(const text *t, const spb_dataset *set, size_t indent);

#endif
