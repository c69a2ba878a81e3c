/* Decides which values of a host are as good as the metric's own datatype. Hosts are often written in languages with
 * one kind of number: an Int32 12 for a Double setpoint means 12.0. */
#include "core/convert.h"

#include <float.h>
#include <math.h>

#include "base/error.h"
#include "codec/check.h"

static bool is_signed(spb_type type) {
    return type >= SPB_INT8 && type <= SPB_INT64;
}

static bool is_unsigned(spb_type type) {
    return (type >= SPB_UINT8 && type <= SPB_UINT64) || type == SPB_DATETIME;
}

/* A number of any datatype: an integer with its sign apart, so that both 64-bit ranges fit, or a real. */
typedef struct number {
    bool is_real;
    bool is_negative;
    uint64_t magnitude;
    double real;
} number;

static void set_signed(number *out, int64_t value) {
    out->is_negative = value < 0;
    out->magnitude = out->is_negative ? 0 - (uint64_t)value : (uint64_t)value;
}

/* An integer without a datatype has a sign if that of the metric has: the fields hold both kinds alike. */
static void set_bare(number *out, const spb_value *value, spb_type type) {
    bool is_short = value->wire == SPB_WIRE_INT;
    if (is_unsigned(type)) {
        out->magnitude = value->as.u64;
    } else {
        set_signed(out, is_short ? (int64_t)(int32_t)(uint32_t)value->as.u64 : value->as.i64);
    }
}

/* `type` is that of the metric. */
static bool number_of(number *out, const spb_value *value, spb_type type) {
    bool is_bare = value->type == SPB_UNKNOWN;
    *out = (number){0};
    if (is_bare && (value->wire == SPB_WIRE_INT || value->wire == SPB_WIRE_LONG)) {
        set_bare(out, value, type);
    } else if (is_signed(value->type)) {
        set_signed(out, value->as.i64);
    } else if (is_unsigned(value->type)) {
        out->magnitude = value->as.u64;
    } else if (value->type == SPB_FLOAT || (is_bare && value->wire == SPB_WIRE_FLOAT)) {
        out->is_real = true;
        out->real = (double)value->as.f32;
    } else if (value->type == SPB_DOUBLE || (is_bare && value->wire == SPB_WIRE_DOUBLE)) {
        out->is_real = true;
        out->real = value->as.f64;
    } else {
        return false;
    }
    return true;
}

/* A whole real as an integer; false when it has a fraction, or is beyond 64 bits. */
static bool make_integer(number *n) {
    if (!n->is_real) {
        return true;
    }
    double magnitude = fabs(n->real);
    if (!(magnitude < 0x1p64) || (double)(uint64_t)magnitude != magnitude) {
        return false;
    }
    n->is_real = false;
    n->is_negative = n->real < 0;
    n->magnitude = (uint64_t)magnitude;
    return true;
}

static bool to_signed(spb_value *out, number n) {
    if (!make_integer(&n) || n.magnitude > (uint64_t)INT64_MAX + n.is_negative) {
        return false;
    }
    out->as.i64 = n.is_negative ? (int64_t)(0 - n.magnitude) : (int64_t)n.magnitude;
    return true;
}

static bool to_unsigned(spb_value *out, number n) {
    if (!make_integer(&n) || n.is_negative) {
        return false;
    }
    out->as.u64 = n.magnitude;
    return true;
}

static bool to_double(spb_value *out, number n) {
    double magnitude = (double)n.magnitude;
    if (!n.is_real && (magnitude >= 0x1p64 || (uint64_t)magnitude != n.magnitude)) {
        return false;
    }
    out->as.f64 = n.is_real ? n.real : n.is_negative ? -magnitude : magnitude;
    return true;
}

static bool to_float(spb_value *out, number n) {
    spb_value wide;
    if (!to_double(&wide, n) || (isfinite(wide.as.f64) && fabs(wide.as.f64) > (double)FLT_MAX)) {
        return false;
    }
    out->as.f32 = (float)wide.as.f64;
    return n.is_real || (double)out->as.f32 == wide.as.f64;
}

static spb_status convert_number(spb_value *out, const spb_metric *metric, const number *n, spb_error *err) {
    spb_type type = (spb_type)metric->type;
    *out = (spb_value){.type = type};
    bool fits = is_signed(type)     ? to_signed(out, *n)
                : is_unsigned(type) ? to_unsigned(out, *n)
                : type == SPB_FLOAT ? to_float(out, *n)
                                    : to_double(out, *n);
    if (!fits || spb_value__check(out, NULL) != SPB_OK) {
        return spb_error__set(err, SPB_ERR_RANGE, "the number sent does not fit %s", spb_type_name(type));
    }
    return SPB_OK;
}

static bool is_text(spb_type type) {
    return type == SPB_STRING || type == SPB_TEXT || type == SPB_UUID;
}

static bool is_bytes(spb_type type) {
    return type == SPB_BYTES || type == SPB_FILE;
}

static spb_status convert(spb_value *out, const spb_metric *metric, const spb_value *sent, spb_error *err) {
    spb_type type = (spb_type)metric->type;
    number n;
    *out = *sent;
    spb_status status = spb_value_resolve(out, type, err);
    bool is_number = is_signed(type) || is_unsigned(type) || type == SPB_FLOAT || type == SPB_DOUBLE;
    if (status == SPB_ERR_TYPE &&
        ((is_text(type) && is_text(sent->type)) || (is_bytes(type) && is_bytes(sent->type)))) {
        out->type = type; /* they have one field */
        status = SPB_OK;
    }
    if (status == SPB_ERR_TYPE && is_number && number_of(&n, sent, type)) {
        return convert_number(out, metric, &n, err);
    }
    return status == SPB_OK ? spb_value__check(out, err) : status;
}

/* Below, at, or above the limit: −1, 0, 1. Integers of 64 bits have more digits than a double, and are not rounded. */
static int compare_integer(const number *n, double limit) {
    double magnitude = fabs(limit);
    bool is_below_zero = n->is_negative && n->magnitude > 0;
    if (magnitude >= 0x1p64) {
        return limit < 0 ? 1 : -1;
    }
    if (is_below_zero != (limit < 0)) {
        return is_below_zero ? -1 : 1;
    }
    uint64_t whole = (uint64_t)magnitude;
    int order = n->magnitude != whole ? (n->magnitude > whole ? 1 : -1) : (double)whole < magnitude ? -1 : 0;
    return limit < 0 ? -order : order;
}

/* A limit that a Float cannot hold is, for one, the nearest that it can: 0.1 is within 0 to 0.1. */
static double limit_of(double limit, spb_type type) {
    return type == SPB_FLOAT && fabs(limit) <= (double)FLT_MAX ? (double)(float)limit : limit;
}

static spb_status check_range(const spb_metric *metric, const spb_value *value, spb_error *err) {
    const spb_metric_extra *extra = metric->extra;
    number n;
    if (!extra || !extra->has_range || !number_of(&n, value, value->type)) {
        return SPB_OK;
    }
    double min = limit_of(extra->min, value->type), max = limit_of(extra->max, value->type);
    if (!n.is_real && (compare_integer(&n, min) < 0 || compare_integer(&n, max) > 0)) {
        return spb_error__set(err, SPB_ERR_RANGE, "%s%llu is outside %.17g to %.17g", n.is_negative ? "-" : "",
                              (unsigned long long)n.magnitude, min, max);
    }
    if (n.is_real && !(n.real >= min && n.real <= max)) {
        return spb_error__set(err, SPB_ERR_RANGE, "%g is outside %g to %g", n.real, extra->min, extra->max);
    }
    return SPB_OK;
}

static spb_status check_choice(const spb_metric *metric, const spb_value *value, spb_error *err) {
    const spb_metric_extra *extra = metric->extra;
    size_t count = extra ? extra->choice_count : 0;
    for (size_t i = 0; i < count; i++) {
        if (spb_value_equal(value, &extra->choices[i])) {
            return SPB_OK;
        }
    }
    return count == 0 ? SPB_OK : spb_error__set(err, SPB_ERR_RANGE, "none of the %zu values that are allowed", count);
}

spb_status spb_convert__command(spb_value *out, const spb_metric *metric, const spb_value *sent, spb_error *err) {
    if (sent->is_null) {
        return spb_error__set(err, SPB_ERR_TYPE, "null is not a value to write");
    }
    spb_status status = convert(out, metric, sent, err);
    if (status == SPB_OK) {
        status = check_range(metric, out, err);
    }
    return status == SPB_OK ? check_choice(metric, out, err) : status;
}
