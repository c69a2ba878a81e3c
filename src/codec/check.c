/*
 * Decides whether a value's content fits its datatype. What a DataSet, Template or property set holds is left to those
 * who walk it.
 */
#include "codec/check.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "codec/value.h"

static spb_status missing(const char *name, spb_error *err) {
    return spb_error__set(err, SPB_ERR_ARGUMENT, "%s without its content", name);
}

static spb_status check_integer(const spb_value *value, spb_type form, spb_error *err) {
    const unsigned unused = 64 - spb_type__bits(form);
    const int64_t i64 = value->as.i64, max = INT64_MAX >> unused;
    const uint64_t u64 = value->as.u64;
    const char *name = spb_type_name(form);
    if (form < SPB_UINT8) {
        return i64 >= -max - 1 && i64 <= max
                   ? SPB_OK
                   : spb_error__set(err, SPB_ERR_RANGE, "%lld does not fit %s", (long long)i64, name);
    }
    return u64 <= UINT64_MAX >> unused
               ? SPB_OK
               : spb_error__set(err, SPB_ERR_RANGE, "%llu does not fit %s", (unsigned long long)u64, name);
}

static spb_status check_string(spb_str text, const char *name, spb_error *err) {
    if (!text.data) {
        return missing(name, err);
    }
    size_t bad = 0;
    if (!spb_utf8__is_valid(text, &bad)) {
        return spb_error__set(err, SPB_ERR_NAME, "%s is not UTF-8 at its byte %zu", name, bad);
    }
    return SPB_OK;
}

static spb_status check_bytes(spb_bytes bytes, const char *name, spb_error *err) {
    return !bytes.data && bytes.len > 0 ? missing(name, err) : SPB_OK;
}

/* A NUL ends an element on the wire, so none may stand inside. */
static bool is_element(spb_str text) {
    return text.data && spb_utf8__is_valid(text, NULL) && !memchr(text.data, 0, text.len);
}

static spb_status wrong_element(spb_str text, size_t index, spb_error *err) {
    char name[64];
    snprintf(name, sizeof name, "element %zu of the StringArray", index);
    spb_status status = check_string(text, name, err);
    return status != SPB_OK ? status : spb_error__set(err, SPB_ERR_NAME, "%s holds a NUL", name);
}

static spb_status check_string_array(const spb_value *value, spb_error *err) {
    size_t cursor = 0;
    spb_value element;
    for (size_t index = 0; spb_array_next(value, &cursor, &element); index++) {
        spb_str text = element.is_null ? (spb_str){0} : element.as.str;
        if (!is_element(text)) {
            return wrong_element(text, index, err);
        }
    }
    return SPB_OK;
}

static spb_status check_array(const spb_value *value, spb_error *err) {
    const char *name = spb_type_name(value->type);
    if (value->is_packed) {
        spb_status status = check_bytes(value->as.bytes, name, err);
        if (status == SPB_OK) {
            status = spb_array__check_packed(value->type, value->as.bytes, err);
        }
        if (status != SPB_OK) {
            return status;
        }
    } else if (!value->as.array.items && value->as.array.count > 0) {
        return missing(name, err);
#if SIZE_MAX > UINT32_MAX
    } else if (value->as.array.count > UINT32_MAX) {
        return spb_error__set(err, SPB_ERR_RANGE, "%s of %zu elements, more than 32 bits can count", name,
                              value->as.array.count);
#endif
    }
    return value->type == SPB_STRING_ARRAY ? check_string_array(value, err) : SPB_OK;
}

/* Nothing that such a value holds could be wrong. */
static bool fits_always(spb_type type) {
    return type == SPB_INT64 || (type >= SPB_UINT64 && type <= SPB_BOOLEAN) || type == SPB_DATETIME;
}

spb_status spb_value__check(const spb_value *value, spb_error *err) {
    if (fits_always(value->type) || (value->is_null && value->type == SPB_UNKNOWN)) {
        return SPB_OK;
    }
    spb_type form = value->is_null ? value->type : spb_value__form(value);
    if (!spb_type__is_known(form)) {
        return spb_error__set(err, SPB_ERR_TYPE, "there is no datatype %d", (int)value->type);
    }
    if (value->is_null) {
        return SPB_OK;
    }
    const char *name = spb_type_name(form);
    switch (spb_type__wire(form)) {
    case SPB_WIRE_INT:
    case SPB_WIRE_LONG: return check_integer(value, form, err);
    case SPB_WIRE_STRING: return check_string(value->as.str, name, err);
    case SPB_WIRE_BYTES:
        return spb_type_is_array(form) ? check_array(value, err) : check_bytes(value->as.bytes, name, err);
    case SPB_WIRE_DATASET: return value->as.dataset ? SPB_OK : missing(name, err);
    case SPB_WIRE_TEMPLATE: return value->as.tmpl ? SPB_OK : missing(name, err);
    case SPB_WIRE_SET: return value->as.set ? SPB_OK : missing(name, err);
    case SPB_WIRE_SET_LIST: return value->as.sets ? SPB_OK : missing(name, err);
    default: return SPB_OK;
    }
}
