/* Decides how numbers look. Which decimal stands for a binary fraction is left to shortest.c. */
#include "cli/number.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "cli/shortest.h"

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                            "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static unsigned count_digits(uint64_t number) {
    unsigned count = 1;
    for (; number >= 10000; number /= 10000) {
        count += 4;
    }
    return count + (number >= 10) + (number >= 100) + (number >= 1000);
}

/* Exactly so many digits, which the number has at most. */
static void write_digits(char *to, uint64_t number, unsigned count) {
    for (; count >= 2; count -= 2, number /= 100) {
        memcpy(to + count - 2, pairs + number % 100 * 2, 2);
    }
    if (count == 1) {
        *to = (char)('0' + number);
    }
}

size_t number_u64(char *text, uint64_t number) {
    unsigned count = count_digits(number);
    write_digits(text, number, count);
    return count;
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

/* ---- binary fractions ---- */

/* Powers of ten from here to there are written without an exponent. */
enum { MIN_PLAIN = -7, MAX_PLAIN = 16 };

static size_t write_exponent(char *text, int exponent) {
    unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
    text[0] = 'e';
    text[1] = exponent < 0 ? '-' : '+';
    unsigned count = size < 10 ? 2 : count_digits(size); /* as printf writes it */
    write_digits(text + 2, size, count);
    return 2 + count;
}

/* 1.25e-20 */
static size_t write_scientific(char *text, shortest s, unsigned count) {
    write_digits(text + 1, s.digits, count);
    text[0] = text[1];
    text[1] = '.';
    size_t len = count > 1 ? count + 1 : 1;
    return len + write_exponent(text + len, s.exponent + (int)count - 1);
}

/* 0.00125, 1.25, 12500 */
static size_t write_plain(char *text, shortest s, unsigned count) {
    int point = s.exponent + (int)count; /* digits before it */
    if (point <= 0) {
        size_t zeros = (size_t)-point;
        memcpy(text, "0.", 2);
        memset(text + 2, '0', zeros);
        write_digits(text + 2 + zeros, s.digits, count);
        return 2 + zeros + count;
    }
    if (s.exponent >= 0) {
        write_digits(text, s.digits, count);
        memset(text + count, '0', (size_t)s.exponent);
        return (size_t)point;
    }
    write_digits(text + 1, s.digits, count);
    memmove(text, text + 1, (size_t)point);
    text[point] = '.';
    return count + 1u;
}

static size_t write_shortest(char *text, shortest s) {
    unsigned count = count_digits(s.digits);
    int power = s.exponent + (int)count - 1; /* of the first digit */
    return power < MIN_PLAIN || power > MAX_PLAIN ? write_scientific(text, s, count) : write_plain(text, s, count);
}

static size_t write_not_finite(char *text, bool is_nan, bool is_negative) {
    return write_literal(text, is_nan ? "NaN" : is_negative ? "-Infinity" : "Infinity");
}

size_t number_double(char *text, double number) {
    if (!isfinite(number)) {
        return write_not_finite(text, isnan(number), signbit(number));
    }
    size_t sign = signbit(number) ? 1 : 0;
    double size = fabs(number);
    *text = '-';
    if (size < 9007199254740992.0 && size == (double)(uint64_t)size) { /* also 0 */
        return sign + number_u64(text + sign, (uint64_t)size);
    }
    return sign + write_shortest(text + sign, shortest_double(size));
}

size_t number_float(char *text, float number) {
    if (!isfinite(number)) {
        return write_not_finite(text, isnan(number), signbit(number));
    }
    size_t sign = signbit(number) ? 1 : 0;
    float size = fabsf(number);
    *text = '-';
    if (size < 16777216.0f && size == (float)(uint32_t)size) {
        return sign + number_u64(text + sign, (uint64_t)size);
    }
    return sign + write_shortest(text + sign, shortest_float(size));
}

/* ---- times ---- */

static char *write_padded(char *to, uint64_t number, unsigned digits, char separator) {
    write_digits(to, number, digits);
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
