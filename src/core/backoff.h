/* How long to wait before the next attempt to connect. */
#ifndef SPB_CORE_BACKOFF_H
#define SPB_CORE_BACKOFF_H

#include <stdint.h>

typedef struct spb_backoff {
    uint32_t min_ms;
    uint32_t max_ms;
    uint32_t next_ms; /* the next wait, before jitter */
    uint64_t random;  /* state of the generator */
} spb_backoff;

void spb_backoff__init(spb_backoff *backoff, uint32_t min_ms, uint32_t max_ms, uint64_t seed);
/* The next wait: min_ms, doubling up to max_ms, each ± 25 %. */
uint32_t spb_backoff__next_ms(spb_backoff *backoff);
/* Before the first attempt: 0 to spread_ms. */
uint32_t spb_backoff__first_ms(spb_backoff *backoff, uint32_t spread_ms);
/* Begins at min_ms again. */
void spb_backoff__reset(spb_backoff *backoff);

#endif
