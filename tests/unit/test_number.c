/* Numbers as text: exact, short, and read back as the same number. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "support/suite.h"

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

typedef struct double_example {
    double number;
    const char *text;
} double_example;

static const double_example doubles[] = {
    {0, "0"},
    {-0.0, "-0"},
    {180, "180"},
    {-1.5, "-1.5"},
    {21.6, "21.6"},
    {0.1, "0.1"},
    {0.30000000000000004, "0.30000000000000004"},
    {1e-7, "0.0000001"},
    {1.25e-20, "1.25e-20"},
    {1e300, "1e+300"},
    {9007199254740991.0, "9007199254740991"},
    {9007199254740993.0, "9007199254740992"},
    {123456.789, "123456.789"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {4.9406564584124654e-324, "5e-324"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {1e23, "1e+23"},
    {12345678901234568.0, "12345678901234568"},
    {1e17, "1e+17"},
    {123e-10, "1.23e-08"},
    {NAN, "NaN"},
    {INFINITY, "Infinity"},
    {-INFINITY, "-Infinity"},
};

START_TEST(a_double_is_as_short_as_it_can_be) {
    char text[NUMBER_SIZE + 1];
    text[number_double(text, doubles[_i].number)] = '\0';
    ck_assert_str_eq(text, doubles[_i].text);
}
END_TEST

typedef struct float_example {
    float number;
    const char *text;
} float_example;

static const float_example floats[] = {
    {0.42f, "0.42"},
    {-0.0f, "-0"},
    {7.5f, "7.5"},
    {16777216.0f, "16777216"},
    {0.1f + 0.2f, "0.3"},
    {1e-10f, "1e-10"},
    {INFINITY, "Infinity"},
    {FLT_MAX, "3.4028235e+38"},
    {3.14159274f, "3.1415927"},
};

START_TEST(a_float_is_as_short_as_it_can_be) {
    char text[NUMBER_SIZE + 1];
    text[number_float(text, floats[_i].number)] = '\0';
    ck_assert_float_eq(strtof(text, NULL), floats[_i].number);
    ck_assert_str_eq(text, floats[_i].text);
}
END_TEST

/* A fixed sequence that looks like chance. */
static uint64_t next(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state ^ *state >> 29;
}

START_TEST(any_number_reads_back_as_itself) {
    uint64_t state = 1;
    char text[NUMBER_SIZE + 1];
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next(&state);
        double number;
        memcpy(&number, &bits, sizeof number);
        float small;
        memcpy(&small, &bits, sizeof small);
        double decimal = (double)(int64_t)(bits % 2000001) / 1000 - 1000;
        if (isfinite(number)) {
            text[number_double(text, number)] = '\0';
            ck_assert_double_eq(strtod(text, NULL), number);
        }
        if (isfinite(small)) {
            text[number_float(text, small)] = '\0';
            ck_assert_float_eq(strtof(text, NULL), small);
        }
        text[number_double(text, decimal)] = '\0';
        ck_assert_double_eq(strtod(text, NULL), decimal);
    }
}
END_TEST

START_TEST(integers_are_exact) {
    char text[NUMBER_SIZE + 1];
    text[number_u64(text, UINT64_MAX)] = '\0';
    ck_assert_str_eq(text, "18446744073709551615");
    text[number_u64(text, 0)] = '\0';
    ck_assert_str_eq(text, "0");
    text[number_i64(text, INT64_MIN)] = '\0';
    ck_assert_str_eq(text, "-9223372036854775808");
    text[number_i64(text, -1)] = '\0';
    ck_assert_str_eq(text, "-1");
}
END_TEST

typedef struct datetime_example {
    uint64_t unix_ms;
    const char *text;
} datetime_example;

static const datetime_example datetimes[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {UINT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
    {UINT64_C(951868799999), "2000-02-29T23:59:59.999Z"},
    {UINT64_C(951868800000), "2000-03-01T00:00:00.000Z"},
    {UINT64_C(1709164800000), "2024-02-29T00:00:00.000Z"},
    {UINT64_C(1735689599999), "2024-12-31T23:59:59.999Z"},
    {UINT64_C(1735689600000), "2025-01-01T00:00:00.000Z"},
    {UINT64_C(4107542400000), "2100-03-01T00:00:00.000Z"},
    {UINT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
    {UINT64_C(253402300800000), "253402300800000"},
    {UINT64_MAX, "18446744073709551615"},
};

START_TEST(a_datetime_is_an_iso_8601_instant) {
    char text[NUMBER_SIZE + 1];
    text[number_datetime(text, datetimes[_i].unix_ms)] = '\0';
    ck_assert_str_eq(text, datetimes[_i].text);
}
END_TEST

int main(void) {
    TCase *numbers = tcase_create("numbers");
    tcase_add_loop_test(numbers, a_double_is_as_short_as_it_can_be, 0, COUNT_OF(doubles));
    tcase_add_loop_test(numbers, a_float_is_as_short_as_it_can_be, 0, COUNT_OF(floats));
    tcase_add_test(numbers, any_number_reads_back_as_itself);
    tcase_add_test(numbers, integers_are_exact);
    tcase_add_loop_test(numbers, a_datetime_is_an_iso_8601_instant, 0, COUNT_OF(datetimes));
    Suite *suite = suite_create("number");
    suite_add_tcase(suite, numbers);
    return suite_run(suite);
}
