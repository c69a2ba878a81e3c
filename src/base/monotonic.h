/* The monotonic clock. Only rooms that touch the world read it; the pure ones are handed the time. */
#ifndef SPB_BASE_MONOTONIC_H
#define SPB_BASE_MONOTONIC_H

#include <stdint.h>

uint64_t spb_monotonic__ms(void);

#endif
