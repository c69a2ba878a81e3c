/* The shortest decimal that reads back as the same binary fraction; of several, the closest. Exact. */
#ifndef SPB_CLI_SHORTEST_H
#define SPB_CLI_SHORTEST_H

#include <stdint.h>

/* digits · 10^exponent; digits do not end in 0 */
typedef struct shortest {
    uint64_t digits; /* at most 17 of them */
    int exponent;
} shortest;

/* `number` is finite and greater than 0. Not for several threads at the same time before the first call has returned.
 */
shortest shortest_double(double number);
shortest shortest_float(float number);

#endif
