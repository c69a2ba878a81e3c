/*
 * Numbers of every datatype without rounding, in whole units of the smallest double (2^-1074): what a test compares
 * them with must not depend on how wide the floating point of the machine is.
 */
#ifndef SPB_TEST_EXACT_H
#define SPB_TEST_EXACT_H

#include <stdbool.h>
#include <stdint.h>

/* The largest double has 2098 bits in these units, 66 limbs; there is room for a sum of two, and for two factors. */
#define EXACT_LIMBS 70

typedef struct exact {
    bool is_negative;
    uint32_t limbs[EXACT_LIMBS]; /* of the absolute value, the least significant one first; 0 but for */
    unsigned from, to;           /* those from `from` on and below `to` */
} exact;

exact exact_signed(int64_t number);
exact exact_unsigned(uint64_t number);
/* `number` is finite. */
exact exact_real(double number);

/* The absolute value of a - b. */
exact exact_distance(const exact *a, const exact *b);
exact exact_times(const exact *a, uint32_t factor);
/* Below, at or above 0, as the absolute value of a is below, at or above that of b. */
int exact_compare(const exact *a, const exact *b);

#endif
