/*
 * Decides which decimal stands for a binary fraction: the algorithm Schubfach of R. Giulietti ("The Schubfach way to
 * render doubles", 2020). How it is written is left to number.c.
 *
 * A number c · 2^q stands for an interval, half a unit to both sides. k is chosen so that at most one multiple of
 * 10^(k+1), and at least one of 10^k, lies in it: so only the neighbours of the number among the multiples of these two
 * need to be looked at. The products are scaled by 10^-k, of which 126 bits are enough for a right comparison.
 */
#include "cli/shortest.h"

#include <stdbool.h>
#include <string.h>

enum { MIN_POWER = -292, MAX_POWER = 324, POWERS = MAX_POWER - MIN_POWER + 1 };

/* floor(10^p · 2^r) + 1 with the r that makes it 126 bits long, in two halves of 63. */
typedef struct power {
    uint64_t high, low;
} power;

static power powers[POWERS];

/* ---- the powers of ten, by exact arithmetic at the first call ---- */

enum { LIMBS = 38, SCALE_BITS = 1152 }; /* 10^324 has 1077 bits; 2^1152 / 10^292 has 183 */

static void multiply_by_10(uint32_t limbs[LIMBS]) {
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)limbs[i] * 10;
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Rounds down; doing that again and again is the same as rounding down once. */
static void divide_by_10(uint32_t limbs[LIMBS]) {
    uint64_t rest = 0;
    for (int i = LIMBS; i-- > 0;) {
        rest = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(rest / 10);
        rest %= 10;
    }
}

static int bit_at(const uint32_t limbs[LIMBS], int at) {
    return at < 0 ? 0 : limbs[at / 32] >> at % 32 & 1;
}

static power top_bits(const uint32_t limbs[LIMBS]) {
    int top = LIMBS * 32 - 1;
    while (!bit_at(limbs, top)) {
        top--;
    }
    power p = {0, 0};
    for (int i = 0; i < 63; i++) {
        p.high = p.high << 1 | (uint64_t)bit_at(limbs, top - i);
        p.low = p.low << 1 | (uint64_t)bit_at(limbs, top - 63 - i);
    }
    p.low++; /* 2^63 here would be a carry: there is no such power */
    return p;
}

static void make_powers(void) {
    uint32_t limbs[LIMBS] = {1};
    for (int p = 0; p <= MAX_POWER; p++, multiply_by_10(limbs)) {
        powers[p - MIN_POWER] = top_bits(limbs);
    }
    memset(limbs, 0, sizeof limbs);
    limbs[SCALE_BITS / 32] = 1;
    for (int p = -1; p >= MIN_POWER; p--) {
        divide_by_10(limbs);
        powers[p - MIN_POWER] = top_bits(limbs);
    }
}

/* ---- logarithms, right for all exponents that there are ---- */

/* floor(factor · 2^-32 + …) without shifting negative numbers. */
static int scaled_floor(int64_t product) {
    return (int)((product + (INT64_C(1) << 52)) >> 32) - (1 << 20);
}

static int floor_log10_of_2_to(int e) {
    return scaled_floor(e * INT64_C(1292913986));
}

static int floor_log10_of_3_quarters_2_to(int e) {
    return scaled_floor(e * INT64_C(1292913986) - INT64_C(536607788));
}

static int floor_log2_of_10_to(int e) {
    return scaled_floor(e * INT64_C(14267572527));
}

/* ---- the algorithm ---- */

static uint64_t multiply_high(uint64_t a, uint64_t b) {
    uint64_t a_low = (uint32_t)a, a_high = a >> 32;
    uint64_t b_low = (uint32_t)b, b_high = b >> 32;
    uint64_t middle_1 = a_high * b_low + (a_low * b_low >> 32);
    uint64_t middle_2 = a_low * b_high + (uint32_t)middle_1;
    return a_high * b_high + (middle_1 >> 32) + (middle_2 >> 32);
}

/* The upper part of g · x, with its last bit set if anything lies below: "round to odd" keeps comparisons right. */
static uint64_t scale(power g, uint64_t x) {
    const uint64_t mask = (UINT64_C(1) << 63) - 1;
    uint64_t z = (g.high * x >> 1) + multiply_high(g.low, x);
    uint64_t w = multiply_high(g.high, x) + (z >> 63);
    return w | ((z & mask) + mask) >> 63;
}

static shortest strip_zeros(uint64_t digits, int exponent) {
    while (digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    return (shortest){digits, exponent};
}

/* `is_lopsided`: the next smaller number is only half as far away as the next larger one. */
static shortest shorten(uint64_t c, int q, bool is_lopsided) {
    if (powers[0].high == 0) {
        make_powers();
    }
    uint64_t is_odd = c & 1; /* the ends of the interval belong to even numbers */
    int k = is_lopsided ? floor_log10_of_3_quarters_2_to(q) : floor_log10_of_2_to(q);
    int shift = q + floor_log2_of_10_to(-k) + 2;
    power g = powers[-k - MIN_POWER];
    uint64_t middle = scale(g, c << 2 << shift);
    uint64_t lower = scale(g, ((c << 2) - (is_lopsided ? 1 : 2)) << shift) + is_odd;
    uint64_t upper = scale(g, ((c << 2) + 2) << shift) - is_odd;

    uint64_t s = middle >> 2;
    if (s >= 10) { /* one digit less, if that is in the interval */
        uint64_t below = s / 10 * 10;
        bool is_below_in = lower <= below << 2;
        bool is_above_in = (below + 10) << 2 <= upper;
        if (is_below_in != is_above_in) {
            return strip_zeros(is_below_in ? below : below + 10, k);
        }
    }
    bool is_below_in = lower <= s << 2;
    bool is_above_in = (s + 1) << 2 <= upper;
    if (is_below_in != is_above_in) {
        return strip_zeros(is_below_in ? s : s + 1, k);
    }
    uint64_t half = (s << 2) + 2; /* between both; the even one if they are as close */
    bool is_below_closer = middle < half || (middle == half && s % 2 == 0);
    return strip_zeros(is_below_closer ? s : s + 1, k);
}

shortest shortest_double(double number) {
    enum { FRACTION_BITS = 52, MIN_EXPONENT = -1074 };
    const uint64_t hidden = UINT64_C(1) << FRACTION_BITS;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint64_t fraction = bits & (hidden - 1);
    int exponent = (int)(bits >> FRACTION_BITS & 0x7FF);
    if (exponent == 0) {
        return shorten(fraction, MIN_EXPONENT, false);
    }
    return shorten(fraction | hidden, exponent - 1 + MIN_EXPONENT, fraction == 0 && exponent > 1);
}

shortest shortest_float(float number) {
    enum { FRACTION_BITS = 23, MIN_EXPONENT = -149 };
    const uint32_t hidden = UINT32_C(1) << FRACTION_BITS;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    uint32_t fraction = bits & (hidden - 1);
    int exponent = (int)(bits >> FRACTION_BITS & 0xFF);
    if (exponent == 0) {
        return shorten(fraction, MIN_EXPONENT, false);
    }
    return shorten(fraction | hidden, exponent - 1 + MIN_EXPONENT, fraction == 0 && exponent > 1);
}
