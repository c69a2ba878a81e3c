/* Payloads of every shape, by chance: each seed gives one. */
#ifndef SPB_TEST_RANDOM_PAYLOAD_H
#define SPB_TEST_RANDOM_PAYLOAD_H

#include <spb/payload.h>

#include "base/arena.h"

/* One that can be encoded; everything that it points to is in the arena. Strings have no NUL. */
spb_payload random_payload(spb_arena *arena, uint64_t seed);

#endif
