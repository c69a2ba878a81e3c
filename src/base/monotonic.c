/* Decides nothing: reads the clock that never steps. */
#include "base/monotonic.h"

#include <time.h>

uint64_t spb_monotonic__ms(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
