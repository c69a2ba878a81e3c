/* Decides how numbers look. Where a short decimal is provably exact it is found with a division; the rest tries
 * printf's precisions until the text reads back as the number. */
#include "cli/number.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t number_u64(char *text, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(text, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

size_t number_i64(char *text, int64_t number) {
    if (number >= 0) {
        return number_u64(text, (uint64_t)number);
    }
    *text = '-';
    return 1 + number_u64(text + 1, 0 - (uint64_t)number);
}

static size_t write_literal(char *text, const char *literal) {
    size_t len = strlen(literal);
    memcpy(text, literal, len);
    return len;
}

static size_t write_not_finite(char *text, double number) {
    return write_literal(text, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}

/* digits · 10^-decimals, without trailing zeros behind the point because the smallest `decimals` was searched for. */
static size_t write_decimal(char *text, bool negative, uint64_t digits, unsigned decimals, uint64_t power) {
    char *to = text;
    if (negative) {
        *to++ = '-';
    }
    to += number_u64(to, digits / power);
    if (decimals > 0) {
        *to++ = '.';
        uint64_t rest = digits % power;
        for (unsigned i = decimals; i > 0; i--) {
            to[i - 1] = (char)('0' + rest % 10);
            rest /= 10;
        }
        to += decimals;
    }
    return (size_t)(to - text);
}

/*
 * A fraction digits / 10^decimals is rounded correctly by one division when both are exact in the type: so if the
 * quotient is the number, the decimal reads back as the number. 10^9 is exact in a float, and beyond 9 decimals the
 * search costs more than it saves.
 */
enum { MAX_DECIMALS = 9 };

size_t number_double(char *text, double number) {
    static const double powers[MAX_DECIMALS + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    if (!isfinite(number)) {
        return write_not_finite(text, number);
    }
    double size = fabs(number);
    for (unsigned i = 0; i <= MAX_DECIMALS && size * powers[i] < 9007199254740992.0; i++) {
        uint64_t digits = (uint64_t)(size * powers[i] + 0.5);
        if ((double)digits / powers[i] == size) {
            return write_decimal(text, signbit(number), digits, i, (uint64_t)powers[i]);
        }
    }
    int len = 0;
    for (int precision = DBL_DIG; precision <= DBL_DECIMAL_DIG; precision++) {
        len = snprintf(text, NUMBER_SIZE, "%.*g", precision, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    return (size_t)len;
}

size_t number_float(char *text, float number) {
    static const float powers[MAX_DECIMALS + 1] = {1, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f};
    if (!isfinite(number)) {
        return write_not_finite(text, (double)number);
    }
    float size = fabsf(number);
    for (unsigned i = 0; i <= MAX_DECIMALS && size * powers[i] < 16777216.0f; i++) {
        uint64_t digits = (uint64_t)(size * powers[i] + 0.5f);
        if ((float)digits / powers[i] == size) {
            return write_decimal(text, signbit(number), digits, i, (uint64_t)powers[i]);
        }
    }
    int len = 0;
    for (int precision = FLT_DIG; precision <= FLT_DECIMAL_DIG; precision++) {
        len = snprintf(text, NUMBER_SIZE, "%.*g", precision, (double)number);
        if (strtof(text, NULL) == number) {
            break;
        }
    }
    return (size_t)len;
}

static char *write_padded(char *to, uint64_t number, unsigned digits, char separator) {
    for (unsigned i = digits; i > 0; i--) {
        to[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    to[digits] = separator;
    return to + digits + 1;
}

size_t number_datetime(char *text, uint64_t unix_ms) {
    static const uint64_t ms_per_day = 86400000;
    static const uint64_t first_ms_of_year_10000 = UINT64_C(253402300800000);
    if (unix_ms >= first_ms_of_year_10000) {
        return number_u64(text, unix_ms);
    }
    /* Days since 0000-03-01: with the leap day last, the months from March on have fixed lengths, and the calendar
     * repeats every 400 years (146,097 days). */
    uint64_t day = unix_ms / ms_per_day + 719468;
    uint64_t era = day / 146097;
    uint64_t of_era = day % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint64_t month = (5 * of_year + 2) / 153; /* 0 is March */
    uint64_t day_of_month = of_year - (153 * month + 2) / 5 + 1;
    year += era * 400 + (month >= 10);
    month = month < 10 ? month + 3 : month - 9;

    uint64_t ms = unix_ms % ms_per_day;
    char *to = write_padded(text, year, 4, '-');
    to = write_padded(to, month, 2, '-');
    to = write_padded(to, day_of_month, 2, 'T');
    to = write_padded(to, ms / 3600000, 2, ':');
    to = write_padded(to, ms / 60000 % 60, 2, ':');
    to = write_padded(to, ms / 1000 % 60, 2, '.');
    to = write_padded(to, ms % 1000, 3, 'Z');
    return (size_t)(to - text);
}
