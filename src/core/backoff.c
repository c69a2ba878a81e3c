/* Decides how waits grow, and spreads them so that a thousand nodes do not come to a broker at the same moment.
 * When to wait is left to the session. */
#include "core/backoff.h"

/* splitmix64: one addition and a mixer; any seed will do. */
static uint64_t draw(uint64_t *state) {
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

void spb_backoff__init(spb_backoff *backoff, uint32_t min_ms, uint32_t max_ms, uint64_t seed) {
    *backoff = (spb_backoff){.min_ms = min_ms, .max_ms = max_ms, .next_ms = min_ms, .random = seed};
}

uint32_t spb_backoff__next_ms(spb_backoff *backoff) {
    uint32_t wait_ms = backoff->next_ms;
    backoff->next_ms = wait_ms > backoff->max_ms / 2 ? backoff->max_ms : wait_ms * 2;
    uint32_t spread_ms = wait_ms / 2;
    return wait_ms - spread_ms / 2 + (uint32_t)(draw(&backoff->random) % (spread_ms + 1u));
}

uint32_t spb_backoff__first_ms(spb_backoff *backoff, uint32_t spread_ms) {
    return spread_ms > 0 ? (uint32_t)(draw(&backoff->random) % (spread_ms + UINT64_C(1))) : 0;
}

void spb_backoff__reset(spb_backoff *backoff) {
    backoff->next_ms = backoff->min_ms;
}
