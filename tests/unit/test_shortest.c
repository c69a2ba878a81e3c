/* Shortest decimals, held against the C library: they read back, none is shorter, and of that length none is closer. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shortest.h"
#include "support/suite.h"

static uint64_t state = UINT64_C(88172645463325252);

/* xorshift64: a fixed sequence that looks like chance. */
static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545F4914F6CDD1D);
}

/* A check of the framework notes each time that it holds, which takes more time than what is checked. */
#define require(holds, ...)                                                                                            \
    do {                                                                                                               \
        if (!(holds)) {                                                                                                \
            ck_abort_msg(__VA_ARGS__);                                                                                 \
        }                                                                                                              \
    } while (0)

static int count_digits(uint64_t digits) {
    char text[32];
    return snprintf(text, sizeof text, "%llu", (unsigned long long)digits);
}

/* The decimal of so many digits that is closest; 0 if that one does not read back: below a power of two the interval of
 * a number is narrower than above. */
static uint64_t closest_digits(double number, int count) {
    char text[64];
    snprintf(text, sizeof text, "%.*e", count - 1, number);
    uint64_t digits = 0;
    for (const char *at = text; *at != 'e'; at++) {
        digits = *at == '.' ? digits : digits * 10 + (uint64_t)(*at - '0');
    }
    return strtod(text, NULL) == number ? digits : 0;
}

static void check_double(double number) {
    char text[64];
    shortest s = shortest_double(number);
    int count = count_digits(s.digits);
    snprintf(text, sizeof text, "%llue%d", (unsigned long long)s.digits, s.exponent);
    require(strtod(text, NULL) == number, "%s does not read back as %.17g", text, number);
    uint64_t closest = closest_digits(number, count);
    require(closest == 0 || closest == s.digits, "%s is not the closest to %.17g", text, number);
    if (count > 1) {
        char shorter[64];
        snprintf(shorter, sizeof shorter, "%.*e", count - 2, number);
        require(strtod(shorter, NULL) != number, "%s is longer than %s", text, shorter);
    }
}

static void check_float(float number) {
    char text[64];
    shortest s = shortest_float(number);
    int count = count_digits(s.digits);
    snprintf(text, sizeof text, "%llue%d", (unsigned long long)s.digits, s.exponent);
    require(strtof(text, NULL) == number, "%s does not read back as %.9g", text, (double)number);
    if (count > 1) {
        char shorter[64];
        snprintf(shorter, sizeof shorter, "%.*e", count - 2, (double)number);
        require(strtof(shorter, NULL) != number, "%s is longer than %s", text, shorter);
    }
}

enum { COUNT = 30000 }; /* four times as many numbers in all; hundreds of millions were tried once */

START_TEST(any_bits) {
    for (int i = 0; i < COUNT; i++) {
        uint64_t bits = next() & (UINT64_MAX >> 1);
        double number;
        memcpy(&number, &bits, sizeof number);
        uint32_t small_bits = (uint32_t)(bits >> 20) & (UINT32_MAX >> 1);
        float small;
        memcpy(&small, &small_bits, sizeof small);
        if (isfinite(number) && number > 0) {
            check_double(number);
        }
        if (isfinite(small) && small > 0) {
            check_float(small);
        }
    }
}
END_TEST

/* Decimals as people and PLCs write them. */
START_TEST(short_decimals) {
    for (int i = 1; i < COUNT; i++) {
        check_double((double)(next() % 100000000 + 1) / pow(10, (double)(i % 12)));
        check_float((float)(next() % 100000 + 1) / 1000.0f);
    }
}
END_TEST

/* Where the distance to the next smaller number is half of that to the next larger one; and their neighbours. */
START_TEST(powers_of_two) {
    for (int e = -1074; e < 1024; e++) {
        double number = ldexp(1, e);
        check_double(number);
        check_double(nextafter(number, INFINITY));
        if (e > -1074) {
            check_double(nextafter(number, 0));
        }
    }
    for (int e = -149; e < 128; e++) {
        float number = ldexpf(1, e);
        check_float(number);
        check_float(nextafterf(number, INFINITY));
        if (e > -149) {
            check_float(nextafterf(number, 0));
        }
    }
}
END_TEST

START_TEST(powers_of_ten) {
    for (int e = -323; e <= 308; e++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", e);
        shortest s = shortest_double(strtod(text, NULL));
        ck_assert_uint_eq(s.digits, 1);
        ck_assert_int_eq(s.exponent, e);
    }
}
END_TEST

START_TEST(the_ends) {
    check_double(DBL_MAX);
    check_double(DBL_MIN);
    check_double(nextafter(DBL_MIN, 0));
    check_double(9007199254740993.0);
    check_float(FLT_MAX);
    check_float(FLT_MIN);
    check_float(16777216.0f);
}
END_TEST

int main(void) {
    TCase *decimals = tcase_create("decimals");
    tcase_set_timeout(decimals, 120);
    tcase_add_test(decimals, any_bits);
    tcase_add_test(decimals, short_decimals);
    tcase_add_test(decimals, powers_of_two);
    tcase_add_test(decimals, powers_of_ten);
    tcase_add_test(decimals, the_ends);
    Suite *suite = suite_create("shortest");
    suite_add_tcase(suite, decimals);
    return suite_run(suite);
}
