/* Decides how numbers of different datatypes meet: as long integers, with the arithmetic that one does on paper. */
#include "support/exact.h"

#include <string.h>

#define UNITS_OF_ONE 1074 /* 1.0 is two to the power of this in units */

static unsigned smaller(unsigned a, unsigned b) {
    return a < b ? a : b;
}

static unsigned larger(unsigned a, unsigned b) {
    return a > b ? a : b;
}

/* `bits` times 2^shift units. */
static exact shifted(uint64_t bits, unsigned shift) {
    exact out = {.from = shift / 32, .to = shift / 32 + 3};
    uint32_t *limbs = &out.limbs[shift / 32];
    unsigned within = shift % 32;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t part = (bits >> 32 * i & UINT32_MAX) << within;
        limbs[i] |= (uint32_t)part;
        limbs[i + 1] = (uint32_t)(part >> 32);
    }
    return out;
}

exact exact_unsigned(uint64_t number) {
    return shifted(number, UNITS_OF_ONE);
}

exact exact_signed(int64_t number) {
    exact out = exact_unsigned(number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
    out.is_negative = number < 0;
    return out;
}

exact exact_real(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    unsigned exponent = (unsigned)(bits >> 52 & 0x7ff);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    exact out = exponent == 0 ? shifted(fraction, 0) : shifted(fraction | UINT64_C(1) << 52, exponent - 1);
    out.is_negative = bits >> 63;
    return out;
}

int exact_compare(const exact *a, const exact *b) {
    for (unsigned i = larger(a->to, b->to); i-- > smaller(a->from, b->from);) {
        if (a->limbs[i] != b->limbs[i]) {
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
        }
    }
    return 0;
}

static exact sum(const exact *a, const exact *b) {
    exact out = {.from = smaller(a->from, b->from), .to = larger(a->to, b->to) + 1};
    uint64_t carry = 0;
    for (unsigned i = out.from; i < out.to; i++) {
        carry += (uint64_t)a->limbs[i] + b->limbs[i];
        out.limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return out;
}

/* Of absolute values; `a` is not the smaller one. */
static exact difference(const exact *a, const exact *b) {
    exact out = {.from = smaller(a->from, b->from), .to = larger(a->to, b->to)};
    uint32_t borrow = 0;
    for (unsigned i = out.from; i < out.to; i++) {
        uint64_t taken = (uint64_t)b->limbs[i] + borrow;
        borrow = a->limbs[i] < taken;
        out.limbs[i] = (uint32_t)(a->limbs[i] - taken);
    }
    return out;
}

exact exact_distance(const exact *a, const exact *b) {
    if (a->is_negative != b->is_negative) {
        return sum(a, b);
    }
    return exact_compare(a, b) >= 0 ? difference(a, b) : difference(b, a);
}

exact exact_times(const exact *a, uint32_t factor) {
    exact out = {.is_negative = a->is_negative, .from = a->from, .to = a->to + 1};
    uint64_t carry = 0;
    for (unsigned i = out.from; i < out.to; i++) {
        carry += (uint64_t)a->limbs[i] * factor;
        out.limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return out;
}
