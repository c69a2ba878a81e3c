/* Checks of values that all rooms above share. */
#ifndef SPB_CODEC_CHECK_H
#define SPB_CODEC_CHECK_H

#include <spb/value.h>

#include "base/utf8.h"

/*
 * The value's content fits its datatype: integers in range, strings UTF-8, pointers present, array forms right. What a
 * DataSet, Template or property set holds is not looked at. Null is fine.
 * SPB_ERR_TYPE: no such datatype. SPB_ERR_RANGE: the number does not fit. SPB_ERR_NAME: a string is not UTF-8, or one
 * of a StringArray holds a NUL. SPB_ERR_MALFORMED: packed array of a wrong length. SPB_ERR_ARGUMENT: a pointer is
 * missing.
 */
spb_status spb_value__check(const spb_value *value, spb_error *err);

#endif
